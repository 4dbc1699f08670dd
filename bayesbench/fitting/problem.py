"""From a matrix to what every engine starts from: link, features, families, arrays."""

from __future__ import annotations

from ..errors import DataError
from ..low_rank.density import TrainingData
from ..low_rank.families import BenchmarkFamilies, benchmark_families
from ..low_rank.features import ModelFeatures
from ..low_rank.link import Transform
from ..low_rank.spec import ModelSpec
from ..scores import ScoreMatrix
from .engines.contract import Problem

__all__ = ["prepare"]

LEAST_MODELS, LEAST_BENCHMARKS = 2, 2


def prepare(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    transform: Transform | None = None,
    *,
    n_readings: int = 0,
) -> Problem:
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
    data = TrainingData.from_matrix(matrix, transform, features, families, spec)
    return Problem(matrix, spec, transform, features, families, data, n_readings)
