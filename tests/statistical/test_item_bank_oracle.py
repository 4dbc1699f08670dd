"""The item bank's Gibbs draws against NUTS on the same density, an independent engine."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.items.exact import draw_bank
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def spread_of_mean(chains: np.ndarray) -> np.ndarray:
    """Standard error of the mean by batches of 50 draws; (draws, ...) to (...)."""
    batches = chains.reshape(-1, 50, *chains.shape[1:]).mean(axis=1)
    return np.asarray(batches.std(axis=0, ddof=1) / np.sqrt(len(batches)))


@pytest.mark.slow
def test_scores_agree_with_nuts_within_monte_carlo_error() -> None:
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import MCMC, NUTS

    responses = simulate_items(15, 10, factors=1, trials=2, missing=0.1, seed=12).responses
    bank = fit_bank(responses, factors=1, iterations=100)
    models, items = responses.shape
    (mean, sd), scale = bank.easiness_prior, bank.slope_scale

    def model() -> None:
        theta = numpyro.sample("theta", dist.Normal(0, 1).expand([models, 1]).to_event(2))
        b = numpyro.sample("b", dist.Normal(mean, sd).expand([items]).to_event(1))
        a = numpyro.sample("a", dist.Normal(0, scale).expand([items, 1]).to_event(2))
        eta = b + theta @ a.T
        right = responses.correct * jax.nn.log_sigmoid(eta)
        wrong = (responses.trials - responses.correct) * jax.nn.log_sigmoid(-eta)
        numpyro.factor("answers", (right + wrong).sum())
        numpyro.deterministic("scores", 100 * jax.nn.sigmoid(eta).mean(axis=1))

    kernel = MCMC(NUTS(model), num_warmup=500, num_samples=3000, progress_bar=False)
    kernel.run(jax.random.PRNGKey(3))
    nuts = np.asarray(jnp.asarray(kernel.get_samples()["scores"]), dtype=np.float64)
    gibbs = draw_bank(responses, bank, draws=6000, warmup=300, seed=5).scores()
    error = np.sqrt(spread_of_mean(nuts) ** 2 + spread_of_mean(gibbs) ** 2)
    z = (nuts.mean(axis=0) - gibbs.mean(axis=0)) / error
    assert np.abs(z).max() < 4.5  # 15 models; batches of 50 give a t of some 60 degrees
    assert np.mean(z**2) < 3
    ratio = nuts.std(axis=0) / gibbs.std(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.15)
