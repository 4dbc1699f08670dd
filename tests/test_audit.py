"""The audit: planted errors are found, and true scores at the end of a scale are left in peace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from bayesbench.audit import Suspicion, audit
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix

CONFIG = Gibbs(chains=1, warmup=300, draws=100, thin=3)


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


ITEMS = 30


def with_ceilings(seed: int = 5) -> ScoreMatrix:
    """40 x 24 percentages; every second benchmark easy, of 30 items: an eighth of all is 100."""
    simulated = simulate(seed, 40, 24, ModelSpec(rank=2), fill=0.8).matrix
    easy = np.arange(24) % 2 == 0
    link = np.log(simulated.values / (100 - simulated.values))
    link[:, easy] = 1.5 * link[:, easy] + 3.0
    share = 1 / (1 + np.exp(-link))
    share[:, easy] = np.round(share[:, easy] * ITEMS) / ITEMS
    frame = pd.DataFrame(
        100 * share, pd.Index(simulated.model_ids, name="model"), simulated.benchmark_ids
    )
    metadata = pd.DataFrame(
        {
            "benchmark_id": simulated.benchmark_ids,
            "scale": "percent",
            "n_items": np.where(easy, float(ITEMS), 1000.0),
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=metadata)


def spoiled(matrix: ScoreMatrix, kind: str, n: int) -> tuple[ScoreMatrix, set[tuple[str, str]]]:
    """The table with `n` of its readings wrong, each by 30 points or more."""
    rng, readings = np.random.default_rng(1), matrix.readings.copy()
    score = readings["score"].to_numpy()
    wrong = {
        "share": score / 100,
        "direction": 100 - score,
        "gross": (score + rng.uniform(30, 70, score.size)) % 100,
    }[kind]
    far = np.flatnonzero((np.abs(wrong - score) > 30) & (score > 0))
    at = rng.choice(far, n, replace=False)
    readings.loc[readings.index[at], "score"] = wrong[at]
    names = readings.iloc[at][["model_id", "benchmark_id"]].itertuples(index=False)
    return ScoreMatrix(matrix.models, matrix.benchmarks, readings), {tuple(pair) for pair in names}


def flagged(found: Sequence[Suspicion]) -> set[tuple[str, str]]:
    return {(one.model_id, one.benchmark_id) for one in found if one.probability > 0.5}


@pytest.mark.slow
def test_true_ceilings_are_no_errors() -> None:
    """None of the hundred or so readings of 100 is suspicious, nor are they all together."""
    matrix = with_ceilings()
    found = audit(matrix, ModelSpec(rank=2), engine=CONFIG, seed=0)
    ceilings = [one.probability for one in found if one.score > 100 - 1e-9]
    assert len(ceilings) > 80
    assert max(ceilings) < 0.05 and sum(ceilings) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "explanation", "least"),
    [("share", "a share, not a percentage", 14), ("direction", "other direction", 8),
     ("gross", None, 5)],
)  # fmt: skip
def test_every_kind_of_error_is_found_beside_ceilings(
    kind: str, explanation: str | None, least: int
) -> None:
    """Of 15; with the density at the ends and fixed shares 15, 6 and 4 were found, half named."""
    matrix, wrong = spoiled(with_ceilings(), kind, 15)
    found = audit(matrix, ModelSpec(rank=2), engine=CONFIG, seed=0)
    hits = flagged(found) & wrong
    assert len(hits) >= least
    assert len(flagged(found) - wrong) <= 6
    named = [one for one in found if (one.model_id, one.benchmark_id) in hits]
    if explanation is not None:
        assert sum(one.explanation == explanation for one in named) >= least - 2


@pytest.mark.slow
def test_the_expected_number_of_wrong_readings_is_that_of_the_table() -> None:
    """Over four clean tables, and four with 15 gross errors each: 60 are wrong, not all visibly.

    In a clean table the prior alone makes one error or so, and a real outlier another.
    """
    clean = damaged = 0.0
    for seed in range(4):
        table = simulate(10 + seed, 30, 20, ModelSpec(rank=2), fill=0.8).matrix
        clean += sum(x.probability for x in audit(table, ModelSpec(rank=2), engine=CONFIG))
        bad, _ = spoiled(table, "gross", 15)
        damaged += sum(x.probability for x in audit(bad, ModelSpec(rank=2), engine=CONFIG))
    assert clean < 14
    assert 40 < damaged < 75
