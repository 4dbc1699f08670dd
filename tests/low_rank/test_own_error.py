"""The error of a reading's own: of its standard error, else of its items."""

from __future__ import annotations

import numpy as np

from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.own_error import own_error_variance
from bayesbench.low_rank.spec import ModelSpec
from tests.factories import make_matrix


def test_items_count_only_where_asked_for() -> None:
    matrix = make_matrix()
    link = Transform.from_matrix(matrix)
    row, col = np.nonzero(matrix.observed)
    score, stderr, n_items = (
        array[row, col] for array in (matrix.values, matrix.stderr, matrix.n_items)
    )
    none = own_error_variance(link, ModelSpec(), score, stderr, n_items, col)
    half = own_error_variance(link, ModelSpec(item_noise=0.5), score, stderr, n_items, col)
    z = link.to_latent(score, col)
    assert not none.any()
    np.testing.assert_allclose(half, 0.5 * link.binomial_variance(z, col))
    assert (half[col == 0] > 0).all()
