from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import DataError, PosteriorFileError
from bayesbench.files import replacing, write_text


def test_text_is_written_as_utf8_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "first")
    write_text(file, "sécond\n")
    assert file.read_bytes() == "sécond\n".encode()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_what_stood_there_stays_when_writing_ends_early(
    failure: type[BaseException], tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    with pytest.raises(failure), replacing(file) as part:
        part.write_text("half")
        assert file.read_text() == "before"
        raise failure
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_the_target_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with replacing(file) as part:
        part.write_text("whole")
        assert not file.exists() and part.parent == tmp_path
    assert file.read_text() == "whole"


def test_two_writers_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with replacing(file) as first, replacing(file) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert file.read_text() == "first"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(DataError, match=r"nowhere/a\.txt: cannot be written \(No such file"):
        write_text(file, "x")
    with pytest.raises(PosteriorFileError, match="choose another place"):
        write_text(file, "x", error=PosteriorFileError)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "folder", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
