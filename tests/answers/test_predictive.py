from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from bayesbench.answers.predictive import (
    PREDICTIVE_LEVELS,
    Predictive,
    cell_draws,
    check_target,
    fitted_draws,
    mixture_quantiles,
    predict_cells,
    predictive,
    slots,
)
from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_matrix, make_posterior, make_repeated

NAN = float("nan")


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(seed=5)


def normal_predictive(center: float, sd: float, *, column: int = 0) -> Predictive:
    """One cell, normal on the latent scale; benchmarks: percent, lower-is-better, rating."""
    transform = Transform(
        ("up", "down", "elo"),
        ("logit", "logit", "identity"),
        np.array([0, 0, NAN]), np.array([100, 100, NAN]), np.array([1.0, -1, 1]),
        np.full(3, 0.005), np.array([0.3, 0, 1000]), np.array([0.8, 1, 100]), np.full(3, NAN),
    )  # fmt: skip
    quantiles = stats.norm.ppf(PREDICTIVE_LEVELS, center, sd)[None]
    name = (transform.benchmark_ids[column],)
    return Predictive(
        ("m",), name, transform, PREDICTIVE_LEVELS, quantiles, np.array([NAN]), np.ones(1)
    )


def test_levels_are_symmetric_and_hold_the_usual_ones() -> None:
    assert PREDICTIVE_LEVELS.size == 105
    np.testing.assert_allclose(PREDICTIVE_LEVELS + PREDICTIVE_LEVELS[::-1], 1)
    for level in (0.001, 0.05, 0.25, 0.5, 0.95, 0.999):
        assert np.isclose(PREDICTIVE_LEVELS, level).any()


@pytest.mark.parametrize("n_draws", [40, 400, 2000])
def test_mixture_quantiles_against_the_exact_mixture(n_draws: int) -> None:
    rng = np.random.default_rng(n_draws)
    eta = rng.normal(0, 0.5, (n_draws, 3))
    scale = 0.3 * np.exp(rng.normal(0, 0.3, (n_draws, 3)))
    nu = rng.choice([2.0, 4.0, 20.0], n_draws)
    found = mixture_quantiles(eta, scale, nu)
    for cell in range(3):
        for at in (0, 2, 7, 27, 52, 77, 97, 102, 104):
            level = PREDICTIVE_LEVELS[at]

            def excess(x: float, cell: int = cell, level: float = level) -> float:
                parts = stats.t.cdf((x - eta[:, cell]) / scale[:, cell], nu)
                return float(parts.mean() - level)

            root = optimize.brentq(excess, -200, 200)
            # error as a probability: below 0.002, and below half the tail beyond the level
            assert abs(excess(found[cell, at])) < min(0.002, 0.5 * min(level, 1 - level))
            if 0.01 <= level <= 0.99:
                assert found[cell, at] == pytest.approx(root, abs=0.02)


def test_mixture_of_normals_and_of_one_draw() -> None:
    found = mixture_quantiles(np.array([[1.0]]), np.array([[2.0]]), np.array([np.inf]))
    np.testing.assert_allclose(found[0], stats.norm.ppf(PREDICTIVE_LEVELS, 1, 2), atol=0.01)


def test_mixture_quantiles_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    eta, scale = rng.normal(size=(50, 7)), np.full((50, 7), 0.2)
    whole = mixture_quantiles(eta, scale, np.full(50, 5.0))
    monkeypatch.setattr("bayesbench.answers.predictive.CHUNK_POINTS", 40_000)
    np.testing.assert_array_equal(mixture_quantiles(eta, scale, np.full(50, 5.0)), whole)


def test_degenerate_mixture_is_still_increasing() -> None:
    found = mixture_quantiles(np.zeros((10, 2)), np.zeros((10, 2)), np.full(10, 4.0))
    assert (np.diff(found, axis=1) > 0).all()


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(rank=2),
        ModelSpec(rank=0, student_t=False, model_noise=False, covariates=(), groups=()),
    ],
)
def test_fitted_draws_follow_the_linear_predictor(spec: ModelSpec) -> None:
    posterior = make_posterior(seed=4, spec=spec, n_draws=30)
    params = {name: posterior.stacked(name) for name in posterior.draws}
    eta = linear_predictor(params, posterior.features.groups.astype(np.float32))
    latent = fitted_draws(posterior, "model_2")
    np.testing.assert_allclose(latent.eta, eta[:, 2], rtol=1e-5, atol=1e-5)
    scale = params["noise_benchmark"]
    if spec.model_noise:
        scale = scale * params["noise_model"][:, 2, None]
    np.testing.assert_allclose(latent.noise_scale, scale, rtol=1e-6)
    assert np.isinf(latent.nu).all() == (not spec.student_t)
    np.testing.assert_array_equal(latent.observed, posterior.matrix.values[2])
    row, column = np.array([0, 2, 5]), np.array([4, 1, 0])
    np.testing.assert_allclose(
        cell_draws(posterior, row, column)[0], eta[:, row, column], rtol=1e-5, atol=1e-5
    )


