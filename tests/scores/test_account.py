"""The line and the JSON of what was read."""

from __future__ import annotations

import json

from bayesbench.scores import account
from bayesbench.scores.account import ReadAccount
from tests.design.design_helpers import failed_examples

FULL = ReadAccount(
    "a.csv",
    ("semicolons", "decimal comma"),
    "models in columns",
    40,
    20,
    550,
    3,
    {"percent": tuple(f"b{i}" for i in range(18)), "rating": ("elo",), "unit": ("c",)},
    "proposed",
    ("b0",),
    ("c",),
    (("Rank", "rank"), ("Average", "aggregate")),
    (("Org", "provider"),),
    ("m1", "m2"),
    ("b9",),
    ("'G' is taken for g",),
)


def test_the_line_says_all_of_it() -> None:
    assert FULL.remarkable
    assert FULL.line == (
        "a.csv (semicolons, decimal comma): 40 models x 20 benchmarks, 550 scores (3 with a "
        "standard error), percent (rating: elo; unit: c; scale proposed, --scale states it); "
        "models in columns; on another scale than most: c (taken as unit); --scale or "
        "--benchmarks states it; facts of the models: Org (provider); left out: Rank (rank), "
        "Average (aggregate), no scores; 2 models without any score: m1, m2; 1 benchmark without "
        "any score: b9; 'G' is taken for g"
    )


def test_a_plain_table_has_a_plain_line() -> None:
    plain = ReadAccount("a.csv", (), "long", 2, 3, 6, scales={"unit": ("a", "b", "c")})
    assert not plain.remarkable
    assert plain.line == "a.csv: 2 models x 3 benchmarks, 6 scores, unit"


def test_a_long_list_is_counted_in_the_line_and_whole_in_json() -> None:
    names = tuple(f"m{i}" for i in range(30))
    many = ReadAccount("a.csv", (), "long", 2, 3, 6, models_without=names)
    assert many.line.endswith(
        "30 models without any score: " + ", ".join(names[:12]) + " and 18 more"
    )
    assert many.to_json()["models_without_scores"] == list(names)


def test_json_has_every_field() -> None:
    document = json.loads(json.dumps(FULL.to_json()))
    assert document["left_out"][0] == {"column": "Rank", "why": "rank"}
    assert document["facts"] == [{"column": "Org", "fact": "provider"}]
    assert document["scales"][1] == {"scale": "rating", "benchmark_ids": ["elo"]}
    assert (document["models"], document["benchmarks"], document["scores"]) == (40, 20, 550)


def test_examples() -> None:
    assert failed_examples(account) == 0
