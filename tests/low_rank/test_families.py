from __future__ import annotations

import numpy as np
import pytest

from bayesbench.low_rank.families import BenchmarkFamilies, benchmark_families

OTHERS = ["gpqa", "hle", "ifeval", "drop", "boolq", "piqa", "squad"]
"""Ids without kin, so that no family is a third of all."""


def families_of(ids: list[str]) -> dict[str, list[str]]:
    all_ids = [*ids, *OTHERS]
    found = benchmark_families(all_ids)
    return {
        name: [all_ids[j] for j in np.flatnonzero(found.members[:, q])]
        for q, name in enumerate(found.names)
    }


@pytest.mark.parametrize(
    ("ids", "name"),
    [
        (["swe_bench_pro", "swe_bench_verified"], "swe"),
        (["aime_2025", "hmmt_feb_2025"], "contest"),
        (["MMLUPro", "mmlu-redux"], "mmlu"),
        (["AmazonClassification", "Banking77Classification"], "classification"),
    ],
)
def test_siblings_are_found_from_the_words_of_their_ids(ids: list[str], name: str) -> None:
    assert families_of(ids) == {name: ids}


@pytest.mark.parametrize(
    "ids", [["math_500", "gsm8k"], ["pro_a", "pro_b"], ["bench_0", "bench_1"], ["1", "2"], ["mmlu"]]
)
def test_ids_that_say_nothing_give_no_family(ids: list[str]) -> None:
    assert families_of(ids) == {}


def test_a_prefix_of_the_whole_collection_is_passed_over() -> None:
    ids = [f"suite_{name}" for name in ("swe_x", "swe_y", *OTHERS)]
    found = benchmark_families(ids)
    assert found.names == ("swe",)
    assert found.members[:, 0].tolist() == [1.0, 1.0] + [0.0] * len(OTHERS)


def test_a_benchmark_is_in_one_family_at_most() -> None:
    found = benchmark_families(["swe_math_x", "swe_y", "math_z", "math_w", *OTHERS])
    assert found.names == ("math", "swe")
    assert found.members.sum(axis=1).max() == 1.0
    assert found.members[0].tolist() == [0.0, 1.0]  # its first telling word


def test_no_benchmarks_no_families() -> None:
    assert benchmark_families([]).members.shape == (0, 0)
    assert BenchmarkFamilies.none().names == ()
