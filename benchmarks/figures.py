"""The figures of README.md: ``python benchmarks/figures.py``.

One from the bundled posterior, one from the results of protocol P4.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bayesbench import open_posterior, plots

HERE = Path(__file__).resolve().parent
FIGURES = HERE.parent / "docs" / "figures"
PROBES = HERE / "results" / "p4-low-rank.json"
POLICIES = (
    "random", "max-variance", "epig-low-cost", "epig-global", "max-variance-adaptive",
    "epig-adaptive",
)  # fmt: skip
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


def profile() -> Axes:
    """A model known by three scores."""
    prediction = open_posterior().condition(SCORES).predict()
    return plots.profile(prediction, benchmarks=SHOWN)


def probes() -> Axes:
    """Error by number of scores, by policy; by number of probes in older results."""
    found = json.loads(PROBES.read_text(encoding="utf-8"))
    policies = found.get("matched", found["policies"])
    return plots.policy_curves(policies, names=POLICIES)


def main() -> None:
    mpl.use("Agg")
    FIGURES.mkdir(parents=True, exist_ok=True)
    for draw in (profile, probes):
        figure = draw().figure
        figure.savefig(
            FIGURES / f"{draw.__name__}.png",
            dpi=130,
            bbox_inches="tight",
            metadata={"Software": None},
        )
        plt.close("all")


if __name__ == "__main__":
    main()
