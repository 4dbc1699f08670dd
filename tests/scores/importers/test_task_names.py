from __future__ import annotations

import pytest

from bayesbench.scores import open_scores
from bayesbench.scores.importers import hugging_face, inspect_logs, lm_eval
from bayesbench.scores.importers.task_names import TASKS, known_task

NOT_YET_BUNDLED = {"arc_agi_1", "chatbot_arena_elo", "longbench_v1"}
"""Benchmarks that task names lead to and that a bundled matrix may not have."""


def test_every_task_name_leads_to_a_benchmark() -> None:
    known = set(open_scores().benchmark_ids) | NOT_YET_BUNDLED
    targets = {own for names in TASKS.values() for own in names.values() if own is not None}
    assert targets <= known, sorted(targets - known)


def test_names_are_lower_case() -> None:
    assert all(name == name.casefold() for names in TASKS.values() for name in names)


@pytest.mark.parametrize(
    "kind, name, found",
    [
        (lm_eval.FORMAT, "minerva_math", (True, "math")),
        (lm_eval.FORMAT, "GSM8K_CoT", (True, "gsm8k")),
        (lm_eval.FORMAT, "truthfulqa_mc1", (True, None)),
        (lm_eval.FORMAT, "gsm8k", (False, None)),
        (hugging_face.CARD, "minerva_math", (False, None)),
        (inspect_logs.FORMAT, "inspect_evals/ifeval", (True, "ifeval")),
        (inspect_logs.FORMAT, "inspect_evals/truthfulqa", (True, None)),
        ("another", "inspect_evals/ifeval", (False, None)),
    ],
)
def test_lookups(kind: str, name: str, found: tuple[bool, str | None]) -> None:
    assert known_task(kind, name) == found
