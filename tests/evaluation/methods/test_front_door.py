"""A user's fit: the defaults of `fit`, and options that reach it."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from bayesbench.errors import BayesbenchWarning, UsageError
from bayesbench.evaluation.methods import front_door
from bayesbench.evaluation.methods.front_door import UserFit
from bayesbench.fitting.engines.settings import NUTS, SVI, Gibbs
from bayesbench.low_rank.spec import ModelSpec
from tests.factories import make_matrix


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def fit(scores: Any, **given: Any) -> str:
        seen.append(given)
        warnings.warn("diagnostics warn", BayesbenchWarning, stacklevel=2)
        return "posterior"

    monkeypatch.setattr(front_door, "fit", fit)
    return seen


def test_without_options_it_is_the_fit_of_the_command_line(calls: list[dict[str, Any]]) -> None:
    matrix = make_matrix()
    UserFit.built("low-rank", {}).of(matrix)
    (call,) = calls
    assert call.pop("engine")(30_000) == Gibbs.suited_to(30_000)
    assert call == {
        "spec": ModelSpec(), "calibrate": True, "seed": 0, "min_model": None, "min_benchmark": None,
    }  # fmt: skip


def test_options_reach_engine_spec_and_fit(calls: list[dict[str, Any]]) -> None:
    options = {"chains": 2, "draws": 50, "rank": 2, "groups": ["provider"], "calibrate": False}
    fit = UserFit.built("low-rank", {**options, "seed": 4})
    fit.of(make_matrix())
    fit.of(make_matrix(), seed=9, least=2)
    assert [call["seed"] for call in calls] == [4, 9]
    assert calls[0]["engine"](100) == Gibbs.suited_to(100, chains=2, draws=50)
    assert [(call["min_model"], call["min_benchmark"]) for call in calls] == [(None, None), (2, 2)]
    assert calls[0]["spec"] == ModelSpec(rank=2, groups=("provider",))
    assert calls[0]["calibrate"] is False
    UserFit.built("low-rank-nuts", {}).of(make_matrix())
    UserFit.built("low-rank-svi", {"steps": 10}).of(make_matrix())
    assert [call["engine"](100) for call in calls[2:]] == [NUTS(), SVI(steps=10)]
    assert len({repr(UserFit.built("low-rank", one)) for one in ({}, options, {"seed": 1})}) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 5}, "no option 'steps'"),
        ({"chains": 0}, "chains must be at least 1"),
        ({"chains": "two"}, "check the values"),
        ({"calibrate": 1}, "calibrate is true or false"),
        ({"seed": "x"}, "seed a whole number"),
    ],
)
def test_bad_options_are_refused_before_any_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UserFit.built("low-rank", options)
