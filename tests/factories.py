"""Small synthetic objects for tests: a matrix, and a posterior whose draws are random numbers."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd

from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.features import ModelFeatures
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from bayesbench.posterior.provenance import Provenance
from bayesbench.scores import ScoreMatrix

PROVIDERS = ("Aleph", "Beth", "Gimel")


def make_matrix(seed: int = 0, n_models: int = 6, n_benchmarks: int = 5) -> ScoreMatrix:
    """Two thirds of the cells filled; benchmark 1 lower-is-better, benchmark 2 a rating.

    The last model has neither provider nor covariates; every model and benchmark has a score.
    """
    rng = np.random.default_rng(seed)
    benchmark_ids = [f"bench_{j}" for j in range(n_benchmarks)]
    rating = np.arange(n_benchmarks) == 2
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": benchmark_ids,
            "scale": np.where(rating, "rating", "percent"),
            "lower": np.where(rating, np.nan, 0.0),
            "upper": np.where(rating, np.nan, 100.0),
            "higher_is_better": np.arange(n_benchmarks) != 1,
            "n_items": np.where(np.arange(n_benchmarks) == 0, 500.0, np.nan),
        }
    )
    known = np.arange(n_models) < n_models - 1
    models = pd.DataFrame(
        {
            "model_id": [f"model_{i}" for i in range(n_models)],
            "provider": [PROVIDERS[i % 3] if known[i] else None for i in range(n_models)],
            "release_date": [
                f"{2023 + i % 3}-0{1 + i % 9}" if known[i] else None for i in range(n_models)
            ],
            "reasoning": [bool(i % 2) if known[i] else None for i in range(n_models)],
            "open_weights": [bool(i // 2 % 2) if known[i] else None for i in range(n_models)],
        }
    )
    unit = 1.0 / (1.0 + np.exp(-rng.normal(0.3, 1.0, (n_models, n_benchmarks))))
    values = np.where(rating, 1000.0 + 500.0 * unit, 100.0 * unit).round(2)
    shift = np.arange(n_models)[:, None] + np.arange(n_benchmarks)
    row, column = np.nonzero(shift % 3 != 0)
    frame = pd.DataFrame(
        {
            "model_id": models["model_id"].to_numpy()[row],
            "benchmark_id": np.asarray(benchmark_ids)[column],
            "score": values[row, column],
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks, models=models)


def make_repeated(seed: int = 0) -> ScoreMatrix:
    """As `make_matrix`, with a second reading of every cell some points apart."""
    matrix = make_matrix(seed)
    first = matrix.readings
    apart = np.random.default_rng([seed, 2]).normal(0.0, 3.0, len(first))
    again = first.assign(reading=2, score=(first["score"] + apart).clip(1.0, None).round(2))
    capped = again["benchmark_id"] != "bench_2"
    again["score"] = again["score"].where(~capped, again["score"].clip(upper=99.0))
    readings = pd.concat([first, again]).sort_values(["model_id", "benchmark_id", "reading"])
    return ScoreMatrix(matrix.models, matrix.benchmarks, readings.reset_index(drop=True))


def make_posterior(
    seed: int = 0,
    n_models: int = 6,
    n_benchmarks: int = 5,
    rank: int = 2,
    n_draws: int = 200,
    *,
    n_chains: int = 2,
    spec: ModelSpec | None = None,
    matrix: ScoreMatrix | None = None,
) -> Posterior:
    """Posterior whose draws scatter around one random truth; no sampler, so no fit to the scores.

    `n_draws` counts all chains together. With `spec`, parts it switches off are absent; with
    `matrix`, the sizes come from there.
    """
    spec = ModelSpec(rank=rank) if spec is None else spec
    matrix = make_matrix(seed, n_models, n_benchmarks) if matrix is None else matrix
    features = ModelFeatures.from_matrix(matrix, spec)
    rng = np.random.default_rng([seed, 1])
    lead = (n_chains, max(1, n_draws // n_chains))
    m, b, k = *matrix.shape, spec.rank
    p, g, kinds = len(features.covariate_names), len(features.group_names), len(features.kinds)

    def around(shape: tuple[int, ...], sd: float, mean: float = 0.0) -> np.ndarray:
        return rng.normal(mean, sd, shape) + rng.normal(0, 0.2 * sd, lead + shape)

    def positive(shape: tuple[int, ...], median: float) -> np.ndarray:
        return median * np.exp(around(shape, 0.3))

    draws = {
        "benchmark_bias": around((b,), 0.3),
        "loading": around((b,), 0.2, 0.8),
        "ability": around((m,), 1.0),
        "noise_benchmark": positive((b,), 0.4),
        "scale_bias": positive((), 0.3),
        "scale_loading": positive((), 0.2),
        "mean_loading": around((), 0.1, 0.8),
        "noise_level": positive((), 0.2),
    }
    if k:
        draws |= {"weights": around((b, k), 0.3), "factors": around((m, k), 1.0)}
        draws["scale_factor"] = positive((k,), 0.3)
    if p:
        draws["coefficients"] = around((p, 1 + k), 0.4)
    if g and spec.group_latents:
        draws |= {"group_latent": around((g, 1 + k), 0.3)}
        draws["scale_group_latent"] = positive((kinds,), 0.3)
    if g and spec.group_benchmarks:
        draws |= {"group_benchmark": around((g, b), 0.1)}
        draws["scale_group_benchmark"] = positive((kinds,), 0.3)
    if spec.model_noise:
        draws["noise_model"] = positive((m,), 1.0)
    if spec.student_t:
        draws["nu"] = rng.choice(spec.priors.nu_grid, lead)
    return Posterior(
        draws=draws,
        matrix=matrix,
        transform=Transform.from_matrix(matrix),
        features=features,
        spec=spec,
        provenance=Provenance("simulated", {"n_draws": n_draws}, seed, matrix.data_hash),
        sample_stats={"energy": rng.normal(size=lead)},
    )


def with_calibration(
    posterior: Posterior, widen: float = 2.0, widen_new: float | None = None
) -> Posterior:
    """The same posterior with a recalibration that widens every prediction.

    The recalibrated law is normal on the latent scale, with `widen` times the raw interquartile
    range and the raw median. `widen_new` is that of new models, by default the same.
    """
    return replace(
        posterior,
        calibration=Calibration(_widening(widen), _widening(widen_new or widen)),
    )


def _widening(factor: float) -> Recalibration:
    """Size of the error: the interquartile range; relative errors: those of a normal law."""
    n, size = 1999, len(FEATURES)
    own = NormalDist()
    normal = np.array([own.inv_cdf(k / (n + 1)) for k in range(1, n + 1)])
    iqr = own.inv_cdf(0.75) - own.inv_cdf(0.25)
    # features are clipped at 4 scales: a scale of 10 keeps the log of any range inside
    side = np.append(0.0, np.where(np.array(FEATURES) == "log_spread", 10.0, 0.0))
    still, errors = np.zeros(1 + size), factor / iqr * normal
    return Recalibration(np.zeros(size), np.full(size, 10.0), still, side, side, errors)
