"""Small tables: their size and fill, what is held out, and that they differ."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.evaluation.protocols.table_cuts import cut_table

RNG = np.random.default_rng(5)
SPARSE = RNG.random((80, 60)) < np.outer(np.linspace(0.2, 1, 80), np.linspace(0.3, 1, 60))


@pytest.mark.parametrize("size", [(8, 6), (20, 12)])
@pytest.mark.parametrize("fill", [0.3, 0.6, 0.8])
def test_size_fill_and_share_are_exact(size: tuple[int, int], fill: float) -> None:
    cut = cut_table(SPARSE, *size, fill, 0.2, np.random.default_rng(1))
    assert cut is not None
    wanted = round(fill * size[0] * size[1])
    assert len(cut.held_out) == max(1, round(0.2 * wanted))
    every = np.concatenate([cut.shown, cut.held_out])
    assert len(np.unique(every, axis=0)) == len(every) == wanted
    assert SPARSE[tuple(every.T)].all()
    assert set(cut.shown[:, 0]) == set(cut.rows.tolist()) and len(cut.rows) == size[0]
    assert set(cut.shown[:, 1]) == set(cut.columns.tolist()) and len(cut.columns) == size[1]


def test_tables_differ_by_seed_alone() -> None:
    one, same, other = (
        cut_table(SPARSE, 8, 6, 0.5, 0.2, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one is not None and same is not None and other is not None
    np.testing.assert_array_equal(one.shown, same.shown)
    assert set(one.rows) != set(other.rows) and set(one.columns) != set(other.columns)


def test_a_low_fill_is_cut_from_everywhere() -> None:
    cuts = [cut_table(SPARSE, 8, 6, 0.3, 0.2, np.random.default_rng(s)) for s in range(60)]
    rows = np.concatenate([cut.rows for cut in cuts if cut is not None])
    assert len(set(rows.tolist())) > 60


def test_what_is_not_there_is_not_cut() -> None:
    rng = np.random.default_rng(0)
    assert cut_table(SPARSE, 81, 6, 0.3, 0.2, rng) is None
    assert cut_table(SPARSE, 60, 50, 0.95, 0.2, rng) is None
    # 4 x 4 with 4 scores: every one is needed to show each row and column
    assert cut_table(np.eye(4, dtype=bool), 4, 4, 0.25, 0.2, rng) is None
