"""What the page says of names, benchmarks, and a campaign's state."""

import bayesbench as bb
from bayesbench.report.about import about, campaign_state, spellings
from bayesbench.scores.ids import Names
from tests.factories import make_posterior


def test_a_spelling_that_leads_to_two_ids_is_left_out():
    others = (("One", "a"), ("Both", "a"), ("Both", "b"), ("One", "a"))
    assert spellings(Names("benchmark", ("a", "b"), others)) == {"a": ["One"], "b": []}


def test_benchmarks_stand_in_the_order_of_the_posterior():
    posterior = make_posterior(n_draws=10)
    told = about(posterior)
    assert [one["id"] for one in told["benchmarks"]] == list(posterior.benchmark_ids)
    assert told["origin"]["draws"] == posterior.n_draws


def test_a_campaign_gives_what_it_has_observed_and_what_is_left():
    model = make_posterior(n_draws=40).condition({"bench_0": 40.0})
    campaign = bb.Campaign.new(
        None, model, costs={"bench_3": 2.0, "bench_4": 5.0}, stop=bb.StopRules(budget=6.0)
    )
    campaign.observe("bench_3", 55.0)
    state = campaign_state(campaign)
    assert state["scores"] == {"bench_0": 40.0, "bench_3": 55.0}
    assert state["budget"] == 4.0 and state["costs"] == {"bench_3": 2.0, "bench_4": 5.0}
    assert [step["benchmark_id"] for step in state["steps"]] == ["bench_3"]
