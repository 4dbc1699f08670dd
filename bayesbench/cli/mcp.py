"""``bayesbench mcp``."""

from __future__ import annotations

from importlib.util import find_spec

import click

from ..errors import UsageError
from .output import example
from .question import posterior_option

__all__ = ["mcp"]


@click.command(epilog=example("bayesbench mcp", "bayesbench mcp --posterior posterior.nc"))
@posterior_option
def mcp(posterior: str | None) -> None:
    """Serve the answers to an agent, over stdin and stdout, until stdin ends.

    A server of the Model Context Protocol: an agent starts it and calls its tools. Needs the
    extra "mcp". Stdout carries the protocol alone; notes go to stderr.
    """
    if find_spec("mcp") is None:
        raise UsageError("bayesbench mcp needs the package mcp; install bayesbench-scores[mcp]")
    from .tools import server

    server(posterior).run("stdio")
