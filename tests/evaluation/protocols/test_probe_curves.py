"""Curves of probe policies: matched numbers by hand, pairs of models, bands, who against whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesbench.evaluation import CellPredictions, Policy, Probes, evaluate
from bayesbench.evaluation.protocols.probe_curves import _Bootstrap, _Errors
from bayesbench.evaluation.resampling import drawn
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal

TINY = np.array(
    [
        [10.0, 20.0, 30.0, np.nan, 90.0],
        [15.0, np.nan, 35.0, 41.0, np.nan],
        [np.nan, 26.0, 33.0, 48.0, 70.0],
        [12.0, 29.0, np.nan, np.nan, 80.0],
    ]
)
"""Scores of the models a to d on v to z."""


class Shift:
    """Column mean of the others, moved by the model's mean distance from it on what it shows."""

    name = "shift"

    def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
        row = int(cells[0, 0])
        others = np.nanmean(np.delete(train.values, row, axis=0), axis=0)
        shown = np.isfinite(train.values[row])
        shift = (train.values[row] - others)[shown].mean() if shown.any() else 0.0
        return CellPredictions((others + shift)[cells[:, 1]])


def tiny() -> ScoreMatrix:
    table = pd.DataFrame(TINY, index=list("abcd"), columns=list("vwxyz"))
    table.index.name, table.columns.name = "model_id", "benchmark_id"
    long = table.stack().rename("score").dropna().reset_index()
    return ScoreMatrix.from_frame(long, scale="percent")


def errors_by_hand(shown: dict[int, list[int]]) -> dict[int, list[float]]:
    """Absolute errors of every model's hidden cells, given what each shows."""
    out = {}
    for row, columns in shown.items():
        others = np.nanmean(np.delete(TINY, row, axis=0), axis=0)
        gap = TINY[row] - others
        shift = gap[columns].mean() if columns else 0.0
        hidden = [j for j in range(5) if np.isfinite(TINY[row, j]) and j not in columns]
        out[row] = [abs(gap[j] - shift) for j in hidden]
    return out


def pooled(errors: dict[int, list[float]], models: set[int]) -> float:
    return float(np.median([e for row in models for e in errors[row]]))


def test_numbers_of_revealed_scores_are_matched_by_hand() -> None:
    """A policy that asks for y and x first: two probes show 1, 2, 2 and 0 scores of a to d."""
    policy = Policy("mine", (("y", "x", "v", "w", "z"),))
    figures = evaluate(tiny(), Probes([policy], ks=(0, 1, 2), sets=0), Shift())["shift"].figures
    # probes: what each model has of y and x
    as_probes = {0: [2], 1: [3, 2], 2: [3, 2], 3: []}
    # scores: the first two that each model has, and those that most models have first
    # v, w, x, z have 3 scores each, y has 2: ties in column order
    as_scores = {0: [2, 0], 1: [3, 2], 2: [3, 2], 3: [0, 1]}
    popular = {0: [0, 1], 1: [0, 2], 2: [1, 2], 3: [0, 1]}
    popular_as_many = {0: [0], 1: [0, 2], 2: [1, 2], 3: []}
    everyone = {0, 1, 2, 3}
    at = figures["policies"]["mine"]["2"]
    assert at["revealed"] == pytest.approx(5 / 4)
    mine = pooled(errors_by_hand(as_probes), everyone)
    assert at["medae"] == pytest.approx(mine)
    found = at["against_matched"]["popularity"]
    other = pooled(errors_by_hand(popular_as_many), everyone)
    assert found["difference"] == pytest.approx(mine - other)
    assert found["n_models"] == 4
    unmatched = at["against"]["popularity"]["difference"]
    two = {0: [0, 1], 1: [0], 2: [1], 3: [0, 1]}
    assert unmatched == pytest.approx(mine - pooled(errors_by_hand(two), everyone))
    assert unmatched != pytest.approx(found["difference"])
    matched = figures["matched"]["mine"]["2"]
    mine = pooled(errors_by_hand(as_scores), everyone)
    assert matched["medae"] == pytest.approx(mine)
    wanted = mine - pooled(errors_by_hand(popular), everyone)
    assert matched["against"]["popularity"]["difference"] == pytest.approx(wanted)


def test_models_that_cannot_show_so_many_are_left_out_on_both_sides() -> None:
    """b lacks w, c lacks v: of the probes v and w only a and d show two."""
    policy = Policy("short", (("v", "w"),))
    figures = evaluate(tiny(), Probes([policy], ks=(2,), sets=0), Shift())["shift"].figures
    at = figures["matched"]["short"]["2"]
    assert at["n_models"] == 2 and at["against"]["popularity"]["n_models"] == 2
    mine = pooled(errors_by_hand({0: [0, 1], 3: [0, 1]}), {0, 3})
    assert at["medae"] == pytest.approx(mine)
    # popularity shows the same scores of these two
    assert at["against"]["popularity"]["difference"] == 0.0
    whole = pooled(errors_by_hand({0: [0, 1], 1: [0, 2], 2: [1, 2], 3: [0, 1]}), {0, 1, 2, 3})
    assert figures["matched"]["popularity"]["2"]["medae"] == pytest.approx(whole)


def test_revealed_numbers_are_exactly_equal(dated_matrix: ScoreMatrix) -> None:
    ids = dated_matrix.benchmark_ids
    policies = [Policy("good", (ids[:3],)), Policy("whole", (ids[::-1],))]
    protocol = Probes(policies, low_cost=ids[2:7], ks=(1, 3), sets=2)
    result = evaluate(dated_matrix, protocol, Normal())["normal"]
    cells = result.table.cells
    scores = dict(zip(dated_matrix.model_ids, dated_matrix.observed.sum(axis=1), strict=True))
    matched = cells[cells["table"] == "matched"]
    keys = ["policy", "k", "replicate", "model_id"]
    for (_, k, _, model_id), hidden in matched.groupby(keys).size().items():  # type: ignore[misc]
        assert hidden == scores[model_id] - k
    assert {"good", "whole", "popularity", "popularity-low-cost", "random"} <= set(
        matched["policy"]
    )


