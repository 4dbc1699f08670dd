"""NUTS: reproducible on any number of threads, and agrees with exact posteriors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.fitting import chains
from bayesbench.fitting.engines import nuts
from bayesbench.fitting.engines.contract import Draws, Problem
from bayesbench.fitting.engines.settings import NUTS
from bayesbench.fitting.problem import prepare
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.posterior.stored import StoredPosterior

PLAIN = ModelSpec(
    rank=0, student_t=False, model_noise=False, covariates=(), groups=(), families=False
)
QUICK = NUTS(chains=2, warmup=60, draws=30)


@pytest.fixture(scope="module")
def problem() -> Problem:
    made = simulate(0, 6, 5, PLAIN, fill=0.8)
    return prepare(made.matrix, PLAIN, made.transform)


@pytest.fixture(scope="module")
def run(problem: Problem) -> Draws:
    return QUICK.draw(problem, 1)


def test_statistics_are_one_number_per_draw(run: Draws) -> None:
    sampled = run.stats
    assert all(value.shape == (2, 30) for value in sampled.values())
    assert np.all(2.0 ** sampled["tree_depth"] > sampled["n_steps"])
    assert np.all((sampled["acceptance_rate"] >= 0) & (sampled["acceptance_rate"] <= 1))


def test_same_seed_same_draws_however_many_threads(
    run: Draws, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "usable_cores", lambda: 1)
    again = QUICK.draw(problem, 1)
    for name, value in run.values.items():
        np.testing.assert_array_equal(value, again.values[name])
    chains_differ = [not np.array_equal(value[0], value[1]) for value in run.values.values()]
    assert all(chains_differ)


def test_divergences_are_counted_over_all_chains() -> None:
    told: list[tuple[int, int, str]] = []

    def report(done: int, total: int, note: str = "") -> None:
        told.append((done, total, note))

    divergences: list[int] = []
    one, other = (nuts._Tally(report, 100, divergences) for _ in range(2))
    one.add(25)
    one.add(25, 2)
    other.add(25, 1)
    assert told == [(25, 100, ""), (50, 100, "2 divergent"), (25, 100, "3 divergent")]


def test_metric_is_the_variance_of_independent_normals() -> None:
    rng = np.random.default_rng(0)
    scale = np.array([0.1, 1.0, 5.0])
    draws = scale * rng.normal(size=(4000, 3))
    blank = [np.zeros(1)] * 6
    block = nuts.Drawn(draws, draws / scale**2, *blank)  # type: ignore[arg-type]
    # a sample variance of 4000 draws is off by 2.2 %: four times that
    np.testing.assert_allclose(nuts._metric([block]), scale**2, rtol=0.09)


def test_windows_cover_the_warmup() -> None:
    for warmup in (1, 30, 60, 500, 512):
        count, size = nuts._windows(warmup, 25)
        assert count >= nuts.LEAST_WINDOWS and count * size * 25 >= warmup


FIXED = Priors(
    mean_loading=0.0,
    mean_loading_sd=1e-3,
    loading_b=1e-6,
    noise_shape=2000.0,
    noise_level_shape=2000.0,
    noise_level_rate=8000.0,
)
"""Loadings held at zero and every noise variance near 1/4: a normal mean per benchmark remains."""


def exact_biases(z: np.ndarray, seen: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean and sd of ``c_j ~ N(0, v)``, ``v ~ InvGamma(1, b)``, noise variance 1/4.

    Given v the biases are independent normals; v is summed over a fine grid.
    """
    n, total = seen.sum(0), np.where(seen, z, 0).sum(0)
    mean_z = total / n
    v = np.exp(np.linspace(np.log(1e-4), np.log(1e3), 4001))
    density = stats.invgamma(1, scale=b).logpdf(v) + np.log(v)
    spread = np.sqrt(v[:, None] + 0.25 / n)
    density += stats.norm(0, spread).logpdf(mean_z).sum(1)
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    variance = 1 / (n / 0.25 + 1 / v[:, None])
    mean = variance * total / 0.25
    first = weight @ mean
    return first, np.sqrt(weight @ (variance + mean**2) - first**2)


@pytest.mark.slow
def test_normal_means_against_quadrature() -> None:
    spec = ModelSpec(
        rank=0,
        student_t=False,
        model_noise=False,
        covariates=(),
        groups=(),
        families=False,
        priors=FIXED,
    )
    given = {"mean_loading": 0.0, "loading": 0.0, "noise_benchmark": 0.5, "scale_bias": 0.6}
    s = simulate(4, 9, 6, spec, fill=0.7, given=given)
    config = NUTS(chains=4, warmup=400, draws=1000)
    posterior = sample(s.matrix, spec, config, seed=2, transform=s.transform)
    seen = s.matrix.observed
    mean, sd = exact_biases(s.z_full, seen, spec.priors.bias_b)
    draws = posterior.stacked("benchmark_bias").astype(float)
    # 4,000 draws, hardly autocorrelated: the standard error of a mean is about sd / 45
    np.testing.assert_allclose((draws.mean(0) - mean) / sd, 0.0, atol=5 / 45)
    np.testing.assert_allclose(draws.std(0) / sd, 1.0, atol=0.1)


@pytest.mark.slow
def test_full_fit_is_a_diagnosed_posterior() -> None:
    s = simulate(7, 20, 16, ModelSpec(rank=1), fill=0.5, missing_covariates=0.2)
    config = NUTS(chains=2, warmup=200, draws=200)
    posterior = sample(s.matrix, s.spec, config, seed=3)
    assert isinstance(posterior, StoredPosterior)
    assert posterior.provenance.method == "nuts"
    assert posterior.provenance.config["draws"] == 200
    assert posterior.diagnostics.summary["chains"] == 2
    assert "rhat_eta" in posterior.diagnostics.arrays
    eta = s.truth["ability"]
    found = posterior.stacked("ability").mean(0)
    assert stats.spearmanr(found, eta).statistic > 0.6
