"""What every engine does before and after sampling: arrays in, a diagnosed posterior out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FitError
from ..low_rank.density import TrainingData
from ..low_rank.families import BenchmarkFamilies, benchmark_families
from ..low_rank.features import ModelFeatures
from ..low_rank.link import Transform
from ..low_rank.spec import ModelSpec
from ..posterior.convergence import diagnose
from ..posterior.provenance import Provenance
from ..posterior.stored import StoredPosterior
from ..scores import ScoreMatrix
from .engines.settings import NUTS, SVI, Gibbs

__all__ = ["Problem", "finished", "prepare"]

PACKAGES = ("bayesbench-scores", "jax", "jaxlib", "numpyro", "numpy")
LEAST_MODELS, LEAST_BENCHMARKS = 2, 2


@dataclass(frozen=True, eq=False)
class Problem:
    """A matrix with everything an engine needs beside its own settings."""

    matrix: ScoreMatrix
    spec: ModelSpec
    transform: Transform
    features: ModelFeatures
    families: BenchmarkFamilies
    data: TrainingData


def prepare(matrix: ScoreMatrix, spec: ModelSpec, transform: Transform | None = None) -> Problem:
    """Link (unless given), features and families of a matrix, and its cells as arrays.

    Raises
    ------
    DataError
        Fewer than two models or benchmarks, or no scores.
    """
    if matrix.shape[0] < LEAST_MODELS or matrix.shape[1] < LEAST_BENCHMARKS or not matrix.n_cells:
        raise DataError(
            f"a fit needs at least {LEAST_MODELS} models and {LEAST_BENCHMARKS} benchmarks with "
            f"scores; this matrix is {matrix.shape[0]} x {matrix.shape[1]} with {matrix.n_cells}"
        )
    transform = Transform.from_matrix(matrix) if transform is None else transform
    features = ModelFeatures.from_matrix(matrix, spec)
    families = BenchmarkFamilies.none()
    if spec.families:
        families = benchmark_families(matrix.benchmark_ids)
    data = TrainingData.from_matrix(matrix, transform, features, families)
    return Problem(matrix, spec, transform, features, families, data)


def finished(
    problem: Problem,
    draws: Mapping[str, NDArray[Any]],
    sample_stats: Mapping[str, NDArray[Any]],
    *,
    method: str,
    config: NUTS | Gibbs | SVI,
    seed: int,
    begun: float,
    check: bool = True,
) -> StoredPosterior:
    """Draws with their provenance and, unless `check` is off, diagnostics.

    Raises
    ------
    FitError
        A draw is not finite.
    """
    for name, value in draws.items():
        if not np.isfinite(value).all():
            raise FitError(f"{method}: draws of {name} are not finite; try another seed")
    posterior = StoredPosterior(
        draws=draws,
        matrix=problem.matrix,
        transform=problem.transform,
        features=problem.features,
        spec=problem.spec,
        provenance=Provenance(
            method=method,
            config=asdict(config),
            seed=seed,
            data_hash=problem.matrix.data_hash,
            versions=_versions(),
            created=datetime.now(UTC).date().isoformat(),
            wall_s=time.perf_counter() - begun,
        ),
        sample_stats=sample_stats,
        families=problem.families,
    )
    return replace(posterior, diagnostics=diagnose(posterior)) if check else posterior


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
