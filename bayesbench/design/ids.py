"""Positions of ids; an unknown or a repeated one is named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..scores.ids import look_up

__all__ = ["id_indices"]


def id_indices(known: Sequence[str], wanted: Sequence[str], kind: str) -> npt.NDArray[np.intp]:
    """Positions of ``wanted`` in ``known``.

    Raises
    ------
    UnknownIdError
        For an id that is not known, with the nearest ones.
    UsageError
        For an id named twice.
    """
    positions = {name: index for index, name in enumerate(known)}
    seen: set[str] = set()
    for name in wanted:
        look_up(kind, name, positions)
        if name in seen:
            raise UsageError(f"{kind} {name!r} is named twice")
        seen.add(name)
    return np.array([positions[name] for name in wanted], dtype=np.intp)
