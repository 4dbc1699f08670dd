"""One fit by one engine: draws with their provenance and diagnostics."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np

from ..errors import FitError
from ..low_rank.link import Transform
from ..low_rank.spec import ModelSpec
from ..posterior.convergence import diagnose
from ..posterior.provenance import Provenance
from ..posterior.stored import StoredPosterior
from ..progress import Report
from ..scores import ScoreMatrix
from .engines.contract import Engine
from .engines.settings import Gibbs
from .problem import prepare

__all__ = ["sample"]

PACKAGES = ("bayesbench-scores", "jax", "jaxlib", "numpyro", "numpy")


def sample(
    matrix: ScoreMatrix,
    spec: ModelSpec | None = None,
    engine: Engine | None = None,
    *,
    seed: int = 0,
    report: Report | None = None,
    n_readings: int = 0,
    check: bool = True,
    transform: Transform | None = None,
) -> StoredPosterior:
    """Draw from the posterior of the low-rank model; nothing is recalibrated.

    Parameters
    ----------
    matrix : ScoreMatrix
        Training scores; filter it first.
    spec : ModelSpec, optional
    engine : Engine, optional
        By default Gibbs with what suits the size of the matrix.
    seed : int
        The same seed gives the same draws, on however many cores.
    report : Report, optional
        Told the work done of ``engine.work``.
    n_readings : int
        Fits of one shape with the same number here, at least that of their scores, share a
        compiled program where the engine can.
    check : bool
        Whether to compute diagnostics.
    transform : Transform, optional
        The link to use instead of the one learned from ``matrix``; for simulated truths.

    Returns
    -------
    StoredPosterior
        With the engine's own statistics in ``sample_stats``.

    Raises
    ------
    DataError
        Too little data for any fit.
    FitError
        The draws are not finite.
    KeyboardInterrupt
        At once when the process is interrupted.

    Examples
    --------
    >>> from bayesbench.low_rank.simulate import simulate
    >>> matrix = simulate(0, 6, 5, ModelSpec(rank=0), fill=0.9).matrix
    >>> sample(matrix, ModelSpec(rank=0), Gibbs(chains=2, warmup=5, draws=10, thin=1)).n_draws
    20
    """
    engine = Gibbs.suited_to(matrix.n_cells) if engine is None else engine
    begun = time.perf_counter()
    problem = prepare(matrix, spec or ModelSpec(), transform, n_readings=n_readings)
    draws = engine.draw(problem, seed, report)
    for name, value in draws.values.items():
        if not np.isfinite(value).all():
            raise FitError(f"{engine.name}: draws of {name} are not finite; try another seed")
    posterior = StoredPosterior(
        draws=draws.values,
        matrix=matrix,
        transform=problem.transform,
        features=problem.features,
        spec=problem.spec,
        provenance=Provenance(
            method=engine.name,
            config=asdict(cast(Any, engine)),  # a dataclass, which no protocol can say
            seed=seed,
            data_hash=matrix.data_hash,
            versions=_versions(),
            created=datetime.now(UTC).date().isoformat(),
            wall_s=time.perf_counter() - begun,
        ),
        sample_stats=draws.stats,
        families=problem.families,
    )
    return replace(posterior, diagnostics=diagnose(posterior)) if check else posterior


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
