"""Compiled programs are shared by the tests of this folder and never reach the user's cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bayesbench.fitting.compilation import OPT_OUT


@pytest.fixture(autouse=True, scope="session")
def own_compile_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(OPT_OUT, raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
