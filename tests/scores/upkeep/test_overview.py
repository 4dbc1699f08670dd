"""Figures of a matrix, each counted a second way."""

from __future__ import annotations

import sys

from bayesbench.scores.upkeep import overview
from bayesbench.scores.upkeep.overview import NOT_STATED
from tests.design.design_helpers import failed_examples
from tests.factories import make_matrix
from tests.scores.upkeep.kept import repeated


def test_every_group_counts_all_cells_and_readings() -> None:
    matrix = repeated(make_matrix())
    figures = overview(matrix)
    groups = {row["group"] for row in figures["groups"]}
    assert groups == {"source_kind", "scale", "category", "year", "provider"}
    for group in groups:
        rows = [row for row in figures["groups"] if row["group"] == group]
        assert sum(row["cells"] for row in rows) == matrix.n_cells
        assert sum(row["readings"] for row in rows) == len(matrix.readings)
    assert figures["sizes"] == matrix.describe()


def test_counts_of_a_value() -> None:
    matrix = repeated(make_matrix())
    rows = {(row["group"], row["value"]): row for row in overview(matrix)["groups"]}
    own = (matrix.models["provider"] == "Aleph").to_numpy()
    assert rows["provider", "Aleph"]["models"] == own.sum()
    assert rows["provider", "Aleph"]["cells"] == matrix.observed[own].sum()
    unknown = matrix.models["release_date"].isna().to_numpy()
    assert rows["year", NOT_STATED]["cells"] == matrix.observed[unknown].sum()
    assert rows["scale", "rating"]["benchmarks"] == 1


def test_repeats_are_those_of_the_noise_floor() -> None:
    figures = {row["scale"]: row for row in overview(repeated(make_matrix()))["repeats"]}
    assert figures["percent"]["difference"] == figures["percent"]["difference_p90"] == 0.5
    assert figures["percent"]["agree"] == 0
    assert overview(make_matrix())["repeats"] == []


def test_examples() -> None:
    assert failed_examples(sys.modules[overview.__module__]) == 0
