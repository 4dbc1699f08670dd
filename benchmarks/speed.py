"""Times of load, condition, predict, recommend and the whole command on the bundled posterior.

    python benchmarks/speed.py --repeats 7

In process: least and median of the repeats, after one run to warm up. The command is timed as a
process of its own, with a warm file cache, and its peak memory taken from the operating system.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from records import RESULTS, provenance, write

from bayesbench import open_posterior
from bayesbench.scores.datasets import bundled_path

SCORES = {"gpqa_diamond": 70.0, "ifeval": 85.0, "humaneval": 88.0}


def timed(call: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Least and median seconds of a call, after one run to warm up."""
    call()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return {"min_s": min(seconds), "median_s": statistics.median(seconds)}


def timed_process(command: list[str], repeats: int) -> dict[str, float]:
    """As `timed` for a process, with its peak memory in MB."""
    peaks: list[float] = []

    def run() -> None:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        # kilobytes on Linux, bytes on macOS
        peaks.append(usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))

    return {**timed(run, repeats), "peak_mb": max(peaks)}


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--repeats", type=click.IntRange(1), default=7, show_default=True)
@click.option("--posterior", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=Path, default=RESULTS)
def main(repeats: int, posterior: Path | None, out: Path) -> None:
    path = posterior or bundled_path("models", "open_scores.nc")
    fitted = open_posterior(path)
    model = fitted.condition(SCORES)
    given = ",".join(f"{name}={value:g}" for name, value in SCORES.items())
    command = [sys.executable, "-m", "bayesbench", "predict", "--scores", given, "--format", "json"]
    command += [] if posterior is None else ["--posterior", str(posterior)]
    model.predict()
    record: dict[str, Any] = {
        "name": "speed",
        "posterior": {
            "draws": fitted.n_draws,
            "models": len(fitted.model_ids),
            "benchmarks": len(fitted.benchmark_ids),
            "rank": fitted.spec.rank,
            "bytes": path.stat().st_size,
        },
        "times": {
            "load": timed(lambda: open_posterior(path), repeats),
            "condition": timed(lambda: fitted.condition(SCORES), repeats),
            "condition and predict": timed(lambda: fitted.condition(SCORES).predict(), repeats),
            "recommend": timed(lambda: model.recommend(), repeats),
            "command predict": timed_process(command, repeats),
        },
        "provenance": provenance(fitted.matrix, {"repeats": repeats, "scores": SCORES}),
    }
    write("speed", record, out)
    click.echo(json.dumps(record["times"], indent=1))


if __name__ == "__main__":
    main()
