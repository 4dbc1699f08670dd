"""Artificial Analysis: the JSON answer of its API, a file of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import Found, LeftOut, Record, as_date, as_list, as_mapping, as_number, as_text

__all__ = ["FORMAT", "matches", "read"]

FORMAT = "Artificial Analysis JSON"
_URL = "https://artificialanalysis.ai"
_NAMES = {
    "gpqa": "gpqa_diamond",
    "aime": "aime_2024",
    "aime_25": "aime_2025",
    "lcr": "aa_lcr",
    "tau2": "tau2_bench_telecom",
    "terminalbench_hard": "terminal_bench_hard",
    "artificial_analysis_intelligence_index": "aa_intelligence_index",
}
"""What its evaluations are, where the key alone would mean another one or nothing."""
_INDEX = "_index"


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    data = document.get("data") if isinstance(document, Mapping) else None
    first = data[0] if isinstance(data, list) and data else None
    return isinstance(first, Mapping) and "evaluations" in first


def read(document: Any, source: str) -> Found:
    """Scores of all models: shares, but for the indices, whose scale is the benchmark's own.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the document")
    records: list[Record] = []
    left: list[LeftOut] = []
    for number, entry in enumerate(as_list(whole["data"], source, "data")):
        place = f"data/{number}"
        entry = as_mapping(entry, source, place)
        slug = entry.get("slug")
        name = as_text(entry.get("name") or slug, source, f"{place}/name")
        maker = entry.get("model_creator")
        provider = maker.get("name") if isinstance(maker, Mapping) else None
        listed = as_mapping(entry.get("evaluations") or {}, source, f"{place}/evaluations")
        for key, value in listed.items():
            here = f"{place}/evaluations/{key}"
            if value is None or isinstance(value, bool):
                left.append(LeftOut(here, name, key, "no score"))
                continue
            records.append(
                Record(
                    place=here,
                    model=slug if isinstance(slug, str) and slug else name,
                    benchmark=_NAMES.get(key, key),
                    score=as_number(value, source, here),
                    scale=None if key.endswith(_INDEX) else "unit",
                    metric=key,
                    url=_URL,
                    other_models=(name,),
                    provider=provider if isinstance(provider, str) else "",
                    release_date=as_date(entry.get("release_date")),
                )
            )
    return Found(FORMAT, tuple(records), tuple(left))
