"""What a campaign answers, and the fingerprint that ties it to its posterior."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ..design import Recommendation
from ..posterior.stored import StoredPosterior

__all__ = ["Proposal", "Status", "fingerprint"]


@dataclass(frozen=True)
class Proposal:
    """What to run next, and whether to go on.

    Attributes
    ----------
    recommendations : tuple of Recommendation
        Best first; also given when a stop rule applies, if anything is left to run.
    stop : str or None
        Why to stop, in words; None = go on.
    """

    recommendations: tuple[Recommendation, ...]
    stop: str | None


@dataclass(frozen=True)
class Status:
    """Where a campaign stands.

    Attributes
    ----------
    n_known, n_steps : int
        Scores known at the start; probes observed since.
    spent : float
        Cost so far (number of probes without costs).
    budget_left : float or None
    mean_width : float
        Mean interval width over the targets still unknown, score points; 0 if none is left.
    n_targets_left : int
    within : int
        Steps whose score fell inside the interval predicted for it.
    stop : str or None
        Why to stop; None = go on.
    """

    n_known: int
    n_steps: int
    spent: float
    budget_left: float | None
    mean_width: float
    n_targets_left: int
    within: int
    stop: str | None


def fingerprint(posterior: StoredPosterior) -> str:
    """SHA-256 of a posterior's draws and data: the same for a file and its copy in memory."""
    digest = hashlib.sha256(posterior.provenance.data_hash.encode())
    for name in sorted(posterior.draws):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(posterior.draws[name]).data)
    return digest.hexdigest()
