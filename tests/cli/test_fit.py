"""``bayesbench fit``, interrupted: one line, exit 130, nothing on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# a shell starts background jobs with SIGINT ignored, and tests may be one
PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayesbench.cli import main
from bayesbench.fitting import fit as fitting

stage, *sys.argv[1:] = sys.argv[1:]
fit, said = fitting.fit, []

def report(done, total, note=""):
    if note in stage.split("|") and not said:
        said.append(True)
        os.write(1, b"ready\\n")

fitting.fit = lambda *args, **options: fit(*args, **{**options, "progress": report})
sys.exit(main())
"""
ENDLESS = {"gibbs": ("--thin", "100000000"), "nuts": ("--warmup", "100000000"),
           "svi": ("--steps", "100000000")}  # fmt: skip
SHORT = {"gibbs": ("--chains", "2", "--warmup", "10", "--draws", "10", "--thin", "1"),
         "nuts": ("--chains", "1", "--warmup", "10", "--draws", "10"),
         "svi": ("--steps", "100", "--draws", "20")}  # fmt: skip


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 models x 9 benchmarks: enough to recalibrate."""
    path = tmp_path_factory.mktemp("data") / "scores.csv"
    rows = [f"m{i},b{j},{10 + 5 * i + 3 * j + (i * j) % 7}" for i in range(12) for j in range(9)]
    path.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def interrupted(
    repository: Path, scores: Path, cache: Path, folder: Path, stage: str, method: str, *args: str
) -> None:
    """Ctrl-C at the first report of a stage: the settings would keep the process for hours."""
    call = ["fit", "--data", str(scores), "--scale", "percent", "--min-model", "1", "--rank", "0",
            "--min-benchmark", "1", "--method", method, *args]  # fmt: skip
    call += ["--out", str(folder / "fit.nc")]
    environment = {**os.environ, "PYTHONPATH": str(repository), "XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stage, *call],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=120)
        finally:
            running.kill()
    lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert (running.returncode, out, lines) == (130, "", ["error: interrupted"])
    assert list(folder.iterdir()) == []


pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")


@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_before_the_first_draw(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    """While the program is compiled."""
    interrupted(
        repository, scores, cache, tmp_path, "sampling, compiling", method, *ENDLESS[method]
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_while_it_samples(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    """Inside a compiled block: one of Gibbs takes hours."""
    interrupted(repository, scores, cache, tmp_path, "sampling", method, *ENDLESS[method])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_while_it_recalibrates(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    interrupted(
        repository,
        scores,
        cache,
        tmp_path,
        "recalibration|recalibration, compiling",
        method,
        *SHORT[method],
    )
