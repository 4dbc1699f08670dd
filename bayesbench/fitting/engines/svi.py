"""Variational fit of the low-rank model: approximate, for matrices too large to sample.

The guide is a normal with a diagonal covariance (NumPyro's ``AutoDiagonalNormal``) over the
unconstrained coordinates of `Target`, without the redundant ones: mean-field, but each benchmark's
mean stands in place of its bias and effects are in units of their scale. What that cannot hold, the
ties between latents and slopes and between group effects and noise, it loses: on the 84 x 133
matrix it finds eight times the noise variance that sampling finds (group effects are left to the
noise), and eta of unobserved cells is two thirds as wide. A low-rank plus diagonal covariance
(rank 10 to 30) took longer and reached no better ELBO there. So a fit is labelled approximate and
its verdict is a warning at best.

Source: Kucukelbir et al. (2017) arXiv:1603.00788.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import optax
from jax import Array, random
from numpy.typing import NDArray
from numpyro.infer import SVI as NumpyroSVI
from numpyro.infer import Trace_ELBO
from numpyro.infer.autoguide import AutoDiagonalNormal
from numpyro.infer.initialization import init_to_value

from ...progress import Report
from ..chains import run_all
from ..compilation import one_compilation, use_compilation_cache
from .contract import Draws, Problem
from .target import Target

__all__ = ["sample_svi"]

GUIDE_SCALE = 0.05
"""First standard deviation of every coordinate."""
BLOCK_STEPS = 100
LAST_RATE = 0.01
"""The learning rate falls along a cosine to this share of its start."""


def sample_svi(
    problem: Problem,
    *,
    steps: int,
    learning_rate: float,
    draws: int,
    seed: int,
    report: Report | None = None,
) -> Draws:
    """Fit a normal law to the posterior by variational inference and draw from it.

    Parameters
    ----------
    problem : Problem
    steps : int
        Of the optimiser.
    learning_rate : float
        At the start.
    draws : int
    seed : int
    report : Report, optional
        Told the steps done, of how many.

    Returns
    -------
    Draws
        One chain of independent draws; ``loss`` among the statistics is minus the ELBO, one noisy
        estimate per step.
    """
    use_compilation_cache()
    target = Target(problem.data, problem.spec, expanded=False)

    def run(report: Report) -> Draws:
        return _run(target, steps, learning_rate, draws, seed, report)

    (made,) = run_all([run], work=steps, report=report)
    return made


def _run(
    target: Target, steps: int, learning_rate: float, n: int, seed: int, report: Report
) -> Draws:
    keys = random.split(random.key(seed), 4)
    size = min(BLOCK_STEPS, steps)

    def model() -> None:
        free = dist.ImproperUniform(dist.constraints.real, (), event_shape=(target.size,))
        position = numpyro.sample("position", free)
        numpyro.factor("density", -target.potential(position))

    schedule = optax.cosine_decay_schedule(learning_rate, steps, alpha=LAST_RATE)

    def block(state: Any) -> tuple[Any, Array]:
        return jax.lax.scan(lambda s, _: svi.update(s), state, None, length=size)

    def named(positions: Array, keys: Array) -> dict[str, Array]:
        return dict(jax.lax.map(lambda at: target.parameters(*at), (positions, keys)))

    report(0, steps, "compiling")
    places = jax.ShapeDtypeStruct((n, target.size), np.float32)
    with one_compilation():  # NumPyro's handlers are shared by all threads: one traces at a time
        first = init_to_value(values={"position": target.start(keys[0])})
        guide = AutoDiagonalNormal(model, init_loc_fn=first, init_scale=GUIDE_SCALE)
        svi = NumpyroSVI(model, guide, optax.adam(schedule), Trace_ELBO())
        state = jax.jit(svi.init)(keys[1])
        go_on = jax.jit(block).lower(state).compile()
        name = jax.jit(named).lower(places, random.split(keys[3], n)).compile()
    losses: list[NDArray[np.float64]] = []
    for index in range(-(-steps // size)):
        state, loss = go_on(state)
        losses.append(np.asarray(loss, dtype=np.float64))
        report(min((index + 1) * size, steps), steps)
    with one_compilation():
        positions = guide.get_posterior(svi.get_params(state)).sample(keys[2], (n,))
    values = name(positions, random.split(keys[3], n))
    return Draws(
        {key: np.asarray(value)[None] for key, value in values.items()},
        {"loss": np.concatenate(losses)},
    )
