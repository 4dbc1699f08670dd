from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from bayesbench.posterior.diagnostics import Diagnostics
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_posterior


def made_up_calibration() -> Calibration:
    rng = np.random.default_rng(1)
    size = len(FEATURES)
    cells, models = (
        Recalibration(
            rng.random(size),
            rng.random(size),
            *(rng.random(1 + size) for _ in range(3)),
            errors=np.sort(rng.normal(size=7)),
        )
        for _ in range(2)
    )
    return Calibration(cells, models, engine="nuts")


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    """A posterior that has everything, on random draws."""
    made = make_posterior(seed=3, n_draws=40)
    rhat = np.full(made.matrix.shape, 1.01)
    rhat[0, 0] = np.nan
    return replace(
        made,
        diagnostics=Diagnostics("warn", ("slow",), {"max_rhat": 1.02}, {"rhat_eta": rhat}),
        calibration=made_up_calibration(),
        sample_stats={**made.sample_stats, "loss": np.arange(7.0)},
    )
