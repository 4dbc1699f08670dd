"""`fit` does all of it: filter, engine, draws, verdict, recalibration by its own engine."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

from bayesbench.errors import BayesbenchWarning, DataError, DiagnosticsError
from bayesbench.fitting import fit as fitting
from bayesbench.fitting.crossfit import USUAL_FITS
from bayesbench.fitting.engines.contract import Engine
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.fitting.fit import fit, suited_thresholds
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from bayesbench.posterior.diagnostics import Diagnostics
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.progress import Report
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior

ENGINE = NUTS(chains=2, draws=50)
ONES = np.ones(len(FEATURES))
SIDE = np.zeros(1 + len(FEATURES))
LEARNED = Calibration(
    Recalibration(ONES, ONES, SIDE, SIDE, SIDE, np.arange(-25.0, 25.0)), engine="nuts"
)


class Steps:
    """Takes the place of sampling and recalibrating; `verdict` and `learned` can be set."""

    def __init__(self) -> None:
        self.verdict = "pass"
        self.learned: Calibration | None = LEARNED
        self.sampled: list[tuple[ScoreMatrix, ModelSpec, Engine, int]] = []
        self.recalibrated: list[tuple[ScoreMatrix, ModelSpec, Engine, int]] = []

    def sample(
        self, matrix: ScoreMatrix, spec: ModelSpec, engine: Engine, *, seed: int, report: Report
    ) -> StoredPosterior:
        self.sampled.append((matrix, spec, engine, seed))
        report(1, 2)
        report(2, 2)
        posterior = make_posterior(matrix=matrix, spec=spec, n_draws=20)
        diagnostics = Diagnostics(self.verdict, ("R-hat of eta is 1.2",))
        object.__setattr__(posterior, "diagnostics", diagnostics)
        return posterior

    def learn(
        self, matrix: ScoreMatrix, spec: ModelSpec, engine: Engine, *, seed: int, report: Report
    ) -> Calibration | None:
        self.recalibrated.append((matrix, spec, engine, seed))
        report(8, 8)
        return self.learned


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    monkeypatch.setattr(fitting, "sample", made.sample)
    monkeypatch.setattr(fitting, "learned_calibration", made.learn)
    return made


def quick(scores: ScoreMatrix, **options: Any) -> StoredPosterior:
    return fit(scores, **{"min_model": 1, "min_benchmark": 1, "engine": ENGINE, **options})


def test_sampled_and_recalibrated_by_the_same_engine(steps: Steps) -> None:
    scores, spec = make_matrix(), ModelSpec(rank=1)
    posterior = quick(scores, spec=spec, seed=5)
    ((matrix, *rest),) = steps.sampled
    assert rest == [spec, ENGINE, 5]
    assert matrix.n_cells == scores.n_cells
    ((_, *rest),) = steps.recalibrated
    assert rest == [spec, ENGINE.lighter(), 5]
    assert posterior.calibration is LEARNED


def test_few_scores_are_left_out_and_that_is_said(steps: Steps) -> None:
    scores = make_matrix(0, 20, 18)
    expected = scores.filter(5, 14)
    gone = "left out 6 of 20 models with fewer than 5 scores and 12 of 18 benchmarks with fewer"
    with pytest.warns(BayesbenchWarning, match=gone):
        fit(scores, engine=ENGINE, min_model=5, min_benchmark=14)
    assert expected.shape != scores.shape
    assert steps.sampled[0][0].model_ids == expected.model_ids
    assert steps.sampled[0][0].benchmark_ids == expected.benchmark_ids
    with pytest.raises(DataError, match="at least 15 per model"):
        fit(make_matrix(), min_model=15, min_benchmark=8)


@pytest.mark.parametrize(
    ("n_models", "n_benchmarks", "fill", "expected"),
    [(60, 40, 0.9, (15, 8)), (40, 20, 0.5, (10, 6)), (10, 6, 1.0, (6, 4)), (8, 6, 0.3, (1, 1))],
)
def test_thresholds_suit_the_table(
    n_models: int, n_benchmarks: int, fill: float, expected: tuple[int, int]
) -> None:
    scores = simulate(0, n_models, n_benchmarks, fill=fill).matrix
    assert suited_thresholds(scores) == expected
    assert scores.filter(*expected).n_cells >= 0.6 * scores.n_cells


def test_by_default_little_is_left_out(steps: Steps) -> None:
    scores = make_matrix()
    fit(scores, engine=ENGINE)  # a warning would be an error
    assert steps.sampled[0][0].shape == scores.shape


def test_the_default_engine_suits_the_size(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def suited(n_cells: int) -> Gibbs:
        asked.append(n_cells)
        return Gibbs(thin=3)

    monkeypatch.setattr(Gibbs, "suited_to", suited)
    scores = make_matrix()
    quick(scores, engine=None)
    assert asked == [scores.n_cells]
    assert steps.sampled[0][2] == Gibbs(thin=3)
    assert steps.recalibrated[0][2] == Gibbs().lighter()


def test_without_recalibration(steps: Steps) -> None:
    assert quick(make_matrix(), calibrate=False).calibration is None
    assert not steps.recalibrated


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("verdict", ["pass", "warn", "fail"])
def test_a_verdict_is_told(steps: Steps, verdict: str, strict: bool) -> None:
    steps.verdict = verdict
    if verdict == "fail" and strict:
        with pytest.raises(DiagnosticsError, match=r"failed: R-hat of eta is 1\.2"):
            quick(make_matrix(), strict=strict)
        assert not steps.recalibrated
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        quick(make_matrix(), strict=strict)
    expected = [] if verdict == "pass" else [f"diagnostics {verdict}: R-hat of eta is 1.2"]
    assert [str(one.message) for one in told] == expected
    assert all(one.category is BayesbenchWarning for one in told)
    assert all(one.filename == __file__ for one in told)  # the line that called


def test_too_few_scores_to_recalibrate_are_told(steps: Steps) -> None:
    steps.learned = None
    with pytest.warns(BayesbenchWarning, match="too few scores to recalibrate"):
        assert quick(make_matrix()).calibration is None


@pytest.mark.parametrize("calibrate", [True, False])
def test_progress_is_that_of_the_whole_job(steps: Steps, calibrate: bool) -> None:
    told: list[tuple[float, str]] = []
    totals = set()

    def report(done: int, total: int, note: str = "") -> None:
        totals.add(total)
        told.append((done / total, note))

    quick(make_matrix(), progress=report, calibrate=calibrate)
    whole, light = ENGINE.work(None), ENGINE.lighter().work(None)  # type: ignore[arg-type]
    share = whole / (whole + USUAL_FITS * light * calibrate)
    assert len(totals) == 1
    expected = [(share / 2, "sampling"), (share, "sampling")]
    expected += [(1.0, "recalibration")] if calibrate else []
    assert [note for _, note in told] == [note for _, note in expected]
    np.testing.assert_allclose([at for at, _ in told], [at for at, _ in expected], atol=1e-3)


def test_a_bar_is_shown_where_it_is_asked_for(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    real = fitting.bar

    def bar(label: str) -> Any:
        asked.append(label)
        return real(label)

    monkeypatch.setattr(fitting, "bar", bar)
    assert not sys.stderr.isatty()
    quick(make_matrix(), progress=True)
    quick(make_matrix(), progress=False)
    assert asked == ["fit"]
    assert capsys.readouterr() == ("", "")
