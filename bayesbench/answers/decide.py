"""Run a benchmark, or trust its prediction? The expected loss of either, in words too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

__all__ = ["Decision", "decide"]

_POINTS = 20_000


@dataclass(frozen=True)
class Decision:
    """The answer to "run or predict?" for one benchmark.

    Attributes
    ----------
    benchmark_id : str
    recommendation : {"run", "predict", "depends"}
        "depends" where no price of a wrong prediction was given.
    median, lower, upper : float
        The prediction and its interval of ``prob`` (score points).
    prob : float
    tolerance : float
        How far off the prediction may be, in points.
    p_within : float
        ``P(|score - median| <= tolerance)``.
    excess : float
        ``E[(|score - median| - tolerance)+]``, points beyond the tolerance.
    expected_loss : float
        Of predicting: ``loss_per_point * excess + price_wrong * (1 - p_within)``.
    cost : float
        Of running.
    break_even : float
        Price of being beyond the tolerance from which running pays: ``cost / (1 - p_within)``.
    sentence : str
        The recommendation and its reason.

    Examples
    --------
    >>> import bayesbench as bb
    >>> model = bb.open_posterior().condition({"gpqa_diamond": 70})
    >>> decision = model.decide("hle", tolerance=3, cost=50, price_wrong=1_000_000)
    >>> decision.recommendation
    'run'
    """

    benchmark_id: str
    recommendation: Literal["run", "predict", "depends"]
    median: float
    lower: float
    upper: float
    prob: float
    tolerance: float
    p_within: float
    excess: float
    expected_loss: float
    cost: float
    break_even: float
    sentence: str

    def __repr__(self) -> str:
        return self.sentence


def decide(
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
    if equal). Without either price it depends on them: the answer is the price from which running
    pays.

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
        For a negative or not finite amount.

    Examples
    --------
    >>> decide("hle", [0.0, 0.5, 1.0], [10.0, 20.0, 30.0], tolerance=5, cost=50).break_even
    100.0
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
    grid = np.asarray(levels, dtype=np.float64)
    values = np.asarray(quantiles, dtype=np.float64)
    median = float(np.interp(0.5, grid, values))
    lower, upper = (float(np.interp(0.5 + side * prob / 2, grid, values)) for side in (-1, 1))
    ends = [median - tolerance, median + tolerance]
    below, above = np.interp(ends, values, grid, left=0.0, right=1.0)
    p_within = float(above - below)
    scores = np.interp((np.arange(_POINTS) + 0.5) / _POINTS, grid, values)
    excess = float(np.maximum(np.abs(scores - median) - tolerance, 0.0).mean())
    loss = loss_per_point * excess + price_wrong * (1.0 - p_within)
    break_even = cost / (1.0 - p_within) if p_within < 1.0 else math.inf
    recommendation: Literal["run", "predict", "depends"] = "run" if loss > cost else "predict"
    if loss_per_point == 0 and price_wrong == 0:
        recommendation = "depends"
    return Decision(
        benchmark_id=benchmark_id,
        recommendation=recommendation,
        median=median,
        lower=lower,
        upper=upper,
        prob=prob,
        tolerance=tolerance,
        p_within=p_within,
        excess=excess,
        expected_loss=loss,
        cost=cost,
        break_even=break_even,
        sentence=f"{_claim(benchmark_id, median, lower, upper, prob, tolerance, p_within)}"
        f"{_verdict(benchmark_id, recommendation, loss, cost, break_even)}",
    )


def _claim(
    benchmark_id: str,
    median: float,
    lower: float,
    upper: float,
    prob: float,
    tolerance: float,
    p_within: float,
) -> str:
    return (
        f"{benchmark_id}: the prediction {median:.1f} ({100 * prob:g} % interval {lower:.1f} to "
        f"{upper:.1f}) is within {tolerance:g} points with probability {p_within:.2f}. "
    )


def _verdict(
    benchmark_id: str, recommendation: str, loss: float, cost: float, break_even: float
) -> str:
    if recommendation == "depends":
        return (
            f"Run it if a prediction farther off than that costs you more than {break_even:.3g}; "
            "else predict."
        )
    verb, relation = ("Run it", "above") if recommendation == "run" else ("Predict", "not above")
    return f"{verb}: its expected loss {loss:.3g} is {relation} the {cost:.3g} that running costs."
