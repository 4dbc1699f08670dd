"""Encodings, separators and what stands around a table."""

from __future__ import annotations

import pytest

from bayesbench.errors import SchemaError
from bayesbench.scores import delimited
from bayesbench.scores.delimited import records

ROWS = [["Model", "GPQA", "MMLU"], ["a", "70", "80"], ["b", "60", "75"]]


def text(sign: str = ",", end: str = "\n") -> str:
    return "".join(sign.join(row) + end for row in ROWS)


def read(data: str | bytes) -> list[list[str]]:
    found = records(data if isinstance(data, bytes) else data.encode(), "x.csv").frame
    return found.fillna("").to_numpy().tolist()


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_and_line_ends(sign: str, end: str) -> None:
    assert read(text(sign, end)) == ROWS


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        ("utf-8", ()), ("utf-8-sig", ()), ("utf-16", ("UTF-16",)), ("utf-32", ("UTF-32",)),
        ("utf-16-le", ("UTF-16-LE",)), ("utf-16-be", ("UTF-16-BE",)),
    ],
)  # fmt: skip
def test_encodings(encoding: str, form: tuple[str, ...]) -> None:
    found = records(text().replace("a,", "\u00c9clair,").encode(encoding), "x.csv")
    assert found.frame.iloc[1, 0] == "\u00c9clair" and found.form == form


def test_semicolons_with_decimal_commas_are_semicolons() -> None:
    assert read("Model;A;B\na;1,5;2,5\nb;3,5;4,5\n")[1] == ["a", "1,5", "2,5"]
    assert read("Model;A\na;1,5\n")[1] == ["a", "1,5"]
    assert read("Task;Accuracy\nGPQA;70,5%\n")[0] == ["Task", "Accuracy"]


def test_separators_inside_quotes_do_not_count() -> None:
    assert read('Model,"A; B"\n"x;y;z",1\n')[1] == ["x;y;z", "1"]
    assert read('Model,A\n"x, y",1\n')[1] == ["x, y", "1"]


@pytest.mark.parametrize(
    ("before", "lines"),
    [("# exported in May\n", 1), ("My board\n", 1), ("My board\n\nof May\n", 3), ("sep=,\n", 1)],
)
def test_what_stands_before_the_header_is_left_out_and_said(before: str, lines: int) -> None:
    found = records((before + text()).encode(), "x.csv")
    assert found.frame.fillna("").to_numpy().tolist() == ROWS
    assert found.first == lines + 1
    assert found.form == (f"{lines} line{'s' * (lines > 1)} before the header left out",)


def test_excel_s_own_line_states_the_separator() -> None:
    assert read("sep=;\nModel;A\na;1,5\n") == [["Model", "A"], ["a", "1,5"]]


def test_a_header_that_begins_with_a_hash_is_a_header() -> None:
    assert read("#,Model,A\n1,a,5\n")[0] == ["#", "Model", "A"]
    assert read("#Params,Model,A\n1,a,5\n")[0] == ["#Params", "Model", "A"]


def test_markdown_tables() -> None:
    found = records(b"| Model | GPQA |\n|:---|---:|\n| a | 70 |\n", "x.md")
    assert found.frame.fillna("").to_numpy().tolist() == [["Model", "GPQA"], ["", ""], ["a", "70"]]
    assert found.form == ("Markdown",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        ("M,A\nMod\u00e8le,1\n".encode("latin-1"), "not UTF-8 text (byte 7 is 0xe8, as in Windows"),
        (text().encode("utf-16")[:-1], "not UTF-16 text although it begins so"),
        (b"a,b\n\0\0\n", "not a text, it holds zero bytes"),
        (b"a,b\n1,2\n1,2,3\n", "not a regular CSV (Expected 2 fields in line 3, saw 3; read"),
        (b"a;b\n1;2\n1;2;3\n", "read with semicolons"),
        (b"," * 30_000 + b"\n", "30001 columns"),
        (b"a,b\nx," + b"9" * 200_000 + b"\n", "row 2: a cell of 200000 characters"),
    ],
)  # fmt: skip
def test_faults_are_named(data: bytes, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        records(data, "x.csv")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_huge_table_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MOST_CELLS", 8)
    with pytest.raises(SchemaError, match="about 12 cells; at most 8 are read"):
        records(text().encode(), "x.csv")
