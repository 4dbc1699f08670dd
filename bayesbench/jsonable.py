"""Plain data for JSON: the one way in which anything here becomes JSON text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text", "plain"]


def plain(value: Any) -> Any:
    """`value` in JSON's own types: arrays as lists, numbers that are not finite as None.

    Examples
    --------
    >>> plain({"width": math.nan, "ks": (1, 5)})
    {'width': None, 'ks': [1, 5]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # of numpy: an array or a single number
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON text of `plain` data; a NaN or infinity that is left is a bug and raises."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False, indent=indent)
