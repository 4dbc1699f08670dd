"""The posterior file: netCDF4 with the groups of an ArviZ DataTree.

``posterior`` and ``sample_stats`` hold the draws, ``observed_data`` the scores, ``constant_data``
link and features, ``bayesbench`` the settings as JSON text with the diagnostics and recalibration
arrays. Written through xarray; read through h5py alone, which takes a fifth of the time. Texts of
single readings (setting, source) are not kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BayesbenchError, DataError, PosteriorFileError
from ..files import write_bytes
from ..jsonable import json_text
from ..low_rank.families import BenchmarkFamilies
from ..low_rank.features import ModelFeatures
from ..low_rank.link import Transform
from ..low_rank.parameters import DRAW_DIMS
from ..low_rank.spec import ModelSpec, Priors
from ..scores import ScoreMatrix
from ..scores.plain_tables import from_plain, to_plain
from .calibration import Calibration
from .diagnostics import Diagnostics
from .names import ids_of
from .provenance import Provenance
from .stored import StoredPosterior
from .unseen import LEFT_OUT, drawn_again, left_out, seen_effects

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FORMAT", "FORMAT_VERSION", "load", "save", "to_datatree"]

FORMAT = "bayesbench-posterior"
FORMAT_VERSION = 2
"""Version 1 held every effect also when packed."""

PACK_LEAST_SIZE = 20_000
"""Quantities with fewer numbers are not worth packing."""
PACK_STEPS_PER_SD = 128
"""Packed step: this part of a quantity's sd, or more where 16 bits would not span its range."""

Array = NDArray[Any]
Variable = tuple[tuple[str, ...], Array]
P = TypeVar("P", bound=StoredPosterior)


def _anonymous(name: str, value: Array) -> Variable:
    return tuple(f"{name}_dim_{axis}" for axis in range(value.ndim)), value


def _coordinates(posterior: StoredPosterior) -> dict[str, Any]:
    sizes, features = posterior.sizes, posterior.features
    factors = [f"factor_{k + 1}" for k in range(sizes["factor"])]
    return {
        "chain": np.arange(sizes["chain"]),
        "draw": np.arange(sizes["draw"]),
        "model": list(posterior.model_ids),
        "benchmark": list(posterior.benchmark_ids),
        "factor": factors,
        "latent": ["ability", *factors],
        "covariate": list(features.covariate_names),
        "group": list(features.group_names),
        "kind": list(features.kinds),
        "benchmark_family": list(posterior.families.names),
    }


def _sample_stats(posterior: StoredPosterior) -> dict[str, Variable]:
    variables = {}
    lead = (posterior.sizes["chain"], posterior.sizes["draw"])
    for name, value in posterior.sample_stats.items():
        array = np.asarray(value)
        dims, _ = _anonymous(name, array)
        variables[name] = (("chain", "draw", *dims[2:]) if array.shape[:2] == lead else dims, array)
    return variables


def _observed(matrix: ScoreMatrix) -> dict[str, Variable]:
    readings = matrix.readings
    row = matrix.models.index.get_indexer(pd.Index(readings["model_id"]))
    column = matrix.benchmarks.index.get_indexer(pd.Index(readings["benchmark_id"]))
    variables: dict[str, Variable] = {
        "score": (("model", "benchmark"), np.asarray(matrix.values)),
        "reading_model": (("reading",), row.astype(np.int32)),
        "reading_benchmark": (("reading",), column.astype(np.int32)),
        "reading_number": (("reading",), readings["reading"].to_numpy(dtype=np.int32)),
        "reading_score": (("reading",), readings["score"].to_numpy(dtype=np.float64)),
    }
    for name in ("n_items", "stderr"):
        if name in readings:
            values = readings[name].to_numpy(dtype=np.float64)
            variables[f"reading_{name}"] = (("reading",), values)
    return variables


def _constant(posterior: StoredPosterior) -> dict[str, Variable]:
    features = posterior.features
    variables: dict[str, Variable] = {
        "covariate_location": (("covariate",), features.location),
        "covariate_scale": (("covariate",), features.scale),
        "covariate_x": (("model", "covariate"), features.x),
        "group_kind": (("group",), features.group_kind),
        "group_member": (("model", "group"), features.groups),
    }
    if posterior.families.names:
        variables["family_member"] = (("benchmark", "benchmark_family"), posterior.families.members)
    for name, value in posterior.transform.to_arrays().items():
        variables[f"transform_{name}"] = (("benchmark",), value)
    return variables


