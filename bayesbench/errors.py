"""Named exceptions; every message is one line: what, where, the value, the remedy.

``exit_code`` is what the command line returns: 2 for a wrong call, 1 for bad data or a failed run,
3 for failed diagnostics under ``--strict``.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AmbiguousIdError",
    "BayesbenchError",
    "BayesbenchWarning",
    "DataError",
    "DiagnosticsError",
    "FitError",
    "PosteriorFileError",
    "SchemaError",
    "ScoreError",
    "UnknownIdError",
    "UsageError",
]


class BayesbenchError(Exception):
    """Base of everything this package raises on purpose.

    Examples
    --------
    >>> import bayesbench as bb
    >>> try:
    ...     bb.ModelSpec(rank=-1)
    ... except bb.BayesbenchError as error:
    ...     print(error)
    rank must be 0 or more, got -1
    """

    exit_code = 1


class BayesbenchWarning(UserWarning):
    """Something to know about a result that is given all the same; one line, like the errors.

    Examples
    --------
    To take no notice of a short fit's doubts:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", BayesbenchWarning)
    ...     warnings.warn("diagnostics warn: draw more", BayesbenchWarning)
    """


class UsageError(BayesbenchError):
    """The call itself is wrong: an option, an id, a pair, a score outside its scale."""

    exit_code = 2


class ScoreError(UsageError):
    """A score given by the user cannot stand on its benchmark's scale."""


class UnknownIdError(UsageError):
    """An id that is not in the matrix; carries the nearest known ids.

    Parameters
    ----------
    kind : str
        What was looked up: ``"benchmark"``, ``"model"``, ``"provider"``, ``"method"``.
    value : str
        The id that was not found.
    suggestions : sequence of str
        Nearest known ids, best first; may be empty.
    """

    def __init__(self, kind: str, value: str, suggestions: Sequence[str] = ()) -> None:
        self.kind = kind
        self.value = value
        self.suggestions = tuple(suggestions)
        hint = f"; nearest: {', '.join(self.suggestions)}" if self.suggestions else ""
        super().__init__(f"unknown {kind} {value!r}{hint}")

    def __reduce__(self) -> tuple[type[UnknownIdError], tuple[str, str, tuple[str, ...]]]:
        """Survive the way back from another process."""
        return type(self), (self.kind, self.value, self.suggestions)


class AmbiguousIdError(UnknownIdError):
    """A spelling that several ids share; carries them as suggestions."""

    def __init__(self, kind: str, value: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(kind, value, suggestions)
        listed = ", ".join(self.suggestions)
        self.args = (f"{kind} {value!r} may be any of {listed}; name one by its id",)


class DataError(BayesbenchError):
    """The data cannot be used as they are."""


class SchemaError(DataError):
    """A table breaks the schema: names the file, the row, the value and the remedy."""

    row: int | None = None
    """Row of the source that it is about, where it is about one."""


class PosteriorFileError(DataError):
    """A posterior file is truncated, foreign, or of a newer format."""


class FitError(BayesbenchError):
    """A fit could not be run or did not finish."""


class DiagnosticsError(BayesbenchError):
    """A fit finished but its diagnostics failed, and ``--strict`` was asked for."""

    exit_code = 3
