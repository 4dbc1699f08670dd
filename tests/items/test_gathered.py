"""Gathering answers: runs of one file add up, those of another are refused."""

from __future__ import annotations

import pytest

from bayesbench.errors import DataError, SchemaError
from bayesbench.items.gathered import Gathered, changed


def test_runs_of_one_file_add_up() -> None:
    found = Gathered()
    for share in (1.0, 0.0, 0.5):
        found.add("f, line 1", "f", "m", "t/1", "t", share)
    found.add("g, line 1", "g", "n", "t/2", "t", 1.0)
    answers = found.responses()
    assert answers.correct.tolist() == [[1.5, 0], [0, 1]]
    assert answers.trials.tolist() == [[3, 0], [0, 1]]
    with pytest.raises(SchemaError, match="g, line 2: model 'm' answered t/1 in f already"):
        found.add("g, line 2", "g", "m", "t/1", "t", 1.0)
    with pytest.raises(DataError, match="no answers in the files"):
        Gathered().responses()


def test_what_changed_is_said() -> None:
    said = changed(["t/1:a", "t/1:b", "t/2:c"], {"t/2:c": {"x", "y"}})
    assert said == (
        "1 documents differ between models and count as several items: t/1",
        "1 items were asked with different prompts: t/2:c",
    )
    assert changed(["t/1", "t/1b"], {}) == ()
