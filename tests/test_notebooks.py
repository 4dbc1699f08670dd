from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = (
    "01_quickstart",
    "02_posterior_checks",
    "03_structure",
    "04_how_many_benchmarks",
    "05_which_benchmark_next",
    "07_fewer_questions",
)
MACHINE_PATH = re.compile(r"/(?:home|root|tmp|work|Users)/")


def read(repository: Path, name: str) -> nbformat.NotebookNode:
    path = repository / "notebooks" / f"{name}.ipynb"
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [out for cell in notebook.cells for out in cell.get("outputs", [])]


def assert_ran(notebook: nbformat.NotebookNode) -> None:
    """Every code cell ran, in order, without error or warning, and something was drawn."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {out.output_type for out in outputs(notebook)}
    assert "error" not in kinds
    assert [out.text for out in outputs(notebook) if out.get("name") == "stderr"] == []
    assert any("image/png" in out.get("data", {}) for out in outputs(notebook))


def test_all_notebooks_are_tested(repository: Path) -> None:
    found = sorted(path.stem for path in (repository / "notebooks").glob("*.ipynb"))
    assert found == sorted(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_with_outputs(repository: Path, name: str) -> None:
    notebook = read(repository, name)
    nbformat.validate(notebook)
    assert_ran(notebook)
    text = json.dumps(
        [
            cell.source if cell.cell_type == "markdown" else [cell.source, cell.outputs]
            for cell in notebook.cells
        ]
    )
    assert MACHINE_PATH.search(re.sub(r'"image/png": "[^"]*"', "", text)) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_runs_in_fast_mode(repository: Path, name: str) -> None:
    notebook = read(repository, name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # the kernel draws inline whatever backend the tests run under
    env = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    env |= {"BAYESBENCH_FAST": "1", "PYTHONPATH": str(repository)}
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(repository / "notebooks")}}
    )
    client.execute(env=env)
    assert_ran(notebook)
