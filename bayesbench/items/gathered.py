"""Answers gathered one by one from the files of other tools, and made into ``ItemResponses``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError, SchemaError
from .responses import ItemResponses, smallest

__all__ = ["Gathered", "changed"]

MOST_NAMED = 3


@dataclass
class Gathered:
    """Answers so far.

    A cell may hold several runs of one file; a further file may not add to it.

    Attributes
    ----------
    cells : dict of (model, item) to [correct, trials]
    benchmarks : dict of item to benchmark
    files : dict of (model, item) to file
    prompts : dict of item to what identifies its prompt
    notes : list of str
    """

    cells: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    benchmarks: dict[str, str] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    prompts: dict[str, set[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(
        self, place: str, file: str, model: str, item: str, benchmark: str, share: float
    ) -> None:
        """Add one run.

        Raises
        ------
        SchemaError
            Another file has answers of the model to the item.
        """
        key = (model, item)
        other = self.files.setdefault(key, file)
        if other != file:
            raise SchemaError(
                f"{place}: model {model!r} answered {item} in {other} already; keep one of the two"
            )
        cell = self.cells.setdefault(key, [0.0, 0.0])
        cell[0] += share
        cell[1] += 1
        self.benchmarks[item] = benchmark

    def prompt(self, item: str, identity: str) -> None:
        """Remember what an item was asked with."""
        self.prompts.setdefault(item, set()).add(identity)

    def responses(self) -> ItemResponses:
        """All of them.

        Raises
        ------
        DataError
            There is no answer.
        """
        if not self.cells:
            raise DataError("no answers in the files; name files with samples that were scored")
        models = {name: at for at, name in enumerate(dict.fromkeys(m for m, _ in self.cells))}
        items = {name: at for at, name in enumerate(self.benchmarks)}
        held = np.zeros((2, len(models), len(items)), dtype=np.float32)
        for (model, item), (correct, trials) in self.cells.items():
            held[:, models[model], items[item]] = correct, trials
        return ItemResponses.of(
            np.where(held[1] > 0, held[0], np.nan),
            list(models),
            list(items),
            list(self.benchmarks.values()),
            trials=smallest(held[1]),
            notes=(*self.notes, *changed(list(items), self.prompts)),
        )


def changed(items: list[str], prompts: dict[str, set[str]]) -> tuple[str, ...]:
    """What to say of documents that changed and of prompts that differ.

    Examples
    --------
    >>> changed(["t/1:a", "t/1:b"], {"t/1:a": {"x", "y"}})[0]
    '1 documents differ between models and count as several items: t/1'
    """
    documents = [item.rpartition(":")[0] for item in items if ":" in item]
    several = sorted({name for name, times in Counter(documents).items() if times > 1})
    differing = [item for item in items if len(prompts.get(item, ())) > 1]
    notes = []
    for found, what in (
        (several, "documents differ between models and count as several items"),
        (differing, "items were asked with different prompts"),
    ):
        if found:
            notes.append(f"{len(found)} {what}: {', '.join(found[:MOST_NAMED])}")
    return tuple(notes)
