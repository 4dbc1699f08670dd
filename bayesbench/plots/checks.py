"""Plots of checks: whether predictions are honest, and what more scores are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..evaluation import metrics
from .style import BAND, BLUE, CYCLE, GREY, ORANGE, SMALL, axes_for, binomial_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "calibration_curve",
    "coverage_by_stratum",
    "learning_curve",
    "pit_histogram",
    "rank_histogram",
    "reliability",
    "trace",
]

Floats = NDArray[np.float64]
STRATA = {
    "level": "predicted level, tenth",
    "n_model": "scores of the model, third",
    "n_benchmark": "scores of the benchmark, third",
    "scale": "scale:",
}
ERRORS = {
    "medae": ("median absolute error (points)", 1.0),
    "medape": ("median relative error (%)", 100.0),
}


def _pit(values: ArrayLike) -> Floats:
    pit = np.asarray(values, dtype=np.float64).ravel()
    if not pit.size or not ((pit >= 0) & (pit <= 1)).all():
        raise UsageError("PIT values must lie in 0-1, and there must be at least one")
    return pit


def calibration_curve(
    pit: ArrayLike,
    *,
    label: str | None = None,
    color: str = BLUE,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Share of scores inside their central interval against the interval's nominal probability.

    Above the diagonal: intervals too wide; below: too narrow. The grey band holds `prob` of the
    curves of honest predictions at each point if cells were independent; cells of one model are
    not quite, so a curve just outside is no proof.

    Parameters
    ----------
    pit : (n,) array
        Probability integral transforms of held-out scores (`metrics.pit_from_quantiles`).
    label, color : str
        For several curves on the same axes.
    prob : float
        Probability of the band.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    central = np.abs(2 * _pit(pit) - 1)
    ax = axes_for(ax, 4.2, 4.2)
    nominal = np.linspace(0.01, 0.99, 99)
    ax.fill_between(nominal, *binomial_band(central.size, nominal, prob), color=BAND, lw=0)
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
    found = np.searchsorted(np.sort(central), nominal, side="right") / central.size
    ax.plot(nominal, found, color=color, lw=1.8, label=label)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_xlabel("nominal probability of the interval")
    ax.set_ylabel("share of scores inside")
    if label is not None:
        ax.legend(fontsize=SMALL, frameon=False)
    return ax


def pit_histogram(
    pit: ArrayLike, *, bins: int = 20, prob: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Histogram of the probability integral transform; flat if predictions are honest.

    A hump: too wide; a bowl: too sure; a slope: scores are systematically higher or lower than
    predicted. The grey band holds `prob` of honest bars, each on its own, independent cells
    assumed.

    Parameters
    ----------
    pit : (n,) array
        As in `calibration_curve`.
    bins : int
    prob : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    values = _pit(pit)
    ax = axes_for(ax, 5.0, 3.2)
    counts, edges = np.histogram(values, bins=bins, range=(0.0, 1.0))
    _flat_histogram(ax, counts, edges, values.size, prob)
    ax.set_xlabel("predicted probability of a score at most as high (PIT)")
    ax.set_ylabel("held-out scores, relative to uniform")
    return ax


def _flat_histogram(
    ax: Axes, counts: NDArray[Any], edges: NDArray[Any], n: int, prob: float, color: str = BLUE
) -> None:
    bins = counts.size
    lower, upper = binomial_band(n, 1.0 / bins, prob)
    ax.bar(edges[:-1], counts * bins / n, np.diff(edges), align="edge", color=color, ec="white")
    ax.axhspan(float(lower) * bins, float(upper) * bins, color=GREY, alpha=0.3, lw=0)
    ax.axhline(1.0, color=GREY, lw=0.8, ls="--")
    ax.set_xlim(edges[0], edges[-1])


def reliability(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    event: str = "error of at most 10 points",
    bins: int = 10,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """How often something happened against the probability predicted for it.

    Bars hold `prob` of the shares that honest probabilities would give in that bin (independent
    cells assumed); the area of a point is proportional to its number of cells.

    Parameters
    ----------
    probability : (n,) array
        For instance `Predictive.p_within`.
    outcome : (n,) array of 0 and 1
    event : str
        What is predicted, for the axis labels.
    bins : int
    prob : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    rows = metrics.reliability_curve(probability, outcome, bins)
    if not rows:
        raise UsageError("reliability needs at least one prediction")
    predicted, observed, n = (
        np.array([row[key] for row in rows]) for key in ("predicted", "observed", "n")
    )
    ax = axes_for(ax, 4.2, 4.2)
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
    lower, upper = binomial_band(n, predicted, prob)
    ax.vlines(predicted, lower, upper, color=BAND, lw=7)
    ax.scatter(predicted, observed, s=12 + 120 * n / n.max(), color=BLUE, zorder=3)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_xlabel(f"predicted probability: {event}")
    ax.set_ylabel("observed share")
    return ax


