"""The figures of one method as plain text."""

from __future__ import annotations

from bayesbench.evaluation import Curve, Folds, evaluate, table_rows
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_rows_say_what_there_is_and_dash_what_there_is_not(dated_matrix: ScoreMatrix) -> None:
    plain = dict(table_rows(evaluate(dated_matrix, Folds(), "mean")["mean"]))
    assert plain["CRPS, percent"] == plain["median width"] == "-"
    assert plain["held-out cells"] == str(dated_matrix.n_cells)
    result = evaluate(dated_matrix, Folds(), Normal())["normal"]
    rows, figures = dict(table_rows(result)), result.figures
    low, high = figures["medae_interval95"]
    assert rows["median absolute error"] == f"{figures['medae']:.2f} ({low:.2f} to {high:.2f})"
    low, high = figures["coverage90_interval95"]
    expected = f"{figures['coverage90']:.3f} ({low:.3f} to {high:.3f})"
    assert rows["coverage of 90 % intervals"] == expected
    assert "-" not in rows.values()


def test_points_of_different_scales_are_never_pooled(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(dated_matrix, Folds(), Normal())["normal"]
    rows = dict(table_rows(result))
    assert "CRPS" not in rows and "mean interval score" not in rows
    for scale, part in result.figures["by_scale"].items():
        assert rows[f"CRPS, {scale}"] == f"{part['crps']:.2f}"
        assert rows[f"mean interval score, {scale}"] == f"{part['winkler90']:.1f}"
    percent = dated_matrix.subset(benchmarks=dated_matrix.benchmark_ids[:-1])
    alone = evaluate(percent, Folds(), Normal())["normal"]
    rows = dict(table_rows(alone))
    assert rows["CRPS"] == f"{alone.figures['crps']:.2f}"
    assert not [label for label in rows if label.endswith(", percent")]


def test_every_single_figure_of_a_protocol_has_its_row(dated_matrix: ScoreMatrix) -> None:
    percent = dated_matrix.subset(benchmarks=dated_matrix.benchmark_ids[:-1])
    for protocol in (Folds(), Curve(ks=(1,), seeds=1)):
        result = evaluate(percent, protocol, Normal())["normal"]
        single = [v for v in result.figures.values() if not isinstance(v, (dict, list))]
        assert len(table_rows(result)) == len(single)
