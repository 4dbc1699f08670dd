"""Finished folds on disk, so that a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..files import write_bytes
from ..scores.matrix import ScoreMatrix
from .predictions import CellPredictions
from .predictor import Predictor, fingerprint
from .tasks import FoldTask

__all__ = ["FoldStore", "run_key"]

_FORMAT = 1
_EXTRA = "extra:"


def _version() -> str:
    try:
        return metadata.version("bayesbench-scores")
    except metadata.PackageNotFoundError:  # used from a checkout that is not installed
        return ""


def run_key(
    protocol: str, method: Predictor, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
) -> str:
    """Name of a run: a hash of everything its folds depend on."""
    digest = hashlib.sha256()
    header = [_FORMAT, _version(), protocol, method.name, fingerprint(method), matrix.data_hash]
    digest.update(json.dumps(header).encode())
    # positions mean something only together with the order of rows and columns
    digest.update(json.dumps([matrix.model_ids, matrix.benchmark_ids]).encode())
    for task in tasks:
        digest.update(f"{task.key}/{task.random_seed}".encode())
        digest.update(np.ascontiguousarray(task.cells).tobytes())
        digest.update(np.packbits(task.hidden).tobytes())
        digest.update(b"" if task.rows is None else np.ascontiguousarray(task.rows).tobytes())
    return f"{protocol}-{method.name}-{digest.hexdigest()[:24]}"


@dataclass(frozen=True)
class FoldStore:
    """One directory per run, one file per finished fold, written to a side file and renamed.

    Attributes
    ----------
    directory : Path
    """

    directory: Path

    @classmethod
    def of(
        cls,
        work_dir: str | Path,
        protocol: str,
        method: Predictor,
        matrix: ScoreMatrix,
        tasks: Sequence[FoldTask],
    ) -> FoldStore:
        """Where the folds of a run are kept."""
        return cls(Path(work_dir) / run_key(protocol, method, matrix, tasks))

    def path(self, task: FoldTask) -> Path:
        """File of a task."""
        return self.directory / f"{hashlib.sha256(task.key.encode()).hexdigest()[:32]}.npz"

    def save(self, task: FoldTask, predictions: CellPredictions, seconds: float) -> None:
        """Keep a finished fold."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "median": predictions.median,
            "seconds": np.asarray(seconds),
        }
        for name in ("quantiles", "lower", "upper"):
            value = getattr(predictions, name)
            if value is not None:
                arrays[name] = value
        arrays.update({_EXTRA + name: value for name, value in predictions.extras.items()})
        self.directory.mkdir(parents=True, exist_ok=True)
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **arrays)
        write_bytes(self.path(task), held.getbuffer())

    def load(self, task: FoldTask) -> tuple[CellPredictions, float] | None:
        """A fold kept earlier, with its seconds; None if there is none or it cannot be read."""
        try:
            # opened here: numpy leaves a file open that turns out to be no archive
            with self.path(task).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        if "median" not in arrays or arrays["median"].shape != (len(task.cells),):
            return None
        seconds = float(arrays.pop("seconds"))
        extras = {
            name.removeprefix(_EXTRA): arrays.pop(name)
            for name in list(arrays)
            if name.startswith(_EXTRA)
        }
        return CellPredictions(**arrays, extras=extras), seconds

    def clear(self) -> None:
        """Remove the run's directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
