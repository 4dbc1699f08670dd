"""Diagnostics pass good draws and fail each kind of planted bad fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayesbench.low_rank.eta import linear_predictor
from bayesbench.posterior import convergence as diagnostics
from bayesbench.posterior.convergence import diagnose
from bayesbench.posterior.provenance import Provenance
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_matrix, make_posterior

Draws = dict[str, np.ndarray]


def good(n_chains: int = 4) -> StoredPosterior:
    posterior = make_posterior(n_draws=1000 * n_chains, n_chains=n_chains)
    stats = dict(posterior.sample_stats)
    lead = (n_chains, 1000)
    stats |= {"diverging": np.zeros(lead, bool), "tree_depth": np.full(lead, 6)}
    provenance = replace(posterior.provenance, config={"max_tree_depth": 10})
    return replace(posterior, sample_stats=stats, provenance=provenance)


def with_draws(posterior: StoredPosterior, change: Callable[[Draws], None]) -> StoredPosterior:
    draws = {name: value.copy() for name, value in posterior.draws.items()}
    change(draws)
    return replace(posterior, draws=draws)


def shifted(draws: Draws) -> None:
    draws["benchmark_bias"][0] += 1.0


def stuck(draws: Draws) -> None:
    for value in draws.values():
        value[1] = value[1, :1]


def drifting(draws: Draws) -> None:
    draws["ability"] += np.linspace(0, 3, draws["ability"].shape[1])[:, None]


def slow(draws: Draws) -> None:
    """An autoregression with coefficient 0.995 in every bias."""
    bias = draws["benchmark_bias"]
    noise = np.random.default_rng(0).normal(size=bias.shape)
    for t in range(1, bias.shape[1]):
        noise[:, t] = 0.995 * noise[:, t - 1] + np.sqrt(1 - 0.995**2) * noise[:, t]
    bias += noise


def test_good_draws_pass() -> None:
    found = diagnose(good())
    assert (found.verdict, found.reasons) == ("pass", ())
    assert found.summary["cells"] == "all 30 of 30"
    assert found.summary["rhat_eta_share_within_limit"] == 1.0
    assert found.summary["divergences"] == 0
    assert len(found.summary["bfmi"]) == 4
    assert found.summary["ess_eta_median"] > 3000


def test_measures_are_those_of_eta() -> None:
    posterior = good()
    eta = linear_predictor(
        {name: value.astype(float) for name, value in posterior.draws.items()},
        posterior.features.groups,
        posterior.families.members,
    )
    found = diagnose(posterior)
    expected = array_stats.rhat(eta[:, :, 2, 3], chain_axis=0, draw_axis=1)
    np.testing.assert_allclose(found.arrays["rhat_eta"][2, 3], expected, atol=1e-4)
    expected = array_stats.ess(eta[:, :, 2, 3], chain_axis=0, draw_axis=1)
    np.testing.assert_allclose(found.arrays["ess_bulk_eta"][2, 3], expected, rtol=0.01)


@pytest.mark.parametrize("plant", [shifted, stuck, drifting, slow])
def test_planted_bad_draws_fail(plant: Callable[[Draws], None]) -> None:
    found = diagnose(with_draws(good(), plant))
    assert found.verdict == "fail"
    assert any("R-hat of eta" in reason for reason in found.reasons)


def test_rotating_factors_do_not_matter() -> None:
    """Chains that disagree on the sign of every factor agree on eta."""

    def flip(draws: Draws) -> None:
        draws["weights"][0] *= -1
        draws["factors"][0] *= -1

    assert diagnose(with_draws(good(), flip)).verdict == "pass"


def test_one_chain_is_a_warning() -> None:
    found = diagnose(good(1))
    assert found.verdict == "warn"
    assert "one chain" in found.reasons[0]


def test_too_few_draws_fail() -> None:
    found = diagnose(make_posterior(n_draws=16, n_chains=2))
    assert found.verdict == "fail"
    assert "8 draws per chain" in found.reasons[0]


def with_stats(**stats: np.ndarray) -> StoredPosterior:
    posterior = good()
    return replace(posterior, sample_stats={**posterior.sample_stats, **stats})


def test_divergences() -> None:
    few, many = np.zeros((4, 1000), bool), np.zeros((4, 1000), bool)
    few[0, 3], many[2, :100] = True, True
    assert diagnose(with_stats(diverging=few)).verdict == "warn"
    found = diagnose(with_stats(diverging=many))
    assert found.verdict == "fail"
    assert "100 divergent draws (2.50%)" in found.reasons[0]


def test_energy() -> None:
    rng = np.random.default_rng(0)
    slow_energy = np.cumsum(rng.normal(size=(4, 1000)), axis=1)
    found = diagnose(with_stats(energy=slow_energy))
    assert found.verdict == "fail"
    assert "BFMI" in found.reasons[0]


def test_tree_depth_matters_where_effective_draws_are_few() -> None:
    full = np.full((4, 1000), 10)
    found = diagnose(with_stats(tree_depth=full))
    assert found.verdict == "pass"
    assert found.summary["tree_depth_saturated_share"] == 1.0
    found = diagnose(with_draws(with_stats(tree_depth=full), slow))
    assert any("100% of draws reached the tree depth" in reason for reason in found.reasons)


def test_slow_scale_is_named() -> None:
    def shift(draws: Draws) -> None:
        draws["noise_level"][0] *= 2

    found = diagnose(with_draws(good(), shift))
    assert found.verdict == "warn"
    assert "noise_level" in found.reasons[0]


def test_large_matrices_are_sampled_half_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "MOST_CELLS", 20)
    posterior = make_posterior(matrix=make_matrix(0, 12, 10), n_draws=400, n_chains=2)
    found = diagnose(posterior)
    assert found.summary["cells"] == "random sample of 20 of 120"
    assert found.summary["cells_observed"] == 10
    looked = np.isfinite(found.arrays["rhat_eta"])
    assert looked.sum() == 20
    assert (looked & posterior.matrix.observed).sum() == 10
    np.testing.assert_array_equal(diagnose(posterior).arrays["rhat_eta"], found.arrays["rhat_eta"])


def variational(loss: np.ndarray) -> StoredPosterior:
    posterior = make_posterior(n_chains=1)
    provenance = Provenance("svi", {}, 0, posterior.matrix.data_hash)
    return replace(posterior, sample_stats={"loss": loss}, provenance=provenance)


def test_variational_fit_is_a_warning_at_best() -> None:
    rng = np.random.default_rng(0)
    flat = 100 + rng.normal(size=1000)
    found = diagnose(variational(flat))
    assert found.verdict == "warn"
    assert found.summary["approximate"] is True
    assert len(found.reasons) == 1 and "approximate" in found.reasons[0]
    assert not found.arrays

    falling = flat - 0.1 * np.arange(1000)
    found = diagnose(variational(falling))
    assert "still falls" in found.reasons[1]

    found = diagnose(variational(np.where(np.arange(1000) == 500, np.nan, flat)))
    assert found.verdict == "fail"
