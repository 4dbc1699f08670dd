"""Curves of probe policies: medians under weights, bands, and what is set against what."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.evaluation import Policy, Probes, evaluate
from bayesbench.evaluation.protocols.probe_curves import _Errors, _mean_over_sets, _weighted_medians
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_weighted_medians_are_medians_of_repeated_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=9)
    weights = rng.integers(0, 4, size=(20, 9)).astype(float)
    for row, found in zip(weights, _weighted_medians(values, weights), strict=True):
        repeated = np.sort(np.repeat(values, row.astype(int)))
        assert found == repeated[(repeated.size - 1) // 2]


def test_resampled_medians_spread_as_medians_of_new_models_do() -> None:
    """Bootstrap over models against many samples of models from the same law."""
    rng = np.random.default_rng(2)

    def sample() -> tuple[np.ndarray, np.ndarray]:
        level = rng.lognormal(0.0, 0.6, size=60)
        model = np.repeat(np.arange(60), 20)
        return np.abs(rng.normal(size=1200)) * level[model], model

    true_sd = np.std([np.median(sample()[0]) for _ in range(400)])
    found = []
    for _ in range(20):
        error, model = sample()
        weights = rng.multinomial(60, np.full(60, 1 / 60), size=300).astype(float)
        own = _Errors(error, model, np.zeros(1200, dtype=np.int64)).resampled(weights)
        found.append(own.std())
    # the bootstrap's own spread over samples: about a tenth of the value
    assert np.mean(found) == pytest.approx(true_sd, rel=0.15)


def test_the_mean_over_sets_knows_that_the_sets_were_drawn() -> None:
    rng = np.random.default_rng(3)
    level = rng.normal(5.0, 1.0, size=8)
    resampled = np.tile(level, (2000, 1))
    spread = _mean_over_sets(resampled, seed=1).std()
    # resampling 8 known numbers: sd of their mean is sd / sqrt(8); 2,000 resamples: 2 %
    assert spread == pytest.approx(level.std() / np.sqrt(8), rel=0.06)


def test_policies_are_set_against_random_and_naive_ones(dated_matrix: ScoreMatrix) -> None:
    ids = dated_matrix.benchmark_ids
    policies = [
        Policy("good", (ids[:3],)),
        Policy("max-variance", (ids[:3],)),
        Policy("random", (ids[1:4], ids[4:7])),
    ]
    result = evaluate(dated_matrix, Probes(policies, ks=(0, 2)), Normal())["normal"]
    curves = result.to_json()["policies"]
    assert "against" not in curves["good"]["0"] and "against" not in curves["random"]["2"]
    against = curves["good"]["2"]["against"]
    assert against["max-variance"]["difference"] == 0.0
    assert against["max-variance"]["interval95"] == [0.0, 0.0]
    sets = curves["random"]["2"]["medae_replicates"]
    wanted = curves["good"]["2"]["medae"] - np.mean(sets)
    assert against["random"]["difference"] == pytest.approx(wanted)
    low, high = against["random"]["interval95"]
    assert low <= wanted <= high
    low, high = curves["random"]["2"]["medae_band95"]
    assert low < high
    assert low - 0.5 <= np.mean(sets) <= high + 0.5
    assert set(result.table.cells["policy"]) == {"good", "max-variance", "random"}
    assert (
        curves["random"]["2"]["n_cells"]
        == ((result.table.cells["policy"] == "random") & (result.table.cells["k"] == 2)).sum()
    )


def test_low_cost_probes_are_set_against_their_own_list_first(dated_matrix: ScoreMatrix) -> None:
    ids = dated_matrix.benchmark_ids
    cheap = ids[2:6]
    policies = [
        Policy("epig-low-cost", (cheap,)),
        Policy("max-variance-low-cost", (cheap[::-1],)),
        Policy("max-variance", (ids[:3],)),
    ]
    made = evaluate(dated_matrix, Probes(policies, low_cost=cheap, ks=(2,), sets=3), Normal())[
        "normal"
    ].to_json()["policies"]
    assert len(made["random-low-cost"]["2"]["medae_replicates"]) == 3
    against = made["epig-low-cost"]["2"]["against"]
    own = ["random-low-cost", "max-variance-low-cost"]
    assert list(against) == [*own, "random", "max-variance"]
    assert "against" not in made["random-low-cost"]["2"]


def test_a_resample_without_any_of_the_models_changes_nothing() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([[0.0, 0.0, 0.0], [5.0, 1.0, 1.0]])
    np.testing.assert_array_equal(_weighted_medians(values, weights), [2.0, 3.0])
