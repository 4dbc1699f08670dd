"""Models a posterior never saw: who is asked about what, and what is made of the answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.evaluation import AsShipped, build_method, evaluate
from bayesbench.evaluation.clusters import share_interval
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal
from tests.factories import make_matrix, make_posterior

CUTOFF = AsShipped(("2025-02-15",), ks=(0, 1, 3), seeds=2, min_model=4, min_benchmark=4)


def test_every_later_model_is_asked_about_alone(dated_matrix: ScoreMatrix) -> None:
    tasks = CUTOFF.tasks(dated_matrix)
    assert {task.fold for task in tasks} == {13, 14, 15, 16, 17}  # m13 came out on the very day
    for task in tasks:
        train, cells = training_matrix(dated_matrix, task)
        assert train.model_ids == (*dated_matrix.model_ids[:13], dated_matrix.model_ids[task.fold])
        assert set(cells[:, 0]) == {13}
        np.testing.assert_array_equal(train.observed[:13], dated_matrix.observed[:13])
        k, adaptive = int(task.tags["k"]), task.tags["reveal"] == "adaptive"
        assert train.observed[13].sum() == len(task.revealed) == (0 if adaptive else k)
        assert len(cells) + len(task.revealed) == dated_matrix.observed[task.fold].sum()


def test_inputs_and_ways_are_compared_on_the_same_scores(dated_matrix: ScoreMatrix) -> None:
    tasks = [task for task in CUTOFF.tasks(dated_matrix) if task.fold == 14]
    ways = [(t.tags["input"], t.tags["reveal"], t.tags["k"], t.seed) for t in tasks]
    assert len(set(ways)) == len(ways) == 3 * (1 + 2 * 2 + 2)  # k = 0 once, adaptive in one draw
    for k, seed in ((1, 42), (3, 42), (3, 43)):
        same = [t for t in tasks if (t.tags["k"], t.seed, t.tags["reveal"]) == (k, seed, "random")]
        assert [t.tags["input"] for t in same] == ["scores", "facts", "id"]
        assert all(np.array_equal(t.hidden, same[0].hidden) for t in same)
        assert len({t.random_seed for t in same}) == 1
    small, large, other = (
        next(
            set(map(tuple, task.revealed.tolist()))
            for task, way in zip(tasks, ways, strict=True)
            if way[1:] == ("random", k, seed)
        )
        for k, seed in ((1, 42), (3, 42), (3, 43))
    )
    assert small < large != other


def test_what_the_fit_leaves_out_is_neither_shown_nor_asked(dated_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(dated_matrix.shape, dtype=bool)
    hidden[3:13, 2] = True  # three scores of b2 before the cutoff at most
    matrix = dated_matrix.mask(hidden & dated_matrix.observed)
    for task in CUTOFF.tasks(matrix):
        train, cells = training_matrix(matrix, task)
        assert not train.observed[:, 2].any() and 2 not in cells[:, 1]
        assert 2 not in task.revealed[:, 1]


def test_cutoffs_with_nothing_on_one_side_are_refused(dated_matrix: ScoreMatrix) -> None:
    with pytest.raises(DataError, match="2020-01-01: no model was released before"):
        AsShipped(("2020-01-01",)).tasks(dated_matrix)
    with pytest.raises(DataError, match="2030-01-01: no model was released from it on"):
        AsShipped(("2030-01-01",)).tasks(dated_matrix)


def test_peers_see_random_scores_of_the_same_models(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(dated_matrix, CUTOFF, Normal())["normal"]
    assert isinstance(result.protocol, AsShipped)
    assert (result.protocol.inputs, result.protocol.reveals) == (("scores",), ("random",))
    cells = result.table.cells
    chosen = cells[(cells["k"] == 3) & (cells["benchmark_id"] != "b11")]
    entry = result.figures["crossed"]["percent"]["scores"]["random"]["3"]
    assert entry["n_cells"] == len(chosen) and entry["n_clusters"] == 5
    hits = (chosen["lower90"] <= chosen["truth"]) & (chosen["truth"] <= chosen["upper90"])
    expected = share_interval(hits.to_numpy(), chosen["model_id"].to_numpy())
    assert entry["coverage90_interval95"] == pytest.approx(list(expected))
    for name in ("by_k", "by_input", "by_reveal", "by_cutoff"):
        total = sum(e["n_cells"] for by in result.figures[name].values() for e in by.values())
        assert total == len(cells)
    product = build_method("low-rank", setting="shipped")
    assert CUTOFF.planned_by(dated_matrix, product) == CUTOFF


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ScoreMatrix]:
    """A posterior of the first 12 of 16 models."""
    whole = make_matrix(1, 16, 9)
    path = tmp_path_factory.mktemp("given") / "posterior.nc"
    make_posterior(2, matrix=whole.subset(models=whole.model_ids[:12]), n_draws=60).save(path)
    return path, whole


def test_models_outside_a_posterior(given: tuple[Path, ScoreMatrix]) -> None:
    path, whole = given
    protocol = AsShipped(posterior=str(path), ks=(1, 4), seeds=1)
    matrix = protocol.prepared(whole)
    assert matrix.model_ids == whole.model_ids
    tasks = protocol.tasks(matrix)
    assert {task.fold for task in tasks} == {12, 13, 14, 15}
    assert {task.posterior for task in tasks} == {str(path)}
    with pytest.raises(DataError, match="use `prepared`"):
        protocol.tasks(whole.subset(models=whole.model_ids[::-1]))
    result = evaluate(whole, protocol, ["bias", build_method("low-rank", setting="shipped")])
    product = result["low-rank"].table.cells
    assert set(product["model_id"]) == set(whole.model_ids[12:])
    adaptive = product[(product["reveal"] == "adaptive") & (product["k"] == 4)]
    assert (adaptive["n_train_model"] == 4).all() and adaptive["median"].notna().all()
    random = product[(product["reveal"] == "random") & (product["k"] == 4)]
    assert len(adaptive) == len(random) > 0
    peer = result["bias"].table.cells
    pairs = ["model_id", "benchmark_id"]
    same = random[random["input"] == "scores"]
    assert set(map(tuple, peer.loc[peer["k"] == 4, pairs].to_numpy())) == set(
        map(tuple, same[pairs].to_numpy())
    )


def test_another_posterior_file_is_another_run(
    given: tuple[Path, ScoreMatrix], tmp_path: Path
) -> None:
    path, whole = given
    other = tmp_path / "posterior.nc"
    make_posterior(3, matrix=whole.subset(models=whole.model_ids[:12]), n_draws=60).save(other)
    keys = []
    for file in (path, other):
        protocol = AsShipped(posterior=str(file), ks=(1,), seeds=1)
        keys.append({task.key for task in protocol.tasks(protocol.prepared(whole))})
    assert keys[0].isdisjoint(keys[1])


def test_a_run_goes_on_where_it_stopped_with_several_processes(
    given: tuple[Path, ScoreMatrix], tmp_path: Path
) -> None:
    path, whole = given
    protocol = AsShipped(posterior=str(path), ks=(1,), seeds=1)
    alone = evaluate(whole, protocol, "low-rank")["low-rank"]
    split = evaluate(whole, protocol, "low-rank", jobs=2, work_dir=tmp_path)["low-rank"]
    assert alone.table.cells.equals(split.table.cells)
