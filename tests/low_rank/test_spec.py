from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.low_rank.spec import ModelSpec, Priors


def test_a_rank_below_zero_is_refused() -> None:
    assert ModelSpec(rank=0).rank == 0
    with pytest.raises(UsageError, match="rank must be 0 or more, got -1"):
        ModelSpec(rank=-1)


@pytest.mark.parametrize("share", [-0.1, float("nan"), float("inf")])
def test_a_share_of_item_noise_below_zero_is_refused(share: float) -> None:
    assert ModelSpec(item_noise=0.0).item_noise == 0.0
    with pytest.raises(UsageError, match="item_noise must be 0 or more, got"):
        ModelSpec(item_noise=share)


def test_specs_are_values() -> None:
    assert ModelSpec() == ModelSpec(priors=Priors())
    assert ModelSpec() != ModelSpec(priors=Priors(coefficient_sd=0.5))
    assert hash(ModelSpec()) == hash(ModelSpec())
    with pytest.raises(FrozenInstanceError):
        ModelSpec().rank = 2  # type: ignore[misc]


def test_the_noise_level_has_the_mean_and_mass_that_are_stated() -> None:
    priors = Priors()
    level = stats.gamma(priors.noise_level_shape, scale=1.0 / priors.noise_level_rate)
    assert level.mean() == pytest.approx(0.25)
    assert level.sf(priors.noise_level_least) == pytest.approx(0.99997, abs=5e-6)


def test_a_models_noise_scale_is_near_one() -> None:
    shape = Priors().noise_model_shape
    low, high = stats.invgamma(shape, scale=shape).ppf([0.05, 0.95])
    assert 0.5 < np.sqrt(low) < 1.0 < np.sqrt(high) < 1.6


def test_the_grid_rises_from_heavy_tails_to_nearly_normal() -> None:
    grid = np.array(Priors().nu_grid)
    assert (np.diff(grid) > 0).all()
    assert grid[0] > 1.0  # a mean exists
    assert stats.t(grid[-1]).ppf(0.99) == pytest.approx(stats.norm.ppf(0.99), rel=0.1)
