"""A model of a line the fit never saw: its interval holds what the lines differ by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import predictive
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.features import ModelFeatures, NewRow
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

pytestmark = pytest.mark.slow

N_LINES, N_NEW, PER_LINE, N_BENCHMARKS = 80, 400, 3, 8
LINE_SD, OWN_SD, NOISE_SD = 1.0, 0.6, 0.3
SPEC = ModelSpec(rank=1, covariates=(), groups=("lineage",), families=False)
CONFIG = Gibbs(chains=1, warmup=1000, draws=300, thin=10)


def latent_scores(n_lines: int, seed: int) -> np.ndarray:
    """Ability of line and model plus noise, (line x model, benchmark).

    Lines are standardised: how far they happen to lie apart is no part of what is tested.
    """
    rng = np.random.default_rng(seed)
    line = rng.normal(size=(n_lines, 1))
    line = (LINE_SD * (line - line.mean()) / line.std()).repeat(PER_LINE, axis=0)
    own = rng.normal(0, OWN_SD, (n_lines * PER_LINE, 1))
    return line + own + rng.normal(0, NOISE_SD, (n_lines * PER_LINE, N_BENCHMARKS))


def percent(latent: np.ndarray) -> np.ndarray:
    return 100 / (1 + np.exp(-latent))


def words(count: int) -> Sequence[str]:
    """Words without meaning: three letters count up, "ly" keeps them from being editions."""
    letters = "bcdfghjklm"
    return [f"{letters[n // 10 % 10]}o{letters[n % 10]}ly" for n in range(count)]


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    ids = [f"{word}-{n + 1}" for word in words(N_LINES) for n in range(PER_LINE)]
    scores = percent(latent_scores(N_LINES, 1))
    wide = pd.DataFrame(scores, index=ids, columns=[f"test_{j}" for j in range(N_BENCHMARKS)])
    long = wide.rename_axis("model_id").melt(
        ignore_index=False, var_name="benchmark_id", value_name="score"
    )
    matrix = ScoreMatrix.from_frame(long.reset_index(), scale="percent")
    return sample(matrix, SPEC, CONFIG, seed=3, check=False)


def covered(posterior: StoredPosterior) -> float:
    """Share of the scores of models of new lines inside the 90 % interval of an unknown model."""
    low, high = predictive(condition(posterior, {}), posterior.transform).interval(0.9)
    truth = percent(latent_scores(N_NEW, 2))
    return float(((truth >= low) & (truth <= high)).mean())


def test_new_lines_are_covered(posterior: StoredPosterior) -> None:
    """0.03: twice the standard error of a share of 400 lines."""
    assert covered(posterior) == pytest.approx(0.9, abs=0.03)


def test_without_the_effects_of_lines_they_are_not(
    posterior: StoredPosterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ModelFeatures.row

    def alone(self: ModelFeatures, *given: object) -> NewRow:
        row = made(self, *given)  # type: ignore[arg-type]
        return replace(row, unknown_kinds=np.zeros_like(row.unknown_kinds))

    monkeypatch.setattr(ModelFeatures, "row", alone)
    assert covered(posterior) < 0.8
