"""The audit: explanations compete as Bayes' rule says, and planted errors are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.audit import PRIOR_GROSS, PRIOR_SCALE, audit, explanation_log_densities, suspicion
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix

CONFIG = Gibbs(chains=1, warmup=300, draws=100, thin=3)


def one_column() -> Transform:
    return Transform.from_scores(
        ("a",),
        np.array([[20.0], [40.0], [60.0], [80.0]]),
        lower=[0.0],
        upper=[100.0],
        higher_is_better=[True],
        n_items=[np.nan],
    )


def test_densities_are_those_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    eta, scale, nu = rng.normal(size=50), rng.uniform(0.1, 0.4, 50), rng.choice([3.0, 10.0], 50)
    transform = one_column()
    got = explanation_log_densities(eta, scale, nu, transform, 0, 30.0)
    for name, score in (("as stated", 30.0), ("other direction", 70.0)):
        z = float(transform.to_latent(score, 0))
        density = stats.t(nu, eta, scale).pdf(z).mean()
        prior = PRIOR_SCALE if name != "as stated" else 1 - PRIOR_GROSS - PRIOR_SCALE
        assert got[name] == pytest.approx(np.log(prior * density))


def test_suspicion_is_bayes_rule() -> None:
    evidence = {
        "as stated": np.log(0.2),
        "other direction": np.log(0.5),
        "gross error": np.log(0.3),
    }
    probability, explanation = suspicion(evidence)
    assert probability == pytest.approx(0.8)
    assert explanation == "other direction"


def test_a_share_filed_as_a_percentage_is_named() -> None:
    transform = one_column()
    z = float(transform.to_latent(80.0, 0))
    eta, scale, nu = np.full(10, z), np.full(10, 0.1), np.full(10, 5.0)
    probability, explanation = suspicion(
        explanation_log_densities(eta, scale, nu, transform, 0, 0.8)
    )
    assert explanation == "a share, not a percentage"
    assert probability > 0.99


@pytest.mark.slow
def test_planted_errors_are_found() -> None:
    """Directions turned round in 12 of some 700 readings: recall, precision, a clean control."""
    made = simulate(3, 40, 25, ModelSpec(rank=2), fill=0.7)
    matrix, rng = made.matrix, np.random.default_rng(1)
    cells = np.argwhere(matrix.observed & (np.abs(matrix.values - 50) > 30))
    planted = cells[rng.choice(len(cells), 12, replace=False)]
    wrong = {(matrix.model_ids[i], matrix.benchmark_ids[j]) for i, j in planted}
    readings = matrix.readings.copy()
    for at, row in readings.iterrows():
        if (row["model_id"], row["benchmark_id"]) in wrong:
            readings.loc[at, "score"] = 100 - row["score"]
    damaged = ScoreMatrix(matrix.models, matrix.benchmarks, readings)
    found = audit(damaged, ModelSpec(rank=2), engine=CONFIG, seed=0)
    flagged = {(one.model_id, one.benchmark_id) for one in found if one.probability > 0.5}
    clean = audit(matrix, ModelSpec(rank=2), engine=CONFIG, seed=0)
    already = {(one.model_id, one.benchmark_id) for one in clean if one.probability > 0.5}
    assert len(flagged & wrong) >= 9
    assert len(flagged - wrong - already) <= 4
    assert not already & wrong or len(already & wrong) <= 2
