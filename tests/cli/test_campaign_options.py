"""What the commands of one campaign and of a joint one share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from bayesbench.campaign import StopRules
from bayesbench.cli.campaign import campaign
from bayesbench.cli.campaign_options import given, noted, step_table, stop_options
from bayesbench.cli.joint_campaign import joint
from bayesbench.front.posterior import open_posterior
from tests.factories import make_matrix


def test_stop_rules_come_from_their_four_options() -> None:
    found = []

    @click.command()
    @stop_options
    def command(stop: StopRules) -> None:
        found.append(stop)

    options = ["--min-gain", "0.5", "--target-width", "3", "--budget", "9", "--max-probes", "2"]
    command.main(options, standalone_mode=False)
    command.main([], standalone_mode=False)
    assert found == [
        StopRules(min_gain=0.5, target_width=3.0, budget=9.0, max_probes=2), StopRules(),
    ]  # fmt: skip


def test_both_kinds_of_campaign_take_the_same_options() -> None:
    def options(group: click.Group, name: str) -> set[str]:
        return {param.name or "" for param in group.commands[name].params}

    assert {"min_gain", "target_width", "budget", "max_probes", "file"} <= options(campaign, "new")
    for name, more in (("next", set()), ("undo", set()), ("observe", {"model"})):
        assert options(joint, name) == options(campaign, name) | more


def test_notes_are_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert noted(["a", "b", "a"], "", "c", "b") == ["a", "b", "c"]
    assert capsys.readouterr().err == "note: a\nnote: b\nnote: c\n"


def test_a_posterior_is_opened_only_where_one_is_given(posterior_file: Path) -> None:
    assert given(None) is None
    opened = given(str(posterior_file))
    assert opened is not None and opened.model_ids == open_posterior(posterior_file).model_ids


def test_steps_show_what_they_correct_and_whose_they_are() -> None:
    row = dict.fromkeys(
        ("score", "corrects", "median", "lower", "upper", "inside", "gain_nats", "cost")
    )
    row |= {"model_id": "model_0", "benchmark_id": "bench_0"}
    plain = step_table("t", [row], make_matrix(), ("benchmark_id", "score"))
    keys = [column.key for column in plain.columns]
    assert keys[:2] == ["benchmark_id", "score"] and "corrects" not in keys
    whose = step_table("t", [row, {**row, "corrects": 40.0}], make_matrix(), ("model_id",))
    keys = [column.key for column in whose.columns]
    assert keys[:4] == ["model_id", "benchmark_id", "score", "corrects"] and "gain_nats" in keys
