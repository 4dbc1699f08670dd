"""Log likelihood and replicated scores of the observed cells against scipy, and ArviZ on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.features import ModelFeatures
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.pointwise import (
    closed_scores,
    draws_of_prior,
    log_likelihood,
    replicated,
)
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior


def with_ends() -> ScoreMatrix:
    """The usual matrix with a score at either end of a scale and a standard error."""
    matrix = make_matrix()
    frame = matrix.readings.copy()
    of_first = np.flatnonzero(frame["benchmark_id"] == "bench_0")
    frame.loc[of_first[0], "score"], frame.loc[of_first[1], "score"] = 100.0, 0.0
    frame["stderr"] = np.nan
    frame.loc[of_first[2], "stderr"] = 4.0
    return ScoreMatrix.from_frame(frame, benchmarks=matrix.benchmarks, models=matrix.models)


def made(**spec: object) -> Posterior:
    return make_posterior(spec=ModelSpec(rank=2, **spec), matrix=with_ends(), n_draws=400)


def by_scipy(posterior: Posterior, chain: int, draw: int) -> np.ndarray:
    """Log likelihood of every cell, one at a time."""
    p = {name: value[chain, draw].astype(float) for name, value in posterior.draws.items()}
    eta = linear_predictor(p, posterior.features.groups, posterior.families.members)
    matrix, link, out = posterior.matrix, posterior.transform, []
    for i, j in np.argwhere(matrix.observed):
        score, column = matrix.values[i, j], np.array(j)
        error = link.error_variance(score, matrix.stderr[i, j], column)
        tau = np.sqrt((p["noise_benchmark"][j] * p.get("noise_model", np.ones(99))[i]) ** 2 + error)
        law = stats.t(p["nu"]) if "nu" in p else stats.norm()
        standard = float((link.to_latent(score, column) - eta[i, j]) / tau)
        if posterior.spec.censored and score == 100.0:
            out.append(law.logsf(standard))
        elif posterior.spec.censored and score == 0.0:
            out.append(law.logcdf(standard))
        else:
            out.append(law.logpdf(standard) - np.log(float(tau)))
    return np.array(out)


@pytest.mark.parametrize(
    "spec",
    [{}, {"student_t": False}, {"model_noise": False}, {"censored": False}],
    ids=["everything", "normal noise", "no model noise", "ends at face value"],
)
def test_log_likelihood_is_that_of_scipy(spec: dict[str, bool]) -> None:
    posterior = made(**spec)
    sides = {-1, 0, 1} if posterior.spec.censored else {0}
    assert set(posterior.cells.beyond) == sides
    found = log_likelihood(posterior)
    for chain, draw in ((0, 0), (1, 7)):
        np.testing.assert_allclose(found[chain, draw], by_scipy(posterior, chain, draw), rtol=1e-5)


def test_far_normal_tails_do_not_underflow() -> None:
    posterior = made(student_t=False)
    far = {**posterior.draws, "benchmark_bias": posterior.draws["benchmark_bias"] - 60.0}
    shifted = replace(posterior, draws=far)
    found = log_likelihood(shifted)
    np.testing.assert_allclose(found[0, 0], by_scipy(shifted, 0, 0), rtol=1e-6)


def test_replicated_scores_follow_the_law_of_their_cell() -> None:
    posterior = made()
    one = {name: np.repeat(value[:1, :1], 4000, 1) for name, value in posterior.draws.items()}
    cells, scores = posterior.cells, replicated(posterior, 3, draws=one)[0]
    p = {name: value[0, 0].astype(float) for name, value in posterior.draws.items()}
    eta = linear_predictor(p, posterior.features.groups, posterior.families.members)
    for n in range(len(cells.z)):
        i, j = cells.row[n], cells.col[n]
        tau = np.sqrt((p["noise_benchmark"][j] * p["noise_model"][i]) ** 2 + cells.error[n])
        edge = posterior.transform.to_score(np.array(eta[i, j] + 0.7 * tau), np.array(j))
        better = (scores[:, n] > edge) == (posterior.transform.sign[j] > 0)
        expected = stats.t(p["nu"]).sf(0.7)
        assert abs(better.mean() - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 4000)


def test_replicated_scores_stand_at_an_end_as_often_as_the_model_says() -> None:
    posterior = made()
    easy = {**posterior.draws, "benchmark_bias": posterior.draws["benchmark_bias"] + 40.0}
    cells = posterior.cells
    scores = replicated(posterior, 1, draws=easy)
    assert (scores[..., cells.col == 0] == 100.0).mean() > 0.9
    same = closed_scores(posterior, np.full(len(cells.col), 50.0), cells.col)
    assert (same == 50.0).all()


def test_prior_draws_have_the_priors_moments() -> None:
    posterior = make_posterior(n_draws=4)
    drawn, priors = draws_of_prior(posterior, 2000, 5), posterior.spec.priors
    assert set(drawn) == set(posterior.draws)
    for name, value in drawn.items():
        assert value.shape == (1, 2000, *posterior.draws[name].shape[2:])
    law = stats.invgamma(1, scale=priors.factor_b)
    assert stats.kstest(np.square(drawn["scale_factor"][0, :, 0]), law.cdf).pvalue > 1e-3
    loading = stats.norm(priors.mean_loading, priors.mean_loading_sd)
    assert stats.kstest(drawn["mean_loading"][0], loading.cdf).pvalue > 1e-3
    with pytest.raises(UsageError, match="at least 1"):
        draws_of_prior(posterior, 0)


def conjugate() -> Posterior:
    """A posterior that is known: one bias per benchmark, normal noise of known scale."""
    matrix = make_matrix(1, 12, 3)
    spec = ModelSpec(
        rank=0, student_t=False, model_noise=False, covariates=(), groups=(), families=False
    )
    link = Transform.from_matrix(matrix)
    z, seen, sd, prior = link.to_latent(matrix.values), matrix.observed, 0.8, 1.0
    precision = seen.sum(0) / sd**2 + 1 / prior**2
    mean = np.where(seen, z, 0).sum(0) / sd**2 / precision
    rng = np.random.default_rng(1)
    bias = mean + rng.normal(size=(4, 1000, 3)) / np.sqrt(precision)
    lead = (4, 1000)
    draws = {
        "benchmark_bias": bias,
        "loading": np.zeros((*lead, 3)),
        "ability": np.zeros((*lead, 12)),
        "noise_benchmark": np.full((*lead, 3), sd),
    }
    shell = make_posterior(spec=spec, matrix=matrix, n_draws=4)
    features = ModelFeatures.from_matrix(matrix, spec)
    return replace(shell, draws=draws, transform=link, features=features, sample_stats={})


def exact_leave_one_out(posterior: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """Log predictive density and PIT of every cell given the others, in closed form."""
    cells, sd = posterior.cells, 0.8
    density, pit = [], []
    for n, z in enumerate(cells.z):
        others = (cells.col == cells.col[n]) & (np.arange(len(cells.z)) != n)
        precision = others.sum() / sd**2 + 1.0
        law = stats.norm(cells.z[others].sum() / sd**2 / precision, np.sqrt(sd**2 + 1 / precision))
        density.append(law.logpdf(z))
        pit.append(law.cdf(z))
    worse_is_higher = posterior.transform.sign[cells.col] < 0
    return np.array(density), np.where(worse_is_higher, 1 - np.array(pit), np.array(pit))


def test_arviz_leaves_one_out_as_the_closed_form_does() -> None:
    arviz = pytest.importorskip("arviz_stats", reason="arviz-stats is not installed")
    posterior = conjugate()
    tree = posterior.to_datatree(prior_draws=20)
    density, pit = exact_leave_one_out(posterior)
    found = arviz.loo(tree, pointwise=True)
    np.testing.assert_allclose(found.elpd_i.to_numpy(), density, atol=0.03)
    assert float(found.pareto_k.max()) < 0.5
    drawn = arviz.loo_pit(tree, var_names="cell_score")["cell_score"].to_numpy()
    np.testing.assert_allclose(drawn, pit, atol=0.04)


def test_the_tree_names_the_cells_and_holds_the_prior() -> None:
    posterior = made()
    tree = posterior.to_datatree(prior_draws=7, seed=2)
    assert {"log_likelihood", "posterior_predictive", "prior", "prior_predictive"} <= set(
        tree.children
    )
    values = tree["observed_data"]["cell_score"]
    for n in (0, 5):
        i = posterior.model_ids.index(str(values["cell_model"].to_numpy()[n]))
        j = posterior.benchmark_ids.index(str(values["cell_benchmark"].to_numpy()[n]))
        assert values.to_numpy()[n] == posterior.matrix.values[i, j]
    for group in ("posterior", "prior"):
        effects = tree[group]["group_benchmark"]
        assert effects.dims == ("chain", "draw", "model_group", "benchmark")
        assert tuple(effects["model_group"].to_numpy()) == posterior.features.group_names
    assert tree["prior"]["weights"].dims == ("chain", "draw", "benchmark", "factor")
    assert tree["prior_predictive"]["cell_score"].shape == (1, 7, len(values))
    again = posterior.to_datatree(prior_draws=7, seed=2)
    for group in ("posterior_predictive", "prior_predictive"):
        assert tree[group]["cell_score"].equals(again[group]["cell_score"])


def test_every_group_can_be_left_out() -> None:
    posterior = made()
    own = {"log_likelihood": {"log_likelihood"}, "predictive": {"posterior_predictive"}}
    full = posterior.to_datatree(prior_draws=3)
    bare = posterior.to_datatree(log_likelihood=False, predictive=False, prior=False)
    beside = set(bare.children)
    assert beside.isdisjoint({"log_likelihood", "posterior_predictive", "prior"})
    assert "cell_score" in bare["observed_data"]
    for name, groups in own.items():
        switched = {"log_likelihood": False, "predictive": False, "prior": False, name: True}
        assert set(posterior.to_datatree(**switched).children) == beside | groups
    only = posterior.to_datatree(log_likelihood=False, predictive=False, prior_draws=3)
    assert set(only.children) == beside | {"prior"}
    assert only["prior"].to_dataset().identical(full["prior"].to_dataset())
    per_cell = full["log_likelihood"]["cell_score"].nbytes
    assert full.nbytes - bare.nbytes > 2 * per_cell


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of xarray, called by arviz-plots
def test_arviz_draws_its_checks_of_the_tree() -> None:
    plots = pytest.importorskip("arviz_plots", reason="arviz-plots is not installed")
    from matplotlib import pyplot as plt

    tree = conjugate().thin(200).to_datatree(prior_draws=20)
    for check in (plots.plot_ppc_dist, plots.plot_ppc_pit, plots.plot_loo_pit):
        assert "cell_score" in check(tree, backend="matplotlib").viz["plot"]
        plt.close("all")
    shared = ["mean_loading", "noise_level"]
    both = made().to_datatree(log_likelihood=False, predictive=False)
    drawn = plots.plot_prior_posterior(both, var_names=shared, backend="matplotlib")
    assert set(shared) <= set(drawn.viz["plot"].data_vars)
    plt.close("all")
