"""``bayesbench benchmarks --by information``: what one score of each benchmark tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .next import FIELDS, Choice, probe_table
from .output import Listing, number

if TYPE_CHECKING:
    from ..front.posterior import Posterior

__all__ = ["information_document", "information_table"]


def information_document(
    posterior: Posterior,
    path: str | None,
    chosen: Choice,
    *,
    among: Collection[str] | None = None,
    prob: float = 0.9,
) -> dict[str, Any]:
    """The answer as JSON, for a model of which nothing is known.

    Parameters
    ----------
    posterior : Posterior
    path : str or None
        Its file; None is the bundled one.
    chosen : Choice
        Targets and costs.
    among : collection of str, optional
        Benchmarks to show.
    prob : float
        Probability of the intervals.
    """
    from .sources import posterior_facts

    found = posterior.condition().information(
        targets=chosen.targets, candidates=chosen.candidates, costs=chosen.costs, prob=prob
    )
    rows = [
        {field: asdict(one)[field] for field in FIELDS}
        for one in found
        if among is None or one.benchmark_id in among
    ]
    return {
        "benchmarks": rows,
        "targets": None if chosen.targets is None else list(chosen.targets),
        "prob": prob,
        "posterior": posterior_facts(posterior, path),
        "notes": list(chosen.notes),
        "sentence": _sentence(rows, chosen, among is not None),
    }


def _sentence(rows: list[dict[str, Any]], chosen: Choice, some: bool) -> str:
    """The first three in words; `some` says that not all were asked for."""
    if not rows:
        return "No benchmark is left to say anything of."
    about = "all the others" if chosen.targets is None else ", ".join(chosen.targets[:3])
    about += ", ..." if chosen.targets is not None and len(chosen.targets) > 3 else ""
    told = [f"{row['benchmark_id']} ({number(row['gain_nats'])} nats)" for row in rows[:3]]
    head = "Of a model of which nothing is known, one score of"
    if len(told) == 1:
        gain = number(rows[0]["gain_nats"])
        return f"{head} {rows[0]['benchmark_id']} tells {gain} nats about {about}."
    most = f"most of these {len(rows)}" if some else "most"
    most += "" if chosen.costs is None else " for its cost"
    return (
        f"{head} {told[0]} tells {most} about {about}, then {' and '.join(told[1:])}; what several "
        "tell overlaps."
    )


def information_table(posterior: Posterior, document: dict[str, Any], total: int) -> Listing:
    """The same as a table, of `total` benchmarks in all."""
    names = posterior.matrix.benchmark_names
    targets = document["targets"]
    about = "all the others" if targets is None else ", ".join(map(names.title, targets))
    shown = document["benchmarks"]
    title = f"{len(shown)} of {total} benchmarks: what one score tells about {about}"
    return probe_table(f"{title}, of a model of which nothing is known", shown, names)
