"""Plots of probe policies: the error left after each probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .style import BAND, CYCLE, GREY, SMALL, axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["policy_curves"]


def policy_curves(
    policies: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    names: Sequence[str] | None = None,
    metric: str = "medae",
    ax: Axes | None = None,
) -> Axes:
    """Error of the hidden scores by the number of probes, one line per policy.

    Random sets are drawn as the 95 % band of their mean; policies chosen on the errors themselves
    have dashed lines.

    Parameters
    ----------
    policies : mapping
        By name and then by number of probes, as ``bayesbench evaluate --protocol probes`` gives
        them.
    names : sequence of str, optional
        Which policies, in this order; all by default.
    metric : {"medae", "medape", "medae_counted"}
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        Unknown policy or metric.
    """
    text = {
        "medae": "median absolute error (points)",
        "medape": "median relative error (%)",
        "medae_counted": "median absolute error, revealed counted as 0",
    }
    if metric not in text:
        raise UsageError(f"metric must be one of {', '.join(text)}, got {metric!r}")
    chosen = list(policies if names is None else names)
    for name in chosen:
        if name not in policies:
            raise UsageError(f"unknown policy {name!r}; there are {', '.join(policies)}")
    ax = axes_for(ax, 5.5, 3.8)
    number = 0
    for name in chosen:
        by_k = policies[name]
        ks = sorted(int(k) for k in by_k)
        curve = [by_k[str(k)][metric] for k in ks]
        bands = [by_k[str(k)].get("medae_band95") for k in ks]
        if metric == "medae" and all(band is not None for band in bands):
            lower, upper = zip(*bands, strict=True)
            ax.fill_between(ks, lower, upper, color=BAND, lw=0)
            ax.plot(ks, curve, color=GREY, lw=1.2, label=name)
            continue
        in_sample = any(by_k[str(k)].get("in_sample") for k in ks)
        style = "--" if in_sample else "o-"
        color = CYCLE[number % len(CYCLE)]
        number += 1
        ax.plot(ks, curve, style, color=color, ms=3.5, lw=1.5, label=name)
    ax.set_ylim(0, None)
    ax.set_xlabel("probes: benchmarks run on the model")
    ax.set_ylabel(text[metric])
    ax.legend(fontsize=SMALL, frameon=False, ncols=2)
    return ax
