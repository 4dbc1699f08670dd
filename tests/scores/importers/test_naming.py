from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.importers import lm_eval
from bayesbench.scores.importers.naming import Named, Naming, read_aliases
from bayesbench.scores.importers.records import Record


@pytest.fixture(scope="module")
def matrix() -> ScoreMatrix:
    import pandas as pd

    models = pd.DataFrame(
        {
            "model_id": ["one-1", "two-2", "three-3"],
            "name": ["One", "Two", "Three"],
            "provider": ["Acme", "Beth AI", "Gimel"],
            "aliases": ["acme-org/One-1-Chat", "up/two", "up/three"],
        }
    )
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": ["math", "gsm8k", "minerva_math", "a_b", "ab"],
            "scale": "percent",
            "name": ["MATH", "GSM8K", "Minerva", "A-B", "AB (other)"],
            "aliases": ["Hendrycks MATH", None, None, "ay bee", None],
        }
    )
    rows = [(m, b, 50.0) for m in models["model_id"] for b in benchmarks["benchmark_id"]]
    frame = pd.DataFrame(rows, columns=["model_id", "benchmark_id", "score"])
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks, models=models)


def record(model: str = "m", benchmark: str = "math", **more: object) -> Record:
    return Record("p", model, benchmark, 0.5, "unit", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name, found",
    [
        ("one-1", Named("one-1", "id")),
        ("One", Named("one-1", "name or alias")),
        ("ONE 1", Named("one-1", "folded spelling")),
        ("acme-org/One-1-Chat", Named("one-1", "name or alias")),
        ("Acme/one-1", Named("one-1", "organisation")),
        ("acme-org/one-1", Named("one-1", "organisation")),  # its aliases say whose that is
        ("beth-ai/azure/two-2", Named("two-2", "organisation")),
        ("someone/one-1", Named("someone/one-1", "own name")),  # a copy is not the model
        ("up/one-1", Named("up/one-1", "own name")),  # stands before models of several makers
        ("up/two-2", Named("up/two-2", "own name")),
        ("one", Named("one-1", "folded spelling")),
        ("one-12", Named("one-12", "own name")),
    ],
)
def test_models(name: str, found: Named, matrix: ScoreMatrix) -> None:
    assert Naming(matrix, {}).model(record(model=name)) == found


def test_the_second_name_of_a_model_is_tried_before_its_organisation(matrix: ScoreMatrix) -> None:
    naming = Naming(matrix, {})
    assert naming.model(record(model="x", other_models=("Two",))).id == "two-2"
    assert naming.model(record(model="x", other_models=("y",))) == Named("x", "own name")


@pytest.mark.parametrize(
    "name, kind, found",
    [
        ("math", "f", Named("math", "id")),
        ("Hendrycks MATH", "f", Named("math", "name or alias")),
        ("GSM-8K", "f", Named("gsm8k", "folded spelling")),
        ("minerva_math", "f", Named("minerva_math", "id")),
        # what lm-eval calls so is MATH: its table comes before the id
        ("minerva_math", lm_eval.FORMAT, Named("math", "task name")),
        ("a_b", "f", Named("a_b", "id")),
    ],
)
def test_benchmarks(name: str, kind: str, found: Named, matrix: ScoreMatrix) -> None:
    assert Naming(matrix, {}).benchmark(kind, record(benchmark=name)) == found


def test_what_is_not_known_is_not_guessed(matrix: ScoreMatrix) -> None:
    naming = Naming(matrix, {})
    unknown = naming.benchmark("f", record(benchmark="gsm8k plus"))
    assert unknown == Named(None, "unknown benchmark; nearest: gsm8k")
    ambiguous = naming.benchmark("f", record(benchmark="A B"))
    assert ambiguous == Named(None, "may be any of a_b, ab; give an alias file")
    other = naming.benchmark(lm_eval.FORMAT, record(benchmark="truthfulqa_mc1"))
    assert other.id is None and other.rule.startswith("another benchmark than its name says")
    kept = Naming(matrix, {}, add=True).benchmark("f", record(benchmark="new one"))
    assert kept == Named("new one", "own name")


def test_further_names_of_a_benchmark(matrix: ScoreMatrix) -> None:
    found = Naming(matrix, {}).benchmark("f", record(benchmark="x", others=("y", "MATH")))
    assert found == Named("math", "name or alias")


def test_the_users_own_names_come_first(matrix: ScoreMatrix, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name,id\nmath,gsm8k\nOne,my-one\n")
    naming = Naming(matrix, read_aliases(path, matrix))
    assert naming.benchmark("f", record(benchmark="math")) == Named("gsm8k", "alias file")
    assert naming.model(record(model="One")) == Named("my-one", "alias file")
    kinded = tmp_path / "kinds.csv"
    kinded.write_text("kind,name,id\nmodel,x,math\nbenchmark,x,ab\n")
    naming = Naming(matrix, read_aliases(kinded, matrix))
    found = record(model="x", benchmark="x")
    assert (naming.model(found).id, naming.benchmark("f", found).id) == ("math", "ab")
    assert read_aliases({"q": "ab"}, matrix) == {("benchmark", "q"): "ab"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("name\nx\n", r"needs columns name,id \(columns found: name\)"),
        ("name,id\nx,a\nx,b\n", "row 3: 'x' is given two ids"),
        ("name,id,kind\nx,a,thing\n", "row 2: kind 'thing' must be model or benchmark"),
        ("name,id\nx,\n", "row 2: a name and an id are needed, got 'x' and ''"),
    ],
)
def test_broken_alias_files(text: str, message: str, matrix: ScoreMatrix, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(text)
    with pytest.raises((DataError, UsageError), match=message):
        read_aliases(path, matrix)
