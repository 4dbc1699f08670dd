"""A leaderboard as people keep it: pretty names, percent signs, a rank and an average."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["users_spreadsheet"]

KNOWN = ("GPQA Diamond", "MMLU-Pro", "AIME 2025", "LiveCodeBench", "IFEval", "SimpleQA", "HLE")
MARKS = ("", "-", "N/A", "—")
WITHOUT = (11, 29)
"""Rows that have no score at all."""


def users_spreadsheet(
    seed: int, models: int = 40, benchmarks: int = 20
) -> tuple[str, pd.DataFrame]:
    """The text of a CSV file and the scores that are in it."""
    rng = np.random.default_rng(seed)
    names = [*KNOWN, *(f"Our Test {j} (v2)" for j in range(benchmarks))][:benchmarks]
    index = [f"Model {i + 1} ({'high' if i % 2 else 'low'})" for i in range(models)]
    ability = rng.normal(size=(models, 1))
    latent = ability + rng.normal(size=benchmarks) + 0.5 * rng.normal(size=(models, benchmarks))
    truth = pd.DataFrame((100 / (1 + np.exp(-latent))).round(1), index, names).clip(1.1, 99.9)
    truth = truth.where(rng.random(truth.shape) < 0.7)
    truth.iloc[0, 0], truth.iloc[0, 1:] = 47.3, truth.iloc[0, 1:].replace(47.3, 47.4)
    for row in WITHOUT:
        truth.iloc[row] = np.nan
    lines = [",".join(["Rank", "Model", "Organization", *names, "Average", "Params_B", "License"])]
    for i, (name, scores) in enumerate(truth.iterrows()):
        cells = [f"{x:.1f}%" if np.isfinite(x) else MARKS[rng.integers(4)] for x in scores]
        mean = f"{scores.mean():.2f}%" if scores.notna().any() else ""
        about = [f"{7 * (i % 9 + 1)}", "MIT" if i % 3 else "Proprietary"]
        owner = ("OpenAI", "Meta", "Qwen")[i % 3]
        lines.append(",".join([str(i + 1), str(name), owner, *cells, mean, *about]))
    return "\n".join(lines) + "\n", truth
