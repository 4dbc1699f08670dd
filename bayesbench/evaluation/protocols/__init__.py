"""The protocols of the evaluation, one object each: what is held out, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from .as_shipped import AsShipped
from .curve import Curve
from .folds import Folds
from .interface import EvaluationProtocol
from .new_benchmark import NewBenchmark
from .new_release import NewRelease
from .probes import Probes
from .small_tables import SmallTables

__all__ = [
    "PROTOCOLS",
    "AsShipped",
    "Curve",
    "EvaluationProtocol",
    "Folds",
    "NewBenchmark",
    "NewRelease",
    "Probes",
    "SmallTables",
]

PROTOCOLS: Mapping[str, type[EvaluationProtocol]] = {
    protocol.name: protocol
    for protocol in (Folds, NewRelease, Probes, Curve, NewBenchmark, AsShipped, SmallTables)
}
"""By the name of ``--protocol``."""
