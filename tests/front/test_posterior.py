"""The posterior as the object that is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import AmbiguousIdError, PosteriorFileError, UnknownIdError, UsageError
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.front.prediction import CellPrediction, Prediction
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_posterior, with_calibration
from tests.front.front_helpers import front_posterior

POSTERIOR = front_posterior()
RAW = front_posterior(None)


def refused(ask: Callable[[], object], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        ask()
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def draws_of(prediction: Prediction | CellPrediction, kind: str) -> np.ndarray:
    assert isinstance(prediction, Prediction)
    return prediction.draws(kind)  # type: ignore[arg-type]


def test_it_is_the_stored_posterior() -> None:
    asked = make_posterior()
    stored = StoredPosterior(**{item.name: getattr(asked, item.name) for item in fields(asked)})
    made = Posterior.of(stored)
    for item in fields(stored):
        if item.name != "draws":
            assert getattr(made, item.name) is getattr(stored, item.name)
    for name, value in stored.draws.items():
        assert made.draws[name] is value
    assert made.check() is stored.diagnostics
    assert repr(made) == repr(stored)


def test_names_are_resolved_and_the_answer_says_for_what() -> None:
    cell = POSTERIOR.predict("Solo One", benchmark="GPQA Diamond")
    assert isinstance(cell, CellPrediction)
    assert (cell.model_id, cell.benchmark_id) == ("solo-1", "gpqa_diamond")
    model = POSTERIOR.model("S2")
    assert (model.id, model.fitted, dict(model.scores)) == ("solo-2", True, {})
    assert model.notes == ("'S2' is taken for solo-2",)
    assert POSTERIOR.model("solo-2").notes == ()
    for ask in (
        lambda: POSTERIOR.predict("Duet"),
        lambda: POSTERIOR.model("duet"),
        lambda: POSTERIOR.rank(["solo-1", "Duet"], on=["exam"]),
    ):
        refused(ask, AmbiguousIdError, "may be any of duet-1, duet-2; name one by its id")
    refused(lambda: POSTERIOR.predict(benchmark="quiz"), AmbiguousIdError, "exam, gpqa")
    refused(lambda: POSTERIOR.predict("solo-7"), UnknownIdError, "unknown model 'solo-7'; nearest")
    refused(lambda: POSTERIOR.predict(benchmark="exams"), UnknownIdError, "nearest: exam")


@pytest.mark.parametrize("kind", ["score", "known", "mu"])
def test_a_ranking_is_what_the_draws_of_the_predictions_say(kind: str) -> None:
    """Fitted and conditioned models together, on three benchmarks of one scale."""
    fresh = POSTERIOR.condition({"exam": 72, "gpqa": 60}, id="fresh")
    models = ["solo-1", "Lone", fresh, "trio-4"]
    on, weights = ["exam", "Errors", "humaneval"], {"exam": 3, "Errors": 2, "humaneval": 1}
    ranking = POSTERIOR.rank(models, on=on, weights=weights, kind=kind, prob=0.8)
    predictions = [fresh.predict() if one is fresh else POSTERIOR.predict(one) for one in models]
    shares = np.zeros(7)
    shares[[6, 2, 4]] = 3 / 6, -2 / 6, 1 / 6
    totals = np.stack([draws_of(one, kind) @ shares for one in predictions])
    assert ranking.model_ids == ("solo-1", "lone", "fresh", "trio-4")
    np.testing.assert_allclose(
        ranking.win[~np.eye(4, dtype=bool)],
        (totals[:, None] > totals).mean(axis=2)[~np.eye(4, dtype=bool)],
        atol=1e-12,
    )
    ranks = 1 + (totals[:, None] < totals).sum(axis=1)
    for rank in range(4):
        np.testing.assert_allclose(
            ranking.rank_probability[:, rank], (ranks == rank + 1).mean(axis=1), atol=1e-12
        )
    np.testing.assert_allclose(ranking.p_best, (ranks == 1).mean(axis=1))
    ordered = np.sort(ranks, axis=1)
    n = ordered.shape[1]
    np.testing.assert_array_equal(ranking.median, ordered[:, n // 2 - 1])
    np.testing.assert_array_equal(ranking.lower, ordered[:, round(0.1 * n) - 1])
    np.testing.assert_array_equal(ranking.upper, ordered[:, round(0.9 * n) - 1])
    gap = POSTERIOR.compare(fresh, "Lone", on=on, weights=weights, kind=kind)
    assert gap.p_better == pytest.approx(ranking.win[2, 1])
    assert POSTERIOR.compare("lone", fresh, on=on, weights=weights, kind=kind).median == (
        pytest.approx(-gap.median)
    )


def test_all_fitted_models_are_ranked_by_default() -> None:
    ranking = POSTERIOR.rank(on=["exam"])
    assert ranking.model_ids == POSTERIOR.model_ids
    whole = POSTERIOR.predict(benchmark="exam")
    best = draws_of(whole, "score").argmax(axis=1)
    np.testing.assert_allclose(ranking.p_best, np.bincount(best, minlength=7) / best.size)
    assert len(repr(ranking)) < 2000 and "... 7 models" in repr(ranking)


def test_ranks_are_calibrated() -> None:
    """Twice the spread of everything: who leads is less sure."""
    wide, narrow = (one.rank(on=["exam"]).win for one in (POSTERIOR, RAW))
    off = ~np.eye(7, dtype=bool)
    doubt_wide, doubt_narrow = (np.abs(one[off] - 0.5) for one in (wide, narrow))
    assert (doubt_wide[doubt_narrow > 0.02] < doubt_narrow[doubt_narrow > 0.02]).all()


def test_a_ranking_that_means_nothing_is_refused() -> None:
    rank = POSTERIOR.rank
    refused(lambda: rank(["solo-1"], on=["exam"]), UsageError, "at least 2 models, got 1")
    refused(lambda: rank([], on=["exam"]), UsageError, "at least 2 models, got 0")
    refused(lambda: rank(on=[]), UsageError, "at least one benchmark")
    refused(lambda: rank(on="exam"), UsageError, "not the text 'exam'")
    refused(
        lambda: rank(["solo-1", "Solo One"], on=["exam"]),
        UsageError,
        "model 'solo-1' is named twice; name it once",
    )
    unnamed = [POSTERIOR.condition({"exam": score}) for score in (50, 60)]
    refused(lambda: rank(unnamed, on=["exam"]), UsageError, "model 'new' is named twice")
    elsewhere = front_posterior(seed=5).condition({"exam": 60}, id="rival")
    for ask in (
        lambda: rank(["solo-1", elsewhere], on=["exam"]),
        lambda: POSTERIOR.compare(elsewhere, "solo-1", on=["exam"]),
        lambda: POSTERIOR.compare("solo-1", elsewhere, on=["exam"]),
    ):
        refused(ask, UsageError, "model 'rival' was conditioned on another posterior")


def test_opened_again_it_answers_the_same(tmp_path: Path) -> None:
    path = tmp_path / "small.nc"
    POSTERIOR.save(path)
    again = open_posterior(path)
    assert type(again) is Posterior
    first, second = (one.predict("solo-1") for one in (POSTERIOR, again))
    assert isinstance(first, Prediction) and isinstance(second, Prediction)
    assert second.calibrated
    np.testing.assert_allclose(second.median, first.median, rtol=1e-6)
    np.testing.assert_allclose(second.draws(), first.draws(), rtol=1e-5)
    assert again.predict("S2", benchmark="final").model_id == "solo-2"  # type: ignore[union-attr]
    refused(lambda: open_posterior(tmp_path / "none.nc"), PosteriorFileError, "none.nc")


def test_without_a_path_the_bundled_one_is_opened() -> None:
    posterior = open_posterior()
    assert posterior.check().verdict == "pass"
    cell = posterior.predict("GPT-5", benchmark="GPQA Diamond")
    assert isinstance(cell, CellPrediction)
    assert cell.benchmark_id == "gpqa_diamond" and cell.model_id.startswith("gpt-5")
    low, high = cell.interval(0.9)
    assert 0 < low < cell.median < high < 100
    for shown in (posterior, posterior.predict("o1"), cell, posterior.rank(on=["gpqa_diamond"])):
        assert len(repr(shown)) < 2000
    # two spellings of one model in the first version of the matrix
    twin = posterior.predict("claude 3.5 sonnet 20240620", benchmark="hle")
    assert isinstance(twin, CellPrediction) and twin.model_id == "claude-3-5-sonnet-20240620"


def test_a_calibration_without_new_models_leaves_those_as_they_are() -> None:
    both = with_calibration(RAW)
    assert both.calibration is not None
    alone = replace(both, calibration=replace(both.calibration, models=None))
    new = alone.condition({"exam": 60}, id="fresh")
    assert not new.predict().calibrated
    np.testing.assert_array_equal(new.predict().median, new.predict(raw=True).median)
    fitted = alone.predict("solo-1")
    assert isinstance(fitted, Prediction) and fitted.calibrated
