"""The answers as tools of the Model Context Protocol; the documents are those of the commands."""

# No ``from __future__ import annotations``: the protocol's package reads the annotations, and those
# of a function inside a function can be read from their objects alone.

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, cast

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .. import __version__
from ..errors import BayesbenchError, UnknownIdError, UsageError
from ..front.posterior import Posterior, open_posterior
from ..jsonable import json_text, plain
from ..low_rank.facts import ModelFacts
from ..scores.ids import nearest_ids
from ..shipped import bundled_path
from . import shapes
from .check import check_document
from .compare import compare_document
from .decide import decide_document
from .explain import explain_document
from .info import info_document
from .listing import benchmarks_document, models_document, nothing_holds
from .next import next_document, read_choice
from .output import one_line
from .predict import predict_document
from .question import Question
from .rank import rank_document
from .sources import Answer, answer

__all__ = ["server"]

READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
INSTRUCTIONS = (
    "Predicts benchmark scores of language models from a few known ones, with calibrated "
    "intervals, and says which benchmark to run next. Scores stand on their benchmark's own scale "
    "(mostly 0 to 100): see benchmarks. Nothing is guessed: an unknown name is refused with the "
    "nearest ids. Read notes and warnings of every answer. Every call stands alone."
)

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Numbers = dict[str, Number]
Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Scores = Annotated[
    Numbers, Field(description="Known scores by benchmark, on the benchmark's own scale.")
]
Errors = Annotated[Numbers, Field(description="Standard errors of given scores.")]
ModelName = Annotated[
    str | None, Field(description="A fitted model; its own scores count too.", min_length=1)
]
NewName = Annotated[
    str | None, Field(description="Id of a new model: its lineage is read from it.", min_length=1)
]
Prob = Annotated[float, Field(strict=True, gt=0, lt=1, description="Probability of the intervals.")]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32, description="Seed of the draws.")]
Kind = Annotated[
    Literal["score", "known", "mu"],
    Field(description="New readings, known scores where there are some, or levels without noise."),
]
Scale = Annotated[
    Literal["score", "latent"], Field(description="What is averaged over several benchmarks.")
]
Term = Annotated[
    str | None, Field(min_length=1, description="Part of an id or a name; without it all.")
]

Document = TypeVar("Document")


class Facts(BaseModel):
    """What is known of a new model beside its scores; what is not given is integrated out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    provider: str | None = None
    release_date: Annotated[str | None, Field(description="YYYY, YYYY-MM or YYYY-MM-DD.")] = None
    reasoning: bool | None = None
    open_weights: bool | None = None
    params_b: Annotated[float | None, Field(description="Parameters in billions.")] = None


class Server(MCPServer[Any]):
    """A server whose every refusal is one line, and which ignores no argument."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """As the package does it, but what is wrong is said in one line.

        Raises
        ------
        ToolError
            The call cannot be answered; the message says why.
        """
        try:
            await self._check_names(name, arguments)
            return await super().call_tool(name, arguments, context)
        except BayesbenchError as error:
            raise ToolError(one_line(str(error))) from error
        except ToolError as error:
            raise ToolError(one_line(_reason(error))) from error.__cause__

    async def _check_names(self, name: str, arguments: Mapping[str, Any]) -> None:
        tools = {tool.name: tool for tool in await self.list_tools()}
        if name not in tools:
            raise UnknownIdError("tool", name, nearest_ids(name, list(tools)))
        taken = list(tools[name].input_schema.get("properties", {}))
        for given in arguments:
            if given not in taken:
                raise UnknownIdError(f"argument of {name}", given, nearest_ids(given, taken))


def _reason(error: ToolError) -> str:
    """Why a call failed: what was said of the first bad argument, or by the answer itself."""
    cause = error.__cause__
    if isinstance(cause, BayesbenchError):
        return str(cause)
    if isinstance(cause, ValidationError):
        first, *others = cause.errors(include_url=False)
        where = ".".join(map(str, first["loc"]))
        more = f" (and {len(others)} more like it)" if others else ""
        got = "" if first["type"] == "missing" else f", got {_short(first['input'])}"
        return f"{where}: {first['msg']}{got}{more}"
    return str(error) if cause is None else f"{type(cause).__name__}: {cause}"


def _short(value: object) -> str:
    written = repr(value)
    return written if len(written) <= 60 else f"{written[:57]}..."


def _as(shape: type[Document], document: Mapping[str, Any]) -> Document:
    """The document in JSON's own types, by the name of its shape."""
    return cast(Document, plain(document))


