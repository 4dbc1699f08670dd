"""``bayesbench next``, and the options of choosing benchmarks that campaigns share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing, values
from .output import Column, Listing, emit, example, format_option, note, percent
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..design import Costs, Recommendation
    from ..scores import ScoreMatrix
    from ..scores.ids import Names
    from .sources import Answer

__all__ = [
    "FIELDS",
    "Choice",
    "choice_options",
    "cost_option",
    "next_",
    "next_document",
    "probe_rows",
    "probe_table",
    "read_choice",
]

FIELDS = (
    "benchmark_id",
    "gain_nats",
    "cost",
    "gain_per_cost",
    "median",
    "lower",
    "upper",
    "width_reduction",
)


@dataclass(frozen=True, eq=False)
class Choice:
    """What may be chosen, and what for.

    Attributes
    ----------
    targets, candidates : tuple of str or None
        None: every benchmark.
    exclude : tuple of str
    costs : Costs or None
    notes : tuple of str
        What names were taken for, and what was left out.
    """

    targets: tuple[str, ...] | None
    candidates: tuple[str, ...] | None
    exclude: tuple[str, ...]
    costs: Costs | None
    notes: tuple[str, ...] = ()


cost_option = click.option(
    "--cost",
    multiple=True,
    is_flag=False,
    flag_value="bundled",
    metavar="[bundled|n_items|FILE]",
    shell_complete=completing.costs,
    help="Gain per cost: by the metadata of the benchmarks (bundled, also when nothing "
    "follows), the number of items, or a CSV benchmark_id,cost[,unit]; given again, the "
    "later one replaces single costs.",
)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--targets --cost --exclude --allow``; read them with :func:`read_choice`."""
    options = (
        click.option(
            "--targets",
            type=values.ids,
            metavar="IDS",
            shell_complete=completing.benchmarks,
            help="Benchmarks whose scores matter: a,b.  [default: all not yet known]",
        ),
        cost_option,
        click.option(
            "--exclude",
            type=values.ids,
            metavar="IDS",
            shell_complete=completing.benchmarks,
            help="Never choose these.",
        ),
        click.option(
            "--allow",
            metavar="FILE",
            shell_complete=completing.file,
            help="Choose only among the benchmarks this file lists.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_choice(
    matrix: ScoreMatrix,
    *,
    targets: tuple[str, ...] | None,
    cost: Sequence[str | Mapping[str, float]],
    exclude: tuple[str, ...] | None,
    allow: str | None,
    benchmarks: tuple[str, ...] = (),
) -> Choice:
    """Costs, by source or as they are, and the allow-list; what has no known cost is left out."""
    from ..design import read_allowlist

    names, taken = matrix.benchmark_names, list[str]()

    def resolved(given: Iterable[str]) -> tuple[str, ...]:
        found, told = names.resolve(given)
        taken.extend(told)
        return found

    costs, told = _costs(matrix, cost)
    taken.extend(told)
    candidates: tuple[str, ...] | None = None
    if allow is not None:
        candidates = tuple(dict.fromkeys(resolved(read_allowlist(allow))))
    if benchmarks:
        benchmarks = resolved(benchmarks)
        allowed = set(benchmarks if candidates is None else candidates)
        candidates = tuple(name for name in benchmarks if name in allowed)
        if not candidates:
            raise UsageError(f"none of the named benchmarks is in the allow-list {allow}")
    targets = None if targets is None else resolved(targets)
    exclude = resolved(exclude or ())
    if costs is not None:
        open_ = matrix.benchmark_ids if candidates is None else candidates
        unpriced = [name for name in open_ if name not in costs.values]
        if unpriced:
            shown = ", ".join(unpriced[:3]) + (", ..." if len(unpriced) > 3 else "")
            taken.append(f"{len(unpriced)} benchmarks have no known cost and are left out: {shown}")
        if candidates is not None:
            candidates = tuple(name for name in candidates if name in costs.values)
    noted = tuple(dict.fromkeys(taken))
    for line in noted:
        note(f"note: {line}")
    if candidates is not None and not candidates:
        raise UsageError("no candidate benchmark is left: none of them has a known cost")
    return Choice(targets, candidates, exclude, costs, noted)


def _costs(
    matrix: ScoreMatrix, sources: Sequence[str | Mapping[str, float]]
) -> tuple[Costs | None, list[str]]:
    """Costs under the ids of the matrix, later sources over earlier ones, and what to note."""
    from ..design import BUNDLED_COSTS, Costs

    costs, noted = None, list[str]()
    for source in sources:
        read = Costs.load(source, matrix.benchmarks)
        if not read.values:
            what = "number of items" if source == "n_items" else "cost"
            raise UsageError(
                f"--cost {source}: no benchmark has a known {what}; give --cost a CSV file"
            )
        by_id, told = matrix.benchmark_names.by_id(read.values, "cost")
        noted += told
        read = replace(read, values=by_id)
        costs = read if costs is None else costs.replaced_by(read)
        if source == BUNDLED_COSTS:
            noted.append(f"costs are in {read.unit}: items x effort, by category and how scored")
    return costs, noted


@click.command(
    "next",
    epilog=example('bayesbench next --scores "gpqa_diamond=70" --targets mmlu_pro,aime_2025 --k 3'),
)
@question_options
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    callback=values.id_lists,
    metavar="B",
    shell_complete=completing.benchmarks,
    help="Choose among these only: a,b; may be given several times.",
)
@choice_options
@click.option(
    "--budget",
    type=values.finite,
    metavar="X",
    help="Most the chosen ones may cost together; without --cost, how many they may be.",
)
@click.option(
    "--k",
    type=click.IntRange(1, 1000),
    metavar="K",
    help="How many to recommend.  [default: 5; with --budget as many as it affords]",
)
@prob_option
@format_option()
def next_(
    question: Question,
    benchmarks: tuple[str, ...],
    budget: float | None,
    k: int | None,
    prob: float,
    output_format: str,
    **choice: Any,
) -> None:
    """Recommend which benchmarks to run next.

    Ranked by the expected information about the targets (EPIG), each given the ones before it,
    per unit of cost if costs are given. What is known already is never recommended. A nat is a
    unit of information, 1.44 bits. A narrow screen leaves out gain per cost, narrower by, cost and
    the median, in this order.
    """
    from .sources import answer

    found = answer(question)
    chosen = read_choice(found.posterior.matrix, benchmarks=benchmarks, **choice)
    document = next_document(found, chosen, k=k, budget=budget, prob=prob)
    title = f"Run next: expected gain about the targets, predictions with {percent(prob)} intervals"
    names = found.posterior.matrix.benchmark_names
    table = probe_table(title, document["recommendations"], names)
    emit(output_format, document, table, after=document["sentence"])


