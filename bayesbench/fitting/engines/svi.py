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

import time
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

from ...errors import FitError
from ...low_rank.link import Transform
from ...low_rank.spec import ModelSpec
from ...posterior.stored import StoredPosterior
from ...progress import Report
from ...scores import ScoreMatrix
from ..compilation import use_compilation_cache
from ..problem import finished, prepare
from .settings import SVI
from .target import Target

__all__ = ["fit_svi", "sample_svi"]

GUIDE_SCALE = 0.05
"""First standard deviation of every coordinate."""
BLOCK_STEPS = 100
LAST_RATE = 0.01
"""The learning rate falls along a cosine to this share of its start."""


def sample_svi(
    target: Target, config: SVI, *, seed: int, report: Report | None = None
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Fit the guide and draw from it.

    Parameters
    ----------
    target : Target
        Without redundant coordinates (``expanded=False``).
    config : SVI
    seed : int
    report : Report, optional

    Returns
    -------
    draws : dict of str to array (1, draw, ...)
    loss : array (step,)
        Minus the ELBO, one noisy estimate per step.

    Raises
    ------
    FitError
        The run was interrupted.
    """
    use_compilation_cache()
    keys = random.split(random.key(seed), 4)

    def model() -> None:
        free = dist.ImproperUniform(dist.constraints.real, (), event_shape=(target.size,))
        position = numpyro.sample("position", free)
        numpyro.factor("density", -target.potential(position))

    start = target.start(keys[0])
    first = init_to_value(values={"position": start})
    guide = AutoDiagonalNormal(model, init_loc_fn=first, init_scale=GUIDE_SCALE)
    schedule = optax.cosine_decay_schedule(config.learning_rate, config.steps, alpha=LAST_RATE)
    svi = NumpyroSVI(model, guide, optax.adam(schedule), Trace_ELBO())
    try:
        params, loss = _optimise(svi, keys[1], config, report)
        draws = _draw(target, guide, params, config.draws, keys[2], keys[3])
    except KeyboardInterrupt:
        raise FitError("interrupted: the fit was stopped and nothing was written") from None
    return draws, loss


def _optimise(
    svi: NumpyroSVI, key: Array, config: SVI, report: Report | None
) -> tuple[dict[str, Array], NDArray[np.float64]]:
    size = min(BLOCK_STEPS, config.steps)

    def block(state: Any) -> tuple[Any, Array]:
        return jax.lax.scan(lambda s, _: svi.update(s), state, None, length=size)

    compiled, state = jax.jit(block), jax.jit(svi.init)(key)
    losses: list[NDArray[np.float64]] = []
    for index in range(-(-config.steps // size)):
        state, loss = compiled(state)
        losses.append(np.asarray(loss, dtype=np.float64))
        if report is not None:
            report(min((index + 1) * size, config.steps), config.steps)
    return svi.get_params(state), np.concatenate(losses)


def _draw(
    target: Target, guide: Any, params: dict[str, Array], n: int, place: Array, rest: Array
) -> dict[str, NDArray[Any]]:
    positions = guide.get_posterior(params).sample(place, (n,))
    named = jax.jit(lambda p, k: jax.lax.map(lambda a: target.parameters(*a), (p, k)))
    draws = named(positions, random.split(rest, n))
    return {name: np.asarray(value)[None] for name, value in draws.items()}


def fit_svi(
    matrix: ScoreMatrix,
    spec: ModelSpec | None = None,
    config: SVI | None = None,
    *,
    seed: int = 0,
    report: Report | None = None,
    transform: Transform | None = None,
) -> StoredPosterior:
    """Fit the low-rank model by variational inference; approximate.

    Parameters
    ----------
    matrix : ScoreMatrix
        Training scores; filter it first.
    spec : ModelSpec, optional
    config : SVI, optional
    seed : int
    report : Report, optional
        Told the steps done, of how many.
    transform : Transform, optional
        The link to use instead of the one learned from ``matrix``.

    Returns
    -------
    StoredPosterior
        One chain of independent draws from the guide; ``sample_stats["loss"]`` is the trace of
        minus the ELBO, and the verdict is ``warn`` at best.

    Raises
    ------
    DataError
        Too little data for any fit.
    FitError
        The run was interrupted, or the draws are not finite.
    """
    config = config or SVI()
    begun = time.perf_counter()
    problem = prepare(matrix, spec or ModelSpec(), transform)
    target = Target(problem.data, problem.spec, expanded=False)
    draws, loss = sample_svi(target, config, seed=seed, report=report)
    return finished(
        problem, draws, {"loss": loss}, method="svi", config=config, seed=seed, begun=begun
    )
