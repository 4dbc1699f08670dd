"""Where compiled programs are kept."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import pytest
from filelock import FileLock, Timeout

from bayesbench.fitting import compilation
from bayesbench.fitting.compilation import (
    LARGE,
    LEAST_ROOM,
    OPT_OUT,
    its_turn,
    one_compilation,
    use_compilation_cache,
)

OPTIONS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {name: getattr(jax.config, name) for name in OPTIONS}
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_below_the_cache_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    expected = tmp_path / "bayesbench" / "compiled"
    assert use_compilation_cache() == expected
    assert expected.is_dir()
    assert jax.config.jax_compilation_cache_dir == str(expected)


def test_opting_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(OPT_OUT, "yes")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert use_compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir is None
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_not_filled_further(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=LEAST_ROOM - 1))
    assert use_compilation_cache() is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=LEAST_ROOM))
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (61_440, 61_440))
    assert use_compilation_cache() is None  # a cut-off program would stay there
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert use_compilation_cache() is not None


def test_a_place_that_cannot_be_made_is_harmless(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert use_compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir is None


def test_a_process_that_holds_the_lock_too_long_does_not_end_the_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compilation, "LONGEST_WAIT", 0.0)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    entered = False
    with FileLock(tmp_path / "compiling.lock"), one_compilation():
        entered = True
    assert entered


def test_compiling_holds_the_lock_of_its_cache(tmp_path: Path) -> None:
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    other = FileLock(tmp_path / "compiling.lock", timeout=0.0)
    with one_compilation(), pytest.raises(Timeout):
        other.acquire()
    other.acquire()
    other.release()


@pytest.mark.parametrize("failure", [NotImplementedError, PermissionError, OSError])
def test_a_lock_that_cannot_be_had_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failure: type[Exception]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(compilation.FileLock, "acquire", refused)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    entered = False
    with one_compilation():
        entered = True
    assert entered


def test_a_failure_while_compiling_is_not_swallowed(tmp_path: Path) -> None:
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    with pytest.raises(OSError, match="mine"), one_compilation():
        raise OSError("mine")


def test_a_configured_cache_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    assert use_compilation_cache() == tmp_path
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(("size", "alone"), [(LARGE, True), (LARGE - 1, False)])
def test_large_programs_run_one_at_a_time(size: int, alone: bool) -> None:
    """Two threads meet inside, or the first is out before the second is in."""
    inside, most = 0, 0
    count = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with its_turn(size):
            with count:
                inside += 1
                most = max(most, inside)
            time.sleep(0.2)
            with count:
                inside -= 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert most == (1 if alone else 2)
