"""What the headers of a table mean, by their folded names: roles that people give to columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from .ids import folded
from .tables import Table

__all__ = [
    "FACTS",
    "LONG",
    "Kind",
    "column_for",
    "fact_by_name",
    "kind_by_name",
    "name_aliases",
    "stderr_of",
]

Kind = Literal[
    "aggregate", "rank", "votes", "context", "price", "date", "url", "text", "spread", "compute"
]  # fmt: skip

LONG: dict[str, tuple[str, ...]] = {
    "model_id": ("modelid", "model", "modelname", "models", "system", "llm", "fullname", "name"),
    "benchmark_id": (
        *("benchmarkid", "benchmark", "benchmarkname", "benchmarks", "task", "taskname", "tasks"),
        *("dataset", "datasetname", "datasets", "test", "eval", "evaluation", "evaluationname"),
    ),
    "score": ("score", "value", "accuracy", "acc", "result", "performance"),
    "stderr": ("stderr", "standarderror", "stderror", "se", "scorestderr", "scorese"),
    "n_items": ("nitems", "numitems", "nsamples", "numsamples", "nproblems", "numproblems"),
    "reading": ("reading",),
    "setting": ("setting", "settings"),
    "source_url": ("sourceurl",),
    "source_kind": ("sourcekind",),
}
"""Folded headers of the columns of a long table, the first of each being preferred."""

FACTS: dict[str, tuple[str, ...]] = {
    "name": ("displayname", "modeldisplayname"),
    "provider": (
        *("provider", "organization", "organisation", "org", "company", "developer", "maker"),
        *("vendor", "lab", "creator", "modelcreator", "publisher"),
    ),
    "release_date": ("releasedate", "released", "release", "modelreleasedate", "launchdate"),
    "params_b": (
        *("params", "parameters", "paramsb", "parametersb", "size", "sizeb", "modelsize"),
        *("nparams", "numparams", "parameterssizeb", "totalparams", "totalparamsb"),
        *("totalparameters", "numberofparameters"),
    ),
    "active_params_b": ("activeparams", "activeparamsb", "activeparameters", "activatedparams"),
    "open_weights": ("openweights", "openweight", "open", "opensource", "isopen"),
    "reasoning": ("reasoning", "isreasoning", "reasoningmodel", "thinking"),
    "family": ("family", "modelfamily"),
    "aliases": ("aliases",),
}
"""Folded headers of what is known of the models beside their scores, by the fact they give."""

_AGGREGATES = frozenset({"average", "avg", "mean", "overall", "total", "aggregate", "sum"})
_BESIDE_AGGREGATES = frozenset(
    {"score", "scores", "global", "macro", "micro", "weighted", "all", "benchmarks", "final"}
    | {"accuracy", "acc", "performance", "normalized", "normalised", "of", "across", "the"}
)
_BY_NAME: dict[Kind, frozenset[str]] = {
    "rank": frozenset({"rank", "ranking", "position", "place", "no", "nr", "rankub", "row"}),
    "votes": frozenset({"votes", "nvotes", "numvotes", "votecount", "battles", "samples"}),
    "context": frozenset(
        {"context", "contextlength", "contextwindow", "contextsize", "ctx", "maxtokens"}
    ),
    "price": frozenset(
        {"price", "cost", "inputprice", "outputprice", "blendedprice", "inputcost", "outputcost"}
        | {"latency", "ttft", "speed", "throughput", "tokenspersecond", "totalcost", "costs"}
        | {"pricein", "priceout", "priceinput", "priceoutput"}
    ),
    "compute": frozenset(
        {"trainingcompute", "compute", "flop", "flops", "trainingflop", "trainingflops"}
        | {"trainingtokens", "tokens", "totaltokens"}
    ),
    "date": frozenset(
        {"date", "updated", "lastupdated", "lastupdate", "submissiondate", "evaluationdate"}
        | {"knowledgecutoff", "cutoff", "trainingcutoff", "year", "evaldate", "uploadtohubdate"}
    ),
    "url": frozenset({"url", "link", "links", "source", "homepage", "paper", "website", "href"}),
    "text": frozenset(
        {"license", "licence", "hublicense", "note", "notes", "comment", "comments", "type"}
        | {"description", "architecture", "precision", "version", "access", "basemodel"}
        | {"category", "modality", "modelid", "modelname", "name", "model", "id", "slug"}
    ),
}
_PROSE = frozenset({"note", "notes", "comment", "comments", "description", "link", "url"})
"""Last words of headers of columns of text, such as ``Training compute notes``."""
_STDERR = re.compile(r"stderror|standarderror|stderr")
_STDERR_WORDS = re.compile(r"(?:^|[\s_.\-(\[])s\.?e\.?(?:m\.?)?[)\]]?$", re.IGNORECASE)
_SPREAD = re.compile(
    r"(?:^|[\s_.\-(\[,])(?:std|sd|stddev|ci|ci\s?95|95\s?%?\s?ci|variance|lower|upper|"
    r"ci[_ ]?(?:lower|upper))[)\]]?$",
    re.IGNORECASE,
)


_SCHEMA = (
    *("model_id", "benchmark_id", "score", "reading", "setting", "source_kind", "source_url"),
    *("n_items", "stderr", "name", "provider", "release_date", "date_source", "params_b"),
    *("active_params_b", "open_weights", "reasoning", "family", "aliases", "category", "scale"),
    *("lower", "upper", "higher_is_better", "how", "cost", "cost_note", "url"),
)
_SHORT = {"model": "model_id", "benchmark": "benchmark_id"}
_BY_FOLD = {folded(name): name for name in _SCHEMA} | _SHORT


def name_aliases(table: Table) -> Table:
    """Table with the schema's names for its columns, whatever their case and punctuation.

    ``model`` and ``benchmark`` stand for ``model_id`` and ``benchmark_id`` where these are not
    there.
    """
    present = {str(name) for name in table.frame.columns}
    renamed: dict[str, str] = {}
    for column in table.frame.columns:
        name = _BY_FOLD.get(folded(str(column)))
        if name is not None and name not in present:
            renamed[column] = name
            present.add(name)
    return table.holding(table.frame.rename(columns=renamed))


def column_for(headers: list[str], wanted: str) -> str | None:
    """The header that means a column of a long table, the most explicit one; None without.

    Examples
    --------
    >>> column_for(["Task", "Model", "Value"], "benchmark_id")
    'Task'
    """
    by_fold: dict[str, str] = {}
    for header in headers:
        by_fold.setdefault(folded(header), header)
    return next((by_fold[name] for name in LONG[wanted] if name in by_fold), None)


def fact_by_name(header: str) -> str | None:
    """The fact about models that a header names, None if it names none."""
    for spelled in _spellings(header):
        for fact, names in FACTS.items():
            if spelled in names:
                return fact
    return None


def kind_by_name(header: str) -> Kind | None:
    """What a header says that a column holds instead of scores, None if it says nothing.

    Examples
    --------
    >>> kind_by_name("Average \u2b06\ufe0f"), kind_by_name("#"), kind_by_name("MMLU average")
    ('aggregate', 'rank', None)
    """
    if header.strip() in ("#", "\u2116"):
        return "rank"
    words = {word for word in re.split(r"[\W_]+", header.casefold()) if word}
    if words & _AGGREGATES and words <= _AGGREGATES | _BESIDE_AGGREGATES:
        return "aggregate"
    for spelled in _spellings(header):
        for kind, names in _BY_NAME.items():
            if spelled in names:
                return kind
    if words & _PROSE and re.split(r"[\W_]+", header.casefold().strip())[-1] in _PROSE:
        return "text"
    return "spread" if _SPREAD.search(header.strip()) else None


def stderr_of(header: str, by_fold: Mapping[str, str]) -> str | None:
    """The column whose standard errors a column holds; empty if it is that of none, else None.

    Parameters
    ----------
    header : str
    by_fold : mapping of folded header to header
        The columns there are.

    Examples
    --------
    >>> columns = {"accnone": "acc,none", "gpqa": "GPQA"}
    >>> stderr_of("acc_stderr,none", columns), stderr_of("GPQA (SE)", columns)
    ('acc,none', 'GPQA')
    """
    spelled = folded(header)
    rest = _STDERR.sub("", spelled, count=1)
    if rest == spelled:
        words = _STDERR_WORDS.sub("", header.strip())
        if words == header.strip():
            return None
        rest = folded(words)
    return by_fold.get(rest, "")


def _spellings(header: str) -> tuple[str, ...]:
    """The folded header, also without what stands in brackets."""
    bare = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", header)
    return tuple(dict.fromkeys(part for part in (folded(header), folded(bare)) if part))
