"""``bayesbench rank``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import UsageError
from ..progress import bar
from . import completing, values
from .output import Column, Listing, emit, example, format_option, note, number, percent, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..answers.affordable import Affordable, Prices
    from ..answers.joint import Kind
    from ..answers.ranking import Ranking
    from ..front.model import Model
    from ..front.posterior import Posterior
    from ..scores import ScoreMatrix

__all__ = ["Level", "compared_models", "comparison_options", "rank", "rank_document"]

RANK_FIELDS = (
    *("model_id", "p_best", "median_rank", "lower_rank", "upper_rank"),
    *("median", "lower", "upper", "gap", "gap_lower", "gap_upper", "p_better_next"),
)
PRICE_FIELDS = ("model_id", "price", "p_reaches", "median", "frontier")
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
            shell_complete=completing.benchmarks,
            help="Compare on these: a,b; may be given several times.",
        ),
        click.option(
            "--weights",
            type=values.weights,
            metavar="PAIRS",
            shell_complete=completing.scores,
            help='Weights: "a=2,b=1".  [default: 1]',
        ),
        click.option(
            "--kind",
            type=click.Choice(["score", "known", "mu"]),
            help="Compare new readings, known scores where there are some, or levels without "
            "noise.  [default: score; known with --price]",
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
        "bayesbench rank --price prices.csv --benchmark gpqa_diamond --at-least 80",
    )
)
@click.argument("models", nargs=-1, shell_complete=completing.model)
@question_options
@comparison_options
@click.option(
    "--probe",
    metavar="ID",
    shell_complete=completing.model,
    help="Which benchmark to run on this model to decide?",
)
@click.option(
    "--k",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    metavar="K",
    help="With --probe: how many to list.",
)
@click.option(
    "--price",
    metavar="FILE",
    shell_complete=completing.file,
    help="Prices of models (columns model_id,price[,unit]): which is the cheapest that reaches "
    "--at-least?",
)
@click.option(
    "--at-least",
    type=values.finite,
    metavar="T",
    help="With --price: the level to reach, in points; at most T where lower is better.",
)
@click.option(
    "--probability",
    type=values.probability,
    metavar="P",
    help="With --price: how surely the level is to be reached.  [default: 0.9]",
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
    price: str | None,
    at_least: float | None,
    probability: float | None,
    prob: float,
    output_format: str,
) -> None:
    """Rank models on one benchmark or a weighted set, with the doubt about it.

    MODELS are fitted models. With --scores or facts (or --model, to add scores to a fitted one)
    one more model joins, called "new" unless --model names it. With --probe ID: the benchmarks
    that would tell most about which of the models is best, run on that one. With --price FILE and
    --at-least T: the cheapest model that reaches a level; without MODELS those of the file.

    A narrow screen leaves out the ranks, the interval of the score, that of the gap and P(beats
    the next), in this order.
    """
    from ..front.posterior import open_posterior

    level = _level(price, at_least, probability)
    kind = kind or ("score" if level is None else "known")
    posterior = open_posterior(question.posterior)
    document = rank_document(
        posterior, question, models, benchmarks, weights=weights, kind=kind, scale=scale,
        probe=probe, k=k, prob=prob, level=level,
    )  # fmt: skip
    matrix = posterior.matrix
    bought = document.get("price")
    listings = [] if bought is None else [_price_table(document, matrix)]
    if document["ranking"]:
        listings.append(_rank_table(document, matrix))
    if probe is not None:
        probe = matrix.model_names.known(probe) or probe
        listings.append(_probe_table(probe, document["probes"], matrix))
    said = (document["sentence"], "" if bought is None else bought["sentence"])
    emit(output_format, document, *listings, after="\n".join(filter(None, said)))


@dataclass(frozen=True)
class Level:
    """What ``--price`` asks for: the price of at least so many points, with a probability."""

    file: str
    at_least: float
    probability: float


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
    level: Level | None = None,
) -> dict[str, Any]:
    """The answer as JSON; what names were taken for is noted too."""
    from .sources import posterior_facts

    found = compared_models(posterior, question, models, benchmarks)
    bought = None
    if level is not None:
        if scale != "score":
            raise UsageError("--at-least is a level in points: leave out --scale latent")
        found, bought = _bought(posterior, found, level, weights, kind, question.seed)
    matrix, compared = posterior.matrix, found.models
    ranking = None
    if bought is None or len(compared) > 1:
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
            for row in ([] if ranking is None else _rows(ranking))
        ],
        "sentence": "" if ranking is None else ranking.sentence,
        "p_better": {} if ranking is None else _p_better(ranking),
    }
    if bought is not None:
        document["price"] = _price_document(bought)
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


def _level(price: str | None, at_least: float | None, probability: float | None) -> Level | None:
    if price is None:
        if at_least is not None or probability is not None:
            option = "--probability" if at_least is None else "--at-least"
            raise UsageError(f"{option} goes with --price FILE: give the prices of the models")
        return None
    if at_least is None:
        raise UsageError("--price asks what a level costs: give the level with --at-least")
    return Level(price, at_least, 0.9 if probability is None else probability)


def _bought(
    posterior: Posterior,
    found: Compared,
    level: Level,
    weights: Mapping[str, float] | None,
    kind: Kind,
    seed: int,
) -> tuple[Compared, Affordable]:
    """What the level costs, and the models compared: those asked about, else those with a price."""
    prices, spelled = _prices(posterior, level.file)
    compared = found.models
    asked = bool(compared)
    if not any(isinstance(one, str) for one in compared):
        own = {one if isinstance(one, str) else one.id for one in compared}
        fitted = set(posterior.model_ids)
        priced = (name for name in prices.values if name in fitted and name not in own)
        compared = (*priced, *compared)
    bought = posterior.affordable(
        prices, on=found.benchmarks, at_least=level.at_least,
        models=list(compared) if asked else None, probability=level.probability,
        weights=weights, kind=kind, seed=seed,
    )  # fmt: skip
    told = (*spelled, *_left(bought))
    for line in told:
        note(f"note: {line}")
    return replace(found, models=compared, notes=(*found.notes, *told)), bought


def _prices(posterior: Posterior, file: str) -> tuple[Prices, tuple[str, ...]]:
    """Prices of a file by model id, and what its names were taken for."""
    from ..answers.affordable import Prices

    read = Prices.from_table(file)
    found, told = posterior.matrix.model_names.by_id(read.values, f"{file}: price", unknown=True)
    return Prices(found, read.unit), told


def _left(bought: Affordable) -> list[str]:
    """A line for each kind of models that could not be set against the others."""
    kinds = {
        "without a price": bought.without_price,
        "with a price, not known to the posterior": bought.without_prediction,
        "with a price, not asked about": bought.not_asked,
    }
    return [f"{why}: {', '.join(names)}" for why, names in kinds.items() if names]


def _price_document(bought: Affordable) -> dict[str, Any]:
    best = bought.cheapest
    return {
        "at_least": bought.at_least,
        "lower_is_better": bought.lower_is_better,
        "probability": bought.probability,
        "unit": bought.unit,
        "cheapest": None if best is None else best.model_id,
        "sentence": bought.sentence,
        "models": [asdict(one) for one in bought.models],
        "without_price": list(bought.without_price),
        "without_prediction": list(bought.without_prediction),
        "not_asked": list(bought.not_asked),
    }


def _price_table(document: dict[str, Any], matrix: ScoreMatrix) -> Listing:
    bought = document["price"]
    unit = f" ({bought['unit']})" if bought["unit"] else ""
    columns = (
        Column("model_id", "model", matrix.model_names.title, right=False),
        Column("price", f"price{unit}"),
        Column("p_reaches", "P(reaches)", lambda p: "-" if p is None else f"{p:.2f}"),
        Column("median", "median"),
        Column("frontier", "frontier", text, right=False),
    )
    titles = ", ".join(map(matrix.benchmark_names.title, document["benchmarks"]))
    side = "at most" if bought["lower_is_better"] else "at least"
    title = f"What {side} {bought['at_least']:g} on {titles} costs"
    return Listing(title, columns, bought["models"], PRICE_FIELDS)


def _p_better(ranking: Ranking) -> dict[str, dict[str, float]]:
    return {
        a: {b: float(p) for b, p in zip(ranking.model_ids, line, strict=True) if a != b}
        for a, line in zip(ranking.model_ids, ranking.win, strict=True)
    }


def _rows(ranking: Ranking) -> list[tuple[Any, ...]]:
    order = ranking.order
    rows = []
    for i, after in zip(order, [*order[1:], None], strict=True):
        gap: list[float | None] = [None] * 3 if i == order[0] else ranking.gaps[i].tolist()
        lower, median, upper = ranking.scores[i].tolist()
        rows.append((
            ranking.model_ids[i], float(ranking.p_best[i]), int(ranking.median[i]),
            int(ranking.lower[i]), int(ranking.upper[i]), median, lower, upper,
            gap[1], gap[0], gap[2], None if after is None else float(ranking.win[i, after]),
            ranking.rank_probability[i].tolist(),
        ))  # fmt: skip
    return rows


def _rank_table(document: dict[str, Any], matrix: ScoreMatrix) -> Listing:
    ranked = [
        {
            **row,
            "scores": (row["lower"], row["upper"]),
            "gaps": (row["gap_lower"], row["gap_upper"]),
            "ranks": (row["lower_rank"], row["upper_rank"]),
        }
        for row in document["ranking"]
    ]
    columns = (
        Column("model_id", "model", matrix.model_names.title, right=False),
        Column("median", "score"),
        Column("scores", "score interval", _interval, drop=2),
        Column("gap", "behind the first", _behind),
        Column("gaps", "gap interval", _behind_interval, drop=3),
        Column("p_best", "P(best)", _chance),
        Column("p_better_next", "P(beats the next)", _chance, drop=4),
        Column("ranks", "ranks", lambda ends: f"{ends[0]}-{ends[1]}", drop=1),
    )
    titles = ", ".join(map(matrix.benchmark_names.title, document["benchmarks"]))
    what = f"{len(ranked)} models on {titles}"
    title = f"{what}: scores, gaps and ranks with {percent(document['prob'])} intervals"
    return Listing(title, columns, ranked, RANK_FIELDS)


def _chance(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _interval(ends: tuple[float, float]) -> str:
    return f"{number(ends[0])} to {number(ends[1])}"


def _behind(gap: float | None) -> str:
    return "" if gap is None else number(0.0 - gap)


def _behind_interval(ends: tuple[float | None, float | None]) -> str:
    lower, upper = ends
    return "" if lower is None or upper is None else _interval((0.0 - upper, 0.0 - lower))


def _probe_table(probe: str, rows: list[dict[str, Any]], matrix: ScoreMatrix) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", matrix.benchmark_names.title, right=False),
        Column("information_nats", "information (nats)", lambda x: f"{x:.4f}"),
        Column("mcse", "Monte Carlo error", lambda x: f"{x:.4f}"),
    )
    title = f"Run on {matrix.model_names.title(probe)} to learn which model is best"
    return Listing(title, columns, rows, PROBE_FIELDS)
