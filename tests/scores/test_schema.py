from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.errors import BayesbenchError, BayesbenchWarning, SchemaError
from bayesbench.scores import ScoreMatrix, read_scores, validate_directory
from bayesbench.scores.datasets import bundled_path

MODELS = """model_id,name,provider,release_date,params_b,open_weights,reasoning
m1,M 1,X,2025-01-31,7,true,false
m2,M 2,,2025,,,true
"""
BENCHMARKS = """benchmark_id,scale,lower,upper,higher_is_better,n_items
b1,percent,0,100,true,500
b2,rating,,,true,
"""
SCORES = """model_id,benchmark_id,score,reading,setting,source_kind,source_url
m1,b1,50,1,,maker,https://example.org/a
m1,b1,55.5,2,"5-shot, CoT",other,https://example.org/b
m2,b2,-3e2,1,,other,http://example.org
"""


def write(directory: Path, **changed: str | bytes) -> Path:
    texts: dict[str, str | bytes] = {"models": MODELS, "benchmarks": BENCHMARKS, "scores": SCORES}
    for name, text in (texts | changed).items():
        data = text.encode() if isinstance(text, str) else text
        (directory / f"{name}.csv").write_bytes(data)
    return directory


def test_the_bundled_data_keep_the_schema() -> None:
    assert validate_directory(bundled_path("data", "open_scores")) == (675, 339, 15560)


def test_a_good_directory_gets_its_types(tmp_path: Path) -> None:
    matrix = ScoreMatrix.from_directory(write(tmp_path))
    assert validate_directory(tmp_path) == (2, 2, 3)
    assert matrix.models["release_date"].tolist() == ["2025-01-31", "2025"]
    assert matrix.models["open_weights"].tolist() == [True, pd.NA]
    assert matrix.models["reasoning"].tolist() == [False, True]
    assert pd.isna(matrix.models.loc["m2", "provider"])
    assert matrix.readings["setting"].iloc[1] == "5-shot, CoT"
    assert matrix.values[1, 1] == -300
    assert matrix.benchmarks["name"].tolist() == ["b1", "b2"]


def test_ids_that_look_like_missing_values_stay_ids(tmp_path: Path) -> None:
    text = "model_id,benchmark_id,score\nNA,null,1\nnan,null,2\n1.0,null,3\n"
    (tmp_path / "x.csv").write_text(text)
    assert read_scores(tmp_path / "x.csv", scale="percent").model_ids == ("NA", "nan", "1.0")