def level_errors(seed: int, shift: float, n_models: int = 40) -> _Errors:
    """Models differ much more than two policies do."""
    rng = np.random.default_rng(seed)
    level = np.random.default_rng(0).lognormal(0.0, 1.0, n_models)
    model = np.repeat(np.arange(n_models), 12)
    error = np.abs(rng.normal(size=model.size)) * 0.01 + level[model] + shift
    return _Errors(error, model, np.zeros(model.size, dtype=np.int64))


def test_differences_are_paired_by_model() -> None:
    """The interval of a constant difference is narrow, however much the models differ."""
    one, other = level_errors(1, 0.0), level_errors(2, 0.3)
    weights = drawn(40, 400, 3)
    found = _Bootstrap(weights, 3).difference(one, other)
    low, high = found["interval95"]
    assert low <= found["difference"] <= high
    assert found["difference"] == pytest.approx(-0.3, abs=0.02)
    # drawn apart, the two medians would not move together
    apart = one.resampled(weights, 3) - other.resampled(drawn(40, 400, 4), 3)
    unpaired = np.ptp(np.quantile(apart, (0.025, 0.975)))
    assert high - low < 0.1 * unpaired


def test_resampled_medians_spread_as_medians_of_new_models_do() -> None:
    """Bootstrap over models against many samples of models from the same law."""
    rng = np.random.default_rng(2)

    def sample() -> tuple[np.ndarray, np.ndarray]:
        level = rng.lognormal(0.0, 0.6, size=60)
        model = np.repeat(np.arange(60), 20)
        return np.abs(rng.normal(size=1200)) * level[model], model

    true_sd = np.std([np.median(sample()[0]) for _ in range(400)])
    found = []
    for seed in range(20):
        error, model = sample()
        own = _Errors(error, model, np.zeros(1200, dtype=np.int64))
        found.append(own.resampled(drawn(60, 300, seed), 0).std())
    # the bootstrap's own spread over samples: about a tenth of the value
    assert np.mean(found) == pytest.approx(true_sd, rel=0.15)


def test_the_mean_over_sets_knows_that_the_sets_were_drawn() -> None:
    level = np.random.default_rng(3).normal(5.0, 1.0, size=8)
    errors = _Errors(level, np.zeros(8, dtype=np.int64), np.arange(8))
    spread = errors.resampled(np.ones((2000, 1), dtype=np.int64), 1).std()
    # resampling 8 known numbers: sd of their mean is sd / sqrt(8); 2,000 resamples: 2 %
    assert spread == pytest.approx(level.std() / np.sqrt(8), rel=0.06)


def test_a_resample_without_any_of_the_models_says_nothing() -> None:
    errors = _Errors(np.array([3.0, 1.0]), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64))
    assert _Bootstrap(np.array([[0, 2], [1, 1]]), 0).interval(errors) == [2.0, 2.0]


def test_policies_are_set_against_naive_ones(dated_matrix: ScoreMatrix) -> None:
    ids = dated_matrix.benchmark_ids
    policies = [
        Policy("good", (ids[:3],)),
        Policy("max-variance", (ids[:3],)),
        Policy("random", (ids[1:4], ids[4:7])),
    ]
    result = evaluate(dated_matrix, Probes(policies, ks=(0, 2)), Normal())["normal"]
    figures = result.to_json()
    curves: dict[str, Any] = figures["policies"]
    for table in ("policies", "matched"):
        assert "against" not in figures[table]["good"]["0"]
        assert "against" not in figures[table]["random"]["2"]
        against = figures[table]["good"]["2"]["against"]
        assert list(against) == ["random", "popularity", "max-variance"]
        assert against["max-variance"]["difference"] == 0.0
        assert against["max-variance"]["interval95"] == [0.0, 0.0]
    against = curves["good"]["2"]["against"]
    sets = curves["random"]["2"]["medae_replicates"]
    wanted = curves["good"]["2"]["medae"] - np.mean(sets)
    assert against["random"]["difference"] == pytest.approx(wanted)
    low, high = against["random"]["interval95"]
    assert low <= wanted <= high
    low, high = curves["random"]["2"]["medae_band95"]
    assert low < high
    assert low - 0.5 <= np.mean(sets) <= high + 0.5
    cells = result.table.cells
    assert set(cells["policy"]) == {"good", "max-variance", "random", "popularity"}
    chosen = (cells["table"] == "policies") & (cells["policy"] == "random") & (cells["k"] == 2)
    assert curves["random"]["2"]["n_cells"] == chosen.sum()


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
    own = ["random-low-cost", "popularity-low-cost", "max-variance-low-cost"]
    assert list(against) == [*own, "random", "popularity", "max-variance"]
    assert list(made["random-low-cost"]["2"]["against"]) == ["random"]


def test_sets_that_parts_of_the_models_share_are_listed(dated_matrix: ScoreMatrix) -> None:
    ids = dated_matrix.model_ids
    order = {name: ("b1", "b2") if row < 10 else ("b3", "b2") for row, name in enumerate(ids)}
    made = evaluate(dated_matrix, Probes([Policy("parts", (order,))], ks=(0, 1), sets=0), Normal())
    at = made["normal"].figures["policies"]["parts"]
    assert at["1"]["probe_sets"] == [
        {"probes": ["b1"], "n_models": 10},
        {"probes": ["b3"], "n_models": 8},
    ]
    assert "probe_sets" not in at["0"]
