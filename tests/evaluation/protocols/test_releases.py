"""Families of releases: published ones, those of a file, those by time."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from bayesbench.errors import DataError, SchemaError
from bayesbench.evaluation import Family, load_families
from bayesbench.evaluation.protocols.releases import (
    BENCHPRESS_FAMILIES,
    default_families,
    families_by_time,
    last_day,
)
from bayesbench.scores.matrix import ScoreMatrix


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-04", dt.date(2025, 3, 4)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("2025", dt.date(2025, 12, 31)),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_last_day(text: object, day: dt.date | None) -> None:
    assert last_day(text) == day


def test_published_families() -> None:
    ids = (
        "deepseek-r1", "deepseek-r1-0528", "deepseek-r1-distill-llama-70b", "gemini-2.5-pro",
        "gpt-4.1", "gpt-4.1-mini", "qwen3-8b", "qwen3.5-397b", "claude-sonnet-4", "claude-opus-4",
        "claude-sonnet-4.5", "claude-opus-4.1", "gpt-5", "gpt-5-mini", "gpt-5.1",
    )  # fmt: skip
    members = {f.name: [ids[i] for i in f.members(ids)] for f in BENCHPRESS_FAMILIES}
    assert members == {
        "deepseek-r1": ["deepseek-r1", "deepseek-r1-distill-llama-70b"],
        "gemini-2.5-pro": ["gemini-2.5-pro"],
        "gpt-4.1": ["gpt-4.1", "gpt-4.1-mini"],
        "qwen3": ["qwen3-8b"],
        "claude-4": ["claude-sonnet-4", "claude-opus-4"],
        "gpt-5": ["gpt-5"],
        "claude-sonnet-4.5": ["claude-sonnet-4.5"],
        "gpt-5.1": ["gpt-5.1"],
    }


def test_a_file_of_families(tmp_path: Path) -> None:
    good = [{"name": "a", "cutoff": "2025-01-01", "prefixes": ["m1"], "exclude": ["m10"]}]
    path = tmp_path / "families.json"
    path.write_text(json.dumps(good))
    assert load_families(path) == (Family("a", "2025-01-01", prefixes=("m1",), exclude=("m10",)),)
    for bad in (
        "{",
        '[{"name": "a"}]',
        '[{"name": "a", "cutoff": "2025-01-01"}]',
        '[{"name": "a", "cutoff": "soon", "ids": ["m"]}]',
    ):
        path.write_text(bad)
        with pytest.raises(SchemaError, match=r"families\.json: not a families file"):
            load_families(path)
    with pytest.raises(SchemaError, match="cannot be read"):
        load_families(tmp_path / "none.json")


def test_families_by_time(dated_matrix: ScoreMatrix) -> None:
    families = families_by_time(dated_matrix, n_families=3, min_scores=5)
    assert [family.ids for family in families] == [("m15",), ("m16",), ("m17",)]
    assert families[0].cutoff == "2025-04-15"
    undated = ScoreMatrix.from_frame(dated_matrix.to_frame(wide=True), scale="rating")
    with pytest.raises(DataError, match="release_date"):
        default_families(undated)
