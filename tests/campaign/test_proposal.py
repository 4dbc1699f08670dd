from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bayesbench.campaign.proposal import Proposal, Status, fingerprint
from bayesbench.design import Recommendation, Recommendations
from bayesbench.front.posterior import Posterior
from tests.factories import make_posterior

STATUS = Status(
    n_known=1,
    n_steps=4,
    n_corrections=1,
    spent=12.5,
    unit="USD",
    budget_left=2.5,
    mean_width=8.123,
    n_targets_left=1,
    within=2,
    stop=None,
)


def test_a_status_in_words() -> None:
    assert STATUS.sentence == (
        "1 score known at the start, 3 probes observed, 2 of them inside their interval, "
        "1 score corrected; spent 12.5 USD, 2.5 left; 1 target left, mean interval 8.12 points. "
        "Go on."
    )
    other = replace(
        STATUS, n_known=0, n_steps=1, n_corrections=0, unit="", budget_left=None, stop="enough"
    )
    assert other.sentence == (
        "0 scores known at the start, 1 probe observed, 2 of them inside their interval; "
        "spent 12.5; 1 target left, mean interval 8.12 points. Stop: enough."
    )


def test_a_proposal_prints_what_to_run_and_whether_to_go_on() -> None:
    one = Recommendation("gpqa", 0.7, None, None, 4.1, median=61.0, lower=48.0, upper=72.0)
    shown = repr(Proposal(Recommendations((one,)), None))
    assert "gpqa" in shown and shown.endswith("\nGo on.")
    assert repr(Proposal(Recommendations(()), "every target has been run")) == (
        "Stop: every target has been run."
    )


def test_the_fingerprint_is_of_draws_and_data(tmp_path: Path) -> None:
    posterior = make_posterior(seed=3)
    place = tmp_path / "posterior.nc"
    posterior.save(place)
    assert fingerprint(Posterior.load(place)) == fingerprint(posterior)
    assert fingerprint(make_posterior(seed=4)) != fingerprint(posterior)
    draws = {name: value.copy() for name, value in posterior.draws.items()}
    draws["ability"][0, 0, 0] += 1e-3
    assert fingerprint(replace(posterior, draws=draws)) != fingerprint(posterior)
    data = replace(posterior.provenance, data_hash="other")
    assert fingerprint(replace(posterior, provenance=data)) != fingerprint(posterior)
