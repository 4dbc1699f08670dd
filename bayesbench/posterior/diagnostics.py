"""What a fit says about itself, as data: a verdict, its reasons, numbers and arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..jsonable import json_text

__all__ = ["Diagnostics"]

VERDICTS = ("pass", "warn", "fail")

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
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

    Raises
    ------
    DataError
        The verdict is none of the three.

    Examples
    --------
    >>> Diagnostics("warn", ("one chain moved little; take more draws",))
    Diagnostics: warn, the answers can be used, with these doubts: one chain moved little; take
    more draws.
    """

    verdict: str = "pass"
    reasons: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise DataError(f"verdict must be one of {', '.join(VERDICTS)}, got {self.verdict!r}")

    @property
    def findings(self) -> str:
        """The reasons on one line, those of the verdict first and without its word."""
        own = f"{self.verdict}: "
        ordered = sorted(self.reasons, key=lambda reason: not reason.startswith(own))
        return "; ".join(reason.removeprefix(own) for reason in ordered) or "no reason given"

    @property
    def sentence(self) -> str:
        """The verdict in words, with what to do about it."""
        if self.verdict == "pass":
            share = self.summary.get("rhat_eta_share_within_limit")
            seen = "" if share is None else f": the chains agree in {share:.1%} of the cells"
            return f"pass{seen}; nothing to do."
        meaning = {
            "warn": "the answers can be used, with these doubts",
            "fail": "do not rely on the answers",
        }[self.verdict]
        return f"{self.verdict}, {meaning}: {self.findings}."

    def __repr__(self) -> str:
        return f"Diagnostics: {self.sentence}"

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
