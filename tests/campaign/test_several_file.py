"""The file of a campaign over several models: whole, strict, and there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.campaign import CampaignState, JointState, Step, StopRules, read_joint
from bayesbench.campaign.several_file import write_joint
from bayesbench.errors import DataError, UsageError

STEP = Step("hle", 31.0, 2.5, None, median=28.0, lower=20.0, upper=37.0)


def test_there_and_back(tmp_path: Path) -> None:
    members = (CampaignState("f", model_id="a", steps=(STEP,)), CampaignState("f"))
    state = JointState(members, StopRules(budget=3), ("a",), 4)
    write_joint(tmp_path / "x.json", state)
    assert read_joint(tmp_path / "x.json") == state
    assert (state.spent, state.probes) == (2.5, (STEP,))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bayesbench-joint-campaign", "bayesbench-campaign", "it is no bayesbench-joint-campaign"),
        ('"version": 1', '"version": 2', "it has format version 2"),
        ('"prob": 0.9', '"prob": 2', "interval probability must lie in"),
        ('"order": []', '"order": [], "more": 1', "'more' is unknown"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "x.json"
    text = JointState((CampaignState("f"),)).to_json()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=r"x\.json is not a usable campaign file") as caught:
        read_joint(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_models_must_be_told_apart() -> None:
    with pytest.raises(UsageError, match="named twice"):
        JointState((CampaignState("f"), CampaignState("f")))
    with pytest.raises(UsageError, match="of one posterior"):
        JointState((CampaignState("f"), CampaignState("g", model_id="a")))
