"""Every observed cell under every draw: its log likelihood, scores drawn anew, and the prior's.

What ArviZ's checks (leave-one-out, posterior predictive) need beside the draws; in numpy alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..low_rank import noise
from ..low_rank.eta import linear_predictor_at
from ..low_rank.parameters import DRAW_DIMS
from ..low_rank.readings import CellReadings
from ..low_rank.simulate import draw_prior
from .stored import StoredPosterior

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "closed_scores",
    "draws_of_prior",
    "log_likelihood",
    "replicated",
    "with_checks",
]

Floats = NDArray[np.float64]
Draws = Mapping[str, NDArray[Any]]
GROUP = "model_group"
"""The dim ``group`` in the tree: ArviZ has a use of its own for that name."""
FAR = 25.0
"""From here on the normal tail is its asymptotic series (relative error below 4e-8)."""


def _predicted(
    posterior: StoredPosterior, draws: Draws, cells: CellReadings
) -> tuple[Floats, Floats, Floats]:
    """Linear predictor and noise scale (chain, draw, n), degrees of freedom (chain, draw, 1)."""
    row, col = cells.row, cells.col
    families = posterior.families.members.reshape(posterior.matrix.shape[1], -1)
    groups = posterior.features.groups
    wide = {name: value.astype(np.float64) for name, value in draws.items()}
    eta = linear_predictor_at(wide, row, col, groups, families, whole=True)
    scale = wide["noise_benchmark"][..., col]
    if "noise_model" in wide:
        scale = scale * wide["noise_model"][..., row]
    nu = wide.get("nu", np.full(eta.shape[:2], np.inf))
    return eta, np.sqrt(scale**2 + cells.error), nu[..., None]


def log_likelihood(posterior: StoredPosterior) -> Floats:
    r"""Log likelihood of every observed cell under every draw, (chain, draw, n), latent scale.

    .. math:: \log p(z_{ij} \mid \eta_{ij}, \tau_{ij}, \nu), \quad
        \tau_{ij}^2 = \sigma_j^2 \omega_i^2 + v_{ij}

    with the Student-t law of a reading, its mixing weight summed out; a reading at an end of its
    scale counts with the log probability of a score there or beyond. On the score scale a cell has
    the same but for a constant (the slope of the link).

    Parameters
    ----------
    posterior : StoredPosterior

    Returns
    -------
    array (chain, draw, n)
        Cells in the order of `StoredPosterior.cells`.
    """
    cells = posterior.cells
    eta, scale, nu = _predicted(posterior, posterior.draws, cells)
    out = noise.log_density(cells.z - eta, scale, nu)
    at = np.flatnonzero(cells.beyond)
    if at.size:
        distance = cells.beyond[at] * (cells.z[at] - eta[..., at]) / scale[..., at]
        out[..., at] = _log_tail(distance, nu)
    return out


def _log_tail(distance: Floats, nu: Floats) -> Floats:
    if np.isinf(nu).all():
        return _log_normal_tail(distance)
    return np.asarray(noise.log_tail(distance, nu))


def _log_normal_tail(x: Floats) -> Floats:
    near = np.minimum(x, FAR) / math.sqrt(2.0)
    upper = np.array([math.erfc(value) for value in near.ravel()]).reshape(x.shape)
    far = np.maximum(x, FAR)
    series = np.log1p(-1.0 / far**2 + 3.0 / far**4)
    beyond = -0.5 * far**2 - np.log(far * math.sqrt(2 * math.pi)) + series
    return np.where(x < FAR, np.log(0.5 * upper), beyond)


def closed_scores(posterior: StoredPosterior, scores: Floats, col: NDArray[np.intp]) -> Floats:
    """Scores (..., n) with those that the fit takes for an end of their scale moved onto it.

    Observed and replicated scores are then alike: both have the share at the end.
    """
    if not posterior.spec.censored:
        return scores
    link = posterior.transform
    return link.closed_high(link.closed_low(scores, col), col)


def replicated(posterior: StoredPosterior, seed: int = 0, *, draws: Draws | None = None) -> Floats:
    """A new reading of every observed cell for every draw, (chain, draw, n), score scale.

    Parameters
    ----------
    posterior : StoredPosterior
    seed : int
    draws : mapping of str to (chain, draw, ...) array, optional
        Parameters to replicate from instead of the posterior's: those of the prior.

    Returns
    -------
    array (chain, draw, n)
        As `closed_scores`; cells in the order of `StoredPosterior.cells`.
    """
    cells = posterior.cells
    eta, scale, nu = _predicted(posterior, posterior.draws if draws is None else draws, cells)
    z = eta + scale * noise.sample(nu, eta.shape, np.random.default_rng(seed))
    return closed_scores(posterior, posterior.transform.to_score(z, cells.col), cells.col)


def draws_of_prior(posterior: StoredPosterior, n: int, seed: int = 0) -> dict[str, Floats]:
    """Draws of every parameter from the prior, given the posterior's features, one chain of `n`.

    Raises
    ------
    UsageError
        `n` is below 1.
    """
    if n < 1:
        raise UsageError(f"prior_draws must be at least 1, got {n}")
    rng = np.random.default_rng([seed, 1])
    size, families = posterior.matrix.shape[1], posterior.families
    each = [
        draw_prior(rng, size, posterior.spec, posterior.features, families, {}) for _ in range(n)
    ]
    return {name: np.stack([one[name] for one in each])[None] for name in each[0]}


def with_checks(
    posterior: StoredPosterior,
    tree: xr.DataTree,
    *,
    log_likelihood: bool,
    predictive: bool,
    prior: bool,
    prior_draws: int,
    seed: int,
) -> xr.DataTree:
    """`tree` with the groups that ArviZ's checks need (see `Posterior.to_datatree`)."""
    cells = posterior.cells
    if posterior.spec.readings == "first":
        scores = posterior.matrix.values[cells.row, cells.col]
    else:
        scores = posterior.transform.to_score(cells.z, cells.col)
    names = np.asarray(posterior.model_ids)[cells.row], np.asarray(posterior.benchmark_ids)
    at = {"cell_model": ("cell", names[0]), "cell_benchmark": ("cell", names[1][cells.col])}
    held = {name: node.to_dataset(inherit=False) for name, node in tree.children.items()}
    if "group" in held["posterior"].dims:
        held["posterior"] = held["posterior"].rename(group=GROUP)
    own = closed_scores(posterior, scores, cells.col)
    observed = _dataset({"cell_score": ("cell", own)}, at)
    # ArviZ looks for a draw of everything in observed_data: the tables go elsewhere
    groups = held | {"readings": held["observed_data"], "observed_data": observed}
    if log_likelihood:
        groups["log_likelihood"] = _per_cell(_log_likelihood(posterior), at)
    if predictive:
        groups["posterior_predictive"] = _per_cell(replicated(posterior, seed), at)
    if prior:
        groups |= _of_prior(posterior, held["posterior"], at, prior_draws, seed, predictive)
    return type(tree).from_dict(groups)


