"""``export`` and ``export-prompt``, and ``evaluate --method external`` on what comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.scores import ScoreMatrix, per_model_folds
from bayesbench.scores.exports import read_matrix
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


def test_export_writes_what_the_suffix_says(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    call = ("export", "--data", scores_csv, "--scale", "percent")
    for name, kind in (("a.parquet", "parquet"), ("a.nc", "netcdf"), ("a", "directory")):
        found = run(*call, "--out", tmp_path / name)
        assert (found.code, found.out) == (0, "")
        assert found.err.endswith(f"note: 32 readings written to {tmp_path / name} as {kind}\n")
        again = read_matrix(tmp_path / name)
        assert again.data_hash == ScoreMatrix.from_csv(scores_csv, scale="percent").data_hash
    assert run(*call, "--as", "every-eval-ever", "--out", tmp_path / "r").code == 0
    assert len(list((tmp_path / "r").iterdir())) == 8


def test_export_refuses_what_it_cannot_write(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    call = ("export", "--data", scores_csv, "--scale", "percent", "--out")
    found = run(*call, tmp_path / "a.doc")
    assert found.code == 2 and "suffix .doc is not known" in found.err
    found = run(*call, tmp_path / "no" / "a.csv")
    assert found.code == 2 and "there is no directory" in found.err
    found = run(*call, tmp_path)
    assert found.code == 1 and "exists already" in found.err
