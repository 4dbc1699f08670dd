"""The density that gradient-based methods run on: one flat vector of unconstrained coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax import Array, random
from jax.flatten_util import ravel_pytree
from numpyro.infer.util import constrain_fn, potential_energy

from ..config import ModelSpec
from ..low_rank import TrainingData, complete, low_rank_model, site_dims

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
    """

    data: TrainingData
    spec: ModelSpec

    @cached_property
    def _model(self) -> Any:
        return partial(low_rank_model, sampled=True)

    @cached_property
    def _guess(self) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        """A rough point, by the names of the sampled sites."""

        def sites() -> dict[str, Array]:
            seeded = numpyro.handlers.seed(self._model, 0)
            trace = numpyro.handlers.trace(seeded).get_trace(self.data, self.spec)
            return {
                name: site["value"]
                for name, site in trace.items()
                if site["type"] == "sample" and not site["is_observed"]
            }

        guess = {name: np.zeros(like.shape, np.float32) for name, like in _shapes(sites).items()}
        for name in guess:
            if name.startswith(("scale_", "noise_")):
                guess[name] += np.log(SCALE_START.get(name, OTHER_SCALES))
        guess["mean_loading"] += self.spec.priors.mean_loading
        guess["loading"] += self.spec.priors.mean_loading
        total = np.bincount(self.data.row, self.data.z, self.data.n_models)
        count = np.bincount(self.data.row, minlength=self.data.n_models)
        guess["ability"] += (total / (count + ABILITY_SHRINKAGE)).astype(np.float32)
        return guess

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return sum(value.size for value in self._guess.values())

    def named(self, position: Array) -> dict[str, Array]:
        """Flat coordinates by site; still unconstrained."""
        unravel = ravel_pytree(self._guess)[1]
        named: dict[str, Array] = unravel(position)
        return named

    def start(self, key: Array) -> Array:
        """A starting point: the rough guess, scattered."""
        return ravel_pytree(self._guess)[0] + random.uniform(
            key, (self.size,), minval=-JITTER, maxval=JITTER
        )

    def potential(self, position: Array) -> Array:
        """Minus the log density at flat coordinates, up to nothing: all constants are kept."""
        energy: Array = potential_energy(
            self._model, (self.data, self.spec), {}, self.named(position)
        )
        return energy

    def parameters(self, position: Array, key: Array) -> Mapping[str, Array]:
        """Named parameters (as in `parameters.DRAW_DIMS`) at flat coordinates.

        Needs a key for what `low_rank.complete` draws.
        """
        sites = constrain_fn(
            self._model,
            (self.data, self.spec),
            {},
            self.named(position),
            return_deterministic=True,
        )
        names = site_dims(self.spec, self.data)
        params = {name: jnp.asarray(sites[name]) for name in names if name != "nu"}
        return complete(key, params, self.data, self.spec)


def _shapes(function: Any) -> dict[str, Any]:
    shapes: dict[str, Any] = jax.eval_shape(function)
    return shapes
