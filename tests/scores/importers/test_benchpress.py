from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.benchpress import matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, changed, document, twin

SAMPLE, TABLE, META = "benchpress/matrix.json", "benchpress/scores.csv", "scores.meta.json"


def test_the_sample() -> None:
    assert matches(document(SAMPLE))
    found = read_results(DATA / SAMPLE)
    rows = found.readings[["model_id", "benchmark_id", "score", "setting", "source_url"]]
    assert rows.to_numpy().tolist() == [
        ["model-1", "gsm8k", 91.5, "shots 8, mode cot", "https://example.org/card"],
        ["model-1", "codeforces_rating", 1834.0, "", "https://example.org/card"],
    ]
    assert found.models.loc["model-1", "provider"] == "Acme"
    assert found.models.loc["model-1", "release_date"] == "2026-01-15"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(scores={}), r"scores \(an object\) must be a list"),
        (lambda d: d["scores"][0].update(model_id="x"), "scores/0 names 'x', which is not listed"),
        (lambda d: d["models"].append(d["models"][0]), "the id 'model-1' stands twice"),
        (
            lambda d: d["scores"][1].update(score=True),
            "scores/1/score True must be a finite number",
        ),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SAMPLE, change), "f")


def test_the_template_takes_its_scales_from_the_metadata() -> None:
    found = read_results(DATA / TABLE)
    assert found.readings[["model_id", "benchmark_id", "score"]].to_numpy().tolist() == [
        ["model-1", "gsm8k", 91.5],
        ["model-1", "codeforces_rating", 1834.0],
        ["model-2", "gsm8k", 88.0],
        ["model-2", "hle", 21.0],  # between 0 and 1, as its range says
    ]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("model,gsm8k", "models,gsm8k", "the first column must be called model"),
        ("91.5", "91.5 points", "row 2, gsm8k '91.5 points' must be a finite number"),
        ("91.5", "191.5", r"row 2, gsm8k 191\.5 is outside its range \[0, 100\]"),
        ("model-2", "model-1", r"row 3: the model 'model-1' stands twice"),
        ("hle", "hle2", r"scores\.meta\.json: 'hle' is no column of"),
        ("hle", "gsm8k", "row 1: column 'gsm8k' stands twice"),
        ("model-2,88,,0.21", "model-2,88", "row 3: 2 fields under 4 columns"),
    ],
)
def test_broken_templates(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / META).write_bytes((DATA / "benchpress" / META).read_bytes())
    with pytest.raises(DataError, match=message):
        read_results(twin(tmp_path, TABLE, old, new))


def test_a_column_without_metadata_is_a_percentage(tmp_path: Path) -> None:
    (tmp_path / META).write_text("{}")
    path = tmp_path / "scores.csv"
    path.write_text("model,gsm8k\nm,85%\n")
    found = read_results(path).readings
    assert found["score"].tolist() == [85.0]
    assert found["note"].tolist() == ["a percentage: the template's default"]
    (tmp_path / META).write_text('{"gsm8k": {"type": "pct"}}')
    with pytest.raises(DataError, match="row 2, gsm8k: its metadata need a range of two numbers"):
        read_results(path)


def test_candidates_follow_and_doubted_scores_are_left_out() -> None:
    def more(whole: Any) -> None:
        whole["scores"][0]["candidates"] = [
            {"score": 90.0, "reference_url": "https://example.org/b"}
        ]
        whole["scores"][1]["audit_status"] = "flagged"

    found = read(changed(SAMPLE, more), "f")
    assert [(r.score, r.url) for r in found.records] == [
        (91.5, "https://example.org/card"),
        (90.0, "https://example.org/b"),
    ]
    assert [out.reason for out in found.left_out] == ["audit status flagged"]


def test_without_metadata_it_is_a_table_of_the_users_own(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"scores\.csv: a plain table; give it as --data"):
        read_results(twin(tmp_path, TABLE, "91.5", "91.6"))


def test_direction_must_agree_with_the_benchmark(tmp_path: Path) -> None:
    twin(tmp_path, f"benchpress/{META}", '"higher_is_better": true', '"higher_is_better": false')
    found = read_results(twin(tmp_path, TABLE, "91.5", "91.6"))
    assert "gsm8k" not in set(found.readings["benchmark_id"])
    assert "lower is better there, the reverse on gsm8k" in found.left_out["reason"].tolist()
