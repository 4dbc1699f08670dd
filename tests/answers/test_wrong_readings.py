"""Readings that look wrong to a posterior: planted ones are found, in the fit or not."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from bayesbench.answers.wrong_readings import wrong_readings
from bayesbench.errors import DataError
from bayesbench.front.posterior import open_posterior
from bayesbench.scores import ScoreMatrix, open_scores
from tests.design.design_helpers import failed_examples
from tests.factories import make_matrix

POSTERIOR = open_posterior()
SCORES = open_scores().subset(models=["gpt-4.1", "gpt-4o-2024-08-06", "o3"])


def changed(matrix: ScoreMatrix, model: str, benchmark: str, score: float) -> ScoreMatrix:
    readings = matrix.readings.copy()
    cell = (readings["model_id"] == model) & (readings["benchmark_id"] == benchmark)
    readings.loc[cell & (readings["reading"] == 1), "score"] = score
    return replace(matrix, readings=readings)


@pytest.mark.parametrize(
    ("score", "explanation", "corrected"),
    [(0.66, "a share, not a percentage", 66.0), (3.0, None, None)],
)
def test_a_planted_error_is_found(
    score: float, explanation: str | None, corrected: float | None
) -> None:
    found = wrong_readings(POSTERIOR, changed(SCORES, "gpt-4.1", "gpqa_diamond", score)).found
    worst = found[0]
    assert (worst.model_id, worst.benchmark_id, worst.score) == ("gpt-4.1", "gpqa_diamond", score)
    assert worst.probability > 0.9 and worst.lower < 66 < worst.upper
    if explanation is not None:
        assert worst.explanation == explanation
        assert worst.corrected == pytest.approx(corrected)


def test_honest_readings_are_left_alone() -> None:
    judged = wrong_readings(POSTERIOR, SCORES)
    assert len(judged.found) <= 2 and judged.scores + judged.left_out == SCORES.n_cells
    assert all(one.probability >= 0.5 for one in judged.found)


def test_it_is_the_posterior_of_this_matrix_or_refused() -> None:
    with pytest.raises(DataError, match=r"knows 0 of .* it is of another matrix"):
        wrong_readings(POSTERIOR, make_matrix())
    turned = SCORES.benchmarks.assign(higher_is_better=~SCORES.benchmarks["higher_is_better"])
    with pytest.raises(DataError, match=r"knows 0 of"):
        wrong_readings(POSTERIOR, replace(SCORES, benchmarks=turned))


def test_the_same_seed_gives_the_same_answer() -> None:
    planted = changed(SCORES, "gpt-4.1", "gpqa_diamond", 3.0)
    one, other = (wrong_readings(POSTERIOR, planted, seed=3).found for _ in range(2))
    assert one == other or np.isnan(one[0].corrected)


def test_examples() -> None:
    assert failed_examples(sys.modules[wrong_readings.__module__]) == 0
