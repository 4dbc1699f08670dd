"""Coordinates in which gradient-based samplers move easily, and their exact Jacobian.

The posterior of the low-rank model is long and thin in its own parameters: latents and slopes
(loading and weights) can turn, stretch and shift together while eta, and with it the likelihood,
stays the same. Three exact changes of variables take this out; none changes the distribution of
the parameters.

* A linear map and a shift of latent space, as parameters of their own, act on latents, slopes,
  covariate coefficients and group effects on latents. They are redundant: the parameters are the
  image ``g . theta`` of sampled ones, so with any prior ``h(g)`` the density
  ``p(g . theta) |d(g . theta) / d theta| h(g)`` leaves the law of ``g . theta`` at ``p``
  (parameter expansion, Liu and Wu 1999 doi:10.1080/01621459.1999.10473879).
* Each benchmark's mean over its observed models stands in place of its bias.
* Group x benchmark and family effects are in units of their scale: standard normal, whatever the
  scales are. Those that no score depends on stay at zero here; `low_rank.complete` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray

from ...low_rank.density import TrainingData

__all__ = ["Coordinates", "Shapes", "turn_and_stretch"]

Shapes = Mapping[str, tuple[int, ...]]

TURN_SD = 0.5
"""Scale of the redundant rotation (Cayley parameters: tangents of half angles)."""
STRETCH_SD = 0.15
"""Scale of the redundant stretches and shears of latent space."""
SHIFT_SD = 0.3
"""Scale of the redundant shift of latent space."""

MOVED = ("ability", "factors", "loading", "weights", "coefficients", "group_latent")


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The change of variables for one data set.

    Attributes
    ----------
    data : TrainingData
    natural : mapping of str to shape
        Sites of `low_rank.low_rank_model` and their shapes, all unconstrained (positive
        parameters by their logarithm).
    expanded : bool
        With the redundant map and shift; a variational fit does without.
    """

    data: TrainingData
    natural: Shapes
    expanded: bool = True

    @property
    def n_latents(self) -> int:
        """General ability and the factors."""
        return 1 + (self.natural["factors"][1] if "factors" in self.natural else 0)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the sampled coordinates."""
        data, size = self.data, self.n_latents
        shapes = {name: shape for name, shape in self.natural.items() if name not in MOVED}
        shapes["benchmark_level"] = shapes.pop("benchmark_bias")
        if "group_benchmark" in shapes:
            del shapes["group_benchmark"]
            shapes["group_unit"] = (int(data.informed_groups.sum()),)
        if "family" in shapes:
            del shapes["family"]
            shapes["family_unit"] = (int(data.informed_families.sum()),)
        shapes |= {"latents": (data.n_models, size), "slopes": (data.n_benchmarks, size)}
        for name in ("coefficients", "group_latent"):
            if name in self.natural:
                shapes[f"{name}_raw"] = self.natural[name]
        if not self.expanded:
            return shapes
        off_diagonal = size * (size - 1) // 2
        return shapes | {
            "turn": (off_diagonal,),
            "stretch": (size,),
            "shear": (off_diagonal,),
            "shift": (size,),
        }

    def to_natural(
        self, sampled: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array], Array]:
        """Natural unconstrained parameters, and the log density to add for the change.

        Parameters
        ----------
        sampled : mapping of str to array
            By `shapes`.

        Returns
        -------
        natural : dict of str to array
            All but the effects.
        effects : dict of str to array
            Group x benchmark and family effects, whose prior is in ``log_density`` already.
        log_density : scalar
            ``log |Jacobian| + log h`` of the redundant coordinates and the prior of the units of
            the effects, up to a constant.
        """
        out = {name: sampled[name] for name in self.natural if name in sampled}
        linear = inverse = jnp.eye(self.n_latents)
        shift, log_det = jnp.zeros(self.n_latents), jnp.zeros(())
        if self.expanded:
            shift = sampled["shift"]
            linear, inverse, log_det = turn_and_stretch(
                sampled["turn"], sampled["stretch"], sampled["shear"]
            )
        latents = sampled["latents"] @ linear + shift
        slopes = sampled["slopes"] @ inverse.T
        out |= {"ability": latents[:, 0], "loading": slopes[:, 0]}
        if self.n_latents > 1:
            out |= {"factors": latents[:, 1:], "weights": slopes[:, 1:]}
        rows = self.data.n_models - self.data.n_benchmarks
        if "coefficients" in self.natural:
            out["coefficients"] = sampled["coefficients_raw"] @ linear
            rows += self.natural["coefficients"][0]
        if "group_latent" in self.natural:
            first = jnp.asarray(self.data.group_kind == 0)[:, None]
            effects = sampled["group_latent_raw"] @ linear
            out["group_latent"] = effects + first * shift
            rows += self.natural["group_latent"][0]
        out["benchmark_bias"] = sampled["benchmark_level"] - self._offset(latents, slopes)
        return out, self._effects(sampled), rows * log_det + _log_prior(sampled)

    def _offset(self, latents: Array, slopes: Array) -> Array:
        """What the latents add to a benchmark on average over its observed models."""
        share = self.data.observed / np.maximum(self.data.observed.sum(0), 1.0)
        return ((jnp.asarray(share.T) @ latents) * slopes).sum(-1)

    def _effects(self, sampled: Mapping[str, Array]) -> dict[str, Array]:
        """Effects from their units; zero where no score depends on them."""
        data, out = self.data, {}
        if "group_unit" in sampled:
            log_scale = sampled["scale_group_benchmark"][data.group_kind][:, None]
            units = _placed(sampled["group_unit"], data.informed_groups)
            out["group_benchmark"] = jnp.exp(log_scale + sampled["noise_benchmark"]) * units
        if "family_unit" in sampled:
            units = _placed(sampled["family_unit"], data.informed_families)
            out["family"] = jnp.exp(sampled["scale_family"]) * units
        return out


def _placed(values: Array, where: NDArray[np.bool_]) -> Array:
    row, col = np.nonzero(where)
    return jnp.zeros(where.shape, values.dtype).at[row, col].set(values)


def _log_prior(sampled: Mapping[str, Array]) -> Array:
    """Normal coordinates: the redundant ones, and effects in units of their scale."""
    scales = {"turn": TURN_SD, "stretch": STRETCH_SD, "shear": STRETCH_SD, "shift": SHIFT_SD}
    scales |= {"group_unit": 1.0, "family_unit": 1.0}
    total = jnp.zeros(())
    for name in sorted(scales.keys() & sampled.keys()):
        total = total - 0.5 * ((sampled[name] / scales[name]) ** 2).sum()
    return total


def turn_and_stretch(turn: Array, stretch: Array, shear: Array) -> tuple[Array, Array, Array]:
    """A linear map: a rotation (Cayley transform) times an upper triangle.

    Parameters
    ----------
    turn, shear : array (L (L - 1) / 2,)
        Skew-symmetric generator of the rotation; triangle above the diagonal.
    stretch : array (L,)
        Log diagonal of the triangle.

    Returns
    -------
    linear, inverse : array (L, L)
    log_det : scalar
    """
    size = stretch.shape[0]
    above = np.triu_indices(size, 1)
    identity = jnp.eye(size)
    upper = jnp.zeros((size, size)).at[above].set(turn)
    skew = upper - upper.T
    rotation = jnp.linalg.solve(identity + skew, identity - skew)
    triangle = jnp.diag(jnp.exp(stretch)).at[above].set(shear)
    inverse = solve_triangular(triangle, rotation.T, lower=False)
    return rotation @ triangle, inverse, jnp.sum(stretch)
