"""`fit`: from scores to a diagnosed and recalibrated posterior."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from ..errors import BayesbenchWarning, DataError, DiagnosticsError
from ..front.posterior import Posterior
from ..low_rank.spec import ModelSpec
from ..posterior.diagnostics import Diagnostics
from ..progress import Job, Report, bar
from ..scores import ScoreMatrix
from ..scores.doubts import column_doubts
from .crossfit import USUAL_FITS, learned_calibration
from .engines.contract import Engine
from .engines.settings import Gibbs
from .problem import prepare
from .sample import sample

__all__ = ["filtered", "fit", "suited_thresholds"]

THRESHOLDS = ((15, 8), (10, 6), (6, 4), (4, 3), (2, 2), (1, 1))
"""Least scores per model and benchmark, the strictest first."""
LEAST_SHARE = 0.6
"""Share of the scores that must be left: of the bundled table (15, 8) leaves 0.74."""


def fit(
    scores: ScoreMatrix,
    *,
    engine: Engine | Callable[[int], Engine] | None = None,
    spec: ModelSpec | None = None,
    calibrate: bool = True,
    seed: int = 0,
    min_model: int | None = None,
    min_benchmark: int | None = None,
    strict: bool = False,
    progress: bool | Report = False,
) -> Posterior:
    """Fit the low-rank model to scores and recalibrate its intervals.

    Parameters
    ----------
    scores : ScoreMatrix
    engine : Engine or callable, optional
        `Gibbs` (fast, exact), `NUTS` (the reference) or `SVI` (approximate); or a function that
        gives one for the number of scores that are fitted, such as ``NUTS.suited_to``. By default
        ``Gibbs.suited_to``.
    spec : ModelSpec, optional
    calibrate : bool
        Learn the recalibration of the intervals from short cross-fits by the same engine.
    seed : int
        The same seed gives the same draws.
    min_model, min_benchmark : int, optional
        Leave out models and benchmarks with fewer scores. By default what suits the table (see
        `suited_thresholds`), at most 15 and 8; what is left out is said in a warning.
    strict : bool
        Raise if the diagnostics fail, before anything else is done.
    progress : bool or Report
        True shows a bar on stderr, on a terminal; a report is told the share done of the whole
        job.

    Returns
    -------
    Posterior
        With diagnostics, and with a calibration unless `calibrate` is off or there were too few
        scores.

    Raises
    ------
    DataError
        Too little data for any fit.
    DiagnosticsError
        With `strict`, the diagnostics failed.
    FitError
        The draws are not finite.
    KeyboardInterrupt
        At once when the process is interrupted.

    Warns
    -----
    BayesbenchWarning
        Something was left out, a column contradicts its scale or direction, the diagnostics found
        something, or there were too few scores to recalibrate.

    Examples
    --------
    >>> from bayesbench.low_rank.simulate import simulate
    >>> scores = simulate(0, 6, 5, ModelSpec(rank=0), fill=1.0).matrix
    >>> quick = Gibbs(chains=4, warmup=400, draws=200, thin=10)
    >>> posterior = fit(
    ...     scores, engine=quick, spec=ModelSpec(rank=0), calibrate=False, min_model=3,
    ...     min_benchmark=3,
    ... )
    >>> posterior.n_draws
    800
    """
    matrix, left_out = filtered(scores, min_model, min_benchmark)
    if left_out:
        _warn(left_out)
    for doubt in column_doubts(matrix):
        _warn(doubt.sentence)
    spec = ModelSpec() if spec is None else spec
    engine = Gibbs.suited_to if engine is None else engine
    engine = engine(matrix.n_cells) if callable(engine) else engine
    light, problem = engine.lighter(), prepare(matrix, spec)
    stages = [("sampling", engine.work(problem))]
    if calibrate:
        stages.append(("recalibration", USUAL_FITS * light.work(problem)))
    with _shown(progress) as report:
        reports = Job(stages, report).reports
        posterior = sample(matrix, spec, engine, seed=seed, report=reports[0])
        finding = _finding(posterior.diagnostics, strict)
        if finding:
            _warn(finding)
        if calibrate:
            calibration = learned_calibration(matrix, spec, light, seed=seed, report=reports[1])
            posterior = replace(posterior, calibration=calibration)
            if calibration is None:
                _warn("too few scores to recalibrate the intervals; they are the model's own")
    return Posterior.of(posterior)


def suited_thresholds(scores: ScoreMatrix) -> tuple[int, int]:
    """Least numbers of scores per model and per benchmark that suit a table.

    The first of `THRESHOLDS` that leaves at least `LEAST_SHARE` of the scores: 15 and 8 where
    models are well tested, less in small or sparse tables.

    Examples
    --------
    >>> from bayesbench.low_rank.simulate import simulate
    >>> suited_thresholds(simulate(0, 40, 20, fill=0.5).matrix)
    (10, 6)
    """
    for model, benchmark in THRESHOLDS:
        try:
            kept = scores.filter(model, benchmark)
        except DataError:
            continue
        if kept.n_cells >= LEAST_SHARE * scores.n_cells:
            return model, benchmark
    return THRESHOLDS[-1]


def filtered(
    scores: ScoreMatrix, min_model: int | None, min_benchmark: int | None
) -> tuple[ScoreMatrix, str]:
    """The scores to fit, and what was left out of them in words; empty if nothing.

    Parameters
    ----------
    scores : ScoreMatrix
    min_model, min_benchmark : int or None
        Least scores of a model and a benchmark; None is what suits the table.

    Raises
    ------
    DataError
        Nothing is left.
    """
    if min_model is None or min_benchmark is None:
        suited = suited_thresholds(scores)
        min_model = suited[0] if min_model is None else min_model
        min_benchmark = suited[1] if min_benchmark is None else min_benchmark
    min_benchmark = max(min_benchmark, 1)  # nothing can be said of one that nobody has a score on
    matrix = scores.filter(min_model, min_benchmark)
    models, benchmarks = (
        before - after for before, after in zip(scores.shape, matrix.shape, strict=True)
    )
    if not (models or benchmarks):
        return matrix, ""
    return matrix, (
        f"left out {models} of {scores.shape[0]} models with fewer than {min_model} scores and "
        f"{benchmarks} of {scores.shape[1]} benchmarks with fewer than {min_benchmark}, with "
        f"{scores.n_cells - matrix.n_cells} of {scores.n_cells} scores"
    )


def _shown(progress: bool | Report) -> AbstractContextManager[Report | None]:
    if isinstance(progress, bool):
        return bar("fit") if progress else nullcontext()
    return nullcontext(progress)


def _finding(diagnostics: Diagnostics, strict: bool) -> str:
    """What a user must know of the diagnostics; empty if they passed."""
    if diagnostics.verdict == "pass":
        return ""
    if diagnostics.verdict == "fail" and strict:
        raise DiagnosticsError(f"the diagnostics failed: {diagnostics.findings}")
    return f"diagnostics {diagnostics.verdict}: {diagnostics.findings}"


def _warn(message: str) -> None:
    warnings.warn(message, BayesbenchWarning, stacklevel=3)  # the line that called `fit`
