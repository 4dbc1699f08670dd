"""docs/cli.md names every command and every JSON field there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from bayesbench.cli.app import COMMANDS, app
from bayesbench.evaluation import Family, NewRelease, Policy, Probes, SmallTables, evaluate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.exports import write_matrix
from tests.cli.conftest import Result, Run
from tests.conftest import REPOSITORY
from tests.evaluation.evaluation_methods import Normal
from tests.factories import make_matrix, make_posterior
from tests.scores.upkeep.kept import repeated

FREE = {
    "config", "versions", "spec", "summary", "p_better", "scores", "by_scale", "strata", "by_k",
    "by_size", "by_fill", "crossed", "median_share", "width_factors",
}  # fmt: skip
"""Fields whose own fields are names or settings."""
SLIP = "bench_0=0.9,bench_3=0.8,bench_4=0.7"
"""Shares given for percentages: there is a warning."""


@pytest.fixture(scope="module")
def sections(repository: Path) -> dict[str, str]:
    """Text of every section by its title; ``models, benchmarks`` under both names."""
    parts = re.split(r"^## ", (repository / "docs" / "cli.md").read_text(), flags=re.MULTILINE)
    found = {}
    for part in parts[1:]:
        title, _, body = part.partition("\n")
        found.update(dict.fromkeys(title.split(", "), body))
    return found


def fields(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(fields, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    nested = [fields(item) for key, item in value.items() if key not in FREE]
    return set(value).union(*nested)


def named(text: str) -> set[str]:
    return set(re.findall(r"""[`"](\w+)[`"]""", text))


def test_every_command_has_a_section(sections: dict[str, str]) -> None:
    assert set(COMMANDS) == set(sections) - {"Common ground"}


def test_every_field_is_documented(
    ask: Run, run: Run, sections: dict[str, str], scores_csv: Path, full_csv: Path,
    posterior_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, item_files: Path,
) -> None:  # fmt: skip
    def made(matrix: ScoreMatrix, spec: ModelSpec, *_: object, **__: object) -> StoredPosterior:
        return make_posterior(matrix=matrix, spec=spec, n_draws=40)

    for module in ("fitting.crossfit", "fitting.fit", "evaluation.subsets"):
        monkeypatch.setattr(f"bayesbench.{module}.sample", made)
    file, joint = tmp_path / "run.json", tmp_path / "joint.json"
    twin, kept = tmp_path / "twin.csv", tmp_path / "kept"
    twin.write_text(full_csv.read_text() + "M-0,b0,15\n")
    write_matrix(repeated(make_matrix()), kept)
    suite, newer = tmp_path / "suite.json", tmp_path / "newer.csv"
    newer.write_text(full_csv.read_text().replace("m1", "n1").replace("m0", "n0"))
    prices = tmp_path / "prices.csv"
    prices.write_text("model,price\nmodel_0,1\nnobody,2\n")
    added = tmp_path / "added.csv"
    cell = make_matrix().readings.iloc[0]
    added.write_text(
        "model,benchmark,score\nmodel_0,bench_0,48\n"
        f"{cell['model_id']},{cell['benchmark_id']},{cell['score']}\nx,y z,1\n"
    )
    registry = tmp_path / "registry.csv"
    registry.write_text(f"name,url,sha256,licence\na,https://example.org/a,{'0' * 64},CC0-1.0\n")
    data = ("--scale", "percent", "--min-model", "1", "--min-benchmark", "1")
    known = ("--scores", "bench_0=40", "--format", "json")
    answers = {
        "predict": [ask("predict", *known), ask("predict", "--scores", SLIP, "--format", "json")],
        "next": [ask("next", *known)],
        "decide": [ask("decide", *known, "--benchmark", "bench_3", "--tolerance", "3", "--cost",
                       "1", "--price-wrong", "1")],
        "rank": [ask("rank", "model_0", *known, "--benchmark", "bench_3", "--probe", "new"),
                 ask("rank", "--price", prices, *known, "--benchmark", "bench_3", "--at-least",
                     "50")],
        "compare": [ask("compare", "model_0", *known, "--benchmark", "bench_3")],
        "explain": [ask("explain", *known, "--benchmark", "bench_3")],
        "check": [ask("check", "--scores", SLIP, "--format", "json")],
        "campaign": [
            ask("campaign", "new", file, *known),
            run("campaign", "observe", file, "bench_1=50", "--format", "json"),
            run("campaign", "status", file, "--format", "json"),
            run("campaign", "predict", file, "--format", "json"),
            run("campaign", "undo", file, "--format", "json"),
            run("campaign", "replay", file, "--scores", "bench_3=50", "--format", "json"),
            ask("campaign", "joint", "new", joint, "--model", "model_0", "--known",
                "mine: bench_0=40", "--format", "json"),
            run("campaign", "joint", "observe", joint, "mine", "bench_1=50", "--format", "json"),
            run("campaign", "joint", "status", joint, "--format", "json"),
            run("campaign", "joint", "undo", joint, "--format", "json"),
        ],
        "models": [ask("models", "--format", "json")],
        "benchmarks": [ask("benchmarks", "--format", "json"),
                       ask("benchmarks", "--by", "information", "--format", "json")],
        "info": [run("info", posterior_file, "--format", "json")],
        "demo": [ask("demo", "--format", "json")],
        "evaluate": [run("evaluate", "--data", scores_csv, "--scale", "percent", "--method",
                         "mean", "--no-resume", "--format", "json"),
                     run("evaluate", "--data", full_csv, "--scale", "percent", "--method", "bias",
                         "--protocol", "small-tables", "--sizes", "8x5", "--fills", "0.7",
                         "--no-resume", "--format", "json")],
        "structure": [run("structure", "--data", full_csv, "--scale", "percent", "--resamples", "5",
                          "--format", "json")],
        "subset": [run("subset", "--data", full_csv, *data, "--k", "2", "--folds", "2", "--out",
                       suite, "--format", "json"),
                   run("subset", "--data", newer, *data, "--folds", "2", "--check", suite,
                       "--format", "json")],
        "audit": [run("audit", "--data", full_csv, *data, "--format", "json")],
        "import": [run("import", REPOSITORY / "tests" / "data", "--format", "json")],
        "data": [
            run("data", "fetch", "--registry", registry, "--format", "json"),
            ask("data", "add", added, "--to", kept, "--new-ids", "--dry-run", "--format", "json"),
            run("data", "check", twin, "--scale", "percent", "--format", "json"),
            run("data", "diff", twin, full_csv, "--format", "json"),
            run("data", "stats", kept, "--format", "json"),
            run("data", "quarantine", kept, "--add", "model_0,bench_1,1", "--reason", "why",
                "--format", "json"),
            run("data", "quarantine", kept, "--format", "json"),
            run("data", "quarantine", kept, "--back", "model_0,bench_1", "--format", "json"),
        ],
        "fit": [run("fit", "--data", full_csv, *data, "--no-calibrate", "--out",
                    tmp_path / "fit.nc", "--format", "json"),
                run("fit", "--data", full_csv, *data, "--base", full_csv, "--no-calibrate", "--out",
                    tmp_path / "fit.nc", "--format", "json")],
    }  # fmt: skip
    answers["items"] = item_answers(run, item_files, tmp_path)
    assert set(answers) == set(COMMANDS) - {
        "completion",
        "export",
        "export-prompt",
        "mcp",
        "report",
    }  # which have no JSON
    shared = named(sections["Common ground"])
    assert answers["predict"][1].json()["warnings"]
    for command, found in answers.items():
        text = shared | named(sections[command])
        if command in ("campaign", "demo"):
            text |= named(sections["predict"]) | named(sections["next"])
        for answer in found:
            assert fields(answer.json()) <= text, command


