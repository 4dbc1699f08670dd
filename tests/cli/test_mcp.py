"""``bayesbench mcp`` as a process: what an agent starts and talks to."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.cli.conftest import Run, loaded
from tests.conftest import REPOSITORY

PARAMETERS = ["-m", "bayesbench", "mcp"]
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def calling(id: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


def talk(lines: list[str], wanted: int, *parameters: str) -> tuple[list[Any], str]:
    """Send lines to the server; its first `wanted` answers, and what it said on stderr."""
    process = subprocess.Popen(
        [sys.executable, *PARAMETERS, *parameters],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("".join(f"{line}\n" for line in lines))
    process.stdin.flush()
    answers = [process.stdout.readline() for _ in range(wanted)]
    rest, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    return [json.loads(line) for line in [*answers, *rest.splitlines()]], told


def test_over_stdio_the_answer_is_that_of_the_command(posterior_file: Path, ask: Run) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=[*PARAMETERS, "--posterior", str(posterior_file)],
        env=dict(os.environ),
        cwd=REPOSITORY,
    )

    async def asked() -> tuple[Any, Any]:
        async with Client(stdio_client(parameters)) as client:
            answer = await client.call_tool("predict", {"scores": {"Bench 0": 40}})
            refused = await client.call_tool("predict", {"scores": {"bench_O": 40}})
            return answer.structured_content, refused

    answer, refused = asyncio.run(asked())
    assert answer == ask("predict", "--scores", "Bench 0=40", "--format", "json").json()
    assert refused.is_error
    assert refused.content[0].text.startswith("unknown benchmark 'bench_O'; nearest: bench_")


def test_stdout_carries_the_protocol_alone_whatever_comes_in(posterior_file: Path) -> None:
    lines = [
        json.dumps(HELLO),
        json.dumps(READY),
        "no JSON at all",
        json.dumps(calling(2, "predict", {"scores": {"Bench 0": 40}})),
        json.dumps(calling(3, "predict", {"scores": {"bench_0": float("nan")}})),
        json.dumps(calling(4, "predict", {"scores": {"bench_0": 40}})),
    ]
    answers, told = talk(lines, 4, "--posterior", str(posterior_file))
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    by_id = {answer.get("id"): answer for answer in answers}
    assert "structuredContent" in by_id[2]["result"] and "structuredContent" in by_id[4]["result"]
    assert "error" in by_id[3] or by_id[3]["result"]["isError"]
    assert "note: 'Bench 0' is taken for bench_0" in told and "Traceback" not in told


def test_a_missing_posterior_ends_it_in_one_line(run: Run, tmp_path: Path) -> None:
    result = run("mcp", "--posterior", tmp_path / "none.nc")
    assert result.code != 0 and result.out == ""
    assert result.err.startswith("error: ") and result.err.count("\n") == 1


def test_without_the_package_it_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesbench.cli.mcp.find_spec", lambda _: None)
    result = run("mcp")
    assert (result.code, result.out) == (2, "")
    assert "install bayesbench-scores[mcp]" in result.err


def test_it_starts_without_the_heavy_packages(repository: Path) -> None:
    found = loaded(repository, "import bayesbench.cli.tools as t\nt.server()")
    assert not {"jax", "numpyro", "scipy", "xarray", "matplotlib", "arviz_stats"} & found


def test_other_commands_do_not_load_the_protocol(repository: Path) -> None:
    assert not {"mcp", "pydantic"} & loaded(repository, "from bayesbench.cli import predict, app")
