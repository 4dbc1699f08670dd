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
    none = own_error_variance(matrix, link, ModelSpec(), row, col)
    half = own_error_variance(matrix, link, ModelSpec(item_noise=0.5), row, col)
    z = link.to_latent(matrix.values[row, col], col)
    assert not none.any()
    np.testing.assert_allclose(half, 0.5 * link.binomial_variance(z, col))
    assert (half[col == 0] > 0).all()
