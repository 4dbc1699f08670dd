"""The figures of one method as plain text."""

from __future__ import annotations

from bayesbench.evaluation import Curve, Folds, evaluate, table_rows
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_rows_say_what_there_is_and_dash_what_there_is_not(dated_matrix: ScoreMatrix) -> None:
    plain = dict(table_rows(evaluate(dated_matrix, Folds(), "mean")["mean"]))
    assert plain["CRPS"] == plain["median width"] == "-"
    assert plain["held-out cells"] == str(dated_matrix.n_cells)
    result = evaluate(dated_matrix, Folds(), Normal())["normal"]
    rows = dict(table_rows(result))
    assert rows["median absolute error"] == f"{result.figures['medae']:.2f}"
    assert rows["coverage of 90 % intervals"] == f"{result.figures['coverage90']:.3f}"
    assert "-" not in rows.values()


def test_every_single_figure_of_a_protocol_has_its_row(dated_matrix: ScoreMatrix) -> None:
    for protocol in (Folds(), Curve(ks=(1,), seeds=1)):
        result = evaluate(dated_matrix, protocol, Normal())["normal"]
        single = [v for v in result.figures.values() if not isinstance(v, (dict, list))]
        assert len(table_rows(result)) == len(single)
