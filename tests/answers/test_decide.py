from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.decide import decide, decide_from_quantiles
from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.errors import UnknownIdError, UsageError
from tests.factories import make_posterior

LEVELS = np.concatenate([[0.001, 0.0025, 0.005], np.arange(1, 100) / 100, [0.995, 0.9975, 0.999]])
NORMAL = 60 + 8 * stats.norm.ppf(LEVELS)


def normal_excess(sd: float, tolerance: float) -> float:
    """E[(|N(0, sd)| - t)+] = 2 (sd phi(t / sd) - t (1 - Phi(t / sd)))."""
    z = tolerance / sd
    return float(2 * (sd * stats.norm.pdf(z) - tolerance * stats.norm.sf(z)))


@pytest.mark.parametrize("tolerance", [0.0, 3.0, 8.0, 15.0])
def test_a_normal_prediction_has_the_closed_form(tolerance: float) -> None:
    found = decide_from_quantiles(
        "b", LEVELS, NORMAL, tolerance=tolerance, cost=1.0, loss_per_point=2.0, price_wrong=10.0
    )
    within = 1 - 2 * stats.norm.sf(tolerance / 8)
    assert found.p_within == pytest.approx(within, abs=0.002)
    assert found.excess == pytest.approx(normal_excess(8, tolerance), abs=0.02)
    expected = 2 * found.excess + 10 * (1 - found.p_within)
    assert found.expected_loss == pytest.approx(expected)
    assert found.median == pytest.approx(60)
    assert found.lower == pytest.approx(60 - 8 * stats.norm.ppf(0.95), abs=0.02)
    assert found.upper == pytest.approx(60 + 8 * stats.norm.ppf(0.95), abs=0.02)


def test_the_cheaper_side_is_recommended_in_words() -> None:
    """Expected excess beyond 5 points is 2.8: dearer than 2, cheaper than 4."""
    run = decide_from_quantiles("hle", LEVELS, NORMAL, tolerance=5, cost=2, loss_per_point=1)
    predict = decide_from_quantiles("hle", LEVELS, NORMAL, tolerance=5, cost=4, loss_per_point=1)
    assert (run.recommendation, predict.recommendation) == ("run", "predict")
    assert run.sentence.startswith("Run hle: the prediction 60.0 (90% interval 46.8 to 73.2)")
    assert "within 5 points with probability 0.47" in run.sentence
    assert run.sentence.endswith("is above the 2 that running costs.")
    assert predict.sentence.startswith("Predict hle") and "is not above the 4" in predict.sentence


@pytest.mark.parametrize("field", ["tolerance", "cost", "loss_per_point", "price_wrong"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_bad_amounts_are_named(field: str, value: float) -> None:
    amounts = {"tolerance": 5.0, "cost": 1.0, "loss_per_point": 1.0, field: value}
    with pytest.raises(UsageError, match=f"{field} must be 0 or more, got {value:g}"):
        decide_from_quantiles("b", LEVELS, NORMAL, **amounts)


def test_a_wrong_prediction_must_cost_something() -> None:
    with pytest.raises(UsageError, match="loss_per_point or price_wrong"):
        decide_from_quantiles("b", LEVELS, NORMAL, tolerance=5, cost=1)


@pytest.mark.parametrize("benchmark", ["bench_0", "bench_1", "bench_2"])
def test_a_decision_from_a_posterior_s_prediction(benchmark: str) -> None:
    """Percentage, lower-is-better and rating benchmarks alike."""
    posterior = make_posterior(seed=1)
    prediction = predictive(fitted_draws(posterior, "model_0"), posterior.transform)
    found = decide(prediction, benchmark, tolerance=5, cost=1, loss_per_point=1)
    j = posterior.benchmark_ids.index(benchmark)
    lower, upper = prediction.interval(0.9)
    assert found.median == pytest.approx(prediction.median[j], rel=1e-3)
    assert found.lower == pytest.approx(lower[j], rel=1e-3)
    assert found.upper == pytest.approx(upper[j], rel=1e-3)
    # the two read the CDF off the same quantiles, differing only beyond the outermost
    assert found.p_within == pytest.approx(prediction.p_within(5)[j], abs=0.002)
    with pytest.raises(UnknownIdError, match="unknown benchmark 'bench_9'"):
        decide(prediction, "bench_9", tolerance=5, cost=1, loss_per_point=1)
