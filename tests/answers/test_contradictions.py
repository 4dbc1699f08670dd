"""Scores that look wrong: p-values against exact oracles, honest models, and every kind of slip."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.condition import condition
from bayesbench.answers.contradictions import (
    MOST_SCORES,
    Contradiction,
    Contradictions,
    _Judge,
    _p_value,
    contradictions,
)
from bayesbench.answers.predictive import LatentDraws, predictive
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.noise import sample
from tests.answers.answer_helpers import latent_draws, three_scales, widened
from tests.factories import make_posterior, with_calibration

LINK = three_scales()


@pytest.fixture(scope="module")
def bundled() -> Posterior:
    return open_posterior()


def sure_posterior(seed: int = 4) -> Posterior:
    """A posterior that is sure of the benchmarks: every draw is the first one."""
    made = make_posterior(seed, n_draws=128, n_benchmarks=7)
    first = {name: np.broadcast_to(v[:1, :1], v.shape).copy() for name, v in made.draws.items()}
    return replace(made, draws=first)


def honest(posterior: Posterior, seed: int, names: list[str]) -> dict[str, float]:
    """Scores of a model drawn from the posterior's own law."""
    drawn = condition(posterior, {}, seed=(7, seed))
    rng = np.random.default_rng((9, seed))
    s = int(rng.integers(drawn.n_draws))
    z = drawn.eta[s] + drawn.noise_scale[s] * sample(drawn.nu[s], drawn.eta[s].shape, rng)
    scores = posterior.transform.to_score(z)
    return {name: float(scores[posterior.transform.index(name)]) for name in names}


def p_value(draws: LatentDraws, name: str, score: float, widen: float = 1.0) -> float:
    column = LINK.index(name)
    raw = predictive(draws, LINK, [column])
    made = raw if widen == 1.0 else widened(raw, widen)
    return _p_value(draws, raw, made, column, score)


@pytest.mark.parametrize("name", ["up", "down", "rating"])
@pytest.mark.parametrize("nu", [3.0, np.inf])
def test_the_p_value_is_that_of_the_mixture(name: str, nu: float) -> None:
    draws = replace(latent_draws(noise=0.4), nu=np.full(500, nu))
    column = LINK.index(name)
    for z in (-3.0, -0.4, 0.3, 2.5):
        score = float(LINK.to_score(z, column))
        below = stats.t(nu, draws.eta[:, column], 0.4).cdf(float(LINK.to_latent(score, column)))
        expected = 2 * min(below.mean(), 1 - below.mean())
        assert p_value(draws, name, score) == pytest.approx(expected, rel=2e-3)


def test_a_recalibration_that_doubles_intervals_halves_distances() -> None:
    draws = latent_draws()
    middle = float(np.median(predictive(draws, LINK, [0]).quantiles[0]))
    near, far = (float(LINK.to_score(middle + d, 0)) for d in (0.8, 1.6))
    assert p_value(draws, "up", far, 2.0) == pytest.approx(p_value(draws, "up", near), rel=1e-6)
    assert p_value(draws, "up", far) < 0.2 * p_value(draws, "up", far, 2.0)


def test_at_an_end_the_tail_beyond_it_counts() -> None:
    """100 says "this or beyond": for a model far above it is no surprise at all."""
    z = float(LINK.to_latent(100.0, 0))
    high, low = latent_draws(mean=z + 2.0), latent_draws(mean=z - 3.0)
    assert p_value(high, "up", 100.0) == 1.0
    tail = stats.norm(low.eta[:, 0], 0.3).sf(z).mean()
    assert p_value(low, "up", 100.0) == pytest.approx(2 * tail, rel=2e-3)
    assert p_value(latent_draws(mean=z - 12.0), "up", 100.0) < 1e-8


def test_p_values_of_honest_models_are_uniform() -> None:
    """300 models of a law that is known exactly: 4 Monte Carlo errors."""
    posterior, p = sure_posterior(), []
    names = ["bench_0", "bench_1", "bench_3", "bench_4"]
    for seed in range(300):
        scores = honest(posterior, seed, names)
        others = {name: scores[name] for name in names[1:]}
        judge = _Judge(posterior, ModelFacts(), None, False, seed)
        made = judge.contradiction(judge.given(others), names[0], scores[names[0]], others)
        p.append(made.p_value)
    values = np.array(p)
    for level in (0.1, 0.5, 0.9):
        error = np.sqrt(level * (1 - level) / values.size)
        assert abs((values < level).mean() - level) < 4 * error, level
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_honest_models_are_left_in_peace(bundled: Posterior) -> None:
    """Of 25 models drawn from the bundled posterior's own law; at most 2 % are to be accused."""
    names = ["gpqa_diamond", "mmlu_pro", "ifeval", "math_500"]
    flagged = [
        seed for seed in range(25) if len(contradictions(bundled, honest(bundled, seed, names)))
    ]
    assert len(flagged) <= 1


def test_all_shares_on_percentages(bundled: Posterior) -> None:
    found = contradictions(bundled, {"gsm8k": 0.95, "mmlu": 0.86})
    assert {one.benchmark_id for one in found} == {"gsm8k", "mmlu"}
    assert all(one.reason == "share" and one.probability > 0.99 for one in found)
    assert {round(one.corrected, 9) for one in found} == {95.0, 86.0}
    assert all(one.lower <= one.corrected <= one.upper for one in found)  # the others as shares
    assert "did you mean 95?" in found.sentence and "did you mean 86?" in found.sentence
    assert "\n" not in found.sentence


