from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesbench import plots
from bayesbench.answers.predictive import Predictive, fitted_draws, predict_cells, predictive
from bayesbench.design import Recommendation
from bayesbench.errors import UsageError
from bayesbench.evaluation.metrics import coverage, strata
from bayesbench.plots.style import binomial_band
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.structure import (
    AlignedFactors,
    CompletePart,
    Structure,
    aligned_factors,
    factor_ends,
)
from bayesbench.structure.shares import Share
from tests.factories import make_posterior

RNG = np.random.default_rng(0)
PIT = RNG.random(500)
PROBABILITY = RNG.random(400)
HIT = (RNG.random(400) < PROBABILITY).astype(float)
RECOMMENDATIONS = (
    Recommendation("hard", 3.0, 2.0, 1.5, 1.0, 40.0, 30.0, 55.0),
    Recommendation("easy", 1.0, None, None, 0.5, 90.0, 80.0, 97.0),
)
SHARES = (Share(1, 0.7, 0.6, 0.8, 0.3), Share(2, 0.9, 0.85, 0.93, 0.5))
STRUCTURE = Structure(
    (CompletePart(tuple(f"m{i}" for i in range(20)), tuple("abcdefgh"), 2, SHARES),)
)


POLICIES = {
    "epig": {str(k): {"medae": 5.0 - k, "medae_counted": 4.0} for k in (0, 1, 2)},
    "greedy": {str(k): {"medae": 4.5 - k, "medae_counted": 4.0, "in_sample": True} for k in (0, 1)},
    "random": {
        str(k): {"medae": 5.5 - k, "medae_counted": 4.0, "medae_band95": [5.0 - k, 6.0 - k]}
        for k in (0, 1, 2)
    },
}


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(n_models=12, n_benchmarks=8, n_draws=60)


@pytest.fixture(scope="module")
def predictions(posterior: StoredPosterior) -> Predictive:
    return predictive(fitted_draws(posterior, "model_0"), posterior.transform)


@pytest.fixture(scope="module")
def aligned(posterior: StoredPosterior) -> AlignedFactors:
    return aligned_factors(posterior)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    truth = np.linspace(10, 90, 200)
    return strata(
        truth,
        truth + 1,
        truth - 5,
        np.where(np.arange(200) % 10 == 0, truth - 1, truth + 5),
        level=truth / 100,
        n_model=np.arange(200) % 30,
        n_benchmark=np.arange(200) % 20,
        scale=["percent"] * 200,
    )


@pytest.fixture(scope="module")
def curve_cells() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        [(f"m{i}", k, j) for i in range(20) for k in (1, 2, 5) for j in range(10)],
        columns=["model_id", "k", "cell"],
    )
    frame["truth"] = rng.uniform(20, 80, len(frame))
    frame["median"] = frame["truth"] + rng.normal(size=len(frame)) * 10 / np.sqrt(frame["k"])
    return frame


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


Draw = Callable[..., Axes]


