"""``bayesbench items``: the group of the commands about items."""

from __future__ import annotations

import click

from .item_banks import audit, fit, select
from .item_campaigns import new, next_, observe, status, undo
from .item_scores import score
from .output import example

__all__ = ["items"]


@click.group(
    invoke_without_command=True,
    epilog=example(
        "bayesbench items fit answers.csv --out bank.nc",
        "bayesbench items select --bank bank.nc --n 50 --format csv",
        "bayesbench items score --bank bank.nc --given new_model.csv",
        "bayesbench items new run.json --bank bank.nc --max-items 100",
        "bayesbench items next --campaign run.json --n 10",
        "bayesbench items observe q17=1 q4=0 --campaign run.json",
    ),
)
@click.pass_context
def items(ctx: click.Context) -> None:
    """Learn from answers per item which to ask, and what the whole benchmark would say."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in (fit, select, next_, observe, score, audit, new, status, undo):
    items.add_command(command)
