from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import DataError, SchemaError, UnknownIdError, UsageError
from bayesbench.scores import ScoreMatrix


def small() -> ScoreMatrix:
    frame = pd.DataFrame(
        [
            ("m1", "b1", 10.0, 1, 100.0),
            ("m1", "b2", 20.0, 1, np.nan),
            ("m2", "b1", 30.0, 1, np.nan),
            ("m2", "b1", 35.0, 2, 50.0),
            ("m3", "b3", 1200.0, 1, np.nan),
        ],
        columns=["model_id", "benchmark_id", "score", "reading", "n_items"],
    )
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": ["b1", "b2", "b3"],
            "scale": ["percent", "percent", "rating"],
            "higher_is_better": [True, False, True],
            "n_items": [500, np.nan, np.nan],
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks)


def test_values_and_observed_hold_the_first_readings() -> None:
    matrix = small()
    expected = np.array([[10, 20, np.nan], [30, np.nan, np.nan], [np.nan, np.nan, 1200]])
    np.testing.assert_array_equal(matrix.values, expected)
    np.testing.assert_array_equal(matrix.observed, ~np.isnan(expected))
    assert matrix.model_ids == ("m1", "m2", "m3")
    assert matrix.benchmark_ids == ("b1", "b2", "b3")
    assert (matrix.shape, matrix.n_cells) == ((3, 3), 4)


def test_n_items_is_the_cells_else_the_benchmarks() -> None:
    items = small().n_items
    assert items[0, 0] == 100
    assert items[1, 0] == 500
    assert np.isnan(items[:, 1:]).all()


def test_standard_errors_are_those_of_the_first_readings() -> None:
    matrix = small()
    assert np.isnan(matrix.stderr).all() and matrix.stderr.shape == matrix.shape
    number = np.arange(len(matrix.readings), dtype=np.float64)
    known = ScoreMatrix(
        matrix.models, matrix.benchmarks, matrix.readings.assign(stderr=1.0 + number)
    )
    first = matrix.readings["reading"].to_numpy() == 1
    assert sorted(known.stderr[known.observed]) == list(1.0 + number[first])
    assert np.isnan(known.stderr[~known.observed]).all()


def test_metadata_state_scale_bounds_and_direction() -> None:
    benchmarks = small().benchmarks
    assert benchmarks.loc["b1", ["lower", "upper"]].tolist() == [0, 100]
    assert benchmarks.loc["b3", ["lower", "upper"]].isna().all()
    assert benchmarks["higher_is_better"].tolist() == [True, False, True]


def test_arrays_are_read_only() -> None:
    matrix = small()
    for array in (matrix.values, matrix.observed, matrix.n_items, matrix.stderr):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


class CacheFiller:
    """Stands for another thread: has the matrix work things out while it is pickled."""

    def __init__(self, matrix: ScoreMatrix) -> None:
        self.matrix = matrix

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        assert self.matrix.n_items.shape == self.matrix.shape
        assert self.matrix.model_index("m2") == 1
        return str, ("filled",)


def test_a_matrix_may_be_used_while_it_is_pickled() -> None:
    matrix = small()
    matrix.models["other thread"] = [CacheFiller(matrix)] * 3
    copy = pickle.loads(pickle.dumps(matrix))
    np.testing.assert_array_equal(copy.values, matrix.values)
    assert copy.data_hash == matrix.data_hash


def test_arrays_of_a_pickled_matrix_are_read_only() -> None:
    matrix = small()
    assert matrix.n_cells == 4
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(matrix)).values[0, 0] = 1


def test_open_scores_has_the_documented_size(open_matrix: ScoreMatrix) -> None:
    summary = open_matrix.describe()
    assert (summary["models"], summary["benchmarks"]) == (675, 339)
    assert (summary["cells"], summary["readings"]) == (12866, 15560)
    assert summary["cells_with_several_readings"] == 2051


def test_filtered_open_scores_has_the_documented_size(open_matrix: ScoreMatrix) -> None:
    matrix = open_matrix.filter()
    assert matrix.shape == (300, 277)
    assert matrix.n_cells == 10161
    assert matrix.observed.sum(axis=1).min() >= 15
    assert matrix.observed.sum(axis=0).min() >= 8
    assert matrix.filter().data_hash == matrix.data_hash


def test_benchpress_loads(benchpress_directory: Path) -> None:
    matrix = ScoreMatrix.from_directory(benchpress_directory)
    assert matrix.shape == (84, 133)
    assert matrix.n_cells == 2604


def test_filter_repeats_until_nothing_drops_out() -> None:
    # b2 falls at once (one score); then m2 has one score left and falls; b1 keeps m1 and m3.
    wide = pd.DataFrame(
        [[1, np.nan, 1], [1, 1, np.nan], [1, np.nan, 1]],
        index=["m1", "m2", "m3"],
        columns=["b1", "b2", "b3"],
    )
    matrix = ScoreMatrix.from_frame(wide, scale="unit").filter(2, 2)
    assert matrix.model_ids == ("m1", "m3")
    assert matrix.benchmark_ids == ("b1", "b3")


def test_filter_to_nothing_says_so() -> None:
    with pytest.raises(DataError, match="no scores are left with at least 9 per model"):
        small().filter(9, 1)


