"""``bayesbench export-prompt``, and ``evaluate --method external`` on what comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.scores import ScoreMatrix, per_model_folds
from tests.cli.conftest import Run


def test_export_and_external_predictions_fit_together(
    run: Run, scores_csv: Path, tmp_path: Path
) -> None:
    data = ("--data", scores_csv, "--scale", "percent", "--seed", "3")
    matrix = ScoreMatrix.from_csv(scores_csv, scale="percent")
    split = per_model_folds(matrix, seed=3)[1]
    table = [row.split(",") for row in run("export-prompt", *data, "--fold", "1").out.splitlines()]
    asked = [
        (row[0], table[0][j]) for row in table[1:] for j, cell in enumerate(row) if cell == "?"
    ]
    assert len(asked) == len(split.cells)
    for model, benchmark in split.cells:
        assert (matrix.model_ids[model], matrix.benchmark_ids[benchmark]) in asked
    answers = tmp_path / "answers.csv"
    truth = matrix.to_frame(wide=True)
    lines = [f"{model},{name},{truth.loc[model, name] + 2}" for model, name in asked]
    answers.write_text("model_id,benchmark_id,predicted\n" + "\n".join(lines) + "\n")
    figures = run("evaluate", *data, "--method", "external", "--predictions", answers,
                  "--no-resume", "--format", "json").json()  # fmt: skip
    assert figures["medae"] == pytest.approx(2.0)
    assert figures["n_cells"] == len(asked)


def test_export_to_a_file(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    call = ("export-prompt", "--data", scores_csv, "--scale", "percent")
    out = tmp_path / "prompt.csv"
    found = run(*call, "--out", out)
    assert found.out == "" and found.err.startswith("note: ")
    assert out.read_text() == run(*call).out
