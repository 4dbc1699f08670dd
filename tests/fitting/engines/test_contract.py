"""What every engine keeps to, whichever it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.fitting.engines.contract import Draws, Engine, Problem
from bayesbench.fitting.engines.settings import ENGINES, NUTS, SVI, Gibbs
from bayesbench.fitting.problem import prepare
from bayesbench.low_rank.density import site_dims
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec

PLAIN = ModelSpec(
    rank=0, student_t=False, model_noise=False, covariates=(), groups=(), families=False
)
"""Compiles fast."""
QUICK: dict[str, Any] = {
    "gibbs": Gibbs(chains=2, warmup=30, draws=40, thin=2),
    "nuts": NUTS(chains=2, warmup=60, draws=30),
    "svi": SVI(steps=250, draws=30),
}
STATS = {"gibbs": {"log_likelihood"}, "nuts": {"diverging", "lp", "energy"}, "svi": {"loss"}}

Told = list[tuple[int, int]]


@pytest.fixture(scope="module")
def problem() -> Problem:
    return prepare(simulate(0, 6, 5, PLAIN, fill=0.8).matrix, PLAIN)


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Any:
    return QUICK[request.param]


@pytest.fixture(scope="module")
def told() -> Told:
    return []


@pytest.fixture(scope="module")
def drawn(engine: Engine, problem: Problem, told: Told) -> Draws:
    told.clear()

    def report(done: int, total: int, note: str = "") -> None:
        told.append((done, total))

    return engine.draw(problem, 3, report)


def test_every_engine_is_tested_here() -> None:
    assert set(QUICK) == set(ENGINES)
    assert {name: kind.name for name, kind in ENGINES.items()} == {name: name for name in ENGINES}
    assert next(iter(ENGINES)) == "gibbs"  # the default


def test_draws_have_the_names_and_shapes_of_the_parameters(
    engine: Any, problem: Problem, drawn: Draws
) -> None:
    dims = site_dims(problem.spec, problem.data)
    sizes = {"benchmark": problem.matrix.shape[1], "model": problem.matrix.shape[0]}
    assert set(drawn.values) == set(dims)
    for name, value in drawn.values.items():
        expected = tuple(sizes[dim] for dim in dims[name])
        assert value.shape == (getattr(engine, "chains", 1), engine.draws, *expected), name
        assert value.dtype == np.float32, name
        assert np.isfinite(value).all(), name
        assert np.unique(value.reshape(value.shape[0], value.shape[1], -1)[..., 0]).size > 5, name
    assert STATS[engine.name] <= set(drawn.stats)


def test_work_is_told_as_it_is_done_to_the_end(
    engine: Engine, problem: Problem, drawn: Draws, told: Told
) -> None:
    assert {total for _, total in told} == {engine.work(problem)}
    done = [number for number, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, engine.work(problem))
    assert len(set(done)) > 2


def test_the_same_seed_gives_the_same_draws_and_another_one_others(
    engine: Engine, problem: Problem, drawn: Draws
) -> None:
    again, other = engine.draw(problem, 3), engine.draw(problem, 4)
    for name, value in drawn.values.items():
        np.testing.assert_array_equal(value, again.values[name])
        assert not np.array_equal(value, other.values[name]), name
    for name, value in drawn.stats.items():
        np.testing.assert_array_equal(value, again.stats[name])


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_what_the_report_raises_ends_the_fit(
    engine: Any, problem: Problem, drawn: Draws, failure: type[BaseException]
) -> None:
    """Endless settings: if anything went on, this test would never end."""
    calls: Told = []

    def report(done: int, total: int, note: str = "") -> None:
        calls.append((done, total))
        if done:
            raise failure

    long = replace(engine, **({"steps": 10**9} if engine.name == "svi" else {"warmup": 10**9}))
    with pytest.raises(failure):
        long.draw(problem, 3, report)
    for thread in threading.enumerate():
        if thread.name.startswith("bayesbench-"):
            thread.join()
    # one call may have been under way beside the one that failed
    assert sum(done > 0 for done, _ in calls) <= 2


def test_a_light_one_is_of_the_same_kind(engine: Any) -> None:
    whole = type(engine)()
    light = whole.lighter()
    assert type(light) is type(whole)
    assert light.lighter() == light
    assert light.draws < whole.draws
    assert getattr(light, "chains", 1) == 1


def test_settings_suit_the_size_and_those_given_stay(engine: Any) -> None:
    kind = type(engine)
    assert kind.suited_to(0) == kind()
    assert kind.suited_to(10**8, draws=7).draws == 7
    given = {field.name: getattr(engine, field.name) for field in fields(kind)}
    assert kind.suited_to(10**8, **given) == engine


def test_an_engine_is_a_frozen_value(engine: Any) -> None:
    names = {kind.__name__: kind for kind in ENGINES.values()}
    assert eval(repr(engine), names) == engine
    assert hash(replace(engine)) == hash(engine)
    assert replace(engine, draws=3) != engine
    with pytest.raises(FrozenInstanceError):
        engine.draws = 3
    with pytest.raises(UsageError, match="draws must be at least 1, got 0"):
        replace(engine, draws=0)


def test_engines_are_made_without_loading_their_samplers(repository: Path) -> None:
    code = (
        "import sys\n"
        "from bayesbench.fitting.engines.settings import ENGINES\n"
        "made = [kind.suited_to(100, draws=500).lighter() for kind in ENGINES.values()]\n"
        "loaded = {'jax', 'numpyro', 'optax'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded or len(made) != 3 else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
