"""Answers from files: every form reads to the same answers; faults name their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import DataError, SchemaError
from bayesbench.items.loaders import (
    read_irw,
    read_lm_eval_samples,
    read_long,
    read_npz,
    read_responses,
)
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items

LONG = "model_id,item_id,benchmark_id,correct\na,p,x,1\na,q,x,0\nb,p,x,1\n"


def written(folder: Path, text: str, name: str = "answers.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def long_frame(responses: ItemResponses) -> pd.DataFrame:
    rows, columns = np.nonzero(responses.trials)
    return pd.DataFrame(
        {
            "model_id": responses.models.index[rows],
            "item_id": responses.items.index[columns],
            "benchmark_id": responses.items["benchmark_id"].to_numpy()[columns],
            "correct": responses.correct[rows, columns],
            "n": responses.trials[rows, columns],
        }
    )


def same(one: ItemResponses, other: ItemResponses) -> None:
    rows = one.models.index.get_indexer(other.models.index)
    columns = one.items.index.get_indexer(other.items.index)
    assert one.shape == other.shape and rows.min() >= 0 and columns.min() >= 0
    np.testing.assert_array_equal(one.correct[rows][:, columns], other.correct)
    np.testing.assert_array_equal(one.trials[rows][:, columns], other.trials)
    assert list(one.items["benchmark_id"].iloc[columns]) == list(other.items["benchmark_id"])


def test_every_form_reads_to_the_same_answers(tmp_path: Path) -> None:
    drawn = simulate_items(8, 6, trials=3, missing=0.2, benchmarks=2, seed=5).responses
    frame = long_frame(drawn)
    frame.to_csv(tmp_path / "long.csv", index=False)
    frame.to_parquet(tmp_path / "long.parquet")
    np.savez(
        tmp_path / "wide.npz", correct=drawn.correct, n=drawn.trials,
        model_id=np.array(drawn.models.index, dtype=str), item_id=np.array(drawn.items.index, str),
        benchmark_id=np.array(drawn.items["benchmark_id"], str),
    )  # fmt: skip
    for name in ("long.csv", "long.parquet", "wide.npz"):
        same(drawn, read_responses(tmp_path / name))


def test_shares_are_of_n(tmp_path: Path) -> None:
    text = "model_id,item_id,benchmark_id,share,n\na,p,x,0.25,10\n"
    found = read_long(written(tmp_path, text))
    assert found.correct.tolist() == [[2.5]] and found.trials.tolist() == [[10]]


def test_words_count_as_answers_and_families_are_kept(tmp_path: Path) -> None:
    text = "model_id,item_id,correct,family\na,p,True,f\nb,p,false,g\n"
    found = read_long(written(tmp_path, text), benchmark="x")
    assert found.correct.tolist() == [[1], [0]]
    assert list(found.models["family"]) == ["f", "g"]


def test_an_item_id_of_two_benchmarks_is_two_items(tmp_path: Path) -> None:
    found = read_long(written(tmp_path, LONG + "a,p,y,0\n"))
    assert sorted(found.items.index) == ["q", "x/p", "y/p"]
    assert found.notes == ("1 item ids that several benchmarks use: benchmark/item",)


def test_categories_are_kept(tmp_path: Path) -> None:
    text = "model_id,item_id,benchmark_id,correct,category\na,p,x,1,u\na,q,x,1,v\nb,p,x,0,u\n"
    assert list(read_long(written(tmp_path, text)).items["category"]) == ["u", "v"]
    with pytest.raises(SchemaError, match="row 4: category 'w': differs from an earlier row of th"):
        read_long(written(tmp_path, text.replace("b,p,x,0,u", "b,p,x,0,w")))
    file = tmp_path / "kinds.npz"
    np.savez(file, **arrays(category=np.array(["u", "v", "u"])))
    assert list(read_npz(file).items["category"]) == ["u", "v", "u"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LONG + "a,p,x,0\n", "row 5: model 'a' answered item 'p' in an earlier row"),
        (LONG + "c,p,x,2\n", "row 5: correct '2': must be a whole number from 0 to n"),
        (LONG + "c,p,x,\n", r"row 5: correct \(empty\)"),
        (LONG + "c,,x,1\n", r"row 5: item_id \(empty\): an id is required"),
        (LONG.replace("correct", "right"), "missing column correct"),
        ("model_id,item_id,benchmark_id,correct,n\na,p,x,1,0\n", "row 2: n '0'"),
        ("model_id,item_id,benchmark_id,share\na,p,x,1.2\n", "a share must be from 0 to 1"),
        ("model_id,item_id,benchmark_id,correct,family\na,p,x,1,f\na,q,x,1,g\n", "row 3: family"),
        ("", "empty"),
    ],
)
def test_a_fault_names_its_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        read_long(written(tmp_path, text))
    assert "\n" not in str(caught.value) and "answers.csv" in str(caught.value)


def test_the_response_warehouse_is_read(tmp_path: Path) -> None:
    found = read_irw(
        written(tmp_path, "id,item,resp\n1,i1,1\n1,i2,0\n2,i1,\n2,i2,1\n"), benchmark="x"
    )
    assert found.shape == (2, 2) and found.trials.sum() == 3
    assert found.notes == ("1 rows without a response left out",)
    with pytest.raises(SchemaError, match="row 3: correct '3': resp must be 0 or 1"):
        read_irw(written(tmp_path, "id,item,resp\n1,i1,1\n1,i2,3\n"), benchmark="x")


def arrays(**change: Any) -> dict[str, Any]:
    given = {
        "y": np.array([[1, 0, 255], [0, 1, 1]], dtype=np.uint8),
        "model_id": np.array(["a", "b"]),
        "item_id": np.array(["p", "q", "r"]),
        "benchmark_id": np.array(["x", "x", "y"]),
    }
    return {name: value for name, value in {**given, **change}.items() if value is not None}


def test_rates_with_runs_per_model(tmp_path: Path) -> None:
    file = tmp_path / "rates.npz"
    rate = np.array([[0.5, np.nan, 1], [0, 0.25, 1]], dtype=np.float32)
    np.savez(file, **arrays(y=None, rate=rate, n_samples=np.array([10, 4])))
    found = read_npz(file)
    assert found.correct.tolist() == [[5, 0, 10], [0, 1, 4]]
    assert found.trials.tolist() == [[10, 0, 10], [4, 4, 4]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.array([[1, 0, 7], [0, 1, 1]])}, r"y\[0, 2\] is 7; give 0, 1 or 255"),
        ({"y": np.ones((2, 2), int)}, "shape"),
        ({"y": None}, "none of the arrays"),
        ({"rate": np.ones((2, 3))}, "give exactly one"),
        ({"y": None, "rate": np.ones((2, 3))}, "rate without n_samples"),
        ({"y": None, "correct": np.ones((2, 3)), "n": np.ones(5)}, r"n has shape \(5,\)"),
        ({"benchmark_id": None}, "no array benchmark_id"),
        ({"model_id": None}, "no array model_id"),
        ({"model_id": np.array(["a", "a"])}, "model 'a' stands twice"),
        ({"benchmark_id": np.array(["x"])}, "bad.npz"),
        ({"model_id": np.array(["a", None], dtype=object)}, "cannot be read as npz"),
    ],
)
def test_a_bad_npz_is_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "bad.npz"
    np.savez(file, **arrays(**change))
    with pytest.raises(SchemaError, match=message) as caught:
        read_npz(file)
    assert "\n" not in str(caught.value)


def test_what_is_no_npz_is_said(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="cannot be read as npz"):
        read_npz(written(tmp_path, "hello", "broken.npz"))
    with pytest.raises(SchemaError, match="no such file"):
        read_npz(tmp_path / "none.npz")
    np.save(tmp_path / "single.npy", np.ones(3))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    with pytest.raises(SchemaError, match="a single array"):
        read_npz(tmp_path / "single.npz")


def sample(doc: int, value: float, **more: Any) -> dict[str, Any]:
    named = {"doc_id": doc, "doc_hash": f"hash{doc}" + "0" * 20, "prompt_hash": f"prompt{doc}"}
    return {**named, "filter": "none", "acc": value, **more}


def logged(folder: Path, model: str, samples: list[Any], task: str = "quiz") -> Path:
    place = folder / model
    place.mkdir(exist_ok=True)
    text = "".join(json.dumps(one) + "\n" for one in samples)
    return written(place, text, f"samples_{task}_2025-01-02T03-04-05.678901.jsonl")


def test_samples_of_the_harness_are_read(tmp_path: Path) -> None:
    one = logged(tmp_path, "one", [sample(0, 1.0), sample(1, 0.0)])
    two = logged(tmp_path, "two", [sample(1, 1.0), sample(0, 1.0, prompt_hash="other")])
    found = read_lm_eval_samples({"o/one": [one], "two": [two]}, "acc")
    assert list(found.models.index) == ["o/one", "two"] and found.benchmark_ids == ["quiz"]
    assert list(found.items.index) == ["quiz/0:hash00000000", "quiz/1:hash10000000"]
    assert found.correct.tolist() == [[1, 0], [1, 1]]
    assert found.notes == ("1 items were asked with different prompts: quiz/0:hash00000000",)


def test_a_document_that_changed_is_another_item(tmp_path: Path) -> None:
    one = logged(tmp_path, "one", [sample(0, 1.0)])
    two = logged(tmp_path, "two", [sample(0, 1.0, doc_hash="new")])
    found = read_lm_eval_samples({"one": [one], "two": [two]}, "acc")
    assert found.shape == (2, 2) and found.trials.sum() == 2
    assert found.notes == ("1 documents differ between models and count as several items: quiz/0",)


def test_of_several_filters_one_is_named(tmp_path: Path) -> None:
    rows = [sample(0, 0.0, filter="strict"), sample(0, 1.0, filter="loose")]
    file = logged(tmp_path, "one", rows)
    assert read_lm_eval_samples({"one": [file]}, "acc,loose").correct.tolist() == [[1]]
    with pytest.raises(SchemaError, match=r"line 2: several filters \(loose, strict\); name one"):
        read_lm_eval_samples({"one": [file]}, "acc")
    with pytest.raises(SchemaError, match="no filter 'other'; filters found: loose, strict"):
        read_lm_eval_samples({"one": [file]}, "acc,other")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([sample(0, 1.0), sample(0, 1.0)], "line 2: model 'one' answered quiz/0"),
        ([sample(0, 7.5)], "line 1: acc is 7.5; a metric from 0 to 1"),
        ([{"doc_id": 0, "acc": 1.0}], "line 1: no doc_hash"),
        ([{"doc_id": 0, "doc_hash": "h", "f1": 0.5}], "no metric 'acc'; numbers found: doc_id, f1"),
        ([[1]], "line 1: not a sample"),
    ],
)
def test_a_bad_sample_is_one_line(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        read_lm_eval_samples({"one": [logged(tmp_path, "one", rows)]}, "acc")
    assert "\n" not in str(caught.value)


def test_bad_sample_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="line 1: not JSON"):
        file = logged(tmp_path, "one", [])
        file.write_text("{nope\n")
        read_lm_eval_samples({"one": [file]}, "acc")
    with pytest.raises(SchemaError, match="not called samples_TASK_DATE"):
        read_lm_eval_samples({"one": ["x.jsonl"]}, "acc")
    with pytest.raises(SchemaError, match="no such file"):
        read_lm_eval_samples({"one": [tmp_path / "samples_q_2025-01-02T03-04-05.jsonl"]}, "acc")
    with pytest.raises(DataError, match="no samples"):
        read_lm_eval_samples({}, "acc")
