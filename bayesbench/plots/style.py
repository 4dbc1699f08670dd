"""Colours and small parts that the plots share.

Nothing here changes matplotlib's settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BAND", "BLUE", "CYCLE", "GREEN", "GREY", "ORANGE", "axes_for", "binomial_band", "label"]

BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
"""From the palette of Okabe and Ito, which colour-blind readers can tell apart."""
GREY, BAND = "#767676", "#DDDDDD"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY)
SMALL = 8


def axes_for(ax: Axes | None, width: float = 5.0, height: float = 4.0) -> Axes:
    """`ax` itself, or the axes of a new figure of so many inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def binomial_band(
    n: ArrayLike, share: ArrayLike, prob: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Central range of an observed share among `n` independent cells, lower and upper end."""
    from scipy.stats import binom

    count = np.asarray(n, dtype=np.float64)
    ends = (binom.ppf(p, count, share) / count for p in ((1 - prob) / 2, (1 + prob) / 2))
    lower, upper = (np.asarray(end, dtype=np.float64) for end in ends)
    return lower, upper


def label(
    ax: Axes,
    points: ArrayLike,
    texts: Sequence[str],
    colors: Sequence[str] | str = GREY,
    *,
    turn: float = 0.5,
) -> None:
    """Name some points; the names are pushed apart so that none covers another.

    The limits of the axes must be set before.

    Parameters
    ----------
    ax : Axes
    points : (n, 2) array
        Data coordinates.
    texts : sequence of str
    colors : str or sequence of str
    turn : float
        Points further right than this share of the width have their names to the right, the
        others to the left; 0: all to the right.
    """
    place = ax.transAxes.inverted().transform(ax.transData.transform(np.asarray(points)))
    each = [colors] * len(texts) if isinstance(colors, str) else colors
    gap = 1.25 * SMALL / 72 * ax.figure.dpi / max(ax.get_window_extent().height, 1.0)
    for right in (False, True):
        side = [i for i in range(len(texts)) if (place[i, 0] >= turn) == right]
        side.sort(key=lambda i: place[i, 1])
        for i, height in zip(side, _apart(place[side, 1], gap), strict=True):
            line: dict[str, Any] = {"arrowstyle": "-", "color": each[i], "lw": 0.4, "alpha": 0.6}
            ax.annotate(
                texts[i],
                place[i],
                xycoords="axes fraction",
                xytext=(place[i, 0] + (0.025 if right else -0.025), height),
                textcoords="axes fraction",
                ha="left" if right else "right",
                va="center",
                fontsize=SMALL,
                color=each[i],
                arrowprops=line,
                bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.3},
            )


def _apart(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Sorted places moved as little as possible (least squares) to be `gap` apart.

    Pools neighbours that are too near into runs, as isotonic regression does.
    """
    runs: list[tuple[float, int]] = []
    for place in places - gap * np.arange(places.size):
        mean, count = float(place), 1
        while runs and runs[-1][0] > mean:
            before, size = runs.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        runs.append((mean, count))
    means = np.repeat([mean for mean, _ in runs], [count for _, count in runs])
    return np.asarray(means + gap * np.arange(places.size), dtype=np.float64)
