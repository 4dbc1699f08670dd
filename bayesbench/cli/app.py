"""The root command, and which module holds which command."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

import click

from ..errors import UnknownIdError
from .output import example

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["app"]

COMMANDS = {
    "predict": ("predict:predict", "What a model would score on other benchmarks."),
    "next": ("next:next_", "Which benchmark to run next."),
    "decide": ("decide:decide", "Run a benchmark, or trust its prediction?"),
    "compare": ("compare:compare", "How far one model lies above another."),
    "explain": ("explain:explain", "Which known scores drive a prediction."),
    "check": ("check:check", "Which of the given scores do not fit the others."),
    "rank": ("rank:rank", "Which of several models is best, and how sure that is."),
    "campaign": ("campaign:campaign", "Propose, observe, update: a campaign kept in a file."),
    "fit": ("fit:fit", "Fit the low-rank model to a score matrix."),
    "models": ("listing:models", "The fitted models."),
    "benchmarks": ("listing:benchmarks", "The benchmarks of a posterior."),
    "info": ("info:info", "What a posterior file holds."),
    "report": ("report:report", "A page that answers offline: one HTML file."),
    "import": ("imports:import_", "Scores from result files of other tools."),
    "export": ("export:export", "A score matrix as CSV, Parquet, Excel, JSON or netCDF."),
    "data": ("upkeep:data", "Keep a matrix: check, add, diff, stats, quarantine."),
    "evaluate": ("evaluate:evaluate", "Error and coverage of a method on held-out scores."),
    "export-prompt": ("export:export_prompt", "A masked matrix as CSV, for any other predictor."),
    "structure": ("structure:structure", "How many components the scores of a matrix have."),
    "subset": ("subset:subset", "A small suite of benchmarks that stands for all of a matrix."),
    "items": ("items:items", "Which questions to ask, and what the whole benchmark would say."),
    "audit": ("audit:audit", "The most suspicious readings of a score matrix."),
    "mcp": ("mcp:mcp", "Answer an agent: a server of the Model Context Protocol."),
    "demo": ("demo:demo", "A worked example from the bundled posterior."),
    "completion": ("completion:completion", "The script that makes a shell complete all this."),
}
"""Name to (module:attribute, summary); a module is imported when its command is called."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None if there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(f".{module}", __package__), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown name is answered with the nearest ones."""
        unknown = args and not args[0].startswith("-") and args[0] not in COMMANDS
        if unknown and not ctx.resilient_parsing:
            raise UnknownIdError("command", args[0], difflib.get_close_matches(args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Names that begin so, without importing anything; options as click does it."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        click.echo(f"bayesbench {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example('bayesbench predict --scores "gpqa_diamond=70,mmlu_pro=75.5" --reasoning'),
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Ask a posterior over a (models x benchmarks) score matrix.

    A few scores of a model tell what it would score elsewhere, how sure that is, and which
    benchmark to run next. Data go to stdout, everything else to stderr.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
