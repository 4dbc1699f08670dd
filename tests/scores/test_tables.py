from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import SchemaError
from bayesbench.scores.tables import Table, read_table, shown, table_of


def column(*values: object) -> Table:
    return table_of(pd.DataFrame({"x": list(values)}, dtype=object), "t")


def test_rows_of_a_file_are_those_an_editor_shows(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(" x ,y\n1,NA\n\n,nan\n", encoding="utf-8-sig")
    table = read_table(file)
    assert list(table.frame) == ["x", "y"]
    assert table.rows.tolist() == [2, 4]
    assert table.frame["y"].tolist() == ["NA", "nan"]  # text stays text
    assert table.frame["x"].isna().tolist() == [False, True]
    assert str(table.fault(1, "wrong")) == "a.csv, row 4: wrong"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"x,x\n1,2\n", "column 'x' stands twice"),
        (b"x\n\xff\n", "not UTF-8 text"),
        (b"x\n1,2,3\n", "not a regular CSV"),
    ],
)
def test_faults_of_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(SchemaError, match=message):
        read_table(file)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="is a directory"):
        read_table(tmp_path)
    with pytest.raises(SchemaError, match="no such file"):
        read_table(tmp_path / "a.csv")


def test_an_index_with_a_name_is_a_column() -> None:
    frame = pd.DataFrame({"y": [1]}, index=pd.Index(["m"], name="x"))
    assert list(table_of(frame, "t").frame) == ["x", "y"]
    assert list(table_of(frame.rename_axis(None), "t").frame) == ["y"]


def test_missing_columns_are_named_with_those_found() -> None:
    with pytest.raises(SchemaError, match=r"t: missing column y, z; .*columns found: 'x'"):
        column(1).require(["x", "y", "z"])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, r"x \(empty\): an id is required"),
        ("  ", "an id is required"),
        (" a", "space around"),
        ("a\tb", "unprintable"),
    ],
)
def test_bad_ids_are_named_with_their_row(bad: object, message: str) -> None:
    with pytest.raises(SchemaError, match=f"row 1: .*{message}"):
        column("good", bad).ids("x")
    assert column("good", 7).ids("x").tolist() == ["good", "7"]


def test_numbers() -> None:
    table = column("1", "2.5", None)
    got = table.numbers("x", lambda n: n > 0, "must be above 0")
    np.testing.assert_array_equal(got, [1.0, 2.5, np.nan])
    assert table.numbers("y", lambda n: n > 0, "").isna().all()
    for bad in ("-1", "one", "inf", True):
        with pytest.raises(SchemaError, match=r"row 1: x .*must be above 0"):
            column("1", bad).numbers("x", lambda n: n > 0, "must be above 0")
    with pytest.raises(SchemaError, match=r"row 2: x \(empty\)"):
        table.numbers("x", lambda n: n > 0, "must be above 0", optional=False)


def test_flags() -> None:
    table = column("TRUE", "no", 1.0, None)
    assert table.flags("x").tolist() == [True, False, True, pd.NA]
    assert table.flags("y", default=True).tolist() == [True] * 4
    with pytest.raises(SchemaError, match="must be true or false"):
        table.flags("x", default=True)  # with a default nothing may be empty
    with pytest.raises(SchemaError, match="row 0: x 'maybe'"):
        column("maybe").flags("x")


def test_dates() -> None:
    assert column("2025", "2025-02", "2024-02-29").dates("x").tolist()[2] == "2024-02-29"
    stamps = table_of(pd.DataFrame({"x": pd.to_datetime(["2025-03-04"])}), "t")
    assert stamps.dates("x").tolist() == ["2025-03-04"]
    for bad in ("2025-13", "2025-02-29", "03/2025", "25"):
        with pytest.raises(SchemaError, match="must be YYYY"):
            column(bad).dates("x")


def test_values_are_cut_for_messages() -> None:
    assert shown(np.float64(2.5)) == "2.5"
    assert shown(float("nan")) == shown(pd.NA) == shown(None) == "(empty)"
    assert len(shown("x" * 500)) == 60
