"""The noise floor: on small tables whose answer is known, and on noise of a known size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.scores import ScoreMatrix
from bayesbench.scores.repeats import noise_floor


def readings_of(cells: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    rows = [
        (model, benchmark, score, number)
        for (model, benchmark), scores in cells.items()
        for number, score in enumerate(scores, start=1)
    ]
    return pd.DataFrame(rows, columns=["model_id", "benchmark_id", "score", "reading"])


def test_a_table_with_a_known_answer() -> None:
    """Differences of the percentages: 2; 0; of 4, 6, 10 the median 6; of 3, 0, 3 the median 3."""
    cells = {
        ("a", "x"): [70.0, 72.0],
        ("b", "x"): [55.0, 55.0],
        ("a", "y"): [10.0, 14.0, 20.0],
        ("b", "y"): [30.0, 33.0, 30.0],
        ("c", "y"): [99.0],
        ("a", "elo"): [1000.0, 1040.0],
        ("b", "elo"): [1100.0],
        ("a", "odd"): [5.0],
    }
    metadata = pd.DataFrame(
        {
            "benchmark_id": ["x", "y", "elo", "odd"],
            "scale": ["percent", "percent", "rating", "points"],
            "lower": [0.0, 0.0, np.nan, 0.0],
            "upper": [100.0, 100.0, np.nan, 10.0],
        }
    )
    found = noise_floor(ScoreMatrix.from_frame(readings_of(cells), benchmarks=metadata))
    assert list(found) == ["percent", "rating"]  # no cell of "odd" was read twice
    percent, rating = found["percent"], found["rating"]
    assert (percent.n_cells, percent.n_readings) == (4, 10)
    assert percent.agree == pytest.approx((0 + 1 + 0 + 1 / 3) / 4)
    assert percent.difference == 2.5
    assert percent.medae == pytest.approx(2.5 / np.sqrt(2))
    assert percent.quantiles[0.25] == 1.5 and percent.quantiles[0.75] == 3.75
    assert (rating.n_cells, rating.difference) == (1, 40.0)
    assert rating.difference_interval95 == (40.0, 40.0)


def test_without_repeated_readings_nothing_is_known() -> None:
    frame = readings_of({("a", "x"): [1.0], ("b", "x"): [2.0]})
    assert noise_floor(ScoreMatrix.from_frame(frame, scale="percent")) == {}


def test_the_floor_is_the_error_of_who_knows_the_means() -> None:
    """Normal errors of sd 2 in 2,000 cells; the standard error of a median is about 3 %."""
    rng = np.random.default_rng(5)
    means = rng.uniform(20, 80, 2000)
    cells = {
        (f"m{n // 20}", f"b{n % 20}"): list(mean + 2 * rng.normal(size=2))
        for n, mean in enumerate(means)
    }
    found = noise_floor(ScoreMatrix.from_frame(readings_of(cells), scale="percent"), resamples=400)
    floor = found["percent"]
    errors = [abs(scores[0] - mean) for scores, mean in zip(cells.values(), means, strict=True)]
    assert floor.medae == pytest.approx(np.median(errors), rel=0.1)
    assert floor.medae == pytest.approx(0.6745 * 2, rel=0.1)
    low, high = floor.medae_interval95
    assert low < 0.6745 * 2 < high and high / low < 1.2
    assert floor.agree == 0.0


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Of 200 tables 95 % hold the true median difference, 0.954 sd 2; 4 Monte Carlo errors."""
    rng, hits = np.random.default_rng(2), 0
    for _ in range(200):
        scores = 50 + 2 * rng.normal(size=(60, 2))
        cells = {(f"m{n}", "x"): list(pair) for n, pair in enumerate(scores)}
        matrix = ScoreMatrix.from_frame(readings_of(cells), scale="percent")
        low, high = noise_floor(matrix, resamples=300)["percent"].difference_interval95
        hits += low < 0.6745 * np.sqrt(2) * 2 < high
    assert abs(hits / 200 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 200)


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(0)
    cells = {(f"m{n}", "x"): list(rng.uniform(0, 90, 2)) for n in range(30)}
    matrix = ScoreMatrix.from_frame(readings_of(cells), scale="percent")
    first, again, other = (
        noise_floor(matrix, resamples=20, seed=seed)["percent"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first.difference_interval95 != other.difference_interval95
    assert first.difference == other.difference
