from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import SchemaError, UnknownIdError
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.features import ModelFeatures
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

SPEC = ModelSpec()


def matrix_of(**columns: list[object]) -> ScoreMatrix:
    """Three models with one score each; `columns` are columns of the models table."""
    ids = ["a", "b", "c"]
    scores = pd.DataFrame({"model_id": ids, "benchmark_id": "x", "score": [1.0, 2.0, 3.0]})
    models = pd.DataFrame({"model_id": ids, **columns})
    return ScoreMatrix.from_frame(scores, scale="percent", models=models)


def test_standardised_over_the_known_and_missing_stay_missing() -> None:
    features = ModelFeatures.from_matrix(make_matrix(), SPEC)
    assert features.covariate_names == ("release_date", "reasoning", "open_weights")
    assert np.isnan(features.x[-1]).all()
    np.testing.assert_allclose(np.nanmean(features.x, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(features.x, axis=0), 1)


def test_covariate_without_two_known_values_is_dropped() -> None:
    features = ModelFeatures.from_matrix(
        matrix_of(reasoning=[True, True, None], params_b=[1.0, 100.0, None]),
        ModelSpec(covariates=("reasoning", "params_b", "open_weights")),
    )
    assert features.covariate_names == ("params_b",)
    np.testing.assert_allclose(features.x[:2, 0], [-1, 1])
    np.testing.assert_allclose((features.location[0], features.scale[0]), (1, 1))


def test_groups_one_hot_and_single_member_kept() -> None:
    features = ModelFeatures.from_matrix(matrix_of(provider=["B", "A", None]), SPEC)
    assert features.group_names == ("provider:A", "provider:B")
    assert features.kinds == ("provider",)
    assert features.group_kind.tolist() == [0, 0]
    np.testing.assert_array_equal(features.groups, [[0, 1], [1, 0], [0, 0]])
    assert features.providers() == ("A", "B")


def test_nothing_known_gives_empty_arrays() -> None:
    features = ModelFeatures.from_matrix(matrix_of(), SPEC)
    assert features.x.shape == (3, 0)
    assert features.groups.shape == (3, 0)
    row = features.row(ModelFacts(provider="A", release_date="2025"))
    assert row.x.shape == row.groups.shape == row.unknown_kinds.shape == (0,)


def test_row_of_a_fitted_model_equals_its_features() -> None:
    matrix = make_matrix()
    features = ModelFeatures.from_matrix(matrix, SPEC)
    for i, model_id in enumerate(matrix.model_ids):
        row = features.row(model_id=model_id)
        np.testing.assert_array_equal(row.x, features.x[i])
        np.testing.assert_array_equal(row.groups, features.groups[i])
        assert not row.unknown_kinds.any()


def test_row_from_the_same_facts_equals_the_fitted_row() -> None:
    matrix = make_matrix()
    features = ModelFeatures.from_matrix(matrix, SPEC)
    row = features.row(ModelFacts.of(matrix, 1))
    np.testing.assert_allclose(row.x, features.x[1])
    np.testing.assert_array_equal(row.groups, features.groups[1])
    assert not row.unknown_kinds.any()


def test_given_facts_replace_those_of_a_fitted_model() -> None:
    features = ModelFeatures.from_matrix(make_matrix(), SPEC)
    row = features.row(ModelFacts(provider="Beth", reasoning=True), "model_0")
    np.testing.assert_array_equal(row.groups, [0, 1, 0])
    assert row.x[1] > features.x[0, 1]
    assert row.x[0] == features.x[0, 0]


@pytest.mark.parametrize("provider", [None, "Nobody", ""])
def test_unknown_provider_is_flagged(provider: str | None) -> None:
    features = ModelFeatures.from_matrix(make_matrix(), SPEC)
    row = features.row(ModelFacts(provider=provider))
    assert row.unknown_kinds.tolist() == [True]
    assert not row.groups.any()
    assert np.isnan(row.x).all()


@pytest.mark.parametrize(
    ("model_id", "known"),
    [("solo-3", True), ("Lab/solo-mini", False), ("other", False), (None, False)],
)
def test_lineage_that_was_not_fitted_is_flagged(model_id: str | None, known: bool) -> None:
    scores = pd.DataFrame(
        {"model_id": ["solo-1", "solo-2", "x-y", "p-q", "r-s", "u-w"], "benchmark_id": "t"}
    )
    matrix = ScoreMatrix.from_frame(scores.assign(score=50.0), scale="percent")
    features = ModelFeatures.from_matrix(matrix, ModelSpec(groups=("lineage",)))
    assert features.group_names == ("lineage:solo",)
    row = features.row(model_id=model_id)
    assert row.groups.tolist() == [float(known)]
    assert row.unknown_kinds.tolist() == [not known]


def test_a_covariate_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownIdError, match="unknown covariate 'colour'"):
        ModelFeatures.from_matrix(make_matrix(), ModelSpec(covariates=("colour",)))


def test_an_unreadable_value_names_the_model() -> None:
    matrix = matrix_of(release_date=["2025", "2024", None])
    matrix.models.loc["b", "release_date"] = "soon"
    with pytest.raises(SchemaError, match="model 'b': release date 'soon'"):
        ModelFeatures.from_matrix(matrix, SPEC)
