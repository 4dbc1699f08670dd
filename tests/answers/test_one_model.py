from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bayesbench.answers.one_model import ModelState, ScoredModel, log_evidence, start, sweep

Floats = NDArray[np.float64]


def problem(
    seed: int,
    n_draws: int,
    n_scores: int,
    n_latents: int,
    *,
    nu: float = np.inf,
    ratio: float = 0.0,
    noise_shape: float | None = None,
    same: bool = False,
) -> ScoredModel:
    """Random parameters; with `same`, every draw has those of the first."""
    rng = np.random.default_rng(seed)
    root = 0.4 * rng.normal(size=(n_draws, n_latents, n_latents))
    made = ScoredModel(
        y=rng.normal(0, 1.5, (n_draws, n_scores)),
        loadings=rng.normal(0.6, 0.5, (n_draws, n_scores, n_latents)),
        mean=rng.normal(0, 0.5, (n_draws, n_latents)),
        cov=np.eye(n_latents) + root @ root.transpose(0, 2, 1),
        noise_var=rng.uniform(0.05, 0.5, (n_draws, n_scores)),
        effect_ratio=np.full(n_draws, ratio),
        nu=np.full(n_draws, nu),
        noise_shape=noise_shape,
    )
    return made.at_draws(np.zeros(n_draws, dtype=np.int64)) if same else made


def run(model: ScoredModel, sweeps: int, seed: int, keep: int = 6) -> list[ModelState]:
    rng = np.random.default_rng(seed)
    states = [start(model, rng)]
    for _ in range(sweeps):
        states.append(sweep(model, states[-1], rng))
    return states[-keep:]


def gaussian_posterior(model: ScoredModel, s: int) -> tuple[Floats, Floats]:
    """Mean and covariance of the latents of draw s by the textbook formula in score space."""
    w, cov = model.loadings[s], model.cov[s]
    total = w @ cov @ w.T + np.diag(model.noise_var[s] * (1 + model.effect_ratio[s]))
    gain = cov @ w.T @ np.linalg.inv(total)
    return model.mean[s] + gain @ (model.y[s] - w @ model.mean[s]), cov - gain @ w @ cov


@pytest.mark.parametrize("n_scores", [1, 3, 12])
@pytest.mark.parametrize("ratio", [0.0, 0.7])
def test_gaussian_conditional_is_the_closed_form(n_scores: int, ratio: float) -> None:
    model = problem(1, 7, n_scores, 4, ratio=ratio)
    state = run(model, 3, seed=0)[-1]
    for s in range(7):
        mean, cov = gaussian_posterior(model, s)
        np.testing.assert_allclose(state.center[s], mean, atol=1e-10)
        precision = state.root[s] @ state.root[s].T
        np.testing.assert_allclose(np.linalg.inv(precision), cov, atol=1e-10)


@pytest.mark.parametrize("ratio", [0.0, 0.7])
def test_gaussian_evidence_is_exact(ratio: float) -> None:
    model = problem(2, 5, 6, 3, ratio=ratio)
    found = log_evidence(model, run(model, 2, seed=0, keep=1), np.random.default_rng(9))
    for s in range(5):
        w = model.loadings[s]
        total = w @ model.cov[s] @ w.T + np.diag(model.noise_var[s] * (1 + ratio))
        expected = stats.multivariate_normal.logpdf(model.y[s], w @ model.mean[s], total)
        assert found[s] == pytest.approx(expected, abs=1e-9)


def test_latents_scatter_as_their_gaussian_says() -> None:
    n = 20_000
    model = problem(3, n, 3, 2, same=True)
    latents = run(model, 1, seed=1)[-1].latents
    mean, cov = gaussian_posterior(model, 0)
    np.testing.assert_allclose(latents.mean(0), mean, atol=4 * np.sqrt(cov.max() / n))
    np.testing.assert_allclose(np.cov(latents.T), cov, atol=4 * cov.max() * np.sqrt(2 / n))


def test_start_is_a_draw_from_the_prior() -> None:
    n = 20_000
    model = problem(4, n, 0, 2, noise_shape=6.0, same=True)
    state = start(model, np.random.default_rng(0))
    cov = model.cov[0]
    np.testing.assert_allclose(
        state.latents.mean(0), model.mean[0], atol=4 * np.sqrt(cov.max() / n)
    )
    np.testing.assert_allclose(np.cov(state.latents.T), cov, atol=4 * cov.max() * np.sqrt(2 / n))
    assert stats.kstest(state.variance, stats.invgamma(6.0, scale=6.0).cdf).pvalue > 1e-3


