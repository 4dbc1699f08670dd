"""What every engine is: settings that can draw from the posterior of a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:  # settings are made without jax
    import numpy as np
    from numpy.typing import NDArray

    from ...low_rank.density import TrainingData
    from ...low_rank.families import BenchmarkFamilies
    from ...low_rank.features import ModelFeatures
    from ...low_rank.link import Transform
    from ...low_rank.spec import ModelSpec
    from ...progress import Report
    from ...scores import ScoreMatrix

__all__ = ["Draws", "Engine", "Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """A matrix with everything an engine needs beside its own settings.

    Attributes
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec
    transform : Transform
    features : ModelFeatures
    families : BenchmarkFamilies
    data : TrainingData
    n_readings : int
        Problems of one shape with the same number here, at least that of their readings, may share
        a compiled program; 0 for those of this problem alone.
    """

    matrix: ScoreMatrix
    spec: ModelSpec
    transform: Transform
    features: ModelFeatures
    families: BenchmarkFamilies
    data: TrainingData
    n_readings: int = 0


@dataclass(frozen=True, eq=False)
class Draws:
    """What an engine gives back.

    Attributes
    ----------
    values : mapping of str to (chain, draw, ...) array
        By the names of `parameters.DRAW_DIMS`, latent scale.
    stats : mapping of str to array
        The engine's own statistics, (chain, draw, ...) or a trace of another length.
    """

    values: Mapping[str, NDArray[np.float32]]
    stats: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Engine(Protocol):
    """An engine: a frozen value of settings, made without jax.

    Attributes
    ----------
    name : str
        What posteriors made by it are marked with.
    """

    name: ClassVar[str]

    @classmethod
    def suited_to(cls, n_cells: int, **given: Any) -> Self:
        """Settings for a matrix of so many scores; those given stay as they are given."""
        ...

    def work(self, problem: Problem) -> int:
        """Units of work in all: what ``report`` is told as the total."""
        ...

    def draw(self, problem: Problem, seed: int, report: Report | None = None) -> Draws:
        """Draw from the posterior; the same seed gives the same draws.

        Raises
        ------
        KeyboardInterrupt
            At once when the process is interrupted.
        """
        ...

    def lighter(self) -> Self:
        """The same engine with the settings of a cross-fit: enough for intervals."""
        ...
