"""The linear predictor: the one place where eta is written, for numpy and jax arrays alike.

Only operators, indexing and ``swapaxes`` touch the parameters, so the functions work on any array
type and with any number of leading draw dims. This module imports neither jax nor numpyro.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ETA_PARAMETERS",
    "Array",
    "eta_of_models",
    "eta_of_readings",
    "latent_mean",
    "linear_predictor",
    "linear_predictor_at",
]

Array = Any  # numpy or jax array; the array API has no common static type

ETA_PARAMETERS = (
    "benchmark_bias",
    "loading",
    "ability",
    "weights",
    "factors",
    "group_benchmark",
    "family",
)
"""Parameters that eta is made of."""


def linear_predictor(
    params: Mapping[str, Array], groups: Array | None = None, families: Array | None = None
) -> Array:
    """Linear predictor of every cell, on the latent scale.

    ``eta_ij = benchmark_bias_j + loading_j * ability_i + weights_j . factors_i
    + sum_g groups_ig * group_benchmark_gj + sum_q families_jq * family_iq``;
    parts absent from ``params`` are left out.

    Parameters
    ----------
    params : mapping of str to array
        ``benchmark_bias`` (..., B), ``loading`` (..., B), ``ability`` (..., M), and optionally
        ``weights`` (..., B, K) with ``factors`` (..., M, K), ``group_benchmark`` (..., G, B) and
        ``family`` (..., M, Q). The leading dims are the same in all of them (none, or chain and
        draw).
    groups : array (M, G), optional
        Membership of the models in the groups; needed with ``group_benchmark``.
    families : array (B, Q), optional
        Membership of the benchmarks in the families; needed with ``family``.

    Returns
    -------
    array (..., M, B)
        Latent (standardised link) scale.
    """
    eta = _factor_part(params)
    if "group_benchmark" in params:
        eta = eta + _given(groups, "groups") @ params["group_benchmark"]
    if "family" in params:
        eta = eta + params["family"] @ _given(families, "families").swapaxes(-1, -2)
    return eta


def _factor_part(params: Mapping[str, Array]) -> Array:
    eta = params["benchmark_bias"][..., None, :] + (
        params["ability"][..., :, None] * params["loading"][..., None, :]
    )
    if "weights" in params:
        eta = eta + params["factors"] @ params["weights"].swapaxes(-1, -2)
    return eta


def linear_predictor_at(
    params: Mapping[str, Array],
    row: NDArray[Any],
    col: NDArray[Any],
    groups: NDArray[Any] | None = None,
    families: NDArray[Any] | None = None,
    *,
    whole: bool = False,
) -> Array:
    """Linear predictor of chosen cells only: as `linear_predictor`, at ``[..., row, col]``.

    Parameters
    ----------
    params : mapping of str to array
        As in `linear_predictor`.
    row, col : integer arrays (n,)
        Model and benchmark index of each cell.
    groups, families : numpy arrays, optional
        As in `linear_predictor`.
    whole : bool
        Take bias, loading and weights over all cells first: as one matrix product, which is
        faster where a good share of all cells is asked for. The result is the same.

    Returns
    -------
    array (..., n)
        Latent scale.
    """
    if whole:
        eta = _factor_part(params)[..., row, col]
    else:
        eta = params["benchmark_bias"][..., col] + (
            params["ability"][..., row] * params["loading"][..., col]
        )
        if "weights" in params:
            eta = eta + (params["factors"][..., row, :] * params["weights"][..., col, :]).sum(-1)
    if "group_benchmark" in params:
        for group, member in _slots(_given(groups, "groups")[row]):
            eta = eta + member * params["group_benchmark"][..., group, col]
    if "family" in params:
        for family, member in _slots(_given(families, "families")[col]):
            eta = eta + member * params["family"][..., row, family]
    return eta


def eta_of_readings(bias: Array, slopes: Array, latents: Array, row: Array, col: Array) -> Array:
    """Linear predictor of readings, with loading and weights as `slopes`; without effects.

    ``bias_j + slopes_j . latents_i``, the same as `linear_predictor_at` but for rounding.

    Parameters
    ----------
    bias, slopes : array (B,), (B, L)
        Slopes: the loading, then the weights of the factors.
    latents : array (M, L)
        The ability, then the factors.
    row, col : integer array (n,)
    """
    return bias[col] + (latents[row] * slopes[col]).sum(axis=1)


def eta_of_models(base: Array, loading: Array, weights: Array, latents: Array) -> Array:
    """Linear predictor of one model per draw on every benchmark, (S, B); without its effects.

    Parameters
    ----------
    base, loading : array (S, B)
        Benchmark bias with the effects of the model's groups; loading.
    weights : array (S, B, K)
    latents : array (S, L)
    """
    eta = base + loading * latents[:, :1]
    return eta + (weights @ latents[:, 1:, None])[..., 0]


def _slots(members: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """The first, second, ... membership of every cell: its column and its value, 0 where none."""
    order = np.argsort(members == 0, axis=1, kind="stable")
    for slot in range(int((members != 0).sum(axis=1).max(initial=0))):
        column = order[:, slot]
        yield column, members[np.arange(len(members)), column].astype(np.float32)


def _given(members: Array | None, name: str) -> Array:
    if members is None:
        raise TypeError(f"these parameters hold effects of {name}: their memberships are needed")
    return members


def latent_mean(params: Mapping[str, Array], x: Array | None, groups: Array | None) -> Array | int:
    """Prior mean of a model's latents (ability first, then the factors).

    ``coefficients' x_i + sum_g groups_ig * group_latent_g``.

    Parameters
    ----------
    params : mapping of str to array
        Optionally ``coefficients`` (..., P, L) and ``group_latent`` (..., G, L).
    x : array (..., M, P)
        Standardised covariates, missing ones filled in.
    groups : array (M, G)

    Returns
    -------
    array (..., M, L), or 0 where the model has neither covariates nor group effects on latents.
    """
    mean: Array | int = 0
    if "coefficients" in params:
        mean = mean + x @ params["coefficients"]
    if "group_latent" in params:
        mean = mean + groups @ params["group_latent"]
    return mean
