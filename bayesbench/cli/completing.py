"""What may come next on the command line, for shells that complete: ids, lists of them, files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = [
    "COMPLETE",
    "benchmark",
    "benchmarks",
    "campaign_model",
    "costs",
    "directory",
    "file",
    "model",
    "models",
    "scores",
]

COMPLETE = "_BAYESBENCH_COMPLETE"
"""Environment variable by which a shell asks what may come next."""

_PLAIN = re.compile(r"[\w.+/-]+")
"""Ids that stand on a command line and in a list as they are; others must be quoted by hand."""

Items = list[CompletionItem[str]]
Completes = Callable[[click.Context, click.Parameter, str], Items]


def file(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Files, of which the shell knows."""
    return [CompletionItem(incomplete, type="file")]


def directory(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Directories, of which the shell knows."""
    return [CompletionItem(incomplete, type="dir")]


def costs(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Where costs may come from."""
    named = [CompletionItem(name) for name in ("bundled", "n_items") if name.startswith(incomplete)]
    return [*named, *file(context, parameter, incomplete)]


def _one_of(dim: str) -> Completes:
    """Ids of the posterior in question."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> Items:
        return [CompletionItem(name) for name in _ids(context, dim, incomplete)]

    return complete


def _several_of(dim: str) -> Completes:
    """Lists of ids like ``a,b``: the last one, of those that are not there yet."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> Items:
        head, comma, last = incomplete.rpartition(",")
        taken = head.split(",")
        found = (name for name in _ids(context, dim, last) if name not in taken)
        return [CompletionItem(f"{head}{comma}{name}") for name in found]

    return complete


model, benchmark = _one_of("model"), _one_of("benchmark")
models, benchmarks = _several_of("model"), _several_of("benchmark")


def scores(context: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Pairs like ``a=70,b=75.5``: the name of the last one, with the sign that follows."""
    head, comma, last = incomplete.rpartition(",")
    taken = [pair.partition("=")[0] for pair in head.split(",")]
    found = (name for name in _ids(context, "benchmark", last) if name not in taken)
    return [CompletionItem(f"{head}{comma}{name}=") for name in found]


def campaign_model(context: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Models of the campaign whose file was named."""
    members = _campaign(context).get("members", [])
    return [CompletionItem(name) for name in _plain(
        [one.get("model_id") or "new" for one in members], incomplete)]  # fmt: skip


def _ids(context: click.Context, dim: str, incomplete: str) -> list[str]:
    """Ids that begin so: of ``--posterior``, of the campaign's posterior, or of the bundled one."""
    from ..posterior.names import read_ids
    from ..shipped import BUNDLED, bundled_path

    campaign = _campaign(context)
    (first, *_) = campaign.get("members") or [campaign]
    path = context.params.get("posterior") or first.get("posterior_path")
    return _plain(read_ids(path or bundled_path("models", BUNDLED), dim), incomplete)


def _plain(ids: Sequence[str], incomplete: str) -> list[str]:
    return [name for name in ids if name.startswith(incomplete) and _PLAIN.fullmatch(name)]


def _campaign(context: click.Context) -> dict[str, Any]:
    """Content of the campaign file that was named, unchecked; empty where there is none."""
    if all(parameter.name != "file" for parameter in context.command.params):
        return {}
    # behind an option without its value, click leaves what stands before it where it found it
    path = context.params.get("file") or next(iter(context.args), "")
    if not Path(path).is_file():
        return {}
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}
