"""What a campaign answers, and the fingerprint that ties it to its posterior."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ..design import Recommendations
from ..posterior.stored import StoredPosterior

__all__ = ["Proposal", "Status", "fingerprint", "many", "verdict"]


@dataclass(frozen=True, repr=False)
class Proposal:
    """What to run next, and whether to go on.

    Attributes
    ----------
    recommendations : Recommendations
        Best first; also given when a stop rule applies, if anything is left to run.
    stop : str or None
        Why to stop, in words; None = go on.
    """

    recommendations: Recommendations
    stop: str | None

    @property
    def sentence(self) -> str:
        """``"Go on."``, or why to stop.

        Examples
        --------
        >>> Proposal(Recommendations(()), "every target has been run").sentence
        'Stop: every target has been run.'
        """
        return verdict(self.stop)

    def __repr__(self) -> str:
        return (
            f"{self.recommendations!r}\n{self.sentence}" if self.recommendations else self.sentence
        )


@dataclass(frozen=True)
class Status:
    """Where a campaign stands.

    Attributes
    ----------
    n_known, n_steps : int
        Scores given at the start; steps since.
    n_corrections : int
        Of the steps, those that corrected a score.
    spent : float
        Cost so far. Without costs a probe counts 1, unless its cost was given.
    unit : str
        Of `spent`: ``"probes"`` where no costs are kept; empty if unknown.
    budget_left : float or None
    mean_width : float
        Mean interval width over the targets still unknown, score points; 0 if none is left.
    n_targets_left : int
    within : int
        Probes whose score, corrected where it was, fell inside the interval predicted for it.
    stop : str or None
        Why to stop; None = go on.

    Examples
    --------
    >>> Status(1, 2, 0, 2.0, "probes", None, 9.5, 4, 1, None).sentence
    '1 score known at the start, 2 probes observed, 1 of them inside their interval; spent 2 probes; 4 targets left, mean interval 9.5 points. Go on.'
    """  # noqa: E501

    n_known: int
    n_steps: int
    n_corrections: int
    spent: float
    unit: str
    budget_left: float | None
    mean_width: float
    n_targets_left: int
    within: int
    stop: str | None

    @property
    def sentence(self) -> str:
        """All of it in words."""
        corrected = f", {many(self.n_corrections, 'score')} corrected" if self.n_corrections else ""
        spent = f"{self.spent:g} {self.unit}".strip()
        left = "" if self.budget_left is None else f", {self.budget_left:g} left"
        return (
            f"{many(self.n_known, 'score')} known at the start, "
            f"{many(self.n_steps - self.n_corrections, 'probe')} observed, "
            f"{self.within} of them inside their interval{corrected}; spent {spent}{left}; "
            f"{many(self.n_targets_left, 'target')} left, "
            f"mean interval {self.mean_width:.3g} points. {verdict(self.stop)}"
        )


def many(n: int, what: str) -> str:
    """A number of things in words: ``"1 probe"``, ``"2 probes"``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def verdict(stop: str | None) -> str:
    """Whether to go on, in words."""
    return "Go on." if stop is None else f"Stop: {stop}."


def fingerprint(posterior: StoredPosterior) -> str:
    """SHA-256 of a posterior's draws and data: the same for a file and its copy in memory."""
    digest = hashlib.sha256(posterior.provenance.data_hash.encode())
    for name in sorted(posterior.draws):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(posterior.draws[name]).data)
    return digest.hexdigest()
