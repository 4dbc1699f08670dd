"""What a fit says about itself: convergence of eta, the sampler's own complaints, a verdict.

R-hat and effective sample sizes are those of the linear predictor eta per cell, not of loadings
and factors, which rotate into each other without changing any prediction. Sources: rank-normalised
split R-hat and bulk / tail ESS, Vehtari et al. (2021) doi:10.1214/20-BA1221; energy (BFMI),
Betancourt (2016) arXiv:1604.00695.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from arviz_stats import base as arviz_base_stats
from numpy.typing import NDArray

from ..low_rank.eta import linear_predictor_at
from .diagnostics import Diagnostics
from .stored import StoredPosterior

__all__ = ["diagnose"]

array_stats: Any = arviz_base_stats.array_stats  # arviz-stats has annotations only in part

Floats = NDArray[np.float64]

MOST_CELLS = 2000
"""Cells looked at; larger matrices give a random sample of as many, half of it observed."""
SAMPLE_SEED = 20240229
CELL_SHARE = 0.99
"""A limit on cells must hold for this share of them."""
RHAT_LIMIT = 1.01
RHAT_FAIL = 1.05
ESS_LIMIT = 400.0
"""Effective draws that make R-hat and 90 % intervals trustworthy; asked of 19 cells in 20."""
ESS_SHARE = 0.95
ESS_FAIL = 100.0
"""Fewer effective draws than this in more than 1 cell in 100 is a failure."""
SCALAR_RHAT_LIMIT = 1.05
DIVERGENT_SHARE_FAIL = 0.01
BFMI_LIMIT = 0.3
BFMI_FAIL = 0.1
SATURATED_SHARE_LIMIT = 0.1
"""Trajectories cut at the tree depth cost efficiency, not validity: told where draws are few."""
LEAST_DRAWS = 20
"""Per chain; with fewer nothing can be said."""
LOSS_TAIL = 0.1
"""Last share of the loss trace, compared with as many steps before it."""
LOSS_SIGMAS = 3.0

SCALARS = (
    "scale_bias",
    "scale_loading",
    "mean_loading",
    "noise_level",
    "scale_group_latent",
    "scale_group_benchmark",
    "scale_family",
)
LEVELS = {"pass": 0, "warn": 1, "fail": 2}


@dataclass(eq=False)
class _Findings:
    """Collected while looking; the verdict is the worst finding."""

    verdict: str = "pass"
    reasons: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Floats] = field(default_factory=dict)

    def add(self, verdict: str, reason: str) -> None:
        if LEVELS[verdict] > LEVELS[self.verdict]:
            self.verdict = verdict
        self.reasons.append(f"{verdict}: {reason}")

    def grade(self, fails: bool, warns: bool, reason: str) -> None:
        if fails or warns:
            self.add("fail" if fails else "warn", reason)

    def done(self) -> Diagnostics:
        return Diagnostics(self.verdict, tuple(self.reasons), self.summary, self.arrays)


def diagnose(posterior: StoredPosterior) -> Diagnostics:
    """Diagnostics of a fit, with a verdict.

    Parameters
    ----------
    posterior : StoredPosterior
        Draws and sample statistics; its own diagnostics are not looked at.

    Returns
    -------
    Diagnostics
        ``verdict`` is ``fail`` if the draws must not be used, ``warn`` if something deserves a
        look, else ``pass``; ``reasons`` holds one line per finding. ``arrays`` has ``rhat_eta``,
        ``ess_bulk_eta`` and ``ess_tail_eta`` per cell, (M, B), NaN where a cell was not looked
        at. A variational fit is judged by its loss trace alone and never better than ``warn``:
        its draws come from an approximation that R-hat cannot test.
    """
    found = _Findings()
    found.summary["method"] = posterior.provenance.method
    if "loss" in posterior.sample_stats:
        _judge_loss(found, np.asarray(posterior.sample_stats["loss"], dtype=np.float64))
        return found.done()
    n_chains, n_draws = posterior.sizes["chain"], posterior.sizes["draw"]
    found.summary |= {"chains": n_chains, "draws_per_chain": n_draws, "approximate": False}
    if n_draws < LEAST_DRAWS:
        found.add("fail", f"{n_draws} draws per chain, need {LEAST_DRAWS} to say anything")
        return found.done()
    if n_chains == 1:
        found.add("warn", "one chain: modes it did not visit cannot show; run 4")
    _judge_eta(found, posterior)
    _judge_scalars(found, posterior)
    _judge_sampler(found, posterior.sample_stats, posterior.provenance.config)
    return found.done()


def _cells(posterior: StoredPosterior) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All cells, or a seeded sample with as many observed as unobserved ones where possible."""
    observed = posterior.matrix.observed.ravel()
    if observed.size <= MOST_CELLS:
        chosen = np.arange(observed.size)
    else:
        rng = np.random.default_rng(SAMPLE_SEED)
        seen, unseen = (rng.permutation(np.flatnonzero(observed == kind)) for kind in (True, False))
        n_seen = min(len(seen), max(MOST_CELLS // 2, MOST_CELLS - len(unseen)))
        chosen = np.sort(np.concatenate([seen[:n_seen], unseen[: MOST_CELLS - n_seen]]))
    row, col = np.unravel_index(chosen, posterior.matrix.shape)
    return row, col


def _judge_eta(found: _Findings, posterior: StoredPosterior) -> None:
    row, col = _cells(posterior)
    members = posterior.families.members
    eta = linear_predictor_at(posterior.draws, row, col, posterior.features.groups, members)
    eta = np.asarray(eta, dtype=np.float64)
    measures = {
        "rhat_eta": _rhat(eta),
        "ess_bulk_eta": array_stats.ess(eta, chain_axis=0, draw_axis=1, method="bulk"),
        "ess_tail_eta": array_stats.ess(
            eta, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95)
        ),
    }
    for name, values in measures.items():
        found.arrays[name] = np.full(posterior.matrix.shape, np.nan)
        found.arrays[name][row, col] = values
    rhat = measures["rhat_eta"]
    ess = np.nan_to_num(np.minimum(measures["ess_bulk_eta"], measures["ess_tail_eta"]))
    n_cells = int(np.prod(posterior.matrix.shape))
    observed = posterior.matrix.observed[row, col]
    found.summary |= {
        "cells": f"{'all' if len(row) == n_cells else 'random sample of'} {len(row)} of {n_cells}",
        "cells_observed": int(observed.sum()),
        "rhat_eta_share_within_limit": float((rhat <= RHAT_LIMIT).mean()),
        "rhat_eta_q99": _upper(rhat),
        "rhat_eta_max": float(rhat.max()),
        "ess_eta_q05": float(np.quantile(ess, 1 - ESS_SHARE)),
        "ess_eta_q01": float(np.quantile(ess, 1 - CELL_SHARE)),
        "ess_eta_median": float(np.median(ess)),
    }
    _grade_eta(found, rhat, ess)


def _grade_eta(found: _Findings, rhat: Floats, ess: Floats) -> None:
    within = (rhat <= RHAT_LIMIT).mean()
    found.grade(
        bool((rhat <= RHAT_FAIL).mean() < CELL_SHARE),
        bool(within < CELL_SHARE),
        f"R-hat of eta is at most {RHAT_LIMIT} in {within:.1%} of cells "
        f"({CELL_SHARE:.0%} wanted), 99th percentile {_upper(rhat):.3f}; "
        "draw more",
    )
    found.grade(
        bool((ess >= ESS_FAIL).mean() < CELL_SHARE),
        bool((ess >= ESS_LIMIT).mean() < ESS_SHARE),
        f"effective draws of eta: {np.quantile(ess, 1 - CELL_SHARE):.0f} at the first percentile "
        f"of cells, {np.quantile(ess, 1 - ESS_SHARE):.0f} at the fifth "
        f"({ESS_FAIL:.0f} and {ESS_LIMIT:.0f} wanted); draw more",
    )


def _upper(rhat: Floats) -> float:
    return float(np.quantile(rhat, CELL_SHARE, method="higher"))  # interpolation fails at infinity


def _rhat(values: Floats) -> Floats:
    """Rank-normalised split R-hat over (chain, draw, n); infinite where a chain is stuck."""
    if values.shape[0] == 1:  # ArviZ wants two chains: the halves of one, split again
        half = values.shape[1] // 2
        values = values[0, : 2 * half].reshape(2, half, -1)
    stuck = (np.ptp(values, axis=1) == 0).any(axis=0)
    moving = np.where(stuck, np.linspace(0.0, 1.0, values.shape[1])[None, :, None], values)
    rhat = array_stats.rhat(moving, chain_axis=0, draw_axis=1)
    return np.where(stuck | ~np.isfinite(rhat), np.inf, rhat)


def _judge_scalars(found: _Findings, posterior: StoredPosterior) -> None:
    """R-hat of the scales shared by many cells, and of the log density where it was kept."""
    columns = {name: posterior.draws[name] for name in SCALARS if name in posterior.draws}
    if "scale_factor" in posterior.draws:
        columns["scale_factor_total"] = (posterior.draws["scale_factor"] ** 2).sum(-1)
    for name in ("lp", "log_likelihood"):
        if name in posterior.sample_stats:
            columns[name] = np.asarray(posterior.sample_stats[name])
    worst: dict[str, float] = {}
    for name, value in columns.items():
        flat = np.asarray(value, dtype=np.float64).reshape(*value.shape[:2], -1)
        worst[name] = float(_rhat(flat).max()) if flat.shape[2] else 1.0
    found.summary["rhat_scalars"] = worst
    slow = {name: value for name, value in worst.items() if value > SCALAR_RHAT_LIMIT}
    if slow:
        listed = ", ".join(f"{name} {value:.2f}" for name, value in slow.items())
        found.add("warn", f"R-hat above {SCALAR_RHAT_LIMIT}: {listed}; predictions depend on eta")


def _judge_sampler(
    found: _Findings, stats: Mapping[str, NDArray[Any]], config: Mapping[str, Any]
) -> None:
    """Divergences, energy and tree depth, as far as the sampler reports them."""
    if "diverging" in stats:
        share, count = float(np.mean(stats["diverging"])), int(np.sum(stats["diverging"]))
        found.summary["divergences"] = count
        found.grade(
            share > DIVERGENT_SHARE_FAIL,
            count > 0,
            f"{count} divergent draws ({share:.2%}); raise target_accept",
        )
    if "energy" in stats:
        energy = np.asarray(stats["energy"], dtype=np.float64)
        bfmi = np.atleast_1d(array_stats.bfmi(energy, chain_axis=0, draw_axis=1))
        found.summary["bfmi"] = [float(value) for value in bfmi]
        found.grade(
            not bool(np.all(bfmi >= BFMI_FAIL)),
            not bool(np.all(bfmi >= BFMI_LIMIT)),
            f"energy mixes slowly (BFMI {bfmi.min():.2f}, {BFMI_LIMIT} wanted); draw more",
        )
    if "tree_depth" in stats and "max_tree_depth" in config:
        full = float(np.mean(np.asarray(stats["tree_depth"]) >= config["max_tree_depth"]))
        found.summary["tree_depth_saturated_share"] = full
        if full > SATURATED_SHARE_LIMIT and found.summary["ess_eta_q05"] < ESS_LIMIT:
            found.add("warn", f"{full:.0%} of draws reached the tree depth; raise max_tree_depth")


def _judge_loss(found: _Findings, loss: Floats) -> None:
    """Whether the ELBO has stopped rising: the last tenth of its trace against the one before."""
    loss = loss.ravel()
    found.summary |= {"approximate": True, "steps": int(loss.size)}
    found.add("warn", "approximate (variational): intervals tend to be too narrow")
    size = int(LOSS_TAIL * loss.size)
    if not np.isfinite(loss).all() or size < 2:
        found.add("fail", "the loss trace is not finite, or too short to judge")
        return
    last, before = loss[-size:], loss[-2 * size : -size]
    change = float(before.mean() - last.mean())
    spread = float(np.sqrt((last.var(ddof=1) + before.var(ddof=1)) / size))
    found.summary |= {"loss_last": float(last.mean()), "loss_change": change}
    if change > LOSS_SIGMAS * spread:
        found.add(
            "warn",
            f"the loss still falls ({change:.3g} over the last {size} steps); take more steps",
        )
