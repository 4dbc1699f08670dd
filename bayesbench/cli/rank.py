"""``bayesbench rank``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..progress import bar
from . import values
from .output import Column, Listing, emit, example, format_option, note, percent, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..answers.ranking import Ranking
    from ..front.model import Model
    from ..scores import ScoreMatrix

__all__ = ["rank"]

RANK_FIELDS = ("model_id", "p_best", "median_rank", "lower_rank", "upper_rank")
PROBE_FIELDS = ("benchmark_id", "information_nats", "mcse")


@click.command(
    epilog=example(
        "bayesbench rank MODEL_A MODEL_B --benchmark gpqa_diamond",
        'bayesbench rank MODEL_A --scores "ifeval=85" --benchmark gpqa_diamond --probe new',
    )
)
@click.argument("models", nargs=-1)
@question_options
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    callback=values.id_lists,
    required=True,
    metavar="B",
    help="Compare on these: a,b; may be given several times.",
)
@click.option(
    "--weights", type=values.weights, metavar="PAIRS", help='Weights: "a=2,b=1".  [default: 1]'
)
@click.option(
    "--kind",
    type=click.Choice(["score", "known", "mu"]),
    default="score",
    show_default=True,
    help="Compare new readings, known scores where there are some, or levels without noise.",
)
@click.option(
    "--scale",
    type=click.Choice(["score", "latent"]),
    default="score",
    show_default=True,
    help="What is averaged over several benchmarks: points, or standardised latent scores.",
)
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
    from .sources import model_of, noted, posterior_facts, warned

    posterior = open_posterior(question.posterior)
    matrix = posterior.matrix
    named, told = matrix.model_names.resolve(models)
    benchmarks, taken = matrix.benchmark_names.resolve(benchmarks)
    for line in (*told, *taken):
        note(f"note: {line}")
    compared: list[str | Model] = list(named)
    notes: tuple[str, ...] = (*told, *taken)
    warnings: list[dict[str, Any]] = []
    if not question.empty or question.id is not None:
        one = model_of(posterior, question)
        noted(one)
        notes, warnings = (*notes, *one.notes), warned(one)
        compared.append(one)
    ranking = posterior.rank(
        compared, on=benchmarks, weights=weights, kind=kind, scale=scale, prob=prob,
        seed=question.seed,
    )  # fmt: skip
    rows = _rows(ranking)
    document: dict[str, Any] = {
        "benchmarks": list(benchmarks),
        "kind": kind,
        "prob": prob,
        "posterior": posterior_facts(posterior, question.posterior),
        "notes": list(notes),
        "warnings": warnings,
        "ranking": [
            dict(zip((*RANK_FIELDS, "rank_probability"), row, strict=True)) for row in rows
        ],
        "p_better": {
            a: {b: float(p) for b, p in zip(ranking.model_ids, line, strict=True) if a != b}
            for a, line in zip(ranking.model_ids, ranking.win, strict=True)
        },
    }
    listings = [_rank_table(ranking, rows, benchmarks, prob, matrix)]
    if probe is not None:
        probe = matrix.model_names.known(probe) or probe
        with bar("candidates") as report:
            found = posterior.deciding_probes(
                compared, on=benchmarks, weights=weights, scale=scale, probed=probe,
                seed=question.seed, report=report,
            )  # fmt: skip
        document["probes"] = [asdict(each) for each in found[:k]]
        listings.append(_probe_table(probe, document["probes"], matrix))
    emit(output_format, document, *listings)


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


def _rank_table(
    ranking: Ranking,
    rows: list[tuple[Any, ...]],
    benchmarks: Sequence[str],
    prob: float,
    matrix: ScoreMatrix,
) -> Listing:
    shown = [dict(zip(RANK_FIELDS, row[:5], strict=True)) for row in rows]
    columns = (
        Column("model_id", "model", matrix.model_names.title, right=False),
        Column("p_best", "P(best)", lambda p: f"{p:.2f}"),
        Column("median_rank", "median rank", text),
        Column("lower_rank", "from", text),
        Column("upper_rank", "to", text),
    )
    titles = ", ".join(map(matrix.benchmark_names.title, benchmarks))
    what = f"{len(ranking.model_ids)} models on {titles}"
    title = f"{what}: ranks with {percent(prob)} intervals"
    return Listing(title, columns, shown, RANK_FIELDS)


def _probe_table(probe: str, rows: list[dict[str, Any]], matrix: ScoreMatrix) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", matrix.benchmark_names.title, right=False),
        Column("information_nats", "information (nats)", lambda x: f"{x:.4f}"),
        Column("mcse", "Monte Carlo error", lambda x: f"{x:.4f}"),
    )
    title = f"Run on {matrix.model_names.title(probe)} to learn which model is best"
    return Listing(title, columns, rows, PROBE_FIELDS)
