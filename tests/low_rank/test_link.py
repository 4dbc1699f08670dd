from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.errors import DataError, UnknownIdError
from bayesbench.low_rank.link import Transform
from tests.factories import make_matrix

NAN = float("nan")
IDS = ("percent", "error", "unit", "tested", "cost", "rank", "elo")


@pytest.fixture(scope="module")
def transform() -> Transform:
    rng = np.random.default_rng(1)
    columns = [
        rng.uniform(20, 90, 30),
        rng.uniform(5, 40, 30),
        rng.uniform(0.1, 0.9, 30),
        rng.uniform(20, 90, 30),
        np.exp(rng.normal(3, 1, 30)),
        -np.exp(rng.normal(1, 1, 30)),
        rng.normal(1400, 60, 30),
    ]
    return Transform.from_scores(
        IDS,
        np.stack(columns, axis=1),
        lower=[0, 0, 0, 0, 0, NAN, NAN],
        upper=[100, 100, 1, 100, NAN, 0, NAN],
        higher_is_better=[True, False, True, True, False, True, True],
        n_items=[NAN, NAN, 40, 400, NAN, NAN, NAN],
    )


def test_links_come_from_metadata(transform: Transform) -> None:
    assert transform.link == ("logit", "logit", "logit", "logit", "log", "neglog", "identity")
    assert transform.sign.tolist() == [1, -1, 1, 1, -1, 1, 1]


def test_clip_is_half_an_item_within_its_limits() -> None:
    made = Transform.from_scores(
        tuple("abcd"),
        np.full((1, 4), 50.0),
        lower=np.zeros(4),
        upper=np.full(4, 100.0),
        higher_is_better=np.ones(4, bool),
        n_items=[NAN, 10, 500, 10_000],
    )
    np.testing.assert_allclose(made.clip, [0.002, 0.05, 0.001, 0.0005])


@given(st.floats(0.5, 99.5), st.sampled_from([0, 1, 3]))
def test_round_trip_of_bounded_scores(transform: Transform, score: float, column: int) -> None:
    back = transform.to_score(transform.to_latent(score, column), column)
    np.testing.assert_allclose(back, score, rtol=1e-12)


@given(st.floats(1e-3, 1e5))
def test_round_trip_of_half_bounded_scores(transform: Transform, distance: float) -> None:
    for column, sign in ((4, 1.0), (5, -1.0)):
        score = sign * max(distance, float(transform.clip[column]))
        back = transform.to_score(transform.to_latent(score, column), column)
        np.testing.assert_allclose(back, score, rtol=1e-10)


