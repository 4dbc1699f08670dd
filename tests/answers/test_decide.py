from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bayesbench.answers.decide import decide
from bayesbench.answers.predictive import PREDICTIVE_LEVELS as LEVELS
from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.errors import UsageError
from tests.factories import make_posterior

NORMAL = 60 + 8 * stats.norm.ppf(LEVELS)


def normal_excess(sd: float, tolerance: float) -> float:
    """E[(|N(0, sd)| - t)+] = 2 (sd phi(t / sd) - t (1 - Phi(t / sd)))."""
    z = tolerance / sd
    return float(2 * (sd * stats.norm.pdf(z) - tolerance * stats.norm.sf(z)))


@pytest.mark.parametrize("tolerance", [0.0, 3.0, 8.0, 15.0])
def test_a_normal_prediction_has_the_closed_form(tolerance: float) -> None:
    found = decide(
        "b", LEVELS, NORMAL, tolerance=tolerance, cost=1.0, loss_per_point=2.0, price_wrong=10.0
    )
    within = 1 - 2 * stats.norm.sf(tolerance / 8)
    assert found.p_within == pytest.approx(within, abs=0.002)
    assert found.excess == pytest.approx(normal_excess(8, tolerance), abs=0.02)
    expected = 2 * found.excess + 10 * (1 - found.p_within)
    assert found.expected_loss == pytest.approx(expected)
    assert found.break_even == pytest.approx(1.0 / (1 - found.p_within))
    assert found.median == pytest.approx(60)
    assert found.lower == pytest.approx(60 - 8 * stats.norm.ppf(0.95), abs=0.02)
    assert found.upper == pytest.approx(60 + 8 * stats.norm.ppf(0.95), abs=0.02)


def test_a_uniform_prediction_has_the_closed_form() -> None:
    """U(10, 30), tolerance 4: within 0.4, excess 2 * 6^2 / (2 * 20) = 1.8."""
    found = decide("b", [0, 0.5, 1], [10, 20, 30], tolerance=4, cost=3, loss_per_point=1, prob=0.5)
    assert found.p_within == pytest.approx(0.4)
    assert found.excess == pytest.approx(1.8, abs=1e-6)
    assert (found.lower, found.upper) == pytest.approx((15, 25))
    assert found.break_even == pytest.approx(5.0)


def test_the_cheaper_side_is_recommended_in_words() -> None:
    """Expected excess beyond 5 points is 2.6: dearer than 2, cheaper than 4."""
    run = decide("hle", LEVELS, NORMAL, tolerance=5, cost=2, loss_per_point=1)
    predict = decide("hle", LEVELS, NORMAL, tolerance=5, cost=4, loss_per_point=1)
    assert (run.recommendation, predict.recommendation) == ("run", "predict")
    start = "hle: the prediction 60.0 (90 % interval 46.8 to 73.2) is within 5 points with"
    assert run.sentence == (
        f"{start} probability 0.47. Run it: its expected loss 2.59 is above the 2 that running "
        "costs."
    )
    assert predict.sentence == (
        f"{start} probability 0.47. Predict: its expected loss 2.59 is not above the 4 that "
        "running costs."
    )
    assert str(run) == run.sentence
    # equal losses: predicting is less work
    even = decide("b", LEVELS, NORMAL, tolerance=0, cost=10, price_wrong=10)
    assert (even.expected_loss, even.recommendation) == (10.0, "predict")


def test_without_a_price_it_depends_on_the_break_even() -> None:
    found = decide("hle", [0, 0.5, 1], [10, 20, 30], tolerance=5, cost=50)
    assert (found.recommendation, found.expected_loss, found.break_even) == ("depends", 0.0, 100.0)
    assert found.sentence.endswith(
        "Run it if a prediction farther off than that costs you more than 100; else predict."
    )
    for price, expected in ((99.0, "predict"), (101.0, "run")):
        priced = decide("hle", [0, 0.5, 1], [10, 20, 30], tolerance=5, cost=50, price_wrong=price)
        assert priced.recommendation == expected


def test_a_prediction_that_is_never_off_has_no_price() -> None:
    found = decide("b", LEVELS, NORMAL, tolerance=100, cost=1)
    assert (found.p_within, found.break_even) == (1.0, float("inf"))
    assert "more than inf" in found.sentence


@given(st.floats(0, 30), st.floats(0, 30), st.floats(0, 5), st.floats(0, 50))
def test_a_wider_tolerance_never_costs_more(
    one: float, more: float, loss_per_point: float, price_wrong: float
) -> None:
    tight, loose = (
        decide(
            "b", LEVELS, NORMAL, tolerance=tolerance, cost=1,
            loss_per_point=loss_per_point, price_wrong=price_wrong,
        )
        for tolerance in (one, one + more)
    )  # fmt: skip
    assert loose.expected_loss <= tight.expected_loss + 1e-9
    assert loose.p_within >= tight.p_within - 1e-12
    assert loose.break_even >= tight.break_even - 1e-9


@pytest.mark.parametrize("field", ["tolerance", "cost", "loss_per_point", "price_wrong"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_bad_amounts_are_named(field: str, value: float) -> None:
    amounts = {"tolerance": 5.0, "cost": 1.0, "loss_per_point": 1.0, field: value}
    with pytest.raises(UsageError, match=f"^{field} must be 0 or more, got {value:g}$"):
        decide("b", LEVELS, NORMAL, **amounts)


@pytest.mark.parametrize("benchmark", ["bench_0", "bench_1", "bench_2"])
def test_a_decision_from_a_posterior_s_prediction(benchmark: str) -> None:
    """Percentage, lower-is-better and rating benchmarks alike."""
    posterior = make_posterior(seed=1)
    made = predictive(fitted_draws(posterior, "model_0"), posterior.transform)
    j = posterior.benchmark_ids.index(benchmark)
    found = decide(
        benchmark, made.levels, made.score_quantiles[j], tolerance=5, cost=1, loss_per_point=1
    )
    lower, upper = made.interval(0.9)
    assert found.median == pytest.approx(made.median[j], rel=1e-3)
    assert found.lower == pytest.approx(lower[j], rel=1e-3)
    assert found.upper == pytest.approx(upper[j], rel=1e-3)
    assert found.p_within == pytest.approx(made.p_within(5)[j])
    draws = made.table((np.arange(20_000) + 0.5) / 20_000)[j]
    excess = np.maximum(np.abs(draws - made.median[j]) - 5, 0).mean()
    assert found.excess == pytest.approx(excess, rel=0.02)
