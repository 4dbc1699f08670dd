"""``StoredPosterior``: labelled draws with everything needed to use them again.

Needs numpy and the score matrix only: neither jax nor numpyro, and xarray just for saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..low_rank.families import BenchmarkFamilies
from ..low_rank.features import ModelFeatures
from ..low_rank.link import Transform
from ..low_rank.parameters import DRAW_DIMS
from ..low_rank.readings import CellReadings, cell_readings, reporting_variance
from ..low_rank.spec import ModelSpec
from ..scores import ScoreMatrix
from .calibration import Calibration
from .diagnostics import Diagnostics
from .provenance import Provenance

__all__ = ["StoredPosterior"]


REQUIRED = ("benchmark_bias", "loading", "ability", "noise_benchmark")

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class StoredPosterior:
    """Draws of the low-rank model's parameters, with scores, ids, link, settings and diagnostics.

    Attributes
    ----------
    draws : mapping of str to (chain, draw, ...) float32 array
        Latent scale; names and trailing dims in `DRAW_DIMS`. Parts that `spec` switches off are
        absent. The linear predictor is recomputed, never stored.
    matrix : ScoreMatrix
        Training scores and metadata.
    transform : Transform
    features : ModelFeatures
    spec : ModelSpec
    provenance : Provenance
    diagnostics : Diagnostics
    sample_stats : mapping of str to array
        Per draw, (chain, draw, ...), or a trace of another length.
    families : BenchmarkFamilies
        Families of the benchmarks that the `family` effects act on; none by default.
    calibration : Calibration, optional
        Recalibration learned on held-out predictions; None if there is none.

    Raises
    ------
    DataError
        A quantity is missing, unknown, of the wrong shape or not finite.
    """

    draws: Mapping[str, NDArray[np.float32]]
    matrix: ScoreMatrix
    transform: Transform
    features: ModelFeatures
    spec: ModelSpec
    provenance: Provenance
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    sample_stats: Mapping[str, Array] = field(default_factory=dict)
    calibration: Calibration | None = None
    families: BenchmarkFamilies = field(default_factory=BenchmarkFamilies.none)

    def __post_init__(self) -> None:
        draws = {name: np.asarray(value, np.float32) for name, value in self.draws.items()}
        object.__setattr__(self, "draws", draws)
        missing = [name for name in REQUIRED if name not in draws]
        if missing:
            raise DataError(f"posterior: no draws of {missing[0]}")
        if self.transform.benchmark_ids != self.matrix.benchmark_ids:
            raise DataError("posterior: transform and matrix name different benchmarks")
        if draws["ability"].ndim != 3 or min(draws["ability"].shape[:2]) < 1:
            raise DataError("posterior: draws need leading dims (chain, draw) of at least 1 each")
        for name, value in draws.items():
            if name not in DRAW_DIMS:
                raise DataError(f"posterior: unknown quantity {name!r}")
            expected = draws["ability"].shape[:2] + tuple(
                self.sizes[dim] for dim in DRAW_DIMS[name]
            )
            if value.shape != expected:
                raise DataError(f"posterior: {name} has shape {value.shape}, expected {expected}")
            if not np.isfinite(value).all():
                raise DataError(f"posterior: {name} holds numbers that are not finite")

    def __repr__(self) -> str:
        about, sizes = self.provenance, self.sizes
        calibration = self.calibration
        honest = "not recalibrated"
        if calibration is not None:
            honest = f"recalibrated on cross-fits ({calibration.engine})"
        models, benchmarks = self.matrix.shape
        return "\n".join(
            (
                f"Posterior of {models} models x {benchmarks} benchmarks "
                f"({self.matrix.n_cells} scores, rank {sizes['factor']})",
                f"{self.n_draws} draws by {about.method}, seed {about.seed}"
                + (f", {about.created}" if about.created else ""),
                f"intervals: {honest}",
                f"diagnostics: {self.diagnostics.sentence}",
            )
        )

    @property
    def sizes(self) -> dict[str, int]:
        """Length of every dim of the draws."""
        chain, draw = self.draws["ability"].shape[:2]
        rank = self.draws["weights"].shape[-1] if "weights" in self.draws else 0
        return {
            "chain": chain,
            "draw": draw,
            "model": self.matrix.shape[0],
            "benchmark": self.matrix.shape[1],
            "factor": rank,
            "latent": 1 + rank,
            "covariate": len(self.features.covariate_names),
            "group": len(self.features.group_names),
            "kind": len(self.features.kinds),
            "benchmark_family": len(self.families.names),
        }

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of the fitted models."""
        return self.matrix.model_ids

    @property
    def benchmark_ids(self) -> tuple[str, ...]:
        """Ids of the benchmarks."""
        return self.matrix.benchmark_ids

    @property
    def n_draws(self) -> int:
        """Number of draws S over all chains."""
        return self.sizes["chain"] * self.sizes["draw"]

    @cached_property
    def reporting(self) -> NDArray[np.float64]:
        """Variance of the reporting noise in a new reading, latent scale, (B,); 0 without one."""
        if self.spec.readings == "first":
            return np.zeros(len(self.benchmark_ids))
        return reporting_variance(self.matrix, self.transform)

    @cached_property
    def cells(self) -> CellReadings:
        """What the fit was told of every cell."""
        return cell_readings(self.matrix, self.transform, self.spec, self.reporting)

    def stacked(self, name: str) -> NDArray[np.float32]:
        """Draws of one quantity with the chains laid end to end, (S, ...).

        Raises
        ------
        UsageError
            The posterior has no such quantity.
        """
        if name not in self.draws:
            raise UsageError(f"posterior has no {name!r}; it has {', '.join(sorted(self.draws))}")
        value = self.draws[name]
        return value.reshape(-1, *value.shape[2:])

    def thin(self, n: int) -> Self:
        """At most about `n` draws, evenly spaced along every chain (at least one of each)."""
        if n < 1:
            raise UsageError(f"cannot thin to {n} draws; at least 1")
        chain, draw = self.sizes["chain"], self.sizes["draw"]
        keep = max(1, n // chain)
        if keep >= draw:
            return self
        at = ((np.arange(keep) + 0.5) * draw / keep).astype(np.int64)
        stats = {
            name: value[:, at] if value.shape[:2] == (chain, draw) else value
            for name, value in self.sample_stats.items()
        }
        kept = {name: value[:, at] for name, value in self.draws.items()}
        return replace(self, draws=kept, sample_stats=stats)
