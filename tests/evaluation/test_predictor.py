"""What a method offers is seen from what it has."""

from __future__ import annotations

from pathlib import Path

from bayesbench.evaluation.methods.peers.als import BiasALS
from bayesbench.evaluation.methods.peers.external import ExternalPredictions
from bayesbench.evaluation.predictor import (
    BatchMethod,
    FinalizingMethod,
    LookUpMethod,
    PlanningMethod,
    fingerprint,
)
from tests.evaluation.evaluation_methods import Grouped, Normal, Planner


def offers(method: object) -> set[str]:
    kinds = {
        "batch": BatchMethod, "last step": FinalizingMethod, "look-up": LookUpMethod,
        "plans": PlanningMethod,
    }  # fmt: skip
    return {name for name, kind in kinds.items() if isinstance(method, kind)}


def test_methods_offer_what_they_have() -> None:
    assert offers(Normal()) == set()
    assert offers(Grouped("log")) == {"batch", "last step"}
    assert offers(Planner()) == {"plans"}
    assert offers(ExternalPredictions("p.csv")) == {"look-up"}


def test_the_low_rank_methods_offer_what_their_protocols_use() -> None:
    from bayesbench.evaluation import build_method

    assert offers(build_method("low-rank", setting="cells")) == {"last step"}
    assert offers(build_method("low-rank", setting="releases")) == {"batch"}
    assert offers(build_method("low-rank", setting="probes")) == {"batch", "last step", "plans"}


def test_a_fingerprint_changes_with_settings_and_files(tmp_path: Path) -> None:
    assert fingerprint(BiasALS()) == fingerprint(BiasALS()) != fingerprint(BiasALS(rank=3))
    path = tmp_path / "p.csv"
    path.write_text("a")
    before = fingerprint(ExternalPredictions(str(path)))
    path.write_text("b")
    assert fingerprint(ExternalPredictions(str(path))) != before
