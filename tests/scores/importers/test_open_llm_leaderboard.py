from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.open_llm_leaderboard import matches, read
from bayesbench.scores.importers.reading import read_results


def rows() -> list[dict[str, Any]]:
    """Invented rows: the real ones have no licence."""
    first = {
        "eval_name": "acme_m_bfloat16", "fullname": "acme/m", "Model": "<a>m</a>",
        "Precision": "bfloat16", "Average ⬆️": 30.0, "IFEval": 60.0, "IFEval Raw": 0.6,
        "BBH": 40.0, "BBH Raw": 0.55, "MATH Lvl 5": 20.0, "MATH Lvl 5 Raw": 0.2, "GPQA": 5.0,
        "GPQA Raw": 0.29, "MUSR": 8.0, "MUSR Raw": 0.41, "MMLU-PRO": 33.0, "MMLU-PRO Raw": 0.4,
        "Flagged": False, "Submission Date": "2024-12-01",
    }  # fmt: skip
    return [
        first,
        {**first, "BBH Raw": 0.99},  # the same model and precision again
        {**first, "Precision": "float16", "BBH Raw": 0.56},
        {**first, "fullname": "acme/cheat", "Flagged": True},
        {**first, "fullname": "acme/n", "MUSR Raw": None},
    ]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "train-00000-of-00001.parquet"
    pd.DataFrame(rows()).to_parquet(path)
    return path


def test_raw_columns_are_read_as_shares(sample: Path) -> None:
    found = read_results(sample)
    wide = found.readings[found.readings["model_id"] == "acme/m"]
    first = wide[wide["setting"].str.contains("bfloat16")].set_index("benchmark_id")["score"]
    assert first.round(9).to_dict() == {"ifeval": 60.0, "bbh": 55.0, "musr": 41.0, "mmlu_pro": 40.0}
    assert wide[wide["benchmark_id"] == "bbh"]["score"].round(9).tolist() == [55.0, 56.0]
    assert set(wide["date"]) == {"2024-12-01"}
    reasons = found.left_out["reason"].tolist()
    assert reasons.count("rescaled: guessing is 0") == 6
    assert "flagged there" in reasons and "the first row is read" in reasons
    # its GPQA mixes three subsets, its MATH is level 5 alone: neither is the benchmark of that name
    assert {"MATH level 5", "GPQA (diamond, extended and main)"} <= set(found.left_out["benchmark"])
    assert set(found.readings["model_id"]) == {"acme/m", "acme/n"}


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("BBH Raw", float("inf"), "row 1, BBH Raw inf must be a finite number"),
        ("fullname", " ", "row 1 fullname ' ' must be a printable name"),
    ],
)
def test_broken_twins(column: str, value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read([{**rows()[0], column: value}], "f")


def test_broken_files(sample: Path, tmp_path: Path) -> None:
    raw = sample.read_bytes()
    for name, held in {"cut": raw[: len(raw) // 2], "none": b"", "other": b"PAR1" * 9}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(held)
        with pytest.raises(DataError, match=rf"{name}\.parquet: not a Parquet file, or cut off"):
            read_results(path)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: a table of no known leaderboard"):
        read_results(tmp_path / "b.parquet")


def test_matches() -> None:
    assert matches(list(rows()[0])) and not matches(["fullname", "BBH"])