def _meta(posterior: StoredPosterior) -> dict[str, Any]:
    calibration = posterior.calibration
    tables = {
        "models": to_plain(posterior.matrix.models),
        "benchmarks": to_plain(posterior.matrix.benchmarks),
    }
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "spec": json_text(asdict(posterior.spec)),
        "provenance": posterior.provenance.to_json(),
        "diagnostics": posterior.diagnostics.to_json(arrays=False),
        "tables": json_text(tables),
        "has_calibration": int(calibration is not None),
        "calibration": json_text(
            {}
            if calibration is None
            else {
                "engine": calibration.engine,
                "features": calibration.features,
                "version": calibration.version,
            }
        ),
    }


def to_datatree(posterior: StoredPosterior) -> xr.DataTree:
    """Lay out the posterior as a DataTree: the schema of the file, and what ArviZ takes.

    Returns
    -------
    xarray.DataTree
        Groups posterior, sample_stats, observed_data, constant_data, bayesbench.
    """
    import xarray as xr

    coordinates = _coordinates(posterior)
    calibration = posterior.calibration

    def dataset(variables: Mapping[str, Variable], **attrs: Any) -> xr.Dataset:
        kept = {name: item for name, item in variables.items() if item[1].size}
        used = {dim for dims, _ in kept.values() for dim in dims}
        coords = {dim: coordinates[dim] for dim in coordinates if dim in used}
        return xr.Dataset(kept, coords=coords, attrs=attrs)

    arrays = {
        f"{group}_{name}": np.asarray(value)
        for group, content in (
            ("diagnostics", posterior.diagnostics.arrays),
            ("calibration", {} if calibration is None else calibration.to_arrays()),
        )
        for name, value in content.items()
    }
    draws = {name: (("chain", "draw", *DRAW_DIMS[name]), v) for name, v in posterior.draws.items()}
    # all coordinates stand in the group of the draws, used or not: the ids are read from there
    everything = xr.Dataset(
        draws, {dim: values for dim, values in coordinates.items() if len(values)}
    )
    return xr.DataTree.from_dict(
        {
            "posterior": everything,
            "sample_stats": dataset(_sample_stats(posterior)),
            "observed_data": dataset(_observed(posterior.matrix)),
            "constant_data": dataset(_constant(posterior)),
            "bayesbench": dataset(
                {name: _anonymous(name, value) for name, value in arrays.items()},
                **_meta(posterior),
            ),
        }
    )


def _packing(value: Array) -> dict[str, Any]:
    """CF packing of one quantity: int16 with a step and an offset."""
    low, high = float(np.nanmin(value)), float(np.nanmax(value))
    spread = float(np.nanstd(value, dtype=np.float64))
    step = max((high - low) / 65_000, spread / PACK_STEPS_PER_SD, 1e-12)
    return {
        "dtype": "int16",
        "scale_factor": np.float32(step),
        "add_offset": np.float32((high + low) / 2),
        "_FillValue": np.int16(-32_768),
    }


def _encoding(tree: xr.DataTree, *, pack: bool) -> dict[str, dict[str, dict[str, Any]]]:
    encoding: dict[str, dict[str, dict[str, Any]]] = {}
    for node in tree.children.values():
        group = encoding.setdefault(node.path, {})
        for name, variable in node.dataset.data_vars.items():
            if variable.dtype.kind in "OUST" or not variable.ndim:
                continue
            settings: dict[str, Any] = {"zlib": True, "complevel": 4, "shuffle": True}
            settings["fletcher32"] = True
            settings["chunksizes"] = variable.shape
            if pack and node.name == "posterior" and variable.size >= PACK_LEAST_SIZE:
                settings |= _packing(variable.to_numpy())
            group[str(name)] = settings
    return encoding


