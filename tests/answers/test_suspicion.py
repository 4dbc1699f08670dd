"""Explanations of an odd reading compete as Bayes' rule says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.suspicion import (
    PRIOR_GROSS,
    PRIOR_SCALE,
    alternatives,
    explanation_log_densities,
    suspicion,
)
from bayesbench.low_rank.link import Transform


def one_of_each() -> Transform:
    """A percentage, a share, a percentage from 25 up, and a rating without bounds."""
    nan = np.nan
    column = np.array([0.2, 0.4, 0.6, 0.8])
    return Transform.from_scores(
        ("percent", "share", "part", "rating"),
        np.stack([100 * column, column, 25 + 75 * column, 1000 * column], axis=1),
        lower=[0.0, 0.0, 25.0, nan],
        upper=[100.0, 1.0, 100.0, nan],
        higher_is_better=[True] * 4,
        n_items=[nan] * 4,
    )


LINK = one_of_each()


def draws_about(score: float, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws that are sure of one score, up to a noise of a tenth."""
    z = float(LINK.to_latent(score, column))
    return np.full(10, z), np.full(10, 0.1), np.full(10, 5.0)


def test_densities_are_those_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    eta, scale, nu = rng.normal(size=50), rng.uniform(0.1, 0.4, 50), rng.choice([3.0, 10.0], 50)
    got = explanation_log_densities(eta, scale, nu, LINK, 0, 30.0)
    for name, score in (("as stated", 30.0), ("other direction", 70.0)):
        z = float(LINK.to_latent(score, 0))
        density = stats.t(nu, eta, scale).pdf(z).mean()
        prior = PRIOR_SCALE if name != "as stated" else 1 - PRIOR_GROSS - PRIOR_SCALE
        assert got[name] == pytest.approx(np.log(prior * density))
    ends = LINK.to_latent([0.0, 100.0], [0, 0])
    assert got["gross error"] == pytest.approx(np.log(PRIOR_GROSS / (ends[1] - ends[0])))
    assert set(got) == {"as stated", "other direction", "gross error"}


def test_a_reading_without_bounds_is_as_stated_or_a_gross_error() -> None:
    got = explanation_log_densities(*draws_about(500.0, 3), LINK, 3, 500.0)
    assert set(got) == {"as stated", "gross error"}
    assert got["gross error"] == pytest.approx(np.log(PRIOR_GROSS / 12))


@pytest.mark.parametrize(
    ("column", "score", "expected"),
    [
        (0, 0.8, {"other direction": 99.2, "a share, not a percentage": 80.0}),
        (0, 80.0, {"other direction": 20.0}),
        (1, 0.8, {"other direction": 0.2, "a percentage, not a share": 0.008}),
        (1, 0.005, {"other direction": 0.995}),
        (2, 40.0, {"other direction": 85.0}),
        (3, 0.8, {}),
    ],
)
def test_alternatives_are_those_the_scale_leaves_open(
    column: int, score: float, expected: dict[str, float]
) -> None:
    found = alternatives(LINK, column, score)
    assert found.pop("as stated") == score
    assert found == pytest.approx(expected)


def test_suspicion_is_bayes_rule() -> None:
    evidence = {
        "as stated": np.log(0.2),
        "other direction": np.log(0.5),
        "gross error": np.log(0.3),
    }
    probability, explanation = suspicion(evidence)
    assert probability == pytest.approx(0.8)
    assert explanation == "other direction"


@pytest.mark.parametrize("shift", [-5000.0, 5000.0])
def test_suspicion_does_not_overflow(shift: float) -> None:
    probability, explanation = suspicion({"as stated": shift, "gross error": shift - np.log(3)})
    assert probability == pytest.approx(0.25)
    assert explanation == "as stated"


@pytest.mark.parametrize(
    ("truth", "column", "stated", "explanation"),
    [
        (80.0, 0, 0.8, "a share, not a percentage"),
        (80.0, 0, 20.0, "other direction"),
        (80.0, 0, 3.0, "gross error"),
        (500.0, 3, 5000.0, "gross error"),
    ],
)
def test_a_misfiled_reading_is_named(
    truth: float, column: int, stated: float, explanation: str
) -> None:
    evidence = explanation_log_densities(*draws_about(truth, column), LINK, column, stated)
    probability, named = suspicion(evidence)
    assert named == explanation
    assert probability > 0.99


@pytest.mark.parametrize(("column", "truth"), [(0, 80.0), (1, 0.3), (2, 60.0), (3, 500.0)])
def test_a_reading_that_fits_is_as_stated(column: int, truth: float) -> None:
    evidence = explanation_log_densities(*draws_about(truth, column), LINK, column, truth)
    probability, named = suspicion(evidence)
    assert named == "as stated"
    assert probability < 0.01
