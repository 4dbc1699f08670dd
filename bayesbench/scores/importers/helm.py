"""HELM: the folder of one run, ``run_spec.json`` with ``stats.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import (
    Found,
    LeftOut,
    Record,
    as_count,
    as_list,
    as_mapping,
    as_number,
    as_text,
    shares_stderr,
)

__all__ = ["FORMAT", "matches", "read"]

FORMAT = "HELM run"
SHARES = (
    "exact_match",
    "quasi_exact_match",
    "prefix_exact_match",
    "quasi_prefix_exact_match",
    "final_number_exact_match",
    "math_equiv_chain_of_thought",
    "math_equiv",
    "ifeval_strict_accuracy",
    "chain_of_thought_correctness",
    "pass",
)
"""Metrics that are shares of right answers, in the order in which one is taken."""
_MEANS = (
    "f1_score",
    "rouge_l",
    "bleu_4",
    "bleu_1",
    "wildbench_score_rescaled",
    "omni_math_accuracy",
)
"""Metrics that lie between 0 and 1 but are no shares of right answers; taken if asked for."""

FEW_INSTANCES = 100
"""A run that its cap left with fewer instances counts as partial."""
_PARTS = ("subset", "subject", "task", "level", "category", "language", "dataset")


def matches(document: Any) -> bool:
    """Whether a JSON document looks like a run's specification."""
    return isinstance(document, Mapping) and {"name", "adapter_spec"} <= set(document)


def read(spec: Any, stats: Any, source: str, metrics: Mapping[str, str] | None = None) -> Found:
    """Score of a run: the mean of one metric over the test instances without perturbation.

    The spread that HELM gives is over trials, no standard error; that of a share follows from the
    number of instances.

    Parameters
    ----------
    spec, stats : JSON values
        Of run_spec.json and stats.json.
    source : str
    metrics : mapping of scenario to metric, optional

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    about = as_mapping(spec, source, "run_spec.json")
    adapter = as_mapping(about.get("adapter_spec"), source, "run_spec.json adapter_spec")
    model = as_text(adapter.get("model"), source, "run_spec.json adapter_spec/model")
    name = as_text(about.get("name"), source, "run_spec.json name")
    scenario = name.partition(":")[0]
    means = _means(stats, source)
    wanted = (metrics or {}).get(scenario)
    there = [metric for metric in (*SHARES, *_MEANS) if metric in means]
    chosen = wanted if wanted in means else None if wanted else next(
        (metric for metric in SHARES if metric in means), None
    )  # fmt: skip
    if chosen is None:
        asked = f"no metric {wanted}" if wanted else "no share of right answers"
        reason = f"{asked} among {', '.join(there) or 'its statistics'}; choose with --metric "
        return Found(FORMAT, (), (LeftOut(name, model, scenario, f"{reason}{scenario}=METRIC"),))
    place = f"stats.json {chosen}"
    score = as_number(means[chosen], source, place)
    n_items = as_count(means.get("num_instances"), source, "stats.json num_instances")
    share = chosen in SHARES
    known = share and n_items is not None and 0 <= score <= 1
    names = _names(name)
    record = Record(
        place=place,
        model=model,
        benchmark=names[0],
        score=score,
        scale="unit" if share or chosen in _MEANS else None,
        metric=chosen,
        others=names[1:],
        stderr=shares_stderr(score, n_items) if known and n_items is not None else None,
        n_items=n_items,
        setting=_setting(adapter, name, chosen),
        partial=_partial(adapter, n_items),
        note="standard error of a share of the instances" if known else "",
    )
    left = [
        LeftOut(f"stats.json {metric}", model, scenario, f"the metric {chosen} is read")
        for metric in there
        if metric != chosen
    ]
    return Found(FORMAT, (record,), tuple(left))


def _means(stats: Any, source: str) -> dict[str, Any]:
    """Mean by name of the statistics over the whole test split."""
    found: dict[str, Any] = {}
    for number, stat in enumerate(as_list(stats, source, "stats.json")):
        stat = as_mapping(stat, source, f"stats.json/{number}")
        name = as_mapping(stat.get("name"), source, f"stats.json/{number}/name")
        whole = not (name.get("perturbation") or name.get("sub_split"))
        if name.get("split") == "test" and whole and stat.get("mean") is not None:
            found.setdefault(str(name.get("name")), stat["mean"])
    return found


def _names(name: str) -> tuple[str, ...]:
    """Names of what was run: never the scenario alone where the run is about one part of it."""
    scenario, _, rest = name.partition(":")
    arguments = dict(part.partition("=")[::2] for part in rest.split(","))
    parts = [arguments[key] for key in _PARTS if arguments.get(key)]
    if not parts:
        return (scenario,)
    joined = "_".join((scenario, *parts))
    alone = [part for part in parts if part.startswith(f"{scenario}_")]  # gpqa: gpqa_diamond
    return (joined, *alone) if len(parts) == 1 else (joined,)


def _setting(adapter: Mapping[str, Any], name: str, chosen: str) -> str:
    shots = adapter.get("max_train_instances")
    arguments = [
        part
        for part in name.partition(":")[2].split(",")
        if part and not part.startswith(("model=", "model_deployment="))
    ]
    parts = [chosen, f"{shots}-shot" if isinstance(shots, int) else "", *arguments]
    return ", ".join(part for part in parts if part)


def _partial(adapter: Mapping[str, Any], n_items: float | None) -> str:
    """HELM caps instances as a rule; a run of very few is a trial."""
    cap = adapter.get("max_eval_instances")
    if isinstance(cap, int) and n_items is not None and n_items < FEW_INSTANCES:
        return f"{n_items:g} instances, capped at {cap}"
    return ""
