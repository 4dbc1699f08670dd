"""``ItemBank``: what each item tells of a model's ability, with how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError

__all__ = ["ItemBank"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class ItemBank:
    """Items of the model ``P(correct) = sigmoid(b + a . theta)`` with theta standard normal.

    Attributes
    ----------
    items : pandas.DataFrame
        Index ``item_id``, column ``benchmark_id``, and perhaps ``category``.
    model_ids : tuple of str
        The models it was learned from.
    easiness : (items,) array
        Posterior mean of ``b``.
    slope : (items, factors) array
        Posterior mean of ``a``; factors in falling order of scale, each with a positive mean.
    covariance : (items, 1 + factors, 1 + factors) array
        Posterior covariance of ``(b, a)``.
    ability : (models, factors) array
        Posterior mean of theta.
    ability_covariance : (models, factors, factors) array
    easiness_prior : tuple of float
        Mean and sd over items of ``b``.
    slope_scale : (factors,) array
        Root mean square over items of ``a``, learned: near 0 for a factor that is not there.
    iterations : int
    converged : bool
        Whether the last step changed the items less than the tolerance.
    width_factors : mapping of int to float
        By what factor to multiply the sd of a full score after so many answers, as
        `crossfit_widths` learned it; empty if it did not.

    Raises
    ------
    DataError
        Shapes do not agree, or a number is not finite.
    """

    items: pd.DataFrame
    model_ids: tuple[str, ...]
    easiness: Array
    slope: Array
    covariance: Array
    ability: Array
    ability_covariance: Array
    easiness_prior: tuple[float, float]
    slope_scale: Array
    iterations: int
    converged: bool
    width_factors: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        items, models, factors = len(self.items), len(self.model_ids), self.slope.shape[-1]
        shapes = {
            "easiness": (items,),
            "slope": (items, factors),
            "covariance": (items, 1 + factors, 1 + factors),
            "ability": (models, factors),
            "ability_covariance": (models, factors, factors),
            "slope_scale": (factors,),
        }
        for name, shape in shapes.items():
            held = getattr(self, name)
            if held.shape != shape:
                raise DataError(f"{name} has shape {held.shape}, not {shape}; fit the bank again")
            if not np.isfinite(held).all():
                raise DataError(f"{name} holds a number that is not finite; fit the bank again")
            held.setflags(write=False)
        if not all(n > 0 and np.isfinite(x) and x > 0 for n, x in self.width_factors.items()):
            raise DataError("a width factor is not a number above 0; fit the bank again")

    @property
    def categories(self) -> tuple[str, ...]:
        """Category of every item; its benchmark where the bank has no categories."""
        column = "category" if "category" in self.items else "benchmark_id"
        return tuple(self.items[column])

    def width_factor(self, answered: Array) -> Array:
        """Factor of the sd after so many answers, between the budgets by the logarithm.

        Parameters
        ----------
        answered : array of int

        Returns
        -------
        array
            1 where the bank has no factors.
        """
        if not self.width_factors:
            return np.ones(np.shape(answered))
        budgets = sorted(self.width_factors)
        factors = [self.width_factors[n] for n in budgets]
        return np.asarray(np.interp(np.log1p(answered), np.log1p(budgets), factors))

    @property
    def factors(self) -> int:
        """Number of factors, also those that shrank to nothing."""
        return int(self.slope.shape[1])

    def __repr__(self) -> str:
        return (
            f"ItemBank({len(self.items)} items, {self.factors} factors, "
            f"from {len(self.model_ids)} models)"
        )

    def probability(self, ability: Array, items: Array | None = None) -> Array:
        """Probability of a correct answer, items' uncertainty integrated out.

        ``sigmoid((b + a . theta) / sqrt(1 + pi v / 8))`` with ``v`` the posterior variance of
        ``b + a . theta`` (MacKay 1992, doi:10.1162/neco.1992.4.5.720).

        Parameters
        ----------
        ability : (models, factors) array
        items : index array, optional
            Positions of items; all by default.

        Returns
        -------
        (models, items) array
        """
        which = slice(None) if items is None else items
        linear = self.easiness[which] + ability @ self.slope[which].T
        full = np.concatenate([np.ones((len(ability), 1)), ability], axis=1)
        squares = (full[:, :, None] * full[:, None, :]).reshape(len(full), -1)
        variance = squares @ self.covariance[which].reshape(-1, full.shape[1] ** 2).T
        return np.asarray(1 / (1 + np.exp(-linear / np.sqrt(1 + np.pi * variance / 8))))
