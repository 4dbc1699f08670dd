"""Models outside a posterior: which are new, which benchmarks are the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import DataError
from bayesbench.evaluation.protocols.outside import with_outsiders
from bayesbench.scores import ScoreMatrix
from tests.front.front_helpers import front_posterior

POSTERIOR = front_posterior()
OWN = POSTERIOR.matrix


def data(benchmarks: list[dict[str, object]], models: dict[str, str | None]) -> ScoreMatrix:
    """Every model has every score: 10 + 10 i + j."""
    ids = [str(one["benchmark_id"]) for one in benchmarks]
    values = 10.0 + 10 * np.arange(len(models))[:, None] + np.arange(len(ids))
    frame = pd.DataFrame(values, index=list(models), columns=ids)
    table = pd.DataFrame({"model_id": list(models), "name": list(models.values())})
    table["provider"], table["reasoning"] = "Aleph", True
    return ScoreMatrix.from_frame(frame, benchmarks=pd.DataFrame(benchmarks), models=table)


PERCENT = {"scale": "percent"}


def test_only_new_models_come_and_keep_what_is_known_of_them() -> None:
    models = {
        "solo-1": None,
        "S2": None,
        "other": "Tetra",
        "Duet": None,
        "fresh": None,
        "newer": None,
    }
    made = with_outsiders(POSTERIOR, data([{"benchmark_id": "gpqa", **PERCENT}], models))
    # an id, an alias, a display name and an ambiguous name are all known
    assert made.model_ids == (*OWN.model_ids, "fresh", "newer")
    assert made.benchmark_ids == OWN.benchmark_ids
    m = OWN.shape[0]
    np.testing.assert_array_equal(made.values[:m], OWN.values)
    column = OWN.benchmark_index("gpqa")
    assert made.values[m:, column].tolist() == [50.0, 60.0]
    assert made.observed[m:].sum() == 2
    assert made.models["provider"].iloc[m] == "Aleph" and bool(made.models["reasoning"].iloc[m])
    assert made.models.iloc[:m].equals(OWN.models[made.models.columns])


def test_a_benchmark_is_the_same_if_its_scale_is() -> None:
    columns = [
        {"benchmark_id": "GPQA-diamond", "scale": "percent"},
        {"benchmark_id": "gpqa_diamond", "scale": "percent"},
        {"benchmark_id": "exam", "scale": "points", "lower": 0, "upper": 100},
        {"benchmark_id": "error_rate", "scale": "percent"},
        {"benchmark_id": "humaneval", "scale": "percent"},
        {"benchmark_id": "quiz", "scale": "percent"},
        {"benchmark_id": "unheard", "scale": "percent"},
    ]
    made = with_outsiders(POSTERIOR, data(columns, {"fresh": None}))
    row = made.values[-1]
    shown = {made.benchmark_ids[j]: row[j] for j in np.flatnonzero(np.isfinite(row))}
    # the very id before another spelling; another scale or direction, an ambiguous name: left out
    assert shown == {"gpqa_diamond": 11.0, "humaneval": 14.0}


def test_prepared_once_is_prepared() -> None:
    once = with_outsiders(POSTERIOR, data([{"benchmark_id": "gpqa", **PERCENT}], {"fresh": None}))
    again = with_outsiders(POSTERIOR, once)
    assert again.model_ids == once.model_ids and again.data_hash == once.data_hash


def test_nothing_new_is_an_error() -> None:
    with pytest.raises(DataError, match="no model outside the posterior"):
        with_outsiders(POSTERIOR, OWN)
    with pytest.raises(DataError, match="no model outside the posterior"):
        with_outsiders(POSTERIOR, data([{"benchmark_id": "unheard", **PERCENT}], {"fresh": None}))
