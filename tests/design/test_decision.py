from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from bayesbench.answers.predictive import LatentDraws
from bayesbench.design import decision
from bayesbench.design.decision import Estimate, decision_information, sample_scores
from bayesbench.errors import DataError, UnknownIdError, UsageError
from tests.design.design_helpers import failed_examples, gaussian_draws, ids


def draws_of(eta: np.ndarray, noise: float) -> LatentDraws:
    """Draws with eta as it is given, (S, B), and normal noise."""
    made = gaussian_draws(np.random.default_rng(0), np.eye(eta.shape[1]), np.ones(eta.shape[1]), 3)
    scale = np.full(eta.shape, np.sqrt(noise))
    return replace(made, eta=eta, noise_scale=scale, nu=np.full(len(eta), np.inf))


def exact_decision_information(gap: float, noise: float) -> float:
    """Two models, eta ~ N(gap, 1) and N(0, 1), the first one read with ``noise`` variance.

    P(best = first | y) = Phi(m / sqrt(v + 1)) with m, v the moments of eta_first given y.
    """
    prior = stats.norm.cdf(gap / np.sqrt(2))
    shrink = 1 / (1 + noise)

    def term(y: float) -> float:
        centre = gap + shrink * (y - gap)
        p = stats.norm.cdf(centre / np.sqrt(1 - shrink + 1))
        kl = p * np.log(p / prior) + (1 - p) * np.log((1 - p) / (1 - prior))
        return float(kl * stats.norm.pdf(y, gap, np.sqrt(1 + noise)))

    return float(integrate.quad(term, gap - 6, gap + 6)[0])


@pytest.mark.parametrize(("gap", "noise"), [(0.0, 0.25), (0.5, 0.25), (0.0, 4.0), (1.5, 1.0)])
def test_decision_information_is_the_quadrature(gap: float, noise: float) -> None:
    n = 3000
    # a lattice in place of random draws: what is left is the error of the outer sample
    first = gap + stats.norm.ppf((np.arange(n) + 0.5) / n)
    second = stats.norm.ppf((np.arange(n) * (np.sqrt(5) - 1) / 2 + 0.5) % 1)
    unrelated = np.random.default_rng(1).normal(size=n)
    probed = draws_of(np.stack([first, unrelated], axis=1), noise)
    found = decision_information(probed, first > second, ids(2), n_outer=n)
    exact = exact_decision_information(gap, noise)
    # 0.002: the finite number of draws, of order 1 / (2 * 3,000) times the share not smoothed
    assert abs(found[0].value - exact) < 3 * found[0].mcse + 0.002
    assert 0 <= found[1].value < 0.003
    assert (found[0].n_outer, found[0].n_inner) == (n, n)


def test_three_models_that_a_reading_tells_apart_are_worth_log_3() -> None:
    """Which model is best is a function of eta, and there is hardly any noise."""
    eta = np.repeat([-5.0, 0.0, 5.0], 200)[:, None]
    best = np.repeat([7, 2, 4], 200)
    found = decision_information(draws_of(eta, 0.01), best, ids(1), n_outer=600)
    # the draw that made the reading is left out of both sides: a relative change of 1 / 200
    assert found[0].value == pytest.approx(np.log(3), abs=0.005)


def test_a_draw_does_not_recognise_its_own_reading() -> None:
    """Of two draws only the other one is left to judge by: it knows of one best model, no doubt."""
    found = decision_information(draws_of(np.array([[0.0], [1.0]]), 1.0), [0, 1], ids(1))
    assert found == (Estimate(0.0, 0.0, 400, 2),)


def test_a_known_score_has_nothing_left_to_tell() -> None:
    eta = np.random.default_rng(0).normal(size=(50, 1))
    known = replace(draws_of(eta, 0.1), observed=np.array([50.0]))
    found = decision_information(known, eta[:, 0] > 0, ids(1))
    assert found == (Estimate(0.0, 0.0, 400, 50),)


def test_sampled_scores_follow_the_noise() -> None:
    rng = np.random.default_rng(0)
    draws = gaussian_draws(rng, 1e-12 * np.eye(1), np.array([4.0]), 3, nu=3.0)
    scores = sample_scores(draws, 0, np.zeros(20_000, dtype=int), rng)
    assert stats.kstest(scores, stats.t(3, scale=2.0).cdf).pvalue > 0.001


def test_an_estimate_is_the_mean_with_its_standard_error() -> None:
    assert Estimate.of(np.array([1.0, 3.0]), 9) == Estimate(2.0, pytest.approx(1.0), 2, 9)


def test_bad_calls_name_the_value() -> None:
    draws = draws_of(np.random.default_rng(0).normal(size=(20, 2)), 1.0)
    best = np.arange(20) % 2
    with pytest.raises(UnknownIdError, match="unknown candidate 'z'"):
        decision_information(draws, best, ["z"])
    with pytest.raises(UsageError, match="no candidate benchmark"):
        decision_information(draws, best, [])
    with pytest.raises(UsageError, match="n_outer must be at least 2, got 1"):
        decision_information(draws, best, ids(2), n_outer=1)
    with pytest.raises(DataError, match=r"best has shape \(19,\), expected one .* of 20 draws"):
        decision_information(draws, best[1:], ids(2))


def test_examples() -> None:
    assert failed_examples(decision) == 0
