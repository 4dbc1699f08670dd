"""Lineages of models, read from their ids: ``claude-opus-4.5`` continues ``claude-opus-4``.

Releases of one line share strengths that neither their ability nor their maker explains, so the
low-rank model has group effects for lineages beside those for providers. As with benchmark
families, ids that say nothing give no lineages and change nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["lineage", "lineages"]

EDITIONS = frozenset(
    """a ab b base beta chat exp experimental fp high hf instruct it k latest low m medium o preview
    pro sft dpo the thinking think v""".split()
)
"""Words that say which edition of a line a model is, not which line."""
MOST_WORDS = 2
LARGEST_SHARE = 1.0 / 3.0
"""A line with more than this share of all models is a prefix of the collection, not a line."""

_DIGITS = re.compile(r"[\d.]+")
_BREAKS = re.compile(r"[^a-z]+")


def lineage(model_id: str) -> str | None:
    """Line of one model: the first two telling words of its id without numbers, or None.

    >>> lineage("claude-opus-4.5")
    'claude-opus'
    >>> lineage("Qwen/Qwen2.5-72B-Instruct")
    'qwen'
    """
    name = model_id.rsplit("/", 1)[-1].lower()
    words = [word for word in _BREAKS.split(_DIGITS.sub("", name)) if word not in EDITIONS and word]
    return "-".join(words[:MOST_WORDS]) or None


def lineages(model_ids: Sequence[str]) -> list[str | None]:
    """Line of every model, None where it is alone in it or where a third of all models share it."""
    names = [lineage(model_id) for model_id in model_ids]
    count = Counter(names)
    most = max(2.0, LARGEST_SHARE * len(names))
    return [name if name is not None and 1 < count[name] <= most else None for name in names]
