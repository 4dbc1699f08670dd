"""Two ids of one model."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bayesbench.scores import ScoreMatrix, identity, open_scores
from bayesbench.scores.identity import (
    AGREE,
    DATED,
    OTHER_DATE,
    REREADING,
    SPELLING,
    SameModel,
    _Evidence,
    same_models,
)
from tests.design.design_helpers import failed_examples


def table(rows: dict[str, list[float | None]]) -> ScoreMatrix:
    frame = pd.DataFrame.from_dict(rows, orient="index", dtype=float)
    return ScoreMatrix.from_frame(frame.set_axis([f"b{j}" for j in frame], axis=1), scale="percent")


def crowd(seed: int = 0, models: int = 30, benchmarks: int = 12) -> dict[str, list[float | None]]:
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(models, 1)) + 0.5 * rng.normal(size=(models, benchmarks))
    return {f"other-{i}x": row for i, row in enumerate((50 + 12 * latent).round(1).tolist())}


def between(pairs: tuple[SameModel, ...], one: str, other: str) -> float:
    found = [p.probability for p in pairs if {p.first, p.second} == {one, other}]
    return found[0] if found else 0.0


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("claude-3.5-sonnet-20240620", "claude-3-5-sonnet-20240620", 0.99, 1),
        ("GPT-4o", "openai/gpt-4o", 0.99, 1),
        ("gpt-4o", "gpt-4o-2024-05-13", 0.99, 1),
        ("mistral-large-2407", "mistral-large-2024-07-24", 0.0, 1),
        ("kimi-k2", "kimi-k2-instruct", 0.9, 1),
    ],
)
def test_names_and_equal_scores_together(one: str, other: str, low: float, high: float) -> None:
    rows = crowd()
    rows |= {
        one: [60.1, 71.3, 55.2, 40.8, *[None] * 8],
        other: [60.1, 71.3, 55.2, 41.0, *[None] * 8],
    }
    assert low <= between(same_models(table(rows), 0.0), one, other) <= high


def test_scores_that_differ_speak_against_alike_names() -> None:
    rows = crowd()
    rows |= {"gpt-4": [30.0] * 12, "gpt-4-0613": [70.0] * 12}
    assert between(same_models(table(rows), 0.0), "gpt-4", "gpt-4-0613") < 0.01


def test_snapshots_that_are_close_but_never_equal_are_two_models() -> None:
    rows = crowd()
    base = np.linspace(40, 70, 12)
    rows |= {"m-2024-05-13": base.tolist(), "m-2024-08-06": (base + 0.3).tolist()}
    assert between(same_models(table(rows), 0.0), "m-2024-05-13", "m-2024-08-06") < 0.01


def test_equal_scores_alone_find_what_names_hide() -> None:
    rows = crowd()
    rows |= {"alpha": np.linspace(40, 71, 12).tolist(), "omega": np.linspace(40, 71, 12).tolist()}
    (pair,) = same_models(table(rows))
    assert (pair.first, pair.second, pair.equal, pair.shared) == ("alpha", "omega", 12, 12)
    assert pair.reason == "different names; 12 of 12 shared scores are equal"


@pytest.mark.parametrize(
    ("one", "other", "prior"),
    [
        ("a-b.1", "a_b-1", SPELLING), ("org/a-b", "a b", SPELLING),
        ("a-b", "a-b-20240620", DATED), ("a-b", "a-b-0620", DATED),
        ("a-b-2024-06-20", "a-b-20240620", SPELLING), ("a-b-0620", "a-b-20240620", SPELLING),
        ("a-b-20240620", "a-b-20241022", OTHER_DATE),
    ],
)  # fmt: skip
def test_without_scores_in_common_the_names_alone_decide(
    one: str, other: str, prior: float
) -> None:
    rows: dict[str, list[float | None]] = {one: [60.0, None], other: [None, 60.0]}
    assert between(same_models(table(rows), 0.0), one, other) == pytest.approx(prior)


def test_different_sizes_and_versions_are_no_pair() -> None:
    rows: dict[str, list[float | None]] = {
        name: [60.0, None] for name in ("a-7b", "a-70b", "a-1.5", "a-15", "a-mini")
    }
    names = [{p.first, p.second} for p in same_models(table(rows), 0.0)]
    assert names == [{"a-1.5", "a-15"}] or names == []


def test_the_evidence_is_the_ratio_of_the_densities() -> None:
    """By hand: one equal cell, one that differs by d standard deviations."""
    values = np.array([[10.0, 50.0], [10.0, 50.5], [30.0, 60.0], [40.0, 70.0]])
    spread, ties = np.array([12.0, 8.0]), np.array([0.1, 0.07])
    shared, equal, ratio = _Evidence(values, spread, ties).between(0, 1)
    d = 0.5 / 8.0
    near = math.exp(-d / REREADING) / REREADING
    far = 0.5 * math.exp(-d / 0.4) / 0.4 + 0.5 * math.exp(-(d**2) / 4) / math.sqrt(math.pi)
    same = AGREE * (1 - AGREE) * near
    other = 0.3 * 0.05 * 0.95 * near + 0.7 * 0.1 * (1 - 0.07) * far
    assert (shared, equal) == (2, 1)
    assert ratio == pytest.approx(math.log(same / other), rel=1e-12)


def test_densities_integrate_to_one() -> None:
    d = np.linspace(0, 40, 400_001)
    for density in (
        identity._laplace(d, REREADING),
        0.5 * identity._laplace(d, 0.4) + 0.5 * np.exp(-(d**2) / 4) / math.sqrt(math.pi),
    ):
        assert np.trapezoid(density, d) == pytest.approx(1.0, abs=1e-4)


def test_the_twins_of_the_bundled_matrix_are_found() -> None:
    found = same_models(open_scores())
    twins = ("claude-3-5-sonnet-20240620", "claude-3.5-sonnet-20240620")
    if set(twins) <= set(open_scores().model_ids):
        assert between(found, *twins) > 0.9
    assert all(0.5 <= pair.probability <= 1 for pair in found)
    assert len(found) < 40


def test_examples() -> None:
    assert failed_examples(identity) == 0
