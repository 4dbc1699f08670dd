"""From a matrix to a problem: what is refused, what is taken as given, and how folds share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import DataError
from bayesbench.fitting.engines.gibbs.sampler import gibbs_data, gibbs_shape
from bayesbench.fitting.problem import prepare
from bayesbench.low_rank.features import ModelFeatures
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

SPEC = ModelSpec(rank=1)
MATRIX = make_matrix()


@pytest.mark.parametrize(
    ("models", "benchmarks", "said"), [(1, 5, "1 x 5"), (6, 1, "6 x 1"), (0, 5, "0 x 5")]
)
def test_too_little_is_refused(models: int, benchmarks: int, said: str) -> None:
    small = MATRIX.subset(MATRIX.model_ids[:models], MATRIX.benchmark_ids[:benchmarks])
    with pytest.raises(DataError, match=f"2 models and 2 benchmarks .* this matrix is {said} with"):
        prepare(small, SPEC)


def test_a_matrix_without_scores_is_refused() -> None:
    with pytest.raises(DataError, match="6 x 5 with 0"):
        prepare(MATRIX.mask(MATRIX.observed), SPEC)


def test_two_models_and_two_benchmarks_are_enough() -> None:
    least = MATRIX.subset(MATRIX.model_ids[:2], MATRIX.benchmark_ids[:2])
    problem = prepare(least, SPEC)
    assert problem.data.n_cells == least.n_cells > 0
    assert (problem.data.n_models, problem.data.n_benchmarks) == (2, 2)


def test_a_problem_holds_the_cells_on_the_scale_of_its_link() -> None:
    problem = prepare(MATRIX, SPEC)
    assert problem.matrix is MATRIX and problem.spec is SPEC
    link = Transform.from_matrix(MATRIX)
    data = problem.data
    np.testing.assert_array_equal(np.argwhere(MATRIX.observed), np.stack([data.row, data.col], 1))
    np.testing.assert_array_equal(data.z, link.to_latent(MATRIX.values)[MATRIX.observed])
    np.testing.assert_array_equal(data.x, ModelFeatures.from_matrix(MATRIX, SPEC).x)


def test_a_given_link_stays() -> None:
    """Folds are fitted on the link of the whole matrix."""
    own = Transform.from_matrix(MATRIX)
    other = replace(own, center=own.center + 1.0)
    problem = prepare(MATRIX, SPEC, other)
    assert problem.transform is other
    moved = prepare(MATRIX, SPEC).data.z - problem.data.z
    np.testing.assert_allclose(moved, (own.sign / own.spread)[problem.data.col], rtol=1e-8)


def test_families_come_from_the_ids_and_only_if_wanted() -> None:
    ids = ["aime_2024", "aime_2025", "apples", "pears", "plums", "figs", "quinces"]
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.uniform(20, 80, (4, 7)), [f"m{i}" for i in range(4)], ids)
    matrix = ScoreMatrix.from_frame(
        scores.rename_axis(index="model_id").reset_index(), scale="percent"
    )
    problem = prepare(matrix, SPEC)
    assert len(problem.families.names) == 1
    members = problem.data.families[:, 0]
    assert [ids[j] for j in np.flatnonzero(members)] == ["aime_2024", "aime_2025"]
    off = prepare(matrix, replace(SPEC, families=False))
    assert off.families.names == () and off.data.families.shape == (7, 0)


def test_folds_of_a_cell_more_or_less_share_a_shape() -> None:
    """A shape is what a program is compiled for: padding hides how many cells a fold has."""
    hidden = np.zeros(MATRIX.shape, bool)
    hidden[tuple(np.argwhere(MATRIX.observed)[3])] = True
    whole = prepare(MATRIX, SPEC, n_readings=MATRIX.n_cells)
    fold = prepare(MATRIX.mask(hidden), SPEC, n_readings=MATRIX.n_cells)
    assert whole.n_readings == fold.n_readings == MATRIX.n_cells
    assert fold.data.n_cells == MATRIX.n_cells - 1
    shapes = [gibbs_shape(p.data, SPEC, p.n_readings) for p in (whole, fold)]
    assert shapes[0] == shapes[1]
    present = gibbs_data(fold.data, shapes[1]).present
    assert present.shape == (MATRIX.n_cells,) and float(present.sum()) == MATRIX.n_cells - 1
    assert prepare(MATRIX, SPEC).n_readings == 0
