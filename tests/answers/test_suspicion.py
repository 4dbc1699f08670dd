"""Explanations of an odd reading compete as Bayes' rule says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.suspicion import (
    AS_STATED,
    DIRECTION,
    GROSS,
    SHARE,
    PriorShares,
    alternatives,
    explanation_log_densities,
    learned_shares,
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


def slope(score: float, column: int) -> float:
    """Latent units per point, by differences."""
    step = 1e-5
    ends = LINK.to_latent([score - step, score + step], [column, column])
    return float(ends[1] - ends[0]) / (2 * step)


def test_densities_are_those_of_the_mixture_per_reported_point() -> None:
    rng = np.random.default_rng(0)
    eta, scale, nu = rng.normal(size=50), rng.uniform(0.1, 0.4, 50), rng.choice([3.0, 10.0], 50)
    got = explanation_log_densities(eta, scale, nu, LINK, 0, 0.7)
    stated = {AS_STATED: (0.7, 1.0), DIRECTION: (99.3, 1.0), SHARE: (70.0, 100.0)}
    for name, (score, stretch) in stated.items():
        density = stats.t(nu, eta, scale).pdf(float(LINK.to_latent(score, 0))).mean()
        assert got[name] == pytest.approx(np.log(density * slope(score, 0) * stretch), rel=1e-5)
    assert got[GROSS] == pytest.approx(-np.log(100))
    assert set(got) == {*stated, GROSS}


def test_explanations_have_mass_one_over_what_may_be_reported() -> None:
    """Between the ends the density integrates to the probability there; an end holds the rest."""
    eta, scale, nu = np.array([1.5, 3.5]), np.array([0.6, 0.9]), np.array([4.0, 4.0])
    clip = float(LINK.clip[0]) * 100
    low, high = LINK.to_latent([clip * 1.0001, 100 - clip * 1.0001], [0, 0])
    points = LINK.to_score(np.linspace(low, high, 801), 0)
    density = np.array(
        [np.exp(explanation_log_densities(eta, scale, nu, LINK, 0, x)[AS_STATED]) for x in points]
    )
    inside = np.trapezoid(density, points)
    ends = [explanation_log_densities(eta, scale, nu, LINK, 0, x)[AS_STATED] for x in (0.0, 100.0)]
    assert inside + clip * np.exp(ends).sum() == pytest.approx(1.0, abs=2e-3)
    assert clip * np.exp(ends[1]) > 0.02


def test_at_an_end_the_probability_beyond_it_counts() -> None:
    z = float(LINK.to_latent(100.0, 0))
    eta, scale, nu = np.array([z + 4.0, z - 1.0]), np.array([0.3, 0.8]), np.array([5.0, np.inf])
    got = explanation_log_densities(eta, scale, nu, LINK, 0, 100.0)
    clip = float(LINK.clip[0]) * 100
    beyond = np.mean([stats.t(5).sf(-4 / 0.3), stats.norm.sf(1 / 0.8)])
    assert got[AS_STATED] == pytest.approx(np.log(beyond / clip), rel=1e-4)
    far_above = explanation_log_densities(np.full(9, z + 30), np.full(9, 0.3), nu[[0] * 9], LINK, 0,
                                          100.0)  # fmt: skip
    assert suspicion(far_above)[0] < 1e-4  # the density at the end would call it a gross error
    far_below = explanation_log_densities(np.full(9, z - 9), np.full(9, 0.3), nu[[1] * 9], LINK, 0,
                                          100.0)  # fmt: skip
    assert suspicion(far_below)[0] > 0.99


def test_a_share_of_one_is_at_the_end_and_spread_over_the_shares_that_say_so() -> None:
    """Reported 0.998 to 1 all mean 100: their probability over 0.002 points as reported."""
    z = float(LINK.to_latent(100.0, 0))
    eta, scale, nu = np.full(3, z - 0.5), np.full(3, 0.7), np.full(3, np.inf)
    got = explanation_log_densities(eta, scale, nu, LINK, 0, 1.0)
    assert got[SHARE] == pytest.approx(np.log(stats.norm.sf(0.5 / 0.7) / 0.002), rel=1e-4)
    assert suspicion(got) == (pytest.approx(1.0, abs=1e-3), SHARE)


def test_a_reading_without_bounds_is_as_stated_or_a_gross_error() -> None:
    got = explanation_log_densities(*draws_about(500.0, 3), LINK, 3, 500.0)
    assert set(got) == {AS_STATED, GROSS}
    assert got[GROSS] == pytest.approx(np.log(slope(500.0, 3) / 12))


def test_prior_shares_add_up() -> None:
    prior = PriorShares(gross=0.1, other=0.02).of([AS_STATED, DIRECTION, SHARE, GROSS])
    np.testing.assert_allclose(prior, [0.86, 0.02, 0.02, 0.1])


def test_shares_are_learned_from_the_table() -> None:
    """4,000 readings with known laws, 5 % gross errors and 1 % turned round; then none at all."""
    rng = np.random.default_rng(3)
    kind = rng.choice(3, 4000, p=[0.94, 0.05, 0.01])

    def evidence(kinds: np.ndarray) -> list[dict[str, float]]:
        truth = np.where(rng.random(kinds.size) < 0.5, 20.0, 80.0) + rng.normal(size=kinds.size)
        good = truth + 3 * rng.normal(size=kinds.size)
        score = np.select([kinds == 1, kinds == 2], [rng.uniform(0, 100, kinds.size), 100 - good],
                          good)  # fmt: skip
        log_density = stats.norm(truth, 3).logpdf
        turned = stats.norm(truth, 3).logpdf(100 - score)
        columns = zip(log_density(score), turned, strict=True)
        return [{AS_STATED: a, DIRECTION: b, GROSS: -np.log(100)} for a, b in columns]

    table = evidence(kind)
    learned = learned_shares(table)
    assert learned.gross == pytest.approx(0.05, abs=4 * np.sqrt(0.05 / 4000) + 0.003)
    assert learned.other == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / 4000) + 0.001)
    wrong = np.array([suspicion(one, learned)[0] for one in table])
    assert wrong.sum() == pytest.approx((kind > 0).sum(), abs=4 * np.sqrt((kind > 0).sum()))
    clean = learned_shares(evidence(np.zeros(4000, dtype=np.int64)))
    assert clean.gross < 0.001 and clean.other < 0.0005


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
    evidence = {AS_STATED: np.log(0.3), DIRECTION: np.log(20.0), GROSS: np.log(2.0)}
    probability, explanation = suspicion(evidence, PriorShares(gross=0.1, other=0.02))
    weights = np.array([0.88 * 0.3, 0.02 * 20, 0.1 * 2])
    assert probability == pytest.approx(1 - weights[0] / weights.sum())
    assert explanation == DIRECTION


@pytest.mark.parametrize("shift", [-5000.0, 5000.0])
def test_suspicion_does_not_overflow(shift: float) -> None:
    shares = PriorShares(gross=0.25)
    probability, explanation = suspicion({AS_STATED: shift, GROSS: shift}, shares)
    assert probability == pytest.approx(0.25)
    assert explanation == AS_STATED


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
