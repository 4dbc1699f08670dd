"""Scores that somebody brings to a matrix: tables and result files on its names and scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ...errors import DataError, SchemaError, UsageError
from ..assemble import AUTO, Options
from ..importers import read_results
from ..matrix import ScoreMatrix
from ..merging import LISTED

__all__ = ["Contribution", "LeftOut", "read_contribution"]

_RESULTS = (".json", ".eval", ".yaml", ".yml", ".md")
_RANGE = {"unit": (0.0, 1.0), "percent": (0.0, 100.0)}
_FACTOR = {("unit", "percent"): 100.0, ("percent", "unit"): 0.01}


@dataclass(frozen=True)
class LeftOut:
    """A score of a result file that was not taken.

    Attributes
    ----------
    file, place, model, benchmark, reason : str
    """

    file: str
    place: str
    model: str
    benchmark: str
    reason: str


@dataclass(frozen=True, eq=False)
class Contribution:
    """Scores of some files, on the scales of a matrix; names as the files have them.

    Attributes
    ----------
    matrix : ScoreMatrix
    notes : tuple of str
        What was read of each file, a line each.
    left_out : tuple of LeftOut
    """

    matrix: ScoreMatrix
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


def read_contribution(
    paths: Sequence[str | Path],
    base: ScoreMatrix,
    *,
    scale: str | None = None,
    options: Options | None = None,
    aliases: str | Path | None = None,
    new_ids: bool = False,
) -> Contribution:
    r"""Read files onto the names and scales of a matrix.

    A table is read as any table, a data directory as such, result files of other tools by
    `read_results`. Scores on benchmarks of the matrix are converted from a stated scale to the
    matrix's own. Without one they stand on that, and a percentage with no score above 1 is refused:
    its scores may be shares.

    Parameters
    ----------
    paths : sequence of path
    base : ScoreMatrix
    scale : {"percent", "unit", "rating"}, optional
        Of the scores of tables, and of result files that state none.
    options : Options, optional
        Columns of tables to keep or drop, and where the models stand.
    aliases : path, optional
        The user's own names for result files.
    new_ids : bool
        Keep benchmarks of result files that the matrix does not have, instead of leaving them out.

    Returns
    -------
    Contribution

    Raises
    ------
    UsageError, DataError, SchemaError
        Naming the file, the row, the value and the remedy.

    Examples
    --------
    >>> import tempfile
    >>> import bayesbench as bb
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mine.csv")
    ...     _ = file.write_text("model,benchmark,score\nGPT-4.1,GPQA Diamond,0.663")
    ...     found = read_contribution([file], bb.open_scores(), scale="unit")
    >>> found.matrix.readings["score"].tolist()
    [66.3]
    """
    if not paths:
        raise UsageError("name at least one file to read")
    stated = None if scale == AUTO else scale
    results = [Path(path) for path in paths if _holds_results(Path(path))]
    parts: list[Contribution] = []
    for path in map(Path, paths):
        if path not in results:
            parts.append(_table(path, base, stated, options))
    if results:
        parts.append(_imported(results, base, stated, aliases, new_ids))
    whole = parts[0].matrix
    for part in parts[1:]:
        whole, _ = whole.merged_with(part.matrix, first="base")
    return Contribution(
        whole,
        tuple(line for part in parts for line in part.notes),
        tuple(one for part in parts for one in part.left_out),
    )


def _holds_results(path: Path) -> bool:
    """Whether a path is one of result files, rather than a table or a data directory."""
    if path.is_dir():
        return not any((path / name).exists() for name in ("scores.csv", "scores.csv.gz"))
    if path.suffix.casefold() in _RESULTS:
        return True
    about = (f"{path.stem}.meta.json", "scores.meta.json")
    return path.suffix.casefold() == ".csv" and any(path.with_name(name).exists() for name in about)


def _imported(
    paths: list[Path],
    base: ScoreMatrix,
    scale: str | None,
    aliases: str | Path | None,
    new_ids: bool,
) -> Contribution:
    found = read_results(
        list(paths),
        matrix=base,
        aliases=aliases,
        scale=scale,  # type: ignore[arg-type]
        add=new_ids,
    )
    columns = ["file", "place", "model", "benchmark", "reason"]
    left = [LeftOut(*map(str, row)) for row in found.left_out[columns].to_numpy()]
    matrix = found.matrix()
    stated = {name: matrix.readings[name].mask(matrix.readings[name] == "")
              for name in ("setting", "source_url")}  # fmt: skip
    readings = matrix.readings.assign(**stated)
    return Contribution(
        ScoreMatrix(matrix.models, matrix.benchmarks, readings),
        (repr(found).replace("ImportedScores:", "read"),),
        tuple(left),
    )


def _table(
    path: Path, base: ScoreMatrix, scale: str | None, options: Options | None
) -> Contribution:
    if path.is_dir():
        if scale is not None:
            raise UsageError(f"{path}: a data directory states its own scales: leave out --scale")
        matrix = ScoreMatrix.from_directory(path)
        return Contribution(matrix, (f"read {_line(matrix)}",))
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    about = _as_stated(base.benchmarks, scale)
    matrix = ScoreMatrix.from_csv(
        path, scale=scale or AUTO, benchmarks=about.reset_index(), options=options
    )
    line = _line(matrix)
    if scale is None:
        _check_shares(path, matrix, base)
    used = [name for name in matrix.benchmark_ids if matrix.observed[:, _at(matrix, name)].any()]
    return Contribution(_on_own_scale(matrix.subset(benchmarks=used), base), (f"read {line}",))


def _line(matrix: ScoreMatrix) -> str:
    assert matrix.account is not None, "a matrix that was read has its account"
    return matrix.account.line


def _at(matrix: ScoreMatrix, name: str) -> int:
    return matrix.benchmark_index(name)


def _as_stated(benchmarks: pd.DataFrame, scale: str | None) -> pd.DataFrame:
    """Metadata as a table on a stated scale has them: shares and percentages change places."""
    if scale not in _RANGE:
        return benchmarks
    low, high = _RANGE[scale]
    turned = benchmarks["scale"].isin(_RANGE) & (benchmarks["scale"] != scale)
    own = benchmarks["scale"].map({name: bounds[1] for name, bounds in _RANGE.items()})
    turned &= (benchmarks["lower"] == 0) & (benchmarks["upper"] == own)
    return benchmarks.assign(
        scale=benchmarks["scale"].mask(turned, scale),
        lower=benchmarks["lower"].mask(turned, low),
        upper=benchmarks["upper"].mask(turned, high),
    )


def _check_shares(path: Path, matrix: ScoreMatrix, base: ScoreMatrix) -> None:
    """Refuse percentages none of which is above 1: nobody can tell them from shares."""
    assert matrix.account is not None
    doubtful = [
        name
        for name in dict.fromkeys(matrix.readings["benchmark_id"])
        if name in base.benchmarks.index
        and base.benchmarks.at[name, "scale"] == "percent"
        and (matrix.readings.loc[matrix.readings["benchmark_id"] == name, "score"] <= 1).all()
    ]
    if doubtful:
        more = f" and {len(doubtful) - LISTED} more" if len(doubtful) > LISTED else ""
        raise SchemaError(
            f"{path}: no score above 1 on {', '.join(doubtful[:LISTED])}{more}, in percent in the "
            "matrix: shares or percentages? Say --scale unit or --scale percent"
        )


def _on_own_scale(matrix: ScoreMatrix, base: ScoreMatrix) -> ScoreMatrix:
    """Scores of shared benchmarks from the scale they were read on to the matrix's own."""
    factor = pd.Series(1.0, index=matrix.benchmarks.index)
    benchmarks = matrix.benchmarks.copy()
    for name in benchmarks.index.intersection(base.benchmarks.index):
        pair = (str(benchmarks.at[name, "scale"]), str(base.benchmarks.at[name, "scale"]))
        factor[name] = _FACTOR.get(pair, 1.0)
        benchmarks.loc[name] = base.benchmarks.loc[name].reindex(benchmarks.columns)
    by_row = matrix.readings["benchmark_id"].map(factor)
    changed = {
        name: [float(f"{value * by:.13g}") if by != 1 else value
               for value, by in zip(matrix.readings[name], by_row, strict=True)]
        for name in ("score", "stderr")
        if name in matrix.readings
    }  # fmt: skip
    readings = matrix.readings.assign(**changed)
    return replace(
        matrix, benchmarks=benchmarks.astype(matrix.benchmarks.dtypes), readings=readings
    )
