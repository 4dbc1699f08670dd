from __future__ import annotations

import numpy as np
from scipy import stats

from bayesbench.answers.tails import draw_beyond, inverse_mills, log_tail


def test_tails_are_those_of_scipy() -> None:
    x = np.linspace(-9, 60, 2001)
    expected = stats.norm.logsf(x)
    np.testing.assert_allclose(log_tail(x), expected, atol=1.2e-7)
    np.testing.assert_allclose(inverse_mills(x), np.exp(stats.norm.logpdf(x) - expected), rtol=1e-6)


def test_draws_are_the_inverse_of_the_truncated_law() -> None:
    edge = np.linspace(-9, 37, 2001)
    uniform = np.random.default_rng(0).uniform(1e-6, 1, 2001)
    drawn = draw_beyond(edge, uniform)
    np.testing.assert_allclose(drawn, stats.truncnorm.isf(uniform, edge, np.inf), atol=1e-5)
    assert (drawn >= edge).all()


def test_draws_stay_finite_and_beyond_however_far() -> None:
    edge = np.array([-1e3, -40.0, 0.0, 40.0, 1e3])
    for uniform in (1e-16, 0.5, 1.0):
        drawn = draw_beyond(edge, uniform)
        assert np.isfinite(drawn).all()
        assert (drawn >= edge).all()
        assert (np.diff(drawn) >= 0).all()
