"""Methods by name, for the setting that a protocol says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.evaluation import PROTOCOLS, available_methods, build_method
from bayesbench.evaluation.methods.low_rank import LowRank
from bayesbench.evaluation.methods.new_release import NewReleaseLowRank
from bayesbench.evaluation.methods.peers.als import BiasALS
from bayesbench.evaluation.methods.probes import ProbesLowRank
from bayesbench.fitting.engines.settings import NUTS, SVI, Gibbs
from bayesbench.low_rank.spec import ModelSpec


def test_names_and_options_choose_engine_and_settings() -> None:
    gibbs = build_method("low-rank", rank=2, student_t=False, draws=30)
    assert isinstance(gibbs, LowRank)
    assert gibbs.spec == ModelSpec(rank=2, student_t=False)
    assert isinstance(gibbs.config, Gibbs)
    assert gibbs.config.draws == 30
    for name, kind in (("low-rank-nuts", NUTS), ("low-rank-svi", SVI)):
        assert isinstance(build_method(name).config, kind)  # type: ignore[attr-defined]
    assert isinstance(build_method("low-rank", setting="releases"), NewReleaseLowRank)
    assert isinstance(build_method("low-rank", setting="probes"), ProbesLowRank)


def test_every_method_is_built_for_every_protocol() -> None:
    for kind in PROTOCOLS.values():
        for name in available_methods():
            other = name in ("low-rank-nuts", "low-rank-svi")
            if other and kind.setting in ("releases", "probes"):
                with pytest.raises(UsageError, match=f"runs with low-rank, not '{name}'"):
                    build_method(name, setting=kind.setting)  # type: ignore[arg-type]
                continue
            options = {"path": "p.csv"} if name == "external" else {}
            assert build_method(name, setting=kind.setting, **options).name == name  # type: ignore[arg-type]


def test_peers_take_their_fields() -> None:
    assert build_method("als", rank=3) == BiasALS(rank=3)
    with pytest.raises(UsageError, match="'als' has no option 'ranks'; it has rank, penalty"):
        build_method("als", ranks=3)
    with pytest.raises(UsageError, match="method 'external' needs option 'path'"):
        build_method("external")


def test_an_unknown_method_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownIdError, match="nearest: soft-impute"):
        build_method("softimpute")
    with pytest.raises(UnknownIdError, match="nearest: low-rank, low-rank-nuts"):
        build_method("zzzz")


def test_peers_need_no_jax() -> None:
    code = (
        "import sys; from bayesbench.evaluation import build_method\n"
        "build_method('als'); print({'jax', 'numpyro'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
