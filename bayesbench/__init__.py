"""bayesbench: a posterior over a (models x benchmarks) score matrix.

The public names are listed in ``__init__.pyi`` and loaded when they are first used, so that
``import bayesbench`` is fast and brings neither jax nor pandas.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    return _load(name)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("bayesbench-scores")
    except metadata.PackageNotFoundError:  # a checkout on the path, not installed
        return "0+checkout"
