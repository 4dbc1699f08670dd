"""Ablations of the low-rank model: one change at a time, one JSON file for each and protocol.

    python benchmarks/ablation.py --jobs 2

Runs what `results/ablation` does not hold yet, every row by the command it stands for (`run.py`
with one ``--option``); `report.py` writes the table of docs/ablation.md from the files.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PROTOCOLS = {"p1": ("--seeds", "development"), "p2": ()}
"""Protocols of the table, with the options that keep them on the development seeds."""


@dataclass(frozen=True)
class Change:
    """One row: what is other than by default.

    Attributes
    ----------
    text : str
    options : tuple of str
        ``KEY=VALUE`` as `run.py` takes them.
    """

    text: str
    options: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its name in files."""
        kept = "".join(c if c.isalnum() or c in "._" else "-" for c in "-".join(self.options))
        return "-".join(part for part in kept.split("-") if part) or "default"

    def command(self, protocol: str) -> list[str]:
        """Arguments of `run.py`."""
        options = [word for option in self.options for word in ("--option", option)]
        return [protocol, *PROTOCOLS[protocol], "--label", self.label, *options]


CHANGES = (
    Change("none (the default)", ()),
    Change("rank 0", ("rank=0",)),
    Change("rank 2", ("rank=2",)),
    Change("rank 4", ("rank=4",)),
    Change("rank 8", ("rank=8",)),
    Change("normal noise", ("student_t=false",)),
    Change("one noise scale for all models", ("model_noise=false",)),
    Change("normal loadings", ("heavy_loadings=false",)),
    Change("no covariates", ("covariates=[]",)),
    Change("providers only, no lineages", ('groups=["provider"]',)),
    Change("no groups", ("groups=[]",)),
    Change("no group effects on latents", ("group_latents=false",)),
    Change("no group effects on benchmarks", ("group_benchmarks=false",)),
    Change("no benchmark families", ("families=false",)),
)


def figures_of(protocol: str, change: Change) -> Mapping[str, Any] | None:
    """Figures of one change; None where they have not been measured."""
    path = RESULTS / "ablation" / f"{protocol}-low-rank-{change.label}.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    found: Mapping[str, Any] = record["development"] if protocol == "p1" else record
    return found


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True)
@click.option("--protocols", default=",".join(PROTOCOLS), show_default=True)
def main(jobs: int, protocols: str) -> None:
    run = [sys.executable, str(HERE / "run.py")]
    where = ["--jobs", str(jobs), "--out", str(RESULTS / "ablation")]
    for protocol in protocols.split(","):
        for change in CHANGES:
            if figures_of(protocol, change) is None:
                called(run + change.command(protocol) + where)


def called(command: Sequence[str]) -> None:
    """Run one row; a failure ends the whole."""
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise click.ClickException(f"failed: {shlex.join(command)}")


if __name__ == "__main__":
    main()