def save(posterior: StoredPosterior, path: str | os.PathLike[str], *, pack: bool = False) -> None:
    """Write `posterior` to `path`, whole or not at all (see `front.posterior.Posterior.save`)."""
    target = Path(path)
    tree = to_datatree(posterior)
    if pack:
        held_draws = tree.children["posterior"].to_dataset(inherit=False)
        seen = _seen(posterior.matrix, posterior.features, posterior.families)
        fewer = left_out({name: posterior.draws[name] for name in _left(posterior)}, seen)
        new = {name: (held_draws[name].dims, value) for name, value in fewer.items()}
        tree.children["posterior"].dataset = held_draws.assign(new)
    encoding = _encoding(tree, pack=pack)
    errors = {
        name: float(settings["scale_factor"]) / 2
        for name, settings in encoding["/posterior"].items()
        if "scale_factor" in settings
    }
    tree["bayesbench"].attrs["packing_error"] = json.dumps(errors)
    # made in memory: HDF5 ends the process when a disk is full
    held = tree.to_netcdf(engine="h5netcdf", encoding=encoding)
    write_bytes(target, held, error=PosteriorFileError)


def _left(posterior: StoredPosterior) -> list[str]:
    return [name for name in LEFT_OUT if name in posterior.draws]


def _seen(
    matrix: ScoreMatrix, features: ModelFeatures, families: BenchmarkFamilies
) -> dict[str, Array]:
    members = families.members.reshape(matrix.shape[1], len(families.names))
    return seen_effects(matrix.observed, features.groups, members)


def load(path: str | os.PathLike[str], kind: type[P]) -> P:
    """Read a posterior file as a `kind` of posterior; nothing in it is executed."""
    import h5py

    source = Path(path)
    if not source.exists():
        raise PosteriorFileError(f"{source}: no such file; name a posterior written by a fit")
    if not source.is_file():
        raise PosteriorFileError(f"{source}: not a file; name a posterior written by a fit")
    try:
        with h5py.File(source, "r") as file:
            _check_format(source, file)
            return _read(file, kind)
    except PosteriorFileError as error:
        text = str(error)
        if text.startswith(str(source)):
            raise
        raise PosteriorFileError(f"{source}: {text}") from None
    except PermissionError as error:
        raise PosteriorFileError(f"{source}: may not be read; check its permissions") from error
    except (
        BayesbenchError, OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError,
        IndexError, MemoryError,
    ) as error:  # fmt: skip
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise PosteriorFileError(
            f"{source}: truncated, damaged or not a bayesbench posterior ({reason}); make it "
            "again or fetch it anew"
        ) from error


def _check_format(source: Path, file: Any) -> None:
    if "bayesbench" not in file or file["bayesbench"].attrs.get("format") != FORMAT:
        raise PosteriorFileError(f"{source}: not a bayesbench posterior; name one written by a fit")
    version = int(np.ravel(file["bayesbench"].attrs["format_version"])[0])
    if version > FORMAT_VERSION:
        raise PosteriorFileError(
            f"{source}: format {version} is newer than {FORMAT_VERSION}, the newest this version "
            "reads; update bayesbench"
        )


def _decoded(variable: Any) -> Array:
    """Values of an HDF5 dataset as xarray would decode them."""
    import h5py

    if h5py.check_string_dtype(variable.dtype) is not None:
        return np.asarray(variable.asstr()[...], dtype=object)
    raw = variable[...]
    if "scale_factor" not in variable.attrs:
        return np.asarray(raw)
    step = np.float32(variable.attrs["scale_factor"].item())
    offset = np.float32(variable.attrs["add_offset"].item())
    values = raw.astype(np.float32)
    values *= step
    values += offset
    if variable.name.rpartition("/")[2] in LEFT_OUT:
        values[raw == variable.attrs["_FillValue"]] = np.nan
    return np.asarray(values)


def _named(group: Any, prefix: str) -> Iterator[tuple[str, Array]]:
    for name in group:
        if name.startswith(prefix) and "_dim_" not in name:
            yield name.removeprefix(prefix), _decoded(group[name])


