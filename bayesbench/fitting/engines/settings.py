"""The engines as values: settings that draw. Their samplers, and jax, are loaded when they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...errors import UsageError

if TYPE_CHECKING:
    from ...progress import Report
    from .contract import Draws, Engine, Problem

__all__ = ["ENGINES", "NUTS", "SVI", "Gibbs"]


def _at_least(name: str, value: float, least: float) -> None:
    if value < least:
        raise UsageError(f"{name} must be at least {least}, got {value}")


MANY_CELLS = 20_000
"""Scores from which on Gibbs takes fewer sweeps."""


@dataclass(frozen=True)
class Gibbs:
    """Blocked Gibbs sampling: fast and exact.

    Attributes
    ----------
    chains : int
    warmup : int
        Sweeps thrown away.
    draws : int
        Sweeps kept per chain, one in ``thin``.
    thin : int

    Examples
    --------
    >>> Gibbs(draws=200).lighter()
    Gibbs(chains=1, warmup=800, draws=300, thin=8)
    """

    chains: int = 4
    warmup: int = 3200
    draws: int = 500
    thin: int = 100

    name: ClassVar[str] = "gibbs"

    def __post_init__(self) -> None:
        for name in ("chains", "warmup", "draws", "thin"):
            _at_least(name, getattr(self, name), 1)

    @classmethod
    def suited_to(cls, n_cells: int, **given: Any) -> Self:
        """Settings for a matrix of so many scores; those given stay as they are given.

        A sweep takes time in proportion to the scores, and the more there are of each model and
        benchmark the fewer sweeps are needed: from `MANY_CELLS` on ``warmup`` and ``thin`` go down
        as 1 / ``n_cells``, to no less than 800 and 8. Whether it was enough the diagnostics say.

        Parameters
        ----------
        n_cells : int
        **given
            Fields of the class.
        """
        share = min(1.0, MANY_CELLS / max(n_cells, 1))
        usual = {
            "warmup": max(800, round(share * cls.warmup)),
            "thin": max(8, round(share * cls.thin)),
        }
        return cls(**{**usual, **given})

    def work(self, problem: Problem) -> int:
        """Sweeps over all chains, whole blocks."""
        from .gibbs.sampler import sweeps_in_all

        return self.chains * sweeps_in_all(self.warmup, self.draws, self.thin)

    def draw(self, problem: Problem, seed: int, report: Report | None = None) -> Draws:
        """Draw from the posterior of a problem; see `gibbs.sampler.sample_gibbs`."""
        from .gibbs.sampler import sample_gibbs

        return sample_gibbs(
            problem,
            chains=self.chains,
            warmup=self.warmup,
            draws=self.draws,
            thin=self.thin,
            seed=seed,
            report=report,
        )

    def lighter(self) -> Self:
        """Settings of a cross-fit: enough for intervals, a tenth of a full fit."""
        return replace(self, chains=1, warmup=800, draws=300, thin=8)


@dataclass(frozen=True)
class NUTS:
    """The No-U-Turn sampler: exact, and the reference for Gibbs; some ten times slower.

    Attributes
    ----------
    chains : int
    warmup : int
        Draws thrown away.
    draws : int
        Draws kept per chain.
    target_accept : float
        Acceptance rate that the step size is adapted to.
    max_tree_depth : int

    Examples
    --------
    >>> NUTS(draws=300).lighter()
    NUTS(chains=1, warmup=300, draws=400, target_accept=0.8, max_tree_depth=8)
    """

    chains: int = 4
    warmup: int = 300
    draws: int = 500
    target_accept: float = 0.8
    max_tree_depth: int = 9

    name: ClassVar[str] = "nuts"

    def __post_init__(self) -> None:
        for name in ("chains", "warmup", "draws", "max_tree_depth"):
            _at_least(name, getattr(self, name), 1)
        if not 0 < self.target_accept < 1:
            raise UsageError(f"target_accept must lie in (0, 1), got {self.target_accept}")

    @classmethod
    def suited_to(cls, n_cells: int, **given: Any) -> Self:
        """Settings for a matrix of so many scores: the same for every size."""
        return cls(**given)

    def work(self, problem: Problem) -> int:
        """Draws over all chains, warmup included, whole blocks."""
        from .nuts import draws_in_all

        return self.chains * draws_in_all(self.warmup, self.draws)

    def draw(self, problem: Problem, seed: int, report: Report | None = None) -> Draws:
        """Draw from the posterior of a problem; see `nuts.sample_nuts`."""
        from .nuts import sample_nuts

        return sample_nuts(
            problem,
            chains=self.chains,
            warmup=self.warmup,
            draws=self.draws,
            target_accept=self.target_accept,
            max_tree_depth=self.max_tree_depth,
            seed=seed,
            report=report,
        )

    def lighter(self) -> Self:
        """Settings of a cross-fit: one chain, shallower trees."""
        depth = min(self.max_tree_depth, 8)
        return replace(self, chains=1, warmup=300, draws=400, max_tree_depth=depth)


@dataclass(frozen=True)
class SVI:
    """Stochastic variational inference: approximate, for matrices too large to sample.

    Attributes
    ----------
    steps : int
        Of the optimiser.
    learning_rate : float
        At the start.
    draws : int
        Independent draws from the fitted law.

    Examples
    --------
    >>> SVI(steps=2000).steps
    2000
    """

    steps: int = 4000
    learning_rate: float = 0.01
    draws: int = 1000

    name: ClassVar[str] = "svi"

    def __post_init__(self) -> None:
        _at_least("steps", self.steps, 1)
        _at_least("draws", self.draws, 1)
        if self.learning_rate <= 0:
            raise UsageError(f"learning_rate must be positive, got {self.learning_rate}")

    @classmethod
    def suited_to(cls, n_cells: int, **given: Any) -> Self:
        """Settings for a matrix of so many scores: the same for every size."""
        return cls(**given)

    def work(self, problem: Problem) -> int:
        """Steps of the optimiser."""
        return self.steps

    def draw(self, problem: Problem, seed: int, report: Report | None = None) -> Draws:
        """Draw from the fitted law of a problem; see `svi.sample_svi`."""
        from .svi import sample_svi

        return sample_svi(
            problem,
            steps=self.steps,
            learning_rate=self.learning_rate,
            draws=self.draws,
            seed=seed,
            report=report,
        )

    def lighter(self) -> Self:
        """Settings of a cross-fit: as many steps, at most 400 draws."""
        return replace(self, draws=min(self.draws, 400))


ENGINES: Mapping[str, type[Engine]] = {engine.name: engine for engine in (Gibbs, NUTS, SVI)}
"""The engines by name, the default first."""
