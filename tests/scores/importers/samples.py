"""The sample files of other tools, and broken twins of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

DATA = REPOSITORY / "tests" / "data"


def document(sample: str) -> Any:
    """JSON of a sample."""
    return json.loads((DATA / sample).read_text(encoding="utf-8"))


def changed(sample: str, change: Callable[[Any], object]) -> Any:
    """JSON of a sample after `change` has worked on it in place."""
    held = document(sample)
    change(held)
    return held


def twin(folder: Path, sample: str, old: str, new: str) -> Path:
    """A copy of a sample in which one text is replaced, which must be there."""
    text = (DATA / sample).read_text(encoding="utf-8")
    assert old in text, f"{sample} does not hold {old!r}"
    path = folder / Path(sample).name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path
