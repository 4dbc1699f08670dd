from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.errors import AmbiguousIdError, UnknownIdError, UsageError
from bayesbench.scores.ids import Names, id_indices, look_up, nearest_ids

KNOWN = ("gpqa", "gpqa_diamond", "mmlu", "mmlu_pro", "swe_bench_verified")

NAMES = Names(
    "benchmark",
    ("gpqa", "gpqa_diamond", "humaneval", "humaneval_plus", "a-1", "a_1", "arena", "übung"),
    (
        ("HumanEval+", "humaneval_plus"),
        ("HumanEval", "humaneval"),
        ("GPQA (main set)", "gpqa"),
        ("gpqa diamond", "gpqa"),  # an alias that is another id's spelling
        ("Chat", "arena"),
        ("CHAT!", "arena"),
        ("quiz", "gpqa"),
        ("Quiz", "gpqa_diamond"),
        ("---", "arena"),
    ),
)


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("GPQA Diamond", "gpqa_diamond"),
        ("gpqa-diamnod", "gpqa"),
        ("MMLU-Pro", "mmlu_pro"),
        ("swe-bench", "swe_bench_verified"),
        ("swebench_verifed", "swe_bench_verified"),
    ],
)
def test_nearest_ids_look_past_case_and_punctuation(value: str, first: str) -> None:
    assert nearest_ids(value, KNOWN)[0] == first


def test_nearest_ids_are_few_distinct_and_known() -> None:
    near = nearest_ids("gpqa", KNOWN, n=2)
    assert near == ("gpqa", "gpqa_diamond")
    assert nearest_ids("zzzzzz", KNOWN) == ()
    assert nearest_ids("", KNOWN) == ()


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("gpqa", "gpqa"),
        ("GPQA", "gpqa"),
        ("  G.P.Q.A ", "gpqa"),
        ("gpqa diamond", "gpqa_diamond"),  # ids come before aliases
        ("GPQA (Main Set)", "gpqa"),
        ("HumanEval", "humaneval"),
        ("human-eval", "humaneval"),
        ("HumanEval+", "humaneval_plus"),
        ("humaneval plus", "humaneval_plus"),
        ("a-1", "a-1"),  # an id stands for itself, whatever it is folded to
        ("a_1", "a_1"),
        ("chat", "arena"),  # two aliases of one id are no choice
        ("ÜBUNG", "übung"),
    ],
)
def test_a_unique_spelling_finds_its_id(value: str, own: str) -> None:
    assert NAMES.find(value) == own


@pytest.mark.parametrize(
    ("value", "candidates"), [("A 1", ("a-1", "a_1")), ("QUIZ", ("gpqa", "gpqa_diamond"))]
)
def test_an_ambiguous_spelling_is_refused_with_its_candidates(
    value: str, candidates: tuple[str, ...]
) -> None:
    with pytest.raises(AmbiguousIdError) as caught:
        NAMES.find(value)
    assert caught.value.suggestions == candidates
    assert str(caught.value) == (
        f"benchmark {value!r} may be any of {', '.join(candidates)}; name one by its id"
    )


@pytest.mark.parametrize("value", ["", "  ", "-", "---", "ubung", "gpq", "humaneval++", "日本"])
def test_anything_else_is_unknown(value: str) -> None:
    """A name without letters or digits says nothing, even where an alias has none either."""
    with pytest.raises(UnknownIdError, match=f"unknown benchmark '{value}'".replace("+", r"\+")):
        NAMES.find(value)


def test_an_unknown_name_carries_the_nearest_ids() -> None:
    with pytest.raises(UnknownIdError) as caught:
        NAMES.find("gpqa-diamnd")
    assert type(caught.value) is UnknownIdError
    assert "gpqa_diamond" in caught.value.suggestions


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=5, unique=True))
def test_what_is_found_is_an_id_and_ids_find_themselves(value: str, ids: list[str]) -> None:
    names = Names("model", tuple(ids))
    assert [names.find(own) for own in ids] == ids
    try:
        assert names.find(value) in ids
    except UnknownIdError as error:
        assert set(error.suggestions) <= set(ids)
        assert value not in ids


def test_look_up() -> None:
    positions = {"a": 0, "b": 1}
    assert look_up("model", "b", positions) == 1
    with pytest.raises(UnknownIdError, match="unknown model 'q'"):
        look_up("model", "q", positions)


def test_id_indices() -> None:
    assert id_indices(KNOWN, ["mmlu", "gpqa"], "benchmark").tolist() == [2, 0]
    assert id_indices(KNOWN, [], "benchmark").tolist() == []
    with pytest.raises(UsageError, match="benchmark 'mmlu' is named twice"):
        id_indices(KNOWN, ["mmlu", "mmlu"], "benchmark")
    with pytest.raises(UnknownIdError, match="unknown benchmark 'mmlus'; nearest: mmlu"):
        id_indices(KNOWN, ["mmlus", "mmlus"], "benchmark")


def test_titles_are_display_names_that_lead_back() -> None:
    others = (("Model One", "m1"), ("Twin", "m2"), ("Twin", "m3"))
    titles = {"m1": "Model One", "m2": "Twin", "m3": "Twin"}
    names = Names("model", ("m1", "m2", "m3", "m4"), others, titles)
    assert [names.title(own) for own in names.ids] == ["Model One", "m2", "m3", "m4"]


def test_several_spellings_are_resolved_with_a_line_each() -> None:
    assert NAMES.resolve(["GPQA", "arena"]) == (("gpqa", "arena"), ("'GPQA' is taken for gpqa",))
    with pytest.raises(AmbiguousIdError):
        NAMES.resolve(["gpqa", "QUIZ"])
    assert NAMES.candidates("QUIZ") == ("gpqa", "gpqa_diamond")
    assert NAMES.candidates("nothing") == ()


def test_numbers_by_spelling_become_numbers_by_id() -> None:
    found, told = NAMES.by_id({"HumanEval+": 1, "gpqa": 2.0}, "cost")
    assert found == {"humaneval_plus": 1.0, "gpqa": 2.0} and told == (
        "'HumanEval+' is taken for humaneval_plus",
    )
    assert NAMES.by_id({}, "cost") == ({}, ())
    with pytest.raises(UnknownIdError, match="'mmul'"):
        NAMES.by_id({"mmul": 1.0}, "cost")
    with pytest.raises(AmbiguousIdError):
        NAMES.by_id({"A 1": 1.0}, "cost")


def test_unknown_names_stay_where_that_is_asked_and_own_ones_are_not_looked_up() -> None:
    given_numbers = {"mmul": 1.0, "HumanEval+": 2.0, "Gpqa": 3.0}
    found, told = NAMES.by_id(given_numbers, "price", unknown=True, own={"Gpqa"})
    assert found == {"mmul": 1.0, "humaneval_plus": 2.0, "Gpqa": 3.0} and len(told) == 1


@pytest.mark.parametrize("twice", [("gpqa", "GPQA"), ("HumanEval+", "humaneval_plus")])
def test_a_number_in_two_spellings_is_refused(twice: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        NAMES.by_id(dict.fromkeys(twice, 1.0), "a.csv: price")
    first, second = map(repr, twice)
    assert str(caught.value).startswith("a.csv: price of '")
    assert f"is given twice, in two spellings ({first} and {second}); give it once" in str(
        caught.value
    )
