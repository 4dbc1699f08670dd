"""Where the files lie that ship."""

from __future__ import annotations

from pathlib import Path

from .errors import DataError

__all__ = ["BUNDLED", "bundled_path"]

BUNDLED = "open_scores.nc"
"""Name of the posterior that ships with the package."""


def bundled_path(kind: str, *parts: str) -> Path:
    """Path of something that ships with the package.

    In a wheel ``data/`` and ``models/`` lie inside the package as ``_data`` and ``_models``; in a
    checkout (also when installed as editable) they stand beside it.

    Parameters
    ----------
    kind : {"data", "models"}
        Which of the two.
    *parts : str
        Path below it.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If it is in neither place.
    """
    package = Path(__file__).resolve().parent
    for base in (package / f"_{kind}", package.parent / kind):
        path = base.joinpath(*parts)
        if path.exists():
            return path
    raise DataError(f"{'/'.join((kind, *parts))} is not installed; reinstall bayesbench-scores")
