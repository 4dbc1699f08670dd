"""RESULTS.md, docs/ablation.md and the results in both READMEs, from the JSON files in results/.

python benchmarks/report.py            # write them
python benchmarks/report.py --check    # exit 1 if one is not what the files give
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ablation
import click
from records import Record, of, records
from sections import NOT_MEASURED, PUBLISHED_P1, SECTIONS, made_on, policy_name, section
from tables import COLUMNS, SHORT, figures_table, number, table

HERE = Path(__file__).resolve().parent
REPORT = HERE / "RESULTS.md"
README = HERE.parent / "README.md"
CARD = HERE.parent / "models" / "README.md"
ABLATION = HERE.parent / "docs" / "ablation.md"
BEGIN, END = "<!-- results:begin -->\n", "<!-- results:end -->"

HEADLINE_POLICIES = (
    "epig-global", "epig-low-cost", "epig-adaptive", "max-variance", "popularity", "random",
    "the post's five",
)  # fmt: skip
ALWAYS = ("p7", "p8")
"""Sections that say so where nothing was measured."""
HEADLINE_KS = ("1", "5", "10")
"""What the model card shows of P4."""
BRIEF = ("medae", "within5", "coverage90", "width90")
"""Figures of the table in the README; ``within5`` is the share within 5 points."""
BRIEF_KS = {"p3": "5", "p4": "5", "skillinfer-table": "3"}
"""Number of scores shown in its rows."""


def report(found: Sequence[Record]) -> str:
    """The whole of RESULTS.md."""
    parts = [
        "# Results\n",
        "Written by `python benchmarks/report.py` from the JSON files in benchmarks/results, which "
        "`run.py`, `conditioning.py`, `skillinfer_table.py`, `noise_floor.py`, "
        "`contradictions.py`, `engines.py` and `speed.py` make. Held-out cells only; errors and "
        "widths in score points, ratings too; rows in italics "
        "were measured elsewhere.\n",
    ]
    names = {record["name"] for record in found}
    for name, title in SECTIONS:
        if name in names or name in ALWAYS:
            parts.append(f"## {title}\n\n{section(name, found)}")
    parts.append(f"## Made with\n\n{made_on(found)}")
    return "\n".join(parts)


def ablation_table() -> str:
    """One row per change of the model; dashes where it has not been measured."""
    names = ("medae", "medape", "coverage90", "width90", "spearman")
    head = ["change", "options"]
    for protocol in ablation.PROTOCOLS:
        head += [f"{protocol.upper()} {COLUMNS[name][0]}" for name in names]
    rows = []
    for change in ablation.CHANGES:
        row = [change.text, f"`{shlex.join(change.options)}`" if change.options else ""]
        for protocol in ablation.PROTOCOLS:
            found = ablation.figures_of(protocol, change) or {}
            row += [number(found.get(name), COLUMNS[name][1]) for name in names]
        rows.append(row)
    return table(head, rows)


def headline_policies(record: Record) -> list[tuple[str, Any]]:
    """Policies that the model card shows, in order."""
    curves = record.get("matched", record["policies"])
    return [(name, curves[name]) for name in HEADLINE_POLICIES if name in curves]


def headline(found: Sequence[Record]) -> str:
    """The block of the model card: one row per method on P1 and P2, releases and probes below."""
    names = ("medae", "medape", "within5", "coverage90", "width90")
    parts = []
    for name, title, published in (
        ("p1", "Public 84 x 133 matrix, published folds", PUBLISHED_P1[:1]),
        ("p2", "Bundled matrix, per-model 3-fold", ()),
    ):
        rows = [(record["method"], record) for record in of(found, name)]
        if rows:
            parts.append(
                f"{title}, held-out scores:\n\n{figures_table([*rows, *published], names)}"
            )
    release = [
        (f"{record['method']}, {k} shown", entry)
        for record in of(found, "p3")
        for k, entry in record["by_k"].items()
    ]
    if release:
        title = "New releases predicted from the models before them, hidden scores:"
        parts.append(f"{title}\n\n{figures_table(release, SHORT)}")
    probes = [
        (f"{policy_name(policy, by_k)}, k = {k}", by_k[k])
        for record in of(found, "p4")
        for policy, by_k in headline_policies(record)
        for k in HEADLINE_KS
        if k in by_k and not (by_k[k].get("in_sample") and k != "5")
    ]
    if probes:
        title = "A model left out, known by "
        title += (
            "k of its scores alone, equally many for every policy (hidden scores):"
            if all("matched" in record for record in of(found, "p4"))
            else "k probes alone, of which random ones reveal fewer scores than chosen ones, so "
            f"rows do not compare (at equal numbers: {NOT_MEASURED}; hidden scores):"
        )
        parts.append(
            f"{title}\n\n{figures_table(probes, SHORT)}".replace("| method", "| probes", 1)
        )
    peer = [
        (f"{method}, {k} shown", entry)
        for record in found
        if record["name"] == "skillinfer-table"
        for k, by_method in record["by_k"].items()
        for method, entry in by_method.items()
    ]
    if peer:
        title = (
            "Beside skillinfer 0.1.1 on 4,574 x 6 complete scores, makers of the tested held out:"
        )
        names = ("medae", "within5", "coverage90", "width90", "winkler90")
        parts.append(f"{title}\n\n{figures_table(peer, names)}")
    if parts:
        parts.append("All protocols, strata and peers: `benchmarks/RESULTS.md`.\n")
    return "\n".join(parts)


def brief(found: Sequence[Record]) -> str:
    """The block of the README: one table, the model beside the best peer of every protocol."""
    rows: list[tuple[str, Any]] = []
    for name, title in (
        ("p1", "84 x 133, published folds"), ("p2", "bundled matrix, a third held out"),
    ):  # fmt: skip
        records = {record["method"]: record for record in of(found, name)}
        peers = [record for method, record in records.items() if not method.startswith("low-rank")]
        if "low-rank" in records and peers:
            best = min(peers, key=lambda record: record["medae"])
            rows += [(f"{title}: low-rank", records["low-rank"])]
            rows += [(f"{title}: {best['method']}, the best peer", best)]
        if name == "p1":
            rows += [(f"{title}: {label}", figures) for label, figures in PUBLISHED_P1[:1]]
    k = BRIEF_KS["p3"]
    for record in of(found, "p3"):
        if k in record["by_k"]:
            rows.append((f"new releases, {k} shown: {record['method']}", record["by_k"][k]))
    k = BRIEF_KS["p4"]
    for record in of(found, "p4"):
        matched = record.get("matched", {})
        rows += [
            (f"{k} scores revealed, chosen by {policy}", matched[policy][k])
            for policy in ("epig-adaptive", "popularity", "random")
            if k in matched.get(policy, {})
        ]
    k = BRIEF_KS["skillinfer-table"]
    for record in found:
        if record["name"] == "skillinfer-table" and k in record["by_k"]:
            rows += [
                (f"4,574 x 6, {k} shown: {method}", entry)
                for method, entry in record["by_k"][k].items()
            ]
    return figures_table(rows, BRIEF).replace("| method", "| held-out scores", 1)


def with_block(text: str, block: str) -> str:
    """A README with its block between the marks replaced; unchanged without marks."""
    if BEGIN not in text or END not in text:
        return text
    before, _, rest = text.partition(BEGIN)
    after = rest[rest.index(END) :]
    content = block.strip("\n") + "\n"
    return f"{before}{BEGIN}{content}{after}"


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if something is out of date.")
def main(check: bool) -> None:
    found = records()
    made = {REPORT: report(found)}
    for path, block in ((README, brief(found)), (CARD, headline(found))):
        made[path] = with_block(path.read_text(encoding="utf-8"), block)
    made[ABLATION] = with_block(ABLATION.read_text(encoding="utf-8"), ablation_table())
    old = [p for p, text in made.items() if not p.is_file() or p.read_text("utf-8") != text]
    if check:
        for path in old:
            click.echo(f"{path.relative_to(HERE.parent)} is not what the results give", err=True)
        sys.exit(bool(old))
    for path in old:
        path.write_text(made[path], encoding="utf-8")


if __name__ == "__main__":
    main()
