"""Small suites: figures against scipy, choice against the order, nothing seen of the tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.evaluation import subsets
from bayesbench.evaluation.methods.probe_orders import by_information, global_orders
from bayesbench.evaluation.subsets import Standing, agreement, chosen_suite, measured, stood
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


def test_figures_have_intervals_around_them() -> None:
    rng = np.random.default_rng(5)
    full = rng.normal(size=40)
    model = np.repeat(np.arange(40), 3)
    one = Standing(np.arange(40), full, full + 0.4 * rng.normal(size=40),
                   rng.exponential(5, 120), model)  # fmt: skip
    found = stood([one])
    assert found["medae"] == pytest.approx(np.median(one.error))
    for name in ("medae", "pairs", "kendall", "spearman"):
        low, high = found[f"{name}_interval95"]
        assert low < found[name] < high
    twice = stood([one, one])
    assert all(twice[name] == pytest.approx(value) for name, value in found.items())


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


def test_the_suite_never_sees_the_models_it_is_tested_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[ScoreMatrix] = []

    def made(matrix: ScoreMatrix, *_: object, **__: object) -> StoredPosterior:
        fits.append(matrix)
        return make_posterior(matrix=matrix, n_draws=40)

    tested: list[tuple[StoredPosterior, np.ndarray]] = []
    whole = subsets._standing

    def watched(full: Any, fit: Any, matrix: Any, base: Any, rows: Any, *rest: Any) -> Standing:
        tested.append((fit, rows))
        return whole(full, fit, matrix, base, rows, *rest)

    monkeypatch.setattr(subsets, "sample", made)
    monkeypatch.setattr(subsets, "_standing", watched)
    matrix = make_matrix(n_models=8)
    found = measured(matrix, 2, folds=4, sets=2)
    assert set(found) == {"information", "popularity", "random"}
    assert len(fits) == 5 and fits[0] is matrix
    for fit, rows in tested:
        assert not fit.matrix.observed[rows].any()
    assert sorted(np.concatenate([rows for _, rows in tested[::4]]).tolist()) == list(range(8))