_log_likelihood = log_likelihood


def _of_prior(
    posterior: StoredPosterior,
    whole: xr.Dataset,
    at: Mapping[str, Any],
    n: int,
    seed: int,
    predictive: bool,
) -> dict[str, xr.Dataset]:
    """Groups of `n` draws from the prior, with the coordinates of the posterior's."""
    prior = draws_of_prior(posterior, n, seed)
    coords = {str(name): whole[name] for name in whole.coords if name not in ("chain", "draw")}
    variables = {
        name: (("chain", "draw", *(GROUP if dim == "group" else dim for dim in dims)), value)
        for name, value in prior.items()
        for dims in [DRAW_DIMS[name]]
    }
    groups = {"prior": _dataset(variables, coords | _counted(1, n))}
    if predictive:
        groups["prior_predictive"] = _per_cell(replicated(posterior, seed, draws=prior), at)
    return groups


def _counted(chains: int, draws: int) -> dict[str, Any]:
    return {"chain": np.arange(chains), "draw": np.arange(draws)}


def _per_cell(values: Floats, at: Mapping[str, Any]) -> xr.Dataset:
    chains, draws = values.shape[:2]
    variables = {"cell_score": (("chain", "draw", "cell"), values)}
    return _dataset(variables, {**_counted(chains, draws), **at})


def _dataset(variables: Mapping[str, Any], coords: Mapping[str, Any]) -> xr.Dataset:
    import xarray as xr

    return xr.Dataset(dict(variables), coords=dict(coords))
