"""The engines as frozen settings: what to pass to a fit, and how each draws."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError

__all__ = ["NUTS", "SVI", "Gibbs"]


def _at_least(name: str, value: float, least: float) -> None:
    if value < least:
        raise UsageError(f"{name} must be at least {least}, got {value}")


@dataclass(frozen=True)
class NUTS:
    """Settings of the No-U-Turn sampler."""

    chains: int = 4
    warmup: int = 300
    draws: int = 500
    target_accept: float = 0.8
    max_tree_depth: int = 9

    def __post_init__(self) -> None:
        for name in ("chains", "warmup", "draws", "max_tree_depth"):
            _at_least(name, getattr(self, name), 1)
        if not 0 < self.target_accept < 1:
            raise UsageError(f"target_accept must lie in (0, 1), got {self.target_accept}")


@dataclass(frozen=True)
class SVI:
    """Settings of stochastic variational inference (approximate)."""

    steps: int = 4000
    learning_rate: float = 0.01
    draws: int = 1000

    def __post_init__(self) -> None:
        _at_least("steps", self.steps, 1)
        _at_least("draws", self.draws, 1)
        if self.learning_rate <= 0:
            raise UsageError(f"learning_rate must be positive, got {self.learning_rate}")


MANY_CELLS = 20_000
"""Scores from which on Gibbs takes fewer sweeps."""


@dataclass(frozen=True)
class Gibbs:
    """Settings of the blocked Gibbs sampler; ``draws`` sweeps are kept, one in ``thin``."""

    chains: int = 4
    warmup: int = 3200
    draws: int = 500
    thin: int = 100

    def __post_init__(self) -> None:
        for name in ("chains", "warmup", "draws", "thin"):
            _at_least(name, getattr(self, name), 1)

    @classmethod
    def suited_to(cls, n_cells: int, **settings: int) -> Gibbs:
        """Settings for a matrix of so many scores; those named stay as they are named.

        A sweep takes time in proportion to the scores, and the more there are of each model and
        benchmark the fewer sweeps are needed: from `MANY_CELLS` on ``warmup`` and ``thin`` go down
        as 1 / ``n_cells``, to no less than 800 and 8. Whether it was enough the diagnostics say.

        Parameters
        ----------
        n_cells : int
        **settings
            Fields of the class.
        """
        share = min(1.0, MANY_CELLS / max(n_cells, 1))
        usual = {
            "warmup": max(800, round(share * cls.warmup)),
            "thin": max(8, round(share * cls.thin)),
        }
        return cls(**{**usual, **settings})