@given(st.floats(-1e6, 1e6))
def test_round_trip_of_ratings(transform: Transform, score: float) -> None:
    back = transform.to_score(transform.to_latent(score, 6), 6)
    np.testing.assert_allclose(back, score, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("column", range(4))
def test_ends_of_the_scale_are_finite_and_clipped(transform: Transform, column: int) -> None:
    low, up, clip = transform.lower[column], transform.upper[column], transform.clip[column]
    z = transform.to_latent(np.array([low, up]), column)
    assert np.isfinite(z).all()
    expected = [low + (up - low) * clip, up - (up - low) * clip]
    np.testing.assert_allclose(transform.to_score(z, column), expected, rtol=1e-12)


@given(
    st.lists(st.floats(-2000, 2000), min_size=2, max_size=8, unique=True),
    st.integers(0, len(IDS) - 1),
)
def test_inverse_is_strictly_monotone_inside_the_bounds(
    transform: Transform, latents: list[float], column: int
) -> None:
    z = np.unique(np.round(latents, 0))
    score = transform.to_score(z, column)
    assert (np.diff(score) * transform.sign[column] > 0).all()
    assert not (score <= transform.lower[column]).any()
    assert not (score >= transform.upper[column]).any()
    assert np.isfinite(score).all()


def test_lower_is_better_turns_the_latent_round(transform: Transform) -> None:
    z = transform.to_latent(np.array([10.0, 30.0]), 1)
    assert z[0] > z[1]


def test_missing_stays_missing_and_last_axis_is_the_benchmark(transform: Transform) -> None:
    scores = np.array([[50.0, NAN, 0.5, 70.0, 20.0, -3.0, 1400.0]] * 2)
    z = transform.to_latent(scores)
    assert np.isnan(z[:, 1]).all()
    np.testing.assert_array_equal(z[:, 6], transform.to_latent(scores[:, 6], 6))
    with pytest.raises(ValueError, match="last axis must hold the 7 benchmarks"):
        transform.to_latent([1.0, 2.0])


def test_spread_is_shrunk_toward_the_median_of_its_link() -> None:
    # logits of three columns: variances 1, 4 and (two scores only) 18
    logits = np.full((3, 3), np.nan)
    logits[:, 0], logits[:, 1], logits[:2, 2] = [-1, 0, 1], [-2, 0, 2], [-3, 3]
    made = Transform.from_scores(
        tuple("abc"),
        100 / (1 + np.exp(-logits)),
        lower=np.zeros(3),
        upper=np.full(3, 100.0),
        higher_is_better=np.ones(3, bool),
        n_items=np.full(3, 1000.0),
    )
    expected = np.sqrt([(3 * 1 + 5 * 2.5) / 8, (3 * 4 + 5 * 2.5) / 8, (2 * 18 + 5 * 2.5) / 7])
    np.testing.assert_allclose(made.spread, expected)
    np.testing.assert_allclose(made.center, 0, atol=1e-12)


def test_ratings_keep_their_own_unit() -> None:
    scores = np.stack([np.array([1.0, 2, 3, 4]), np.array([1000.0, 2000, 3000, 4000])], axis=1)
    made = Transform.from_scores(
        ("index", "dollars"),
        scores,
        lower=[NAN] * 2,
        upper=[NAN] * 2,
        higher_is_better=[True] * 2,
        n_items=[NAN] * 2,
    )
    np.testing.assert_allclose(made.spread, np.std(scores, axis=0, ddof=1))


def test_constant_empty_and_single_columns_have_a_positive_spread() -> None:
    scores = np.full((4, 4), np.nan)
    scores[:, 0], scores[0, 1], scores[:, 3] = 50, 60, 7
    made = Transform.from_scores(
        tuple("abcd"),
        scores,
        lower=[0, 0, 0, NAN],
        upper=[100, 100, 100, NAN],
        higher_is_better=[True] * 4,
        n_items=[NAN] * 4,
    )
    assert (made.spread > 0).all()
    assert np.isfinite(made.center).all()


def test_storage_and_subset(transform: Transform) -> None:
    again = Transform.from_arrays(transform.benchmark_ids, transform.to_arrays())
    z = np.linspace(-2, 2, len(IDS))
    np.testing.assert_array_equal(again.to_score(z), transform.to_score(z))
    part = transform.subset(["elo", "error"])
    np.testing.assert_array_equal(part.to_score(z[:2]), transform.to_score(z[:2], [6, 1]))
    with pytest.raises(UnknownIdError, match="'eloo'; nearest: elo"):
        transform.subset(["eloo"])


def test_from_matrix_reads_metadata() -> None:
    matrix = make_matrix()
    made = Transform.from_matrix(matrix)
    assert made.link == ("logit", "logit", "identity", "logit", "logit")
    assert made.sign.tolist() == [1, -1, 1, 1, 1]
    z = made.to_latent(matrix.values)
    np.testing.assert_allclose(np.nanmean(z, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(made.to_score(z), matrix.values, rtol=1e-12)


def test_faults_are_named() -> None:
    with pytest.raises(DataError, match="'a': lower bound 100 is not below the upper bound 0"):
        Transform.from_scores(
            ("a",), [[1.0]], lower=[100], upper=[0], higher_is_better=[True], n_items=[NAN]
        )
    with pytest.raises(DataError, match="unknown link 'probit'"):
        Transform(("a",), ("probit",), *([np.ones(1)] * 7))
    with pytest.raises(DataError, match="spread must be positive"):
        Transform(("a",), ("logit",), *([np.zeros(1)] * 7))
    with pytest.raises(DataError, match="not one value per benchmark"):
        Transform(("a", "b"), ("logit",), *([np.ones(2)] * 7))


ITEMS = Transform.from_scores(
    tuple("abcd"),
    np.array([[50.0, 50.0, 50.0, 3.0]]),
    lower=[0, 0, 0, NAN],
    upper=[100, 100, 100, NAN],
    higher_is_better=[True, False, True, True],
    n_items=[30, 30, NAN, NAN],
)


def test_a_score_within_half_an_item_of_a_bound_says_this_or_beyond() -> None:
    scores = np.array([[100.0, 100.0, 100.0, 1e9], [98.4, 0.0, 99.7, 0.0], [98.3, 1.7, 99.9, 0.0]])
    expected = [[1, -1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_array_equal(ITEMS.beyond(scores), expected)


@pytest.mark.parametrize("column", [0, 1, 3])
def test_error_variance_is_the_spread_of_small_errors(column: int) -> None:
    rng = np.random.default_rng(0)
    drawn = 70.0 + 0.1 * rng.standard_normal(20_000)
    spread = ITEMS.to_latent(drawn, column).var()
    # the variance of 20,000 normal draws has a relative error of 1 %
    assert ITEMS.error_variance(70.0, 0.1, column) == pytest.approx(spread, rel=0.04)
    assert ITEMS.error_variance(70.0, NAN, column) == 0.0


def test_a_standard_error_of_zero_is_made_again_from_the_items() -> None:
    p = (30 * 0.9 + 0.5) / 31
    error = 100 * np.sqrt(p * (1 - p) / 30)
    expected = ITEMS.error_variance(90.0, error, 0)
    assert ITEMS.error_variance(90.0, 0.0, 0) == pytest.approx(expected)
    assert ITEMS.error_variance(100.0, 0.0, 0) > 0
    assert ITEMS.error_variance(90.0, 0.0, 2) == 0.0


def test_binomial_variance_is_that_of_shares_of_items() -> None:
    rng = np.random.default_rng(0)
    many = Transform.from_scores(
        ("a",), [[50.0]], lower=[0], upper=[100], higher_is_better=[True], n_items=[1000]
    )
    shares = 100 * rng.binomial(1000, 0.7, 20_000) / 1000
    spread = many.to_latent(shares, 0).var()
    assert many.binomial_variance(many.to_latent(70.0, 0), 0) == pytest.approx(spread, rel=0.05)
    np.testing.assert_array_equal(ITEMS.binomial_variance(np.zeros(4))[2:], [0.0, 0.0])
