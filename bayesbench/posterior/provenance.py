"""Where a posterior comes from: engine, settings, seed, data, versions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..jsonable import json_text

__all__ = ["Provenance"]


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
