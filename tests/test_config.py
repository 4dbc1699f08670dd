"""Cores and directories of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bayesbench.config import cache_directory, usable_cores


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have places of their own")
def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_directory() == tmp_path / "cache" / "bayesbench"
    assert cache_directory("a", "b") == tmp_path / "cache" / "bayesbench" / "a" / "b"
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory("a") == tmp_path / ".cache" / "bayesbench" / "a"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not tell")
def test_cores_are_those_the_process_is_bound_to() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert usable_cores() == len(before)
