"""Simulation-based calibration: where the truth ranks among draws of the posterior is uniform.

Truth and scores are drawn from the model itself, all parts on and every scale from its prior, and
fitted; over many tables the ranks of the truth must be uniform. They are held against the
simultaneous band of the empirical distribution of uniform ranks (Säilynoja, Bürkner and Vehtari
2022, doi:10.1007/s11222-022-10090-6; Talts et al. 2018, arXiv:1804.06788).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import stats

from bayesbench.fitting.engines.contract import Engine
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import Simulation, simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

SPEC = ModelSpec(rank=1)
N_MODELS, N_BENCHMARKS, N_READINGS = 12, 12, 256
"""Twelve benchmarks make four families of two and more; with eight topics eight make none."""
ENGINES: dict[str, tuple[Engine, int]] = {
    "gibbs": (Gibbs(chains=1, warmup=1500, draws=99, thin=40), 150),
    "nuts": (NUTS(chains=1, warmup=400, draws=396), 40),
}
"""Engine and number of tables; draws are thinned to 99 before they are ranked."""
LEVEL = 0.999
"""Of the band, for each of about ten quantities."""
SQUEEZED, BIAS = 0.75, 1.6
"""Wrong ranks that the band must see with the tables of the Gibbs sampler."""

Quantities = dict[str, np.ndarray]


def quantities(draws: dict[str, np.ndarray], eta: np.ndarray) -> Quantities:
    """Numbers that every fit identifies, from draws with one leading dim: (S,) each."""
    out = {f"eta {i} {j}": eta[:, i, j] for i, j in ((0, 0), (3, 5), (7, 2))}
    out |= {"mean eta": eta.mean(axis=(1, 2)), "spread of eta": eta.std(axis=(1, 2))}
    out |= {
        "noise of a benchmark": np.log(draws["noise_benchmark"][:, 1]),
        "noise of all": np.log(draws["noise_benchmark"]).mean(axis=1),
        "noise of a model": np.log(draws["noise_model"][:, 4]),
        "degrees of freedom": draws["nu"],
        "family scale": draws["scale_family"].reshape(len(eta), -1)[:, 0],
    }
    return out


def ranked(simulation: Simulation, posterior: StoredPosterior, seed: int) -> dict[str, float]:
    """Share of 99 draws below the truth, ties broken at random, in (0, 1)."""
    names = [name for name in posterior.draws if name in simulation.truth]
    step = posterior.n_draws // 99
    draws = {name: posterior.stacked(name).astype(np.float64)[::step][:99] for name in names}
    features, families = posterior.features, posterior.families
    eta = np.asarray(linear_predictor(draws, features.groups, families.members))
    truth = {name: np.asarray(simulation.truth[name])[None] for name in names}
    found, true = quantities(draws, eta), quantities(truth, simulation.truth["eta"][None])
    rng = np.random.default_rng([seed, 3])
    out = {}
    for name, values in found.items():
        below = (values < true[name]).sum()
        ties = (values == true[name]).sum()
        out[name] = float((below + rng.integers(0, ties + 1) + rng.random()) / 100)
    return out


def ranks(engine: Engine, tables: int) -> dict[str, np.ndarray]:
    """Ranks of every quantity over tables."""
    per_table = []
    for seed in range(tables):
        made = simulate(seed, N_MODELS, N_BENCHMARKS, SPEC, fill=0.8, n_providers=3, given={})
        posterior = sample(
            made.matrix,
            SPEC,
            engine,
            seed=seed,
            n_readings=N_READINGS,
            check=False,
            transform=made.transform,
        )
        per_table.append(ranked(made, posterior, seed))
    return {name: np.array([one[name] for one in per_table]) for name in per_table[0]}


POINTS = np.linspace(0.01, 0.99, 50)


def least_tail(values: np.ndarray) -> float:
    """Least binomial tail mass, over the points, of the number of values up to there."""
    count = (values[:, None] <= POINTS).sum(axis=0)
    low = stats.binom.cdf(count, values.size, POINTS)
    high = stats.binom.sf(count - 1, values.size, POINTS)
    return float(np.minimum(low, high).min())


@cache
def limit(size: int) -> float:
    """Pointwise tail mass of the simultaneous band, by simulation of uniform samples."""
    rng = np.random.default_rng(1)
    return float(np.quantile([least_tail(rng.random(size)) for _ in range(20_000)], 1 - LEVEL))


def outside(values: np.ndarray) -> float:
    """How far the empirical distribution leaves the band, in tail mass: above 1 it does."""
    return limit(values.size) / least_tail(values)


@pytest.fixture(scope="module", params=list(ENGINES))
def found(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    return ranks(*ENGINES[request.param])


def test_the_truth_ranks_uniformly_among_the_draws(found: dict[str, np.ndarray]) -> None:
    assert {name: round(outside(u), 1) for name, u in found.items() if outside(u) > 1} == {}


@pytest.mark.parametrize(
    "wrong",
    [lambda u: 0.5 + SQUEEZED * (u - 0.5), lambda u: u**BIAS],
    ids=["too wide", "biased"],
)
def test_ranks_that_are_not_uniform_are_seen(wrong: Callable[[np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(2)
    tables = ENGINES["gibbs"][1]
    seen = [outside(wrong(rng.random(tables))) > 1 for _ in range(100)]
    assert np.mean(seen) > 0.8
