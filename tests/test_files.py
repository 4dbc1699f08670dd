from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bayesbench.errors import DataError, PosteriorFileError
from bayesbench.files import changed_directory, new_directory, replacing, write_bytes, write_text


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


def test_bytes_are_written_whole(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", memoryview(b"\0\1"))
    assert (tmp_path / "a").read_bytes() == b"\0\1"


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(DataError, match=r"cannot be written \(not a regular file\)"):
            write_text(path, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure), new_directory(tmp_path / "d") as part:
            (part / "a").write_text("x")
            raise failure
        assert list(tmp_path.iterdir()) == []
    with new_directory(tmp_path / "d") as part:
        (part / "a").write_text("x")
        assert not (tmp_path / "d").exists()
    assert (tmp_path / "d" / "a").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["d"]
    for taken in ("d", "d/a"):
        with pytest.raises(DataError, match="exists already"), new_directory(tmp_path / taken):
            pass
    with pytest.raises(DataError, match="cannot be written"), new_directory(tmp_path / "n" / "d"):
        pass


def filled(place: Path) -> Path:
    (place / "inner").mkdir(parents=True)
    (place / "a.txt").write_text("old")
    (place / "inner" / "b.txt").write_text("other")
    return place


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_changed_directory_takes_the_place_of_the_old_one(
    in_one_step: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_one_step:
        monkeypatch.setattr("bayesbench.files._exchanged", lambda *_: False)
    place = filled(tmp_path / "d")
    with changed_directory(place) as part:
        (part / "a.txt").write_text("new")
        assert (place / "a.txt").read_text() == "old"
    assert (place / "a.txt").read_text() == "new"
    assert (place / "inner" / "b.txt").read_text() == "other"
    assert list(tmp_path.iterdir()) == [place]


def test_a_failed_second_rename_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesbench.files._exchanged", lambda *_: False)
    place = filled(tmp_path / "d")
    rename, calls = Path.rename, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DataError, match="cannot be written"), changed_directory(place) as part:
        (part / "a.txt").write_text("new")
    assert (place / "a.txt").read_text() == "old" and list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_change_leaves_the_directory(
    failure: type[BaseException], tmp_path: Path
) -> None:
    place = filled(tmp_path / "d")
    with pytest.raises(failure), changed_directory(place) as part:
        (part / "a.txt").unlink()
        raise failure
    assert (place / "a.txt").read_text() == "old" and list(tmp_path.iterdir()) == [place]


def test_what_others_changed_meanwhile_is_not_lost(tmp_path: Path) -> None:
    place = filled(tmp_path / "d")
    with pytest.raises(DataError, match="was changed meanwhile"), changed_directory(place) as part:
        (part / "a.txt").write_text("mine")
        (place / "a.txt").write_text("theirs!")
    assert (place / "a.txt").read_text() == "theirs!"
    with pytest.raises(DataError, match="no such directory"), changed_directory(tmp_path / "none"):
        pass
