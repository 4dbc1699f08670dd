"""One fit: settings that suit the matrix, provenance, and draws that are checked."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from bayesbench.errors import DataError, FitError
from bayesbench.fitting.engines.contract import Draws, Problem
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.progress import Report
from tests.factories import make_matrix, make_posterior

SMALL = Gibbs(chains=2, warmup=20, draws=30, thin=1)
SPEC = ModelSpec(rank=1, families=False)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Gibbs, Problem, int]]:
    """Instead of sampling, random numbers; every call is kept."""
    calls: list[tuple[Gibbs, Problem, int]] = []

    def draw(self: Gibbs, problem: Problem, seed: int, report: Report | None = None) -> Draws:
        calls.append((self, problem, seed))
        made = make_posterior(matrix=problem.matrix, spec=problem.spec, n_draws=20)
        return Draws(made.draws, {"energy": np.arange(20.0).reshape(2, 10)})

    monkeypatch.setattr(Gibbs, "draw", draw)
    return calls


def test_a_fit_without_settings_takes_those_that_suit_the_matrix(
    drawn: list[tuple[Gibbs, Problem, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, asked = make_matrix(), list[int]()

    def suited(n_cells: int) -> Gibbs:
        asked.append(n_cells)
        return SMALL

    monkeypatch.setattr(Gibbs, "suited_to", suited)
    sample(matrix, SPEC, check=False)
    assert asked == [matrix.n_cells]
    assert drawn[0][0] == SMALL


def test_where_a_posterior_comes_from(drawn: list[tuple[Gibbs, Problem, int]]) -> None:
    matrix = make_matrix()
    posterior = sample(matrix, SPEC, SMALL, seed=7, n_readings=99, check=False)
    assert posterior.provenance.method == "gibbs"
    assert posterior.provenance.config == asdict(SMALL)
    assert (posterior.provenance.seed, drawn[0][2]) == (7, 7)
    assert posterior.provenance.data_hash == matrix.data_hash
    assert drawn[0][1].n_readings == 99
    assert posterior.spec == SPEC
    assert posterior.calibration is None
    np.testing.assert_array_equal(posterior.sample_stats["energy"][1], np.arange(10.0, 20.0))


def test_diagnostics_unless_they_are_not_wanted(drawn: list[tuple[Gibbs, Problem, int]]) -> None:
    assert sample(make_matrix(), SPEC, SMALL, check=False).diagnostics.summary == {}
    # chains of twenty random numbers in all cannot pass
    assert sample(make_matrix(), SPEC, SMALL).diagnostics.verdict != "pass"


def test_draws_that_are_not_finite_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_posterior(spec=SPEC, n_draws=20)
    broken = made.draws["ability"].copy()
    broken[0, 3, 1] = np.nan
    values = {**made.draws, "ability": broken}
    monkeypatch.setattr(Gibbs, "draw", lambda *_: Draws(values))
    with pytest.raises(FitError, match="gibbs: draws of ability are not finite"):
        sample(make_matrix(), SPEC, SMALL)


def test_too_little_data_is_an_error(drawn: list[tuple[Gibbs, Problem, int]]) -> None:
    matrix = make_matrix()
    for small in (matrix.subset(matrix.model_ids[:1]), matrix.mask(matrix.observed)):
        with pytest.raises(DataError, match="a fit needs at least 2 models and 2 benchmarks"):
            sample(small, SPEC, SMALL)
    assert not drawn


def test_a_given_link_is_used(drawn: list[tuple[Gibbs, Problem, int]]) -> None:
    matrix = make_matrix()
    other = replace(make_posterior().transform, center=make_posterior().transform.center + 1.0)
    assert sample(matrix, SPEC, SMALL, check=False, transform=other).transform is other
