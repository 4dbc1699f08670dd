from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.errors import ScoreError, UnknownIdError, UsageError
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.families import BenchmarkFamilies
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior, make_repeated

Floats = NDArray[np.float64]

SCORES = {"bench_0": 71.0, "bench_2": 1300.0, "bench_4": 55.0}
FACTS: dict[str, Any] = {
    "provider": "Beth",
    "release_date": "2024-05",
    "reasoning": True,
    "open_weights": False,
}
KNOWN = ModelFacts(provider="Beth", release_date="2024-05", reasoning=True, open_weights=False)
NORMAL = ModelSpec(rank=2, student_t=False, model_noise=False)


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(seed=11, n_draws=400)


@pytest.fixture(scope="module", params=["no families", "families"])
def normal(request: pytest.FixtureRequest) -> StoredPosterior:
    made = make_posterior(seed=12, n_draws=2000, spec=NORMAL)
    return with_families(made) if request.param == "families" else made


def with_families(posterior: StoredPosterior) -> StoredPosterior:
    """Benchmarks 0 and 3 form one family, 1 and 4 another."""
    members = np.array([[1.0, 0], [0, 1], [0, 0], [1, 0], [0, 1]])
    rng = np.random.default_rng(0)
    lead = posterior.draws["ability"].shape
    draws = {
        **posterior.draws,
        "family": rng.normal(0, 0.4, (*lead, 2)),
        "scale_family": rng.uniform(0.3, 0.5, lead[:2]),
    }
    return replace(posterior, draws=draws, families=BenchmarkFamilies(("a", "b"), members))


def closed_form(
    posterior: StoredPosterior, scores: dict[str, float], facts: dict[str, Any]
) -> tuple[Floats, Floats, Floats]:
    """Mean and variance (S, B) of eta and log evidence (S,), normal noise of known scale.

    The joint Gaussian of (eta on all benchmarks, scores) is written out and conditioned on.
    """
    row = posterior.features.row(ModelFacts(**facts))
    take = posterior.stacked
    ids = posterior.benchmark_ids
    seen = [ids.index(name) for name in scores]
    z = posterior.transform.to_latent(list(scores.values()), seen)
    means, variances, evidences = [], [], []
    for s in range(posterior.n_draws):
        w = np.column_stack([take("loading")[s], take("weights")[s]]).astype(float)
        coefficients = take("coefficients")[s].astype(float)
        missing = np.isnan(row.x)
        mean = np.where(missing, 0, row.x) @ coefficients + row.groups @ take("group_latent")[s]
        cov = np.eye(w.shape[1]) + coefficients[missing].T @ coefficients[missing]
        noise = take("noise_benchmark")[s].astype(float) ** 2
        effect = np.zeros_like(noise)
        if row.unknown_kinds[0]:
            cov = cov + take("scale_group_latent")[s, 0] ** 2 * np.eye(w.shape[1])
            effect = take("scale_group_benchmark")[s, 0] ** 2 * noise
        center = take("benchmark_bias")[s] + row.groups @ take("group_benchmark")[s] + w @ mean
        joint = w @ cov @ w.T + np.diag(effect)
        if "family" in posterior.draws:
            members = posterior.families.members
            joint += take("scale_family")[s] ** 2 * members @ members.T
        total = joint[np.ix_(seen, seen)] + np.diag(noise[seen])
        gain = joint[:, seen] @ np.linalg.inv(total)
        off = z - center[seen]
        means.append(center + gain @ off)
        variances.append(np.diag(joint - gain @ joint[seen]))
        _, log_det = np.linalg.slogdet(2 * np.pi * total)
        evidences.append(-0.5 * (log_det + off @ np.linalg.inv(total) @ off))
    return np.array(means), np.array(variances), np.array(evidences)


