from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bayesbench.answers import one_model
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
    error: float = 0.0,
    beyond: tuple[int, ...] = (),
    hyperbolic: bool = False,
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
        error_var=np.full((n_draws, n_scores), error),
        beyond=beyond or (0,) * n_scores,
        hyperbolic=hyperbolic,
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


def hyperbolic_law(nu: float) -> tuple[Floats, Floats]:
    """Density on a fine grid, normalised by a sum."""
    x = np.linspace(-60, 60, 24_001)
    steep, bend = (nu + 1) / (2 * np.sqrt(nu)), np.sqrt(nu) / 2
    density = np.exp(-steep * np.sqrt(bend**2 + x**2))
    return x, density / (density.sum() * (x[1] - x[0]))


def noise_density(model: ScoredModel, j: int, residual: Floats, scale: Floats) -> Floats:
    """Density of a residual, or the probability of what lies beyond it, by sums over the blur.

    `residual` (T, 1), `scale` (V,): noise of the model times that of the benchmark.
    """
    s = np.sqrt(model.noise_var[0, j])
    blur = np.sqrt(model.effect_ratio[0] * s**2 + model.error_var[0, j])
    node, weight = np.linspace(-6, 6, 121), stats.norm.pdf(np.linspace(-6, 6, 121))
    if blur == 0:
        node, weight = np.zeros(1), np.ones(1)
    standard = (residual[..., None] - node * blur) / scale[:, None]
    side, nu = model.beyond[j], model.nu[0]
    if model.hyperbolic:
        x, law = hyperbolic_law(nu)
        tail = 1 - np.cumsum(law) * (x[1] - x[0])
        value = np.interp(standard, x, law) if side == 0 else np.interp(side * standard, x, tail)
    else:
        value = stats.t.pdf(standard, nu) if side == 0 else stats.t.sf(side * standard, nu)
    value = value / scale[:, None] if side == 0 else value
    return np.asarray(value @ (weight / weight.sum()))


def brute_force(model: ScoredModel) -> tuple[Floats, Floats, float]:
    """Grid posterior of the single latent: points, their probabilities, log evidence.

    Sums over the latent and the log noise variance on fine grids, and over what else there is
    beside the noise.
    """
    t = np.linspace(-8, 8, 801)
    log_v = np.linspace(-2.5, 4, 61) if model.noise_shape is not None else np.zeros(1)
    joint = stats.norm.logpdf(t, model.mean[0, 0], np.sqrt(model.cov[0, 0, 0]))[:, None]
    joint = joint + np.zeros(log_v.size)
    if model.noise_shape is not None:
        prior = stats.invgamma.logpdf(np.exp(log_v), model.noise_shape, scale=model.noise_shape)
        joint = joint + prior + log_v + np.log(log_v[1] - log_v[0])
    for j in range(model.y.shape[1]):
        residual = (model.y[0, j] - model.loadings[0, j, 0] * t)[:, None]
        scale = np.exp(0.5 * log_v) * np.sqrt(model.noise_var[0, j])
        joint = joint + np.log(np.maximum(noise_density(model, j, residual, scale), 1e-300))
    joint += np.log(t[1] - t[0])
    evidence = float(np.log(np.exp(joint).sum()))
    return t, np.exp(joint - evidence).sum(axis=1), evidence


CASES: list[dict[str, Any]] = [
    {"nu": 3.0},
    {"nu": 2.0, "noise_shape": 6.0},
    {"nu": 4.0, "ratio": 0.5, "noise_shape": 6.0},
    {"nu": 20.0, "ratio": 1.5},
    {"nu": 3.0, "error": 0.4},
    {"nu": 3.0, "beyond": (1, 0, 0, -1), "noise_shape": 6.0},
    {"nu": 4.0, "ratio": 0.5, "error": 0.2, "beyond": (-1, 1, 1, 0), "noise_shape": 6.0},
    {"nu": 4.0, "beyond": (1, 1, 1, 1)},
]
KEPT: list[dict[str, Any]] = [
    {"nu": 3.0},
    {"nu": 2.0, "error": 0.4},
    {"nu": 4.0, "ratio": 0.5, "error": 0.2, "beyond": (-1, 0, 1, 0)},
    {"nu": 20.0, "beyond": (1, 1, 1, 1)},
]


@pytest.mark.parametrize("case", [*CASES, *({**case, "hyperbolic": True} for case in KEPT)])
def test_sweeps_against_a_grid(case: dict[str, Any]) -> None:
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