def brute_force(model: ScoredModel) -> tuple[Floats, Floats, float]:
    """Grid posterior of the single latent: points, their probabilities, log evidence.

    Sums over the latent and the log noise variance on fine grids; unknown group effects by a
    24-point Gauss-Hermite sum per score.
    """
    t = np.linspace(-8, 8, 801)
    log_v = np.linspace(-2.5, 4, 61) if model.noise_shape is not None else np.zeros(1)
    node, weight = np.polynomial.hermite_e.hermegauss(24)
    effect = node * np.sqrt(model.effect_ratio[0])
    joint = stats.norm.logpdf(t, model.mean[0, 0], np.sqrt(model.cov[0, 0, 0]))[:, None]
    joint = joint + np.zeros(log_v.size)
    if model.noise_shape is not None:
        prior = stats.invgamma.logpdf(np.exp(log_v), model.noise_shape, scale=model.noise_shape)
        joint = joint + prior + log_v + np.log(log_v[1] - log_v[0])
    for j in range(model.y.shape[1]):
        s = np.sqrt(model.noise_var[0, j])
        residual = (model.y[0, j] - model.loadings[0, j, 0] * t)[:, None, None] / s
        scale = np.exp(0.5 * log_v)[None, :, None]
        density = stats.t.pdf((residual - effect) / scale, model.nu[0]) / (scale * s)
        joint = joint + np.log(density @ (weight / weight.sum()))
    joint += np.log(t[1] - t[0])
    evidence = float(np.log(np.exp(joint).sum()))
    return t, np.exp(joint - evidence).sum(axis=1), evidence


CASES = [
    {"nu": 3.0},
    {"nu": 2.0, "noise_shape": 6.0},
    {"nu": 4.0, "ratio": 0.5, "noise_shape": 6.0},
    {"nu": 20.0, "ratio": 1.5},
]


@pytest.mark.parametrize("case", CASES)
def test_student_t_sweeps_against_a_grid(case: dict[str, float]) -> None:
    n = 4000
    model = problem(6, n, 4, 1, same=True, **case)
    found = run(model, 40, seed=2)[-1].latents[:, 0]
    t, probability, _ = brute_force(model)
    # the draws are independent chains: the KS distance has its textbook distribution
    cdf = np.cumsum(probability) - probability / 2
    distance = stats.kstest(found, lambda x: np.interp(x, t, cdf))
    assert distance.pvalue > 1e-3
    mean = float(t @ probability)
    sd = float(np.sqrt((t - mean) ** 2 @ probability))
    assert found.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(n))
    assert found.std() == pytest.approx(sd, rel=0.1)


@pytest.mark.parametrize("case", CASES)
def test_student_t_evidence_against_a_grid(case: dict[str, float]) -> None:
    n = 4000
    model = problem(6, n, 4, 1, same=True, **case)
    log_ratio = log_evidence(model, run(model, 10, seed=3), np.random.default_rng(9))
    _, _, expected = brute_force(model)
    ratio = np.exp(log_ratio - expected)
    error = ratio.std() / np.sqrt(n)
    # each draw is an unbiased estimate, up to the coarse sums over noise variance and effects
    assert ratio.mean() == pytest.approx(1, abs=4 * error + 0.02)
    assert ratio.std() < 0.5


def test_evidence_is_steady_in_many_dimensions() -> None:
    model = problem(7, 2000, 10, 9, nu=4.0, noise_shape=6.0, same=True)
    log_ratio = log_evidence(model, run(model, 8, seed=4), np.random.default_rng(9))
    assert np.std(log_ratio) < 1


def test_an_outlier_gets_a_small_mixing_weight() -> None:
    base = problem(8, 500, 6, 1, nu=3.0, same=True)
    y = (base.loadings @ base.mean[..., None])[..., 0]
    y[:, 2] += 15
    model = ScoredModel(**{**vars_of(base), "y": y})
    mixing = run(model, 20, seed=5)[-1].mixing.mean(axis=0)
    assert mixing.argmin() == 2
    assert mixing[2] < 0.1


def vars_of(model: ScoredModel) -> dict[str, object]:
    return {name: getattr(model, name) for name in ScoredModel.__dataclass_fields__}
