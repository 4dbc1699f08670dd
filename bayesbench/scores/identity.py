r"""Two ids of one model: found by their names, their dates and the scores they share.

The names give prior odds, every benchmark that both have a score on multiplies them by a likelihood
ratio. Two readings of one model agree exactly with probability `AGREE`, else differ by a Laplace
distribution of scale `REREADING` standard deviations of the benchmark. Two models are twins with
probability `TWINS` (snapshots and sizes of one line): their readings differ as little, but agree
exactly with probability `TWINS_AGREE` only. Else theirs agree as often as those of any two models
of the table do on that benchmark, and differ half by a Laplace distribution of scale `SIBLINGS`,
half by the normal distribution of the difference of any two models.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .ids import folded

if TYPE_CHECKING:
    from .matrix import ScoreMatrix

__all__ = ["SameModel", "same_models"]

AGREE = 0.4
"""Share of cells with several readings whose readings agree exactly: 35 to 49 % in the bundled
data."""
REREADING = 0.1
TWINS = 0.3
TWINS_AGREE = 0.05
SIBLINGS = 0.4
MOST_TIES = 0.99
LEAST_DENSITY = 1e-300
LEAST_EQUAL = 5
"""Equal scores that make a pair a candidate whatever its names."""
BLOCK = 128

SPELLING, DATED, EDITION, OTHER_DATE, STRANGERS = 0.9, 0.3, 0.1, 1e-3, 1e-6
"""Prior probabilities by how two names differ: in spelling alone, in a date that one lacks, in a
word that says nothing (``latest``), in the date itself, in anything else."""

_DATE = re.compile(r"(?<!\d)(20\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?([0-2]\d|3[01])(?!\d)")
_SHORT_DATE = re.compile(r"(?<!\d)(\d{4})(?!\d)$")
_EMPTY_WORDS = re.compile(r"(?:^|[-_ .])(latest|instruct|chat|it|preview|hf|model)(?=$|[-_ .])")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SameModel:
    """Two ids that may be one model.

    Attributes
    ----------
    first, second : str
    probability : float
        That they are one model.
    reason : str
        How the names are alike, and how many of the shared scores are equal.
    shared, equal : int
        Benchmarks both have a score on, and those with the same one.
    """

    first: str
    second: str
    probability: float
    reason: str
    shared: int
    equal: int


def same_models(matrix: ScoreMatrix, least: float = 0.5) -> tuple[SameModel, ...]:
    """Pairs of ids that are one model with at least some probability, the surest first.

    Parameters
    ----------
    matrix : ScoreMatrix
    least : float
        Smallest probability to list.

    Returns
    -------
    tuple of SameModel

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesbench.scores import ScoreMatrix
    >>> names = ["claude-3.5-sonnet-20240620", "claude-3-5-sonnet-20240620", "gpt-4o", "gpt-4"]
    >>> table = pd.DataFrame({"gpqa": [59.4, 59.4, 53.6, 35.7]}, index=names)
    >>> [pair.first for pair in same_models(ScoreMatrix.from_frame(table, scale="percent"))]
    ['claude-3-5-sonnet-20240620']
    """
    priors = _named_alike(matrix)
    for pair in _scored_alike(matrix):
        priors.setdefault(pair, (STRANGERS, "different names"))
    measure = _Evidence.of(matrix)
    found = []
    for (i, j), (prior, names) in priors.items():
        shared, equal, log_ratio = measure.between(i, j)
        odds = math.log(prior / (1 - prior)) + log_ratio
        probability = 1 / (1 + math.exp(-min(max(odds, -700.0), 700.0)))
        if probability >= least:
            first, second = sorted((matrix.model_ids[i], matrix.model_ids[j]))
            reason = f"{names}; {equal} of {shared} shared scores are equal"
            found.append(SameModel(first, second, probability, reason, shared, equal))
    return tuple(sorted(found, key=lambda one: (-one.probability, one.first, one.second)))


# Names


def _named_alike(matrix: ScoreMatrix) -> dict[tuple[int, int], tuple[float, str]]:
    """Pairs whose names say the same once dates, owners and empty words are gone."""
    parts = [_parts(name) for name in matrix.model_ids]
    groups: dict[str, list[int]] = defaultdict(list)
    for at, (core, _, _) in enumerate(parts):
        groups[core].append(at)
    found = {}
    for members in groups.values():
        for n, i in enumerate(members):
            for j in members[n + 1 :]:
                found[i, j] = _prior(parts[i], parts[j])
    for i, j in _aliased(matrix):
        found[i, j] = (SPELLING, "one is an alias of the other")
    return found


def _parts(name: str) -> tuple[str, str, str]:
    """What a name says: its core, its words without weight, its date."""
    plain = name.rsplit("/", 1)[-1].casefold()
    date = _DATE.search(plain) or _SHORT_DATE.search(plain)
    day = "" if date is None else "".join(date.groups())
    bare = plain if date is None else plain[: date.start()] + plain[date.end() :]
    words = "".join(_EMPTY_WORDS.findall(bare))
    return folded(_EMPTY_WORDS.sub("", bare)), words, day


def _prior(one: tuple[str, str, str], other: tuple[str, str, str]) -> tuple[float, str]:
    dates = {one[2], other[2]}
    if len(dates) > 1 and "" not in dates:
        short, long = sorted(dates, key=len)
        if not (len(short) == 4 < len(long) and long.endswith(short)):
            return OTHER_DATE, "the names differ in their dates"
        dates = {long}
    if one[1] != other[1]:
        return EDITION, "the names differ in words such as latest or chat"
    if len(dates) > 1:
        return DATED, "the names differ in a date that one lacks"
    return SPELLING, "the names differ in spelling alone"


def _aliased(matrix: ScoreMatrix) -> list[tuple[int, int]]:
    """Pairs of which one is named as an alias or display name of the other."""
    at = {folded(name): i for i, name in enumerate(matrix.model_ids)}
    position = {name: i for i, name in enumerate(matrix.model_ids)}
    found = []
    for spelling, own in matrix.model_names.others:
        i, j = at.get(folded(spelling)), position[own]
        if i is not None and i != j and folded(spelling) != folded(own):
            found.append((min(i, j), max(i, j)))
    return found


# Scores


def _scored_alike(matrix: ScoreMatrix) -> list[tuple[int, int]]:
    """Pairs with at least `LEAST_EQUAL` equal scores that are most of those they share."""
    values = np.where(matrix.observed, matrix.values, np.nan)
    found = []
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK, None, :]
        rest = values[None, start:, :]
        equal = (block == rest).sum(axis=2)
        shared = (np.isfinite(block) & np.isfinite(rest)).sum(axis=2)
        for i, j in np.argwhere((equal >= LEAST_EQUAL) & (2 * equal > shared)):
            if j > i:
                found.append((start + int(i), start + int(j)))
    return found


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Likelihood ratios of shared scores, by what each benchmark's scores are like."""

    values: Floats
    spread: Floats
    ties: Floats

    @classmethod
    def of(cls, matrix: ScoreMatrix) -> _Evidence:
        spread, ties = np.full(matrix.shape[1], np.nan), np.full(matrix.shape[1], TWINS_AGREE)
        for j, column in enumerate(matrix.values.T):
            seen = column[np.isfinite(column)]
            if seen.size < 3 or seen.std() == 0:
                continue
            spread[j] = seen.std()
            _, counts = np.unique(seen, return_counts=True)
            pairs = seen.size * (seen.size - 1) / 2
            tied = float((counts * (counts - 1) / 2).sum())
            ties[j] = min(max(TWINS_AGREE, (tied + 0.5) / (pairs + 1)), MOST_TIES)
        return cls(matrix.values, spread, ties)

    def between(self, i: int, j: int) -> tuple[int, int, float]:
        """Benchmarks shared, those with equal scores, and the log likelihood ratio of all."""
        both = np.isfinite(self.values[i]) & np.isfinite(self.values[j])
        equal = both & (self.values[i] == self.values[j])
        usable = both & np.isfinite(self.spread)
        apart = usable & ~equal
        distance = np.abs(self.values[i] - self.values[j])[apart] / self.spread[apart]
        ties, n = self.ties[equal & usable], int((equal & usable).sum())
        near = np.maximum(_laplace(distance, REREADING), LEAST_DENSITY)
        far = 0.5 * _laplace(distance, SIBLINGS)
        far += 0.5 * np.exp(-(distance**2) / 4) / math.sqrt(math.pi)
        far = np.maximum(far * (1 - self.ties[apart]), LEAST_DENSITY)
        same = n * math.log(AGREE) + np.log((1 - AGREE) * near).sum()
        twins = n * math.log(TWINS_AGREE) + np.log((1 - TWINS_AGREE) * near).sum()
        strangers = np.log(ties).sum() + np.log(far).sum()
        other = np.logaddexp(math.log(TWINS) + twins, math.log(1 - TWINS) + strangers)
        return int(both.sum()), int(equal.sum()), float(same - other)


def _laplace(distance: Floats, scale: float) -> Floats:
    """Density of the size of a Laplace variable."""
    return np.asarray(np.exp(-distance / scale) / scale, dtype=np.float64)
