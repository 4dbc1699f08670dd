"""``bayesbench report``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing, values
from .output import example, note
from .question import posterior_option

if TYPE_CHECKING:
    from ..front.posterior import Posterior

__all__ = ["report"]


@click.command(
    epilog=example(
        "bayesbench report --out page.html",
        "bayesbench report --out page.html --posterior posterior.nc --model gpt-5,o3",
    )
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    shell_complete=completing.file,
    help="The page, one HTML file.",
)
@posterior_option
@click.option(
    "--model",
    "models",
    multiple=True,
    callback=values.id_lists,
    metavar="ID",
    shell_complete=completing.models,
    help="Fitted models to show: a,b; may be given several times.  [default: all]",
)
@click.option(
    "--campaign",
    metavar="FILE",
    shell_complete=completing.file,
    help="Start with what this campaign has observed.",
)
def report(out: str, posterior: str | None, models: tuple[str, ...], campaign: str | None) -> None:
    """Write a page that answers offline: one HTML file, nothing is loaded from anywhere.

    Typed scores are conditioned on in the browser, on draws that travel in the file. Its address
    holds what was typed, so it can be sent with the file.
    """
    from ..front.posterior import open_posterior
    from ..report.html import write_page

    state: dict[str, Any] | None = None
    if campaign is None:
        opened: Posterior = open_posterior(posterior)
    else:
        opened, state = _of_campaign(campaign, posterior)
    chosen = None
    if models:
        chosen, told = opened.matrix.model_names.resolve(models)
        for line in told:
            note(f"note: {line}")
    size = write_page(out, opened, models=chosen, campaign=state)
    note(f"{out}: {size / 1e6:.1f} MB; open it in a browser")


def _of_campaign(path: str, posterior: str | None) -> tuple[Posterior, dict[str, Any]]:
    """The posterior of a campaign, and what its model starts with."""
    from ..campaign import Campaign
    from ..front.posterior import Posterior, open_posterior
    from ..report.about import campaign_state

    given = None if posterior is None else open_posterior(posterior)
    loaded = Campaign.load(path) if given is None else Campaign.load(path, posterior=given)
    return Posterior.of(loaded.posterior), campaign_state(loaded)
