"""``ImportedScores``: what result files gave, what their names were taken for, what was not."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ...errors import DataError
from ...files import new_directory
from ..matrix import ScoreMatrix

__all__ = ["ImportedScores"]


@dataclass(frozen=True, eq=False, repr=False)
class ImportedScores:
    """Scores of other tools' result files on the names and scales of a matrix.

    Made by `bayesbench.read_results`.

    Attributes
    ----------
    readings : pandas.DataFrame
        One row per reading: model_id, benchmark_id, score (on the benchmark's own scale), reading,
        stderr, n_items, setting, date, source_url; file, place and format; the names there
        (model_name, benchmark_name), the metric, the rules they were mapped by (model_rule,
        benchmark_rule), the factor between the scales, and what was worked out (note).
    left_out : pandas.DataFrame
        What was not taken: file, place, model, benchmark and reason.
    files : pandas.DataFrame
        Per file: format, readings and left_out.
    models, benchmarks : pandas.DataFrame
        Metadata of those that have a reading.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> import bayesbench as bb
    >>> run = {"lm_eval_version": "0.4.9", "model_name": "acme/model-1", "versions": {"gsm8k": 3},
    ...        "results": {"gsm8k": {"exact_match,strict-match": 0.81}}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "results.json")
    ...     _ = file.write_text(json.dumps(run))
    ...     imported = bb.read_results(file)
    >>> imported.scores()
    {'gsm8k': 81.0}
    """

    readings: pd.DataFrame
    left_out: pd.DataFrame
    files: pd.DataFrame
    models: pd.DataFrame
    benchmarks: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"ImportedScores: {len(self.readings)} readings of {len(self.models)} models on "
            f"{len(self.benchmarks)} benchmarks from {len(self.files)} files, "
            f"{len(self.left_out)} left out"
        )

    def to_frame(self) -> pd.DataFrame:
        """The readings (a copy)."""
        return self.readings.copy()

    def matrix(self) -> ScoreMatrix:
        """The readings as a matrix, which `fit` and `evaluate` take.

        Raises
        ------
        DataError
            If nothing was read.
        """
        self._require()
        kept = ["model_id", "benchmark_id", "score", "reading", "setting", "source_kind"]
        kept += ["source_url", "n_items", "stderr"]
        return ScoreMatrix(self.models, self.benchmarks, self.readings[kept].copy())

    def scores(self, model: str | None = None) -> dict[str, float]:
        """Reading-1 scores of one model by benchmark id, as `Posterior.condition` takes them.

        Parameters
        ----------
        model : str, optional
            Its id or its name in the files; may be left out where there is only one.

        Raises
        ------
        DataError
            If nothing was read, or the model is not told from others.
        """
        frame = self._of_one(model)
        pairs = zip(frame["benchmark_id"], frame["score"], strict=True)
        return {str(name): float(score) for name, score in pairs}

    def stderr(self, model: str | None = None) -> dict[str, float]:
        """Standard errors of those of `scores` that have one; arguments as there."""
        frame = self._of_one(model)
        if "stderr" not in frame:
            return {}
        pairs = zip(frame["benchmark_id"], frame["stderr"], strict=True)
        return {str(name): float(error) for name, error in pairs if math.isfinite(error)}

    def _of_one(self, model: str | None) -> pd.DataFrame:
        self._require()
        frame = self.readings[self.readings["reading"] == 1]
        if model is not None:
            frame = frame[(frame["model_id"] == model) | (frame["model_name"] == model)]
        there = sorted(set(self.readings["model_id"]))
        if frame["model_id"].nunique() != 1:
            listed = ", ".join(there[:6]) + (", ..." if len(there) > 6 else "")
            which = "name one of them" if model is None else f"{model!r} is none of them"
            raise DataError(f"the files hold {len(there)} models: {listed}; {which}")
        return frame

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write a data directory: models.csv, benchmarks.csv, scores.csv and left_out.csv.

        It appears whole or not at all; a directory that exists is not written into. `fit` takes it
        as ``--data``.

        Raises
        ------
        DataError
            If nothing was read, or it cannot be written.
        """
        self._require()
        tables = {
            "models.csv": self.models,
            "benchmarks.csv": self.benchmarks,
            "scores.csv": self.readings.set_index("model_id"),
            "left_out.csv": self.left_out.set_index("file"),
        }
        with new_directory(directory) as part:
            for name, table in tables.items():
                Path(part, name).write_text(table.to_csv(lineterminator="\n"), encoding="utf-8")

    def _require(self) -> None:
        if self.readings.empty:
            reasons = self.left_out["reason"].value_counts()
            most = "" if reasons.empty else f" (most often: {reasons.index[0]})"
            raise DataError(
                f"no score could be taken from {len(self.files)} files{most}; give an alias file, "
                "or see what was left out"
            )
