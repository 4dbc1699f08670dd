"""A sampler that draws random numbers, where a test is about who is trained on what."""

from __future__ import annotations

from typing import Any

import pytest

from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_posterior


class Fake:
    """Takes the place of the sampler: random draws, and a note of every training matrix."""

    def __init__(self) -> None:
        self.trained: list[ScoreMatrix] = []
        self.readings: list[int] = []

    def __call__(
        self, matrix: ScoreMatrix, spec: ModelSpec, config: Any, **options: Any
    ) -> StoredPosterior:
        self.trained.append(matrix)
        self.readings.append(options.get("n_readings", 0))
        return make_posterior(options["seed"], matrix=matrix, spec=spec, n_draws=20)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr("bayesbench.evaluation.methods.low_rank.sample", made)
    monkeypatch.setattr("bayesbench.evaluation.methods.new_release.sample", made)
    monkeypatch.setattr("bayesbench.evaluation.methods.probes.sample", made)
    monkeypatch.setattr("bayesbench.fitting.crossfit.sample", made)
    return made
