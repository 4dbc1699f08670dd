"""Ids of a posterior file, read alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import PosteriorFileError
from bayesbench.posterior.names import read_ids
from tests.cli.conftest import loaded
from tests.factories import make_posterior


def test_they_are_those_of_the_posterior(tmp_path: Path) -> None:
    made = make_posterior(n_draws=20)
    for pack in (False, True):
        made.save(tmp_path / "made.nc", pack=pack)
        assert read_ids(tmp_path / "made.nc", "model") == tuple(made.model_ids)
        assert read_ids(tmp_path / "made.nc", "benchmark") == tuple(made.benchmark_ids)
        assert read_ids(tmp_path / "made.nc", "nothing") == ()


def test_what_is_no_posterior_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.nc"
    text.write_text("no netCDF")
    for path in (text, tmp_path / "none.nc", tmp_path):
        with pytest.raises(PosteriorFileError) as caught:
            read_ids(path, "model")
        assert str(caught.value).startswith(f"{path}: no bayesbench posterior")


def test_nothing_but_the_file_is_read(repository: Path) -> None:
    code = (
        "from bayesbench.posterior.names import read_ids\n"
        "from bayesbench.shipped import BUNDLED, bundled_path\n"
        "assert len(read_ids(bundled_path('models', BUNDLED), 'model')) > 100"
    )
    assert not {"pandas", "scipy", "jax", "bayesbench.scores"} & loaded(repository, code)
