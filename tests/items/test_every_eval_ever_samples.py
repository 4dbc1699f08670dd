"""Instance files of Every Eval Ever: a sample of the schema, and its broken twins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import SchemaError
from bayesbench.items.every_eval_ever_samples import read_every_eval_ever_samples
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "tests" / "data" / "items" / "every_eval_ever"
FILES = [FOLDER / "model_a_samples.jsonl", FOLDER / "model_b_samples.jsonl"]


def test_instances_are_read_and_repeats_are_runs() -> None:
    found = read_every_eval_ever_samples(FILES)
    assert list(found.models.index) == ["maker/model-a", "maker/model-b"]
    assert [name.partition(":")[0] for name in found.items.index] == [
        "quiz/q1",
        "quiz/q2",
        "quiz/q3",
    ]
    assert found.correct.tolist() == [[1, 1, 1], [0, 1, 0]]
    assert found.trials.tolist() == [[1, 2, 1], [1, 1, 0]]
    assert found.notes == ("model_b_samples.jsonl: 1 instances with an error left out",)
    assert read_every_eval_ever_samples(FILES, "score").correct.tolist()[0] == [1, 1.25, 1]
    with pytest.raises(SchemaError, match="no metric 'acc'; Every Eval Ever has is_correct and sc"):
        read_every_eval_ever_samples(FILES, "acc")


def test_another_file_may_not_answer_again(tmp_path: Path) -> None:
    twin = tmp_path / "twin_samples.jsonl"
    twin.write_text(FILES[0].read_text())
    with pytest.raises(SchemaError, match=r"answered quiz/q1.* in model_a_samples\.jsonl alrea"):
        read_every_eval_ever_samples([FILES[0], twin])


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda d: d.pop("sample_id"), "line 2: no sample_id"),
        (lambda d: d.update(model_id=""), "line 2: model_id is ''; a name is needed"),
        (lambda d: d.update(schema_version="9.9"), "line 2: schema_version '9.9'; give 0.2 or 0.3"),
        (lambda d: d["evaluation"].update(is_correct=2), "line 2: is_correct is 2; true or false"),
        (lambda d: d.update(evaluation=None), r"line 2: is_correct is \(empty\)"),
    ],
)
def test_a_broken_twin_is_refused_in_one_line(
    tmp_path: Path, breaking: Callable[[Any], Any], message: str
) -> None:
    lines = [json.loads(line) for line in FILES[0].read_text().splitlines()]
    breaking(lines[1])
    file = tmp_path / "twin_samples.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(SchemaError, match=message) as caught:
        read_every_eval_ever_samples([file])
    assert "\n" not in str(caught.value) and "twin_samples.jsonl" in str(caught.value)


def test_a_cut_or_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cut_samples.jsonl"
    file.write_text(FILES[0].read_text()[:200])
    with pytest.raises(SchemaError, match="line 1: not JSON"):
        read_every_eval_ever_samples([file])
    file.write_text("")
    with pytest.raises(SchemaError, match="the file is empty"):
        read_every_eval_ever_samples([file])
