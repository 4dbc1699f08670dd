from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import DataError
from bayesbench.scores import read_scores
from bayesbench.scores.importers import ImportedScores, read_results
from tests.scores.importers.samples import DATA


@pytest.fixture(scope="module")
def imported() -> ImportedScores:
    return read_results(DATA, partial=True, add=True)


def test_the_line_that_says_what_was_read(imported: ImportedScores) -> None:
    said = repr(read_results(DATA / "lighteval"))
    assert said.startswith("ImportedScores: 3 readings of 1 models on 3 benchmarks from 1 files")


def test_the_matrix_holds_the_readings(imported: ImportedScores) -> None:
    matrix = imported.matrix()
    assert len(matrix.readings) == len(imported.readings)
    assert matrix.shape == (len(imported.models), len(imported.benchmarks))
    assert {"stderr", "n_items", "setting", "source_url"} <= set(matrix.readings)


def test_a_saved_directory_is_read_as_data(imported: ImportedScores, tmp_path: Path) -> None:
    imported.save(tmp_path / "mine")
    again = read_scores(tmp_path / "mine")
    assert again.data_hash == imported.matrix().data_hash
    left = (tmp_path / "mine" / "left_out.csv").read_text().splitlines()
    assert left[0] == "file,place,model,benchmark,reason"
    assert len(left) == len(imported.left_out) + 1
    with pytest.raises(DataError, match="mine: exists already"):
        imported.save(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_scores_of_one_model() -> None:
    several = read_results(DATA / "benchpress" / "scores.csv")
    assert several.scores("model-2") == {"gsm8k": 88.0, "hle": 21.0}
    with pytest.raises(DataError, match="the files hold 2 models: model-1, model-2; name one"):
        several.scores()
    with pytest.raises(DataError, match="'model-9' is none of them"):
        several.scores("model-9")
    one = read_results(DATA / "lighteval")
    assert one.scores() == one.scores("acme/model-1") == {
        "gsm8k": 81.0, "hellaswag": 79.0, "gpqa_diamond": 42.0,
    }  # fmt: skip
    own = one.readings.set_index("benchmark_id")["stderr"]
    assert one.stderr() == {name: float(x) for name, x in own.items() if x == x} != {}
    assert several.stderr("model-2") == {}


def test_nothing_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    nothing = read_results(DATA / "mteb")
    assert len(nothing.readings) == 0
    for use in (nothing.matrix, nothing.scores, lambda: nothing.save(tmp_path / "x")):
        with pytest.raises(DataError, match="no score could be taken from 1 files"):
            use()
    assert list(tmp_path.iterdir()) == []
