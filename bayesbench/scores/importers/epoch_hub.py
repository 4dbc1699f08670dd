"""Epoch AI's Benchmarking Hub: the zip of about 50 CSV files, or its folder, or one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .bounded import ROW
from .records import (
    LARGEST_SHARE_STDERR,
    Found,
    LeftOut,
    Record,
    Scale,
    as_date,
    as_number,
    as_stderr,
)

__all__ = ["FORMAT", "matches", "read"]

FORMAT = "Epoch AI Benchmarking Hub"

_MODEL = "Model version"
_INDEX = "epoch_capabilities_index"
_OWN = "mean_score"
_BEFORE = "Release date"
"""The score stands left of it, in every file of the hub."""
_KNOWN_SCORES = frozenset(
    {
        "% Resolved",
        "% Score",
        "120k token score",
        "ACW Avg Score",
        "Accuracy",
        "Accuracy mean",
        "Arena Score",
        "Average",
        "Average (%)",
        "Average progress",
        "Average score",
        "Challenge score",
        "Correct",
        "EM",
        "Global average",
        "Mean score",
        "Overall (no subtitles)",
        "Overall accuracy",
        "Overall pass (%)",
        "Pass@1 score",
        "Percent correct",
        "Score",
        "Score (AVG@5)",
        "Score OPT@1",
        "Time horizon",
        "Unguided % Solved",
        "Win Rate (%)",
        "mean_score",
    }
)
_STDERRS = {
    "mean_score": ("stderr",),
    "Accuracy": ("Accuracy Standard Error", "Accuracy SE"),
    "Accuracy mean": ("Accuracy SE",),
    "Pass@1 score": ("Pass@1 Standard Error",),
    "Average progress": ("Average Standard error",),
}
_RATINGS = frozenset(
    {"geobench", "lech_mazur_writing", "metr_time_horizons", "webdev_arena", "vending_bench"}
)
"""Files whose score is neither a share nor a percentage: points, minutes, ratings."""
_NAMES = {"video_mme": "video_mme_nosub", "swe_bench_bash": "swe_bench_verified_bash_only"}
"""What a file's benchmark is called where its name alone would mean another one."""
_DATES = (
    *("Started at", "Date of evaluation", "Evaluation date", "Run date", "Date run"),
    *("Date", "Date added", "Last updated"),
)
_LINKS = ("Source link", "Source Link", "Source link (site from table)", "Log viewer", "Source")
_SETTINGS = ("Scaffold", "Agent", "Tools", "Edit format", "Prompt", "METR version")
ENOUGH = 5
"""Scores from which on a column is called one of shares because all lie between 0 and 1."""


def matches(columns: Sequence[str]) -> bool:
    """Whether a CSV's columns look like those of a file of the hub."""
    return bool(columns) and columns[0] == _MODEL and _BEFORE in columns


def read(name: str, header: list[str], rows: list[dict[str, str]], source: str) -> Found:
    """Scores of one file.

    The score column stands left of "Release date" and is one of those the hub is known to use
    (``mean_score`` in its own runs). Standard errors on another scale than the scores are not read.

    Parameters
    ----------
    name : str
        File name without its suffix: the benchmark, with ``_external`` where the hub collected it.
    header, rows
        As `bounded.csv_rows` gives them.
    source : str

    Raises
    ------
    DataError
        Naming the file, the row, the column and the value.
    """
    if name == _INDEX:
        return Found(FORMAT, (), (LeftOut("all rows", "", name, "an index over benchmarks"),))
    plain = name.removesuffix("_external")
    benchmark = _NAMES.get(plain, plain)
    left_of = header[1 : header.index(_BEFORE)] if _BEFORE in header else []
    column = next((name for name in left_of if name in _KNOWN_SCORES), None)
    if column is None:
        reason = f"its score column is not known: {', '.join(left_of) or 'none'}"
        return Found(FORMAT, (), (LeftOut("all rows", "", benchmark, reason),))
    scores = _scores(rows, column, source)
    scale, why = _scale(plain, column, [score for score in scores if score is not None])
    errors, doubt = _stderrs(rows, header, column, scale, source)
    why = "; ".join(part for part in (why, doubt) if part)
    records: list[Record] = []
    left: list[LeftOut] = []
    for row, score, stderr in zip(rows, scores, errors, strict=True):
        place = f"row {row[ROW]}"
        model = row[_MODEL].strip() or row.get("Name", "").strip()
        if score is None or not model:
            reason = "no score" if score is None else "no model named"
            left.append(LeftOut(place, model, benchmark, reason))
            continue
        note = "; ".join(part for part in (why, "standard error 0" if stderr == 0 else "") if part)
        records.append(
            Record(
                place=f"{place}, {column}",
                model=model,
                benchmark=benchmark,
                score=score,
                scale=scale,
                metric=column,
                stderr=stderr or None,
                note=note,
                setting=_setting(row),
                date=next((as_date(row[k]) for k in _DATES if as_date(row.get(k, ""))), ""),
                url=_address(row),
                provider=row.get("Organization", "").strip(),
                release_date=as_date(row.get(_BEFORE, "")),
            )
        )
    return Found(FORMAT, tuple(records), tuple(left))


def _scores(rows: Sequence[Mapping[str, str]], column: str, source: str) -> list[float | None]:
    found: list[float | None] = []
    for row in rows:
        written = row[column].strip()
        place = f"row {row[ROW]}, {column}"
        found.append(as_number(written, source, place) if written else None)
    return found


def _scale(plain: str, column: str, scores: Sequence[float]) -> tuple[Scale | None, str]:
    """Scale of a file: the hub mixes shares and percentages, and does not say which is which."""
    if plain in _RATINGS or not scores:
        return "rating", ""
    if min(scores) < 0 or max(scores) > 100:
        return "rating", ""
    if max(scores) > 1:
        return "percent", ""
    if len(scores) >= ENOUGH or column == _OWN:
        return "unit", "a share: every score of the file lies between 0 and 1"
    return None, ""


def _stderrs(
    rows: Sequence[Mapping[str, str]],
    header: Sequence[str],
    column: str,
    scale: Scale | None,
    source: str,
) -> tuple[list[float | None], str]:
    """Standard errors of a file, and why there are none where they cannot be those of shares."""
    error = next((name for name in _STDERRS.get(column, ()) if name in header), None)
    if error is None:
        return [None] * len(rows), ""
    found = [as_stderr(row[error], source, f"row {row[ROW]}, {error}") for row in rows]
    if scale == "unit" and max((value or 0 for value in found), default=0) > LARGEST_SHARE_STDERR:
        return [None] * len(rows), "standard errors are on another scale, and not read"
    return found, ""


def _setting(row: Mapping[str, str]) -> str:
    shots = row.get("Shots", "").strip()
    settings = [f"{shots}-shot"] if shots and shots.isascii() and shots.isdigit() else []
    settings += [
        f"{key} {row[key].strip()}"[:80]
        for key in _SETTINGS
        if row.get(key, "").strip() not in ("", "None")
    ]
    return ", ".join(settings)


def _address(row: Mapping[str, str]) -> str:
    links = (row.get(key, "").strip() for key in _LINKS)
    return next((link for link in links if link.startswith(("http://", "https://"))), "")
