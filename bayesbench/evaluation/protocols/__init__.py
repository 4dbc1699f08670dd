"""The protocols of the evaluation, one object each: what is held out, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from .curve import Curve
from .folds import Folds
from .interface import EvaluationProtocol
from .new_release import NewRelease
from .probes import Probes

__all__ = ["PROTOCOLS", "Curve", "EvaluationProtocol", "Folds", "NewRelease", "Probes"]

PROTOCOLS: Mapping[str, type[EvaluationProtocol]] = {
    protocol.name: protocol for protocol in (Folds, NewRelease, Probes, Curve)
}
"""By the name of ``--protocol``."""
