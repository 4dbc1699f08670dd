"""Results: tables with a row per method, k and policy; JSON; a short repr."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.evaluation import (
    Curve,
    Evaluation,
    EvaluationResult,
    Folds,
    Policy,
    Probes,
    evaluate,
)
from bayesbench.evaluation.cells import CellTable
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_one_row_per_method(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Folds(), ["mean", Normal()])
    frame = found.to_frame()
    assert list(frame["method"]) == ["mean", "normal"] and len(found) == 2
    for name in ("medae", "medape", "within3", "within5", "coverage90", "width90", "n_cells"):
        for row, result in zip(frame[name], found, strict=True):
            assert row == result.figures[name] or math.isnan(row)
    assert frame["coverage90"].isna().tolist() == [True, False]
    assert not {"by_scale", "strata"} & set(frame)


def test_one_row_per_method_and_k(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Curve(ks=(1, 10), seeds=1), ["mean", "bias"])
    frame = found.to_frame()
    assert list(zip(frame["method"], frame["k"], strict=True)) == [
        ("mean", 1), ("mean", 10), ("bias", 1), ("bias", 10),
    ]  # fmt: skip
    assert frame["medae"].iloc[3] == found["bias"].figures["by_k"]["10"]["medae"]


def test_one_row_per_method_policy_and_k(dated_matrix: ScoreMatrix) -> None:
    policies = [Policy("b", (("b1", "b2"),)), Policy("a", (("b3", "b1"),))]
    found = evaluate(dated_matrix, Probes(policies, ks=(0, 2), sets=2), "bias")
    frame = found.to_frame()
    assert list(frame.columns[:4]) == ["method", "table", "policy", "k"]
    assert list(zip(frame["table"], frame["policy"], frame["k"], strict=True)) == [
        (table, name, k)
        for table in ("policies", "matched")
        for name in ("b", "a", "popularity", "random")
        for k in (0, 2)
    ]
    at = frame.set_index(["table", "policy", "k"])["medae"]
    for table in ("policies", "matched"):
        assert at[table, "a", 2] == found["bias"].figures[table]["a"]["2"]["medae"]
    assert not {"probes", "against", "medae_band95"} & set(frame)


def test_json_holds_every_method_and_no_nan(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Folds(), ["mean", "bias"])
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert content["protocol"] == "folds"
    assert [one["method"] for one in content["results"]] == ["mean", "bias"]
    assert content["results"][0] == found["mean"].to_json()
    assert content["results"][0]["coverage90"] is None


def test_the_first_method_is_what_the_others_are_set_against(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Folds(), [Normal(), "mean", "als"])
    frame = found.to_frame().set_index("method")
    for name in ("medae", "within5"):
        low, high = found["als"].figures[f"{name}_interval95"]
        assert tuple(frame.loc["als", [f"{name}_low95", f"{name}_high95"]]) == (low, high)
    assert np.isnan(frame.loc["normal", "medae_difference"])
    entries = {(entry["method"], entry["other"]): entry["figures"] for entry in found.against()}
    assert set(entries) == {("mean", "normal"), ("als", "normal"), ("als", "mean")}
    entry = entries["als", "normal"]["medae"]
    assert frame.loc["als", "medae_difference"] == entry["difference"]
    assert entry["difference"] == pytest.approx(
        found["als"].figures["medae"] - found["normal"].figures["medae"]
    )
    ends = frame.loc["als", ["medae_difference_low95", "medae_difference_high95"]]
    assert list(ends) == entry["interval95"]
    # the same medians: no difference, and no doubt about it
    same = entries["mean", "normal"]["medae"]
    np.testing.assert_allclose([same["difference"], *same["interval95"]], 0, atol=1e-9)
    assert found.to_json()["against"] == json.loads(json.dumps(found.against()))


def test_differences_stand_beside_the_k_they_belong_to(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Curve(ks=(1, 8), seeds=1), ["mean", "bias"])
    frame = found.to_frame().set_index(["method", "k"])
    for k in (1, 8):
        figures = [found[name].figures["by_k"][str(k)]["medae"] for name in ("bias", "mean")]
        expected = pytest.approx(figures[0] - figures[1])
        assert frame.loc[("bias", k), "medae_difference"] == expected
    assert [(entry["k"], entry["method"]) for entry in found.against()] == [
        (1, "bias"),
        (8, "bias"),
    ]


def test_policies_are_set_against_themselves(dated_matrix: ScoreMatrix) -> None:
    policies = [Policy("b", (("b1", "b2"),))]
    found = evaluate(dated_matrix, Probes(policies, ks=(0, 2), sets=2), ["mean", "bias"])
    at = {(entry["table"], entry["policy"], entry["k"]): entry for entry in found.against()}
    tables, names = ("policies", "matched"), ("b", "popularity", "random")
    assert set(at) == {(table, name, k) for table in tables for name in names for k in (0, 2)}
    for table in tables:
        figures = [found[name].figures[table]["b"]["2"]["medae"] for name in ("bias", "mean")]
        got = at[table, "b", 2]["figures"]["medae"]["difference"]
        assert got == pytest.approx(figures[0] - figures[1])


def test_repr_is_a_short_table(dated_matrix: ScoreMatrix) -> None:
    policies = [Policy(f"p{n}", (dated_matrix.benchmark_ids,)) for n in range(6)]
    protocol = Probes(policies, ks=tuple(range(8)), sets=0)
    long = repr(evaluate(dated_matrix, protocol, "mean"))
    assert len(long) < 2500 and long.splitlines()[0] == "probes"
    assert long.splitlines()[1].split()[:5] == ["method", "table", "policy", "k", "medae"]
    short = evaluate(dated_matrix, Folds(), ["mean", Normal()])
    lines = repr(short).splitlines()
    assert lines[2].split()[:2] == ["mean", f"{short['mean'].figures['medae']:.2f}"]
    assert lines[2].split()[4] == "-"
    assert repr(short["mean"]).splitlines()[0] == "folds"


def test_cells_are_written_with_their_quantiles(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    result = evaluate(dated_matrix, Folds(), Normal())["normal"]
    result.to_parquet(tmp_path / "p.parquet")
    back = pd.read_parquet(tmp_path / "p.parquet")
    np.testing.assert_array_equal(back["truth"], result.table.cells["truth"])
    np.testing.assert_allclose(back["q0.05"], result.table.cells["lower90"], rtol=1e-5)


def made(*names: str) -> Evaluation:
    table = CellTable(pd.DataFrame(), None)
    return Evaluation(
        Folds(), tuple(EvaluationResult(Folds(), name, {"medae": 1.0}, table) for name in names)
    )


def test_methods_are_found_by_name() -> None:
    assert made("als", "mean")["mean"].method == "mean"
    with pytest.raises(UnknownIdError, match="unknown method 'alz'; nearest: als"):
        made("als", "mean")["alz"]
    with pytest.raises(UsageError, match="two methods are called 'als'"):
        made("als", "mean", "als")
