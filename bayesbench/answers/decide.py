"""Run a benchmark, or trust its prediction? The expected loss of either, in words too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..evaluation.metrics import interval_from_quantiles, probability_within
from ..scores.ids import id_indices

if TYPE_CHECKING:
    from .prediction import Predictive

__all__ = ["Decision", "decide", "decide_from_quantiles"]

_POINTS = 20_000


@dataclass(frozen=True)
class Decision:
    """The answer to "run or predict?" for one benchmark.

    Attributes
    ----------
    benchmark_id : str
    recommendation : {"run", "predict"}
    median, lower, upper : float
        The prediction and its interval of ``prob`` (score points).
    prob : float
    tolerance : float
        How far off the prediction may be, in points.
    p_within : float
        P(|score - median| <= tolerance).
    excess : float
        E[(|score - median| - tolerance)+], points beyond the tolerance.
    expected_loss : float
        Of predicting: ``loss_per_point * excess + price_wrong * (1 - p_within)``.
    cost : float
        Of running.
    sentence : str
        The recommendation and its reason.
    """

    benchmark_id: str
    recommendation: Literal["run", "predict"]
    median: float
    lower: float
    upper: float
    prob: float
    tolerance: float
    p_within: float
    excess: float
    expected_loss: float
    cost: float
    sentence: str


def decide(
    prediction: Predictive,
    benchmark_id: str,
    *,
    tolerance: float,
    cost: float,
    loss_per_point: float = 0.0,
    price_wrong: float = 0.0,
    prob: float = 0.9,
) -> Decision:
    """Whether to run the benchmark or to trust its prediction.

    Parameters
    ----------
    prediction : Predictive
        Of one model; holds the benchmark's cell.
    benchmark_id : str
    tolerance, cost, loss_per_point, price_wrong, prob
        As :func:`decide_from_quantiles`.

    Raises
    ------
    UnknownIdError
        If the benchmark is not predicted.
    UsageError
        As :func:`decide_from_quantiles`.
    """
    row = int(id_indices(prediction.benchmark_ids, [benchmark_id], "benchmark")[0])
    return decide_from_quantiles(
        benchmark_id,
        prediction.levels,
        prediction.score_quantiles[row],
        tolerance=tolerance,
        cost=cost,
        loss_per_point=loss_per_point,
        price_wrong=price_wrong,
        prob=prob,
    )


def decide_from_quantiles(
    benchmark_id: str,
    levels: npt.ArrayLike,
    quantiles: npt.ArrayLike,
    *,
    tolerance: float,
    cost: float,
    loss_per_point: float = 0.0,
    price_wrong: float = 0.0,
    prob: float = 0.9,
) -> Decision:
    r"""Decision from the quantiles of one predicted score.

    Predicting states the median. It costs nothing within the tolerance and, beyond it, a fixed
    price and so much per point:

    .. math:: \mathrm{loss} = c_1 E[(|y - m| - \tau)_+] + c_0 P(|y - m| > \tau)

    Running costs ``cost`` and leaves no error. The cheaper of the two is recommended (predicting,
    if equal).

    Parameters
    ----------
    benchmark_id : str
    levels, quantiles : (L,) array-like
        Increasing levels, quantiles on the score scale.
    tolerance : float
        Points, 0 or more.
    cost : float
        Of running, 0 or more, in the currency of the losses.
    loss_per_point : float
        Loss for every point beyond the tolerance.
    price_wrong : float
        Loss of being beyond the tolerance at all.
    prob : float
        Of the interval shown.

    Raises
    ------
    UsageError
        For a negative or not finite amount, or if both losses are 0.
    """
    amounts = {
        "tolerance": tolerance,
        "cost": cost,
        "loss_per_point": loss_per_point,
        "price_wrong": price_wrong,
    }
    for name, value in amounts.items():
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{name} must be 0 or more, got {value:g}")
    if loss_per_point == 0 and price_wrong == 0:
        raise UsageError(
            "give loss_per_point or price_wrong: a wrong prediction must cost something"
        )
    grid = np.asarray(levels, dtype=np.float64)
    values = np.asarray(quantiles, dtype=np.float64)
    median = float(np.interp(0.5, grid, values))
    lower, upper = (float(end[0]) for end in interval_from_quantiles(grid, values[None], prob))
    p_within = float(probability_within([median], grid, values[None], tolerance)[0])
    scores = np.interp((np.arange(_POINTS) + 0.5) / _POINTS, grid, values)
    excess = float(np.maximum(np.abs(scores - median) - tolerance, 0.0).mean())
    loss = loss_per_point * excess + price_wrong * (1.0 - p_within)
    return Decision(
        benchmark_id=benchmark_id,
        recommendation="run" if loss > cost else "predict",
        median=median,
        lower=lower,
        upper=upper,
        prob=prob,
        tolerance=tolerance,
        p_within=p_within,
        excess=excess,
        expected_loss=loss,
        cost=cost,
        sentence=_sentence(
            benchmark_id, median, lower, upper, prob, tolerance, p_within, loss, cost
        ),
    )


def _sentence(
    benchmark_id: str,
    median: float,
    lower: float,
    upper: float,
    prob: float,
    tolerance: float,
    p_within: float,
    loss: float,
    cost: float,
) -> str:
    verb, relation = ("Run", "above") if loss > cost else ("Predict", "not above")
    return (
        f"{verb} {benchmark_id}: the prediction {median:.1f} ({prob:.0%} interval {lower:.1f} to "
        f"{upper:.1f}) is within {tolerance:g} points with probability {p_within:.2f}, and its "
        f"expected loss {loss:.3g} is {relation} the {cost:.3g} that running costs."
    )