@pytest.fixture
def untempered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights as the evidence says, of the scores as they are; facts never in doubt."""
    monkeypatch.setattr("bayesbench.answers.condition.LEAST_SHARE", 0.0)
    monkeypatch.setattr("bayesbench.answers.condition.PLAUSIBLE", 1e9)
    monkeypatch.setattr("bayesbench.answers.condition.PLAUSIBLE_FACTS", 1e9)


@pytest.mark.usefixtures("untempered")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("scores", [{}, {"bench_1": 20.0}, SCORES])
def test_normal_noise_is_the_closed_form(
    normal: StoredPosterior, scores: dict[str, float], known: bool
) -> None:
    facts: dict[str, Any] = FACTS if known else {}
    drawn = condition(normal, scores, facts=ModelFacts(**facts), reweight=False, sweeps=3)
    mean, variance, _ = closed_form(normal, scores, facts)
    # what the draw adds to the closed-form mean of its own posterior draw is standard normal
    standard = (drawn.eta - mean) / np.sqrt(variance)
    n = standard.shape[0]
    np.testing.assert_allclose(standard.mean(0), 0, atol=4.5 / np.sqrt(n))
    np.testing.assert_allclose(standard.var(0), 1, atol=4.5 * np.sqrt(2 / n))
    np.testing.assert_array_equal(drawn.noise_scale, normal.stacked("noise_benchmark"))
    assert np.isinf(drawn.nu).all()


@pytest.mark.usefixtures("untempered")
@pytest.mark.parametrize("known", [True, False])
def test_reweighting_is_bayes_rule(normal: StoredPosterior, known: bool) -> None:
    facts: dict[str, Any] = FACTS if known else {}
    drawn = condition(normal, SCORES, facts=ModelFacts(**facts))
    mean, variance, evidence = closed_form(normal, SCORES, facts)
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    share = 1 / (len(weight) * (weight**2).sum())
    assert drawn.reweighted
    assert drawn.k_hat is not None
    assert drawn.k_hat < 0.7
    assert drawn.effective_share == pytest.approx(share, rel=0.1)
    expected = weight @ mean
    sd = np.sqrt(weight @ (variance + (mean - expected) ** 2))
    error = sd / np.sqrt(share * len(weight))
    assert (np.abs(drawn.eta.mean(0) - expected) < 4 * error).all()
    np.testing.assert_allclose(drawn.eta.std(0), sd, rtol=0.12)


@pytest.mark.usefixtures("untempered")
def test_rows_say_which_draw_of_the_posterior_is_behind_each(normal: StoredPosterior) -> None:
    drawn = condition(normal, SCORES, facts=KNOWN)
    assert drawn.reweighted and drawn.rows is not None
    assert 0.1 < np.unique(drawn.rows).size / normal.n_draws < 1
    fitted = normal.stacked("noise_benchmark")
    np.testing.assert_array_equal(drawn.noise_scale, fitted[drawn.rows])
    plain = condition(normal, SCORES, facts=KNOWN, reweight=False)
    np.testing.assert_array_equal(plain.rows, np.arange(normal.n_draws))


def test_uneven_weights_are_tempered() -> None:
    made = make_posterior(seed=3, n_draws=400)
    rng = np.random.default_rng(0)
    bias = made.draws["benchmark_bias"] + rng.normal(0, 8, made.draws["benchmark_bias"].shape)
    made = replace(made, draws={**made.draws, "benchmark_bias": bias})
    drawn = condition(made, SCORES, facts=KNOWN)
    assert drawn.reweighted and drawn.rows is not None
    assert drawn.effective_share < 0.6 and 0 < drawn.power < 1
    # the draws that are left are about as many as the least share says
    counts = np.bincount(drawn.rows, minlength=400) / 400
    assert 1 / (400 * (counts**2).sum()) == pytest.approx(0.6, abs=0.08)
    plain = condition(made, SCORES, facts=KNOWN, reweight=False)
    assert (plain.k_hat, plain.effective_share, plain.reweighted, plain.power) == (
        None, 1.0, False, 0.0,
    )  # fmt: skip


def test_no_scores_is_the_prior_predictive(posterior: StoredPosterior) -> None:
    drawn = condition(posterior, {}, facts=KNOWN)
    assert (drawn.k_hat, drawn.effective_share, drawn.reweighted) == (None, 1.0, False)
    assert np.isnan(drawn.observed).all()
    ratio = (drawn.noise_scale / posterior.stacked("noise_benchmark")) ** 2
    np.testing.assert_allclose(ratio, np.repeat(ratio[:, :1], 5, axis=1), rtol=1e-4)
    # d^2 ~ InvGamma(6, 6): mean 6 / 5, sd 0.6
    assert ratio[:, 0].mean() == pytest.approx(1.2, abs=4 * 0.6 / np.sqrt(400))


def test_same_seed_same_draws_whatever_the_order(posterior: StoredPosterior) -> None:
    one = condition(posterior, SCORES, facts=KNOWN, seed=4)
    turned = condition(posterior, dict(reversed(SCORES.items())), facts=KNOWN, seed=4)
    other = condition(posterior, SCORES, facts=KNOWN, seed=5)
    np.testing.assert_array_equal(one.eta, turned.eta)
    assert (one.eta != other.eta).any()


def test_a_score_pulls_its_own_benchmark_and_narrows_the_rest(posterior: StoredPosterior) -> None:
    z = posterior.transform.to_latent([90.0], [0])[0]
    before = condition(posterior, {}, facts=KNOWN)
    after = condition(posterior, {"bench_0": 90.0}, facts=KNOWN, reweight=False)
    assert abs(after.eta[:, 0].mean() - z) < abs(before.eta[:, 0].mean() - z)
    assert after.eta[:, 0].std() < before.eta[:, 0].std()


def test_a_fitted_model_keeps_its_scores_and_features(normal: StoredPosterior) -> None:
    model_id = "model_1"
    own = normal.matrix.values[1]
    scores = {
        name: float(own[j]) for j, name in enumerate(normal.benchmark_ids) if np.isfinite(own[j])
    }
    some = dict(list(scores.items())[:1])
    fitted = condition(normal, some, model_id=model_id)
    new = condition(normal, scores, facts=ModelFacts.of(normal.matrix, 1), reweight=False)
    # a score that was known adds nothing to the weights, so both are the same problem
    np.testing.assert_allclose(fitted.eta, new.eta, atol=1e-5)
    np.testing.assert_array_equal(fitted.observed, own)
    assert (fitted.model_id, new.model_id) == (model_id, "new")


def test_a_fitted_model_keeps_its_noise(posterior: StoredPosterior) -> None:
    drawn = condition(posterior, {"bench_0": 50.0}, model_id="model_1", reweight=False)
    own = posterior.stacked("noise_benchmark") * posterior.stacked("noise_model")[:, [1]]
    np.testing.assert_allclose(drawn.noise_scale, own, rtol=1e-6)


def test_the_mean_over_readings_differs_in_the_noise_alone() -> None:
    spec = ModelSpec(rank=2, readings="all", item_noise=0.5)
    posterior = make_posterior(spec=spec, matrix=make_repeated())
    for model_id in (None, "model_1"):
        scores = {"bench_0": 60.0, "bench_4": 30.0}
        reading, mean = (
            condition(posterior, scores, model_id=model_id, target=target)
            for target in ("reading", "mean")
        )
        np.testing.assert_array_equal(mean.eta, reading.eta)
        added = np.tile(posterior.reporting, (mean.n_draws, 1))
        column = np.array([0])
        added[:, :1] += 0.5 * posterior.transform.binomial_variance(mean.eta[:, :1], column)
        squares = np.asarray(mean.noise_scale, np.float64) ** 2 + added
        np.testing.assert_allclose(np.sqrt(squares), reading.noise_scale, rtol=1e-5)


def test_training_standard_errors_count(normal: StoredPosterior) -> None:
    """A reading of a fitted model with a large standard error says little beside a new score."""
    readings = normal.matrix.readings.copy()
    name = str(readings["benchmark_id"][readings["model_id"] == "model_1"].iloc[0])
    own = (readings["model_id"] == "model_1") & (readings["benchmark_id"] == name)
    readings["stderr"] = np.where(own, 1e4, np.nan)
    matrix = ScoreMatrix(normal.matrix.models, normal.matrix.benchmarks, readings)
    blurred = replace(normal, matrix=matrix)
    other = next(n for n in normal.benchmark_ids if n != name)
    j = normal.benchmark_ids.index(name)
    sharp, vague = (
        condition(one, {other: 50.0}, model_id="model_1", reweight=False).eta[:, j].std()
        for one in (normal, blurred)
    )
    assert vague > 1.15 * sharp


def test_a_fitted_model_without_more_scores_is_the_posterior(posterior: StoredPosterior) -> None:
    np.testing.assert_array_equal(
        condition(posterior, {}, model_id="model_2").eta, fitted_draws(posterior, "model_2").eta
    )


@pytest.mark.usefixtures("untempered")
def test_only_what_is_added_counts_in_the_weights(normal: StoredPosterior) -> None:
    own = normal.matrix.values[2]
    extra = normal.benchmark_ids[int(np.flatnonzero(np.isnan(own))[0])]
    drawn = condition(normal, {extra: 30.0}, model_id="model_2")
    facts = normal.matrix.models.loc["model_2"]
    row = {
        "provider": facts["provider"],
        "release_date": facts["release_date"],
        "reasoning": bool(facts["reasoning"]),
        "open_weights": bool(facts["open_weights"]),
    }
    known = {b: float(v) for b, v in zip(normal.benchmark_ids, own, strict=True) if v == v}
    _, _, before = closed_form(normal, known, row)
    _, _, after = closed_form(normal, {**known, extra: 30.0}, row)
    weight = np.exp(after - before - (after - before).max())
    share = weight.sum() ** 2 / (len(weight) * (weight**2).sum())
    assert drawn.effective_share == pytest.approx(share, rel=0.1)
    assert drawn.observed[normal.benchmark_ids.index(extra)] == 30.0
    assert np.isfinite(drawn.observed).sum() == len(known) + 1


def test_students_t_with_families_and_unknown_facts(posterior: StoredPosterior) -> None:
    made = with_families(posterior)
    drawn = condition(made, SCORES)
    assert np.isfinite(drawn.eta).all()
    assert drawn.k_hat is not None
    apart = condition(made, {"bench_0": 99.0}, reweight=False).eta
    plain = condition(posterior, {"bench_0": 99.0}, reweight=False).eta
    # the sibling benchmark follows the score more than it would without the family
    assert apart[:, 3].mean() > plain[:, 3].mean()


def test_a_bare_model_needs_no_parts() -> None:
    bare = make_posterior(
        seed=2,
        spec=ModelSpec(rank=0, student_t=False, model_noise=False, covariates=(), groups=()),
    )
    drawn = condition(bare, SCORES, facts=KNOWN)
    assert drawn.eta.shape == (200, 5)
    assert np.isfinite(drawn.eta).all()


@pytest.mark.parametrize("score", [0.0, 100.0])
def test_ends_of_the_scale_give_strict_intervals(posterior: StoredPosterior, score: float) -> None:
    scores = {"bench_0": score, "bench_1": 100 - score, "bench_3": score, "bench_4": score}
    made = predictive(condition(posterior, scores), posterior.transform)
    lower, upper = made.interval(0.9)
    assert (lower < made.median).all()
    assert (made.median < upper).all()
    bounded = np.isfinite(posterior.transform.lower)
    assert (lower[bounded] >= 0).all()
    assert (upper[bounded] <= 100).all()


def test_more_draws_than_the_posterior_are_not_made(posterior: StoredPosterior) -> None:
    drawn = condition(posterior, SCORES)
    assert drawn.n_draws == posterior.n_draws
    assert drawn.noise_scale.shape == drawn.eta.shape
    assert (drawn.noise_scale > 0).all()


def test_faults_are_named(posterior: StoredPosterior) -> None:
    with pytest.raises(UnknownIdError, match="unknown benchmark 'bench_9'"):
        condition(posterior, {"bench_9": 5.0})
    for bad in (float("nan"), float("inf"), "many", None):
        with pytest.raises(ScoreError, match="score of 'bench_0' is not a finite number"):
            condition(posterior, {"bench_0": bad})  # type: ignore[dict-item]
    for outside in (-0.1, 100.5, 1e9):
        with pytest.raises(ScoreError, match=r"'bench_0' lies outside its scale \(0 to 100\)"):
            condition(posterior, {"bench_0": outside})
    with pytest.raises(UsageError, match="release date"):
        condition(posterior, SCORES, facts=ModelFacts(release_date="soon"))
    with pytest.raises(UsageError, match="at least 3 sweeps"):
        condition(posterior, SCORES, sweeps=2)


def test_neither_jax_nor_scipy_is_imported() -> None:
    code = (
        "import sys, bayesbench.answers.condition, bayesbench.answers.predictive; "
        "print([m for m in ('jax', 'numpyro', 'xarray', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_factory_is_reproducible() -> None:
    one, two = make_posterior(seed=1, n_draws=10), make_posterior(seed=1, n_draws=10)
    for name in one.draws:
        np.testing.assert_array_equal(one.draws[name], two.draws[name])
    assert one.matrix.data_hash == make_matrix(1).data_hash
