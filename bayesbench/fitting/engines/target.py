"""The density that gradient-based methods run on: one flat vector of unconstrained coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax import Array, random
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray
from numpyro.infer.util import constrain_fn, potential_energy

from ...low_rank.density import TrainingData, complete, low_rank_model, site_dims
from ...low_rank.spec import ModelSpec
from .coordinates import Coordinates

__all__ = ["Target"]

JITTER = 0.3
"""Starting points scatter uniformly within this distance of the rough guess."""
SCALE_START = {"noise_benchmark": 0.45, "noise_level": 0.2, "noise_model": 1.0}
"""Rough guesses of the positive quantities; scales not named start at `OTHER_SCALES`."""
OTHER_SCALES = 0.4
ABILITY_SHRINKAGE = 3.0
"""A model's starting ability is its mean latent score, shrunk as by this many scores of zero."""


@dataclass(frozen=True, eq=False)
class Target:
    """Posterior density of the low-rank model given data, in unconstrained coordinates.

    Attributes
    ----------
    data : TrainingData
    spec : ModelSpec
    expanded : bool
        With the redundant coordinates of `Coordinates`.
    """

    data: TrainingData
    spec: ModelSpec
    expanded: bool = True

    @cached_property
    def coordinates(self) -> Coordinates:
        """The change of variables from sampled to natural parameters."""

        def sites() -> dict[str, Array]:
            seeded = numpyro.handlers.seed(low_rank_model, 0)
            trace = numpyro.handlers.trace(seeded).get_trace(self.data, self.spec)
            return {
                name: site["value"]
                for name, site in trace.items()
                if site["type"] == "sample" and not site["is_observed"]
            }

        shapes: dict[str, Any] = jax.eval_shape(sites)
        natural = {name: like.shape for name, like in shapes.items()}
        return Coordinates(self.data, natural, self.expanded)

    @cached_property
    def _guess(self) -> dict[str, NDArray[np.float32]]:
        """A rough point, by the names of the sampled coordinates."""
        shapes = self.coordinates.shapes
        guess = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        for name in guess:
            if name.startswith(("scale_", "noise_")):
                guess[name] += np.log(SCALE_START.get(name, OTHER_SCALES))
        guess["mean_loading"] += self.spec.priors.mean_loading
        guess["slopes"][:, 0] += self.spec.priors.mean_loading
        total = np.bincount(self.data.row, self.data.z, self.data.n_models)
        count = np.bincount(self.data.row, minlength=self.data.n_models)
        guess["latents"][:, 0] += (total / (count + ABILITY_SHRINKAGE)).astype(np.float32)
        return guess

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return sum(value.size for value in self._guess.values())

    def named(self, position: Array) -> dict[str, Array]:
        """Flat coordinates by name (`Coordinates.shapes`)."""
        unravel = ravel_pytree(self._guess)[1]
        named: dict[str, Array] = unravel(position)
        return named

    def start(self, key: Array) -> Array:
        """A starting point: the rough guess, scattered."""
        return ravel_pytree(self._guess)[0] + random.uniform(
            key, (self.size,), minval=-JITTER, maxval=JITTER
        )

    def potential(self, position: Array) -> Array:
        """Minus the log density at flat coordinates, up to a constant."""
        natural, effects, log_density = self.coordinates.to_natural(self.named(position))
        with numpyro.handlers.block():  # inside another model its sites are nobody's business
            energy = potential_energy(_given(effects), (self.data, self.spec), {}, natural)
        return jnp.asarray(energy - log_density)

    def parameters(self, position: Array, key: Array) -> dict[str, Array]:
        """Named parameters (as in `parameters.DRAW_DIMS`) at flat coordinates.

        Needs a key for what `low_rank.complete` draws.
        """
        natural, effects, _ = self.coordinates.to_natural(self.named(position))
        sites = constrain_fn(_given(effects), (self.data, self.spec), {}, natural) | effects
        names = site_dims(self.spec, self.data)
        params = {name: jnp.asarray(sites[name]) for name in names if name != "nu"}
        return complete(key, params, self.data, self.spec)


def _given(effects: Mapping[str, Array]) -> Any:
    """The model with these effects put in and their prior left out."""
    handlers = numpyro.handlers
    return handlers.block(
        handlers.substitute(low_rank_model, data=dict(effects)), hide=list(effects)
    )
