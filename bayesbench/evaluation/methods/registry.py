"""Methods by name."""

from __future__ import annotations

from typing import Any

from ...errors import UnknownIdError, UsageError
from ...scores.ids import nearest_ids
from ..predictor import LookUpMethod, Predictor, Setting
from .conformal import CONFORMAL, Conformal
from .options import checked
from .peers import PEERS

__all__ = ["LOW_RANK_METHODS", "available_methods", "build_method"]

LOW_RANK_METHODS = ("low-rank", "low-rank-nuts", "low-rank-svi")


def available_methods() -> tuple[str, ...]:
    """Names that :func:`build_method` takes."""
    return (*LOW_RANK_METHODS, *PEERS)


def build_method(name: str, *, setting: Setting = "cells", **options: Any) -> Predictor:
    """Build a method by name.

    Parameters
    ----------
    name : str
        One of :func:`available_methods`; a peer with ``+conformal`` behind it gets split-conformal
        intervals (:class:`~bayesbench.evaluation.methods.conformal.Conformal`).
    setting : {"cells", "releases", "probes", "shipped", "tables"}
        Of the protocol it will be used for (``Folds.setting``): the low-rank methods are fitted
        and recalibrated accordingly, the peers are the same everywhere.
    **options
        Settings of the method: the fields of a peer; for the low-rank model those of `ModelSpec`,
        ``draws``, ``warmup`` and ``thin`` as far as its engine has them, and for releases
        ``update``; as it ships (``shipped``, ``tables``) all settings of the engine, ``calibrate``
        and ``seed`` of the fit, and for tables ``facts`` and ``least``.

    Raises
    ------
    UnknownIdError
        With the nearest names.
    UsageError
        If an option does not belong to the method; names those that do. If conformal intervals are
        asked for where they cannot be.

    Examples
    --------
    >>> build_method("als", rank=3)
    BiasALS(rank=3, penalty=0.1, n_iter=40, n_starts=10)
    """
    if name.endswith(CONFORMAL):
        return _conformal(name.removesuffix(CONFORMAL), setting, options)
    if name in PEERS:
        return checked(name, PEERS[name], options)
    if name in LOW_RANK_METHODS:
        return _low_rank(name, setting, options)
    known = available_methods()
    raise UnknownIdError("method", name, nearest_ids(name, known) or known)


def _conformal(name: str, setting: Setting, options: dict[str, Any]) -> Predictor:
    method = build_method(name, setting=setting, **options)
    if name not in PEERS or isinstance(method, LookUpMethod):
        raise UsageError(
            f"method {name!r} takes no conformal intervals, its predictions come with their own; "
            f"leave out {CONFORMAL!r}"
        )
    return Conformal(method)


def _low_rank(name: str, setting: Setting, options: dict[str, Any]) -> Predictor:
    # the samplers bring jax, which the peers do without
    from .as_shipped import AsShippedLowRank
    from .low_rank import LowRank
    from .new_release import NewReleaseLowRank
    from .probes import ProbesLowRank
    from .small_tables import SmallTablesLowRank

    methods: dict[
        Setting,
        type[LowRank | NewReleaseLowRank | ProbesLowRank | AsShippedLowRank | SmallTablesLowRank],
    ] = {
        "cells": LowRank,
        "releases": NewReleaseLowRank,
        "probes": ProbesLowRank,
        "shipped": AsShippedLowRank,
        "tables": SmallTablesLowRank,
    }
    return methods[setting].built(name, options)
