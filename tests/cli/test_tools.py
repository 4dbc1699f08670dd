"""The tools of ``bayesbench mcp``, asked by the protocol's own client in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, Tool

from bayesbench.cli.app import COMMANDS
from bayesbench.cli.tools import server
from bayesbench.shipped import bundled_path
from tests.cli.conftest import Run

Ask = Callable[..., CallToolResult]
TOOLS = ["predict", "next", "decide", "explain", "check", "rank", "compare", "models", "benchmarks"]
KNOWN = {"bench_0": 40.0, "bench_3": 55.0}
WRITTEN = ("--scores", "bench_0=40,bench_3=55")
SLIP = {"bench_0": 0.9, "bench_3": 0.8, "bench_4": 0.7}
PAIRS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("predict", {"scores": KNOWN}, WRITTEN),
    ("predict", {"scores": SLIP}, ("--scores", "bench_0=0.9,bench_3=0.8,bench_4=0.7")),
    (
        "predict",
        {
            "scores": KNOWN, "stderr": {"bench_0": 2.0}, "id": "model-9", "prob": 0.5, "seed": 3,
            "benchmarks": ["Bench 1", "bench_2"],
            "facts": {"provider": "Beth", "release_date": "2024-05", "reasoning": True,
                      "open_weights": False, "params_b": 7.0},
        },
        ("--scores", "bench_0=40+-2,bench_3=55", "--id", "model-9", "--prob", "0.5", "--seed", "3",
         "--benchmark", "Bench 1,bench_2", "--provider", "Beth", "--release-date", "2024-05",
         "--reasoning", "--no-open-weights", "--params-b", "7"),
    ),
    ("predict", {"model": "model_1"}, ("--model", "model_1")),
    ("next", {"scores": KNOWN}, WRITTEN),
    (
        "next",
        {"scores": KNOWN, "targets": ["bench_1"], "benchmarks": ["bench_1", "bench_2"],
         "exclude": ["bench_2"], "k": 1},
        (*WRITTEN, "--targets", "bench_1", "--benchmark", "bench_1,bench_2", "--exclude",
         "bench_2", "--k", "1"),
    ),
    (
        "next",
        {"scores": {"bench_3": 55.0}, "costs": "n_items", "budget": 600.0},
        ("--scores", "bench_3=55", "--cost", "n_items", "--budget", "600"),
    ),
    (
        "decide",
        {"scores": KNOWN, "benchmark": "Bench 4", "tolerance": 3, "cost": 5, "price_wrong": 9},
        (*WRITTEN, "--benchmark", "Bench 4", "--tolerance", "3", "--cost", "5", "--price-wrong",
         "9"),
    ),
    ("explain", {"scores": KNOWN, "benchmark": "bench_4"}, (*WRITTEN, "--benchmark", "bench_4")),
    ("check", {"scores": SLIP}, ("--scores", "bench_0=0.9,bench_3=0.8,bench_4=0.7")),
    (
        "rank",
        {"models": ["model_0", "Model 2"], "benchmarks": ["bench_0", "bench_1"],
         "weights": {"bench_0": 2.0, "bench_1": 1.0}, "scores": {"bench_3": 55.0}, "probe": "new",
         "k": 2, "kind": "known"},
        ("model_0", "Model 2", "--benchmark", "bench_0,bench_1", "--weights", "bench_0=2,bench_1=1",
         "--scores", "bench_3=55", "--probe", "new", "--k", "2", "--kind", "known"),
    ),
    (
        "compare",
        {"models": ["model_0", "Model 2"], "benchmarks": ["bench_0"], "seed": 2},
        ("model_0", "Model 2", "--benchmark", "bench_0", "--seed", "2"),
    ),
    ("models", {"term": "beth"}, ("beth",)),
    ("benchmarks", {}, ()),
]  # fmt: skip
"""Tool, arguments and the same call of the command."""


@pytest.fixture(scope="session")
def call(posterior_file: Path) -> Ask:
    """Call a tool of a server of the small posterior."""
    made = server(str(posterior_file))

    def asked(name: str, **arguments: Any) -> CallToolResult:
        async def inside() -> CallToolResult:
            async with Client(made) as client:
                return await client.call_tool(name, arguments)

        return asyncio.run(inside())

    return asked


def refusal(result: CallToolResult) -> str:
    """The one line of a call that was refused."""
    (content,) = result.content
    assert result.is_error and content.type == "text" and result.structured_content is None
    assert "\n" not in content.text and "Traceback" not in content.text
    return content.text


def listed(path: str | None) -> tuple[list[Tool], dict[str, str]]:
    async def inside() -> tuple[list[Tool], dict[str, str]]:
        async with Client(server(path)) as client:
            tools = (await client.list_tools()).tools
            texts = {}
            for one in (await client.list_resources()).resources:
                (content,) = (await client.read_resource(one.uri)).contents
                texts[str(one.uri)] = getattr(content, "text", "")
            return tools, texts

    return asyncio.run(inside())


@pytest.mark.parametrize(("name", "arguments", "written"), PAIRS)
def test_a_tool_answers_with_the_json_of_its_command(
    name: str, arguments: dict[str, Any], written: tuple[str, ...], call: Ask, ask: Run
) -> None:
    result, expected = call(name, **arguments), ask(name, *written, "--format", "json").json()
    assert not result.is_error, result.content
    assert result.structured_content == expected
    (content,) = result.content
    assert content.type == "text" and json.loads(content.text) == expected


def test_every_tool_is_a_command_and_is_compared_with_it() -> None:
    assert set(TOOLS) <= set(COMMANDS)
    assert {name for name, *_ in PAIRS} == set(TOOLS)


def test_tools_are_read_only_and_say_what_they_take_and_give(posterior_file: Path) -> None:
    tools, texts = listed(str(posterior_file))
    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.annotations is not None and tool.description
        assert tool.annotations.read_only_hint and tool.annotations.idempotent_hint
        assert tool.output_schema is not None and tool.output_schema["properties"]
    assert list(texts) == ["bayesbench://posterior"]


def test_resources_are_the_card_and_what_info_says(run: Run) -> None:
    _, texts = listed(None)
    assert texts["bayesbench://model-card"] == bundled_path("models", "README.md").read_text()
    assert json.loads(texts["bayesbench://posterior"]) == run("info", "--format", "json").json()


def test_calls_leave_no_trace(call: Ask) -> None:
    first = call("predict", scores=KNOWN).structured_content
    call("predict", scores={"bench_1": 90.0}, seed=5)
    assert call("predict", scores=KNOWN).structured_content == first


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("predict", {"scores": {"bench_O": 40}}, "unknown benchmark 'bench_O'; nearest: bench_"),
        ("predict", {"scores": {"bench_0": 400}}, "outside its scale (0 to 100)"),
        ("predict", {"scores": {"bench_0": "40"}}, "scores.bench_0: Input should be a valid num"),
        ("predict", {"scores": {"bench_0": True}}, "got True"),
        ("predict", {"scores": {"bench_0": float("nan")}}, "scores.bench_0: Input should be"),
        ("predict", {"scores": {"bench_0": 10**400}}, "scores.bench_0: "),
        ("predict", {"scores": [40]}, "scores: Input should be a valid dictionary, got [40]"),
        ("predict", {"scores": {f"b{n}": 1.0 for n in range(10_000)}}, "unknown benchmark 'b0'"),
        ("predict", {"scores": dict.fromkeys(map(str, range(10_000)), "x")}, "(and 9999 more"),
        ("predict", {"scores": {"bench_0": 4, "Bench 0": 5}}, "given twice"),
        ("predict", {"scores": {"a\nb": 4}}, "unknown benchmark 'a\\nb'"),
        ("predict", {"score": {"bench_0": 4}}, "unknown argument of predict 'score'; nearest: sc"),
        ("predict", {}, "nothing is known of the model"),
        ("predict", {"model": "model_99"}, "unknown model 'model_99'; nearest: model_"),
        ("predict", {"scores": KNOWN, "prob": 90}, "prob: Input should be less than 1, got 90"),
        ("predict", {"scores": KNOWN, "seed": -1}, "seed: "),
        ("predict", {"facts": {"reasoning": "yes"}}, "facts.reasoning: Input should be a valid b"),
        ("predict", {"facts": {"release": "2025"}}, "facts.release: Extra inputs"),
        ("predict", {"facts": {"release_date": "soon"}}, "release date 'soon' is not YYYY"),
        ("next", {"scores": KNOWN, "costs": {"bench_1": -1}}, "must be a number above 0, got -1"),
        ("next", {"scores": KNOWN, "k": 0}, "k: Input should be greater than or equal to 1"),
        ("decide", {"scores": KNOWN, "benchmark": "bench_1"}, "tolerance: Field required (and 1"),
        ("explain", {"scores": {}, "benchmark": "bench_1"}, "nothing is known of the model"),
        ("check", {"scores": {"bench_0": 4}}, "fewer than two scores"),
        ("rank", {"models": ["model_0"], "benchmarks": ["bench_0"]}, "at least 2 models, got 1"),
        (
            "compare",
            {"models": ["model_0"], "benchmarks": ["bench_0"]},
            "comparing needs 2 models, got 1",
        ),
        ("models", {"term": "mdel_3"}, "nothing holds 'mdel_3'; nearest: model_3"),
        ("predikt", {}, "unknown tool 'predikt'; nearest: predict"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    name: str, arguments: dict[str, Any], said: str, call: Ask
) -> None:
    assert said in refusal(call(name, **arguments))


def test_a_crash_is_one_line_too(call: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("bayesbench.cli.tools.predict_document", broken)
    assert refusal(call("predict", scores=KNOWN)) == "ZeroDivisionError: by zero"