@pytest.mark.parametrize(
    ("scores", "wrong", "reason", "corrected"),
    [
        ({"gsm8k": 0.95}, "gsm8k", "share", 95.0),
        ({"gpqa_diamond": 70, "mmlu_pro": 0.755, "ifeval": 85}, "mmlu_pro", "share", 75.5),
        ({"gpqa_diamond": 70, "mmlu_pro": 75, "ifeval": 15}, "ifeval", "direction", 85.0),
        ({"gpqa_diamond": 70, "mmlu_pro": 75, "ifeval": 85, "gsm8k": 30}, "gsm8k", "elsewhere",
         np.nan),
    ],
)  # fmt: skip
def test_a_slip_is_found_and_named(
    bundled: Posterior, scores: dict[str, float], wrong: str, reason: str, corrected: float
) -> None:
    (one,) = contradictions(bundled, scores)
    assert (one.benchmark_id, one.score, one.reason) == (wrong, scores[wrong], reason)
    assert one.corrected == pytest.approx(corrected, nan_ok=True)
    assert one.p_value < 1e-3 and not one.lower <= one.score <= one.upper


@pytest.mark.parametrize(
    "scores",
    [
        {"hle": 0.9},  # a weak model has that
        {"gpqa_diamond": 70, "mmlu_pro": 75.5},
        {"aime_2025": 100, "gpqa_diamond": 92.4},  # at the end of its scale
        {"hle": 0.6, "gpqa_diamond": 31, "mmlu": 66},
        {},
    ],
)
def test_ordinary_scores_say_nothing(bundled: Posterior, scores: dict[str, float]) -> None:
    assert contradictions(bundled, scores) == Contradictions()


def test_a_fitted_model_speaks_for_its_known_scores(bundled: Posterior) -> None:
    known = "llama-3.1-70b-instruct"
    (one,) = contradictions(bundled, {"hle": 60}, model_id=known)
    assert (one.benchmark_id, one.reason) == ("hle", "elsewhere")
    assert one.against == f"the known scores of {known}" and one.upper < 15
    row = bundled.matrix.values[bundled.matrix.model_index(known)]
    at = int(np.flatnonzero(np.isfinite(row))[0])
    name, own = bundled.benchmark_ids[at], float(row[at])
    assert contradictions(bundled, {name: own}, model_id=known) == Contradictions()
    far = 5.0 if own > 50 else 95.0
    (one,) = contradictions(bundled, {name: far}, model_id=known)
    assert f"({own:g} here)" in one.sentence


def test_facts_alone_accuse_only_what_is_very_far(bundled: Posterior) -> None:
    small = ModelFacts(params_b=1.0, release_date="2023-06", reasoning=False)
    assert contradictions(bundled, {"gpqa_diamond": 45}, facts=small) == Contradictions()
    (one,) = contradictions(bundled, {"hle": 99}, facts=small)
    assert one.against == "the facts"


def test_one_wrong_score_does_not_accuse_the_others(bundled: Posterior) -> None:
    scores = {"gpqa_diamond": 70, "mmlu_pro": 75, "ifeval": 88, "math_500": 2, "gsm8k": 95}
    assert [one.benchmark_id for one in contradictions(bundled, scores)] == ["math_500"]


def test_too_many_scores_are_said_not_to_be_checked(bundled: Posterior) -> None:
    row = bundled.matrix.values[int(np.argmax(bundled.matrix.observed.sum(axis=1)))]
    at = np.flatnonzero(np.isfinite(row))[: MOST_SCORES + 1]
    scores = {bundled.benchmark_ids[j]: float(row[j]) for j in at}
    found = contradictions(bundled, scores)
    assert not found and f"{MOST_SCORES + 1} given scores were not checked" in found.unchecked
    assert found.sentence == found.unchecked


def test_the_check_is_cheap(bundled: Posterior) -> None:
    """A few tens of milliseconds of processor time per score."""
    scores = {"gpqa_diamond": 70, "mmlu_pro": 75, "ifeval": 88, "math_500": 90, "gsm8k": 95}
    contradictions(bundled, scores)
    begun = time.process_time()
    contradictions(bundled, scores)
    assert time.process_time() - begun < 0.05 * len(scores)


def test_the_recalibration_and_the_seed_take_part() -> None:
    raw = make_posterior(4, n_draws=128, n_benchmarks=7)
    scores = {"bench_0": 2.0, "bench_3": 97.0, "bench_4": 95.0}

    def least(posterior: Posterior, seed: int = 0) -> float:
        judge = _Judge(posterior, ModelFacts(), None, False, seed)
        others = {"bench_3": 97.0, "bench_4": 95.0}
        return judge.contradiction(judge.given(others), "bench_0", 2.0, others).p_value

    assert least(with_calibration(raw, 3.0)) > 2 * least(raw)
    assert least(raw, 1) != least(raw, 2)
    assert contradictions(raw, scores, seed=5) == contradictions(raw, scores, seed=5)


def test_they_print_a_line_each() -> None:
    one = Contradiction("a", 1.0, 50.0, 40.0, 60.0, 1e-5, 0.4, "unusual", np.nan, "the facts")
    assert "nan" not in one.sentence and one.to_json()["sentence"] == one.sentence
    both = Contradictions((one, replace(one, benchmark_id="b")))
    assert repr(both).count("\n") == 1 and repr(Contradictions()) == "none"
    assert both.sentence.startswith("2 scores look wrong: a = 1 ")
    assert both[:1] == Contradictions((one,)) and both[1].benchmark_id == "b"
