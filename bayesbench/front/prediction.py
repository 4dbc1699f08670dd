"""``Prediction``: labelled, calibrated answers about scores, and joint draws behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..answers.joint import LEAST_DRAWS, Kind, ScoreDraws
from ..answers.predictive import LatentDraws, Predictive, Target
from ..errors import UsageError
from ..scores.ids import Names

__all__ = ["Average", "CellPrediction", "Prediction"]

Floats = NDArray[np.float64]

MOST_NUMBERS = 40_000_000
"""Joint draws of more numbers than this are refused: they would not fit into memory."""
SHOWN = 8
"""Rows of a prediction that its repr shows."""


@dataclass(frozen=True, eq=False)
class CellPrediction:
    """The predicted score of one model on one benchmark, score points.

    Attributes
    ----------
    model_id, benchmark_id : str
    median, mean, sd : float
    observed : float
        The score that is known; NaN where there is none. What is predicted is another reading.
    target : {"reading", "mean"}
        What is predicted: a new reading, or the mean over readings.

    Examples
    --------
    >>> import bayesbench as bb
    >>> cell = bb.open_posterior().predict("gpt-5", benchmark="hle")
    >>> low, high = cell.interval(0.5)
    >>> bool(low < cell.median < high)
    True
    >>> cell.p_at_least(101)
    0.0
    """

    model_id: str
    benchmark_id: str
    median: float
    mean: float
    sd: float
    observed: float
    _cell: Predictive
    target: Target = "reading"

    def interval(self, prob: float = 0.9) -> tuple[float, float]:
        """Equal-tailed interval that holds the score with probability `prob`."""
        lower, upper = self._cell.interval(prob)
        return float(lower[0]), float(upper[0])

    def quantile(self, level: float) -> float:
        """Score below which what is predicted lies with probability `level`."""
        return float(self._cell.at(level)[0])

    def p_within(self, points: float = 10.0) -> float:
        """Probability that the score lies within `points` of its median."""
        return float(self._cell.p_within(points)[0])

    def p_at_least(self, score: float) -> float:
        """Probability of a score of at least `score`."""
        return float(self._cell.p_at_least(score)[0])

    def __repr__(self) -> str:
        lower, upper = self.interval(0.9)
        what = "mean over readings " if self.target == "mean" else ""
        return (
            f"{self.model_id} on {self.benchmark_id}: {what}{self.median:.1f} "
            f"(90 % interval {lower:.1f} to {upper:.1f})"
        )


@dataclass(frozen=True, eq=False)
class Average:
    """A weighted average of predicted scores, from joint draws.

    Attributes
    ----------
    name : str
        What is averaged.
    draws : (N,) array
        Score points.

    Examples
    --------
    >>> mean = Average("average of 2 scores", np.array([60.0, 62.0, 64.0]))
    >>> mean.median, mean.p_at_least(62)
    (62.0, 0.6666666666666666)
    >>> mean
    average of 2 scores: 62.0 (90 % interval 60.2 to 63.8)
    """

    name: str
    draws: Floats

    @property
    def median(self) -> float:
        """Median."""
        return float(np.median(self.draws))

    @property
    def mean(self) -> float:
        """Mean."""
        return float(self.draws.mean())

    def interval(self, prob: float = 0.9) -> tuple[float, float]:
        """Equal-tailed interval of probability `prob`."""
        if not 0 < prob < 1:
            raise UsageError(f"interval probability must lie in (0, 1), got {prob:g}")
        lower, upper = np.quantile(self.draws, [0.5 - prob / 2, 0.5 + prob / 2])
        return float(lower), float(upper)

    def p_at_least(self, score: float) -> float:
        """Probability of an average of at least `score`."""
        return float(np.mean(self.draws >= score))

    def __repr__(self) -> str:
        lower, upper = self.interval(0.9)
        return f"{self.name}: {self.median:.1f} (90 % interval {lower:.1f} to {upper:.1f})"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of cells, labelled: of a model, of a benchmark, or of both.

    Keys are benchmarks where one model is predicted, models where one benchmark is, else
    (model, benchmark); any spelling of an id that is unique finds it.

    Attributes
    ----------
    cells : Predictive
        Calibrated unless raw ones were asked for.
    raw : Predictive
        The same cells before recalibration.
    calibrated : bool
        Whether `cells` are.
    models, benchmarks : Names
        Spellings of the ids.
    target : {"reading", "mean"}
        What is predicted.

    Notes
    -----
    What is predicted is a READING: linear predictor plus reading noise, through the inverse link;
    on request the MEAN over readings, without the noise that is new in each (`Model.predict`).

    Examples
    --------
    >>> import bayesbench as bb
    >>> p = bb.open_posterior().condition({"gpqa_diamond": 70}).predict(["hle", "ifeval"])
    >>> p.keys, p["Humanity's Last Exam"].benchmark_id
    (('hle', 'ifeval'), 'hle')
    >>> list(p.to_frame()["benchmark_id"])
    ['hle', 'ifeval']
    >>> p.draws().shape[1]
    2
    """

    cells: Predictive
    raw: Predictive
    calibrated: bool
    models: Names
    benchmarks: Names
    _latent: Callable[[], Sequence[LatentDraws]]
    _seed: int = 0
    target: Target = "reading"

    @cached_property
    def keys(self) -> tuple[str, ...] | tuple[tuple[str, str], ...]:
        """Keys of the cells, in order."""
        if len(set(self.cells.model_ids)) == 1:
            return self.cells.benchmark_ids
        if len(set(self.cells.benchmark_ids)) == 1:
            return self.cells.model_ids
        return tuple(zip(self.cells.model_ids, self.cells.benchmark_ids, strict=True))

    @cached_property
    def _position(self) -> Mapping[tuple[str, str], int]:
        pairs = zip(self.cells.model_ids, self.cells.benchmark_ids, strict=True)
        return {pair: n for n, pair in enumerate(pairs)}

    def _at(self, key: str | tuple[str, str]) -> int:
        if isinstance(key, tuple):
            pair = self.models.find(key[0]), self.benchmarks.find(key[1])
        elif len(set(self.cells.model_ids)) == 1:
            pair = self.cells.model_ids[0], self.benchmarks.find(key)
        elif len(set(self.cells.benchmark_ids)) == 1:
            pair = self.models.find(key), self.cells.benchmark_ids[0]
        else:
            raise UsageError(f"many models and benchmarks are predicted: ask for (model, {key!r})")
        if pair not in self._position:
            raise UsageError(f"{pair[0]!r} on {pair[1]!r} is not among what was predicted")
        return self._position[pair]

    def __getitem__(self, key: str | tuple[str, str]) -> CellPrediction:
        n = self._at(key)
        cell = self.cells.take([n])
        return CellPrediction(
            self.cells.model_ids[n],
            self.cells.benchmark_ids[n],
            float(cell.median[0]),
            float(cell.mean[0]),
            float(cell.sd[0]),
            float(cell.observed[0]),
            cell,
            self.target,
        )

    def __len__(self) -> int:
        return len(self.cells.model_ids)

    def __iter__(self) -> Iterator[str | tuple[str, str]]:
        return iter(self.keys)

    @property
    def median(self) -> Floats:
        """Medians in the order of `keys`, (n,), score points."""
        return self.cells.median

    def interval(self, prob: float = 0.9) -> tuple[Floats, Floats]:
        """Lower and upper ends of the equal-tailed intervals, (n,) each, score points."""
        return self.cells.interval(prob)

    def p_within(self, points: float = 10.0) -> Floats:
        """Probability that a score lies within `points` of its median, (n,)."""
        return self.cells.p_within(points)

    def p_at_least(self, score: float) -> Floats:
        """Probability of a score of at least `score`, (n,)."""
        return self.cells.p_at_least(score)

    def draws(self, kind: Kind = "score") -> Floats:
        """Joint draws of all cells, (N, n), score points; margins are those that are printed.

        Draw for draw they belong together: averages, gaps and orders may be computed from them,
        and draws of two predictions of one posterior are paired.

        Parameters
        ----------
        kind : {"score", "known", "mu"}
            See `joint.ScoreDraws.of`; "score" is what is predicted.

        Raises
        ------
        UsageError
            Too many cells for memory; or known scores, which are readings, among means.
        """
        if kind == "known" and self.target == "mean":
            raise UsageError("a known score is a reading, no mean over readings: take kind 'score'")
        parts = self._latent()
        numbers = len(self) * max(LEAST_DRAWS, *(part.n_draws for part in parts))
        if numbers > MOST_NUMBERS:
            raise UsageError(
                f"joint draws of {len(self)} cells do not fit into memory; ask for one model, one "
                "benchmark or a part"
            )
        values, start = [], 0
        for part in parts:
            at = np.arange(start, start + len(part.benchmark_ids))
            start += at.size
            raw, cells = self.raw.take(at), self.cells.take(at)
            values.append(ScoreDraws.of(part, raw, cells, kind=kind, seed=self._seed).values)
        return np.concatenate(values, axis=1)

    def average(
        self,
        of: Sequence[str | tuple[str, str]] | None = None,
        weights: Mapping[str, float] | Sequence[float] | None = None,
        *,
        kind: Kind = "score",
    ) -> Average:
        """Weighted average of some of the predicted scores, with its own doubt.

        Parameters
        ----------
        of : sequence of keys, optional
            By default all.
        weights : mapping of key to weight, or sequence, optional
            1 each by default; they need not sum to 1.
        kind : {"score", "known", "mu"}
            See `draws`; "known" takes the scores that are known as they are.

        Raises
        ------
        UsageError
            Benchmarks of different scales, or a bad weight.
        """
        keys = list(self.keys if of is None else of)
        at = np.array([self._at(key) for key in keys], dtype=np.int64)
        if not at.size:
            raise UsageError("name at least one benchmark to average")
        if np.unique(at).size < at.size:
            raise UsageError("a score is named twice in an average; name it once, with a weight")
        column = self.cells.column[at]
        ends = np.stack([self.cells.transform.lower[column], self.cells.transform.upper[column]])
        if at.size > 1 and not (ends == ends[:, :1]).all():  # NaN, no bound, equals nothing
            raise UsageError(
                "benchmarks of different scales have no average; name some with the same two bounds"
            )
        given = self._weights(keys, at, weights)
        chosen = Prediction(
            self.cells.take(at), self.raw.take(at), self.calibrated, self.models, self.benchmarks,
            lambda: _chosen(self._latent(), at), self._seed, self.target,
        )  # fmt: skip
        name = f"average of {len(keys)} scores" if len(keys) > 1 else str(keys[0])
        return Average(name, np.asarray(chosen.draws(kind) @ (given / given.sum())))

    def _weights(
        self,
        keys: Sequence[str | tuple[str, str]],
        at: NDArray[np.int64],
        weights: Mapping[str, float] | Sequence[float] | None,
    ) -> Floats:
        if weights is None:
            return np.ones(at.size)
        if isinstance(weights, Mapping):
            by_cell = {self._at(key): float(value) for key, value in weights.items()}
            odd = [key for key in weights if self._at(key) not in set(at.tolist())]
            if odd:
                raise UsageError(f"weight of {odd[0]!r}: it is not averaged; leave it out")
            given = np.array([by_cell.get(int(n), 0.0) for n in at])
        else:
            given = np.asarray(weights, np.float64)
        if given.shape != at.shape:
            raise UsageError(f"{at.size} scores to average, {given.size} weights; give one each")
        if not (np.isfinite(given).all() and (given >= 0).all() and given.sum() > 0):
            raise UsageError("weights must be 0 or more, and one of them above 0")
        return given

    def to_frame(self, prob: float = 0.9) -> pd.DataFrame:
        """One row per cell: ids, median, lower, upper, sd, p_within_10, observed."""
        lower, upper = self.interval(prob)
        return pd.DataFrame(
            {
                "model_id": self.cells.model_ids,
                "benchmark_id": self.cells.benchmark_ids,
                "median": self.median,
                "lower": lower,
                "upper": upper,
                "sd": self.cells.sd,
                "p_within_10": self.p_within(10.0),
                "observed": self.cells.observed,
            }
        )

    def __repr__(self) -> str:
        models, benchmarks = set(self.cells.model_ids), set(self.cells.benchmark_ids)
        whose = self.cells.model_ids[0] if len(models) == 1 else f"{len(models)} models"
        what = (
            self.cells.benchmark_ids[0] if len(benchmarks) == 1 else f"{len(benchmarks)} benchmarks"
        )
        honest = "calibrated" if self.calibrated else "not recalibrated"
        first = self.cells.take(np.arange(min(SHOWN, len(self))))
        lower, upper = first.interval(0.9)
        names = [key if isinstance(key, str) else " on ".join(key) for key in self.keys[:SHOWN]]
        rows = [
            f"  {name}: {median:.1f} ({low:.1f} to {up:.1f})"
            for name, median, low, up in zip(names, first.median, lower, upper, strict=True)
        ]
        more = [f"  ... {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        mean = "the mean over readings of " if self.target == "mean" else ""
        head = f"Prediction of {mean}{whose} on {what}, 90 % intervals, {honest}"
        return "\n".join([head, *rows, *more])


def _chosen(parts: Sequence[LatentDraws], at: NDArray[np.int64]) -> list[LatentDraws]:
    """Single cells of the parts, in the order of `at`."""
    ends = np.cumsum([len(part.benchmark_ids) for part in parts])
    found = []
    for n in at:
        which = int(np.searchsorted(ends, n, side="right"))
        start = int(ends[which - 1]) if which else 0
        found.append(parts[which].take([int(n) - start]))
    return found
