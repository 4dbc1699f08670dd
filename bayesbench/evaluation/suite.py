"""Suites: few benchmarks that stand for all of a matrix, kept in a file and checked later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..design.costs import Costs
from ..errors import DataError, UsageError
from ..files import write_text
from ..fitting.engines.contract import Engine
from ..fitting.engines.settings import Gibbs
from ..jsonable import json_text
from ..low_rank.spec import ModelSpec
from ..progress import Report
from ..scores.matrix import ScoreMatrix
from .subsets import Plan, SuiteDifference, SuiteFigure, compared, tried

__all__ = ["Suite", "SuiteCheck", "subset"]

FORMAT = "bayesbench-suite"
VERSION = 1
LEAST_NEW = 10
"""Models that a suite was not chosen with, from which on they have figures of their own."""


@dataclass(frozen=True)
class Suite:
    """A few benchmarks that stand for all of a matrix, and how well: what `subset` gives.

    Attributes
    ----------
    benchmarks : tuple of str
        The first tells most, each of the others most given those before it.
    folds_chosen : mapping of benchmark id to int
        In how many of the folds each was chosen without the models of the fold.
    folds, sets, seed : int
        Of the test.
    figures : tuple of SuiteFigure
        Of suites on the models that had no part in their choice.
    against : tuple of SuiteDifference
        The same less that of popularity-first and of random benchmarks.
    models : tuple of str
        Those it was chosen with, by id.
    n_benchmarks : int
    data_hash : str
        Of the scores.
    candidates : tuple of str or None
        None: every benchmark.
    costs : Costs or None

    Examples
    --------
    >>> chosen = {"mmlu_pro": 5, "hle": 4}
    >>> suite = Suite(tuple(chosen), chosen, 5, 5, 0, (), (), ("a", "b"), 9, "")
    >>> suite.folds_chosen["hle"], suite.folds  # chosen in four folds of five
    (4, 5)
    """

    benchmarks: tuple[str, ...]
    folds_chosen: Mapping[str, int]
    folds: int
    sets: int
    seed: int
    figures: tuple[SuiteFigure, ...]
    against: tuple[SuiteDifference, ...]
    models: tuple[str, ...]
    n_benchmarks: int
    data_hash: str
    candidates: tuple[str, ...] | None = None
    costs: Costs | None = None

    def __str__(self) -> str:
        """The benchmarks, and the figures in words."""
        return (
            f"{len(self.benchmarks)} of {self.n_benchmarks} benchmarks: "
            f"{', '.join(self.benchmarks)}; {sentence(self.figures)}"
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as JSON, whole or not at all.

        Raises
        ------
        DataError
            It cannot be written.
        """
        write_text(path, self.to_json())

    def to_json(self) -> str:
        """Readable JSON with the format's name and version."""
        return json_text({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Suite:
        """Read a file that `save` wrote.

        Raises
        ------
        UsageError
            There is no such file.
        DataError
            It is no such file, or of a later version.
        """
        place = Path(path)
        try:
            return _read(json.loads(place.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise UsageError(f"no suite {place}: choose one and save it first") from None
        except OSError as error:
            raise DataError(f"cannot read the suite {place}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise DataError(
                f"{place} is not a usable suite file ({reason}); choose the suite again"
            ) from None

    def check(
        self,
        matrix: ScoreMatrix,
        *,
        folds: int = 5,
        sets: int = 5,
        spec: ModelSpec | None = None,
        engine: Engine | None = None,
        seed: int = 0,
        jobs: int = 1,
        report: Report | None = None,
    ) -> SuiteCheck:
        """How this suite, as it stands, does on a matrix: that of before, or a newer one.

        Models are left out of the fits that predict them, as in `subset`; but the suite stays, so
        that figures of the models it was chosen with are no test of the choice. Those of
        ``new_figures`` are.

        Parameters
        ----------
        matrix : ScoreMatrix
        folds, sets, spec, engine, seed, jobs, report
            As in `subset`.

        Raises
        ------
        DataError
            None of its benchmarks is in the matrix.
        """
        names = matrix.benchmark_names
        found = {name: names.known(name) for name in self.benchmarks}
        left = tuple(dict.fromkeys(now for now in found.values() if now is not None))
        gone = tuple(name for name, now in found.items() if now is None)
        if not left:
            raise DataError(f"none of the benchmarks of the suite is left: {', '.join(gone)}")
        among = _among(matrix, self.candidates, self.costs)
        if len(among) < len(left):  # what else there was to choose from is gone
            among = tuple(dict.fromkeys((*among, *left)))
        plan = Plan(
            matrix,
            len(left),
            among,
            suite=left,
            folds=folds,
            sets=sets,
            spec=spec or ModelSpec(),
            engine=engine or Gibbs().lighter(),
            seed=seed,
        )
        made = tried(plan, jobs=jobs, report=report)
        figures, against = compared(made, seed)
        new = ~np.isin([matrix.model_ids[row] for row in made.rows], self.models)
        own = compared(made.of(new), seed)[0] if new.sum() >= LEAST_NEW else ()
        return SuiteCheck(self, left, gone, figures, against, made.rows.size, int(new.sum()), own)


@dataclass(frozen=True)
class SuiteCheck:
    """How a suite that was chosen before does now.

    Attributes
    ----------
    suite : Suite
    benchmarks : tuple of str
        Those that there are, under their ids of now.
    gone : tuple of str
        Those that there are no more.
    figures, against
        As in `Suite`, by the benchmarks that are left.
    n_models, n_new : int
        Models tested, and those among them that the suite was not chosen with.
    new_figures : tuple of SuiteFigure
        Of the new models alone; empty where they are fewer than ten.
    """

    suite: Suite
    benchmarks: tuple[str, ...]
    gone: tuple[str, ...]
    figures: tuple[SuiteFigure, ...]
    against: tuple[SuiteDifference, ...]
    n_models: int
    n_new: int
    new_figures: tuple[SuiteFigure, ...]

    def __str__(self) -> str:
        """What is gone, and the figures of now and before in words."""
        gone = f"; gone: {', '.join(self.gone)}" if self.gone else ""
        return (
            f"{len(self.benchmarks)} of {len(self.suite.benchmarks)} benchmarks are there{gone}; "
            f"now {sentence(self.figures)}; when chosen {sentence(self.suite.figures)}"
        )


def sentence(figures: Sequence[SuiteFigure]) -> str:
    """Error and agreement in words."""
    value = {one.figure: one.value for one in figures}
    return (
        f"median error {value['medae']:.2f} % of the range, "
        f"{100 * value['pairs']:.1f} % of pairs of models in the right order"
    )


def subset(
    matrix: ScoreMatrix,
    k: int,
    *,
    candidates: Sequence[str] | None = None,
    costs: Costs | Mapping[str, float] | None = None,
    folds: int = 5,
    sets: int = 5,
    spec: ModelSpec | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    jobs: int = 1,
    report: Report | None = None,
) -> Suite:
    """Choose the k benchmarks that tell most about all others, and test the choice.

    Chosen greedily by the expected information (EPIG) about the other scores of a model, were it
    new, summed over the models that have a score on it; with costs by information per cost. The
    test leaves models out in folds: what is chosen without them predicts them from their scores on
    it, beside as many benchmarks that most models have a score for, random ones, and none. Medians
    need no recalibration, so that none is learned here; fits are light ones, a tenth of a full one.

    Parameters
    ----------
    matrix : ScoreMatrix
    k : int
    candidates : sequence of str, optional
        Choose among these; any spelling. With costs by default those that have one.
    costs : Costs or mapping of str to float, optional
    folds : int
        Parts that models are dealt into; every part takes a fit.
    sets : int
        Random sets.
    spec : ModelSpec, optional
    engine : Engine, optional
        Of every fit; by default a light one.
    seed : int
    jobs : int
        Processes.
    report : Report, optional

    Returns
    -------
    Suite

    Raises
    ------
    UsageError
        `k` is below 1 or above the number of candidates; a candidate is unknown or has no cost.
    DataError
        Too few scores to fit.

    Examples
    --------
    >>> from bayesbench.low_rank.simulate import simulate
    >>> matrix = simulate(0, 12, 6, ModelSpec(rank=0), fill=1.0).matrix
    >>> short = Gibbs(chains=1, warmup=5, draws=10, thin=1)
    >>> suite = subset(matrix, 2, folds=2, spec=ModelSpec(rank=0), engine=short)
    >>> len(suite.benchmarks), [one.figure for one in suite.figures][:2]
    (2, ['medae', 'pairs'])
    """
    names = matrix.benchmark_names
    priced = costs if costs is None or isinstance(costs, Costs) else Costs(dict(costs))
    if priced is not None:
        ids = names.resolve(priced.values)[0]
        priced = Costs(dict(zip(ids, priced.values.values(), strict=True)), priced.unit)
    named = None if candidates is None else names.resolve(candidates)[0]
    among = named if named is not None else _among(matrix, None, priced)
    plan = Plan(
        matrix,
        k,
        tuple(dict.fromkeys(among)),
        None if priced is None else priced.values,
        folds=folds,
        sets=sets,
        spec=spec or ModelSpec(),
        engine=engine or Gibbs().lighter(),
        seed=seed,
    )
    made = tried(plan, jobs=jobs, report=report)
    figures, against = compared(made, seed)
    return Suite(
        benchmarks=made.suite,
        folds_chosen={name: made.chosen.get(name, 0) for name in made.suite},
        folds=min(folds, made.rows.size),
        sets=sets,
        seed=seed,
        figures=figures,
        against=against,
        models=tuple(matrix.model_ids[row] for row in made.rows),
        n_benchmarks=matrix.shape[1],
        data_hash=matrix.data_hash,
        candidates=named,
        costs=priced,
    )


def _among(
    matrix: ScoreMatrix, candidates: Sequence[str] | None, costs: Costs | None
) -> tuple[str, ...]:
    """Benchmarks of the matrix that may be chosen; what was named and is gone is no candidate."""
    known = matrix.benchmark_names.known
    priced = None if costs is None else {known(name) for name in costs.values}
    named = matrix.benchmark_ids if candidates is None else map(known, candidates)
    return tuple(name for name in named if name is not None and (priced is None or name in priced))


def _read(held: Any) -> Suite:
    if not isinstance(held, dict) or held.pop("format", None) != FORMAT:
        raise ValueError("it is of another kind")
    version = held.pop("version", None)
    if version != VERSION:
        raise ValueError(f"version {version!r}, this program reads {VERSION}")
    costs = held["costs"]
    names = [*held["benchmarks"], *held["models"], *(held["candidates"] or ())]
    if not held["benchmarks"] or not all(isinstance(name, str) for name in names):
        raise ValueError("benchmarks and models must be lists of ids")
    counts = [held[name] for name in ("folds", "sets", "seed", "n_benchmarks")]
    if not all(type(count) is int for count in (*counts, *held["folds_chosen"].values())):
        raise ValueError("folds, sets, seed and n_benchmarks must be whole numbers")
    figures = tuple(_row(SuiteFigure, one) for one in held["figures"])
    if not {"medae", "pairs"} <= {one.figure for one in figures}:
        raise ValueError("figures must hold medae and pairs")
    return Suite(
        **{
            **held,
            "benchmarks": tuple(held["benchmarks"]),
            "models": tuple(held["models"]),
            "candidates": None if held["candidates"] is None else tuple(held["candidates"]),
            "costs": None if costs is None else Costs(**costs),
            "figures": figures,
            "against": tuple(_row(SuiteDifference, one) for one in held["against"]),
        }
    )


def _row(kind: type[Any], held: Mapping[str, Any]) -> Any:
    """A row of figures; what does not exist was written as null."""
    row = kind(**{name: np.nan if value is None else value for name, value in held.items()})
    words = [value for name, value in held.items() if name in ("figure", "against")]
    numbers = [getattr(row, name) for name in held if name not in ("figure", "against")]
    if not (
        all(isinstance(word, str) for word in words)
        and all(type(number) in (int, float) for number in numbers)
    ):
        raise ValueError(f"a row of figures is no row of numbers: {held}"[:100])
    return row
