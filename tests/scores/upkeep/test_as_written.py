"""Tables as they are written: nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.upkeep.as_written import read_as_written, write_as_written
from bayesbench.shipped import bundled_path


@pytest.mark.parametrize("name", ["models", "benchmarks", "scores"])
def test_the_bundled_tables_come_back_byte_by_byte(name: str, tmp_path: Path) -> None:
    place = Path(bundled_path("data", "open_scores"))
    write_as_written(tmp_path, name, read_as_written(place, name))
    assert (tmp_path / f"{name}.csv").read_bytes() == (place / f"{name}.csv").read_bytes()


def test_texts_stay_texts(tmp_path: Path) -> None:
    text = 'a,b\n007,NA\n1.50,"x, ""y"""\n,null\n'
    (tmp_path / "t.csv").write_text(text)
    write_as_written(tmp_path, "t", read_as_written(tmp_path, "t"))
    assert (tmp_path / "t.csv").read_text() == text


def test_what_is_no_plain_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packed.csv.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "odd.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    for name, word in (("packed", "unpack it"), ("odd", "UTF-8"), ("none", "no such file")):
        with pytest.raises(DataError, match=word):
            read_as_written(tmp_path, name)
