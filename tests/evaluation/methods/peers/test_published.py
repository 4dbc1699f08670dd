"""The peers give their published or re-run figures and rankings on all 30 published folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesbench.evaluation import Folds, evaluate, metrics
from bayesbench.evaluation.methods.peers import PEERS
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import load_folds

# MedAE, MedAPE, within 3, within 5 as published or re-run (arXiv:2606.24020's matrix and folds)
FIGURES = {
    "als": (4.60, 7.76, 36.6, 52.8),
    "soft-impute": (5.07, 8.56, 33.7, 49.5),
    "model-knn": (5.41, 9.13, 32.8, 47.5),
}
# ALS starts at random: three standard deviations of its figures over 17 sets of starts (mean MedAE
# 4.59, standard deviation 0.03). The other two are deterministic: half of the last printed digit.
ROUNDING = (0.007, 0.007, 0.07, 0.07)
TOLERANCE = {"als": (0.085, 0.14, 0.5, 0.75), "soft-impute": ROUNDING, "model-knn": ROUNDING}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIGURES))
def test_published_figures(name: str, benchpress: ScoreMatrix, benchpress_folds: Path) -> None:
    truth, predicted = [], []
    method = PEERS[name]()
    for split in load_folds(benchpress_folds, benchpress):
        train = benchpress.mask(split.mask(benchpress.shape))
        truth.append(benchpress.values[split.cells[:, 0], split.cells[:, 1]])
        predicted.append(method.predict(train, split.cells, 1000 * split.seed + split.fold).median)
    t, p = np.concatenate(truth), np.concatenate(predicted)
    assert t.size == 26_040
    got = (
        metrics.medae(t, p),
        metrics.medape(t, p),
        metrics.within(t, p, 3),
        metrics.within(t, p, 5),
    )
    assert (np.abs(np.subtract(got, FIGURES[name])) <= TOLERANCE[name]).all(), got


# pairs at least one of which, or both of which, are held out, by margin; the model mean is not
# random: half of the last printed digit and the gap of 0.09 that one of the eight shows
PAIRS = {
    "als": {"0": (84.1, 81.3), "1": (86.5, 82.8), "2": (87.8, 84.4), "5": (92.2, 88.1)},
    "model-mean": {"0": (78.3, 76.7), "1": (80.2, 78.0), "2": (82.1, 79.2), "5": (86.7, 83.3)},
}
TOPS = {"10": (72.4, 58.6), "20": (79.3, 65.9), "30": (84.3, 75.0)}
# over six sets of starts ALS's pairs have standard deviations of 0.14 to 0.41, its tops of 0.4 to
# 0.82, and the published ones are as random: three times the root of two of the largest
PAIR_TOLERANCE = {"als": 1.75, "model-mean": 0.14}
TOP_TOLERANCE = 3.5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PAIRS))
def test_published_ranking(name: str, benchpress: ScoreMatrix, benchpress_folds: Path) -> None:
    protocol = Folds(splits=load_folds(benchpress_folds, benchpress))
    found = evaluate(benchpress, protocol, name)[name].figures["ranking_published"]
    for margin, expected in PAIRS[name].items():
        got = [100 * found["pairs"][margin][kind] for kind in ("scored", "held_out")]
        assert (np.abs(np.subtract(got, expected)) < PAIR_TOLERANCE[name]).all(), (margin, got)
    if name == "als":
        for part, expected in TOPS.items():
            got = [100 * found["top"][part][kind] for kind in ("scored", "held_out")]
            assert (np.abs(np.subtract(got, expected)) < TOP_TOLERANCE).all(), (part, got)
