"""Every fault is found, each on its own, and sound data have none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bayesbench.scores import ScoreMatrix
from bayesbench.scores.upkeep import Checked, check_data, faults
from bayesbench.shipped import bundled_path
from tests.design.design_helpers import failed_examples
from tests.scores.upkeep.kept import directory, edited


def kinds(found: Checked, level: str = "error") -> list[str]:
    return [one.kind for one in found.findings if one.level == level]


def column(place: Path, table: str, name: str, values: list[str]) -> None:
    frame = pd.read_csv(place / f"{table}.csv", dtype=str)
    frame.assign(**{name: values}).to_csv(place / f"{table}.csv", index=False)


def test_sound_data_have_no_finding(tmp_path: Path) -> None:
    place = directory(tmp_path)
    found = check_data(place)
    assert found.findings == ()
    assert found.matrix is not None
    assert found.matrix.data_hash == ScoreMatrix.from_directory(place).data_hash


def test_the_bundled_matrix_has_no_error_and_its_twins_are_named() -> None:
    found = check_data(bundled_path("data", "open_scores"))
    assert found.errors == ()
    (pair,) = [
        one for one in found.warnings if one.kind == "identity" and "gpt-5.2-xhigh" in one.text
    ]
    assert "gpt-5.2-thinking" in pair.text
    assert pair.probability is not None and pair.probability > 0.9


FAULTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "score outside its scale": (
        lambda at: edited(at, "scores", "model_0,bench_1,", "model_0,bench_1,9"),
        "schema", "outside its percent scale",
    ),
    "no number": (
        lambda at: edited(at, "scores", "model_0,bench_1,", "model_0,bench_1,x"),
        "schema", "must be a number like",
    ),
    "unknown model": (
        lambda at: edited(at, "scores", "model_4,bench_0,", "model_9,bench_0,"),
        "schema", "model_id 'model_9' is not among the models",
    ),
    "date": (
        lambda at: edited(at, "models", "2023-01", "2023-31"), "schema", "must be YYYY",
    ),
    "scale": (
        lambda at: edited(at, "benchmarks", "percent", "per cent"), "schema", "must be one of",
    ),
    "aliases of two": (
        lambda at: column(at, "models", "aliases", ["A 1", "x", "a-1", "y", "z", "w"]),
        "names", "the alias 'a1' leads to model_0, model_2; leave it to one",
    ),
    "address": (
        lambda at: edited(at, "scores", "https://example.org/3", "example.org/3"),
        "address", "source_url 'example.org/3' must be the http(s) address",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_alone(name: str, tmp_path: Path) -> None:
    spoil, kind, text = FAULTS[name]
    place = directory(tmp_path)
    spoil(place)
    (fault,) = check_data(place).errors
    assert fault.kind == kind
    assert text in fault.text


def test_all_faults_are_found_at_once_and_none_follows_from_another(tmp_path: Path) -> None:
    place = directory(tmp_path)
    edited(place, "scores", "model_1,bench_0,", "model_1,bench_0,x")
    edited(place, "scores", "model_3,bench_1,", "model_3,bench_1,9")
    edited(place, "models", "2023-01", "soon")
    edited(place, "benchmarks", "rating", "elo")
    found = check_data(place)
    assert kinds(found) == ["schema"] * 4, [one.text for one in found.errors]
    assert found.matrix is not None
    assert "model_0" not in found.matrix.model_ids
    assert "bench_2" not in found.matrix.benchmark_ids


def test_a_cell_that_loses_its_reading_1_is_one_fault(tmp_path: Path) -> None:
    whole = ScoreMatrix.from_directory(directory(tmp_path, "whole"))
    place = directory(tmp_path)
    edited(place, "scores", "model_0,bench_1,", "model_0,bench_1,9")  # it has a second reading
    found = check_data(place)
    assert ["outside" in one.text for one in found.errors] == [True]
    assert found.matrix is not None and found.matrix.n_cells == whole.n_cells - 1


def test_a_reading_that_stands_twice(tmp_path: Path) -> None:
    place = directory(tmp_path)
    line = (place / "scores.csv").read_text().splitlines()[5]
    with (place / "scores.csv").open("a") as file:
        file.write(line + "\n")
    found = check_data(place)
    assert kinds(found) == ["schema"] and "stands twice" in found.errors[0].text


def test_what_is_doubtful_is_a_warning(tmp_path: Path) -> None:
    place = directory(tmp_path)
    scores = pd.read_csv(place / "scores.csv", dtype=str)
    scores = scores[scores["model_id"] != "model_5"]
    twice = scores[scores["reading"] == "1"].iloc[[2]].assign(reading="7")
    scores = pd.concat([scores, twice])
    scores.iloc[0, scores.columns.get_loc("source_url")] = ""
    scores.to_csv(place / "scores.csv", index=False)
    column(place, "models", "name", ["One", "one", "c", "d", "e", "f"])
    found = check_data(place)
    assert found.errors == ()
    assert sorted(kinds(found, "warning")) == ["address", "names", "no scores", "repeat"]
    assert any("models without a score: model_5" in one.text for one in found.warnings)


def test_an_alias_that_is_the_id_of_another_is_a_warning(tmp_path: Path) -> None:
    place = directory(tmp_path)
    column(place, "models", "aliases", ["Model 3", "x", "y", "z", "v", "w"])
    found = check_data(place)
    assert found.errors == ()
    assert "an alias of model_0 is the id model_3, which it leads to" in found.warnings[0].text


def test_missing_files_are_each_named(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("model_id,benchmark_id,score\na,b,1\n")
    found = check_data(tmp_path)
    assert found.matrix is None
    assert ["models.csv is missing" in one.text for one in found.errors] == [True, False]
    assert check_data(tmp_path / "none.csv").errors[0].kind == "schema"


def test_the_search_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MOST_FAULTS", 3)
    file = tmp_path / "t.csv"
    rows = [f"m{n},b,x" for n in range(9)]
    file.write_text("model_id,benchmark_id,score\n" + "\n".join(rows))
    found = check_data(file, scale="percent")
    assert len(found.errors) == 4 and found.matrix is None
    assert found.errors[-1].text == "t.csv: more than 3 faults; the rest of it was not checked"


def test_examples() -> None:
    assert failed_examples(sys.modules[check_data.__module__]) == 0
