"""Every wrong call and every bad file: an exit code, one line on stderr, nothing on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from tests.cli.conftest import Run
from tests.factories import make_posterior

LONG = "model_id,benchmark_id,score\n"


def file_of(directory: Path, name: str, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (directory / name).write_bytes(data)


def damaged(path: Path, file: Path, how: str) -> None:
    """A copy of a posterior file with one fault."""
    whole = file.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if how == "truncated" else whole)
    if how == "truncated":
        return
    with h5py.File(path, "a") as handle:
        if how == "newer":
            handle["bayesbench"].attrs["format_version"] = 99
        elif how == "without_draws":
            del handle["posterior"]["ability"]
        elif how == "bad_meta":
            handle["bayesbench"].attrs["spec"] = "{not json"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, posterior_file: Path) -> Path:
    """A directory with bad files of every kind, and a good posterior as ``good.nc``."""
    there = tmp_path_factory.mktemp("bad")
    texts: dict[str, str | bytes] = {
        "empty": b"",
        "binary": bytes(range(256)) * 40,
        "utf16.csv": (LONG + "m,b,1\n").encode("utf-16")[:-1],
        "text.nc": "this is no posterior\n",
        "header.csv": LONG,
        "noscale.csv": LONG + "m0,b0,50\nm1,b0,60\n",
        "ragged.csv": LONG + "m0,b0,50\nm1,b0,60,7,8,9\n",
        "inf.csv": LONG + "m0,b0,inf\nm1,b0,60\n",
        "word.csv": LONG + "m0,b0,good\nm1,b0,60\n",
        "outside.csv": LONG + "m0,b0,150\nm1,b0,60\n",
        "twice.csv": LONG + "m0,b0,50\nm0,b0,60\n",
        "noid.csv": LONG + ",b0,50\nm1,b0,60\n",
        "columns.csv": "model_id,thing,score\nm0,b0,50\n",
        "twocolumns.csv": "model_id,benchmark_id,score,score\nm0,b0,50,50\n",
        "negative_cost.csv": "benchmark_id,cost\nbench_1,-3\n",
        "zero_cost.csv": "benchmark_id,cost\nbench_1,0\n",
        "unknown_cost.csv": "benchmark_id,cost\nbench_9,3\n",
        "word_cost.csv": "benchmark_id,cost\nbench_1,dear\n",
        "column_cost.csv": "name,price\nbench_1,3\n",
        "twice_cost.csv": "benchmark_id,cost\nbench_1,3\nbench_1,4\n",
        "known_cost.csv": "benchmark_id,cost\nbench_0,3\n",
        "unknown_allow.txt": "bench_9\n",
        "empty_allow.txt": "# nothing\n",
        "bad_allow.json": "[1, 2",
        "scores_columns.csv": "name,value\nbench_0,40\n",
        "campaign_cut.json": '{"format": "bayesbench-campaign", "version": 1, "pos',
        "campaign_foreign.json": '{"a": 1}',
        "campaign_newer.json": '{"format": "bayesbench-campaign", "version": 9}',
        "campaign_list.json": "[]",
        "folds_foreign.json": '{"a": 1}',
        "folds_cut.json": '{"models": [',
        "families.json": '[{"name": "x"}]',
        "predictions.csv": "model_id,benchmark_id\nm0,b0\n",
        "percent.csv": LONG + "".join(f"m{n // 3},b{n % 3},{5 * n}\n" for n in range(18)),
    }
    for name, content in texts.items():
        file_of(there, name, content)
    (there / "directory").mkdir()
    (there / "good.nc").write_bytes(posterior_file.read_bytes())
    other = make_posterior(seed=1)
    other.save(there / "other.nc")
    for how in ("truncated", "newer", "without_draws", "bad_meta"):
        damaged(there / f"{how}.nc", posterior_file, how)
    with h5py.File(there / "foreign.nc", "w") as handle:
        handle["x"] = [1.0, 2.0]
    return there


PREDICT = ("predict", "--posterior", "good.nc")
NEXT = ("next", "--posterior", "good.nc", "--scores", "bench_0=40")
DECIDE = ("decide", "--posterior", "good.nc", "--scores", "bench_0=40", "--benchmark", "bench_3")
RANK = ("rank", "--posterior", "good.nc")
NEW = ("campaign", "new", "new.json", "--posterior", "good.nc", "--scores", "bench_0=40")
FIT = ("fit", "--out", "out.nc", "--data")
EVALUATE = ("evaluate", "--no-resume", "--method", "mean", "--scale", "percent", "--data")

BAD: list[tuple[int, tuple[str, ...], str]] = [
    # scores
    (2, (*PREDICT, "--scores", "bench_0="), "bench_0="),
    (2, (*PREDICT, "--scores", "=5"), "=5"),
    (2, (*PREDICT, "--scores", "bench_0==5"), "=5"),
    (2, (*PREDICT, "--scores", "bench_0"), "bench_0"),
    (2, (*PREDICT, "--scores", "bench_0:5"), "bench_0:5"),
    (2, (*PREDICT, "--scores", ""), "pair"),
    (2, (*PREDICT, "--scores", "bench_0=5,"), "pair"),
    (2, (*PREDICT, "--scores", ",bench_0=5"), "pair"),
    (2, (*PREDICT, "--scores", "bench_0=nan"), "finite"),
    (2, (*PREDICT, "--scores", "bench_0=inf"), "finite"),
    (2, (*PREDICT, "--scores", "bench_0=-Infinity"), "finite"),
    (2, (*PREDICT, "--scores", "bench_0=1e999"), "finite"),
    (2, (*PREDICT, "--scores", "bench_2=1e999"), "finite"),
    (2, (*PREDICT, "--scores", "bench_0=1e30"), "outside"),
    (2, (*PREDICT, "--scores", "bench_2=1e300"), "own scale"),
    (2, (*PREDICT, "--scores", "bench_2=-100000"), "own scale"),
    (2, (*PREDICT, "--scores", "bench_0=-1"), "outside"),
    (2, (*PREDICT, "--scores", "bench_0=100.1"), "outside"),
    (2, (*PREDICT, "--scores", "bench_0=40%"), "40%"),
    (2, (*PREDICT, "--scores", "bench_0=1_0"), "1_0"),
    (2, (*PREDICT, "--scores", "bench_0=0x1F"), "0x1F"),
    (2, (*PREDICT, "--scores", "bench_0=٤٠"), "plain number"),
    (2, (*PREDICT, "--scores", "bench_0=forty"), "forty"),
    (2, (*PREDICT, "--scores", "bench_0=4,5"), "5"),
    (2, (*PREDICT, "--scores", "bench_0=4,bench_0=5"), "twice"),
    (2, (*PREDICT, "--scores", "bench_00=4"), "nearest: bench_0"),
    (2, (*PREDICT, "--scores", "bench_0=4,BENCH 0=5"), "given twice"),
    (2, (*PREDICT, "--scores", "bench_0=4", "--id", "model_1"), "--model"),
    (2, (*PREDICT, "--scores", "bench_0=4", "--id", "Model 1"), "--model"),
    (2, (*PREDICT, "--id", "model_9"), "nothing is known"),
    (2, (*PREDICT, "--model", "model_1", "--id", "model_9"), "give one of them"),
    (2, (*PREDICT, "--model", "model_9"), "unknown model 'model_9'"),
    (2, (*PREDICT, "--scores", "bench_0=4", "--params-b", "-1"), "params_b"),
    (2, (*PREDICT, "--scores", "no\nsuch\x1bthing=4"), "unknown benchmark"),
    (2, (*PREDICT, "--scores", "@missing.csv"), "missing.csv"),
    (2, (*PREDICT, "--scores", "@directory"), "directory"),
    (2, (*PREDICT, "--scores", "@binary"), "binary"),
    (2, (*PREDICT, "--scores", "@scores_columns.csv"), "benchmark_id"),
    (2, (*PREDICT, "--scores", "@empty"), "benchmark_id"),
    # what is known of the model
    (2, PREDICT, "nothing is known"),
    (2, (*PREDICT, "--model", "model_99"), "nearest: model_"),
    (2, (*PREDICT, "--model", ""), "unknown model"),
    (2, (*PREDICT, "--release-date", "soon"), "soon"),
    (2, (*PREDICT, "--release-date", "2025-13"), "2025-13"),
    (2, (*PREDICT, "--release-date", "2025-02-30"), "2025-02-30"),
    (2, (*PREDICT, "--release-date", "11/2025"), "11/2025"),
    (2, (*PREDICT, "--reasoning=yes",), "reasoning"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--benchmark", "bench_9"), "nearest"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--benchmark", "bench_1", "--benchmark", "bench_1"),
     "twice"),
    # options
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "0"), "0.9"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "1"), "between 0 and 1"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "2"), "between 0 and 1"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "-0.5"), "between 0 and 1"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "nan"), "nan"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "0.9999"), "0.9999"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--prob", "ninety"), "ninety"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--format", "xml"), "xml"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--seed", "-1"), "-1"),
    (2, (*PREDICT, "--scores", "bench_0=40", "--seed", "1.5"), "1.5"),
    (2, (*PREDICT, "--scores"), "requires an argument"),
    (2, (*PREDICT, "--score", "bench_0=40", "stray"), "--score"),
    (2, (*PREDICT, "stray"), "stray"),
    (2, ("predcit",), "nearest: predict"),
    (2, ("--nonsense",), "--nonsense"),
    (2, ("campaign", "nxt", "x.json"), "nxt"),
    # posterior files
    (1, ("predict", "--scores", "a=1", "--posterior", "missing.nc"), "no such file"),
    (1, ("predict", "--scores", "a=1", "--posterior", "directory"), "not a file"),
    (1, ("predict", "--scores", "a=1", "--posterior", ""), "not a file"),
    (1, ("predict", "--scores", "a=1", "--posterior", "empty"), "empty"),
    (1, ("predict", "--scores", "a=1", "--posterior", "binary"), "binary"),
    (1, ("predict", "--scores", "a=1", "--posterior", "text.nc"), "text.nc"),
    (1, ("predict", "--scores", "a=1", "--posterior", "truncated.nc"), "truncated"),
    (1, ("predict", "--scores", "a=1", "--posterior", "foreign.nc"), "not a bayesbench posterior"),
    (1, ("predict", "--scores", "a=1", "--posterior", "newer.nc"), "newer"),
    (1, ("predict", "--scores", "a=1", "--posterior", "without_draws.nc"), "without_draws.nc"),
    (1, ("info", "bad_meta.nc"), "bad_meta.nc"),
    (1, ("info", "utf16.csv"), "utf16.csv"),
    (1, ("models", "--posterior", "truncated.nc"), "truncated"),
    (1, ("benchmarks", "--posterior", "foreign.nc"), "foreign"),
    (1, ("demo", "--posterior", "text.nc"), "text.nc"),
    # next
    (2, (*NEXT, "--k", "0"), "--k"),
    (2, (*NEXT, "--k", "-3"), "--k"),
    (2, (*NEXT, "--k", "many"), "--k"),
    (2, (*NEXT, "--targets", "bench_1,bench_9"), "bench_9"),
    (2, (*NEXT, "--targets", "bench_1,,bench_3"), "empty id"),
    (2, (*NEXT, "--targets", "bench_0"), "nothing left to learn"),
    (2, (*NEXT, "--exclude", "bench_9"), "bench_9"),
    (2, (*NEXT, "--exclude", "bench_1,bench_2,bench_3,bench_4"), "no candidate"),
    (2, (*NEXT, "--benchmark", "bench_0"), "no candidate"),
    (2, (*NEXT, "--cost", "missing.csv"), "missing.csv"),
    (2, (*NEXT, "--cost", "directory"), "directory"),
    (2, (*NEXT, "--cost", "binary"), "binary"),
    (2, (*NEXT, "--cost", "empty"), "empty"),
    (2, (*NEXT, "--cost", "utf16.csv"), "utf16.csv"),
    (2, (*NEXT, "--cost", "negative_cost.csv"), "-3"),
    (2, (*NEXT, "--cost", "zero_cost.csv"), "above 0"),
    (2, (*NEXT, "--cost", "unknown_cost.csv"), "bench_9"),
    (2, (*NEXT, "--cost", "word_cost.csv"), "dear"),
    (2, (*NEXT, "--cost", "column_cost.csv"), "benchmark_id"),
    (2, (*NEXT, "--cost", "twice_cost.csv"), "twice"),
    (2, (*NEXT, "--cost", "known_cost.csv"), "no candidate"),
    (2, (*NEXT, "--cost", "n_items"), "no candidate"),
    (2, (*NEXT, "--budget", "-1"), "budget"),
    (2, (*NEXT, "--budget", "0.5"), "cheapest"),
    (2, (*NEXT, "--budget", "lots"), "lots"),
    (2, (*NEXT, "--allow", "missing.txt"), "missing.txt"),
    (2, (*NEXT, "--allow", "unknown_allow.txt"), "bench_9"),
    (2, (*NEXT, "--allow", "empty_allow.txt"), "names no benchmark"),
    (2, (*NEXT, "--allow", "bad_allow.json"), "JSON"),
    # decide and rank
    (2, DECIDE, "--tolerance"),
    (2, (*DECIDE, "--tolerance", "3", "--cost", "-5"), "cost must be 0 or more"),
    (2, (*DECIDE, "--tolerance", "-3", "--cost", "5", "--price-wrong", "1"), "tolerance"),
    (2, (*DECIDE, "--tolerance", "3", "--cost", "-5", "--price-wrong", "1"), "cost"),
    (2, (*DECIDE[:-1], "bench_0", "--tolerance", "3", "--cost", "5", "--price-wrong", "1"),
     "already"),
    (2, (*DECIDE[:-1], "bench_x", "--tolerance", "3", "--cost", "5", "--price-wrong", "1"),
     "nearest"),
    (2, (*RANK, "model_0", "model_1"), "--benchmark"),
    (2, (*RANK, "model_0", "--benchmark", "bench_0"), "at least 2"),
    (2, (*RANK, "model_0", "model_0", "--benchmark", "bench_0"), "twice"),
    (2, (*RANK, "model_0", "modle_1", "--benchmark", "bench_0"), "nearest: model_1"),
    (2, (*RANK, "model_0", "model_1", "--benchmark", "bench_9"), "bench_9"),
    (2, (*RANK, "model_0", "model_1", "--benchmark", "bench_0", "--weights", "bench_0=-1"), "-1"),
    (2, (*RANK, "model_0", "model_1", "--benchmark", "bench_0", "--weights", "bench_0=0"), "0"),
    (2, (*RANK, "model_0", "model_1", "--benchmark", "bench_0", "--weights", "b=1"), "unknown"),
    (2, (*RANK, "model_0", "model_1", "--benchmark", "bench_0", "--probe", "model_3"), "model_3"),
    # campaigns
    (2, (*NEW, "--budget", "0"), "budget"),
    (2, (*NEW, "--min-gain", "-1"), "min_gain"),
    (2, (*NEW, "--max-probes", "0"), "--max-probes"),
    (2, (*NEW, "--targets", "bench_9"), "bench_9"),
    (2, ("campaign", "new", "good.nc", *NEW[3:]), "exists"),
    (1, ("campaign", "new", "no/such/place.json", *NEW[3:]), "place.json"),
    (2, ("campaign", "next", "missing.json"), "missing.json"),
    (1, ("campaign", "next", "campaign_cut.json"), "campaign_cut.json"),
    (1, ("campaign", "status", "campaign_foreign.json"), "not a campaign"),
    (1, ("campaign", "status", "campaign_newer.json"), "version 9"),
    (1, ("campaign", "status", "campaign_list.json"), "not a campaign"),
    (1, ("campaign", "status", "binary"), "binary"),
    (1, ("campaign", "status", "directory"), "directory"),
    (2, ("campaign", "observe", "missing.json", "bench_1=5"), "missing.json"),
    (2, ("campaign", "undo", "missing.json"), "missing.json"),
    (2, ("campaign", "undo", "missing.json", "--steps", "0"), "--steps"),
    (1, ("campaign", "predict", "campaign_cut.json"), "campaign_cut.json"),
    (2, ("campaign", "observe", "missing.json", "bench_1"), "pair"),
    (2, ("campaign", "observe", "missing.json", "bench_1=5,bench_2=6"), "one pair"),
    # data
    (2, (*FIT, "noscale.csv", "--scale", "stars"), "stars"),
    (1, (*FIT, "missing.csv", "--scale", "percent"), "missing.csv"),
    (1, (*FIT, "directory"), "missing"),
    (2, (*FIT, "directory", "--scale", "unit"), "leave out --scale"),
    (1, (*FIT, "empty", "--scale", "percent"), "empty"),
    (1, (*FIT, "binary", "--scale", "percent"), "binary"),
    (1, (*FIT, "utf16.csv", "--scale", "percent"), "UTF-16"),
    (1, (*FIT, "header.csv", "--scale", "percent"), "header.csv"),
    (1, (*FIT, "ragged.csv", "--scale", "percent"), "ragged.csv"),
    (1, (*FIT, "inf.csv", "--scale", "percent"), "row 2"),
    (1, (*FIT, "word.csv", "--scale", "percent"), "good"),
    (1, (*FIT, "outside.csv", "--scale", "percent"), "150"),
    (1, (*FIT, "outside.csv", "--scale", "unit"), "150"),
    (1, (*FIT, "twice.csv", "--scale", "percent"), "twice"),
    (1, (*FIT, "noid.csv", "--scale", "percent"), "row 2"),
    (1, (*FIT, "columns.csv", "--scale", "percent"), "columns.csv"),
    (1, (*FIT, "twocolumns.csv", "--scale", "percent"), "twice"),
    (1, (*FIT, "percent.csv", "--scale", "percent", "--min-model", "15"), "lower the limits"),
    (2, (*FIT, "percent.csv", "--scale", "percent", "--method", "magic"), "magic"),
    (2, (*FIT, "percent.csv", "--scale", "percent", "--rank", "-1"), "--rank"),
    (2, (*FIT, "percent.csv", "--scale", "percent", "--chains", "0"), "--chains"),
    (2, (*FIT, "percent.csv", "--scale", "percent", "--method", "svi", "--chains", "2"), "to svi"),
    (2, (*FIT, "percent.csv", "--scale", "percent", "--method", "nuts", "--steps", "2"), "--steps"),
    (2, ("fit", "--data", "percent.csv", "--scale", "percent"), "--out"),
    (2, ("fit", "--out", "out.nc"), "--data"),
    (2, ("fit", "--data", "percent.csv", "--out", "directory"), "directory"),
    (2, ("fit", "--data", "percent.csv", "--out", "no/such/dir.nc"), "no/such"),
    # evaluation
    (2, (*EVALUATE, "percent.csv", "--method", "alz"), "alz"),
    (2, (*EVALUATE, "percent.csv", "--protocol", "luck"), "luck"),
    (2, (*EVALUATE, "percent.csv", "--max-folds", "0"), "--max-folds"),
    (2, (*EVALUATE, "percent.csv", "--jobs", "0"), "--jobs"),
    (2, (*EVALUATE, "percent.csv", "--ks", "1,two"), "two"),
    (2, (*EVALUATE, "percent.csv", "--option", "rank"), "KEY=VALUE"),
    (2, (*EVALUATE, "percent.csv", "--option", "colour=3"), "colour"),
    (2, (*EVALUATE, "percent.csv", "--predictions", "out.txt"), "out.txt"),
    (2, (*EVALUATE, "percent.csv", "--predictions", "no/such/out.parquet"), "no/such"),
    (2, (*EVALUATE, "percent.csv", "--method", "external"), "--predictions"),
    (2, (*EVALUATE, "percent.csv", "--method", "external", "--predictions", "no.csv"), "no.csv"),
    (1, (*EVALUATE, "percent.csv", "--method", "external", "--predictions", "predictions.csv"),
     "predicted"),
    (1, (*EVALUATE, "percent.csv", "--folds", "folds_foreign.json"), "folds_foreign.json"),
    (1, (*EVALUATE, "percent.csv", "--folds", "folds_cut.json"), "folds_cut.json"),
    (1, (*EVALUATE, "percent.csv", "--folds", "missing.json"), "missing.json"),
    (1, (*EVALUATE, "percent.csv", "--protocol", "new-release"), "release"),
    (1, (*EVALUATE, "percent.csv", "--protocol", "new-release", "--families", "families.json"),
     "families.json"),
    (2, ("export-prompt", "--data", "percent.csv", "--scale", "percent", "--fold", "7"), "fold 7"),
    (2, (*EVALUATE, "percent.csv", "--ks", "1,2"), "--ks belongs to protocol"),
    (2, (*EVALUATE, "percent.csv", "--protocol", "curve", "--folds", "x.json"), "--folds belongs"),
    # subset, structure and audit
    (1, ("subset", "--data", "missing.csv", "--k", "2"), "missing.csv"),
    (2, ("subset", "--data", "percent.csv"), "--k"),
    (2, ("subset", "--data", "percent.csv", "--k", "0"), "--k"),
    (2, ("subset", "--data", "percent.csv", "--k", "1", "--folds", "1"), "--folds"),
    (1, ("subset", "--data", "percent.csv", "--check", "percent.csv"), "not a usable suite file"),
    (1, ("subset", "--data", "percent.csv", "--check", "."), "cannot read the suite"),
    (1, ("structure", "--data", "percent.csv", "--scale", "percent"), "no complete submatrix"),
    (1, ("structure", "--data", "missing.csv"), "missing.csv"),
    (1, ("audit", "--data", "percent.csv", "--min-model", "15"), "lower the limits"),
    (1, ("audit", "--data", "missing.csv"), "missing.csv"),
    (2, ("audit", "--data", "percent.csv", "--top", "0"), "--top"),
    (2, ("audit", "--data", "percent.csv", "--seed", "-1"), "--seed"),
    (2, ("export-prompt", "--data", "percent.csv", "--scale", "percent", "--out", "directory"),
     "directory"),
]  # fmt: skip


def test_the_sweep_is_wide() -> None:
    assert len({args for _, args, _ in BAD}) == len(BAD) >= 60


@pytest.mark.parametrize(("code", "args", "named"), BAD, ids=lambda value: ascii(value)[:80])
def test_bad_input_ends_in_one_line(
    run: Run,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    args: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(place)
    before = sorted(os.listdir(place))
    found = run(*args)
    assert found.code == code, found.err
    assert found.out == ""
    last = found.err.splitlines()[-1]
    # a note about costs that are missing may come before the error
    assert [line for line in found.err.splitlines() if not line.startswith("note: ")] == [last]
    assert last.startswith("error: ") and last.isprintable()
    assert named in last
    assert sorted(os.listdir(place)) == before


def test_a_campaign_refuses_another_posterior_and_bad_scores(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(place)
    file = tmp_path / "run.json"
    assert run("campaign", "new", file, *NEW[3:]).code == 0
    kept = file.read_bytes()
    for code, args in (
        (1, ("next", file, "--posterior", "other.nc")),
        (2, ("undo", file)),
        (2, ("observe", file, "bench_1=500")),
        (2, ("observe", file, "bench_9=50")),
        (2, ("observe", file, "bench_1=50", "--cost", "-1")),
        (2, ("replay", file, "--scores", "bench_9=50")),
    ):
        found = run("campaign", *args)
        assert (found.code, found.out, found.err.count("\n")) == (code, "", 1), args
        assert file.read_bytes() == kept
    file.write_text(json.dumps({**json.loads(kept), "seed": "one"}))
    found = run("campaign", "status", file)
    assert (found.code, found.err.count("\n")) == (1, 1) and "seed" in found.err


@pytest.mark.parametrize(("code", "args", "named"), [
    (2, (*PREDICT, "--scores", "bench_0=nan"), "finite"),
    (1, ("predict", "--scores", "bench_0=1", "--posterior", "truncated.nc"), "truncated"),
    (1, (*FIT, "utf16.csv", "--scale", "percent"), "UTF-16"),
    (2, ("predcit",), "predict"),
])  # fmt: skip
def test_the_same_in_a_process_of_its_own(
    place: Path, repository: Path, code: int, args: tuple[str, ...], named: str
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    found = subprocess.run(
        [sys.executable, "-m", "bayesbench", *args],
        cwd=place, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (code, "")
    assert found.stderr.startswith("error: ") and found.stderr.count("\n") == 1
    assert named in found.stderr
