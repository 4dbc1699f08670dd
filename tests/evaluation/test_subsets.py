"""Small suites: figures against scipy, choice against the order, nothing seen of the tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import DataError, UsageError
from bayesbench.evaluation import subsets
from bayesbench.evaluation.methods.probe_orders import by_information, global_orders
from bayesbench.evaluation.subsets import (
    Plan,
    Standing,
    Trial,
    agreement,
    chosen_suite,
    compared,
    tried,
)
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior


@pytest.mark.parametrize("ties", [False, True])
def test_agreement_is_that_of_scipy(ties: bool) -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=12)
    b = a + rng.normal(size=12)
    if ties:
        a, b = np.round(a), np.round(b)
    found = agreement(a, b, np.ones((1, 12), np.int64))
    assert found["kendall"][0] == pytest.approx(stats.kendalltau(a, b).statistic)
    assert found["spearman"][0] == pytest.approx(stats.spearmanr(a, b).statistic)
    pairs = [(i, j) for i in range(12) for j in range(i) if a[i] != a[j]]
    right = [0.5 + 0.5 * np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) for i, j in pairs]
    assert found["pairs"][0] == pytest.approx(np.mean(right))


def test_a_weight_is_so_many_copies() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 6))
    weights = np.array([[0, 2, 1, 3, 1, 1]])
    copies = np.repeat(np.arange(6), weights[0])
    found = agreement(a, b, weights)
    assert found["spearman"][0] == pytest.approx(stats.spearmanr(a[copies], b[copies]).statistic)
    assert found["kendall"][0] == pytest.approx(stats.kendalltau(a[copies], b[copies]).statistic)


def standing(
    error: np.ndarray, noise: float = 0.4, seed: int = 5, revealed: float = 2.0
) -> Standing:
    rng = np.random.default_rng(seed)
    count = len(error)
    full = np.random.default_rng(0).normal(size=count)
    return Standing(
        full,
        full + noise * rng.normal(size=count),
        error,
        np.full(count, revealed),
        np.full(count, np.nan),
    )


def found_of(**ways: tuple[Standing, ...]) -> Trial:
    return Trial(np.arange(len(ways["suite"][0].full)), ways, (), {})


def test_figures_have_intervals_around_them() -> None:
    error = np.random.default_rng(5).exponential(5, (40, 3))
    error[::2, 0] = np.nan
    one = standing(error)
    figures, against = compared(found_of(suite=(one,)))
    by_name = {each.figure: each for each in figures}
    assert list(by_name) == ["medae", "pairs", "kendall", "spearman", "revealed"]
    assert by_name["medae"].value == pytest.approx(np.nanmedian(error))
    for name in ("medae", "pairs", "kendall", "spearman"):
        assert by_name[name].lower < by_name[name].value < by_name[name].upper
    assert (by_name["revealed"].value, against) == (2.0, ())


def test_errors_are_compared_on_scores_that_both_hide() -> None:
    """The other way shows the hard column: on all that each hides it would look better."""
    rng = np.random.default_rng(6)
    easy, hard = rng.exponential(1, (30, 4)), rng.exponential(50, (30, 4))
    nothing = np.full((30, 4), np.nan)
    own = standing(np.hstack([easy, hard]))
    other = standing(np.hstack([easy + 0.5, nothing]), seed=7)
    assert np.nanmedian(own.error) > np.nanmedian(other.error)
    figures, against = compared(found_of(suite=(own,), popularity=(other,)))
    (medae,) = (each for each in against if each.figure == "medae")
    assert medae.n_cells == 120
    assert medae.suite == pytest.approx(np.median(easy))
    assert [medae.difference, medae.lower, medae.upper] == pytest.approx([-0.5] * 3)
    assert figures[0].value == pytest.approx(np.nanmedian(own.error))


def test_random_sets_are_averaged_each_on_its_own_shared_scores() -> None:
    rng = np.random.default_rng(8)
    own = standing(rng.exponential(5, (20, 4)))
    others = []
    for gone in (0, 1):
        error = rng.exponential(9, (20, 4))
        error[:, gone:3] = np.nan
        others.append(standing(error, seed=gone))
    _, against = compared(found_of(suite=(own,), random=tuple(others)))
    medae = next(each for each in against if each.figure == "medae")
    shared = [np.isfinite(one.error) for one in others]
    assert medae.suite == pytest.approx(np.mean([np.median(own.error[part]) for part in shared]))
    assert medae.other == pytest.approx(np.mean([np.nanmedian(one.error) for one in others]))
    assert medae.difference == pytest.approx(medae.suite - medae.other)
    assert medae.n_cells == round(np.mean([part.sum() for part in shared]))


def test_a_way_is_no_better_than_itself() -> None:
    own = standing(np.random.default_rng(9).exponential(5, (20, 4)))
    _, against = compared(found_of(suite=(own,), popularity=(own,)))
    assert {(each.difference, each.lower, each.upper) for each in against} == {(0.0, 0.0, 0.0)}


def test_nothing_to_compare_gives_no_numbers() -> None:
    own = standing(np.full((20, 4), np.nan))
    figures, (medae, *_) = compared(found_of(suite=(own,), popularity=(own,)))
    assert np.isnan([figures[0].value, figures[0].lower, medae.difference, medae.upper]).all()
    assert medae.n_cells == 0


def test_the_suite_is_the_head_of_the_global_order() -> None:
    posterior = make_posterior(n_models=8)
    (order,) = global_orders(posterior, None, {"epig-global": by_information}).values()
    assert chosen_suite(posterior, 3) == order[:3]
    dear = dict.fromkeys(posterior.benchmark_ids, 1.0) | {order[0]: 1e9}
    assert order[0] not in chosen_suite(posterior, 4, costs=dear)
    assert set(chosen_suite(posterior, 2, ["bench_1", "bench_4"])) == {"bench_1", "bench_4"}
    with pytest.raises(UsageError, match="k must lie between 1 and 5"):
        chosen_suite(posterior, 6)
    with pytest.raises(UsageError, match="no cost known for 'bench_1'"):
        chosen_suite(posterior, 1, costs={"bench_0": 1.0})


def test_a_plan_that_cannot_be_is_refused() -> None:
    matrix = make_matrix()
    everything = matrix.benchmark_ids
    with pytest.raises(UsageError, match="k must lie between 1 and 2"):
        Plan(matrix, 3, everything[:2])
    with pytest.raises(UsageError, match="folds must be at least 2, got 1"):
        Plan(matrix, 2, everything, folds=1)
    with pytest.raises(UsageError, match="unknown benchmark 'bench_9'"):
        Plan(matrix, 1, ("bench_9",))
    with pytest.raises(DataError, match="two models with scores at least"):
        Plan(matrix.subset(models=["model_0"]), 1, everything)


def test_nothing_is_seen_of_the_models_that_are_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[ScoreMatrix] = []
    asked: list[tuple[ScoreMatrix, str, set[str]]] = []

    def made(matrix: ScoreMatrix, *_: object, **__: object) -> StoredPosterior:
        fits.append(matrix)
        return make_posterior(matrix=matrix, n_draws=40)

    whole = subsets.condition

    def watched(fit: Any, scores: Any, *, model_id: str, **rest: Any) -> Any:
        asked.append((fit.matrix, model_id, set(scores)))
        return whole(fit, scores, model_id=model_id, **rest)

    monkeypatch.setattr(subsets, "sample", made)
    monkeypatch.setattr(subsets, "condition", watched)
    matrix = make_matrix(n_models=8)
    plan = Plan(matrix, 2, matrix.benchmark_ids, folds=4, sets=2)
    found = tried(plan)
    assert {name: len(own) for name, own in found.ways.items()} == {
        "suite": 1, "popularity": 1, "random": 2, "nothing": 1,
    }  # fmt: skip
    assert len(fits) == 5 and fits[0] is matrix
    assert sum(found.chosen.values()) == 4 * 2 and found.suite == chosen_suite(
        make_posterior(matrix=matrix, n_draws=40), 2
    )
    of_folds = [one for one in asked if one[0] is not matrix]
    assert len(of_folds) == 8 * 5
    for train, model_id, shown in of_folds:
        assert not train.observed[train.model_index(model_id)].any()
        assert len(shown) <= 2
    for own in (one for way in found.ways.values() for one in way):
        hidden = np.isfinite(own.error).sum(axis=1)
        bounded = matrix.observed & (np.arange(matrix.shape[1]) != 2)
        assert (hidden <= bounded.sum(axis=1)).all()
        assert (hidden + own.revealed >= bounded.sum(axis=1)).all()


def test_a_given_suite_is_tested_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(matrix: ScoreMatrix, *_: object, **__: object) -> StoredPosterior:
        return make_posterior(matrix=matrix, n_draws=40)

    monkeypatch.setattr(subsets, "sample", made)
    matrix = make_matrix(n_models=8)
    suite = ("bench_4", "bench_0")
    found = tried(Plan(matrix, 2, matrix.benchmark_ids, suite=suite, folds=2, sets=1))
    assert found.suite == suite and found.chosen == {"bench_4": 2, "bench_0": 2}
    (own,) = found.ways["suite"]
    assert np.isnan(own.error[:, [0, 4]]).all() and np.isfinite(own.error[:, [1, 3]]).any()
    kept = np.arange(8) < 3
    assert found.of(kept).ways["suite"][0].error.shape == (3, 5)