def coverage_by_stratum(
    strata: Sequence[Mapping[str, Any]],
    *,
    nominal: float = 0.9,
    tolerance: float = 0.03,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Coverage of the 90 % intervals in each stratum of the held-out cells.

    Parameters
    ----------
    strata : sequence of mapping
        From `metrics.strata` (also ``figures["strata"]`` of an evaluation).
    nominal, tolerance : float
        The shaded zone is ``nominal +- tolerance``.
    prob : float
        Of the bars, the range of shares around the observed one (independent cells assumed).
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    rows = [row for row in strata if np.isfinite(np.nan if (c := row["coverage90"]) is None else c)]
    if not rows:
        raise UsageError("these strata have no coverage: the method gives no intervals")
    place = np.arange(len(rows))
    found = np.array([row["coverage90"] for row in rows])
    lower, upper = binomial_band([row["n"] for row in rows], found, prob)
    ax = axes_for(ax, 5.5, 0.8 + 0.22 * len(rows))
    ax.axvspan(nominal - tolerance, nominal + tolerance, color=BAND, lw=0)
    ax.axvline(nominal, color=GREY, lw=0.8, ls="--")
    ax.hlines(place, lower, upper, color=BLUE, lw=1.2)
    outside = np.abs(found - nominal) > tolerance
    ax.plot(found[~outside], place[~outside], "o", color=BLUE, ms=5)
    ax.plot(found[outside], place[outside], "D", color=ORANGE, ms=5)
    names = [f"{STRATA.get(row['stratum'], row['stratum'])} {row['part']}" for row in rows]
    ax.set_yticks(place, names, fontsize=SMALL)
    ax.invert_yaxis()
    ax.set_xlabel(f"coverage of {100 * nominal:g} % intervals")
    return ax


def learning_curve(
    cells: pd.DataFrame,
    *,
    metric: str = "medae",
    label: str | None = None,
    color: str = BLUE,
    n_boot: int = 400,
    prob: float = 0.9,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Error of the hidden scores by the number of scores revealed.

    The band is a bootstrap over models (cells of one model share their error), so it says how the
    curve would move for other models, given the posterior. A model with no more than k scores
    takes no part at k.

    Parameters
    ----------
    cells : pandas.DataFrame
        Hidden cells: ``model_id``, ``k``, ``truth``, ``median`` (as in an evaluation's table).
    metric : {"medae", "medape"}
    label, color : str
        For several curves on the same axes.
    n_boot : int
    prob : float
        Probability of the band.
    seed : int
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    if metric not in ERRORS:
        raise UsageError(f"metric must be one of {', '.join(ERRORS)}, got {metric!r}")
    text, factor = ERRORS[metric]
    known = cells[np.isfinite(cells["median"])]
    error = (known["median"] - known["truth"]).abs()
    if metric == "medape":
        known, error = known[known["truth"] != 0], error[known["truth"] != 0]
        error = error / known["truth"].abs()
    if known.empty:
        raise UsageError("no predicted cell to draw a learning curve from")
    rng = np.random.default_rng(seed)
    ks = np.sort(known["k"].unique())
    curve, lower, upper = [], [], []
    for k in ks:
        at = known["k"] == k
        groups = [
            group.to_numpy() for _, group in error[at].groupby(known.loc[at, "model_id"].to_numpy())
        ]
        again = [
            np.median(
                np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
            )
            for _ in range(n_boot)
        ]
        curve.append(factor * float(np.median(np.concatenate(groups))))
        low, high = factor * np.quantile(again, [(1 - prob) / 2, (1 + prob) / 2])
        lower.append(float(low))
        upper.append(float(high))
    ax = axes_for(ax, 5.0, 3.5)
    ax.fill_between(ks, lower, upper, color=color, alpha=0.2, lw=0)
    ax.plot(ks, curve, "o-", color=color, ms=4, lw=1.6, label=label)
    ax.set_xticks(ks, [str(k) for k in ks])
    ax.set_ylim(0, max(float(np.max(upper)) * 1.1, ax.get_ylim()[1]))
    ax.set_xlabel("scores of the model that are known")
    ax.set_ylabel(text)
    if label is not None:
        ax.legend(fontsize=SMALL, frameon=False)
    return ax


def trace(draws: ArrayLike, *, name: str = "value", ax: Axes | None = None) -> Axes:
    """Draws of one quantity along each chain; chains that mix well look alike.

    Parameters
    ----------
    draws : (chain, draw) array
    name : str
        What is drawn, for the axis label.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_for(ax, 6.0, 2.4)
    values = _chains(draws)
    for chain, line in enumerate(values):
        ax.plot(line, color=CYCLE[chain % len(CYCLE)], lw=0.6, alpha=0.8, label=f"chain {chain}")
    ax.set_xlim(0, values.shape[1] - 1)
    ax.set_xlabel("draw")
    ax.set_ylabel(name)
    return ax


def rank_histogram(
    draws: ArrayLike, *, chain: int = 0, bins: int = 20, prob: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Histogram of the ranks of one chain's draws among those of all chains; flat if they mix.

    Vehtari et al. (2021), doi:10.1214/20-BA1221. The grey band is for independent draws: chains
    with autocorrelation scatter more.

    Parameters
    ----------
    draws : (chain, draw) array
    chain : int
    bins : int
    prob : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    values = _chains(draws)
    ranks = pd.Series(values.ravel()).rank().to_numpy().reshape(values.shape)
    ax = axes_for(ax, 4.0, 2.4)
    counts, edges = np.histogram(ranks[chain], bins=bins, range=(0.5, values.size + 0.5))
    color = CYCLE[chain % len(CYCLE)]
    _flat_histogram(ax, counts, edges, values.shape[1], prob, color)
    ax.set_xlabel(f"rank (chain {chain})")
    ax.set_ylabel("relative to uniform")
    return ax


def _chains(draws: ArrayLike) -> Floats:
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise UsageError(f"draws of one quantity must be (chain, draw), got shape {values.shape}")
    return values
