"""A disk that is full: one line, exit code 1, what stood there stays and nothing else is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file sizes are limited the POSIX way")

LIMIT = 600
"""Bytes a file may have: every file written here would be larger."""

SCRIPT = """
import contextlib, io, json, resource, signal, sys
from pathlib import Path

folder, limit, calls = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
from bayesbench.cli import main
from bayesbench.evaluation import subsets
from bayesbench.fitting import crossfit, fit
from tests.factories import make_posterior

def made(matrix, spec, *_, **__):
    return make_posterior(matrix=matrix, spec=spec, n_draws=400)

fit.sample = crossfit.sample = subsets.sample = made
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
found = []
for call in calls:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(call)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.append({"code": code, "out": out.getvalue(), "err": err.getvalue(),
                  "left": sorted(str(path) for path in after.keys() ^ before.keys()),
                  "changed": sorted(str(p) for p in after if before.get(p, after[p]) != after[p])})
print(json.dumps(found))
"""


def outcome(
    folder: Path, scores: Path, posterior: Path, limit: int = LIMIT
) -> dict[str, dict[str, Any]]:
    (folder / "old.nc").write_bytes(b"what stood here")
    data = ("--data", str(scores), "--scale", "percent")
    small = ("--min-model", "1", "--min-benchmark", "1", "--no-calibrate")
    exported = ("csv", "parquet", "nc")
    calls = {
        "fit": ("fit", *data, *small, "--out", f"{folder}/a.nc"),
        "fit, packed": ("fit", *data, *small, "--pack", "--out", f"{folder}/b.nc"),
        "fit, over a file": ("fit", *data, *small, "--out", f"{folder}/old.nc"),
        "evaluate": (
            "evaluate", *data, "--method", "mean", "--no-resume", "--max-folds", "1",
            "--predictions", f"{folder}/p.parquet",
        ),
        "evaluate, kept folds": (
            "evaluate", *data, "--method", "mean", "--work-dir", f"{folder}/work",
            "--max-folds", "1",
        ),
        "campaign new": (
            "campaign", "new", f"{folder}/c.json", "--scores", "bench_0=40", "--posterior",
            str(posterior),
        ),
        "subset": (
            "subset", *data, "--k", "2", "--folds", "2", "--min-model", "1", "--min-benchmark", "1",
            "--out", f"{folder}/suite.json",
        ),
        "export-prompt": ("export-prompt", *data, "--out", f"{folder}/prompt.csv"),
        "import": (
            "import", str(REPOSITORY / "tests" / "data" / "epoch_hub"), "--out", f"{folder}/mine",
        ),
        "export, directory": ("export", *data, "--out", f"{folder}/d"),
        "export, records": ("export", *data, "--out", f"{folder}/e", "--as", "every-eval-ever"),
        **{f"export, {s}": ("export", *data, "--out", f"{folder}/x.{s}") for s in exported},
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder, str(limit), json.dumps([*calls.values()])],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(calls, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "scores.csv"
    rows = [f"m{i},b{j},{20 + 2 * i + 2 * j + (i * j) % 4}" for i in range(24) for j in range(12)]
    path.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    return path


def test_every_writer_says_one_line_and_leaves_nothing(
    table: Path, posterior_file: Path, tmp_path: Path
) -> None:
    for name, found in outcome(tmp_path, table, posterior_file).items():
        assert found["code"] == 1, (name, found)
        assert (found["left"], found["changed"]) == ([], []), (name, found)
        lines = [line for line in found["err"].splitlines() if not line.startswith("note: ")]
        assert len(lines) == 1 and lines[0].startswith("error: "), (name, found["err"])
        assert "cannot be written (File too large); choose another place or make room" in lines[0]
        assert found["out"] == "", name


def test_with_room_the_same_calls_write(table: Path, posterior_file: Path, tmp_path: Path) -> None:
    for name, found in outcome(tmp_path, table, posterior_file, limit=2**24).items():
        kept = bool(found["left"] or found["changed"])
        # folds are kept until the run is over
        assert found["code"] == 0 and kept == (name != "evaluate, kept folds"), (name, found)
        assert not [path for path in found["left"] if path.endswith(".part")]


def test_what_is_no_file_is_never_replaced(run: Run, table: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"  # as a device would be
    os.mkfifo(pipe)
    found = run("export", "--data", table, "--scale", "percent", "--as", "csv", "--out", pipe)
    assert (found.code, found.out) == (1, "") and pipe.is_fifo()
    assert found.err == (
        f"error: {pipe}: cannot be written (not a regular file); choose another place\n"
    )