def test_subset_keeps_the_order_given_and_all_readings() -> None:
    part = small().subset(models=["m2", "m1"], benchmarks=["b1"])
    assert part.model_ids == ("m2", "m1")
    np.testing.assert_array_equal(part.values, [[30], [10]])
    assert len(part.readings) == 3


def test_subset_refuses_unknown_and_repeated_ids() -> None:
    with pytest.raises(UnknownIdError, match="unknown benchmark 'B-1'; nearest: b1"):
        small().subset(benchmarks=["B-1"])
    with pytest.raises(UsageError, match="named twice"):
        small().subset(models=["m1", "m1"])


def test_mask_hides_a_cell_with_all_its_readings() -> None:
    matrix = small()
    cells = np.zeros(matrix.shape, dtype=bool)
    cells[1, 0] = True
    hidden = matrix.mask(cells)
    assert hidden.shape == matrix.shape
    assert not hidden.observed[1].any()
    assert len(hidden.readings) == len(matrix.readings) - 2
    assert matrix.observed[1, 0]


@pytest.mark.parametrize("cells", [np.zeros((2, 3), dtype=bool), np.zeros((3, 3))])
def test_mask_refuses_other_shapes_and_types(cells: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"cells must be bool of shape \(3, 3\)"):
        small().mask(cells)


def test_unknown_ids_come_with_the_nearest(open_matrix: ScoreMatrix) -> None:
    with pytest.raises(UnknownIdError) as caught:
        open_matrix.benchmark_index("GPQA-diamond")
    assert caught.value.suggestions[0] == "gpqa_diamond"
    assert open_matrix.benchmark_ids[open_matrix.benchmark_index("mmlu_pro")] == "mmlu_pro"
    with pytest.raises(UnknownIdError, match="unknown model 'qwen'; nearest: "):
        open_matrix.model_index("qwen")


def test_long_frame_round_trip(open_matrix: ScoreMatrix) -> None:
    again = ScoreMatrix.from_frame(
        open_matrix.to_frame(), benchmarks=open_matrix.benchmarks, models=open_matrix.models
    )
    assert again.data_hash == open_matrix.data_hash
    pd.testing.assert_frame_equal(again.readings, open_matrix.readings)
    pd.testing.assert_frame_equal(again.models, open_matrix.models)
    pd.testing.assert_frame_equal(again.benchmarks, open_matrix.benchmarks)


def test_wide_frame_round_trip(open_matrix: ScoreMatrix) -> None:
    again = ScoreMatrix.from_frame(
        open_matrix.to_frame(wide=True),
        benchmarks=open_matrix.benchmarks,
        models=open_matrix.models,
    )
    np.testing.assert_array_equal(again.values, open_matrix.values)


def test_to_frame_gives_a_copy() -> None:
    matrix = small()
    long, wide = matrix.to_frame(), matrix.to_frame(wide=True)
    long.loc[0, "score"] = 0.0
    wide.iloc[0, 0] = 0.0
    assert matrix.readings["score"].iloc[0] == 10
    assert matrix.values[0, 0] == 10


@pytest.mark.parametrize("compressed", [False, True])
def test_long_csv_with_short_names(tmp_path: Path, compressed: bool) -> None:
    text = "model,benchmark,score\nm1,b1,0.5\n\nm2,b1,0.75\n"
    path = tmp_path / ("scores.csv.gz" if compressed else "scores.csv")
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    matrix = ScoreMatrix.from_csv(path, scale="unit")
    np.testing.assert_array_equal(matrix.values, [[0.5], [0.75]])


def test_csv_with_a_file_of_metadata(tmp_path: Path) -> None:
    scores, benchmarks = tmp_path / "scores.csv", tmp_path / "benchmarks.csv"
    scores.write_text("model,benchmark,score\nm1,elo,1500\nm1,acc,50\n")
    benchmarks.write_text("benchmark,scale,lower,upper\nelo,rating,,\n")
    with pytest.raises(SchemaError, match=r"scores\.csv, row 3: benchmark_id 'acc' is not among"):
        ScoreMatrix.from_csv(scores, benchmarks=benchmarks)
    matrix = ScoreMatrix.from_csv(scores, benchmarks=benchmarks, scale="percent")
    assert matrix.benchmarks["scale"].to_dict() == {"elo": "rating", "acc": "percent"}


def test_constructor_refuses_tables_that_do_not_fit() -> None:
    matrix = small()
    with pytest.raises(SchemaError, match="without metadata"):
        ScoreMatrix(matrix.models.iloc[:1], matrix.benchmarks, matrix.readings)
    with pytest.raises(SchemaError, match="readings: missing column reading"):
        ScoreMatrix(matrix.models, matrix.benchmarks, matrix.readings.drop(columns="reading"))
    with pytest.raises(SchemaError, match="model 'm1' stands twice"):
        twice = matrix.models.iloc[[0, 0, 1, 2]]
        ScoreMatrix(twice, matrix.benchmarks, matrix.readings)
    with pytest.raises(SchemaError, match="no reading 1"):
        ScoreMatrix(matrix.models, matrix.benchmarks, matrix.readings.iloc[[0, 3]])
    with pytest.raises(SchemaError, match="stands twice"):
        ScoreMatrix(matrix.models, matrix.benchmarks, matrix.readings.iloc[[0, 0]])
    with pytest.raises(SchemaError, match="not a finite number"):
        broken = matrix.readings.assign(score=np.inf)
        ScoreMatrix(matrix.models, matrix.benchmarks, broken)
