"""Columns that contradict their scale or direction: found, and seldom said without reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.scores import ScoreMatrix, doubts, open_scores
from bayesbench.scores.doubts import ERROR_RATE, column_doubts
from tests.design.design_helpers import failed_examples


def scores(seed: int, models: int = 40, benchmarks: int = 20, common: float = 1.0) -> pd.DataFrame:
    """Percentages that share an ability of sd `common`, a third missing."""
    rng = np.random.default_rng(seed)
    ability = common * rng.normal(size=(models, 1))
    latent = ability + rng.normal(size=benchmarks) + 0.5 * rng.normal(size=(models, benchmarks))
    frame = pd.DataFrame(
        (100 / (1 + np.exp(-latent))).round(1),
        index=[f"m{i}" for i in range(models)],
        columns=[f"b{j}" for j in range(benchmarks)],
    )
    return frame.where(rng.random(frame.shape) < 0.67)


def found(frame: pd.DataFrame, **lower: bool) -> list[tuple[str, str]]:
    about = pd.DataFrame(
        {
            "benchmark_id": list(frame.columns),
            "scale": "percent",
            "higher_is_better": [name not in lower for name in frame.columns],
        }
    )
    matrix = ScoreMatrix.from_frame(frame, benchmarks=about)
    return [(doubt.benchmark_id, doubt.kind) for doubt in column_doubts(matrix)]


@pytest.mark.parametrize("seed", range(5))
def test_shares_and_reversed_columns_are_named_and_no_other(seed: int) -> None:
    frame = scores(seed)
    assert found(frame) == []
    frame["b3"] /= 100
    frame["b7"] = 100 - frame["b7"]
    assert found(frame) == [("b3", "shares"), ("b7", "direction")]
    assert found(frame, b7=True) == [("b3", "shares")]  # stated the other way round it is right
    assert found(scores(seed), b7=True) == [("b7", "direction")]


def test_a_hard_benchmark_and_a_table_of_shares_are_no_doubt() -> None:
    frame = scores(0)
    frame["b3"] = (frame["b3"] / 1000).round(3)  # at most a tenth of a percent
    assert found(frame) == []
    assert [kind for _, kind in found(scores(0) / 100)] == []


def test_the_sentence_names_the_column_and_the_remedy() -> None:
    frame = scores(1)
    frame["b7"] = 100 - frame["b7"]
    (doubt,) = column_doubts(ScoreMatrix.from_frame(frame, scale="percent"))
    assert doubt.sentence.startswith("column b7: falls where the other columns rise")
    assert "higher_is_better" in doubt.sentence and "\n" not in doubt.sentence


def test_unrelated_columns_are_rarely_said_to_be_reversed() -> None:
    """At most `ERROR_RATE` of tables: of 150 then 7.5, and above 17 with probability 0.001."""
    tables = 150
    wrong = sum(bool(found(scores(seed, 25, 8, common=0.0))) for seed in range(tables))
    assert wrong <= 17 and ERROR_RATE * tables == 7.5


def test_the_bundled_matrix_has_no_such_column() -> None:
    assert column_doubts(open_scores()) == ()


def test_few_scores_say_nothing() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1], "c": [0.5, 0.5, None, None]})
    assert found(frame.set_axis(list("wxyz"), axis=0)) == []


def test_examples() -> None:
    assert failed_examples(doubts) == 0
