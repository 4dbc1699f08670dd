"""NUTS: reproducible on any number of threads, stops cleanly, and agrees with exact posteriors."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import FitError
from bayesbench.fitting.engines import nuts
from bayesbench.fitting.engines.nuts import fit_nuts, sample_nuts
from bayesbench.fitting.engines.settings import NUTS
from bayesbench.fitting.engines.target import Target
from bayesbench.low_rank.density import TrainingData, site_dims
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.posterior.stored import StoredPosterior

PLAIN = ModelSpec(
    rank=0, student_t=False, model_noise=False, covariates=(), groups=(), families=False
)
QUICK = NUTS(chains=2, warmup=60, draws=30)


def target(spec: ModelSpec = PLAIN) -> Target:
    s = simulate(0, 6, 5, spec, fill=0.8)
    return Target(TrainingData.from_matrix(s.matrix, s.transform, s.features, s.families), spec)


Run = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def reports() -> list[tuple[int, int, int]]:
    return []


@pytest.fixture(scope="module")
def run(reports: list[tuple[int, int, int]]) -> Run:
    def report(done: int, total: int, divergences: int = 0) -> None:
        reports.append((done, total, divergences))

    return sample_nuts(target(), QUICK, seed=1, report=report)


def test_draws_have_the_names_and_shapes_of_the_parameters(run: Run) -> None:
    draws, sampled = run
    here = target()
    dims = site_dims(here.spec, here.data)
    assert set(draws) == set(dims)
    for name, value in draws.items():
        assert value.shape[:2] == (2, 30), name
        assert value.ndim == 2 + len(dims[name]), name
        assert np.isfinite(value).all(), name
    assert all(value.shape == (2, 30) for value in sampled.values())
    assert np.all(2.0 ** sampled["tree_depth"] > sampled["n_steps"])
    assert np.all((sampled["acceptance_rate"] >= 0) & (sampled["acceptance_rate"] <= 1))


def test_reports_every_block_of_every_chain(run: Run, reports: list[tuple[int, int, int]]) -> None:
    done = [report[0] for report in reports]
    assert done == sorted(done)
    assert reports[-1][0] == reports[-1][1]


def test_same_seed_same_draws_however_many_threads(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuts, "usable_cores", lambda: 1)
    again, _ = sample_nuts(target(), QUICK, seed=1)
    for name, value in run[0].items():
        np.testing.assert_array_equal(value, again[name])
    chains_differ = [not np.array_equal(value[0], value[1]) for value in run[0].values()]
    assert all(chains_differ)


def test_interrupt_stops_all_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Future[Any]] = []

    def interrupted(chains: list[Future[Any]], **_: Any) -> None:
        started.extend(chains)
        raise KeyboardInterrupt

    monkeypatch.setattr(nuts, "wait", interrupted)
    long = NUTS(chains=2, warmup=60, draws=100_000)
    with pytest.raises(FitError, match="interrupted"):
        sample_nuts(target(), long, seed=1)
    assert len(started) == 2 and all(chain.done() for chain in started)


def test_an_error_in_a_chain_surfaces() -> None:
    def report(done: int, total: int, divergences: int = 0) -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        sample_nuts(target(), QUICK, seed=1, report=report)


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
        count, size = nuts._windows(NUTS(warmup=warmup), 25)
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
    posterior = fit_nuts(s.matrix, spec, config, seed=2, transform=s.transform)
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
    posterior = fit_nuts(s.matrix, s.spec, config, seed=3)
    assert isinstance(posterior, StoredPosterior)
    assert posterior.provenance.method == "nuts"
    assert posterior.provenance.config["draws"] == 200
    assert posterior.diagnostics.summary["chains"] == 2
    assert "rhat_eta" in posterior.diagnostics.arrays
    eta = s.truth["ability"]
    found = posterior.stacked("ability").mean(0)
    assert stats.spearmanr(found, eta).statistic > 0.6
