from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.helm import matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, changed, document

RUN = "helm/narrative_qa-model=openai_gpt2"
SPEC, STATS = f"{RUN}/run_spec.json", f"{RUN}/stats.json"


def means(**values: Any) -> list[dict[str, Any]]:
    return [{"name": {"name": k, "split": "test"}, "mean": v} for k, v in values.items()]


def named(name: str) -> dict[str, Any]:
    return {"name": name, "adapter_spec": {"model": "acme/m", "max_train_instances": 5}}


def test_the_real_run() -> None:
    assert matches(document(SPEC))
    found = read(document(SPEC), document(STATS), "f")
    record = found.records[0]
    assert (record.model, record.benchmark, record.metric) == (
        "openai/gpt2", "narrative_qa", "exact_match",
    )  # fmt: skip
    assert (record.score, record.n_items) == (0.0, 4)
    assert record.partial == "4 instances, capped at 5"
    # of 4 wrong answers, half an answer's worth: sqrt(1/8 * 7/8 / 3)
    assert record.stderr == pytest.approx((0.125 * 0.875 / 3) ** 0.5)
    assert "f1_score" in str(found.left_out)


def test_the_folder_and_either_file_say_the_same(tmp_path: Path) -> None:
    frames = [
        read_results(DATA / part, add=True, partial=True).readings.drop(columns="file")
        for part in (RUN, SPEC, STATS)
    ]
    assert len(frames[0]) == 1 and frames[0].equals(frames[1]) and frames[0].equals(frames[2])


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.pop("adapter_spec"), r"adapter_spec \(missing\)"),
        (lambda d: d["adapter_spec"].update(model=""), "adapter_spec/model '' must be a printable"),
    ],
)
def test_broken_specifications(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SPEC, change), document(STATS), "f")


def test_broken_statistics(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"stats\.json .* must be a list"):
        read(document(SPEC), {}, "f")
    with pytest.raises(DataError, match="exact_match 'x' must be a finite number"):
        read(document(SPEC), means(exact_match="x"), "f")
    shutil.copy(DATA / SPEC, tmp_path / "run_spec.json")
    with pytest.raises(DataError, match=r"stats\.json: cannot be read \(No such file"):
        read_results(tmp_path / "run_spec.json")


def test_only_the_whole_test_split_without_perturbation_counts() -> None:
    others = [
        {"name": {"name": "exact_match", "split": "valid"}, "mean": 0.9},
        {
            "name": {"name": "exact_match", "split": "test", "perturbation": {"name": "p"}},
            "mean": 0.8,
        },
        {"name": {"name": "exact_match", "split": "test", "sub_split": "a"}, "mean": 0.7},
    ]
    found = read(
        named("gsm:model=acme_m"), others + means(exact_match=0.5, num_instances=1000), "f"
    )
    assert found.records[0].score == 0.5
    assert found.records[0].stderr == pytest.approx((0.25 / 999) ** 0.5)
    assert found.records[0].partial == ""


def test_a_part_of_a_scenario_is_never_the_scenario() -> None:
    part = read(named("mmlu:subject=law,model=acme_m"), means(exact_match=0.5), "f").records[0]
    assert (part.benchmark, part.others) == ("mmlu_law", ())
    gpqa = read(named("gpqa:subset=gpqa_diamond,model=m"), means(exact_match=0.5), "f").records[0]
    assert gpqa.others == ("gpqa_diamond",)


def test_a_metric_that_is_no_share_is_taken_when_asked_for() -> None:
    found = read(named("qa:model=m"), means(f1_score=0.5), "f")
    assert found.records == () and "choose with --metric qa=METRIC" in found.left_out[0].reason
    asked = read(
        named("qa:model=m"), means(f1_score=0.5, num_instances=50), "f", {"qa": "f1_score"}
    )
    assert asked.records[0].score == 0.5 and asked.records[0].stderr is None