def server(path: str | None = None) -> MCPServer[Any]:
    """A server of the answers from one posterior.

    Parameters
    ----------
    path : str, optional
        Posterior file; by default the bundled one.

    Returns
    -------
    MCPServer
        Its tools are named like the commands, and answer with their JSON.

    Raises
    ------
    PosteriorFileError
        The file is missing, damaged, foreign, or of a newer format.
    """
    posterior = open_posterior(path)
    made = Server("bayesbench", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")
    _add_answers(made, posterior, path)
    _add_comparisons(made, posterior, path)
    _add_lists(made, posterior)
    _add_resources(made, posterior, path)
    return made


def _question(
    path: str | None,
    scores: Numbers | None,
    stderr: Numbers | None,
    model: str | None,
    id: str | None,
    facts: Facts | None,
    seed: int,
) -> Question:
    known = ModelFacts(**(facts.model_dump() if facts else {}))
    return Question(path, scores or {}, model, id, known, seed, stderr or {})


def _add_answers(made: MCPServer[Any], posterior: Posterior, path: str | None) -> None:
    """The tools about one model."""

    def asked(*known: Any) -> Answer:
        return answer(_question(path, *known), posterior)

    @made.tool(annotations=READ_ONLY)
    def predict(
        scores: Scores | None = None,
        benchmarks: list[Name] | None = None,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        target: Literal["reading", "mean"] = "reading",
        prob: Prob = 0.9,
        seed: Seed = 0,
    ) -> shapes.Predicted:
        """Predict what a model would score, with intervals, from scores or facts or as fitted."""
        found = asked(scores, stderr, model, id, facts, seed)
        return _as(shapes.Predicted, predict_document(found, benchmarks or (), prob, target))

    @made.tool(name="next", annotations=READ_ONLY)
    def next_(
        scores: Scores | None = None,
        targets: list[Name] | None = None,
        benchmarks: list[Name] | None = None,
        exclude: list[Name] | None = None,
        costs: Literal["bundled", "n_items"] | Numbers | None = None,
        budget: Number | None = None,
        k: Count | None = None,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        prob: Prob = 0.9,
        seed: Seed = 0,
    ) -> shapes.Recommended:
        """Which benchmarks to run next to learn most about the targets, per cost if given.

        `benchmarks` are the ones to choose among; `budget` limits the sum of the costs.
        """
        found = asked(scores, stderr, model, id, facts, seed)
        chosen = read_choice(
            found.posterior.matrix,
            targets=None if targets is None else tuple(targets),
            cost=() if costs is None else (costs,),
            exclude=tuple(exclude or ()),
            allow=None,
            benchmarks=tuple(benchmarks or ()),
        )
        document = next_document(found, chosen, k=k, budget=budget, prob=prob)
        return _as(shapes.Recommended, document)

    @made.tool(annotations=READ_ONLY)
    def decide(
        benchmark: Name,
        tolerance: Number,
        cost: Number,
        loss_per_point: Number = 0.0,
        price_wrong: Number = 0.0,
        scores: Scores | None = None,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        prob: Prob = 0.9,
        seed: Seed = 0,
    ) -> shapes.Decided:
        """Run a benchmark at this cost, or trust its prediction within the tolerance (points).

        Being farther off costs `price_wrong`, and `loss_per_point` for every point beyond.
        """
        document = decide_document(
            asked(scores, stderr, model, id, facts, seed),
            benchmark,
            tolerance=tolerance,
            cost=cost,
            loss_per_point=loss_per_point,
            price_wrong=price_wrong,
            prob=prob,
        )
        return _as(shapes.Decided, document)

    @made.tool(annotations=READ_ONLY)
    def explain(
        benchmark: Name,
        scores: Scores,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        seed: Seed = 0,
    ) -> shapes.Explained:
        """Which of the given scores drive the prediction of a benchmark, each left out in turn."""
        found = asked(scores, stderr, model, id, facts, seed)
        return _as(shapes.Explained, explain_document(found, benchmark))

    @made.tool(annotations=READ_ONLY)
    def check(
        scores: Scores,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        seed: Seed = 0,
    ) -> shapes.Checked:
        """Audit given scores: each predicted from the others, the most suspicious first."""
        return _as(shapes.Checked, check_document(asked(scores, stderr, model, id, facts, seed)))


def _add_comparisons(made: MCPServer[Any], posterior: Posterior, path: str | None) -> None:
    """The tools about several models."""

    @made.tool(annotations=READ_ONLY)
    def rank(
        models: list[Name],
        benchmarks: Annotated[list[Name], Field(min_length=1)],
        weights: Numbers | None = None,
        kind: Kind = "score",
        scale: Scale = "score",
        probe: Name | None = None,
        k: Count = 5,
        scores: Scores | None = None,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        prob: Prob = 0.9,
        seed: Seed = 0,
    ) -> shapes.Ranked:
        """Rank fitted models, and one known by scores, on a benchmark or a weighted set.

        `probe` names the model to run a benchmark on; then `probes` says which would tell most.
        """
        document = rank_document(
            posterior,
            _question(path, scores, stderr, model, id, facts, seed),
            models,
            benchmarks,
            weights=weights,
            kind=kind,
            scale=scale,
            probe=probe,
            k=k,
            prob=prob,
        )
        return _as(shapes.Ranked, document)

    @made.tool(annotations=READ_ONLY)
    def compare(
        models: Annotated[list[Name], Field(max_length=2)],
        benchmarks: Annotated[list[Name], Field(min_length=1)],
        weights: Numbers | None = None,
        kind: Kind = "score",
        scale: Scale = "score",
        scores: Scores | None = None,
        stderr: Errors | None = None,
        model: ModelName = None,
        id: NewName = None,
        facts: Facts | None = None,
        prob: Prob = 0.9,
        seed: Seed = 0,
    ) -> shapes.Compared:
        """Compare two models: the gap with its interval; the second may be known by scores."""
        document = compare_document(
            posterior,
            _question(path, scores, stderr, model, id, facts, seed),
            models,
            benchmarks,
            weights=weights,
            kind=kind,
            scale=scale,
            prob=prob,
        )
        return _as(shapes.Compared, document)


def _add_lists(made: MCPServer[Any], posterior: Posterior) -> None:
    """The tools that find ids."""
    matrix = posterior.matrix

    @made.tool(annotations=READ_ONLY)
    def models(term: Term = None) -> shapes.Models:
        """Find fitted models by a part of id, name or provider, those with most scores first."""
        document = models_document(matrix, term)
        if term is not None and not document["models"]:
            raise UsageError(nothing_holds(term, matrix.model_ids))
        return _as(shapes.Models, document)

    @made.tool(annotations=READ_ONLY)
    def benchmarks(term: Term = None) -> shapes.Benchmarks:
        """Find benchmarks by a part of id, name or scale, with their bounds and direction."""
        document = benchmarks_document(matrix, term)
        if term is not None and not document["benchmarks"]:
            raise UsageError(nothing_holds(term, matrix.benchmark_ids))
        return _as(shapes.Benchmarks, document)


def _add_resources(made: MCPServer[Any], posterior: Posterior, path: str | None) -> None:
    """What the answers come from."""

    @made.resource("bayesbench://posterior", mime_type="application/json")
    def info() -> str:
        """What the posterior holds: data, model, fit, diagnostics; as ``bayesbench info``."""
        return json_text(info_document(posterior, path), indent=2)

    if path is None:

        @made.resource("bayesbench://model-card", mime_type="text/markdown")
        def model_card() -> str:
            """The card of the bundled posterior: data, model, accuracy, limits."""
            return bundled_path("models", "README.md").read_text(encoding="utf-8")
