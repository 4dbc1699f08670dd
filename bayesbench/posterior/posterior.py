"""``Posterior``: labelled draws with everything needed to use them again.

Needs numpy and the score matrix only: neither jax nor numpyro, and xarray just for saving.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..jsonable import json_text
from ..low_rank.families import BenchmarkFamilies
from ..low_rank.features import ModelFeatures
from ..low_rank.link import Transform
from ..low_rank.parameters import DRAW_DIMS
from ..low_rank.spec import ModelSpec
from ..scores import ScoreMatrix

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr

__all__ = ["Diagnostics", "Posterior", "Provenance"]


REQUIRED = ("benchmark_bias", "loading", "ability", "noise_benchmark")
VERDICTS = ("pass", "warn", "fail")

Array = NDArray[Any]


@dataclass(frozen=True)
class Provenance:
    """Where a posterior comes from.

    Attributes
    ----------
    method : str
        ``"nuts"``, ``"gibbs"`` or ``"svi"``.
    config : mapping
        Settings of the method, as plain data.
    seed : int
    data_hash : str
        Hash of the training scores (`ScoreMatrix.data_hash`).
    versions : mapping of str to str
        Of the packages that made the draws.
    created : str
        ISO date.
    wall_s : float
        Seconds the fit took.
    """

    method: str
    config: Mapping[str, Any]
    seed: int
    data_hash: str
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    wall_s: float = math.nan

    def to_json(self) -> str:
        """As JSON text; numbers that are not finite become null."""
        return json_text(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Inverse of `to_json`."""
        data = json.loads(text)
        wall = data.pop("wall_s")
        return cls(**data, wall_s=math.nan if wall is None else wall)


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """What the fit says about itself, as data.

    Attributes
    ----------
    verdict : str
        ``"pass"``, ``"warn"`` or ``"fail"``.
    reasons : tuple of str
        One line per finding that led to the verdict.
    summary : mapping
        Single numbers, for instance the largest R-hat of eta.
    arrays : mapping of str to array
        Per-quantity values, for instance R-hat per cell (M, B); NaN where there is none.
    """

    verdict: str = "pass"
    reasons: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise DataError(f"verdict must be one of {', '.join(VERDICTS)}, got {self.verdict!r}")

    def to_json(self, *, arrays: bool = True) -> str:
        """As JSON text, with or without the arrays; not finite becomes null."""
        data: dict[str, Any] = {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "summary": dict(self.summary),
        }
        if arrays:
            data["arrays"] = {name: np.asarray(value) for name, value in self.arrays.items()}
        return json_text(data)

    @classmethod
    def from_json(cls, text: str) -> Diagnostics:
        """Inverse of `to_json`; a null in an array is NaN again, in `summary` it stays None."""
        data = json.loads(text)
        arrays = {
            name: np.asarray(value, dtype=np.float64)
            for name, value in data.get("arrays", {}).items()
        }
        return cls(data["verdict"], tuple(data["reasons"]), data["summary"], arrays)


@dataclass(frozen=True, eq=False)
class Posterior:
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
    calibration : mapping of str to array, optional
        Recalibration learned on held-out predictions, as plain named arrays.

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
    calibration: Mapping[str, Array] | None = None
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

    def thin(self, n: int) -> Posterior:
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

    def to_datatree(self) -> xr.DataTree:
        """As an xarray DataTree with the groups ArviZ knows; see `posterior_file`."""
        from .file import to_datatree

        return to_datatree(self)

    def save(self, path: str | PathLike[str], *, pack: bool = False) -> None:
        """Write a netCDF file; it appears whole or not at all.

        Parameters
        ----------
        path : path
        pack : bool
            Round the large quantities to 16-bit integers; the largest rounding error of each, at
            most about 1/256 of its sd, is written in the file's ``packing_error``.

        Raises
        ------
        PosteriorFileError
            The file cannot be written.
        """
        from .file import save

        save(self, path, pack=pack)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Posterior:
        """Read a file written by `save`; nothing in it is executed.

        Raises
        ------
        PosteriorFileError
            Missing, truncated, foreign, or written by a newer format.
        """
        from .file import load

        return load(path)
