"""Scales that are proposed, column by column."""

from __future__ import annotations

import pandas as pd
import pytest

from bayesbench.scores import scales
from bayesbench.scores.scales import Proposal, proposed_scales
from tests.design.design_helpers import failed_examples


def proposed(percent: tuple[str, ...] = (), **columns: list[float]) -> Proposal:
    rows = [(name, score) for name, scores in columns.items() for score in scores]
    long = pd.DataFrame(rows, columns=["benchmark_id", "score"])
    return proposed_scales(long, long["benchmark_id"].isin(percent).to_numpy())


def scale_of(found: Proposal) -> dict[str, str]:
    return dict(zip(found.benchmarks["benchmark_id"], found.benchmarks["scale"], strict=True))


def test_by_content() -> None:
    found = proposed(a=[50, 60], b=[1200, 1300], c=[-3, 5])
    assert scale_of(found) == {"a": "percent", "b": "rating", "c": "rating"}
    assert scale_of(proposed(a=[0.5, 0.6], b=[0.1])) == {"a": "unit", "b": "unit"}
    assert proposed(a=[0.5, 0.6]).odd == ()


def test_shares_among_percentages_are_named() -> None:
    found = proposed(a=[50, 60], b=[70, 80], c=[0.5, 0.6, 0.7])
    assert scale_of(found)["c"] == "unit" and found.odd == ("c",)


@pytest.mark.parametrize("low", [[0.5, 0.6], [0.01, 0.02, 0.9]])
def test_a_hard_benchmark_among_percentages_stays_one_and_is_named(low: list[float]) -> None:
    found = proposed(a=[50, 60], b=[70, 80], c=low)
    assert scale_of(found)["c"] == "percent" and found.odd == ("c",)


def test_percentages_among_shares_are_named() -> None:
    found = proposed(a=[0.5, 0.6, 0.7], b=[0.7, 0.8, 0.9], c=[50, 60, 70], d=[0.3, 0.4, 0.5])
    assert scale_of(found)["c"] == "percent"
    assert found.odd[0] == "c"


def test_a_percent_sign_says_it() -> None:
    assert scale_of(proposed(("a",), a=[0.5, 0.6, 0.7], b=[50])) == {"a": "percent", "b": "percent"}


def test_known_benchmarks_give_scale_bounds_and_direction() -> None:
    found = proposed(**{"MT-Bench": [8.5, 9.1], "GPQA Diamond": [70, 80], "mine": [5, 6]})
    assert scale_of(found) == {"MT-Bench": "points", "GPQA Diamond": "percent", "mine": "percent"}
    assert found.benchmarks.loc[0, ["lower", "upper"]].tolist() == [0, 10]
    assert found.known == ("MT-Bench", "GPQA Diamond") and found.odd == ()


def test_a_known_benchmark_on_another_scale_is_named() -> None:
    found = proposed(**{"GPQA Diamond": [700, 800], "MT-Bench": [85, 91]})
    assert scale_of(found) == {"GPQA Diamond": "rating", "MT-Bench": "percent"}
    assert set(found.odd) == {"GPQA Diamond", "MT-Bench"} and found.known == ()


def test_examples() -> None:
    assert failed_examples(scales) == 0