def item_answers(run: Run, files: Path, place: Path) -> list[Result]:
    """One of every command about items."""
    bank, known = ("--bank", files / "bank.nc"), ("--given", files / "new.csv")
    running, json_ = ("--campaign", place / "items.json"), ("--format", "json")
    return [
        run("items", "fit", files / "answers.csv", "--out", place / "bank.nc", *json_),
        run("items", "select", *bank, "--n", "3", *json_),
        run("items", "score", *bank, *known, *json_),
        run("items", "audit", files / "answers.csv", "--all", *json_),
        run("items", "new", running[1], *bank, *known, *json_),
        run("items", "next", *running, *json_),
        run("items", "observe", "item_9=1", *running, *json_),
        run("items", "status", *running, *json_),
        run("items", "undo", *running, *json_),
    ]


def test_every_figure_of_an_entry_is_documented(sections: dict[str, str], full_csv: Path) -> None:
    scores = ScoreMatrix.from_csv(full_csv, scale="percent")
    protocol = SmallTables(sizes=((8, 5),), fills=(0.7,), tables=2)
    found = evaluate(scores, protocol, Normal())["normal"].to_json()["by_size"]["percent"]["8x5"]
    assert {"coverage90", "reliability", "observed"} <= fields(found)
    shown = {name.removesuffix("_interval95") for name in fields(found)}
    assert shown <= named(sections["evaluate"])


def test_every_figure_of_probes_and_releases_is_documented(
    sections: dict[str, str], full_csv: Path
) -> None:
    undated = ScoreMatrix.from_csv(full_csv, scale="percent")
    days = [f"2025-{1 + n % 12:02d}-01" for n in range(len(undated.model_ids))]
    dated = undated.models.assign(release_date=days)
    matrix = ScoreMatrix(dated, undated.benchmarks, undated.readings)
    one, other = undated.benchmark_ids[:2]
    given = [
        Policy("mine", (dict.fromkeys(matrix.model_ids, (one, other)),)),
        Policy("theirs", ((other, one),), in_sample=True),
    ]
    late = [Family(name, "2025-04-15", ids=(name,)) for name in matrix.model_ids[4:6]]
    probes = evaluate(matrix, Probes(given, ks=(2,), sets=2), Normal())["normal"].to_json()
    releases = evaluate(matrix, NewRelease(late, ks=(2,), seeds=2), Normal())["normal"]
    found = set()
    for entry in (
        *(by_k["2"] for table in ("policies", "matched") for by_k in probes[table].values()),
        *releases.to_json()["by_k"].values(),
        *(by_k["2"] for by_k in releases.to_json()["by_family"].values()),
    ):
        for part in (entry, *entry["by_scale"].values()) if "by_scale" in entry else (entry,):
            found |= set(part)
        for title in ("against", "against_matched"):
            found |= fields(list(entry.get(title, {}).values()))
        found |= fields(entry.get("probe_sets", []))
    assert {"revealed", "against_matched", "probe_sets", "in_sample", "below90"} <= found
    shown = {name.removesuffix("_interval95").removesuffix("_by_family") for name in found}
    counted = {name for name in shown if name.endswith("_counted")}
    assert shown - counted <= named(sections["evaluate"])


def test_the_examples_are_calls_the_program_takes(sections: dict[str, str]) -> None:
    calls = [
        line for text in sections.values() for line in re.findall(r"^bayesbench .*", text, re.M)
    ]
    assert len(calls) >= 8
    for call in calls:
        name, *rest = shlex.split(call)[1:]
        command = app.get_command(click.Context(app), name)
        assert command is not None
        if isinstance(command, click.Group):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(name, rest)