@pytest.mark.parametrize("n_scores", [1, 2])
def test_few_sweeps_are_enough_however_far_the_scores(n_scores: int) -> None:
    """A score 20 noise scales out, one only known as a bound beside it: eight sweeps, no drift."""
    n = 4000
    beyond = (0, 1)[:n_scores]
    base = problem(9, n, n_scores, 1, nu=3.0, beyond=beyond, hyperbolic=True, same=True)
    model = replace(base, noise_var=np.full_like(base.y, 0.03), y=np.full_like(base.y, 5.0))
    t, probability, _ = brute_force(model)
    mean = float(t @ probability)
    sd = float(np.sqrt((t - mean) ** 2 @ probability))
    found = run(model, 8, seed=2)[-1].latents[:, 0]
    assert found.mean() == pytest.approx(mean, abs=0.15 * sd)
    assert found.std() == pytest.approx(sd, rel=0.15)


@pytest.mark.parametrize("case", CASES)
def test_evidence_against_a_grid(case: dict[str, Any]) -> None:
    n = 4000
    model = problem(6, n, 4, 1, same=True, **case)
    log_ratio = log_evidence(model, run(model, 10, seed=3), np.random.default_rng(9))
    _, _, expected = brute_force(model)
    ratio = np.exp(log_ratio - expected)
    error = ratio.std() / np.sqrt(n)
    # each draw is an unbiased estimate, up to the coarse sums over noise variance and effects
    assert ratio.mean() == pytest.approx(1, abs=4 * error + 0.02)
    assert ratio.std() < 0.5


def test_the_hyperbolic_law_has_the_curvature_and_the_largest_influence_of_student_t() -> None:
    for nu in (2.0, 3.0, 20.0):
        model = problem(1, 1, 1, 1, nu=nu, hyperbolic=True)
        steep, bend = float(model.steepness[0, 0]), float(model.bend[0, 0])
        assert steep / bend == pytest.approx((nu + 1) / nu)
        e = np.linspace(0, 30, 300_001)
        assert steep == pytest.approx(((nu + 1) * e / (nu + e**2)).max(), rel=1e-6)


def test_the_same_seed_moves_with_a_score_and_never_back() -> None:
    """Common random numbers: what is drawn does not depend on the values."""
    base = problem(10, 500, 3, 2, nu=3.0, hyperbolic=True)
    base = replace(base, loadings=np.abs(base.loadings))
    means = []
    for score in np.linspace(-9, 9, 37):
        y = base.y.copy()
        y[:, 1] = score
        state = run(replace(base, y=y), 10, seed=4)[-1]
        means.append((base.loadings @ state.latents[..., None])[:, 1, 0].mean())
    steps = np.diff(means)
    assert (steps > -0.01).all()
    assert means[-1] - means[0] > 0.5
    # far scores keep their influence and add none: the ends are level, in between it moves
    assert abs(steps[:3]).max() < 0.15 * steps.max() and abs(steps[-3:]).max() < 0.15 * steps.max()


def test_scores_are_held_within_their_prior_prediction() -> None:
    base = problem(11, 300, 2, 2, nu=3.0)
    y = base.y + np.array([0.0, 50.0])
    held = replace(base, y=y).plausible(2.5)
    center = (base.loadings @ base.mean[..., None])[..., 0]
    spread = np.einsum("snl,slm,snm->sn", base.loadings, base.cov, base.loadings)
    sd = np.sqrt((spread + base.noise_var).mean(axis=0) + (y - center).var(axis=0))
    np.testing.assert_allclose(held.y[:, 0], y[:, 0], atol=1e-12)
    # moved by the same for every draw, onto the edge of what is plausible
    np.testing.assert_allclose(np.ptp(y[:, 1] - held.y[:, 1]), 0, atol=1e-9)
    assert (held.y - center)[:, 1].mean() == pytest.approx(2.5 * sd[1])


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


@pytest.mark.parametrize("nu", [1.5, 3.0, 40.0])
def test_one_logarithm_gives_the_sum_of_exponentials(nu: float) -> None:
    model = problem(3, 20, 4, 3, nu=nu, error=0.2)
    residual = np.random.default_rng(1).normal(0, 6, (5, 20, 4))
    columns, sides = np.arange(4), np.zeros(4, dtype=np.int64)
    found = one_model._mixture_density(model, residual, 0.7, columns)
    expected = one_model._log_mixture_terms(model, residual, 0.7, columns, sides)
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_density_that_underflows_is_a_sum_of_logarithms() -> None:
    model = problem(3, 20, 4, 3, nu=400.0)
    residual = np.full((1, 20, 4), 300.0)
    found = one_model._log_mixture(model, residual, 1.0, np.arange(4))
    assert one_model._mixture_density(model, residual, 1.0, np.arange(4)) is None
    assert np.isfinite(found).all()
