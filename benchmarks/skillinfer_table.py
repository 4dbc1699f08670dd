"""Conditioning beside skillinfer's observe, on the same table: accuracy, intervals and time.

    pip install skillinfer==0.1.1
    python benchmarks/skillinfer_table.py --table FILE.csv.gz

The table is long (model_id, benchmark_id, score in 0-1), every model scored on every benchmark: the
4,574 x 6 Open LLM Leaderboard. Makers (the part of an id before the slash) are dealt into training
and test, so that no maker's fine-tune predicts its sibling; fine-tunes of one base by different
makers remain, for both methods alike. Each test model shows one, two or three scores, drawn at
random; both methods see the same and predict the same others.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench.answers.calibrated import recalibrated
from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import predictive
from bayesbench.evaluation import metrics
from bayesbench.evaluation.methods.low_rank_options import FOLD_CONFIG
from bayesbench.fitting.crossfit import learned_calibration
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

TABLE = PUBLIC_MATRIX.parent / "scale" / "hf_openllm_v2.csv.gz"
TEST_SHARE = 0.2
PROBABILITY = 0.9
NORMAL_QUANTILE = 1.6448536269514722
"""Of the standard normal at 0.95."""


class SkillInfer:
    """The peer as its documentation uses it: a population of complete rows, one profile a model."""

    def __init__(self, train: pd.DataFrame) -> None:
        import skillinfer

        self.population = skillinfer.Population.from_dataframe(train)
        # it scales every column to 0-1 over the population
        self.low = train.min().to_numpy()
        self.span = train.max().to_numpy() - self.low
        self.place = {name: number for number, name in enumerate(train.columns)}

    def predict(self, shown: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Medians and 90 % intervals of all columns; Gaussian, from its means and spreads."""
        profile = self.population.profile()
        at = {name: self.place[name] for name in shown}
        profile.observe_many(
            {n: (v - self.low[at[n]]) / self.span[at[n]] for n, v in shown.items()}
        )
        mean = self.low + self.span * np.asarray(profile.mean())
        spread = self.span * np.asarray(profile.std())
        return mean, mean - NORMAL_QUANTILE * spread, mean + NORMAL_QUANTILE * spread


class LowRank:
    """Conditioning of a saved posterior, with the recalibration for new models."""

    def __init__(self, posterior: StoredPosterior) -> None:
        self.posterior = posterior

    def predict(self, shown: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Medians and recalibrated 90 % intervals of all columns."""
        draws = condition(self.posterior, shown)
        made = predictive(draws, self.posterior.transform)
        made = recalibrated(self.posterior, made, new=True)
        low, high = made.interval(PROBABILITY)
        return made.median, low, high


def scored(method: Any, wide: pd.DataFrame, order: np.ndarray, k: int) -> dict[str, float]:
    """Figures of a method over the scores not shown, and seconds per model."""
    values = wide.to_numpy()
    names = list(wide.columns)
    truth, made = [], []
    begun = time.perf_counter()
    for row, columns in enumerate(order):
        answer = method.predict({names[c]: float(values[row, c]) for c in columns[:k]})
        made.append(np.stack([part[columns[k:]] for part in answer]))
        truth.append(values[row, columns[k:]])
    seconds = (time.perf_counter() - begun) / len(order)
    actual = 100 * np.concatenate(truth)
    median, low, high = 100 * np.concatenate(made, axis=1)
    return {
        "n_cells": actual.size,
        "medae": metrics.medae(actual, median),
        "within5": metrics.within(actual, median, 5),
        "coverage90": metrics.coverage(actual, low, high),
        "width90": metrics.median_width(low, high),
        "winkler90": metrics.winkler(actual, low, high, PROBABILITY),
        "seconds_per_model": seconds,
    }


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option(
    "--table", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=TABLE
)
@click.option("--models", type=click.IntRange(1), default=300, show_default=True, help="Tested.")
@click.option("--seed", default=42, show_default=True)
@click.option("--out", type=Path, default=RESULTS)
def main(table: Path, models: int, seed: int, out: Path) -> None:
    matrix = ScoreMatrix.from_csv(table, scale="unit")
    wide = matrix.to_frame(wide=True)
    if wide.isna().any(axis=None):
        raise click.UsageError(f"{table.name} has empty cells; the peer takes complete tables only")
    rng = np.random.default_rng(seed)
    maker = np.array([model_id.partition("/")[0] for model_id in wide.index])
    makers = np.unique(maker)
    held_out = rng.permutation(makers)[: int(TEST_SHARE * makers.size)]
    test = np.flatnonzero(np.isin(maker, held_out))
    train_rows = np.setdiff1d(np.arange(len(wide)), test)
    chosen = np.sort(rng.choice(test, min(models, test.size), replace=False))
    order = np.stack([rng.permutation(wide.shape[1]) for _ in chosen])
    train = matrix.subset(models=[matrix.model_ids[row] for row in train_rows])

    begun = time.perf_counter()
    peer = SkillInfer(wide.iloc[train_rows])
    peer_fit = time.perf_counter() - begun
    begun = time.perf_counter()
    spec = ModelSpec()
    posterior = sample(train, spec, FOLD_CONFIG, seed=seed, check=False)
    calibration = learned_calibration(train, spec, FOLD_CONFIG.lighter(), seed=seed)
    own = LowRank(replace(posterior, calibration=calibration))
    own_fit = time.perf_counter() - begun
    by_k = {
        str(k): {
            name: scored(method, wide.iloc[chosen], order, k)
            for name, method in (("low-rank", own), ("skillinfer", peer))
        }
        for k in (1, 2, 3)
    }
    record = {
        "name": "skillinfer-table",
        "by_k": by_k,
        "fit_s": {"low-rank": own_fit, "skillinfer": peer_fit},
        "training_models": len(train_rows),
        "tested_models": len(chosen),
        "provenance": provenance(matrix, {"seed": seed, "draws": posterior.n_draws}),
    }
    write("skillinfer-table", record, out)
    click.echo(json.dumps(by_k, indent=1))


if __name__ == "__main__":
    main()
