"""Parameter recovery and coverage on simulated matrices, and that an over-confident fit fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS, predict_cells
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import Simulation, simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior

pytestmark = pytest.mark.slow

SPEC = ModelSpec(rank=1, groups=("provider",))
CONFIG = Gibbs(chains=1, warmup=1000, draws=250, thin=4)
N_MATRICES, N_MODELS, N_BENCHMARKS, N_READINGS = 24, 25, 15, 256
PROBS = (0.5, 0.8, 0.9)
SHRINK = 0.6
STANDARD_ERRORS = 3.5


def fitted(simulation: Simulation, seed: int) -> StoredPosterior:
    """Fit on the link that made the scores; every matrix has the same shape: one compilation."""
    return sample(
        simulation.matrix,
        simulation.spec,
        CONFIG,
        seed=seed,
        n_readings=N_READINGS,
        check=False,
        transform=simulation.transform,
    )


def eta_draws(posterior: StoredPosterior) -> np.ndarray:
    draws = {name: posterior.stacked(name).astype(np.float64) for name in posterior.draws}
    return np.asarray(
        linear_predictor(draws, posterior.features.groups, posterior.families.members)
    )


def inside(truth: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    return float(((truth >= low) & (truth <= high)).mean())


def coverages(
    simulation: Simulation, posterior: StoredPosterior
) -> dict[str, dict[float, list[float]]]:
    """Share covered: eta in every cell, readings in held-out cells, noise scales of benchmarks.

    Once as fitted and once with the spread of eta and the noise shrunk: an over-confident fit.
    """
    hidden = np.argwhere(~simulation.matrix.observed)
    row, column = hidden.T
    eta, truth = eta_draws(posterior), simulation.truth["eta"]
    made = predict_cells(posterior, hidden).quantiles
    reading = simulation.z_full[row, column]
    noise = np.log(posterior.stacked("noise_benchmark").astype(np.float64))
    true_noise = np.log(simulation.truth["noise_benchmark"])
    out: dict[str, dict[float, list[float]]] = {}
    for name, shrink in (("", 1.0), ("over-confident ", SHRINK)):
        middle = np.median(eta, axis=0)
        spread = middle + shrink * (eta - middle)
        scales = np.median(noise, axis=0) + shrink * (noise - np.median(noise, axis=0))
        centre = made[:, [PREDICTIVE_LEVELS.size // 2]]
        quantiles = centre + shrink * (made - centre)
        for prob in PROBS:
            tails = [(1 - prob) / 2, (1 + prob) / 2]
            low, high = np.quantile(spread, tails, axis=0)
            out.setdefault(f"{name}eta", {})[prob] = [inside(truth, low, high)]
            low, high = np.quantile(scales, tails, axis=0)
            out.setdefault(f"{name}noise", {})[prob] = [inside(true_noise, low, high)]
            at = [int(np.argmin(np.abs(PREDICTIVE_LEVELS - tail))) for tail in tails]
            share = inside(reading, quantiles[:, at[0]], quantiles[:, at[1]])
            out.setdefault(f"{name}reading", {})[prob] = [share]
    return out


@pytest.fixture(scope="module")
def found() -> dict[str, dict[float, np.ndarray]]:
    """Coverage of every matrix, (matrix,), by quantity and probability."""
    per_matrix = []
    for seed in range(N_MATRICES):
        made = simulate(seed, N_MODELS, N_BENCHMARKS, SPEC, fill=0.5, n_providers=3)
        per_matrix.append(coverages(made, fitted(made, seed)))
    return {
        name: {p: np.concatenate([one[name][p] for one in per_matrix]) for p in PROBS}
        for name in per_matrix[0]
    }


def z_scores(shares: dict[float, np.ndarray]) -> dict[float, float]:
    """Distance of the mean coverage from the nominal one, in standard errors between matrices.

    Cells of one matrix share parameters, so the matrix is the unit, not the cell.
    """
    return {
        prob: float((v.mean() - prob) / (v.std(ddof=1) / np.sqrt(v.size)))
        for prob, v in shares.items()
    }


@pytest.mark.parametrize("quantity", ["eta", "reading", "noise"])
def test_intervals_cover_their_nominal_share(
    found: dict[str, dict[float, np.ndarray]], quantity: str
) -> None:
    z = z_scores(found[quantity])
    assert {p: round(v, 1) for p, v in z.items() if abs(v) > STANDARD_ERRORS} == {}
    # the check would see an error of a few points: its own standard error is below 0.03
    assert max(v.std(ddof=1) / np.sqrt(v.size) for v in found[quantity].values()) < 0.03


@pytest.mark.parametrize("quantity", ["eta", "reading", "noise"])
def test_an_over_confident_posterior_is_rejected(
    found: dict[str, dict[float, np.ndarray]], quantity: str
) -> None:
    z = z_scores(found[f"over-confident {quantity}"])
    assert all(value < -STANDARD_ERRORS for value in z.values())


# Readings at an end of their scale


N_EASY = 8


def hidden_error(simulation: Simulation, seed: int) -> float:
    """Mean absolute error of the posterior mean of eta in held-out cells."""
    eta = eta_draws(fitted(simulation, seed)).mean(axis=0)
    return float(np.abs(eta - simulation.truth["eta"])[~simulation.matrix.observed].mean())


def test_an_end_said_to_be_beyond_predicts_better_than_at_face_value() -> None:
    """On tables where a third of the scores are at the good end; matrix by matrix."""
    gains, shares = [], []
    for seed in range(N_EASY):
        made = simulate(
            seed, N_MODELS, N_BENCHMARKS, SPEC, fill=0.5, n_providers=3, n_items=10, easy=2.0
        )
        face = replace(made, spec=replace(SPEC, censored=False))
        gains.append(hidden_error(face, seed) - hidden_error(made, seed))
        beyond = made.transform.beyond(made.matrix.values)[made.matrix.observed]
        shares.append(float(np.mean(beyond != 0)))
    assert 0.15 < np.mean(shares) < 0.6
    assert np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(N_EASY)) > STANDARD_ERRORS
