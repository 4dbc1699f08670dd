"""How many factors the scores have: shares of variance by rank where nothing is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, UsageError
from ..jsonable import plain
from ..low_rank.link import Transform
from ..scores.matrix import ScoreMatrix
from .shares import (
    Floats,
    Share,
    Submatrix,
    complete_submatrices,
    cumulative_shares,
    submatrix_shares,
)

__all__ = ["CompletePart", "Structure", "analyse"]

MOST = 0.9
"""Share of the variance that `CompletePart.rank90` is about."""


@dataclass(frozen=True)
class CompletePart:
    """A complete submatrix and its shares of variance.

    Attributes
    ----------
    models, benchmarks : tuple of str
        Ids.
    rank90 : int
        Components that hold 90 % of the variance.
    shares : tuple of Share
        By rank from 1 on.
    """

    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    rank90: int
    shares: tuple[Share, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the sizes."""
        return {
            "n_models": len(self.models),
            "n_benchmarks": len(self.benchmarks),
            "rank90": self.rank90,
            "shares": [asdict(share) for share in self.shares],
            "models": list(self.models),
            "benchmarks": list(self.benchmarks),
        }


@dataclass(frozen=True, repr=False)
class Structure:
    """Shares of variance by rank over complete submatrices.

    Attributes
    ----------
    submatrices : tuple of CompletePart
        The one with most scores first.
    """

    submatrices: tuple[CompletePart, ...]

    @property
    def median_share(self) -> dict[int, float]:
        """Share by rank, median over the submatrices; as far as all of them have ranks."""
        ranks = zip(*(part.shares for part in self.submatrices), strict=False)
        return {
            shares[0].rank: float(np.median([share.share for share in shares])) for shares in ranks
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per submatrix and rank.

        Columns ``submatrix`` (from 1), ``n_models``, ``n_benchmarks``, ``rank90``, ``rank``,
        ``share``, ``lower``, ``upper``, ``chance``.
        """
        return pd.DataFrame(
            [
                {
                    "submatrix": number,
                    "n_models": len(part.models),
                    "n_benchmarks": len(part.benchmarks),
                    "rank90": part.rank90,
                    **asdict(share),
                }
                for number, part in enumerate(self.submatrices, start=1)
                for share in part.shares
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: ``submatrices`` and ``median_share`` by rank (as text)."""
        found: dict[str, Any] = plain(
            {
                "submatrices": [part.to_json() for part in self.submatrices],
                "median_share": self.median_share,
            }
        )
        return found

    def __repr__(self) -> str:
        """One line per submatrix, and the median."""
        lines = [
            f"{len(part.models)} models x {len(part.benchmarks)} benchmarks: {_shares(part)}; "
            f"90 % at rank {part.rank90}"
            for part in self.submatrices
        ]
        median = ", ".join(f"{share:.2f}" for share in list(self.median_share.values())[:3])
        return "\n".join(["share of variance at rank 1, 2, 3", *lines, f"median: {median}"])


def _shares(part: CompletePart) -> str:
    return ", ".join(f"{share.share:.2f}" for share in part.shares[:3])


def analyse(
    matrix: ScoreMatrix, *, seed: int = 0, submatrices: int = 5, resamples: int = 400
) -> Structure:
    """Shares of variance by rank over complete submatrices (protocol P6).

    Scores are on the logit scale, columns centred; only benchmarks with both bounds take part.
    ``share_R = sum_{r <= R} d_r^2 / sum_r d_r^2`` with d the singular values of a submatrix.

    Parameters
    ----------
    matrix : ScoreMatrix
    seed : int
        Of the bootstrap and the shuffles.
    submatrices : int
        At most so many, the largest.
    resamples : int
        Of the bootstrap over models.

    Returns
    -------
    Structure

    Raises
    ------
    UsageError
        If a number is below 1.
    DataError
        No complete submatrix of at least 12 models and 6 bounded benchmarks.

    Examples
    --------
    >>> import bayesbench as bb
    >>> found = analyse(bb.open_scores(), submatrices=2, resamples=20)
    >>> found.to_frame()["submatrix"].unique().tolist()
    [1, 2]
    """
    for name, value in (("submatrices", submatrices), ("resamples", resamples)):
        if value < 1:
            raise UsageError(f"{name} must be at least 1, got {value}")
    transform = Transform.from_matrix(matrix)
    bounded = np.asarray([link == "logit" for link in transform.link])
    found = complete_submatrices(matrix.observed & bounded, n=submatrices)
    if not found:
        raise DataError(
            "no complete submatrix of at least 12 models and 6 bounded benchmarks; use a fuller "
            "matrix"
        )
    # centre and sign of a column do not matter to its variance
    linked = transform.to_latent(matrix.values) * transform.spread
    rng = np.random.default_rng(seed)
    return Structure(tuple(_part(matrix, linked, part, rng, resamples) for part in found))


def _part(
    matrix: ScoreMatrix, linked: Floats, part: Submatrix, rng: np.random.Generator, resamples: int
) -> CompletePart:
    values = linked[np.ix_(part.rows, part.columns)]
    return CompletePart(
        models=tuple(matrix.model_ids[i] for i in part.rows),
        benchmarks=tuple(matrix.benchmark_ids[j] for j in part.columns),
        rank90=int(np.argmax(cumulative_shares(values) >= MOST)) + 1,
        shares=submatrix_shares(values, rng, resamples=resamples),
    )
