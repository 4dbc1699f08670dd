"""The transcript in docs/mcp.md, made again: ``python benchmarks/mcp_page.py``.

The protocol's own client starts ``bayesbench mcp`` as an agent does, over stdin and stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from readme import ROOT

PAGE = ROOT / "docs" / "mcp.md"
TRANSCRIPT = re.compile(
    r"(?<=<!-- transcript -->\n```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE
)
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("benchmarks", {"term": "gpqa"}),
    (
        "predict",
        {"scores": {"GPQA Diamond": 70, "mmlu_pro": 75.5}, "benchmarks": ["hle", "ifeval"]},
    ),
    ("next", {"scores": {"gpqa_diamond": 70, "mmlu_pro": 75.5}, "targets": ["hle"], "k": 1}),
    ("check", {"scores": {"gpqa_diamond": 70, "mmlu_pro": 75.5, "ifeval": 0.85}}),
    ("compare", {"models": ["gpt-5", "gpt-4o"], "benchmarks": ["hle"]}),
    ("predict", {"scores": {"mmlu_prp": 75.5}}),
]
LEFT_OUT = ("posterior", "warnings")
"""Parts of an answer that the page leaves out."""


def shortened(value: Any) -> Any:
    """Numbers to three digits behind the point; of lists the first two."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items() if name not in LEFT_OUT}
    if isinstance(value, list):
        return [shortened(item) for item in value[:2]]
    return round(value, 3) if isinstance(value, float) else value


async def transcript() -> str:
    """What is asked, and what the answers say."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "bayesbench", "mcp"], env=dict(os.environ), cwd=ROOT
    )
    lines = []
    async with Client(stdio_client(server)) as client:
        lines.append(f"tools: {', '.join(tool.name for tool in (await client.list_tools()).tools)}")
        for name, arguments in CALLS:
            lines += ["", f"-> {name} {json.dumps(arguments)}"]
            result = await client.call_tool(name, arguments)
            if result.is_error:
                lines.append(f"<- error: {getattr(result.content[0], 'text', '')}")
            else:
                # the text has the fields in the order of the command
                document = json.loads(getattr(result.content[0], "text", ""))
                lines.append(f"<- {json.dumps(shortened(document), ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    made = asyncio.run(transcript())
    PAGE.write_text(TRANSCRIPT.sub(lambda _: made, text), encoding="utf-8")


if __name__ == "__main__":
    main()
