"""What headers mean, and that a name alone does not catch a benchmark."""

from __future__ import annotations

import pandas as pd
import pytest

from bayesbench.scores import headers
from bayesbench.scores.headers import (
    column_for,
    fact_by_name,
    kind_by_name,
    name_aliases,
    stderr_of,
)
from bayesbench.scores.ids import folded
from bayesbench.scores.tables import Table, table_of
from tests.design.design_helpers import failed_examples


def table(**columns: list[object]) -> Table:
    return table_of(pd.DataFrame(columns), "t")


def test_short_and_folded_names_become_those_of_the_schema_unless_those_are_there() -> None:
    renamed = name_aliases(table(Model=["m"], benchmark=["b"], Score=[1], **{"Source URL": ["u"]}))
    assert list(renamed.frame) == ["model_id", "benchmark_id", "score", "source_url"]
    kept = name_aliases(table(model=["M 1"], model_id=["m"]))
    assert list(kept.frame) == ["model", "model_id"]


@pytest.mark.parametrize(
    ("found", "wanted", "column"),
    [
        (["Model", "Task", "Value"], "score", "Value"),
        (["model_id", "Model"], "model_id", "model_id"),
        (["task", "Dataset"], "benchmark_id", "task"),
        (["Accuracy", "Score"], "score", "Score"),
        (["Std. Error"], "stderr", "Std. Error"),
        (["Standard Error"], "stderr", "Standard Error"),
        (["x"], "score", None),
    ],
)
def test_columns_of_long_tables(found: list[str], wanted: str, column: str | None) -> None:
    assert column_for(found, wanted) == column


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Rank", "rank"), ("#", "rank"), ("Rank (UB)", "rank"), ("Average", "aggregate"),
        ("Avg.", "aggregate"), ("Mean score", "aggregate"), ("OVERALL", "aggregate"),
        ("Average \u2b06\ufe0f", "aggregate"), ("Global Average", "aggregate"), ("Votes", "votes"),
        ("Context (k)", "context"), ("Price ($/M tokens)", "price"), ("License", "text"),
        ("Licence", "text"), ("Last updated", "date"), ("Knowledge cutoff", "date"), ("URL", "url"),
        ("GPQA std", "spread"), ("MMLU 95% CI", "spread"), ("GPQA_ci_lower", "spread"),
        ("Training compute notes", "text"), ("Source link", "text"), ("FLOPs", "compute"),
        ("Footnotes Bench", None),
        ("MMLU average", None), ("RewardBench overall", None), ("Total Recall", None),
        ("Frank", None), ("Contextual QA", None), ("Pricing Bench", None), ("ARC", None),
        ("DateUnderstanding", None), ("RankEval", None), ("SciBench", None),
    ],
)  # fmt: skip
def test_what_a_header_says(header: str, kind: str | None) -> None:
    assert kind_by_name(header) == kind


@pytest.mark.parametrize(
    ("header", "fact"),
    [
        ("Organization", "provider"), ("Provider", "provider"), ("Params_B", "params_b"),
        ("#Params (B)", "params_b"), ("Release date", "release_date"),
        ("Open weights", "open_weights"),
        ("Reasoning", "reasoning"), ("Date", None), ("GPQA", None),
    ],
)  # fmt: skip
def test_facts(header: str, fact: str | None) -> None:
    assert fact_by_name(header) == fact


@pytest.mark.parametrize(
    ("header", "of"),
    [
        ("GPQA_stderr", "GPQA"), ("GPQA stderr", "GPQA"), ("GPQA (SE)", "GPQA"),
        ("GPQA_se", "GPQA"),
        ("GPQA standard error", "GPQA"), ("gpqa std. error", "GPQA"),
        ("acc_stderr,none", "acc,none"),
        ("MMLU_stderr", ""), ("stderr", ""), ("GPQA_std", None), ("Chinese", None), ("GPQA", None),
    ],
)  # fmt: skip
def test_standard_errors_find_their_scores(header: str, of: str | None) -> None:
    columns = {folded(name): name for name in ("GPQA", "acc,none", header)}
    assert stderr_of(header, columns) == of


def test_examples() -> None:
    assert failed_examples(headers) == 0
