"""Plots of structure: factors with the benchmarks that name them, and variance by rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from ..structure.analysis import Structure
from ..structure.factors import AlignedFactors, factor_ends
from .style import BLUE, CYCLE, GREY, ORANGE, SMALL, axes_for, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["factor_biplot", "variance_by_rank"]


def factor_biplot(
    aligned: AlignedFactors,
    factors: tuple[int, int] = (1, 2),
    *,
    n_benchmarks: int = 3,
    n_models: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """Models as points and benchmarks as arrows, on two factors.

    Posterior means. A model does better than its ability says on the benchmarks whose arrows point
    its way. Arrows are stretched by one common factor to fill the plot; named are the benchmarks
    whose weights are most surely away from zero on either factor, and the outermost models.

    Parameters
    ----------
    aligned : AlignedFactors
    factors : pair of int
        Numbers of the factors, from 1.
    n_benchmarks, n_models : int
        Names per end of each factor.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        There is no such factor.
    """
    size = aligned.weights.shape[2]
    first, second = factors
    if not all(1 <= k <= size for k in factors) or first == second:
        raise UsageError(f"factors must be two different numbers from 1 to {size}, got {factors}")
    at = [first - 1, second - 1]
    models = aligned.factors[:, :, at].mean(axis=0)
    weights = aligned.weights[:, :, at].mean(axis=0)
    stretch = float(np.abs(models).max() / max(np.abs(weights).max(), 1e-12))
    tips = weights * stretch
    ax = axes_for(ax, 7.5, 6.5)
    ax.axhline(0, color="#EEEEEE", lw=0.8, zorder=0)
    ax.axvline(0, color="#EEEEEE", lw=0.8, zorder=0)
    ax.scatter(models[:, 0], models[:, 1], s=10, color=GREY, alpha=0.6, lw=0, label="model")
    zeros = np.zeros(len(tips))
    ax.quiver(
        zeros, zeros, tips[:, 0], tips[:, 1],
        angles="xy", scale_units="xy", scale=1, width=0.002, color=BLUE, alpha=0.35,
    )  # fmt: skip
    reach = 1.5 * max(float(np.abs(models).max()), float(np.abs(tips).max()))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ends = factor_ends(aligned, n=n_benchmarks)
    named = ends.loc[ends["factor"].isin(factors) & ends["clear"], "benchmark_id"].unique()
    place = {name: j for j, name in enumerate(aligned.benchmark_ids)}
    chosen = [place[name] for name in named]
    outer = np.unique([i for k in (0, 1) for i in _outermost(models[:, k], n_models)])
    points = np.concatenate([tips[chosen], models[outer]])
    texts = [*named, *(aligned.model_ids[i] for i in outer)]
    label(ax, points, texts, [BLUE] * len(chosen) + [GREY] * len(outer))
    ax.plot([], [], "-", color=BLUE, label=f"benchmark (weights x {stretch:.0f})")
    ax.legend(fontsize=SMALL, frameon=False, loc="lower left")
    ax.set_xlabel(f"factor {first} of the model (prior standard deviations)")
    ax.set_ylabel(f"factor {second} of the model (prior standard deviations)")
    return ax


def _outermost(values: np.ndarray, n: int) -> list[int]:
    order = np.argsort(values, kind="stable")
    return [*order[:n].tolist(), *order[-n:].tolist()] if n else []


def variance_by_rank(structure: Structure, *, most: int = 6, ax: Axes | None = None) -> Axes:
    """Cumulative share of variance by rank in complete submatrices, with what chance would give.

    Parameters
    ----------
    structure : Structure
        From `structure.analyse`.
    most : int
        Ranks shown.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_for(ax, 5.5, 4.0)
    for number, part in enumerate(structure.submatrices):
        shown = part.shares[:most]
        rank, share = [one.rank for one in shown], [one.share for one in shown]
        lower, upper = [one.lower for one in shown], [one.upper for one in shown]
        chance = [one.chance for one in shown]
        color = CYCLE[number % len(CYCLE)]
        name = f"{len(part.models)} models x {len(part.benchmarks)} benchmarks"
        ax.fill_between(rank, lower, upper, color=color, alpha=0.12, lw=0)
        ax.plot(rank, share, "o-", color=color, ms=4, lw=1.4, label=name)
        ax.plot(rank, chance, ":", color=color, lw=1.0)
    ax.plot([], [], ":", color=GREY, lw=1.0, label="columns shuffled (chance)")
    ax.axhline(0.9, color=ORANGE, lw=0.8, ls="--")
    ax.set_ylim(0, 1.02)
    ax.set_xticks(range(1, most + 1))
    ax.set_xlabel("number of components")
    ax.set_ylabel("share of variance (logit scale)")
    ax.legend(fontsize=SMALL, frameon=False, loc="lower right")
    return ax
