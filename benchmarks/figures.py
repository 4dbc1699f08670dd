"""The figures of README.md and of the concepts: ``python benchmarks/figures.py``.

One from the bundled posterior, one from the results of protocol P4, one from a simulated matrix,
and the report page in a browser.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from playwright.sync_api import sync_playwright

from bayesbench import ModelSpec, open_posterior, plots
from bayesbench.low_rank.simulate import simulate
from bayesbench.report.html import write_page

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
MORE_FACTORS = {
    "scale_bias": 0.5,
    "mean_loading": 0.9,
    "scale_factor": 0.4,
    "noise_level": 0.05,
    "nu": 5.0,
}


def profile() -> Axes:
    """A model known by three scores."""
    prediction = open_posterior().condition(SCORES).predict()
    return plots.profile(prediction, benchmarks=SHOWN)


def probes() -> Axes:
    """Error by number of scores, by policy; by number of probes in older results."""
    found = json.loads(PROBES.read_text(encoding="utf-8"))
    policies = found.get("matched", found["policies"])
    return plots.policy_curves(policies, names=POLICIES)


def low_rank() -> Axes:
    """A simulated matrix as the sum of an ability part, a factor part and noise."""
    spec = ModelSpec(rank=2, covariates=(), groups=(), families=False)
    made = simulate(4, 20, 12, spec, fill=0.6, given={**MORE_FACTORS})
    drawn = made.truth
    rows = np.argsort(drawn["ability"])[::-1]
    columns = np.argsort(drawn["benchmark_bias"])[::-1]
    ability = drawn["benchmark_bias"] + drawn["ability"][:, None] * drawn["loading"]
    parts = {
        "observed": made.transform.to_latent(made.matrix.values),
        "= bias + loading x ability": ability,
        "+ weights . factors": drawn["factors"] @ drawn["weights"].T,
        "+ noise": made.z_full - drawn["eta"],
    }
    figure, axes = plt.subplots(1, 4, figsize=(9, 3.6), layout="constrained", sharey=True)
    colors = mpl.colormaps["RdBu_r"].with_extremes(bad="#BBBBBB")
    for ax, (title, part) in zip(axes, parts.items(), strict=True):
        shown = ax.imshow(part[np.ix_(rows, columns)], cmap=colors, vmin=-2.5, vmax=2.5)
        ax.set_title(title, fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel("benchmarks")
    axes[0].set_ylabel("models")
    figure.colorbar(shown, ax=axes, shrink=0.7, label="latent scale")
    return axes[0]


def page(path: Path) -> None:
    """The first view of the report page of the bundled posterior, the same three scores typed."""
    typed = "&".join(f"s.{name}={score:g}" for name, score in SCORES.items())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        file = Path(folder) / "page.html"
        write_page(file, open_posterior())
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(f"{file.as_uri()}#view=mine&{typed}")
        tab.locator("#predictions tr").nth(5).wait_for()
        tab.screenshot(path=path)
        browser.close()


def main() -> None:
    mpl.use("Agg")
    FIGURES.mkdir(parents=True, exist_ok=True)
    for draw in (profile, probes, low_rank):
        figure = draw().figure
        figure.savefig(
            FIGURES / f"{draw.__name__}.png",
            dpi=130,
            bbox_inches="tight",
            metadata={"Software": None},
        )
        plt.close("all")
    page(FIGURES / "page.png")


if __name__ == "__main__":
    main()