def _read(file: Any, kind: type[P]) -> P:
    draws_group, own = file["posterior"], file["bayesbench"]
    ids = {dim: ids_of(draws_group, dim) for dim in ("model", "benchmark", "covariate", "group")}
    kinds = tuple(ids_of(draws_group, "kind"))
    matrix = _read_matrix(file["observed_data"], json.loads(own.attrs["tables"]), ids)
    constant = file["constant_data"]
    stored = dict(_named(constant, "transform_"))
    diagnostics = Diagnostics.from_json(own.attrs["diagnostics"])
    features = _read_features(constant, ids, kinds)
    families = _read_families(constant, ids_of(draws_group, "benchmark_family"))
    draws = {name: _decoded(draws_group[name]) for name in DRAW_DIMS if name in draws_group}
    seen = _seen(matrix, features, families)
    return kind(
        draws=drawn_again(draws, seen, features.group_kind),
        matrix=matrix,
        transform=Transform.from_arrays(ids["benchmark"], stored),
        features=features,
        spec=_read_spec(json.loads(own.attrs["spec"])),
        provenance=Provenance.from_json(own.attrs["provenance"]),
        diagnostics=Diagnostics(
            diagnostics.verdict,
            diagnostics.reasons,
            diagnostics.summary,
            dict(_named(own, "diagnostics_")),
        ),
        sample_stats={
            name: value
            for name, value in _named(file["sample_stats"], "")
            if name not in ("chain", "draw")
        },
        calibration=_read_calibration(own),
        families=families,
    )


def _read_calibration(own: Any) -> Calibration | None:
    if not np.any(own.attrs["has_calibration"]):
        return None
    # files of the first version do not say how it was learned
    about: dict[str, Any] = {"version": 1}
    if "calibration" in own.attrs:
        about = json.loads(own.attrs["calibration"])
    if "features" in about:
        about["features"] = tuple(about["features"])
    try:
        return Calibration.from_arrays(dict(_named(own, "calibration_")), **about)
    except DataError as error:
        raise PosteriorFileError(str(error)) from None


def _read_spec(data: dict[str, Any]) -> ModelSpec:
    def tuples(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}

    priors = Priors(**tuples(data.pop("priors")))
    # files from before these parts took every score at face value, and of every cell the first
    absent = {"censored": False, "item_noise": 0.0, "readings": "first"}
    return ModelSpec(**{**absent, **tuples(data)}, priors=priors)


def _read_families(constant: Any, names: list[str]) -> BenchmarkFamilies:
    if not names:
        return BenchmarkFamilies.none()
    return BenchmarkFamilies(tuple(names), _decoded(constant["family_member"]))


def _read_features(
    constant: Any, ids: Mapping[str, list[str]], kinds: tuple[str, ...]
) -> ModelFeatures:
    n_models, n_covariates, n_groups = (len(ids[d]) for d in ("model", "covariate", "group"))

    def read(name: str, shape: tuple[int, ...]) -> Array:
        return _decoded(constant[name]) if name in constant else np.zeros(shape)

    return ModelFeatures(
        covariate_names=tuple(ids["covariate"]),
        location=read("covariate_location", (n_covariates,)),
        scale=read("covariate_scale", (n_covariates,)),
        x=read("covariate_x", (n_models, n_covariates)),
        group_names=tuple(ids["group"]),
        group_kind=read("group_kind", (n_groups,)).astype(np.int64),
        kinds=kinds,
        groups=read("group_member", (n_models, n_groups)),
        model_ids=tuple(ids["model"]),
    )


def _read_matrix(
    observed: Any, tables: Mapping[str, Any], ids: Mapping[str, list[str]]
) -> ScoreMatrix:
    models = from_plain(tables["models"], ids["model"], "model_id")
    benchmarks = from_plain(tables["benchmarks"], ids["benchmark"], "benchmark_id")
    readings = {
        "model_id": models.index.take(observed["reading_model"][...]),
        "benchmark_id": benchmarks.index.take(observed["reading_benchmark"][...]),
        "score": observed["reading_score"][...],
        "reading": observed["reading_number"][...].astype(np.int64),
    }
    for name in ("n_items", "stderr"):
        if f"reading_{name}" in observed:
            readings[name] = observed[f"reading_{name}"][...]
    return ScoreMatrix(models, benchmarks, pd.DataFrame(readings))