FAULTS = {
    "not a number": (
        {"scores": SCORES.replace("55.5", "high")},
        "scores.csv, row 3: score 'high' of b1 must be a number like 85.3",
    ),
    "percent sign for a share": (
        {"scores": SCORES.replace("55.5", "155%")},
        "row 3: score 155 of b1 is outside its percent scale",
    ),
    "no score at all": (
        {"scores": "model_id,benchmark_id,score\nm1,b1,\nm2,b2,NaN\n"},
        "scores.csv: no readings",
    ),
    "inf": ({"scores": SCORES.replace("55.5", "-inf")}, "row 3: score '-inf'"),
    "overflow": ({"scores": SCORES.replace("-3e2", "1e999")}, "row 4: score '1e999'"),
    "above": (
        {"scores": SCORES.replace("55.5", "100.01")},
        "scores.csv, row 3: score 100.01 of b1 is outside its percent scale [0, 100]",
    ),
    "below": ({"scores": SCORES.replace("55.5", "-1")}, "score -1 of b1 is outside"),
    "row after a blank line": (
        {"scores": SCORES.replace("m1,b1,55.5", "\nm1,b1,x")},
        "row 4: score 'x'",
    ),
    "unknown model": (
        {"scores": SCORES.replace("m2,b2", "m_2,b2")},
        "row 4: model_id 'm_2' is not among the models; correct it or add the model; nearest: m2",
    ),
    "unknown benchmark": (
        {"scores": SCORES.replace("m2,b2", "m2,zzz")},
        "row 4: benchmark_id 'zzz' is not among the benchmarks",
    ),
    "id with space": ({"scores": SCORES.replace("m2,b2", "m2, b2")}, "' b2': an id has space"),
    "id over two lines": (
        {"scores": SCORES.replace("m2,b2", 'm2,"b\n2"')},
        "row 4: benchmark_id 'b\\n2': an id has an unprintable character",
    ),
    "empty id": ({"scores": SCORES.replace("m2,b2", ",b2")}, "row 4: model_id (empty)"),
    "duplicate": (
        {"scores": SCORES.replace("55.5,2", "55.5,1")},
        "row 3: reading 1 of (m1, b1) stands twice",
    ),
    "no reading 1": (
        {"scores": SCORES.replace("50,1", "50,3")},
        "row 2: (m1, b1) has no reading 1",
    ),
    "reading 0": ({"scores": SCORES.replace("55.5,2", "55.5,0")}, "row 3: reading '0'"),
    "reading 1.5": ({"scores": SCORES.replace("55.5,2", "55.5,1.5")}, "row 3: reading '1.5'"),
    "reading empty": ({"scores": SCORES.replace("55.5,2", "55.5,")}, "row 3: reading (empty)"),
    "no rows": ({"scores": SCORES.splitlines()[0]}, "scores.csv: no readings"),
    "empty file": ({"scores": ""}, "scores.csv: the file is empty"),
    "blank file": ({"scores": "\n\n\n"}, "scores.csv: "),
    "no score column": (
        {"scores": SCORES.replace("score,", "value,", 1)},
        "scores.csv: missing column score; add it (columns found: 'model_id', ",
    ),
    "column twice": ({"scores": SCORES.replace("setting", "score", 1)}, "'score' stands twice"),
    "semicolons and commas": (
        {"scores": SCORES.replace(",", ";", 6)},
        "scores.csv",
    ),
    "ragged": (
        {"scores": SCORES + "m2,b1,3,1,,other,http://a.b,more,and more\n"},
        "scores.csv: not a regular CSV (Expected 7 fields in line 5, saw 9; read with commas)",
    ),
    "open quote": ({"scores": SCORES + 'm2,b1,3,1,"open,other,http://a.b\n'}, "scores.csv"),
    "latin-1": (
        {"models": MODELS.replace("M 1", "Modèle").encode("latin-1")},
        "models.csv: not UTF-8 text",
    ),
    "utf-16 cut": ({"scores": SCORES.encode("utf-16")[:-1]}, "scores.csv: not UTF-16 text"),
    "binary": ({"scores": bytes(range(256)) * 8}, "scores.csv: "),
    "zeros": ({"scores": bytes(4096)}, "scores.csv: "),
    "model twice": ({"models": MODELS + "m1,,,,,,\n"}, "models.csv, row 4: model_id 'm1'"),
    "bad date": ({"models": MODELS.replace("2025-01-31", "2025-02-30")}, "'2025-02-30': must be Y"),
    "date words": ({"models": MODELS.replace("2025-01-31", "January")}, "row 2: release_date 'Jan"),
    "bad flag": ({"models": MODELS.replace("7,true", "7,perhaps")}, "open_weights 'perhaps'"),
    "bad size": ({"models": MODELS.replace("7,true", "-7,true")}, "row 2: params_b '-7'"),
    "unknown scale": ({"benchmarks": BENCHMARKS.replace("percent", "%")}, "row 2: scale '%'"),
    "empty scale": ({"benchmarks": BENCHMARKS.replace("percent", "")}, "row 2: scale (empty)"),
    "bounds crossed": (
        {"benchmarks": BENCHMARKS.replace("0,100", "100,0")},
        "benchmarks.csv, row 2: lower 100 is not below upper 0",
    ),
    "bounds equal": ({"benchmarks": BENCHMARKS.replace("0,100", "5,5")}, "5 is not below upper 5"),
    "bound not a number": ({"benchmarks": BENCHMARKS.replace("0,100", "0,max")}, "upper 'max'"),
    "direction empty": (
        {"benchmarks": BENCHMARKS.replace("100,true", "100,")},
        "row 2: higher_is_better (empty)",
    ),
    "items": ({"benchmarks": BENCHMARKS.replace("500", "0")}, "row 2: n_items '0'"),
    "no metadata column": (
        {"benchmarks": BENCHMARKS.replace("scale", "kind")},
        "benchmarks.csv: missing column scale",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_file_row_value_and_remedy(tmp_path: Path, fault: str) -> None:
    changed, message = FAULTS[fault]
    with pytest.raises(SchemaError) as caught:
        ScoreMatrix.from_directory(write(tmp_path, **changed))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reading_without_a_score_is_left_out_and_counted(tmp_path: Path) -> None:
    for mark in ("", "NaN", "-", "N/A"):
        write(tmp_path, scores=SCORES.replace("55.5", mark))
        with pytest.warns(BayesbenchWarning, match=r"left out: 1 rows \(no score\)"):
            assert len(read_scores(tmp_path).readings) == 2
    write(tmp_path, scores=SCORES.replace("55.5", "55.5% \u00b1 1.2"))
    matrix = ScoreMatrix.from_directory(tmp_path)
    assert matrix.readings["score"].tolist() == [50.0, 55.5, -300.0]
    assert matrix.readings["stderr"].iloc[1] == 1.2


def test_the_columns_of_version_2_are_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        models=MODELS.replace(
            "reasoning\n", "reasoning,date_source,active_params_b,family,aliases\n"
        )
        .replace("true,false\n", "true,false,page,3,fam,M One|org/M1\n")
        .replace(",,true\n", ",,true,,,,\n"),
        benchmarks=BENCHMARKS.replace(
            "n_items\n", "n_items,name,category,how,cost_note,url,aliases\n"
        )
        .replace("true,500", "true,500,B One,math,judge,low,https://b.org,Bee")
        .replace("b2,rating,,,true,", "b2,distance,0,1,false,,,,,,,"),
        scores=SCORES.replace("-3e2", "0.3"),
    )
    matrix = ScoreMatrix.from_directory(tmp_path)
    told = matrix.models.loc["m1", ["date_source", "active_params_b", "family"]]
    assert told.tolist() == ["page", 3.0, "fam"]
    assert matrix.benchmarks.loc["b1", ["category", "how", "cost_note", "url"]].tolist() == [
        "math", "judge", "low", "https://b.org",
    ]  # fmt: skip
    assert matrix.benchmarks.loc["b2", ["scale", "lower", "upper"]].tolist() == ["distance", 0, 1]
    assert matrix.model_names.find("org/m1") == "m1"
    assert matrix.benchmark_names.title("b1") == "B One"


@pytest.mark.parametrize("url", ["", "see the paper", "ftp://example.org", "https://"])
def test_validation_wants_a_url_per_row(tmp_path: Path, url: str) -> None:
    write(tmp_path, scores=SCORES.replace("https://example.org/b", url))
    assert ScoreMatrix.from_directory(tmp_path).n_cells == 2
    with pytest.raises(SchemaError, match=r"scores\.csv, row 3: source_url .*: must be the http"):
        validate_directory(tmp_path)


def test_validation_wants_every_column(tmp_path: Path) -> None:
    write(tmp_path, models="model_id\nm1\nm2\n")
    assert ScoreMatrix.from_directory(tmp_path).shape == (2, 2)
    with pytest.raises(SchemaError, match=r"models\.csv: missing column name, provider"):
        validate_directory(tmp_path)


def test_paths_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no such directory"):
        ScoreMatrix.from_directory(tmp_path / "none")
    with pytest.raises(SchemaError, match=r"scores\.csv is missing"):
        ScoreMatrix.from_directory(tmp_path)
    with pytest.raises(SchemaError, match="no such file"):
        ScoreMatrix.from_csv(tmp_path / "none.csv", scale="unit")
    with pytest.raises(SchemaError, match="is a directory; name a CSV file"):
        ScoreMatrix.from_csv(tmp_path, scale="unit")
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(SchemaError, match="is a directory; name a CSV file"):
        ScoreMatrix.from_directory(tmp_path)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"not compressed")
    with pytest.raises(SchemaError, match=r"broken\.csv\.gz: cannot be read"):
        ScoreMatrix.from_csv(broken, scale="unit")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m\na\n", "x.csv: one column only"),
        ("m,b1,\na,1,2\n", "x.csv: column 3 has no benchmark id"),
        ("m,b1,b1\na,1,2\n", "row 1: column 'b1' stands twice"),
        ("m,b1\na,1\na,2\n", "x.csv, row 3: m 'a': this id stands twice"),
        ("m,b1\na,1\nb,200\n", "x.csv, row 3: score 200 of b1 is outside its percent scale"),
        ("m,b1\na,\nb,NA\n", "x.csv: no readings"),
        ("m,b1\na,one\n", "x.csv, row 2: score 'one'"),
    ],
)
def test_faults_of_wide_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(SchemaError) as caught:
        read_scores(tmp_path / "x.csv", scale="percent")
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [True, 1j, "x", [1], np.inf, np.bool_(1), pd.Timestamp(0)])
def test_frames_with_scores_that_are_not_numbers(value: object) -> None:
    frame = pd.DataFrame({"model": ["a"], "benchmark": ["b"], "score": [value]})
    with pytest.raises(SchemaError, match="frame, row 0: score"):
        ScoreMatrix.from_frame(frame, scale="percent")


