"""The netCDF file of an item bank: written whole or not at all, read without executing anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..files import write_bytes
from .bank import ItemBank

__all__ = ["open_bank", "save_bank"]

FORMAT = "bayesbench item bank"
FORMAT_VERSION = 1
DIMS = {
    "easiness": ("item",),
    "slope": ("item", "factor"),
    "covariance": ("item", "parameter", "parameter_"),
    "ability": ("model", "factor"),
    "ability_covariance": ("model", "factor", "factor_"),
    "slope_scale": ("factor",),
}
"""Dims of the arrays of the file, which is also their list."""
TEXTS = ("benchmark_id", "category")
"""Columns of the items that are kept; the second need not be there."""


def save_bank(bank: ItemBank, path: str | os.PathLike[str]) -> None:
    """Write a bank to a netCDF file, which takes the place of what stood there when it is whole.

    Ids, benchmarks and categories, posterior means and covariances, scales, width factors; further
    columns of the items are not kept.

    Raises
    ------
    DataError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> bank = fit_bank(simulate_items(20, 10, seed=1).responses, factors=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_bank(bank, f"{folder}/bank.nc")
    ...     open_bank(f"{folder}/bank.nc")
    ItemBank(10 items, 1 factors, from 20 models)
    """
    import xarray as xr

    held = xr.Dataset(
        {
            **{name: (dims, getattr(bank, name)) for name, dims in DIMS.items()},
            **{
                name: (("item",), bank.items[name].to_numpy(dtype=object))
                for name in TEXTS
                if name in bank.items
            },
        },
        coords={
            "item": bank.items.index.to_numpy(dtype=object),
            "model": np.array(bank.model_ids, dtype=object),
        },
        attrs={
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "easiness_prior": np.array(bank.easiness_prior),
            "iterations": bank.iterations,
            "converged": int(bank.converged),
            "width_budgets": np.array(list(bank.width_factors), dtype=np.int64),
            "width_factors": np.array(list(bank.width_factors.values()), dtype=np.float64),
        },
    )
    encoding = {name: {"zlib": True, "fletcher32": True} for name in DIMS}
    # made in memory: HDF5 ends the process when a disk is full
    write_bytes(path, held.to_netcdf(engine="h5netcdf", encoding=encoding))


def open_bank(path: str | os.PathLike[str]) -> ItemBank:
    """Read a bank that `save_bank` wrote.

    Raises
    ------
    DataError
        There is no such file; it is another one, damaged, or of a newer format.
    """
    import h5py

    source = Path(path)
    if not source.is_file():
        raise DataError(f"{source}: no such file; name an item bank")
    try:
        with h5py.File(source, "r") as file:
            _check_format(source, file.attrs)
            return _read(file)
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(str(source)) else f"{source}: {text}") from None
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise DataError(
            f"{source}: truncated, damaged or no item bank ({reason}); fit it again"
        ) from error


def _check_format(source: Path, attributes: Any) -> None:
    if attributes.get("format") != FORMAT:
        raise DataError(f"{source}: not an item bank; name one that was saved as such")
    version = int(np.ravel(attributes["format_version"])[0])
    if version > FORMAT_VERSION:
        raise DataError(
            f"{source}: format {version} is newer than {FORMAT_VERSION}, the newest this version "
            "reads; update bayesbench"
        )


def _read(file: Any) -> ItemBank:
    def texts(name: str) -> list[str]:
        return [str(value) for value in file[name].asstr()[...]]

    items = pd.DataFrame(
        {name: texts(name) for name in TEXTS if name == "benchmark_id" or name in file},
        index=pd.Index(texts("item"), name="item_id", dtype="str"),
    )
    mean, sd = (float(value) for value in file.attrs["easiness_prior"])
    widths = [np.ravel(file.attrs.get(name, [])) for name in ("width_budgets", "width_factors")]
    arrays = {name: np.asarray(file[name][...]) for name in DIMS}
    return ItemBank(
        items=items,
        model_ids=tuple(texts("model")),
        easiness_prior=(mean, sd),
        iterations=int(np.ravel(file.attrs["iterations"])[0]),
        converged=bool(np.ravel(file.attrs["converged"])[0]),
        width_factors={int(n): float(x) for n, x in zip(*widths, strict=True)},
        **arrays,
    )
