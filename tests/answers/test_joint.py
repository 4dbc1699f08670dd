"""Joint draws: margins that are the predictions, dependence that is the model's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.joint import LEAST_DRAWS, ScoreDraws
from bayesbench.answers.predictive import LatentDraws, fitted_draws, predictive
from bayesbench.errors import DataError, UsageError
from tests.answers.answer_helpers import IDS, latent_draws, three_scales, widened
from tests.factories import make_posterior

LINK = three_scales()
SIGN = np.array([1.0, -1.0, 1.0])


def score_draws(latent: LatentDraws, factor: float = 1.0, **options: object) -> np.ndarray:
    raw = predictive(latent, LINK)
    made = widened(raw, factor) if factor != 1.0 else raw
    return ScoreDraws.of(latent, raw, made, **options).values  # type: ignore[arg-type]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_margins_are_the_calibrated_quantiles(factor: float) -> None:
    latent = latent_draws(n=300)
    made = widened(predictive(latent, LINK), factor)
    values = score_draws(latent, factor)
    assert len(values) >= LEAST_DRAWS and len(values) % 300 == 0
    lower, upper = made.interval(0.9)
    for level in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        found = np.quantile(values, level, axis=0)
        # the draws stand at levels 1 / 4,200 apart: a thousandth of the interval, more at the ends
        np.testing.assert_array_less(np.abs(found - made.at(level)), 4e-3 * (upper - lower))


def test_a_wider_calibration_moves_the_spread_and_not_the_median() -> None:
    latent = latent_draws(noise=0.2)
    once, twice = score_draws(latent), score_draws(latent, 2.0)
    columns = np.arange(3)
    spread_once, spread_twice = (
        stats.iqr(LINK.to_latent(values, columns), axis=0) for values in (once, twice)
    )
    np.testing.assert_allclose(spread_twice, 2 * spread_once, rtol=5e-3)
    median_once, median_twice = (np.median(values, axis=0) for values in (once, twice))
    np.testing.assert_array_less(
        np.abs(median_twice - median_once), 2e-3 * stats.iqr(once, axis=0) + 1e-9
    )


def test_without_noise_the_ranks_are_those_of_the_linear_predictor() -> None:
    latent = latent_draws(noise=1e-9, n=LEAST_DRAWS)
    values = score_draws(latent, 2.0)
    for j in range(3):
        raised = np.diff(SIGN[j] * values[np.argsort(latent.eta[:, j]), j])
        # the outermost thousandths share a value
        assert (raised >= 0).all() and np.count_nonzero(raised) > 0.99 * LEAST_DRAWS


def test_recalibrating_keeps_the_dependence_between_benchmarks() -> None:
    latent = latent_draws(correlation=0.8, n=LEAST_DRAWS)
    before = stats.spearmanr(score_draws(latent)).statistic
    after = stats.spearmanr(score_draws(latent, 2.0)).statistic
    np.testing.assert_allclose(after, before, atol=1e-12)
    # sd 0.5 and noise 0.3: the correlation of readings is 0.8 * 0.25 / 0.34
    pearson = 0.8 * 0.25 / 0.34
    expected = 6 / np.pi * np.arcsin(pearson / 2) * np.outer(SIGN, SIGN)
    off = ~np.eye(3, dtype=bool)
    # 4,000 independent draws: standard error at most 0.016
    np.testing.assert_allclose(before[off], expected[off], atol=0.05)


@pytest.mark.parametrize("kind", ["score", "mu"])
def test_draws_of_resampled_models_stay_paired(kind: str) -> None:
    """A copy moved up a little is surely better: the doubt that both share cancels."""
    base = latent_draws("base", sd=1.0, noise=0.005, n=800)
    weights = np.random.default_rng(3).gamma(4.0, size=800)
    rows = np.sort(np.random.default_rng(4).choice(800, 800, p=weights / weights.sum()))
    copied = replace(base, model_id="copy", eta=base.eta[rows] + 0.05, rows=rows)
    kept = np.unique(rows).size / 800
    assert 0.5 < kept < 0.65

    def p_better(other: LatentDraws) -> float:
        first, second = (score_draws(one, kind=kind) for one in (other, base))
        return float(np.mean(first[:, 0] > second[:, 0]))

    # draws that the resampling lost are paired with others: a coin each, near enough
    assert p_better(copied) > kept + 0.4 * (1 - kept)
    assert p_better(replace(copied, rows=np.arange(800))) < 0.6
    # nothing lost, only the order: nothing is left to doubt
    turned = np.arange(800)[::-1].copy()
    same = replace(base, model_id="copy", eta=base.eta[turned] + 0.05, rows=turned)
    assert p_better(same) > 0.995


def test_a_cell_s_draws_do_not_depend_on_the_others() -> None:
    latent = latent_draws()
    made = predictive(latent, LINK)
    whole = ScoreDraws.of(latent, made, made)
    assert whole.benchmark_ids == IDS
    for at in ([2], [2, 0], [1, 2]):
        part = ScoreDraws.of(latent.take(at), made.take(at), made.take(at))
        np.testing.assert_array_equal(part.values, whole.values[:, at])


def test_noise_depends_on_seed_model_and_benchmark() -> None:
    latent = replace(latent_draws(), eta=np.zeros((500, 3)))
    values = score_draws(latent)
    others = score_draws(replace(latent, model_id="b")), score_draws(latent, seed=1)
    ranked = stats.spearmanr(np.concatenate([values, *others], axis=1)).statistic
    # nine columns of pure noise, none of which knows another: standard error 0.016
    np.testing.assert_array_less(np.abs(ranked - np.eye(9)), 0.07)
    np.testing.assert_array_equal(values, score_draws(latent))


DIGEST = """
from hashlib import sha256
from bayesbench.answers.joint import ScoreDraws
from bayesbench.answers.predictive import fitted_draws, predictive
from tests.factories import make_posterior
posterior = make_posterior(4)
latent = fitted_draws(posterior, "model_1")
made = predictive(latent, posterior.transform)
print(sha256(ScoreDraws.of(latent, made, made, seed=3).values.tobytes()).hexdigest())
"""


def test_draws_are_the_same_in_every_process(repository: Path) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(repository)},
            cwd=repository,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_known_scores_take_the_place_of_readings() -> None:
    latent = replace(latent_draws(), observed=np.array([70.0, np.nan, 51.0]))
    known = score_draws(latent, 2.0, kind="known")
    np.testing.assert_array_equal(known[:, 0], 70.0)
    np.testing.assert_array_equal(known[:, 2], 51.0)
    readings = score_draws(latent, 2.0)
    np.testing.assert_array_equal(known[:, 1], readings[:, 1])
    assert readings[:, 0].std() > 1


def test_levels_are_the_linear_predictor_without_noise() -> None:
    latent = latent_draws(n=LEAST_DRAWS)
    values = score_draws(latent, kind="mu")
    np.testing.assert_allclose(values, LINK.to_score(latent.eta), rtol=1e-9)
    more = score_draws(latent_draws(n=1500), kind="mu")
    np.testing.assert_allclose(more, LINK.to_score(np.repeat(latent_draws(n=1500).eta, 3, axis=0)))


def test_levels_are_stretched_as_readings_of_their_height_are() -> None:
    latent = latent_draws(n=LEAST_DRAWS)
    stretched = LINK.to_latent(score_draws(latent, 2.0, kind="mu"), np.arange(3))
    quantiles = predictive(latent, LINK).quantiles
    middle = quantiles[:, 52]
    expected = middle + 2 * (latent.eta - middle)
    inside = (latent.eta > quantiles[:, 0]) & (latent.eta < quantiles[:, -1])
    inside[:, :2] &= np.abs(LINK.to_score(expected)[:, :2] - 50) < 49  # beyond, `to_latent` clips
    assert inside.mean() > 0.95
    np.testing.assert_allclose(stretched[inside], expected[inside], atol=1e-6)
    for j in range(3):
        raised = np.diff(stretched[np.argsort(latent.eta[:, j]), j])
        assert (raised >= 0).all() and raised.max() > 0


def test_a_level_beyond_the_outer_quantiles_keeps_its_distance() -> None:
    latent = latent_draws(n=LEAST_DRAWS, noise=0.1)
    latent.eta[0] = 9.0
    values = score_draws(latent, 2.0, kind="mu")[0, 2]
    raw = predictive(latent, LINK)
    top, moved = raw.quantiles[2, -1], widened(raw, 2.0).quantiles[2, -1]
    assert LINK.to_latent(values, 2) == pytest.approx(moved + 9.0 - top)


def test_what_does_not_belong_together_is_refused() -> None:
    latent = latent_draws()
    made = predictive(latent, LINK)
    with pytest.raises(DataError, match="different benchmarks"):
        ScoreDraws.of(latent, made, made.take([0, 1]))
    with pytest.raises(DataError, match="different benchmarks"):
        ScoreDraws.of(latent.take([1, 0, 2]), made, made)
    with pytest.raises(UsageError, match="kind must be one of score, known, mu, got 'median'"):
        ScoreDraws.of(latent, made, made, kind="median")  # type: ignore[arg-type]


def test_students_t_noise_of_a_posterior_is_the_predicted_one() -> None:
    """The rank correlation with noise-free levels is that of the law `predictive` integrates."""
    posterior = make_posterior(2, n_draws=LEAST_DRAWS)
    latent = fitted_draws(posterior, "model_0")
    made = predictive(latent, posterior.transform)
    values = ScoreDraws.of(latent, made, made).values
    rng = np.random.default_rng(9)
    reading = latent.eta + latent.noise_scale * rng.standard_t(latent.nu[:, None], latent.eta.shape)
    for j in range(5):
        expected = stats.spearmanr(latent.eta[:, j], reading[:, j]).statistic
        sign = posterior.transform.sign[j]
        found = stats.spearmanr(latent.eta[:, j], sign * values[:, j]).statistic
        # two samples of 4,000: standard error at most 0.023
        assert found == pytest.approx(expected, abs=0.07)