def test_a_duplicate_in_a_frame_without_readings_says_how_to_number_them() -> None:
    frame = pd.DataFrame({"model": ["a", "a"], "benchmark": ["b", "b"], "score": [1, 2]})
    with pytest.raises(SchemaError, match=r"row 1: reading 1 .* in a column `reading`"):
        ScoreMatrix.from_frame(frame, scale="percent")
    assert ScoreMatrix.from_frame(frame.assign(reading=[2, 1]), scale="percent").values == 2


def test_empty_frames() -> None:
    for frame in (pd.DataFrame(), pd.DataFrame(columns=["model", "benchmark", "score"])):
        with pytest.raises(SchemaError, match="frame: "):
            ScoreMatrix.from_frame(frame, scale="percent")


def test_dates_of_a_frame_may_be_timestamps() -> None:
    scores = pd.DataFrame({"b": [1.0]}, index=["a"])
    models = pd.DataFrame({"model_id": ["a"], "release_date": [pd.Timestamp(2025, 3, 4)]})
    matrix = ScoreMatrix.from_frame(scores, scale="unit", models=models)
    assert matrix.models.loc["a", "release_date"] == "2025-03-04"


@given(st.binary(max_size=300))
def test_junk_never_ends_in_anything_but_one_line(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("junk") / "x.csv"
    path.write_bytes(junk)
    try:
        read_scores(path, scale="percent")
    except BayesbenchError as error:
        assert "\n" not in str(error)
