from __future__ import annotations

import pytest

from bayesbench.errors import DataError
from bayesbench.shipped import bundled_path


def test_what_ships_is_found() -> None:
    assert (bundled_path("data", "open_scores") / "scores.csv").is_file()


def test_a_bundled_file_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"data/nothing\.csv is not installed"):
        bundled_path("data", "nothing.csv")
