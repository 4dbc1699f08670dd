"""Plots of answers: a model's profile, what the fit does to raw means, what to run next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..answers.predictive import Predictive, cell_draws
from ..errors import UsageError
from ..posterior.stored import StoredPosterior
from .style import BLUE, GREY, ORANGE, SMALL, axes_for, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..design import Recommendation
    from ..front.prediction import Prediction

__all__ = ["epig_bars", "profile", "shrinkage"]

Floats = NDArray[np.float64]
ROW = 0.21
"""Inches per row of a plot with one row per benchmark."""
LONGEST_NAME = 28
"""Characters of a name beside a row: longer ones would leave a small plot no room."""


def profile(
    predictions: Prediction | Predictive,
    *,
    benchmarks: Sequence[str] | None = None,
    probs: tuple[float, float] = (0.5, 0.9),
    ax: Axes | None = None,
) -> Axes:
    """Interval plot of one model's predicted scores, the best on top.

    Thin and thick bars are equal-tailed intervals; known scores are marked and keep the interval
    of another reading. Benchmarks with unlike bounds share an axis in % of their range; those
    without bounds are then left out.

    Parameters
    ----------
    predictions : Prediction or Predictive
        Of one model.
    benchmarks : sequence of str, optional
        Which ones to show; all by default. Of a `Prediction` any spelling that is unique.
    probs : pair of float
        Probabilities of the thick and the thin bar.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        Several models, or nothing to show.
    """
    title: Callable[[str], str] = str
    if isinstance(predictions, Predictive):
        cells = predictions
    else:
        cells, title = predictions.cells, predictions.benchmarks.title
        if benchmarks is not None:
            benchmarks = [predictions.benchmarks.find(name) for name in benchmarks]
    if len(set(cells.model_ids)) > 1:
        raise UsageError("a profile shows one model; take() its cells first")
    shown, scale, unit = _on_one_axis(_chosen(cells, benchmarks))
    order = np.argsort(scale(shown.median), kind="stable")
    ax = axes_for(ax, 6.0, 1.0 + ROW * order.size)
    rows = np.arange(order.size)
    for prob, width in zip(sorted(probs, reverse=True), (1.2, 4.5), strict=True):
        lower, upper = (scale(end)[order] for end in shown.interval(prob))
        ax.hlines(rows, lower, upper, color=BLUE, lw=width, label=f"{100 * prob:g} % interval")
    ax.plot(scale(shown.median)[order], rows, "o", color="white", mec=BLUE, ms=4, label="median")
    known = np.isfinite(shown.observed[order])
    if known.any():
        scores = scale(shown.observed)[order][known]
        ax.plot(scores, rows[known], "D", color=ORANGE, ms=4.5, label="known score")
    ax.set_yticks(rows, [_name(shown, i, title) for i in order], fontsize=SMALL)
    ax.set_ylim(-0.7, order.size - 0.3)
    ax.set_xlabel(f"score ({unit})")
    ax.grid(axis="x", color="#EEEEEE")
    ax.set_axisbelow(True)
    ax.legend(fontsize=SMALL, frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _chosen(predictions: Predictive, benchmarks: Sequence[str] | None) -> Predictive:
    if benchmarks is None:
        return predictions
    place = {name: i for i, name in enumerate(predictions.benchmark_ids)}
    for name in benchmarks:
        if name not in place:
            raise UsageError(f"no prediction of {name!r} among these cells")
    return predictions.take(np.array([place[name] for name in benchmarks], dtype=np.int64))


class _Scale:
    """From a score to the common axis."""

    def __init__(self, lower: Floats | float, factor: Floats | float) -> None:
        self.lower, self.factor = lower, factor

    def __call__(self, scores: Floats) -> Floats:
        return np.asarray((scores - self.lower) * self.factor)


def _on_one_axis(cells: Predictive) -> tuple[Predictive, _Scale, str]:
    """The cells that fit on one axis, how to put a score on it, and its unit."""
    if not cells.model_ids:
        raise UsageError("nothing to show: no benchmark is left")
    lower, upper = (bound[cells.column] for bound in (cells.transform.lower, cells.transform.upper))
    bounded = np.isfinite(lower) & np.isfinite(upper)
    if not bounded.any():
        return cells, _Scale(0.0, 1.0), "on the benchmark's own scale"
    if not bounded.all():
        cells, lower, upper = cells.take(bounded), lower[bounded], upper[bounded]
    if np.ptp(lower) == 0 and np.ptp(upper) == 0:
        percent = lower[0] == 0 and upper[0] == 100
        return cells, _Scale(0.0, 1.0), "%" if percent else f"{lower[0]:g} to {upper[0]:g}"
    return cells, _Scale(lower, 100.0 / (upper - lower)), "% of the benchmark's range"


def _name(cells: Predictive, i: int, title: Callable[[str], str]) -> str:
    falling = cells.transform.sign[cells.column[i]] < 0
    return _short(title(cells.benchmark_ids[i])) + (" (lower is better)" if falling else "")


def _short(name: str) -> str:
    """A name that leaves room for the plot."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def shrinkage(
    posterior: StoredPosterior,
    by: Literal["benchmark", "model"] = "model",
    *,
    n_draws: int = 200,
    prob: float = 0.9,
    n_labels: int = 5,
    ax: Axes | None = None,
) -> Axes:
    """Raw means of the scores against what the posterior makes of them.

    Grey: mean of the known scores of a model (or benchmark). Blue: posterior median and interval
    of its mean over ALL benchmarks (or models). The two differ where few scores are known, or
    where an easy (or strong) selection was scored. The largest moves are named.

    Parameters
    ----------
    posterior : StoredPosterior
    by : {"model", "benchmark"}
        Models on the latent scale; benchmarks with both bounds on the logit scale of the score.
    n_draws : int
        Thinned to about so many.
    prob : float
        Probability of the intervals.
    n_labels : int
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    if by not in ("model", "benchmark"):
        raise UsageError(f"by must be 'model' or 'benchmark', got {by!r}")
    raw, draws, count, names = _means(posterior.thin(n_draws), by)
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    lower, median, upper = np.quantile(draws, tails, axis=0)
    ax = axes_for(ax, 7.0, 4.5)
    ax.vlines(count, raw, median, color=GREY, lw=0.5, alpha=0.6)
    ax.plot(count, raw, "o", color=GREY, ms=3, alpha=0.7, label="mean of the known scores")
    ax.vlines(count, lower, upper, color=BLUE, lw=1.2, alpha=0.6)
    text = f"posterior of the mean over all, {100 * prob:g} % interval"
    ax.plot(count, median, "o", color=BLUE, ms=3, label=text)
    ax.set_xscale("log")
    ticks = [
        t for t in (1, 2, 3, 5, 10, 15, 20, 30, 50, 100, 200, 500) if min(count) <= t <= max(count)
    ]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.set_xlim(min(count) * 0.8, max(count) * 1.6)
    ax.set_xlabel(f"known scores of the {by}")
    ax.set_ylabel("mean latent score" if by == "model" else "mean logit of the score")
    most = np.argsort(-np.abs(median - raw))[:n_labels]
    points = np.stack([count[most], median[most]], axis=1)
    label(ax, points, [names[i] for i in most], turn=0.0)
    ax.legend(fontsize=SMALL, frameon=False)
    return ax


def _means(posterior: StoredPosterior, by: str) -> tuple[Floats, Floats, Floats, list[str]]:
    """Raw mean (n,), posterior draws of the mean (S, n), number of scores (n,), names."""
    matrix, transform = posterior.matrix, posterior.transform
    m, b = matrix.shape
    row, column = (index.ravel() for index in np.indices((m, b)))
    eta = cell_draws(posterior, row, column)[0].reshape(-1, m, b).astype(np.float64)
    z = transform.to_latent(matrix.values)
    if by == "model":
        axis, names = 1, [matrix.model_names.title(name) for name in matrix.model_ids]
    else:
        axis, names = 0, [matrix.benchmark_names.title(name) for name in matrix.benchmark_ids]
    count = matrix.observed.sum(axis=axis).astype(np.float64)
    known = count > 0
    if by == "benchmark":
        stretch = transform.sign * transform.spread
        z, eta = z * stretch + transform.center, eta * stretch + transform.center
        known &= np.asarray([link == "logit" for link in transform.link])
    raw = np.nansum(z, axis=axis)[known] / count[known]
    kept = [name for name, keep in zip(names, known, strict=True) if keep]
    return raw, eta.mean(axis=axis + 1)[:, known], count[known], kept


def epig_bars(
    recommendations: Sequence[Recommendation],
    *,
    per_cost: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Expected information of the benchmarks to run next, in the order to run them.

    Beside each bar: the score predicted for the benchmark itself, with its interval.

    Parameters
    ----------
    recommendations : sequence of Recommendation
        From `design.recommend`; each gain is given the ones before.
    per_cost : bool
        Show gain per cost.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        No recommendation, or no costs for `per_cost`.
    """
    if not recommendations:
        raise UsageError("no recommendation to show")
    gains = [r.gain_per_cost if per_cost else r.gain_nats for r in recommendations]
    values = np.asarray([np.nan if gain is None else gain for gain in gains])
    if np.isnan(values).any():
        raise UsageError("these recommendations have no costs; recommend with costs")
    rows = np.arange(values.size)
    ax = axes_for(ax, 6.0, 1.0 + 0.3 * values.size)
    ax.barh(rows, values, color=BLUE, height=0.65)
    for row, (value, r) in enumerate(zip(values, recommendations, strict=True)):
        text = f" predicted {r.median:.3g} ({r.lower:.3g} to {r.upper:.3g})"
        ax.text(value, row, text, va="center", fontsize=SMALL, color=GREY)
    ax.set_yticks(rows, [f"{i + 1}. {r.benchmark_id}" for i, r in enumerate(recommendations)])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.45 * max(float(values.max()), 1e-12))
    ax.set_xlabel(
        "expected information, summed over targets (nats" + (" per cost)" if per_cost else ")")
    )
    return ax
