"""Probe orders of protocol P4, chosen from a fit alone: never by looking at an error.

Global orders (one for all models) maximise the expected information about the scores that the
models have, summed over models; the adaptive order of a model asks a fit that never saw the model,
conditioned on the scores shown so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from bayesbench.condition import condition
from bayesbench.config import ModelSpec
from bayesbench.crossfit import CROSSFIT_CONFIG
from bayesbench.design import Moments, Targets, information, moments
from bayesbench.evaluation import Policy
from bayesbench.evaluation.runner import spawned_executor
from bayesbench.inference.gibbs import fit_gibbs
from bayesbench.posterior import Posterior
from bayesbench.scores import ScoreMatrix

PUBLISHED_FIVE = ("hle", "aime_2025", "livecodebench", "swe_bench_verified", "simpleqa")
"""The five benchmarks of the public post; chosen there on the error itself."""
FACTS = ("provider", "release_date", "reasoning", "open_weights", "params_b")
SEED = 42

Gain = Callable[[Moments, np.ndarray, Targets], np.ndarray]


def facts_of(matrix: ScoreMatrix, row: int) -> dict[str, Any]:
    """What is known of a model beside its scores."""
    told = matrix.models.iloc[row]
    return {
        name: told[name] for name in FACTS if name in told.index and not bool(pd.isna(told[name]))
    }


def prior_moments(posterior: Posterior, matrix: ScoreMatrix) -> list[Moments]:
    """Moments of every model's scores, were it new: from its facts alone."""
    return [
        moments(condition(posterior, {}, seed=row, **facts_of(matrix, row)))
        for row in range(matrix.shape[0])
    ]


def by_information(state: Moments, candidates: np.ndarray, about: Targets) -> np.ndarray:
    """Expected information about the other scores of the model."""
    return np.asarray(information(state, candidates, about))


def by_variance(state: Moments, candidates: np.ndarray, about: Targets) -> np.ndarray:
    """Predictive variance of the candidate itself: the naive rule."""
    return np.asarray(state.variance[candidates])


def global_order(
    states: Sequence[Moments],
    matrix: ScoreMatrix,
    allowed: Sequence[str],
    length: int,
    gain: Gain = by_information,
) -> tuple[str, ...]:
    """Greedy order of benchmarks: each adds most, summed over the models that have a score on it.

    Which cells are scored is used, the scores themselves only through the fit.
    """
    current = list(states)
    open_ = [set(np.flatnonzero(row).tolist()) for row in matrix.observed]
    left = [matrix.benchmark_index(name) for name in allowed]
    order: list[int] = []
    while left and len(order) < length:
        total = np.zeros(matrix.shape[1])
        for state, columns in zip(current, open_, strict=True):
            candidates = np.array(sorted(columns & set(left)), dtype=np.intp)
            targets = np.array(sorted(columns), dtype=np.intp)
            if candidates.size:
                about = Targets(targets, np.ones(targets.size), "exclude")
                total[candidates] += gain(state, candidates, about)
        best = max(left, key=lambda column: total[column])
        for model, columns in enumerate(open_):
            if best in columns:
                current[model] = current[model].given(best)
                columns.discard(best)
        left.remove(best)
        order.append(best)
    return tuple(matrix.benchmark_ids[column] for column in order)


def adaptive_order(matrix: ScoreMatrix, row: int, length: int, spec: ModelSpec) -> tuple[str, ...]:
    """Probes of one model, each chosen after the score of the one before is seen."""
    hidden = np.zeros(matrix.shape, dtype=np.bool_)
    hidden[row] = matrix.observed[row]
    posterior = fit_gibbs(
        matrix.mask(hidden),
        spec,
        CROSSFIT_CONFIG,
        seed=SEED + row,
        n_readings=matrix.n_cells,
        check=False,
    )
    left = np.flatnonzero(matrix.observed[row] & posterior.matrix.observed.any(axis=0))
    shown: dict[str, float] = {}
    model_id = matrix.model_ids[row]
    while left.size and len(shown) < length:
        draws = condition(posterior, shown, seed=row, **facts_of(matrix, row))
        about = Targets(left, np.ones(left.size), "exclude")
        best = int(left[np.argmax(information(moments(draws), left, about))])
        shown[matrix.benchmark_ids[best]] = float(matrix.values[row, best])
        left = left[left != best]
    if not shown:
        raise ValueError(f"{model_id} has no score to show")
    return tuple(shown)


def adaptive_policy(
    matrix: ScoreMatrix, length: int, spec: ModelSpec, executor: Executor | None
) -> Policy:
    """An order for every model, from a fit that left it out."""
    rows = [int(row) for row in np.flatnonzero(matrix.observed.any(axis=1))]
    if executor is None:
        orders = [adaptive_order(matrix, row, length, spec) for row in rows]
    else:
        futures = [executor.submit(adaptive_order, matrix, row, length, spec) for row in rows]
        orders = [future.result() for future in futures]
    by_model = {matrix.model_ids[row]: order for row, order in zip(rows, orders, strict=True)}
    return Policy("adaptive", (by_model,))


def chosen_policies(
    matrix: ScoreMatrix,
    length: int,
    low_cost: Sequence[str],
    *,
    jobs: int = 1,
    only: str = "",
    spec: ModelSpec | None = None,
) -> list[Policy]:
    """All policies, or those named in `only`; the post's five goes up to five probes.

    Beyond five the post's set is followed by the information order.
    """
    spec = spec or ModelSpec()
    names = only.split(",") if only else ["epig", "low-cost", "variance", "published", "adaptive"]
    cheap = [name for name in low_cost if name in matrix.benchmark_ids]
    policies = []
    if set(names) - {"adaptive"}:
        fitted = fit_gibbs(matrix, spec, CROSSFIT_CONFIG, seed=SEED, check=False)
        states = prior_moments(fitted, matrix)
        every = matrix.benchmark_ids
        order = global_order(states, matrix, every, length + len(PUBLISHED_FIVE))
        if "epig" in names:
            policies.append(Policy("epig", (order[:length],)))
        if "low-cost" in names:
            picked = global_order(states, matrix, cheap, length)
            policies.append(Policy("epig, low cost", (picked,)))
        if "variance" in names:
            picked = global_order(states, matrix, every, length, by_variance)
            policies.append(Policy("max variance", (picked,)))
        if "published" in names:
            rest = [name for name in order if name not in PUBLISHED_FIVE]
            post = (*PUBLISHED_FIVE, *rest)[:length]
            policies.append(Policy("the post's five", (post,), in_sample=True))
    if "adaptive" in names:
        with spawned_executor(jobs) as executor:
            policies.append(adaptive_policy(matrix, length, spec, executor))
    return policies
