"""Output: rows as a table, CSV or JSON on stdout; notes on stderr."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import click
import numpy as np
import pytest

from bayesbench.cli.output import (
    Column,
    Listing,
    emit,
    example,
    format_option,
    note,
    number,
    one_line,
    percent,
    text,
    write,
)

NAN = float("nan")
ROWS: list[dict[str, Any]] = [
    {"id": "a,1", "x": 12.345678901234567, "ok": True, "none": None},
    {"id": "b", "x": NAN, "ok": False, "none": float("inf")},
]
COLUMNS = (Column("id", "name", text, right=False), Column("x", "value"), Column("none", "none"))
LISTING = Listing("A title", COLUMNS, ROWS)


@pytest.mark.parametrize(("value", "shown"), [
    (None, "-"), (NAN, "-"), (float("-inf"), "-"), (0, "0.000"), (0.12345, "0.123"),
    (-1.005, "-1.00"), (9.994, "9.99"), (12.34, "12.3"), (999.94, "999.9"), (1000.4, "1000"),
    (-123456.7, "-123457"), (np.float64(3.14159), "3.14"), (np.float64("nan"), "-"),
])  # fmt: skip
def test_numbers_have_about_three_digits(value: Any, shown: str) -> None:
    assert number(value) == shown


def test_text_is_words_and_blanks() -> None:
    assert [text(value) for value in (None, True, False, 0, "", 1.5)] == [
        "", "yes", "no", "0", "", "1.5",
    ]  # fmt: skip


def test_probabilities_in_words() -> None:
    assert [percent(p) for p in (0.9, 0.5, 0.975, 0.9999)] == ["90 %", "50 %", "97.5 %", "99.99 %"]


def test_one_line_holds_nothing_that_moves_the_cursor() -> None:
    assert one_line(" a\n\tb  c\r\n") == "a b c"
    assert one_line("x\x1b[31mred\x07") == "x\\x1b[31mred\\x07"
    assert one_line("Zoë 数") == "Zoë 数"


def test_json_has_full_numbers_and_null_where_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit("json", {"rows": ROWS, "array": np.array([1.5, NAN]), "name": "Zoë"}, LISTING)
    out = capsys.readouterr().out

    def refuse(name: str) -> None:
        raise AssertionError(name)

    answer = json.loads(out, parse_constant=refuse)
    assert answer["rows"][0] == ROWS[0]
    assert answer["rows"][1] == {"id": "b", "x": None, "ok": False, "none": None}
    assert answer["array"] == [1.5, None]
    assert out.endswith("}\n") and "Zoë" in out


def test_csv_has_full_numbers_and_blanks_where_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit("csv", {}, LISTING, LISTING, before="before", after="after")
    assert capsys.readouterr().out == (
        'id,x,ok,none\n"a,1",12.345678901234567,true,\nb,,false,\n'
    )  # the first listing, and nothing around it


def test_csv_fields_are_those_of_the_listing(capsys: pytest.CaptureFixture[str]) -> None:
    emit("csv", {}, Listing("", COLUMNS, ROWS, ("x", "id")))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [list(row) for row in rows] == [["x", "id"]] * 2
    emit("csv", {}, Listing("", COLUMNS, [], ("x", "id")))
    assert capsys.readouterr().out == "x,id\n"


def test_a_table_has_title_columns_and_aligned_rows(capsys: pytest.CaptureFixture[str]) -> None:
    emit("table", {}, LISTING, before="Before.", after="After.")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["Before.", "", "A title"] and lines[-2:] == ["", "After."]
    (head,) = (line for line in lines if "name" in line)
    (first,) = (line for line in lines if "a,1" in line)
    (second,) = (line for line in lines if line.split()[:1] == ["b"])
    assert first.split() == ["a,1", "12.3", "-"] and second.split() == ["b", "-", "-"]
    assert head.index("name") == first.index("a,1") == second.index("b")
    assert head.index("value") + len("value") == first.index("12.3") + len("12.3")
    assert all(line == line.rstrip() for line in lines)


def test_nothing_is_cut_or_taken_for_markup_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "[red]x[/red] " + "y" * 120, "x": 1.0}, {"id": "two\nlines\x1b", "x": 2.0}]
    emit("table", {}, Listing("T\n[b]", COLUMNS[:2], rows))
    out = capsys.readouterr().out
    assert out.startswith("T [b]\n")
    assert "[red]x[/red] " + "y" * 120 in out and "two lines\\x1b" in out


def test_a_table_without_titles_has_no_head(capsys: pytest.CaptureFixture[str]) -> None:
    emit("table", {}, Listing("T", (Column("id", "", text), Column("x", "")), ROWS))
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line.split() for line in lines] == [["T"], ["a,1", "12.3"], ["b", "-"]]


def test_several_tables_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    emit("table", {}, LISTING, Listing("Another", COLUMNS, ROWS))
    assert "\n\nAnother\n" in capsys.readouterr().out


def test_notes_go_to_stderr_whatever_they_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note("so\udce9")
    assert capsys.readouterr() == ("", "so\\udce9\n")
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        note("nobody hears")


def test_what_is_written_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8"))
    write("whole")
    assert raw.getvalue() == b"whole"


def test_formats_are_three_unless_said_otherwise() -> None:
    def formats(*chosen: str) -> tuple[list[str], str]:
        @click.command()
        @format_option(*chosen)
        def command(output_format: str) -> str:
            return output_format

        (option,) = command.params
        assert isinstance(option.type, click.Choice)
        return list(option.type.choices), command.main([], standalone_mode=False)

    assert formats() == (["table", "csv", "json"], "table")
    assert formats("table", "json") == (["table", "json"], "table")


def test_examples_keep_their_lines() -> None:
    @click.command(epilog=example("one --long option \\", "    --and another"))
    def command() -> None: ...

    help_page = command.get_help(click.Context(command))
    assert help_page.endswith("Example:\n    one --long option \\\n        --and another")
