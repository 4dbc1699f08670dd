"""``bayesbench rank``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from ..progress import bar
from . import values
from .output import Column, Listing, emit, example, format_option, note, percent, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..answers.joint import Kind
    from ..answers.ranking import Ranking
    from ..front.model import Model
    from ..front.posterior import Posterior
    from ..scores import ScoreMatrix

__all__ = ["compared_models", "comparison_options", "rank", "rank_document"]

RANK_FIELDS = ("model_id", "p_best", "median_rank", "lower_rank", "upper_rank")
PROBE_FIELDS = ("benchmark_id", "information_nats", "mcse")


def comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--benchmark --weights --kind --scale``: what models are compared on."""
    options = (
        click.option(
            "--benchmark",
            "benchmarks",
            multiple=True,
            callback=values.id_lists,
            required=True,
            metavar="B",
            help="Compare on these: a,b; may be given several times.",
        ),
        click.option(
            "--weights",
            type=values.weights,
            metavar="PAIRS",
            help='Weights: "a=2,b=1".  [default: 1]',
        ),
        click.option(
            "--kind",
            type=click.Choice(["score", "known", "mu"]),
            default="score",
            show_default=True,
            help="Compare new readings, known scores where there are some, or levels without "
            "noise.",
        ),
        click.option(
            "--scale",
            type=click.Choice(["score", "latent"]),
            default="score",
            show_default=True,
            help="What is averaged over several benchmarks: points, or standardised latent scores.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    epilog=example(
        "bayesbench rank MODEL_A MODEL_B --benchmark gpqa_diamond",
        'bayesbench rank MODEL_A --scores "ifeval=85" --benchmark gpqa_diamond --probe new',
    )
)
@click.argument("models", nargs=-1)
@question_options
@comparison_options
@click.option("--probe", metavar="ID", help="Which benchmark to run on this model to decide?")
@click.option(
    "--k",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    metavar="K",
    help="With --probe: how many to list.",
)
@prob_option
@format_option()
def rank(
    question: Question,
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    weights: dict[str, float] | None,
    kind: Any,
    scale: Any,
    probe: str | None,
    k: int,
    prob: float,
    output_format: str,
) -> None:
    """Rank models on one benchmark or a weighted set, with the doubt about it.

    MODELS are fitted models. With --scores or facts (or --model, to add scores to a fitted one)
    one more model joins, called "new" unless --model names it. With --probe ID: the benchmarks
    that would tell most about which of the models is best, run on that one.
    """
    from ..front.posterior import open_posterior

    posterior = open_posterior(question.posterior)
    document = rank_document(
        posterior, question, models, benchmarks, weights=weights, kind=kind, scale=scale,
        probe=probe, k=k, prob=prob,
    )  # fmt: skip
    matrix = posterior.matrix
    listings = [_rank_table(document, matrix)]
    if probe is not None:
        probe = matrix.model_names.known(probe) or probe
        listings.append(_probe_table(probe, document["probes"], matrix))
    emit(output_format, document, *listings)


def rank_document(
    posterior: Posterior,
    question: Question,
    models: Sequence[str],
    benchmarks: Sequence[str],
    *,
    weights: Mapping[str, float] | None,
    kind: Kind,
    scale: Literal["score", "latent"],
    probe: str | None,
    k: int,
    prob: float,
) -> dict[str, Any]:
    """The answer as JSON; what names were taken for is noted too."""
    from .sources import posterior_facts

    found = compared_models(posterior, question, models, benchmarks)
    matrix, compared = posterior.matrix, found.models
    ranking = posterior.rank(
        compared, on=found.benchmarks, weights=weights, kind=kind, scale=scale, prob=prob,
        seed=question.seed,
    )  # fmt: skip
    document: dict[str, Any] = {
        "benchmarks": list(found.benchmarks),
        "kind": kind,
        "prob": prob,
        "posterior": posterior_facts(posterior, question.posterior),
        "notes": list(found.notes),
        "warnings": found.warnings,
        "ranking": [
            dict(zip((*RANK_FIELDS, "rank_probability"), row, strict=True))
            for row in _rows(ranking)
        ],
        "p_better": {
            a: {b: float(p) for b, p in zip(ranking.model_ids, line, strict=True) if a != b}
            for a, line in zip(ranking.model_ids, ranking.win, strict=True)
        },
    }
    if probe is not None:
        probe = matrix.model_names.known(probe) or probe
        with bar("candidates") as report:
            probes = posterior.deciding_probes(
                compared, on=found.benchmarks, weights=weights, scale=scale, probed=probe,
                seed=question.seed, report=report,
            )  # fmt: skip
        document["probes"] = [asdict(each) for each in probes[:k]]
    return document


@dataclass(frozen=True, eq=False)
class Compared:
    """What is compared, and on what.

    Attributes
    ----------
    models : tuple of str or Model
        Fitted ones by their ids, then the one in question, if there is one.
    benchmarks : tuple of str
    notes : tuple of str
    warnings : list of dict
        Of given scores that look wrong, for JSON.
    """

    models: tuple[str | Model, ...]
    benchmarks: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: list[dict[str, Any]]


def compared_models(
    posterior: Posterior, question: Question, models: Sequence[str], benchmarks: Sequence[str]
) -> Compared:
    """Names resolved, which is noted, and the model in question conditioned."""
    from .sources import model_of, noted, warned

    named, told = posterior.matrix.model_names.resolve(models)
    on, taken = posterior.matrix.benchmark_names.resolve(benchmarks)
    notes = (*told, *taken)
    for line in notes:
        note(f"note: {line}")
    if question.empty and question.id is None:
        return Compared(named, on, notes, [])
    one = model_of(posterior, question)
    noted(one)
    return Compared((*named, one), on, (*notes, *one.notes), warned(one))


def _rows(ranking: Ranking) -> list[tuple[Any, ...]]:
    columns = (
        ranking.model_ids,
        ranking.p_best.tolist(),
        ranking.median.tolist(),
        ranking.lower.tolist(),
        ranking.upper.tolist(),
        ranking.rank_probability.tolist(),
    )
    rows = list(zip(*columns, strict=True))
    return [rows[i] for i in ranking.order]


def _rank_table(document: dict[str, Any], matrix: ScoreMatrix) -> Listing:
    shown = document["ranking"]
    columns = (
        Column("model_id", "model", matrix.model_names.title, right=False),
        Column("p_best", "P(best)", lambda p: f"{p:.2f}"),
        Column("median_rank", "median rank", text),
        Column("lower_rank", "from", text),
        Column("upper_rank", "to", text),
    )
    titles = ", ".join(map(matrix.benchmark_names.title, document["benchmarks"]))
    what = f"{len(shown)} models on {titles}"
    title = f"{what}: ranks with {percent(document['prob'])} intervals"
    return Listing(title, columns, shown, RANK_FIELDS)


def _probe_table(probe: str, rows: list[dict[str, Any]], matrix: ScoreMatrix) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", matrix.benchmark_names.title, right=False),
        Column("information_nats", "information (nats)", lambda x: f"{x:.4f}"),
        Column("mcse", "Monte Carlo error", lambda x: f"{x:.4f}"),
    )
    title = f"Run on {matrix.model_names.title(probe)} to learn which model is best"
    return Listing(title, columns, rows, PROBE_FIELDS)
