"""Families of benchmarks, read from their ids: ``swe_bench_pro`` is kin to ``swe_bench_verified``.

Siblings share what the general factors do not explain, so the low-rank model has an effect of
every model on every family. A family is found from the words of the id alone; where ids say
nothing there are no families and nothing changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BenchmarkFamilies", "benchmark_families"]

CONTESTS = frozenset(
    "aime amc amo brumo cmimc cnmo hmmt imo matharena olympiad olympiadbench smt usamo".split()
)
"""Mathematics contests: the same kind of problem under many names."""
TASKS = frozenset("classification clustering retrieval reranking sts summarization bitext".split())
"""Task words that name the kind of an embedding benchmark wherever they stand in its id."""
QUALIFIERS = frozenset(
    """a all am and avg base bench beyond big chinese diff easy en eval ext extended feb full hard
    index lite long mini mm mt multi multilingual new nov of on open plus pro set sub super
    test text the tools v verified whole with zh""".split()
)
"""Words that say which edition of a benchmark it is, not which benchmark."""
LARGEST_SHARE = 1.0 / 3.0
"""A word in more than this share of the ids is a prefix of the whole collection, not a family."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, eq=False)
class BenchmarkFamilies:
    """Families with at least two benchmarks.

    Attributes
    ----------
    names : tuple of str
    members : (B, Q) array
        1 where the benchmark belongs to the family; a row has at most one 1.
    """

    names: tuple[str, ...]
    members: NDArray[np.float64]

    @classmethod
    def none(cls) -> BenchmarkFamilies:
        """No families at all."""
        return cls((), np.empty((0, 0)))


def _words(benchmark_id: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(benchmark_id)]
    task = [word for word in words if word in TASKS]
    if task:
        return task[-1:]
    words = [word for word in words if word not in QUALIFIERS and len(word) > 1]
    return ["contest" if word in CONTESTS else word for word in words]


def benchmark_families(benchmark_ids: Sequence[str]) -> BenchmarkFamilies:
    """Families of the benchmarks: the first telling word of the id, if another id has it too.

    Words are runs of letters, split at case changes; qualifiers (`QUALIFIERS`) and words that
    stand in more than a third of all ids are passed over; contests (`CONTESTS`) are one family.

    Parameters
    ----------
    benchmark_ids : sequence of str
        Length B.

    Returns
    -------
    BenchmarkFamilies
    """
    words = [_words(benchmark_id) for benchmark_id in benchmark_ids]
    common = Counter(word for row in words for word in set(row))
    most = max(2.0, LARGEST_SHARE * len(words))
    key = [next((word for word in row if common[word] <= most), None) for row in words]
    size = Counter(word for word in key if word is not None)
    names = tuple(sorted(word for word, count in size.items() if count > 1))
    members = np.array([[float(word == name) for name in names] for word in key])
    return BenchmarkFamilies(names, members.reshape(len(words), len(names)))