def next_document(
    found: Answer, chosen: Choice, *, k: int | None, budget: float | None, prob: float
) -> dict[str, Any]:
    """The answer as JSON; what is to be noted of it is noted."""
    from .sources import warned

    best = found.model.recommend(
        k,
        targets=chosen.targets,
        candidates=chosen.candidates,
        costs=chosen.costs,
        budget=budget,
        exclude=chosen.exclude,
        prob=prob,
    )
    if best.note:
        note(f"note: {best.note}")
    return {
        "model": found.model.id,
        "prob": prob,
        "posterior": found.facts,
        "notes": [*found.model.notes, *chosen.notes, *([best.note] if best.note else [])],
        "warnings": warned(found.model),
        "recommendations": probe_rows(best),
        "sentence": best.sentence,
    }


def probe_rows(best: Iterable[Recommendation]) -> list[dict[str, Any]]:
    """Recommendations as plain rows with the fields of ``FIELDS``."""
    return [{field: asdict(each)[field] for field in FIELDS} for each in best]


def probe_table(title: str, rows: list[dict[str, Any]], names: Names) -> Listing:
    """Recommendations as a table, with the display names of the benchmarks."""
    priced = any(row["cost"] is not None for row in rows)
    columns = (
        Column("benchmark_id", "benchmark", names.title, right=False),
        Column("gain_nats", "gain (nats)"),
        *(
            (
                Column("cost", "cost", drop=3),
                Column("gain_per_cost", "gain per cost", _small, drop=1),
            )
            * priced
        ),
        Column("width_reduction", "narrower by", drop=2),
        Column("median", "median", drop=4),
        Column("lower", "lower"),
        Column("upper", "upper"),
    )
    return Listing(title, columns, rows, FIELDS)


def _small(value: Any) -> str:
    return "-" if value is None else f"{value:.3g}"