def test_few_items_make_new_readings_noisier(posterior: StoredPosterior) -> None:
    """On the benchmark whose number of items is known, by its share of the binomial variance."""
    link = posterior.transform
    assert np.isfinite(link.n_items).tolist() == [True, False, False, False, False]
    items = replace(link, n_items=np.where(np.isfinite(link.n_items), 20.0, np.nan))
    plain = replace(posterior, transform=items)
    noisy = replace(plain, spec=replace(posterior.spec, item_noise=0.5))
    one, other = fitted_draws(plain, "model_3"), fitted_draws(noisy, "model_3")
    np.testing.assert_array_equal(other.eta, one.eta)
    np.testing.assert_array_equal(other.noise_scale[:, 1:], one.noise_scale[:, 1:])
    eta = one.eta[:, 0].astype(np.float64)
    unit = 1 / (1 + np.exp(-(link.center[0] + link.spread[0] * eta)))
    added = 0.5 / (20 * unit * (1 - unit) * link.spread[0] ** 2)
    inside = (unit > 1 / 40) & (unit < 39 / 40)
    assert inside.any()
    expected = np.sqrt(one.noise_scale[:, 0].astype(np.float64) ** 2 + added)
    np.testing.assert_allclose(other.noise_scale[inside, 0], expected[inside], rtol=1e-5)
    np.testing.assert_array_equal(
        cell_draws(noisy, np.array([3]), np.array([0]))[1][:, 0], other.noise_scale[:, 0]
    )
    # as it was where the model has no such part
    np.testing.assert_array_equal(one.noise_scale, fitted_draws(posterior, "model_3").noise_scale)


def test_the_mean_over_readings_has_the_noise_of_the_interaction_alone() -> None:
    """Against the exact mixtures: a reading has tau^2 and the noise of its items besides."""
    spec = ModelSpec(rank=2, readings="all", item_noise=0.5)
    posterior = make_posterior(seed=5, spec=spec, matrix=make_repeated())
    assert (posterior.reporting > 0).all() and np.isfinite(posterior.transform.n_items[0])
    own = posterior.stacked("noise_benchmark") * posterior.stacked("noise_model")[:, 3, None]
    reading, mean = (fitted_draws(posterior, "model_3", target=t) for t in ("reading", "mean"))
    np.testing.assert_array_equal(mean.eta, reading.eta)
    np.testing.assert_array_equal(mean.noise_scale, own)
    link, column = posterior.transform, np.array([0])
    items = np.zeros_like(own, dtype=np.float64)
    items[:, :1] = 0.5 * link.binomial_variance(reading.eta[:, :1], column)
    new = np.sqrt(own.astype(np.float64) ** 2 + posterior.reporting + items)
    at = np.flatnonzero(np.isin(PREDICTIVE_LEVELS.round(4), [0.05, 0.25, 0.5, 0.75, 0.95]))
    for latent, scale in ((mean, own), (reading, new)):
        made = predictive(latent, link)
        cells = predict_cells(
            posterior, [(3, j) for j in range(5)], target="mean" if latent is mean else "reading"
        )
        np.testing.assert_allclose(cells.quantiles, made.quantiles, atol=1e-5)
        for j in range(5):
            for level, z in zip(PREDICTIVE_LEVELS[at], made.quantiles[j, at], strict=True):
                parts = stats.t.cdf((z - latent.eta[:, j]) / scale[:, j], latent.nu)
                assert parts.mean() == pytest.approx(level, abs=0.002)


def test_a_mean_that_was_not_told_from_a_reading_is_refused(posterior: StoredPosterior) -> None:
    alone = make_posterior(spec=ModelSpec(rank=2, readings="all"), matrix=make_matrix())
    for asked, text in ((posterior, "fit with --readings all"), (alone, "repeated readings")):
        check_target(asked, "reading")
        with pytest.raises(UsageError) as caught:
            check_target(asked, "mean")
        assert text in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="target must be reading or mean, got 'mu'"):
        check_target(posterior, "mu")  # type: ignore[arg-type]


def test_cells_and_whole_models_agree(posterior: StoredPosterior) -> None:
    one = predictive(fitted_draws(posterior, "model_3"), posterior.transform)
    cells = predict_cells(posterior, [(3, 1), (3, 4)])
    np.testing.assert_allclose(cells.quantiles, one.quantiles[[1, 4]], atol=1e-5)
    assert cells.model_ids == ("model_3",) * 2
    assert cells.benchmark_ids == ("bench_1", "bench_4")
    np.testing.assert_array_equal(cells.observed, one.observed[[1, 4]])


def test_unknown_model(posterior: StoredPosterior) -> None:
    with pytest.raises(UnknownIdError, match="unknown model 'model_33'"):
        fitted_draws(posterior, "model_33")


@given(st.floats(-60, 60), st.floats(1e-3, 30), st.integers(0, 2), st.floats(0.02, 0.99))
@settings(max_examples=60)
def test_intervals_are_strict_and_inside_the_bounds(
    center: float, sd: float, column: int, prob: float
) -> None:
    made = normal_predictive(center, sd, column=column)
    lower, upper = made.interval(prob)
    assert lower < made.median < upper
    if column < 2:
        assert 0 <= lower
        assert upper <= 100
    assert 0 <= made.p_within(10) <= 1
    assert made.sd > 0


