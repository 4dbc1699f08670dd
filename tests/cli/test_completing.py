"""What may come next: asked of click's own completion, without a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete

from bayesbench.cli import completing
from bayesbench.cli.app import COMMANDS, app
from tests.cli.conftest import Run


def items(*words: object) -> list[CompletionItem[str]]:
    """What may follow, the last word being half typed."""
    *args, incomplete = map(str, words)
    return ShellComplete(app, {}, "bayesbench", completing.COMPLETE).get_completions(
        args, incomplete
    )


def values(*words: object) -> list[str]:
    return [item.value for item in items(*words)]


def commands(
    group: click.Group = app, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command there is, those of groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))


def test_commands_and_their_options() -> None:
    assert values("pre") == ["predict"] and values("") == list(COMMANDS)
    assert items("pre")[0].help == COMMANDS["predict"][1]
    assert values("--ver") == ["--version"]
    assert values("predict", "--ben") == ["--benchmark"]
    assert values("campaign", "joint", "ob") == ["observe"]
    assert values("fit", "--method", "g") == ["gibbs"]
    assert values("predcit", "--ben") == []


def test_ids_of_the_posterior_named_before(posterior_file: Path) -> None:
    own = ("--posterior", posterior_file)
    names = [f"model_{i}" for i in range(6)]
    assert values("predict", *own, "--model", "") == names
    assert values("rank", *own, "model_0", "model_") == names
    assert values("predict", *own, "--model=model_3") == ["model_3"]
    assert values("decide", *own, "--benchmark", "bench_4") == ["bench_4"]
    assert values("predict", *own, "--model", "x") == []


def test_without_one_they_are_those_of_the_bundled_posterior(run: Run) -> None:
    rows = run("benchmarks", "--format", "json").json()["benchmarks"]
    assert set(values("explain", "--benchmark", "")) == {row["benchmark_id"] for row in rows}


def test_lists_go_on_with_what_is_not_there_yet(posterior_file: Path) -> None:
    own = ("next", "--posterior", posterior_file)
    for option in ("--targets", "--exclude", "--benchmark"):
        assert values(*own, option, "bench_3,bench_") == [
            f"bench_3,bench_{j}" for j in (0, 1, 2, 4)
        ]
    assert values(*own, "--targets", "bench_3,bench_1,bench_4") == ["bench_3,bench_1,bench_4"]


def test_pairs_go_on_with_names_and_the_sign(posterior_file: Path) -> None:
    own = ("predict", "--posterior", posterior_file, "--scores")
    assert values(*own, "bench_4") == ["bench_4="]
    assert values(*own, "bench_0=40,bench_4") == ["bench_0=40,bench_4="]
    assert values(*own, "bench_4=1,bench_4") == [] and values(*own, "bench_4=1") == []
    assert values(*own, "bench_0=40", "--benchmark", "bench_1") == ["bench_1"]


def test_costs_are_a_word_or_a_file() -> None:
    found = {(item.type, item.value) for item in items("next", "--cost", "b")}
    assert found == {("plain", "bundled"), ("file", "b")}


def test_ids_that_need_quotes_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ("a b", "a,b", "a=b", 'a"b', "a:b", "a$b", "a(b)", "a-b.c+d/é_2")
    monkeypatch.setattr("bayesbench.posterior.names.read_ids", lambda *_: odd)
    assert values("predict", "--model", "a") == ["a-b.c+d/é_2"]


def test_a_campaign_knows_its_posterior_and_its_models(
    ask: Run, posterior_file: Path, tmp_path: Path
) -> None:
    file, joint = tmp_path / "run.json", tmp_path / "joint.json"
    assert ask("campaign", "new", file, "--scores", "bench_0=40").code == 0
    known = ("--model", "model_0,model_1", "--known", "mine: bench_0=40")
    assert ask("campaign", "joint", "new", joint, *known).code == 0
    assert values("campaign", "observe", file, "bench_3") == ["bench_3="]
    assert values("campaign", "predict", file, "--benchmark", "bench_3") == ["bench_3"]
    assert values("campaign", "joint", "observe", joint, "m") == ["model_0", "model_1", "mine"]
    assert values("campaign", "joint", "observe", joint, "mine", "bench_3") == ["bench_3="]
    assert items("campaign", "next", "")[0].type == "file"
    file.write_text("[]")
    assert "bench_3=" not in values("campaign", "observe", file, "b")


def test_every_file_and_directory_is_completed() -> None:
    found = 0
    for names, command in commands():
        context = click.Context(command)
        for parameter in command.params:
            written = parameter.make_metavar(context)
            if re.search(r"FILE|PATH|DIR|BEFORE|AFTER", written):
                types = {item.type for item in parameter.shell_complete(context, "x")}
                assert types & {"file", "dir"}, (names, parameter.name)
                found += 1
    assert found > 40


def test_every_id_is_completed_where_a_posterior_answers(posterior_file: Path) -> None:
    asked = {"predict", "next", "decide", "rank", "compare", "explain", "check", "campaign",
             "report"}  # fmt: skip
    found = 0
    for names, command in commands():
        for parameter in command.params:
            wanted = parameter.make_metavar(click.Context(command)) in ("B", "IDS", "PAIRS")
            named = parameter.name in ("model", "models", "probe", "targets")
            if names[0] in asked and (wanted or named):
                context = click.Context(command)
                context.params["posterior"] = str(posterior_file)
                offered = [one.value for one in parameter.shell_complete(context, "")]
                alone = names[1:] == ("joint", "observe") and parameter.name == "model"
                assert alone or offered[0].rstrip("=") in ("bench_0", "model_0"), names
                found += 1
    assert found > 20
