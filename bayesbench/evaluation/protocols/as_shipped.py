"""Protocol P7: a model the posterior has never seen, asked about as users ask."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...errors import DataError, UsageError
from ...front.posterior import BUNDLED, open_posterior
from ...scores.datasets import bundled_path
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable
from ..figures import short
from ..honesty import Judged, tables
from ..predictions import BoolArray, CellPredictions, IntArray
from ..predictor import AskingMethod, Predictor, Setting
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least, different_texts, whole_numbers
from .outside import with_outsiders
from .releases import last_day

__all__ = ["AsShipped"]

CUTOFFS = ("2025-10-01", "2026-02-01")
INPUTS = ("scores", "facts", "id")
REVEALS = ("random", "adaptive")
SHIPPED = "bundled"
"""Stands for the file of the posterior that ships with the package."""
BLOCK = 8
"""So many models asked about a given posterior go to a method together."""


@dataclass(frozen=True)
class AsShipped:
    """Ask about models that a posterior has never seen, each alone, as a user would.

    With `cutoffs` a posterior is fitted to the models released before each of them, and every model
    released later is conditioned on some of its scores. With `posterior` there is no fit: the
    models that were not among the fitted ones are asked about.

    Attributes
    ----------
    cutoffs : sequence of str
        ISO dates. Models without a release date are on neither side.
    posterior : str, optional
        A posterior file, or ``"bundled"`` for the one that ships.
    inputs : sequence of {"scores", "facts", "id"}
        What is told of a model: scores alone, without an id; its facts too; its real id too.
    reveals : sequence of {"random", "adaptive"}
        Which of its scores are shown: drawn at random, or run one after the other as recommended.
    ks : sequence of int
        Numbers of revealed scores.
    seeds : int
        Random draws of the revealed scores; what is recommended is always the same.
    min_model, min_benchmark : int, optional
        Models and benchmarks with fewer scores are left out of a fit; by default as `fit` does.
    seed : int
        The first one; of the methods too.
    max_folds : int, optional
        Only the first so many tasks.

    Raises
    ------
    UsageError
        If a value is out of its range, or `cutoffs` stand beside `posterior`.

    Examples
    --------
    >>> AsShipped(posterior="bundled", ks=[3, 5]).inputs
    ('scores', 'facts', 'id')
    """

    cutoffs: Sequence[str] = CUTOFFS
    posterior: str | None = None
    inputs: Sequence[str] = INPUTS
    reveals: Sequence[str] = REVEALS
    ks: Sequence[int] = (0, 1, 3, 5, 10)
    seeds: int = 3
    min_model: int | None = None
    min_benchmark: int | None = None
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "as-shipped"
    setting: ClassVar[Setting] = "shipped"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "crossed": ("scale", "input", "reveal", "k"),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        object.__setattr__(self, "inputs", different_texts(self, "inputs", INPUTS))
        object.__setattr__(self, "reveals", different_texts(self, "reveals", REVEALS))
        object.__setattr__(self, "cutoffs", _dates(self.cutoffs))
        if self.posterior is not None:
            object.__setattr__(self, "posterior", str(self.posterior))
            if self.cutoffs != CUTOFFS:
                raise UsageError("a posterior is given: there is nothing to fit, leave out cutoffs")
        at_least(self, 1, "seeds", "max_folds")
        at_least(self, 0, "seed", "min_model", "min_benchmark")

    def prepared(self, matrix: ScoreMatrix) -> ScoreMatrix:
        """With a posterior its own scores, and below them the models it never saw."""
        if self.posterior is None:
            return matrix
        return with_outsiders(open_posterior(self._file), matrix)

    def planned_by(
        self, matrix: ScoreMatrix, method: Predictor, executor: Executor | None = None
    ) -> AsShipped:
        """With what the method can be told and asked: a peer gets random scores alone."""
        inputs: tuple[str, ...] = INPUTS[:1]
        reveals: tuple[str, ...] = REVEALS[:1]
        if isinstance(method, AskingMethod):
            inputs, reveals = method.inputs, method.reveals
        known = tuple(one for one in self.inputs if one in inputs)
        ways = tuple(one for one in self.reveals if one in reveals)
        return replace(self, inputs=known or inputs[:1], reveals=ways or reveals[:1])

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per model, draw, k, input and way to reveal, in this order.

        A model with no more than k scores on the fitted benchmarks sits out at k. With k = 0
        nothing is drawn, so there is one draw; a draw for a larger k contains that for a smaller.

        Raises
        ------
        DataError
            If no model is left to fit or to ask about, or the matrix is not that of the posterior.
        """
        tasks: list[FoldTask] = []
        for number, part in enumerate(self._parts(matrix)):
            for place, row in enumerate(part.later):
                tasks.extend(self._of_model(matrix, part, number, int(row), place))
        return tasks[: self.max_folds]

    def arranged(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[FinishedFold]:
        """The folds with what a method revealed to itself taken out of its cells."""
        return [
            _settled(fold) if fold.task.tags["reveal"] == "adaptive" else fold for fold in folds
        ]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all cells, then those of `honesty`, clustered by model, by what sets apart.

        ``by_scale``, ``by_k``, ``by_input``, ``by_reveal``, ``by_cutoff`` and ``crossed``, each by
        scale first, so that percentages and ratings are never pooled.
        """
        judged = Judged.of(folds, table, "model_id")
        return {
            **short(table),
            "by_scale": tables(judged),
            **{f"by_{name}": tables(judged, name) for name in ("k", "input", "reveal", "cutoff")},
            "crossed": tables(judged, *self.parts["crossed"][1:]),
        }

    @property
    def _file(self) -> str:
        if self.posterior == SHIPPED:
            return str(bundled_path("models", BUNDLED))
        return str(self.posterior)

    def _parts(self, matrix: ScoreMatrix) -> Iterator[_Part]:
        if self.posterior is not None:
            yield self._outside(matrix)
            return
        # fitting brings jax, which the peers do without where nothing is fitted
        from ...fitting.fit import filtered

        days = [last_day(text) for text in matrix.models["release_date"]]
        for cutoff in self.cutoffs:
            date = dt.date.fromisoformat(cutoff)
            before = [i for i, day in enumerate(days) if day is not None and day < date]
            later = [i for i, day in enumerate(days) if day is not None and day >= date]
            if not before or not later:
                what = "before" if not before else "from it on"
                raise DataError(f"cutoff {cutoff}: no model was released {what}; choose another")
            past = matrix.subset(models=[matrix.model_ids[i] for i in before])
            fitted, _ = filtered(past, self.min_model, self.min_benchmark)
            yield _Part(
                cutoff,
                np.array([matrix.model_index(name) for name in fitted.model_ids]),
                np.isin(matrix.benchmark_ids, fitted.benchmark_ids),
                np.array(later),
            )

    def _outside(self, matrix: ScoreMatrix) -> _Part:
        posterior = open_posterior(self._file)
        m = len(posterior.model_ids)
        own = matrix.model_ids[:m], matrix.benchmark_ids
        if own != (posterior.model_ids, posterior.benchmark_ids):
            raise DataError("the matrix is not that of the posterior with others; use `prepared`")
        digest = hashlib.sha256(Path(self._file).read_bytes()).hexdigest()[:12]
        columns = np.ones(matrix.shape[1], dtype=np.bool_)
        later = np.arange(m, matrix.shape[0])
        return _Part(digest, np.arange(m), columns, later, self._file)

    def _of_model(
        self, matrix: ScoreMatrix, part: _Part, number: int, row: int, place: int
    ) -> Iterator[FoldTask]:
        usable = np.flatnonzero(matrix.observed[row] & part.columns)
        # the columns that were not fitted are shown to nobody
        unused = np.zeros(matrix.shape, dtype=np.bool_)
        unused[np.ix_(part.fitted, ~part.columns)] = True
        unused[row] = True
        everything = unused & matrix.observed
        group = part.name if not part.posterior else f"{part.name}/{place // BLOCK}"
        for draw in range(self.seeds):
            rng = np.random.default_rng([self.seed, number, row, draw])
            order = rng.permutation(usable)
            for k in self.ks:
                if order.size <= k or (k == 0 and draw):
                    continue
                shown = np.sort(order[:k])
                hidden = everything.copy()
                hidden[row, shown] = False
                for one in self.inputs:
                    for reveal in self.reveals:
                        free = reveal == "adaptive"
                        if free and (draw or k == 0):
                            continue
                        cells = usable if free else np.sort(order[k:])
                        yield FoldTask(
                            seed=self.seed + draw,
                            fold=row,
                            cells=_on_row(row, cells),
                            hidden=everything if free else hidden,
                            # the same whatever is told, so that inputs are compared in pairs
                            random_seed=task_seed(self.seed, number, row, draw),
                            rows=np.append(part.fitted, row),
                            revealed=_on_row(row, shown[:0] if free else shown),
                            label=f"{part.name} {one} {reveal} k={k}",
                            group=group,
                            tags={
                                "cutoff": part.name if not part.posterior else "none",
                                "input": one,
                                "reveal": reveal,
                                "k": k,
                            },
                            posterior=part.posterior,
                        )


@dataclass(frozen=True, eq=False)
class _Part:
    """A fit (or a given posterior) and the models to ask about; `columns` are those fitted."""

    name: str
    fitted: IntArray
    columns: BoolArray
    later: IntArray
    posterior: str = ""


def _dates(given: Sequence[str]) -> tuple[str, ...]:
    found = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
    try:
        for text in found:
            dt.date.fromisoformat(text)
    except (TypeError, ValueError):
        found = ()
    if not found or len(set(found)) < len(found):
        raise UsageError(
            f"cutoffs of AsShipped must be different dates like ('2025-10-01',), got {given!r}"
        )
    return found


def _on_row(row: int, columns: IntArray) -> IntArray:
    return np.stack([np.full(columns.size, row), columns], axis=1).astype(np.int64)


def _settled(fold: FinishedFold) -> FinishedFold:
    """A fold whose method revealed scores itself, as if they had been shown."""
    task, made = fold.task, fold.predictions
    shown = np.asarray(made.extras["shown"], dtype=np.bool_)
    hidden = task.hidden.copy()
    hidden[tuple(task.cells[shown].T)] = False
    left = ~shown

    def chosen(values: Any) -> Any:
        return None if values is None else values[left]

    predictions = CellPredictions(
        made.median[left],
        chosen(made.quantiles),
        chosen(made.lower),
        chosen(made.upper),
        {name: values[left] for name, values in made.extras.items()},
    )
    return FinishedFold(
        replace(task, cells=task.cells[left], hidden=hidden, revealed=task.cells[shown]),
        predictions,
        fold.truth[left],
        fold.seconds,
    )
