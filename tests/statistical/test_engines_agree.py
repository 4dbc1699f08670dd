"""REFERENCE and Gibbs draw from the same posterior: means and spreads within Monte Carlo error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arviz_stats import base as arviz_base_stats

from bayesbench.answers.predictive import predict_cells
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

pytestmark = pytest.mark.slow

array_stats: Any = arviz_base_stats.array_stats
GIBBS = Gibbs(chains=2, warmup=1000, draws=600, thin=16)
REFERENCE = NUTS(chains=2, warmup=300, draws=600)
LARGEST_Z = 4.5
"""With some hundred correlated comparisons; a standard normal exceeds it once in 150,000."""
SCALARS = ("noise_level", "mean_loading", "scale_bias", "scale_loading", "scale_family")


def simulated() -> tuple[ScoreMatrix, ModelSpec]:
    spec = ModelSpec(rank=1, groups=("provider",))
    return simulate(3, 12, 8, spec, fill=0.7, n_providers=3).matrix, spec


def with_ends() -> tuple[ScoreMatrix, ModelSpec]:
    """Many scores at an end of their scale, on both sides, and half of them with an error."""
    spec = ModelSpec(rank=1, groups=("provider",))
    made = simulate(
        5, 12, 8, spec, fill=0.7, n_providers=3, n_items=10, easy=1.5, lower_is_better=True,
        largest_error=0.5,
    )  # fmt: skip
    return made.matrix, spec


def real(open_matrix: ScoreMatrix) -> tuple[ScoreMatrix, ModelSpec]:
    """The densest corner of the bundled matrix."""
    observed = open_matrix.observed
    columns = np.argsort(-observed.sum(axis=0), kind="stable")[:9]
    rows = np.argsort(-observed[:, columns].sum(axis=1), kind="stable")[10:24]
    small = open_matrix.subset(
        models=[open_matrix.model_ids[i] for i in rows],
        benchmarks=[open_matrix.benchmark_ids[j] for j in columns],
    )
    return small, ModelSpec(rank=1, groups=("provider",))


def quantities(posterior: StoredPosterior) -> dict[str, np.ndarray]:
    """What both engines must agree on, (chain, draw, n): nothing that rotates or flips its sign."""
    draws = {name: np.asarray(v, np.float64) for name, v in posterior.draws.items()}
    eta = np.asarray(linear_predictor(draws, posterior.features.groups, posterior.families.members))
    lead = eta.shape[:2]
    noise = np.log(draws["noise_benchmark"])
    named = [n for n in SCALARS if n in draws]
    scalars = [draws[n] if n == "mean_loading" else np.log(draws[n]) for n in named]
    return {
        "eta": eta.reshape(*lead, -1),
        "noise": noise,
        "noise of models": np.log(draws["noise_model"]),
        "scalars": np.stack(scalars, axis=-1),
        "nu": np.log(draws["nu"])[..., None],
    }


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each quantity and its Monte Carlo error, from the effective number of draws."""
    ess = array_stats.ess(values, chain_axis=0, draw_axis=1, method="mean")
    return values.mean(axis=(0, 1)), values.std(axis=(0, 1)) / np.sqrt(ess)


def z_scores(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Differences of means and of mean squares about the common mean, in standard errors."""
    centre = (one.mean(axis=(0, 1)) + other.mean(axis=(0, 1))) / 2
    found = []
    for a, b in ((one, other), ((one - centre) ** 2, (other - centre) ** 2)):
        (mean_a, error_a), (mean_b, error_b) = mean_and_error(a), mean_and_error(b)
        found.append((mean_a - mean_b) / np.hypot(error_a, error_b))
    return np.concatenate(found)


@pytest.fixture(scope="module", params=["simulated", "ends", "real"])
def both(request: pytest.FixtureRequest) -> tuple[StoredPosterior, StoredPosterior]:
    if request.param == "simulated":
        matrix, spec = simulated()
    elif request.param == "ends":
        matrix, spec = with_ends()
    else:
        matrix, spec = real(request.getfixturevalue("open_matrix"))
    return (
        sample(matrix, spec, GIBBS, seed=1, check=False),
        sample(matrix, spec, REFERENCE, seed=2),
    )


def test_means_and_spreads_agree(both: tuple[StoredPosterior, StoredPosterior]) -> None:
    gibbs, nuts = (quantities(posterior) for posterior in both)
    z = {name: z_scores(gibbs[name], nuts[name]) for name in gibbs}
    assert {n: float(np.abs(v).max()) for n, v in z.items() if np.abs(v).max() > LARGEST_Z} == {}
    # not only no outlier: the differences are as large as Monte Carlo error says
    assert np.sqrt(np.mean(z["eta"] ** 2)) < 1.6


def test_predictions_agree(both: tuple[StoredPosterior, StoredPosterior]) -> None:
    gibbs, nuts = both
    cells = np.argwhere(~gibbs.matrix.observed)
    one, other = (predict_cells(posterior, cells) for posterior in both)
    eta = quantities(nuts)["eta"].reshape(-1, *gibbs.matrix.shape)
    spread = eta.std(axis=0)[cells[:, 0], cells[:, 1]]
    middle = one.levels.size // 2
    # both have some hundred effective draws per cell at least: 0.25 sd is 2.5 standard errors
    difference = np.abs(one.quantiles[:, middle] - other.quantiles[:, middle]) / spread
    assert np.median(difference) < 0.1
    assert difference.max() < 0.4
    width = [made.quantiles[:, 97] - made.quantiles[:, 7] for made in (one, other)]
    assert 0.95 < np.median(width[0] / width[1]) < 1.05


def test_a_narrower_posterior_would_differ(both: tuple[StoredPosterior, StoredPosterior]) -> None:
    """The check has teeth: eta with 20 % less spread is refused."""
    gibbs, nuts = (quantities(posterior)["eta"] for posterior in both)
    centre = gibbs.mean(axis=(0, 1))
    assert np.abs(z_scores(centre + 0.8 * (gibbs - centre), nuts)).max() > LARGEST_Z
