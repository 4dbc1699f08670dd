"""``bayesbench compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import UsageError
from . import completing
from .output import Column, Listing, emit, example, format_option
from .question import Question, prob_option, question_options
from .rank import compared_models, comparison_options

if TYPE_CHECKING:
    from ..answers.joint import Kind
    from ..front.posterior import Posterior

__all__ = ["compare", "compare_document"]

FIELDS = ("first", "second", "median", "lower", "upper", "p_better", "sentence")


@click.command(
    epilog=example(
        "bayesbench compare MODEL_A MODEL_B --benchmark gpqa_diamond",
        'bayesbench compare MODEL_A --scores "ifeval=85" --benchmark gpqa_diamond,hle',
    )
)
@click.argument("models", nargs=-1, shell_complete=completing.model)
@question_options
@comparison_options
@prob_option
@format_option()
def compare(
    question: Question,
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    weights: dict[str, float] | None,
    kind: Any,
    scale: Any,
    prob: float,
    output_format: str,
) -> None:
    """Compare two models on one benchmark or a weighted set: the gap, with its interval.

    MODELS are two fitted models, or one of them and a second known by --scores or facts.
    """
    from ..front.posterior import open_posterior

    posterior = open_posterior(question.posterior)
    document = compare_document(
        posterior, question, models, benchmarks, weights=weights, kind=kind or "score", scale=scale,
        prob=prob,
    )  # fmt: skip
    gap, title = document["comparison"], posterior.matrix.model_names.title
    columns = (
        Column("first", "model", title, right=False),
        Column("second", "less", title, right=False),
        Column("median", "gap"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("p_better", "P(better)", lambda p: f"{p:.2f}"),
    )
    titles = map(posterior.matrix.benchmark_names.title, document["benchmarks"])
    listing = Listing(f"Two models on {', '.join(titles)}", columns, [gap], FIELDS)
    emit(output_format, document, listing, after=gap["sentence"])


def compare_document(
    posterior: Posterior,
    question: Question,
    models: Sequence[str],
    benchmarks: Sequence[str],
    *,
    weights: Mapping[str, float] | None,
    kind: Kind,
    scale: Literal["score", "latent"],
    prob: float,
) -> dict[str, Any]:
    """The answer as JSON; what names were taken for is noted too.

    Raises
    ------
    UsageError
        Not exactly two models.
    """
    from ..front.model import Model
    from .sources import posterior_facts

    found = compared_models(posterior, question, models, benchmarks)
    if len(found.models) != 2:
        raise UsageError(
            f"comparing needs 2 models, got {len(found.models)}; rank takes any number"
        )
    first, second = (
        Model.fitted_one(posterior, one, seed=question.seed) if isinstance(one, str) else one
        for one in found.models
    )
    gap = first.compare(
        second, on=found.benchmarks, weights=weights, kind=kind, scale=scale, prob=prob
    )
    return {
        "benchmarks": list(found.benchmarks),
        "kind": kind,
        "prob": prob,
        "posterior": posterior_facts(posterior, question.posterior),
        "notes": list(found.notes),
        "warnings": found.warnings,
        "comparison": {field: getattr(gap, field) for field in FIELDS},
    }
