"""``bayesbench demo``: a worked example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .next import probe_rows, probe_table
from .output import emit, example, format_option
from .predict import prediction_rows, prediction_table
from .question import posterior_option

if TYPE_CHECKING:
    from ..front.posterior import Posterior

__all__ = ["demo"]

SCORES = {"gpqa_diamond": 70.0, "ifeval": 85.0, "humaneval": 88.0}
TARGETS = (
    "mmlu_pro",
    "aime_2025",
    "livecodebench",
    "swe_bench_verified",
    "math_500",
    "simpleqa",
    "hle",
)
PROB = 0.9


@click.command(epilog=example("bayesbench demo"))
@posterior_option
@format_option()
def demo(posterior: str | None, output_format: str) -> None:
    """Answer an example question from the bundled posterior.

    A model scored this on a few benchmarks: what would it score on others, how sure is that, and
    which benchmark should be run next?
    """
    from ..front.posterior import open_posterior
    from .sources import posterior_facts

    opened = open_posterior(posterior)
    scores, targets = example_of(opened)
    model = opened.condition(scores)
    predictions = prediction_rows(model.predict(targets), PROB)
    probes = probe_rows(model.recommend(3, prob=PROB))
    facts = posterior_facts(opened, posterior)
    document = {
        "model": model.id,
        "prob": PROB,
        "posterior": facts,
        "scores": scores,
        "predictions": predictions,
        "recommendations": probes,
    }
    names = opened.matrix.benchmark_names
    known = ", ".join(f"{score:g} on {names.title(name)}" for name, score in scores.items())
    emit(
        output_format,
        document,
        prediction_table(model, predictions, PROB),
        probe_table("Run next, to learn most about all the others", probes, names),
        before=f"A model scored {known}. What would it score on other benchmarks, how sure is "
        "that, and which benchmark should be run next?",
        after=f"From {facts['file']}: {facts['models']} models x {facts['benchmarks']} benchmarks, "
        f"{facts['draws']} draws ({facts['method']}), diagnostics: {facts['verdict']}.",
    )


def example_of(posterior: Posterior) -> tuple[dict[str, float], tuple[str, ...]]:
    """Scores and targets the posterior knows; medians of its most reported benchmarks else."""
    import numpy as np

    known = set(posterior.benchmark_ids)
    scores = {name: score for name, score in SCORES.items() if name in known}
    targets = tuple(name for name in TARGETS if name in known)
    if len(scores) >= 2 and targets:
        return scores, targets
    matrix = posterior.matrix
    order = np.argsort(-matrix.observed.sum(axis=0), kind="stable")
    names = [posterior.benchmark_ids[j] for j in order]
    shown = max(1, min(3, len(names) - 1))
    middle = np.nanmedian(matrix.values[:, order[:shown]], axis=0)
    return dict(zip(names[:shown], map(float, middle), strict=True)), tuple(names[shown:][:7])
