"""What every benchmark writes, figures and what made them, and how the report finds it again."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bayesbench.jsonable import plain
from bayesbench.scores import ScoreMatrix

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PUBLIC_MATRIX = REPOSITORY.parent / "shared" / "data" / "benchpress"
"""Where the public 84 x 133 matrix is looked for; it is no part of the repository."""
PACKAGES = ("jax", "jaxlib", "numpyro", "numpy", "scipy", "pandas")
METHODS = (
    "low-rank", "low-rank-nuts", "low-rank-svi", "als", "offsets", "soft-impute", "smurff", "blend",
    "bench-regression", "gaussian", "one-factor", "observational", "model-knn", "model-mean",
    "bias", "mean", "external",
)  # fmt: skip
"""In the order of the tables."""

Record = Mapping[str, Any]


def machine() -> dict[str, Any]:
    """Processor, cores and versions."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def code_state() -> dict[str, Any]:
    """Commit of the checkout, and whether the package differed from it."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "package_changed": bool(_git("status", "--porcelain", "--", "bayesbench")),
    }


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def provenance(matrix: ScoreMatrix, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a result was made from."""
    models, benchmarks = matrix.shape
    return {
        **code_state(),
        "created": dt.datetime.now(dt.UTC).date().isoformat(),
        "data_hash": matrix.data_hash,
        "matrix": {"models": models, "benchmarks": benchmarks, "cells": matrix.n_cells},
        "options": dict(options),
        "machine": machine(),
    }


def write(name: str, record: Mapping[str, Any], directory: Path = RESULTS) -> Path:
    """Write ``name.json``; a file under that name is replaced in one step."""
    directory.mkdir(parents=True, exist_ok=True)
    path, part = directory / f"{name}.json", directory / f".{name}.part"
    text = json.dumps(_rounded(plain(record)), indent=1, sort_keys=False, allow_nan=False)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
    return path


def _rounded(value: Any) -> Any:
    """Six significant digits: what Monte Carlo error leaves, and readable differences in git."""
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def records(directory: Path = RESULTS) -> list[dict[str, Any]]:
    """All results in order of their file names."""
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.json"))
    ]


def of(found: Iterable[Record], name: str) -> list[Record]:
    """Complete, unlabelled records of a protocol, methods in order."""
    chosen = [
        record
        for record in found
        if record["name"] == name
        and not record["label"]
        and record["provenance"]["options"]["max_folds"] is None
        and record["provenance"]["options"].get("seeds", "all") == "all"
    ]
    return sorted(chosen, key=place)


def place(record: Record) -> tuple[int, str]:
    """Where a method stands in the tables: one with conformal intervals behind the plain one."""
    method, plus, _ = str(record["method"]).partition("+")
    return METHODS.index(method) if method in METHODS else len(METHODS), plus


def labelled(found: Iterable[Record], name: str, label: str) -> list[Record]:
    """Complete records of a protocol under one label."""
    kept = [{**record, "label": ""} for record in found if record.get("label") == label]
    return [{**record, "label": label} for record in of(kept, name)]


def named(record: Record) -> str:
    """Method of a record, with its label."""
    return ", ".join(part for part in (record["method"], record["label"]) if part)
