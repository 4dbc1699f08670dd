"""Campaigns: propose a benchmark, observe its score, update, propose again."""

from __future__ import annotations

from .campaign import Campaign
from .proposal import Proposal, Status, fingerprint
from .state_file import CampaignState, Step, StopRules, read_state

__all__ = [
    "Campaign",
    "CampaignState",
    "Proposal",
    "Status",
    "Step",
    "StopRules",
    "fingerprint",
    "read_state",
]
