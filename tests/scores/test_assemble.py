from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bayesbench.errors import SchemaError, UsageError
from bayesbench.scores.assemble import assemble
from bayesbench.scores.tables import table_of

LONG = pd.DataFrame({"model": ["m0", "m1"], "benchmark": ["elo", "acc"], "score": [1500.0, 50.0]})
STATED = pd.DataFrame({"benchmark": ["elo"], "scale": ["rating"]})


def test_long_and_wide_give_the_same_tables() -> None:
    wide = LONG.pivot(index="model", columns="benchmark", values="score")[["elo", "acc"]]
    one = assemble(table_of(LONG, "t"), "rating", None, None)
    other = assemble(table_of(wide, "t"), "rating", None, None)
    for here, there in zip(one[:3], other[:3], strict=True):
        pd.testing.assert_frame_equal(here, there)
    assert [len(table) for table in one[:3]] == [2, 2, 2]


def test_a_scale_is_for_benchmarks_without_metadata() -> None:
    _, benchmarks, _, _ = assemble(table_of(LONG, "t"), "percent", STATED, None)
    assert benchmarks["scale"].to_dict() == {"elo": "rating", "acc": "percent"}
    assert benchmarks.loc["acc", ["lower", "upper"]].tolist() == [0, 100]
    assert benchmarks.loc["elo", ["lower", "upper"]].isna().all()
    with pytest.raises(SchemaError, match="'acc' is not among"):
        assemble(table_of(LONG, "t"), None, STATED, None)


def test_without_scale_and_metadata_it_says_so() -> None:
    with pytest.raises(UsageError, match="t states no scale"):
        assemble(table_of(LONG, "t"), None, None, None)


def test_models_come_from_their_metadata_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "models.csv"
    file.write_text("model_id,provider\nm1,X\nm0,Y\nm2,Z\n")
    models, _, _, _ = assemble(table_of(LONG, "t"), "rating", None, file)
    assert models["provider"].to_dict() == {"m1": "X", "m0": "Y", "m2": "Z"}
    file.write_text("model_id,provider\nm0,Y\n")
    with pytest.raises(SchemaError, match="row 1: model_id 'm1' is not among"):
        assemble(table_of(LONG, "t"), "rating", None, file)


def test_two_scores_of_a_cell_are_refused_by_what_tells_them_apart() -> None:
    twice = LONG.assign(model="m0", benchmark="elo", metric=["acc", "f1"], note="same")
    with pytest.raises(SchemaError) as caught:
        assemble(table_of(twice, "t"), "rating", None, None)
    assert str(caught.value) == (
        "t, row 1: (m0, elo) has two scores, which differ in metric; keep the rows of one, or "
        "number them in a column `reading`"
    )
    with pytest.raises(SchemaError, match=r"reading 1 of .* stands twice"):
        assemble(table_of(twice.drop(columns="metric"), "t"), "rating", None, None)
    numbered = assemble(table_of(twice.assign(reading=[1, 2]), "t"), "rating", None, None)
    assert numbered[2]["reading"].tolist() == [1, 2]
