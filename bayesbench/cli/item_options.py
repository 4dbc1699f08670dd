"""What the commands about items share: options, and how banks and answers are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing
from .output import note

if TYPE_CHECKING:
    from ..items.bank import ItemBank
    from ..items.choice import Chosen
    from ..items.responses import ItemResponses

__all__ = [
    "CHOSEN_FIELDS",
    "Known",
    "answers_options",
    "bank_option",
    "benchmark_option",
    "chosen_rows",
    "given_option",
    "macro_option",
    "opened",
    "quota_option",
    "quotas_of",
    "read_answers_of",
    "read_known",
    "told",
]

_QUOTA = re.compile(r"(?P<least>\d+)(-(?P<most>\d+))?", re.ASCII)
CHOSEN_FIELDS = (
    "item_id", "benchmark_id", "category", "probability", "gain", "cost", "sd_after",
)  # fmt: skip

bank_option = click.option(
    "--bank",
    metavar="FILE",
    shell_complete=completing.file,
    help="An item bank that `items fit` wrote.",
)
given_option = click.option(
    "--given",
    metavar="FILE",
    shell_complete=completing.file,
    help="Answers of the model: a table item_id,correct[,n][,model_id], or samples of another "
    "tool.",
)
benchmark_option = click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="B",
    help="Whose full score matters; may be given several times.  [default: all]",
)
macro_option = click.option(
    "--macro", is_flag=True, help="Each benchmark counts the same, whatever its number of items."
)
quota_option = click.option(
    "--quota",
    multiple=True,
    metavar="CATEGORY=N|A-B",
    help="So many items of a category (its benchmark, where the bank has no categories); may be "
    "given several times.",
)


def answers_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--form --benchmark-name --metric``: how files with answers are to be read."""
    options = (
        click.option(
            "--form",
            type=click.Choice(("long", "npz", "irw", "lm-eval", "inspect", "every-eval-ever")),
            help="Of the files.  [default: as names and columns say]",
        ),
        click.option(
            "--benchmark-name", metavar="NAME", help="Of all items, for files that do not say it."
        ),
        click.option(
            "--metric", metavar="NAME", help="Which counts, for samples of other tools (lm-eval: "
            "acc, or exact_match,FILTER; Inspect: a scorer)."
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def told(*notes: str) -> list[str]:
    """The notes, printed on stderr; each once."""
    kept = list(dict.fromkeys(filter(None, notes)))
    for line in kept:
        note(f"note: {line}")
    return kept


def opened(bank: str | None) -> ItemBank:
    """The bank of ``--bank``.

    Raises
    ------
    UsageError
        There is none.
    DataError
        As `open_bank`.
    """
    from ..items.bank_file import open_bank

    if bank is None:
        raise UsageError("no item bank: give --bank FILE; `bayesbench items fit` makes one")
    return open_bank(bank)


def read_answers_of(
    paths: Sequence[str], form: str | None, benchmark_name: str | None, metric: str | None
) -> ItemResponses:
    """Answers from files of any form."""
    from ..items.collected import read_collected

    return read_collected(paths, form=form, benchmark=benchmark_name, metric=metric)


@dataclass(frozen=True, eq=False)
class Known:
    """Answers of models to items of a bank.

    Attributes
    ----------
    responses : ItemResponses
        In the order of the bank.
    notes : tuple of str
        What was left out.
    """

    responses: ItemResponses
    notes: tuple[str, ...] = ()


def read_known(
    path: str | None,
    bank: ItemBank,
    form: str | None = None,
    metric: str | None = None,
) -> Known:
    """Answers to a bank's items from a table or samples of another tool; none without a file.

    Of a table every item must be in the bank. Samples of another tool hold all items of a
    benchmark: those that the bank does not have are counted and left out, but not such whose
    document changed since.

    Raises
    ------
    DataError, SchemaError
        Naming the file, the row and the value.
    """
    from pathlib import Path

    from ..errors import DataError
    from ..items.given import aligned, changed_since, of_one, read_answers

    if path is None:
        return Known(of_one(bank, {}))
    other = (".jsonl", ".eval", ".json", ".npz")
    if form in (None, "long") and not (
        Path(path).is_dir() or Path(path).suffix.lower() in other
    ):  # fmt: skip
        if metric is not None:
            raise UsageError("--metric belongs to samples of other tools; leave it out of a table")
        return Known(read_answers(path, bank))
    read = read_answers_of([path], form, None, metric)
    for name in read.items.index.difference(bank.items.index):
        old = changed_since(str(name), bank)
        if old:
            raise DataError(
                f"{path}: item {name!r}: its document changed since the bank, where it is {old}; "
                "run that one, or fit the bank again"
            )
    found, others = aligned(read, bank)
    left = f"{others} items of {path} are not in the bank and are left out" if others else ""
    return Known(found, (*read.notes, *((left,) if left else ())))


def quotas_of(written: Sequence[str]) -> Any:
    """`Quotas` of ``CATEGORY=N`` and ``CATEGORY=A-B``.

    Raises
    ------
    UsageError
        A part is malformed, a category stands twice.
    """
    from ..items.choice import Quotas

    limits: dict[str, tuple[int, int]] = {}
    for part in written:
        name, _, numbers = part.rpartition("=")
        match = _QUOTA.fullmatch(numbers.strip())
        if not name.strip() or match is None:
            raise UsageError(
                f"--quota {part!r} is not CATEGORY=N or CATEGORY=A-B, like algebra=2-5"
            )
        if name.strip() in limits:
            raise UsageError(f"--quota of {name.strip()!r} is given twice; give it once")
        least = int(match["least"])
        limits[name.strip()] = (least, least if match["most"] is None else int(match["most"]))
    return Quotas(limits)


def chosen_rows(chosen: Sequence[Chosen], costs: dict[str, float] | None) -> list[dict[str, Any]]:
    """Items to ask as plain rows with the fields of ``CHOSEN_FIELDS``."""
    return [
        {
            **{name: getattr(one, name) for name in CHOSEN_FIELDS if name != "cost"},
            "cost": None if costs is None else costs[one.item_id],
        }
        for one in chosen
    ]