@pytest.fixture(scope="module")
def drawings(
    posterior: StoredPosterior,
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


def test_profile_draws_the_intervals_on_the_score_scale(predictions: Predictive) -> None:
    ax = plots.profile(predictions)
    names = [text.get_text().split(" ")[0] for text in ax.get_yticklabels()]
    assert "bench_2" not in names  # a rating does not fit on the axis of percentages
    assert "(lower is better)" in next(
        t.get_text() for t in ax.get_yticklabels() if t.get_text().startswith("bench_1")
    )
    thin = np.array([line[:, 0] for line in ax.collections[0].get_segments()])
    shown = predictions.take([predictions.benchmark_ids.index(name) for name in names])
    np.testing.assert_allclose(thin, np.stack(shown.interval(0.9), axis=1))
    assert (np.diff(shown.median) >= 0).all()
    known = np.isfinite(shown.observed)
    np.testing.assert_allclose(ax.lines[1].get_xdata(), shown.observed[known])
    assert ax.get_xlabel() == "score (%)"


def test_profile_of_chosen_benchmarks_and_of_a_rating(predictions: Predictive) -> None:
    ax = plots.profile(predictions, benchmarks=["bench_4", "bench_0"])
    assert len(ax.get_yticklabels()) == 2
    ax = plots.profile(predictions, benchmarks=["bench_2"])
    assert "own scale" in ax.get_xlabel()
    with pytest.raises(UsageError, match="nope"):
        plots.profile(predictions, benchmarks=["nope"])
    with pytest.raises(UsageError, match="nothing"):
        plots.profile(predictions, benchmarks=[])


def test_profile_puts_unlike_bounds_on_their_range(predictions: Predictive) -> None:
    upper = predictions.transform.upper.copy()
    upper[0] = 10.0
    scaled = replace(predictions, transform=replace(predictions.transform, upper=upper))
    ax = plots.profile(scaled, benchmarks=["bench_0", "bench_4"])
    assert ax.get_xlabel() == "score (% of the benchmark's range)"
    place = [text.get_text() for text in ax.get_yticklabels()].index("bench_0")
    expected = 10 * scaled.median[0]
    assert ax.lines[0].get_xdata()[place] == pytest.approx(expected)


def test_profile_refuses_several_models(posterior: StoredPosterior) -> None:
    with pytest.raises(UsageError, match="one model"):
        plots.profile(predict_cells(posterior, [(0, 0), (1, 0)]))


@pytest.mark.parametrize("by", ["model", "benchmark"])
def test_shrinkage_means_are_those_of_the_scores(posterior: StoredPosterior, by: str) -> None:
    ax = plots.shrinkage(posterior, by, n_draws=20)
    drawn = np.asarray(ax.lines[0].get_ydata())
    z = posterior.transform.to_latent(posterior.matrix.values)
    if by == "model":
        expected = np.nanmean(z, axis=1)
    else:
        # the centre of a column is the mean of its scores on the link scale
        bounded = np.array([link == "logit" for link in posterior.transform.link])
        expected = posterior.transform.center[bounded]
    np.testing.assert_allclose(drawn, expected, atol=1e-9)
    with pytest.raises(UsageError, match="by must be"):
        plots.shrinkage(posterior, "row")


def test_epig_bars_are_the_gains_in_order() -> None:
    ax = plots.epig_bars(RECOMMENDATIONS)
    assert [bar.get_width() for bar in ax.patches] == [3.0, 1.0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1. hard", "2. easy"]
    assert ax.yaxis_inverted()
    assert plots.epig_bars(RECOMMENDATIONS[:1], per_cost=True).patches[0].get_width() == 1.5
    with pytest.raises(UsageError, match="no costs"):
        plots.epig_bars(RECOMMENDATIONS, per_cost=True)
    with pytest.raises(UsageError, match="no recommendation"):
        plots.epig_bars(())


def test_calibration_curve_is_the_coverage_of_central_intervals() -> None:
    ax = plots.calibration_curve(PIT)
    nominal, found = ax.lines[1].get_data()
    for p in (0.5, 0.9):
        share = coverage(PIT, np.full(500, 0.5 - p / 2), np.full(500, 0.5 + p / 2))
        assert np.interp(p, nominal, found) == pytest.approx(share, abs=1e-9)
    with pytest.raises(UsageError, match="0-1"):
        plots.calibration_curve([0.5, 1.2])


def test_binomial_band_holds_its_share() -> None:
    shares = np.random.default_rng(3).binomial(200, 0.3, size=4000) / 200
    lower, upper = binomial_band(200, 0.3, 0.9)
    inside = ((shares >= lower) & (shares <= upper)).mean()
    # discrete, so at least nominal, and at most one more value at either end
    assert 0.9 - 0.015 < inside < 0.96


def test_pit_histogram_has_mean_one_and_shows_overconfidence() -> None:
    heights = [bar.get_height() for bar in plots.pit_histogram(PIT, bins=10).patches[:10]]
    assert np.mean(heights) == pytest.approx(1.0)
    sure = np.random.default_rng(4).beta(0.3, 0.3, 500)
    heights = [bar.get_height() for bar in plots.pit_histogram(sure, bins=10).patches[:10]]
    upper = float(binomial_band(500, 0.1)[1]) * 10
    assert heights[0] > upper and heights[-1] > upper and heights[5] < 1


def test_reliability_points() -> None:
    ax = plots.reliability([0.2, 0.2, 0.9, 0.9], [0, 1, 1, 1], bins=10)
    np.testing.assert_allclose(ax.collections[1].get_offsets(), [[0.2, 0.5], [0.9, 1.0]])
    with pytest.raises(UsageError, match="at least one"):
        plots.reliability([], [])


def test_coverage_by_stratum_marks_what_lies_outside(rows: list[dict[str, Any]]) -> None:
    ax = plots.coverage_by_stratum(rows)
    inside, outside = (np.asarray(ax.lines[i].get_xdata()) for i in (1, 2))
    assert inside.size + outside.size == len(rows) == len(ax.get_yticklabels())
    assert (np.abs(inside - 0.9) <= 0.03).all() and (np.abs(outside - 0.9) > 0.03).all()
    with pytest.raises(UsageError, match="no intervals"):
        plots.coverage_by_stratum([{**rows[0], "coverage90": None}])


def test_learning_curve_is_the_pooled_median_inside_its_band(curve_cells: pd.DataFrame) -> None:
    ax = plots.learning_curve(curve_cells, n_boot=100)
    ks, errors = ax.lines[0].get_data()
    assert list(ks) == [1, 2, 5]
    error = (curve_cells["median"] - curve_cells["truth"]).abs()
    np.testing.assert_allclose(errors, error.groupby(curve_cells["k"]).median())
    low, high = ax.collections[0].get_paths()[0].get_extents().intervaly
    assert low < min(errors) and high > max(errors)
    ax = plots.learning_curve(curve_cells, metric="medape", n_boot=5)
    relative = 100 * (error / curve_cells["truth"]).groupby(curve_cells["k"]).median()
    np.testing.assert_allclose(ax.lines[0].get_ydata(), relative)
    with pytest.raises(UsageError, match="medae"):
        plots.learning_curve(curve_cells, metric="rmse")


def test_biplot_names_the_clear_ends(aligned: AlignedFactors) -> None:
    ax = plots.factor_biplot(aligned, n_benchmarks=2, n_models=1)
    ends = factor_ends(aligned, n=2)
    texts = {text.get_text() for text in ax.texts}
    assert set(ends.loc[ends["clear"], "benchmark_id"]) <= texts
    assert texts - set(aligned.benchmark_ids) <= set(aligned.model_ids)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), aligned.factors.mean(axis=0))
    with pytest.raises(UsageError, match="two different"):
        plots.factor_biplot(aligned, (1, 3))


