"""The figure of README.md, from the bundled posterior: ``python benchmarks/figures.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from bayesbench import open_posterior, plots, predictive
from bayesbench.calibrate import recalibrated
from bayesbench.condition import condition

TARGET = Path(__file__).resolve().parent.parent / "docs" / "figures" / "profile.png"
SCORES = {"gpqa_diamond": 70.0, "ifeval": 85.0, "humaneval": 88.0}
SHOWN = (
    "aime_2025",
    "arena_hard",
    "bfcl_v3",
    "gpqa_diamond",
    "hle",
    "humaneval",
    "ifeval",
    "livecodebench",
    "math_500",
    "mmlu_pro",
    "mmmu",
    "simpleqa",
    "swe_bench_verified",
)


def main() -> None:
    mpl.use("Agg")
    posterior = open_posterior()
    draws = condition(posterior, SCORES)
    prediction = recalibrated(posterior, predictive(draws, posterior.transform), new=True)
    axes = plots.profile(prediction, benchmarks=SHOWN)
    figure = axes.figure
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(TARGET, dpi=130, bbox_inches="tight", metadata={"Software": None})
    plt.close("all")


if __name__ == "__main__":
    main()
