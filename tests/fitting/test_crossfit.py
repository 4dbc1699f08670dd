"""Cross-fits: what is predicted was never trained on, new models follow time, small sizes work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import PREDICTIVE_LEVELS, predict_cells, predictive
from bayesbench.design.gain import most_informative
from bayesbench.design.recommend import recommend
from bayesbench.errors import ScoreError
from bayesbench.fitting import crossfit
from bayesbench.fitting.crossfit import (
    CHANCE_BLOCKS,
    CHANCE_SHARE,
    RECOMMENDED,
    SHOWN,
    SHOWN_PER_MODEL,
    USUAL_FITS,
    HeldOut,
    condition_on_row,
    held_out_cells,
    held_out_models,
    held_out_releases,
    learned_calibration,
)
from bayesbench.fitting.engines.contract import Engine
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.calibration import FEATURES, TOLD
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.factories import make_matrix, make_posterior

SPEC = ModelSpec(rank=1)
TINY = Gibbs(chains=1, warmup=5, draws=10, thin=1)
LIGHT = NUTS().lighter()


class Spy:
    """Takes the place of the sampler: notes what it was given, answers with random draws.

    Fits run in threads; each has a seed of its own, which puts them in order.
    """

    def __init__(self) -> None:
        self.by_seed: dict[int, ScoreMatrix] = {}
        self.readings: list[int] = []
        self.engines: set[Engine] = set()

    @property
    def seeds(self) -> list[int]:
        return sorted(self.by_seed)

    @property
    def seen(self) -> list[ScoreMatrix]:
        return [self.by_seed[seed] for seed in self.seeds]

    def __call__(
        self, matrix: ScoreMatrix, spec: ModelSpec, engine: Engine, **options: Any
    ) -> StoredPosterior:
        self.engines.add(engine)
        options["report"](1, 1)
        self.by_seed[options["seed"]] = matrix
        self.readings.append(options["n_readings"])
        return make_posterior(matrix=matrix, spec=spec, n_draws=20)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    made = Spy()
    monkeypatch.setattr(crossfit, "sample", made)
    return made


@dataclass(frozen=True)
class Note:
    """How a left-out model was asked about."""

    model: int
    columns: tuple[int, ...]
    facts: dict[str, Any]
    model_id: str | None


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Note]:
    """Every conditioning of a left-out model."""
    calls: list[Note] = []
    real = crossfit._Asked.draws

    def draws(self: Any, posterior: StoredPosterior, shown: Any, seed: int) -> Any:
        assert not posterior.matrix.observed[self.model].any()
        assert self.matrix.observed[self.model, shown].all()
        columns = tuple(int(column) for column in shown)
        calls.append(Note(self.model, columns, self.facts.given, self.model_id))
        return real(self, posterior, shown, seed)

    monkeypatch.setattr(crossfit._Asked, "draws", draws)
    return calls


@pytest.fixture
def matrix() -> ScoreMatrix:
    return make_matrix(3, 12, 10)


def dated(matrix: ScoreMatrix, dates: list[str | None]) -> ScoreMatrix:
    models = matrix.models.assign(release_date=dates).rename_axis("model_id").reset_index()
    benchmarks = matrix.benchmarks.rename_axis("benchmark_id").reset_index()
    return ScoreMatrix.from_frame(matrix.readings, models=models, benchmarks=benchmarks)


def test_held_out_cells_never_enter_the_training_scores(matrix: ScoreMatrix, spy: Spy) -> None:
    parts = held_out_cells(matrix, SPEC, LIGHT, seed=4)
    splits = per_model_folds(matrix, 3, 4)
    assert len(parts) == len(splits) == 3
    for part, split, train in zip(parts, splits, spy.seen, strict=True):
        hidden = split.mask(matrix.shape)
        assert not train.observed[hidden].any()
        np.testing.assert_array_equal(train.observed, matrix.observed & ~hidden)
        known = train.observed.any(axis=0)[split.cells[:, 1]]
        assert part.truth.size == known.sum()
        assert part.quantiles.shape == (known.sum(), PREDICTIVE_LEVELS.size)
    assert spy.seeds == [4, 5, 6]
    assert set(spy.readings) == {matrix.n_cells}  # one shape, one compiled program


def test_truth_is_on_the_scale_of_the_fit_that_predicts_it(matrix: ScoreMatrix, spy: Spy) -> None:
    part = held_out_cells(matrix, SPEC, LIGHT, seed=4)[0]
    split, train = per_model_folds(matrix, 3, 4)[0], spy.seen[0]
    cells = split.cells[train.observed.any(axis=0)[split.cells[:, 1]]]
    made = predict_cells(make_posterior(matrix=train, spec=SPEC, n_draws=20), cells)
    scores = matrix.values[cells[:, 0], cells[:, 1]]
    np.testing.assert_allclose(part.truth, made.transform.to_latent(scores, made.column))
    np.testing.assert_allclose(part.quantiles, made.quantiles)
    per_model = train.observed.sum(axis=1)[cells[:, 0]]
    np.testing.assert_allclose(
        part.features[:, FEATURES.index("log_model_scores")], np.log(per_model + 1.0)
    )


def test_new_models_are_predicted_from_earlier_ones_where_dates_are_known(
    matrix: ScoreMatrix, spy: Spy, noted: list[Note]
) -> None:
    months = np.random.default_rng(1).permutation(12)
    matrix = dated(matrix, [f"2024-{month + 1:02d}" for month in months])
    blocks = held_out_models(matrix, SPEC, LIGHT, seed=4, n_blocks=3)
    assert len(blocks) == 3 + CHANCE_BLOCKS
    by_time, by_chance = spy.seen[:3], spy.seen[3:]
    left_out = set()
    for train in by_time:
        trained = months[train.observed.any(axis=1)]
        block = [model for model in range(12) if months[model] > trained.max()]
        assert sorted(trained) == list(range(trained.max() + 1))  # everything released before
        left_out |= set(block)
    assert months[sorted(left_out)].min() == 4  # the first third only trains
    gone = [np.flatnonzero(~train.observed.any(axis=1)) for train in by_chance]
    assert [part.size for part in gone] == [round(CHANCE_SHARE * 12)] * CHANCE_BLOCKS
    assert {note.model for note in noted} <= left_out | set(np.concatenate(gone).tolist())


def test_models_without_a_date_are_dealt_to_the_blocks_by_time(
    matrix: ScoreMatrix, spy: Spy
) -> None:
    dates = [f"2024-{month + 1:02d}" for month in range(8)] + [None] * 4
    matrix = dated(matrix, dates)
    held_out_models(matrix, SPEC, LIGHT, seed=4, n_blocks=2)
    hidden = np.array([~train.observed.any(axis=1) for train in spy.seen[:2]])
    np.testing.assert_array_equal(hidden[:, 8:].sum(axis=0), 1)
    assert hidden[:, 8:].any(axis=1).all()
    # with three dates for each of five blocks time says too little
    spy.by_seed.clear()
    held_out_models(dated(matrix, dates[5:8] + [None] * 9), SPEC, LIGHT, seed=4, n_blocks=5)
    assert len(spy.seen) == 5
    whole = np.array([~train.observed.any(axis=1) for train in spy.seen])
    np.testing.assert_array_equal(whole.sum(axis=0), 1)


def test_new_models_are_drawn_at_random_without_dates(
    matrix: ScoreMatrix, spy: Spy, noted: list[Note]
) -> None:
    matrix = dated(matrix, [None] * 12)
    held_out_models(matrix, SPEC, LIGHT, seed=4, n_blocks=4)
    hidden = np.array([~train.observed.any(axis=1) for train in spy.seen])
    np.testing.assert_array_equal(hidden.sum(axis=0), 1)  # every model is left out once
    for train, gone in zip(spy.seen, hidden, strict=True):
        np.testing.assert_array_equal(train.observed[~gone], matrix.observed[~gone])
    assert len({note.model for note in noted}) > 6


def test_scores_shown_are_scores_of_the_model_and_are_not_predicted(
    matrix: ScoreMatrix, spy: Spy, noted: list[Note]
) -> None:
    matrix = dated(matrix, [None] * 12)
    made = HeldOut.joined(held_out_models(matrix, SPEC, LIGHT, seed=4))
    own = matrix.observed.sum(axis=1)
    known = [train.observed.any(axis=0).all() for train in spy.seen]
    assert all(known)
    counts = np.round(np.exp(made.features[:, FEATURES.index("log_model_scores")]) - 1)
    for note in noted:
        assert len(set(note.columns)) == len(note.columns) < own[note.model]
    for k in np.unique(counts):
        predicted = sum(own[note.model] - k for note in noted if len(note.columns) == k)
        assert 0 < (counts == k).sum() <= predicted
    # a model with few scores shows all but one of them
    assert set(counts) <= {*SHOWN, *RECOMMENDED, *(own - 1)}


def test_left_out_models_are_asked_about_as_users_ask(
    matrix: ScoreMatrix, spy: Spy, noted: list[Note]
) -> None:
    matrix = dated(matrix, [f"2024-{month + 1:02d}" for month in range(12)])
    made = HeldOut.joined(held_out_models(matrix, SPEC, LIGHT, seed=4, n_blocks=3))
    ids = {note.model_id for note in noted}
    assert None in ids and len(ids) > 2
    whole = [ModelFacts.of(matrix, note.model).given for note in noted]
    kept = [len(note.facts) / len(given) for note, given in zip(noted, whole, strict=True) if given]
    assert {0.0, 1.0} <= set(kept) and any(0 < share < 1 for share in kept)
    told = made.features[:, [FEATURES.index(name) for name in TOLD]]
    assert (np.unique(told, axis=0).shape[0]) > 2
    assert np.unique(made.part).size == len(spy.seen)


def test_scores_are_also_shown_in_the_order_in_which_they_would_be_recommended(
    matrix: ScoreMatrix, spy: Spy
) -> None:
    """Asked without facts and id, the first benchmark shown is the first one recommended."""
    matrix = dated(matrix, [None] * 12)
    posterior = make_posterior(matrix=matrix.mask(_row(matrix, 3)), spec=SPEC, n_draws=60)
    asked = crossfit._Asked(matrix, 3, ModelFacts(), None)
    own = np.flatnonzero(matrix.observed[3])
    draws = asked.draws(posterior, own[:0], 1)
    best = recommend(
        draws,
        predictive(draws, posterior.transform),
        candidates=[matrix.benchmark_ids[j] for j in own],
        k=1,
    )
    assert matrix.benchmark_ids[own[most_informative(draws, own)]] == best[0].benchmark_id


def _row(matrix: ScoreMatrix, model: int) -> np.ndarray:
    hidden = np.zeros(matrix.shape, dtype=bool)
    hidden[model] = matrix.observed[model]
    return hidden


def test_releases_are_fitted_together_with_what_they_show(matrix: ScoreMatrix, spy: Spy) -> None:
    months = np.random.default_rng(1).permutation(12)
    matrix = dated(matrix, [f"2024-{month + 1:02d}" for month in months])
    parts = held_out_releases(matrix, SPEC, LIGHT, seed=4, n_blocks=3)
    assert len(spy.seen) == len(parts) == 3 * SHOWN_PER_MODEL
    whole = np.asarray(matrix.observed)
    for part, train in zip(parts, spy.seen, strict=True):
        observed = np.asarray(train.observed)
        assert not (observed & ~whole).any()
        partial = observed.sum(axis=1) < whole.sum(axis=1)
        complete = months[observed.any(axis=1) & ~partial]
        assert partial.any()
        assert months[partial].min() >= 4  # the first third only trains
        # all released before the block train with every score they have
        assert set(range(months[partial].min())) <= set(complete.tolist())
        assert all(count in SHOWN for count in observed[partial].sum(axis=1))
        counts = np.exp(part.features[:, FEATURES.index("log_model_scores")]) - 1
        shown_in_block = set(observed[partial].sum(axis=1).tolist())
        assert set(np.round(counts).astype(int).tolist()) <= shown_in_block
    assert set(spy.readings) == {matrix.n_cells}


def test_a_wild_score_on_an_unbounded_scale_is_taken_as_published(matrix: ScoreMatrix) -> None:
    """Left out, a score may lie ever so far from the rest: cross-fits must not stop there."""
    posterior = make_posterior(matrix=matrix, n_draws=20)
    frame = matrix.to_frame()
    frame.loc[frame["benchmark_id"] == "bench_2", "score"] += 1e6
    moved = ScoreMatrix.from_frame(frame, benchmarks=matrix.benchmarks, models=matrix.models)
    column = matrix.benchmark_index("bench_2")
    model = int(np.flatnonzero(moved.observed[:, column])[0])
    made = condition_on_row(posterior, moved, model, np.array([column]), seed=1)
    assert np.isfinite(made.median).all()
    with pytest.raises(ScoreError, match="own scale"):
        condition(posterior, {"bench_2": float(moved.values[model, column])})


def test_models_without_scores_are_in_no_block(matrix: ScoreMatrix, spy: Spy) -> None:
    hidden = np.zeros(matrix.shape, dtype=bool)
    hidden[:4] = True
    rest = dated(matrix, [None] * 12).mask(hidden & matrix.observed)
    held_out_models(rest, SPEC, LIGHT, seed=4, n_blocks=4, n_readings=500)
    assert [int(train.observed.any(axis=1).sum()) for train in spy.seen] == [6, 6, 6, 6]
    assert set(spy.readings) == {500}


def test_both_recalibrations_are_learned_from_fits_by_the_given_engine(
    matrix: ScoreMatrix, spy: Spy
) -> None:
    shares: list[float] = []
    matrix = dated(matrix, [None] * 12)
    found = learned_calibration(
        matrix, SPEC, LIGHT, seed=4, report=lambda done, total, note="": shares.append(done / total)
    )
    assert found is not None and found.models is not None
    assert found.engine == "nuts"
    assert spy.engines == {LIGHT}
    assert len(spy.readings) == USUAL_FITS - CHANCE_BLOCKS  # without dates all blocks are random
    assert shares == sorted(shares) and shares[-1] == 1
    for part in (found.cells, found.models):
        assert (np.diff(part.errors) >= 0).all()


def test_recalibration_is_that_of_its_two_kinds_of_held_out_predictions(
    matrix: ScoreMatrix, spy: Spy
) -> None:
    matrix = dated(matrix, [None] * 12)
    found = learned_calibration(matrix, SPEC, LIGHT, seed=4)
    assert found is not None and found.models is not None
    for kind, part, made in (
        ("cells", found.cells, held_out_cells(matrix, SPEC, LIGHT, seed=4)),
        ("models", found.models, held_out_models(matrix, SPEC, LIGHT, seed=4)),
    ):
        expected = HeldOut.joined(made).recalibration(kind)
        assert expected is not None
        np.testing.assert_array_equal(part.errors, expected.errors)
        np.testing.assert_array_equal(part.upper, expected.upper)


def test_too_few_cells_give_no_recalibration_and_cost_no_fit(spy: Spy) -> None:
    small = make_matrix(0, 5, 4)
    assert small.n_cells < 40
    assert learned_calibration(small, SPEC, LIGHT, seed=1) is None
    assert not spy.readings


@pytest.mark.slow
def test_the_sampler_itself_cross_fits_a_small_matrix() -> None:
    matrix = make_matrix(0, 6, 5)
    spec = replace(SPEC, families=False)
    made = HeldOut.joined(held_out_cells(matrix, spec, TINY, seed=2))
    assert made.truth.size > 0
    assert np.isfinite(made.quantiles).all()
    assert np.isfinite(made.truth).all()
    assert made.recalibration() is None
