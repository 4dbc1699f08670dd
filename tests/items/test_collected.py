"""Which form a path is, and that every form is read by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import BayesbenchError
from bayesbench.items.collected import joined, read_collected
from bayesbench.items.simulator import simulate_items
from tests.conftest import REPOSITORY

DATA = REPOSITORY / "tests" / "data"
ITEMS = DATA / "items"
LONG = "model_id,item_id,benchmark_id,correct\na,p,x,1\na,q,x,0\nb,p,x,1\n"


@pytest.fixture
def long(tmp_path: Path) -> Path:
    file = tmp_path / "long.csv"
    file.write_text(LONG)
    return file


def test_every_form_is_known_by_its_name(tmp_path: Path, long: Path) -> None:
    assert read_collected([long]).shape == (2, 2)
    wide = tmp_path / "wide.npz"
    np.savez(wide, y=np.eye(2, dtype=int), model_id=np.array(["a", "b"]),
             item_id=np.array(["p", "q"]))  # fmt: skip
    assert read_collected([wide], benchmark="x").shape == (2, 2)
    assert read_collected([ITEMS / "irw" / "quiz.csv"], benchmark="quiz").shape == (3, 3)
    assert read_collected([ITEMS / "every_eval_ever"]).shape == (2, 3)
    assert read_collected([DATA / "inspect" / "data_pubmedqa_gpt4o_mini.json"]).shape == (1, 2)


def test_samples_of_the_harness_take_the_model_of_their_results(tmp_path: Path) -> None:
    folder = tmp_path / "EleutherAI__pythia"
    shutil.copytree(ITEMS / "lm_eval", folder)
    found = read_collected([folder], metric="exact_match")
    assert found.shape == (1, 10) and list(found.models.index) == ["EleutherAI__pythia"]
    assert found.benchmark_ids == ["math_perturbed_full"]
    shutil.copy(next((DATA / "lm_eval").glob("results_*.json")), folder)
    named = read_collected([tmp_path], metric="exact_match")
    assert "/" in named.models.index[0] and named.scores() == found.scores()
    with pytest.raises(BayesbenchError, match="need a metric, such as acc"):
        read_collected([folder])


def test_a_form_may_be_named(tmp_path: Path, long: Path) -> None:
    bare = tmp_path / "answers.txt"
    bare.write_text(LONG)
    assert read_collected([bare], form="long").shape == (2, 2)


def test_several_tables_are_one(tmp_path: Path) -> None:
    whole = simulate_items(7, 9, missing=0.3, trials=3, benchmarks=2, seed=4).responses
    parts = [
        ("a", whole.subset(models=[0, 1, 2])),
        ("b", whole.subset(models=[3, 4, 5, 6], items=np.arange(5))),
        ("c", whole.subset(models=[6, 3, 5, 4], items=np.arange(8, 4, -1))),
    ]
    found = joined(parts)
    assert found.models.index.equals(whole.models.index)
    assert found.items.equals(whole.items)
    np.testing.assert_array_equal(found.correct, whole.correct)
    np.testing.assert_array_equal(found.trials, whole.trials)
    other = whole.subset(models=[0], items=[0, 1])
    other = replace(other, items=other.items.assign(benchmark_id="z"))
    with pytest.raises(BayesbenchError, match="b: item 'item_0' is of benchmark_id 'z' here, and"):
        joined([parts[0], ("b", other)])
    more = replace(parts[1][1], models=parts[1][1].models.assign(family="f"))
    with pytest.raises(BayesbenchError, match="b: models: column family is not in all files"):
        joined([parts[0], ("b", more)])


def test_what_does_not_go_together_is_one_line(tmp_path: Path, long: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    log = DATA / "inspect" / "data_pubmedqa_gpt4o_mini.json"
    calls: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: read_collected([]), "no file with answers was named"),
        (lambda: read_collected([empty]), "no file with answers per item in it"),
        (lambda: read_collected([long, log]), r"files of several forms \(inspect, long\)"),
        (lambda: read_collected([long, long]), "model 'a' answered item 'p' in an earlier file"),
        (lambda: read_collected([long], metric="acc"), "a metric belongs to lm-eval, inspect"),
        (lambda: read_collected([log], benchmark="x"), "leave out the benchmark"),
        (lambda: read_collected([long], form="wide"), "no form 'wide' of answers; there are long"),
        (lambda: read_collected([ITEMS / "irw" / "quiz.csv"]), "needs a benchmark's name"),
        (lambda: read_collected([tmp_path / "none.npz"]), "no such file"),
    )
    for call, message in calls:
        with pytest.raises(BayesbenchError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
