from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.lmarena import arena_of, matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, twin

SAMPLE = "lmarena/text_leaderboard.csv"


def test_the_sample() -> None:
    found = read_results(DATA / SAMPLE, add=True)
    rows = found.readings[["model_id", "benchmark_id", "score", "stderr", "n_items", "date"]]
    assert rows.iloc[0].tolist() == [
        "model-1", "chatbot_arena_elo", 1401.5, 4.0, 12000.0, "2026-02-01",
    ]  # fmt: skip
    # without a variance, the 95 % interval over 3.92
    assert rows.iloc[1]["stderr"] == pytest.approx((1421.8 - 1398.2) / 3.919928)
    assert rows.iloc[2]["model_id"] == "gpt-4o-2024-08-06"
    assert found.readings.loc[1, "note"] == "categories share votes"
    assert found.left_out["reason"].tolist() == ["1 rows of dates before 2026-02-01"]
    assert (found.benchmarks["scale"] == "rating").all() and len(found.benchmarks)


def test_parquet_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "text" / "latest.parquet"
    path.parent.mkdir()
    pd.read_csv(DATA / SAMPLE).to_parquet(path)
    columns = ["model_id", "benchmark_id", "score", "stderr", "n_items", "date"]
    one, other = (read_results(file, add=True).readings[columns] for file in (DATA / SAMPLE, path))
    assert one.equals(other)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("1401.5", "high", "row 2, rating 'high' must be a finite number"),
        (",16.0,", ",-16.0,", "row 2, variance -16 must be at least 0"),
        ("1398.2,1421.8", "1421.8,1398.2", "row 3: rating_upper lies below rating_lower"),
        ("coding", "overall", "a model stands twice in a category on 2026-02-01"),
        ("model-1,Acme,Proprietary,1401.5", ",Acme,Proprietary,1401.5", "row 2, model_name ''"),
    ],
)
def test_broken_twins(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_results(twin(tmp_path, SAMPLE, old, new))


def test_the_arena_is_told_by_the_name_or_not_at_all() -> None:
    assert arena_of(Path("x/webdev/a.csv")) == "webdev"
    assert arena_of(Path("text_to_image-2.csv")) == "text_to_image"
    assert arena_of(Path("text_style_control/latest.parquet")) == "text_style_control"
    assert arena_of(Path("x/textual.csv")) == arena_of(Path("x/board.csv")) == ""


def test_the_agent_board_has_scores_with_intervals() -> None:
    row = {"model_name": "m", "score": 0.62, "score_ci_lower": 0.58, "score_ci_upper": 0.66,
           "observation_count": 500, "category": "overall"}  # fmt: skip
    assert matches(list(row))
    record = read([row], "f", "agent").records[0]
    assert (record.scale, record.n_items, record.benchmark) == (None, 500, "LMArena agent overall")
    assert record.stderr == pytest.approx(0.08 / 3.919928)


def test_a_repeated_row_is_an_error_only_on_the_same_day() -> None:
    row = {"model_name": "m", "rating": 1.0, "category": "overall"}
    with pytest.raises(DataError, match="stands twice"):
        read([row, row], "f", "")
