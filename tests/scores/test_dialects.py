"""A table in any of the accepted dialects is read back equal; the user's spreadsheet too."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayesbench.errors import BayesbenchError
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.datasets import load_scores
from tests.scores.spreadsheets import users_spreadsheet

NAMES = st.text("abcXYZ0 .-_é/;,|'", min_size=1, max_size=8).map(lambda text: f"m{text}".strip())
MARKS = ["", "NA", "N/A", "nan", "null", "none", "-", "--", "\u2013", "\u2014", "?", "#N/A"]


def tidied(names: list[str]) -> list[str]:
    return [" ".join(name.split()) for name in names]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Percentages with up to two decimals, some missing, a score in every row and column."""
    models = tidied(draw(st.lists(NAMES, min_size=2, max_size=5)))
    models = list(dict.fromkeys(models))
    n, m = len(models), draw(st.integers(1, 4))
    cells = st.integers(110, 10_000).map(lambda hundredths: hundredths / 100)
    values = np.array(draw(st.lists(cells, min_size=n * m, max_size=n * m))).reshape(n, m)
    hidden = np.array(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    hidden[:, 0] = False  # so that every model has a score,
    hidden[0] = False  # and every benchmark
    return pd.DataFrame(np.where(hidden, np.nan, values), models, [f"bench {j}" for j in range(m)])


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, object]:
    comma = draw(st.booleans())
    return {
        "decimal": "," if comma else ".",
        "sign": draw(st.sampled_from([";", "\t"] if comma else [",", ";", "\t"])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])),
        "percent": draw(st.sampled_from(["", "%", " %"])),
        "mark": draw(st.sampled_from(MARKS)),
        "layout": draw(st.sampled_from(["wide", "turned", "long"])),
        "packed": draw(st.sampled_from(["", "gzip", "zip"])),
        "case": draw(st.sampled_from([str.lower, str.title, str.upper])),
    }


def field(text: str, sign: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & {sign, '"', "\n"} else text


def written(table: pd.DataFrame, dialect: dict[str, object]) -> bytes:
    sign, mark, percent = (str(dialect[name]) for name in ("sign", "mark", "percent"))
    case = dialect["case"]
    assert callable(case)

    def number(value: float) -> str:
        if np.isnan(value):
            return mark
        return f"{value:.2f}".replace(".", str(dialect["decimal"])) + percent

    if dialect["layout"] == "long":
        rows = [[case("model"), case("task"), case("score")]]
        rows += [[m, b, number(table.loc[m, b])] for m in table.index for b in table.columns]
    else:
        turned = dialect["layout"] == "turned"
        frame = table.T if turned else table
        rows = [[case("benchmark" if turned else "model"), *frame.columns]]
        rows += [[str(name), *map(number, row)] for name, row in zip(frame.index, frame.to_numpy(),
                                                                     strict=True)]  # fmt: skip
    text = "".join(
        sign.join(field(cell, sign) for cell in row) + str(dialect["end"]) for row in rows
    )
    data = text.encode(str(dialect["encoding"]))
    if dialect["packed"] == "gzip":
        return gzip.compress(data)
    if dialect["packed"] == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("table.csv", data)
        return buffer.getvalue()
    return data


def equal(matrix: ScoreMatrix, table: pd.DataFrame) -> None:
    found = matrix.to_frame(wide=True).loc[list(table.index), list(table.columns)]
    np.testing.assert_allclose(found.to_numpy(), table.to_numpy(), rtol=1e-12)
    assert matrix.shape == table.shape


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables(), dialects())
def test_any_dialect_is_read_back_equal(
    tmp_path: Path, table: pd.DataFrame, dialect: dict[str, object]
) -> None:
    path = tmp_path / "table.dat"
    path.write_bytes(written(table, dialect))
    matrix = load_scores(path)
    equal(matrix, table)
    assert set(matrix.benchmarks["scale"]) == {"percent"}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables())
def test_parquet_and_frames_are_read_back_equal(tmp_path: Path, table: pd.DataFrame) -> None:
    long = table.rename_axis("Model").melt(ignore_index=False, var_name="Task", value_name="Value")
    for number, frame in enumerate((table, table.rename_axis("Model"), long.reset_index())):
        path = tmp_path / f"{number}.parquet"
        frame.to_parquet(path)
        equal(load_scores(path), table)
        equal(load_scores(frame), table)


@pytest.mark.parametrize("seed", range(3))
def test_the_user_s_spreadsheet_is_read_at_the_first_attempt(tmp_path: Path, seed: int) -> None:
    text, truth = users_spreadsheet(seed)
    path = tmp_path / "leaderboard.csv"
    path.write_text(text, encoding="utf-8-sig")
    matrix = load_scores(path)
    equal(matrix, truth.dropna(how="all"))
    account = matrix.account
    assert account is not None
    assert [name for name, _ in account.left_out] == ["Rank", "Average", "License"]
    assert account.facts == (("Organization", "provider"), ("Params_B", "params_b"))
    assert account.models_without == ("Model 12 (high)", "Model 30 (high)")
    assert "GPQA Diamond" in account.known
    assert account.line.startswith(
        f"leaderboard.csv: 38 models x 20 benchmarks, {account.scores} scores, percent"
    )


@pytest.mark.parametrize("damage", ["85.3*", "~85", "85.3 (1.2)", "see text", "0.853"])
def test_its_broken_twins_are_refused_by_the_cell(tmp_path: Path, damage: str) -> None:
    text, truth = users_spreadsheet(0)
    value = f"{truth.iloc[0].dropna().iloc[0]:.1f}%"
    path = tmp_path / "leaderboard.csv"
    path.write_text(text.replace(value, damage, 1), encoding="utf-8")
    with pytest.raises(Exception, match=r"leaderboard\.csv, row 2: score") as caught:
        load_scores(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["columns", "comments", "digits", "quotes", "one line", "rows"])
def test_hostile_tables_end_in_bounded_time(tmp_path: Path, what: str) -> None:
    names = [f"x{j}_stderr" for j in range(9_000)]
    hostile = {
        "columns": ",".join(["model", *names]) + "\n" + ",".join(["a", *["1"] * 9_000]) + "\n",
        "comments": "# x\n" * 400_000,
        "digits": "model,x\n" + "".join(f"m{i},{'1,.' * 30_000}\n" for i in range(20)),
        "quotes": 'model,x\na,"' + "1\n" * 1_000_000,
        "one line": "," * 5_000_000,
        "rows": "a,b\n" + "1,1\n" * 6_000_000,
    }[what]
    path = tmp_path / "hostile.csv"
    path.write_text(hostile)
    start = time.process_time()
    with pytest.raises(BayesbenchError) as caught:
        load_scores(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert time.process_time() - start < 15
