"""What all plots share: given axes are drawn on, nothing else is touched."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesbench import plots
from bayesbench.answers.predictive import Predictive
from bayesbench.front.posterior import Posterior
from bayesbench.structure import AlignedFactors
from tests.plots.conftest import HIT, PIT, POLICIES, PROBABILITY, RECOMMENDATIONS, STRUCTURE

Draw = Callable[..., Axes]


@pytest.fixture(scope="module")
def drawings(
    posterior: Posterior,
    predictions: Predictive,
    aligned: AlignedFactors,
    rows: list[dict[str, Any]],
    curve_cells: pd.DataFrame,
) -> dict[str, Draw]:
    chains = np.random.default_rng(2).normal(size=(2, 300))
    return {
        "profile": lambda **k: plots.profile(predictions, **k),
        "shrinkage": lambda **k: plots.shrinkage(posterior, **k),
        "epig_bars": lambda **k: plots.epig_bars(RECOMMENDATIONS, **k),
        "calibration_curve": lambda **k: plots.calibration_curve(PIT, **k),
        "pit_histogram": lambda **k: plots.pit_histogram(PIT, **k),
        "reliability": lambda **k: plots.reliability(PROBABILITY, HIT, **k),
        "coverage_by_stratum": lambda **k: plots.coverage_by_stratum(rows, **k),
        "learning_curve": lambda **k: plots.learning_curve(curve_cells, n_boot=20, **k),
        "factor_biplot": lambda **k: plots.factor_biplot(aligned, **k),
        "variance_by_rank": lambda **k: plots.variance_by_rank(STRUCTURE, **k),
        "trace": lambda **k: plots.trace(chains, **k),
        "policy_curves": lambda **k: plots.policy_curves(POLICIES, **k),
        "rank_histogram": lambda **k: plots.rank_histogram(chains, **k),
    }


def test_every_public_plot_is_drawn_here(drawings: dict[str, Draw]) -> None:
    assert set(drawings) == set(plots.__all__)


@pytest.mark.parametrize("name", plots.__all__)
def test_the_plot_contract(name: str, drawings: dict[str, Draw]) -> None:
    before = dict(mpl.rcParams)
    assert "ax" in inspect.signature(getattr(plots, name)).parameters
    given = Figure(figsize=(5, 5)).subplots()
    assert drawings[name](ax=given) is given
    assert plt.get_fignums() == []
    made = drawings[name]()
    assert made is not given
    assert made.get_xlabel()
    assert made.get_ylabel() or made.get_yticklabels()
    assert not made.get_title()
    made.figure.canvas.draw()
    assert dict(mpl.rcParams) == before


def test_importing_plots_leaves_pyplot_alone() -> None:
    code = "import sys, bayesbench.plots; print({'matplotlib.pyplot', 'jax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