def test_names_do_not_cover_one_another(aligned: AlignedFactors) -> None:
    ax = plots.factor_biplot(aligned, n_benchmarks=4, n_models=3)
    ax.figure.canvas.draw()
    for side in ("left", "right"):
        heights = sorted(t.get_position()[1] for t in ax.texts if t.get_ha() == side)
        points = np.diff(heights) * ax.get_window_extent().height / ax.figure.dpi * 72
        assert (points > 8).all()


def test_rank_histogram_tells_a_stuck_chain() -> None:
    draws = np.random.default_rng(5).normal(size=(2, 400))
    draws[1] += 2.0
    heights = [bar.get_height() for bar in plots.rank_histogram(draws, chain=1, bins=10).patches]
    assert heights[0] < 0.3 and heights[9] > 1.5
    with pytest.raises(UsageError, match="chain, draw"):
        plots.rank_histogram(draws[0])


def test_policies_have_lines_and_random_sets_a_band() -> None:
    ax = plots.policy_curves(POLICIES)
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    assert set(lines) == set(POLICIES)
    np.testing.assert_array_equal(lines["epig"].get_ydata(), [5.0, 4.0, 3.0])
    assert lines["greedy"].get_linestyle() == "--"
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (3.0, 6.0)


def test_unknown_policies_and_figures_are_named() -> None:
    with pytest.raises(UsageError, match="'best'"):
        plots.policy_curves(POLICIES, names=["best"])
    with pytest.raises(UsageError, match="'rmse'"):
        plots.policy_curves(POLICIES, metric="rmse")
