"""Contributions merged into a directory: what stands there afterwards, and what stops them."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from bayesbench.errors import DataError, UnknownIdError
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.upkeep import (
    add_scores,
    additions,
    check_data,
    differences,
    planned_addition,
)
from tests.design.design_helpers import failed_examples
from tests.scores.upkeep.kept import directory, edited


def given(*rows: tuple[object, ...], **extra: object) -> ScoreMatrix:
    frame = pd.DataFrame(rows, columns=["model_id", "benchmark_id", "score", "reading"])
    return ScoreMatrix.from_frame(frame.assign(**extra), scale="percent")


def files(place: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(place.iterdir())}


ONE = given(("MODEL 0", "bench_1", 44.25, 1), ("model_0", "bench_0", 30.5, 1))


def bench(matrix: ScoreMatrix, place: Path) -> ScoreMatrix:
    """On the directory's own scales."""
    own = ScoreMatrix.from_directory(place).benchmarks
    about = matrix.benchmarks.copy()
    for name in about.index.intersection(own.index):
        about.loc[name] = own.loc[name].reindex(about.columns)
    return ScoreMatrix(matrix.models, about, matrix.readings)


def test_only_new_rows_are_written_and_numbers_go_on(tmp_path: Path) -> None:
    place = directory(tmp_path)
    (place / "notes.txt").write_text("mine")
    before = ScoreMatrix.from_directory(place)
    lines = (place / "scores.csv").read_text().splitlines()
    others = {name: held for name, held in files(place).items() if name != "scores.csv"}
    done = add_scores(place, bench(ONE, place))
    after = (place / "scores.csv").read_text().splitlines()
    assert [line for line in after if line in lines] == lines
    assert {name: held for name, held in files(place).items() if name != "scores.csv"} == others
    new = [line for line in after if line not in lines]
    assert new == ["model_0,bench_1,44.25,3,,,", "model_0,bench_0,30.5,1,,,"]
    assert after.index(new[0]) == 1 + max(
        at for at, line in enumerate(after) if line.startswith("model_0,bench_1,") and line in lines
    )
    read = ScoreMatrix.from_directory(place)
    assert read.data_hash == done.matrix.data_hash
    found = [(one.change, one.kind) for one in differences(before, read)]
    assert found == [("added", "cell"), ("added", "reading")]
    assert list(tmp_path.iterdir()) == [place]


def test_a_plan_changes_nothing_and_a_second_time_adds_nothing(tmp_path: Path) -> None:
    place = directory(tmp_path)
    before = files(place)
    planned = planned_addition(place, bench(ONE, place))
    assert files(place) == before and len(planned.readings) == 2
    add_scores(place, bench(ONE, place))
    kept = files(place)
    again = add_scores(place, bench(ONE, place))
    assert len(again.account.repeats) == 2 and again.readings.empty and files(place) == kept


def test_new_ids_only_when_asked(tmp_path: Path) -> None:
    place = directory(tmp_path)
    new = bench(given(("model_7", "bench_1", 50.0, 1), ("model_7", "own", 5.5, 1)), place)
    before = files(place)
    with pytest.raises(UnknownIdError, match=r"'model_7' \(nearest: model_"):
        add_scores(place, new)
    assert files(place) == before
    add_scores(place, new, new_ids=True)
    read = ScoreMatrix.from_directory(place)
    assert read.model_ids[-1] == "model_7" and read.benchmark_ids[-1] == "own"
    assert read.benchmarks.loc["own", "upper"] == 100 and check_data(place).errors == ()


def test_columns_that_a_contribution_needs_are_added(tmp_path: Path) -> None:
    place = directory(tmp_path)
    add_scores(place, bench(given(("model_0", "bench_1", 44.25, 1), stderr=0.5, n_items=80), place))
    frame = pd.read_csv(place / "scores.csv")
    assert frame["stderr"].notna().sum() == 1 == frame["n_items"].notna().sum()


def test_an_error_of_the_check_leaves_all_as_it_was(tmp_path: Path) -> None:
    place = directory(tmp_path)
    before = files(place)
    bad = bench(given(("model_0", "bench_1", 44.25, 1), source_url="javascript:x"), place)
    planned = planned_addition(place, bad)
    assert [one.kind for one in planned.errors] == ["address"]
    with pytest.raises(DataError, match=r"nothing was added; .*must be the http"):
        add_scores(place, bad)
    assert files(place) == before and list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_interrupted_write_leaves_the_directory_whole(
    at: int, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = directory(tmp_path)
    before = files(place)
    write, calls = additions.write_as_written, 0

    def failing(*args: object) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise failure
        write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(additions, "write_as_written", failing)
    new = bench(given(("x", "bench_1", 50.0, 1), ("x", "own", 5.5, 1)), place)
    with pytest.raises((DataError, KeyboardInterrupt)):
        add_scores(place, new, new_ids=True)
    assert calls == at and files(place) == before and list(tmp_path.iterdir()) == [place]


def test_a_link_to_a_directory_stays_one(tmp_path: Path) -> None:
    place = directory(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(place, target_is_directory=True)
    add_scores(link, bench(ONE, place))
    assert link.is_symlink() and "44.25" in (place / "scores.csv").read_text()


def test_a_table_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    place = directory(tmp_path)
    outside = tmp_path / "outside.csv"
    (place / "scores.csv").rename(outside)
    (place / "scores.csv").symlink_to(outside)
    before = outside.read_bytes()
    add_scores(place, bench(ONE, place))
    assert outside.read_bytes() == before and "44.25" in (place / "scores.csv").read_text()


def test_names_like_paths_are_only_names(tmp_path: Path) -> None:
    place = directory(tmp_path)
    evil = bench(given(("../../etc/passwd", "bench_1", 50.0, 1)), place)
    add_scores(place, evil, new_ids=True)
    assert ScoreMatrix.from_directory(place).model_ids[-1] == "../../etc/passwd"
    assert list(tmp_path.iterdir()) == [place]


def test_a_directory_at_fault_is_not_added_to(tmp_path: Path) -> None:
    place = directory(tmp_path)
    contribution = bench(ONE, place)
    edited(place, "scores", "model_0,bench_1,", "model_0,bench_1,x")
    with pytest.raises(DataError, match="must be a number"):
        add_scores(place, contribution)


def test_examples() -> None:
    assert failed_examples(sys.modules[add_scores.__module__]) == 0
