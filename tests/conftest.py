"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from bayesbench.scores import ScoreMatrix, open_scores

REPOSITORY = Path(__file__).resolve().parent.parent

# The same examples in every run, and no clock: a busy machine must not fail a test.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def open_matrix() -> ScoreMatrix:
    """The bundled matrix, unfiltered."""
    return open_scores()


@pytest.fixture(scope="session")
def benchpress_directory() -> Path:
    """Directory of the public 84 x 133 matrix, which is not part of the repository."""
    path = REPOSITORY.parent / "shared" / "data" / "benchpress"
    if not path.is_dir():
        pytest.skip(reason="the benchpress data do not lie beside the checkout")
    return path