def test_interval_level_and_direction() -> None:
    up, down = normal_predictive(0.2, 0.5), normal_predictive(0.2, 0.5, column=1)
    expected = up.transform.to_score(stats.norm.ppf([0.05, 0.95], 0.2, 0.5), 0)
    np.testing.assert_allclose(np.ravel(up.interval(0.9)), expected)
    expected = down.transform.to_score(stats.norm.ppf([0.95, 0.05], 0.2, 0.5), 1)
    np.testing.assert_allclose(np.ravel(down.interval(0.9)), expected)
    assert (np.diff(down.score_quantiles) > 0).all()
    assert down.at(0.3) < down.at(0.4)


@pytest.mark.parametrize("column", [0, 1, 2])
def test_moments_and_probabilities_by_integration(column: int) -> None:
    made = normal_predictive(0.4, 0.6, column=column)

    def moment(power: int) -> float:
        def integrand(z: float) -> float:
            score = float(made.transform.to_score(z, column))
            return score**power * float(stats.norm.pdf(z, 0.4, 0.6))

        return float(integrate.quad(integrand, -5, 5)[0])

    sd = np.sqrt(moment(2) - moment(1) ** 2)
    assert made.mean[0] == pytest.approx(moment(1), rel=1e-3)
    assert made.sd[0] == pytest.approx(sd, rel=0.01)
    z = made.transform.to_latent(made.median + np.array([-7.0, 7.0]), column)
    expected = abs(np.diff(stats.norm.cdf(z, 0.4, 0.6))[0])
    assert made.p_within(7)[0] == pytest.approx(expected, abs=2e-3)
    assert made.cdf(made.median)[0] == pytest.approx(0.5, abs=1e-6)


def test_p_within_near_a_bound_counts_what_lies_beyond_as_sure() -> None:
    made = normal_predictive(5.0, 0.1)
    assert made.median > 98
    assert made.p_within(10)[0] == 1
    assert made.cdf(-1)[0] == 0
    assert made.cdf(101)[0] == 1


def test_take_keeps_cells(posterior: StoredPosterior) -> None:
    made = predict_cells(posterior, np.argwhere(posterior.matrix.observed))
    mask = np.asarray(made.benchmark_ids) == "bench_1"
    part = made.take(mask)
    assert set(part.benchmark_ids) == {"bench_1"}
    np.testing.assert_array_equal(part.median, made.median[mask])


def test_faults_are_named(posterior: StoredPosterior) -> None:
    made = normal_predictive(0, 1)
    for prob in (0, 1, -0.1, 0.9999, NAN):
        with pytest.raises(UsageError, match="interval probability must lie in"):
            made.interval(prob)
    with pytest.raises(UsageError, match="points must be positive"):
        made.p_within(0)
    with pytest.raises(DataError, match="symmetric about a half"):
        replace(made, levels=PREDICTIVE_LEVELS / 2)
    with pytest.raises(DataError, match="quantiles have shape"):
        replace(made, quantiles=made.quantiles[:, 1:])
    latent = fitted_draws(posterior, "model_0")
    with pytest.raises(DataError, match="eta has shape"):
        replace(latent, eta=latent.eta[1:])


def test_some_columns_are_those_of_the_whole(posterior: StoredPosterior) -> None:
    latent = fitted_draws(posterior, "model_1")
    whole = predictive(latent, posterior.transform)
    for columns in ([3], [4, 0, 1]):
        part, expected = predictive(latent, posterior.transform, columns), whole.take(columns)
        assert (part.model_ids, part.benchmark_ids) == (expected.model_ids, expected.benchmark_ids)
        for name in ("quantiles", "observed", "eta_sd"):
            np.testing.assert_array_equal(getattr(part, name), getattr(expected, name))


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(st.integers(0, n - 1), min_size=n, max_size=n).map(np.array)
    )
)
def test_slots_reorder_and_pair_wherever_they_can(rows: np.ndarray) -> None:
    order = slots(rows)
    assert sorted(order) == list(range(rows.size))
    paired = rows[order] == np.arange(rows.size)
    np.testing.assert_array_equal(paired, np.isin(np.arange(rows.size), rows))


def test_draws_in_slots_are_the_same_draws(posterior: StoredPosterior) -> None:
    latent = fitted_draws(posterior, "model_1")
    rows = np.sort(np.random.default_rng(0).integers(0, latent.n_draws, latent.n_draws))
    parts = {name: getattr(latent, name)[rows] for name in ("eta", "noise_scale", "nu")}
    found = replace(latent, rows=rows, **parts).in_slots()
    kept = np.unique(rows)
    assert found.rows is not None
    np.testing.assert_array_equal(np.sort(found.rows), rows)
    np.testing.assert_array_equal(found.rows[kept], kept)
    for name in parts:
        np.testing.assert_array_equal(getattr(found, name), getattr(latent, name)[found.rows])
