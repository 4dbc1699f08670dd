"""Arrays as text for the page: whole numbers with a scale and an offset, or 32-bit floats."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BYTE", "WORD", "as_floats", "in_steps", "seen_only", "text"]

BYTE, WORD = np.dtype("u1"), np.dtype("<u2")
"""Types of the whole numbers: 256 or 65,536 steps between the least and the largest."""

Array = NDArray[Any]


def text(value: Array) -> str:
    """Bytes of an array, row by row, in base64."""
    return base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")


def as_floats(value: Array) -> dict[str, Any]:
    """An array as 32-bit floats."""
    return {"data": text(value.astype("<f4"))}


def in_steps(value: Array, kind: np.dtype[Any]) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """An array in steps of one size, and what the page reads back from them.

    Parameters
    ----------
    value : array
    kind : dtype
        `BYTE` or `WORD`.
    """
    most = float(np.iinfo(kind).max)
    low, high = float(value.min(initial=0.0)), float(value.max(initial=0.0))
    scale = (high - low) / most or 1.0
    steps = np.clip(np.rint((value.astype(np.float64) - low) / scale), 0, most)
    packed = {"data": text(steps.astype(kind)), "scale": scale, "offset": low}
    return packed, (low + scale * steps).astype(np.float32)


def seen_only(
    value: Array, seen: NDArray[np.bool_], kind: np.dtype[Any]
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Draws of effects (draw, row, column) without those that no score depends on.

    ``withUnseen`` of ``assets/engine.js`` draws the others again.

    Parameters
    ----------
    value : (S, R, C) array
    seen : (R, C) bool array
        From `posterior.unseen.seen_effects`.
    kind : dtype
        `BYTE` or `WORD`.

    Returns
    -------
    dict
        As of `in_steps`, with a bit per effect in ``seen``.
    (S, n) array
        What the page reads back of the seen ones.
    """
    packed, read = in_steps(value[:, seen], kind)
    return {**packed, "seen": text(np.packbits(seen))}, read
