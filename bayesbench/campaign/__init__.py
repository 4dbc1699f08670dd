"""Campaigns: propose a benchmark, observe its score, update, propose again."""

from __future__ import annotations

from .campaign import Campaign
from .proposal import Proposal, Status, fingerprint
from .several import JointCampaign, JointProposal, JointStatus, NextRun, Taken
from .several_file import JointState, read_joint
from .state_file import CampaignState, Step, StopRules, read_state

__all__ = [
    "Campaign",
    "CampaignState",
    "JointCampaign",
    "JointProposal",
    "JointState",
    "JointStatus",
    "NextRun",
    "Proposal",
    "Status",
    "Step",
    "StopRules",
    "Taken",
    "fingerprint",
    "read_joint",
    "read_state",
]
