"""``bayesbench rank``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import UnknownIdError, UsageError
from ..progress import bar
from . import values
from .output import Column, Listing, emit, example, format_option, percent, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..answers.prediction import LatentDraws
    from ..answers.ranking import Comparison, Ranking
    from ..posterior.stored import StoredPosterior

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
    required=True,
    metavar="B",
    help="Compare on this benchmark; may be given several times.",
)
@click.option(
    "--weights", type=values.weights, metavar="PAIRS", help='Weights: "a=2,b=1".  [default: 1]'
)
@click.option(
    "--kind",
    type=click.Choice(["mu", "score"]),
    default="mu",
    show_default=True,
    help="Compare levels without noise, or readings with it.",
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
    from ..answers.ranking import Comparison, rank_models
    from .sources import load_posterior, posterior_facts

    posterior = load_posterior(question.posterior)
    draws = _draws(posterior, question, models)
    comparison = Comparison(benchmarks, weights, kind, scale, seed=question.seed)
    ranking = rank_models(draws, posterior.transform, comparison, prob)
    rows = _rows(ranking)
    document: dict[str, Any] = {
        "benchmarks": list(benchmarks),
        "kind": kind,
        "prob": prob,
        "posterior": posterior_facts(posterior, question.posterior),
        "ranking": [
            dict(zip((*RANK_FIELDS, "rank_probability"), row, strict=True)) for row in rows
        ],
        "p_better": {
            a: {b: float(p) for b, p in zip(ranking.model_ids, line, strict=True) if a != b}
            for a, line in zip(ranking.model_ids, ranking.win, strict=True)
        },
    }
    listings = [_rank_table(ranking, rows, benchmarks, prob)]
    if probe is not None:
        probes = _probes(posterior, draws, comparison, probe, k, question.seed)
        document["probes"] = probes
        listings.append(_probe_table(probe, probes))
    emit(output_format, document, *listings)


def _draws(
    posterior: StoredPosterior, question: Question, models: Sequence[str]
) -> list[LatentDraws]:
    from ..answers.prediction import fitted_draws
    from .sources import conditioned

    named = [*models] if question.model is None else [*models, question.model]
    twice = [model for model in named if named.count(model) > 1]
    if twice:
        raise UsageError(f"model {twice[0]!r} is named twice; name it once")
    for model in models:
        posterior.matrix.model_index(model)
    draws = [fitted_draws(posterior, model) for model in models]
    if not question.empty:  # resampled draws would no longer be paired with the others'
        draws.append(conditioned(posterior, question, reweight=False))
    if len(draws) < 2:
        raise UsageError(f"comparing needs at least 2 models, got {len(draws)}; name more")
    return draws


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
    # by mean rank, which also orders models that are surely not the best
    return sorted(rows, key=lambda row: sum(r * p for r, p in enumerate(row[5])))


def _probes(
    posterior: StoredPosterior,
    draws: Sequence[LatentDraws],
    comparison: Comparison,
    probe: str,
    k: int,
    seed: int,
) -> list[dict[str, Any]]:
    import numpy as np

    from ..answers.ranking import decision_information
    from ..scores.ids import nearest_ids

    ids = [one.model_id for one in draws]
    if probe not in ids:
        raise UnknownIdError("compared model", probe, nearest_ids(probe, ids) or ids[:3])
    known = np.isfinite(draws[ids.index(probe)].observed)
    names = [name for name, has in zip(posterior.benchmark_ids, known, strict=True) if not has]
    if not names:
        raise UsageError(f"{probe!r} has run every benchmark: no candidate is left")
    rows: list[dict[str, Any]] = []
    with bar("candidates") as report:
        for done, name in enumerate(names, start=1):
            estimate = decision_information(
                draws, posterior.transform, comparison, probe, [name], seed=seed
            )[0]
            found = (name, estimate.value, estimate.mcse)
            rows.append(dict(zip(PROBE_FIELDS, found, strict=True)))
            if report is not None:
                report(done, len(names))
    return sorted(rows, key=lambda row: -row["information_nats"])[:k]


def _rank_table(
    ranking: Ranking, rows: list[tuple[Any, ...]], benchmarks: Sequence[str], prob: float
) -> Listing:
    shown = [dict(zip(RANK_FIELDS, row[:5], strict=True)) for row in rows]
    columns = (
        Column("model_id", "model", text, right=False),
        Column("p_best", "P(best)", lambda p: f"{p:.2f}"),
        Column("median_rank", "median rank", text),
        Column("lower_rank", "from", text),
        Column("upper_rank", "to", text),
    )
    what = f"{len(ranking.model_ids)} models on {', '.join(benchmarks)}"
    title = f"{what}: ranks with {percent(prob)} intervals"
    return Listing(title, columns, shown, RANK_FIELDS)


def _probe_table(probe: str, rows: list[dict[str, Any]]) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("information_nats", "information (nats)", lambda x: f"{x:.4f}"),
        Column("mcse", "Monte Carlo error", lambda x: f"{x:.4f}"),
    )
    return Listing(f"Run on {probe} to learn which model is best", columns, rows, PROBE_FIELDS)
