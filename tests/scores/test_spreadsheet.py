"""Excel files: with openpyxl where it is installed, else by a stand-in of the same interface."""

from __future__ import annotations

import datetime
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bayesbench.errors import SchemaError, UsageError
from bayesbench.scores import spreadsheet
from bayesbench.scores.datasets import load_scores
from bayesbench.scores.spreadsheet import read_sheet

ROWS: list[list[Any]] = [
    ["My board", None, None, None],
    ["Model", "Rank", "GPQA", "Released"],
    ["a", 1, (0.853, "0.0%"), datetime.datetime(2025, 3, 4)],
    ["b", 2, "#N/A", None],
]


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"xl/workbook.xml": b"<workbook/>", **members}.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@dataclass
class FakeSheet:
    """The part of openpyxl's read-only sheets that is used."""

    title: str
    rows: Sequence[Sequence[Any]]
    sheet_state: str = "visible"
    calls: list[str] = field(default_factory=list)

    def reset_dimensions(self) -> None:
        self.calls.append("reset")

    def iter_rows(self) -> Iterator[tuple[Any, ...]]:
        for row in self.rows:
            yield tuple(self._cell(value) for value in row)

    def _cell(self, value: Any) -> SimpleNamespace:
        number_format = "General"
        if isinstance(value, tuple):
            value, number_format = value
        formula = isinstance(value, str) and value.startswith("=")
        return SimpleNamespace(
            value=value, number_format=number_format, data_type="f" if formula else "n"
        )


class FakeBook(dict[str, FakeSheet]):
    @property
    def worksheets(self) -> list[FakeSheet]:
        return list(self.values())


def stand_in(
    monkeypatch: pytest.MonkeyPatch, *sheets: FakeSheet, formulas: Sequence[FakeSheet] | None = None
) -> None:
    def load_workbook(_: Any, *, read_only: bool, data_only: bool) -> FakeBook:
        assert read_only
        found = sheets if data_only or formulas is None else formulas
        return FakeBook({sheet.title: sheet for sheet in found})

    module = SimpleNamespace(load_workbook=load_workbook)
    monkeypatch.setitem(sys.modules, "openpyxl", module)


def test_cells_become_what_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scores = FakeSheet("Scores", ROWS)
    notes = FakeSheet("Notes", [["a note"]])
    stand_in(monkeypatch, notes, scores, FakeSheet("Hidden", ROWS, "hidden"))
    found = read_sheet(packed(), "x.xlsx")
    assert (found.name, found.others) == ("Scores", ("Notes",))
    assert scores.calls and found.frame.iloc[2, 2] == "85.3%"
    path = tmp_path / "x.xlsx"
    path.write_bytes(packed())
    matrix = load_scores(path)
    assert matrix.values.tolist() == [[85.3]]
    assert matrix.models["release_date"].tolist() == ["2025-03-04"]
    account = matrix.account
    assert account is not None and account.left_out == (("Rank", "rank"),)
    assert account.form == (
        "sheet 'Scores'", "sheet 'Notes' not read", "1 line before the header left out",
    )  # fmt: skip


def test_a_formula_that_was_never_computed_is_no_missing_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = FakeSheet("S", [["Model", "A"], ["a", None], ["b", 5]])
    formulas = FakeSheet("S", [["Model", "A"], ["a", "=1+1"], ["b", 5]])
    stand_in(monkeypatch, values, formulas=[formulas])
    with pytest.raises(SchemaError, match=r"row 2, column 2: a formula without its value"):
        read_sheet(packed(), "x.xlsx")
    computed = FakeSheet("S", [["Model", "A"], ["a", 2], ["b", 5]])
    stand_in(monkeypatch, computed, formulas=[formulas])
    assert read_sheet(packed(), "x.xlsx").frame.iloc[1, 1] == 2


def test_what_is_hostile_or_no_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, FakeSheet("S", ROWS))
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with pytest.raises(SchemaError, match=r"xl/a\.xml declares a document type"):
        read_sheet(packed(**{"xl/a.xml": entity}), "x.xlsx")
    with pytest.raises(SchemaError, match=r"cannot be read as \.xlsx"):
        read_sheet(packed()[:40], "x.xlsx")
    monkeypatch.setattr(spreadsheet, "MOST_CELLS", 9)
    with pytest.raises(SchemaError, match="sheet 'S' is too large"):
        read_sheet(packed(), "x.xlsx")
    monkeypatch.setattr(spreadsheet, "MOST_BYTES", 5)
    with pytest.raises(SchemaError, match="unpacks to more than"):
        read_sheet(packed(), "x.xlsx")


def test_a_book_without_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, FakeSheet("S", [["alone"]]))
    with pytest.raises(SchemaError, match="no sheet holds a table"):
        read_sheet(packed(), "x.xlsx")


def test_an_error_of_the_parser_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("broken\nbook")

    monkeypatch.setitem(sys.modules, "openpyxl", SimpleNamespace(load_workbook=fail))
    with pytest.raises(SchemaError, match=r"cannot be read as \.xlsx") as caught:
        read_sheet(packed(), "x.xlsx")
    assert "\n" not in str(caught.value)


def test_without_openpyxl_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match=r"install bayesbench-scores\[xlsx\], or save the sheet"):
        read_sheet(packed(), "x.xlsx")


def test_a_real_book(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ROWS:
        sheet.append([value[0] if isinstance(value, tuple) else value for value in row])
    sheet["C3"].number_format = "0.0%"
    book.save(tmp_path / "x.xlsx")
    matrix = load_scores(tmp_path / "x.xlsx")
    assert matrix.values.tolist() == [[85.3]]
    sheet["C4"] = "=1+1"
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(SchemaError, match="a formula without its value"):
        load_scores(tmp_path / "x.xlsx")
