"""What was read of a table, in one line and as JSON: sizes, scales, what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ReadAccount"]

LISTED = 12
"""Names that a line lists before it says how many more there are; JSON has all."""


@dataclass(frozen=True)
class ReadAccount:
    """What was read of a table.

    Attributes
    ----------
    source : str
    form : tuple of str
        What is not usual about how it was written.
    layout : str
        ``long``, ``models in rows``, ``models in columns`` or ``directory``.
    models, benchmarks, scores, stderrs : int
        Sizes; scores with a standard error.
    scales : mapping of scale to tuple of benchmark ids
    basis : {"stated", "metadata", "proposed"}
        Where the scales come from.
    known, odd : tuple of str
        Benchmarks whose proposed scale is that of a known one; those on another scale than most.
    left_out : tuple of (str, str)
        Columns and rows that hold no scores, and why.
    facts : tuple of (str, str)
        Columns that were taken as facts about the models, and which.
    models_without, benchmarks_without : tuple of str
        Without any score; they are not in the matrix.
    taken : tuple of str
        Spellings that were taken for an id, a line each.

    Examples
    --------
    >>> print(ReadAccount("a.csv", (), "long", 2, 1, 2, scales={"percent": ("b",)}).line)
    a.csv: 2 models x 1 benchmarks, 2 scores, percent
    """

    source: str
    form: tuple[str, ...]
    layout: str
    models: int
    benchmarks: int
    scores: int
    stderrs: int = 0
    scales: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    basis: str = "stated"
    known: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    models_without: tuple[str, ...] = ()
    benchmarks_without: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def remarkable(self) -> bool:
        """Whether something was left out, is doubtful or was taken for something else."""
        without = self.models_without or self.benchmarks_without
        return bool(self.left_out or without or self.odd or self.taken or self.form)

    @property
    def line(self) -> str:
        """All of it in one line."""
        form = f" ({', '.join(self.form)})" if self.form else ""
        size = f"{self.models} models x {self.benchmarks} benchmarks, {self.scores} scores"
        if self.stderrs:
            size += f" ({self.stderrs} with a standard error)"
        parts = [f"{self.source}{form}: {size}, {self._scales()}"]
        if self.layout == "models in columns":
            parts.append("models in columns")
        if self.odd:
            parts.append(
                f"on another scale than most: {self._odd()}; --scale or --benchmarks states it"
            )
        if self.facts:
            told = [f"{name} ({fact})" for name, fact in self.facts]
            parts.append(f"facts of the models: {_listed(told)}")
        if self.left_out:
            told = [f"{name} ({why})" for name, why in self.left_out]
            parts.append(f"left out: {_listed(told)}, no scores")
        for names, what in (
            (self.models_without, "model"),
            (self.benchmarks_without, "benchmark"),
        ):
            if names:
                plural = "s" if len(names) > 1 else ""
                parts.append(f"{len(names)} {what}{plural} without any score: {_listed(names)}")
        parts += self.taken[:LISTED]
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "source": self.source,
            "form": list(self.form),
            "layout": self.layout,
            "models": self.models,
            "benchmarks": self.benchmarks,
            "scores": self.scores,
            "stderrs": self.stderrs,
            "scales": [
                {"scale": scale, "benchmark_ids": list(names)}
                for scale, names in self.scales.items()
            ],
            "scale_basis": self.basis,
            "known_benchmarks": list(self.known),
            "odd_scales": list(self.odd),
            "left_out": [{"column": name, "why": why} for name, why in self.left_out],
            "facts": [{"column": name, "fact": fact} for name, fact in self.facts],
            "models_without_scores": list(self.models_without),
            "benchmarks_without_scores": list(self.benchmarks_without),
            "taken": list(self.taken),
        }

    def _scales(self) -> str:
        by_size = sorted(self.scales.items(), key=lambda item: -len(item[1]))
        if not by_size:
            return "no scale"
        told = [by_size[0][0]]
        told += [f"{scale}: {_listed(names)}" for scale, names in by_size[1:]]
        if self.basis == "proposed":
            told.append("scale proposed, --scale states it")
        return told[0] + (f" ({'; '.join(told[1:])})" if told[1:] else "")

    def _odd(self) -> str:
        own = {name: scale for scale, names in self.scales.items() for name in names}
        return _listed([f"{name} (taken as {own.get(name, '?')})" for name in self.odd])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
