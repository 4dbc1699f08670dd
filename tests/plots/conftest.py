"""What the tests of plots draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from bayesbench.answers.predictive import Predictive, fitted_draws, predictive
from bayesbench.design import Recommendation
from bayesbench.evaluation.metrics import strata
from bayesbench.front.posterior import Posterior
from bayesbench.structure import AlignedFactors, CompletePart, Structure, aligned_factors
from bayesbench.structure.shares import Share
from tests.factories import make_posterior

RNG = np.random.default_rng(0)
PIT = RNG.random(500)
PROBABILITY = RNG.random(400)
HIT = (RNG.random(400) < PROBABILITY).astype(float)
RECOMMENDATIONS = (
    Recommendation("hard", 3.0, 2.0, 1.5, 1.0, 40.0, 30.0, 55.0),
    Recommendation("easy", 1.0, None, None, 0.5, 90.0, 80.0, 97.0),
)
SHARES = (Share(1, 0.7, 0.6, 0.8, 0.3), Share(2, 0.9, 0.85, 0.93, 0.5))
STRUCTURE = Structure(
    (CompletePart(tuple(f"m{i}" for i in range(20)), tuple("abcdefgh"), 2, SHARES),)
)


POLICIES = {
    "epig": {str(k): {"medae": 5.0 - k, "medae_counted": 4.0} for k in (0, 1, 2)},
    "greedy": {str(k): {"medae": 4.5 - k, "medae_counted": 4.0, "in_sample": True} for k in (0, 1)},
    "random": {
        str(k): {"medae": 5.5 - k, "medae_counted": 4.0, "medae_band95": [5.0 - k, 6.0 - k]}
        for k in (0, 1, 2)
    },
}


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return make_posterior(n_models=12, n_benchmarks=8, n_draws=60)


@pytest.fixture(scope="module")
def predictions(posterior: Posterior) -> Predictive:
    return predictive(fitted_draws(posterior, "model_0"), posterior.transform)


@pytest.fixture(scope="module")
def aligned(posterior: Posterior) -> AlignedFactors:
    return aligned_factors(posterior)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    truth = np.linspace(10, 90, 200)
    return strata(
        truth,
        truth + 1,
        truth - 5,
        np.where(np.arange(200) % 10 == 0, truth - 1, truth + 5),
        level=truth / 100,
        n_model=np.arange(200) % 30,
        n_benchmark=np.arange(200) % 20,
        scale=["percent"] * 200,
    )


@pytest.fixture(scope="module")
def curve_cells() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        [(f"m{i}", k, j) for i in range(20) for k in (1, 2, 5) for j in range(10)],
        columns=["model_id", "k", "cell"],
    )
    frame["truth"] = rng.uniform(20, 80, len(frame))
    frame["median"] = frame["truth"] + rng.normal(size=len(frame)) * 10 / np.sqrt(frame["k"])
    return frame


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")
