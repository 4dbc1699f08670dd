"""What two matrices differ in."""

from __future__ import annotations

import sys
from pathlib import Path

from bayesbench.scores import ScoreMatrix
from bayesbench.scores.upkeep import differences, summed_up
from tests.design.design_helpers import failed_examples
from tests.factories import make_matrix
from tests.scores.upkeep.kept import directory, edited, repeated


def test_a_matrix_does_not_differ_from_itself_in_another_order() -> None:
    one = repeated(make_matrix())
    other = ScoreMatrix(one.models[::-1], one.benchmarks[::-1], one.readings[::-1])
    assert differences(one, other) == ()


def test_every_change_is_one_row(tmp_path: Path) -> None:
    before = ScoreMatrix.from_directory(directory(tmp_path))
    place = directory(tmp_path, "after")
    edited(place, "models", "2023-01", "2023-02")
    edited(place, "benchmarks", "500", "600")
    scores = (place / "scores.csv").read_text().splitlines(keepends=True)
    second = next(n for n, line in enumerate(scores) if ",2,0-shot" in line)
    cell = next(n for n, line in enumerate(scores) if line.startswith("model_4,"))
    gone = {second: scores[second], cell: scores[cell]}
    kept = [line for n, line in enumerate(scores) if n not in gone]
    kept[-1] = kept[-1].replace("0-shot", "5-shot")
    (place / "scores.csv").write_text("".join(kept))
    found = differences(before, ScoreMatrix.from_directory(place))
    assert [(one.change, one.kind, one.field) for one in found] == [
        ("changed", "model", "release_date"),
        ("changed", "benchmark", "n_items"),
        ("removed", "cell", None),
        ("removed", "reading", "2"),
        ("changed", "reading", "setting"),
    ]
    assert (found[0].before, found[0].after) == ("2023-01", "2023-02")
    assert (found[1].before, found[1].after) == (500.0, 600.0)
    assert found[2].before == float(gone[cell].split(",")[2]) and found[2].after is None
    assert summed_up(found) == (
        "removed: 1 cell, 1 reading; changed: 1 model, 1 benchmark, 1 reading"
    )


def test_the_way_back_mirrors_the_way_there() -> None:
    one = repeated(make_matrix())
    other = one.subset(models=one.model_ids[:4], benchmarks=one.benchmark_ids[1:])
    there, back = differences(one, other), differences(other, one)
    ends = {(d.kind, d.model_id, d.benchmark_id, d.field, d.before, d.after) for d in there}
    mirrored = {(d.kind, d.model_id, d.benchmark_id, d.field, d.after, d.before) for d in back}
    assert ends == mirrored and len(there) == len(back)
    assert {d.change for d in there} == {"removed"} and {d.change for d in back} == {"added"}
    assert sum(d.kind == "cell" for d in there) == one.n_cells - other.n_cells > 0


def test_examples() -> None:
    assert failed_examples(sys.modules[differences.__module__]) == 0
