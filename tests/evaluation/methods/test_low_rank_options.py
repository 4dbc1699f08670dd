"""Options of the low-rank methods go to the statistical model or the engine."""

from __future__ import annotations

import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation import build_method
from bayesbench.evaluation.methods.low_rank_options import gibbs_only, settings
from bayesbench.fitting.engines.settings import NUTS, SVI, Gibbs
from bayesbench.low_rank.spec import ModelSpec


def test_options_find_their_place() -> None:
    spec, config = settings("low-rank", {"rank": 2, "draws": 7, "thin": 3}, Gibbs(chains=2))
    assert spec == ModelSpec(rank=2)
    assert config == Gibbs(chains=2, draws=7, thin=3)
    spec, nuts = settings("low-rank-nuts", {"warmup": 9}, NUTS())
    assert (spec, nuts) == (ModelSpec(), NUTS(warmup=9))


def test_ends_and_item_noise_can_be_switched() -> None:
    options = {"censored": False, "item_noise": 0.25}
    assert settings("low-rank", options, Gibbs())[0] == ModelSpec(censored=False, item_noise=0.25)


def test_an_engine_takes_only_what_it_has() -> None:
    with pytest.raises(UsageError, match=r"has no option 'thin'; it has rank, .*draws, warmup"):
        settings("low-rank-nuts", {"thin": 2}, NUTS())
    with pytest.raises(UsageError, match="has no option 'warmup'"):
        settings("low-rank-svi", {"warmup": 2}, SVI())


def test_an_option_read_elsewhere_is_listed() -> None:
    with pytest.raises(UsageError, match=r"has no option 'colour'; it has rank, .*thin, update"):
        settings("low-rank", {"colour": "red"}, Gibbs(), "update")


def test_a_value_of_no_use_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"method 'low-rank': .*check the values"):
        settings("low-rank", {"rank": "two"}, Gibbs())


def test_only_gibbs_where_a_protocol_is_written_for_it() -> None:
    gibbs_only("low-rank", "probes")
    with pytest.raises(UsageError, match="'probes' runs with low-rank, not 'low-rank-svi'"):
        gibbs_only("low-rank-svi", "probes")


def test_lists_of_options_become_tuples() -> None:
    method = build_method("low-rank", covariates=["reasoning"])
    assert method.spec.covariates == ("reasoning",)  # type: ignore[attr-defined]


def test_probes_are_planned_with_the_same_options() -> None:
    method = build_method("low-rank", setting="probes", rank=1, draws=11)
    assert method.spec.rank == 1  # type: ignore[attr-defined]
    assert (method.config.draws, method.planning.draws) == (11, 11)  # type: ignore[attr-defined]
    assert method.config != method.planning  # type: ignore[attr-defined]
