"""The package itself: its public names, loaded when they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

import bayesbench
from tests.cli.conftest import HEAVY, loaded


def test_importing_the_package_loads_nothing(repository: Path) -> None:
    assert not {"numpy", "pandas", "click", *HEAVY} & loaded(repository, "import bayesbench")


def test_public_names_are_there() -> None:
    for name in bayesbench.__all__:
        assert getattr(bayesbench, name) is not None
    assert set(bayesbench.__all__) <= set(dir(bayesbench))
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = bayesbench.nothing_such


def test_public_names_do_not_hide_modules() -> None:
    modules = {path.stem for path in Path(bayesbench.__file__).parent.iterdir()}
    assert not modules & set(bayesbench.__all__)
