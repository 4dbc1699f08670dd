"""The learning curve: k scores shown of some models, and an error that falls."""

from __future__ import annotations

import numpy as np

from bayesbench.evaluation import Curve, evaluate
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix


def test_curve_tasks(dated_matrix: ScoreMatrix) -> None:
    tasks = Curve(ks=(1, 4), seeds=2, models_per_fit=5).tasks(dated_matrix)
    for k in (1, 4):
        for seed in (42, 43):
            chosen = [t for t in tasks if t.tags["k"] == k and t.seed == seed]
            cells = sum(len(task.cells) for task in chosen)
            n_scores = dated_matrix.observed.sum(axis=1)
            assert cells == np.maximum(n_scores - k, 0).sum()
    for task in tasks:
        train, _ = training_matrix(dated_matrix, task)
        shown = train.observed[np.unique(task.cells[:, 0])].sum(axis=1)
        assert (shown == task.tags["k"]).all()


def test_scores_are_revealed_one_after_another(dated_matrix: ScoreMatrix) -> None:
    few, more = Curve(ks=(2, 3), seeds=1, models_per_fit=18).tasks(dated_matrix)
    shown = [set(map(tuple, task.revealed.tolist())) for task in (few, more)]
    assert shown[0] < shown[1]
    # models that sit out at 3 have their third score hidden nowhere
    assert len(shown[1]) - len(shown[0]) == (dated_matrix.observed.sum(axis=1) > 3).sum()


def test_a_tenth_of_the_models_is_hidden_together(dated_matrix: ScoreMatrix) -> None:
    tasks = Curve(ks=(1,), seeds=1).tasks(dated_matrix)
    assert {len(np.unique(task.cells[:, 0])) for task in tasks} == {2}
    alone = Curve(ks=(1,), seeds=1, models_per_fit=1).tasks(dated_matrix)
    assert {len(np.unique(task.cells[:, 0])) for task in alone} == {1} and len(alone) == 18


def test_curve(dated_matrix: ScoreMatrix) -> None:
    figures = evaluate(dated_matrix, Curve(ks=(1, 5), seeds=3), "bias")["bias"].to_json()
    assert set(figures["by_k"]) == {"1", "5"}
    assert figures["by_k"]["5"]["medae"] < figures["by_k"]["1"]["medae"]
