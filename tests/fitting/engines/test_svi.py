"""The variational fit approaches the posterior, and says that it is approximate."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.fitting.engines.settings import SVI
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.simulate import Simulation, simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior

pytestmark = pytest.mark.slow

CONFIG = SVI(steps=400, draws=60, learning_rate=0.03)


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(2, 15, 14, ModelSpec(rank=1), fill=0.6)


@pytest.fixture(scope="module")
def fitted(simulation: Simulation) -> StoredPosterior:
    return sample(simulation.matrix, simulation.spec, CONFIG, seed=1)


def test_loss_falls_and_the_verdict_says_approximate(fitted: StoredPosterior) -> None:
    loss = fitted.sample_stats["loss"]
    assert loss.shape == (400,)
    assert loss[-50:].mean() < loss[:50].mean()
    assert fitted.diagnostics.verdict == "warn"
    assert "approximate" in fitted.diagnostics.reasons[0]
    assert fitted.provenance.method == "svi"


def test_one_chain_of_draws(fitted: StoredPosterior) -> None:
    assert fitted.sizes["chain"] == 1 and fitted.sizes["draw"] == 60


def test_ability_follows_the_truth(fitted: StoredPosterior, simulation: Simulation) -> None:
    found = fitted.stacked("ability").mean(0)
    assert np.corrcoef(found, simulation.truth["ability"])[0, 1] > 0.6
