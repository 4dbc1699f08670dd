"""Options of the low-rank methods: parts of the statistical model, and length of the sampler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from ...errors import UsageError
from ...fitting.engines.contract import Engine
from ...fitting.engines.settings import Gibbs
from ...low_rank.spec import ModelSpec
from .options import field_names, only_known

__all__ = ["FOLD_CONFIG", "gibbs_only", "settings"]

FOLD_CONFIG = replace(Gibbs().lighter(), thin=18)
"""Sweeps of a fit whose predictions are themselves evaluated: medians want a longer chain."""

SAMPLING = ("draws", "warmup", "thin")
"""Fields of an engine that are options, as far as it has them."""

Config = TypeVar("Config", bound=Engine)


def settings(
    name: str, options: Mapping[str, object], config: Config, *others: str
) -> tuple[ModelSpec, Config]:
    """Statistical model and engine that options ask for.

    Parameters
    ----------
    name : str
        Of the method, for messages.
    options : mapping
        Fields of `ModelSpec`, and ``draws``, ``warmup``, ``thin`` of the engine.
    config : Engine
        The engine without the options.
    *others : str
        Options of the method that are read elsewhere.

    Raises
    ------
    UsageError
        If an option is not one of these.
    """
    sampling = [key for key in SAMPLING if key in field_names(type(config))]
    only_known(name, options, (*field_names(ModelSpec), *sampling, *others))
    of_engine = {key: value for key, value in options.items() if key in sampling}
    of_spec = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in options.items()
        if key not in sampling
    }
    try:
        return ModelSpec(**of_spec), _with(config, of_engine)  # type: ignore[arg-type]
    except TypeError as error:
        raise UsageError(f"method {name!r}: {error}; check the values of its options") from None


def _with(config: Config, changes: Mapping[str, object]) -> Config:
    """The engine with other settings: a dataclass, which no protocol can say."""
    changed: Config = replace(cast(Any, config), **changes)
    return changed


def gibbs_only(name: str, protocol: str) -> None:
    """Refuse a method whose engine is not the one that a protocol's method is written for.

    Raises
    ------
    UsageError
        For any other than ``low-rank``.
    """
    if name != "low-rank":
        raise UsageError(f"protocol {protocol!r} runs with low-rank, not {name!r}")
