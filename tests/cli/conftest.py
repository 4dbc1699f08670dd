"""The command line in process, on a small posterior with known ids."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bayesbench.cli import main
from bayesbench.items.bank_file import save_bank
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank
from tests.factories import make_posterior


@dataclass(frozen=True)
class Result:
    """What one call gave."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Stdout as JSON; NaN and infinity are refused."""
        assert self.code == 0, self.err

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} in JSON")

        return json.loads(self.out, parse_constant=refuse)


Run = Callable[..., Result]

HEAVY = {"jax", "numpyro", "scipy", "xarray", "matplotlib", "arviz_base", "arviz_stats", "rich"}


def loaded(repository: Path, code: str) -> set[str]:
    """Modules a new process has loaded after `code`."""
    found = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return set(found.stdout.splitlines()[-1].split())


@pytest.fixture(autouse=True)
def no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """No width is stated: tables have all their columns."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line with separate arguments."""

    def call(*args: object) -> Result:
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture(scope="session")
def posterior_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 models x 5 benchmarks: bench_0 .. bench_4, of which bench_2 is a rating."""
    path = tmp_path_factory.mktemp("posterior") / "small.nc"
    make_posterior().save(path)
    return path


@pytest.fixture
def ask(run: Run, posterior_file: Path) -> Run:
    """Call a command with ``--posterior`` set to the small one."""

    def call(*args: object) -> Result:
        return run(*args, "--posterior", posterior_file)

    return call


@pytest.fixture(scope="session")
def scores_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long CSV in percent: 8 models x 4 benchmarks, all scored."""
    path = tmp_path_factory.mktemp("data") / "scores.csv"
    rows = [f"m{i},b{j},{20 + 7 * i + 3 * j + (i * j) % 4}" for i in range(8) for j in range(4)]
    path.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def full_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long CSV in percent, large enough for a complete submatrix: 14 models x 7 benchmarks."""
    path = tmp_path_factory.mktemp("data") / "full.csv"
    rows = [f"m{i},b{j},{15 + 5 * i + 2 * j + (i * j) % 5}" for i in range(14) for j in range(7)]
    path.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def item_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with answers of 60 models to 24 items of 2 benchmarks, and a bank of them.

    ``answers.csv`` has families and categories; ``new.csv`` holds 6 answers of a 61st model.
    """
    place = tmp_path_factory.mktemp("items")
    drawn = simulate_items(61, 24, factors=1, benchmarks=2, seed=9).responses
    rows = ["model_id,item_id,benchmark_id,category,correct,family"]
    for model in range(60):
        for item in range(24):
            about = f"item_{item},benchmark_{item % 2},{'easy' if item < 8 else 'hard'}"
            rows.append(f"model_{model},{about},{drawn.correct[model, item]},f{model % 6}")
    (place / "answers.csv").write_text("\n".join(rows) + "\n")
    given = "".join(f"item_{item},{drawn.correct[60, item]}\n" for item in range(6))
    (place / "new.csv").write_text("item_id,correct\n" + given)
    learned = drawn.subset(models=range(60))
    category = ["easy" if item < 8 else "hard" for item in range(24)]
    bank = fit_bank(replace(learned, items=learned.items.assign(category=category)), factors=1)
    save_bank(replace(bank, width_factors={5: 1.3, 20: 1.5}), place / "bank.nc")
    return place
