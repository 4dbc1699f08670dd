"""``items fit``, ``select`` and ``audit``: the same as in Python, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesbench.items.bank_file import open_bank
from bayesbench.items.collected import read_collected
from bayesbench.items.exact import bank_of_draws, draw_bank
from bayesbench.items.forms import select_forms
from bayesbench.items.misfit import audit_bank, audit_items
from bayesbench.items.simulated_campaigns import crossfit_widths
from bayesbench.items.variational import fit_bank
from tests.cli.conftest import Run


def test_fit_writes_the_bank_of_the_answers(run: Run, item_files: Path, tmp_path: Path) -> None:
    out = tmp_path / "bank.nc"
    found = run("items", "fit", item_files / "answers.csv", "--factors", 2, "--out", out, "--seed",
                3, "--format", "json").json()  # fmt: skip
    responses = read_collected([item_files / "answers.csv"])
    bank, saved = fit_bank(responses, factors=2, seed=3), open_bank(out)
    np.testing.assert_array_equal(saved.covariance, bank.covariance)
    families = list(responses.models["family"])
    widths = crossfit_widths(responses, families, (5, 10), seed=3, factors=2)
    assert saved.width_factors == widths
    assert found["width_factors"] == {str(n): x for n, x in widths.items()}
    assert saved.categories == bank.categories and set(saved.categories) == {"easy", "hard"}
    assert (found["models"], found["items"], found["answers"]) == (60, 24, 1440)
    assert [row["factor"] for row in found["factors"]] == [1, 2] and found["converged"]


def test_exact_draws_make_a_bank_too(run: Run, item_files: Path, tmp_path: Path) -> None:
    out = tmp_path / "bank.nc"
    found = run("items", "fit", item_files / "answers.csv", "--factors", 1, "--engine", "gibbs",
                "--out", out, "--no-widths", "--format", "json").json()  # fmt: skip
    responses = read_collected([item_files / "answers.csv"])
    start = fit_bank(responses, factors=1)
    bank = bank_of_draws(draw_bank(responses, start, draws=500, warmup=200, seed=0), start)
    np.testing.assert_array_equal(open_bank(out).slope, bank.slope)
    assert found["width_factors"] == {} and found["iterations"] == 500
    assert "no width factors were learned: intervals may be too narrow" in found["notes"]


def test_several_files_and_few_models(run: Run, item_files: Path, tmp_path: Path) -> None:
    whole = (item_files / "answers.csv").read_text().splitlines()
    for name, rows in (("one.csv", whole[1:25]), ("two.csv", whole[25:49])):
        (tmp_path / name).write_text("\n".join([whole[0], *rows]) + "\n")
    found = run("items", "fit", tmp_path / "one.csv", tmp_path / "two.csv", "--out",
                tmp_path / "b.nc", "--format", "json")  # fmt: skip
    assert found.json()["models"] == 2
    assert "note: 2 models: little is known of any item" in found.err
    assert "2 models answered every item, 20 are needed" in found.err


def test_select_is_what_python_selects(run: Run, item_files: Path) -> None:
    bank = open_bank(item_files / "bank.nc")
    call = ("items", "select", "--bank", item_files / "bank.nc", "--n", 5)
    found = run(*call, "--parallel", "--format", "json").json()
    forms = select_forms(bank, 5, forms=2)
    for at, form in enumerate(forms):
        mine = [row for row in found["items"] if row["form"] == at + 1]
        assert tuple(row["item_id"] for row in mine) == form.item_ids
        assert tuple(row["sd"] for row in mine) == form.sd
    assert found["forms"] == 2 and "24 items of benchmark_0, benchmark_1" in found["scale"]
    rows = run(*call, "--quota", "easy=1-2", "--parallel", 3, "--format", "csv").out.splitlines()
    assert rows[0] == "form,item_id,benchmark_id,category,sd" and len(rows) == 16
    for form in "123":
        easy = sum(row.startswith(f"{form},") and ",easy," in row for row in rows)
        assert 1 <= easy <= 2
    one = run(*call, "--benchmark", "benchmark_1", "--format", "json").json()
    assert "12 items of benchmark_1" in one["scale"]


def test_audit_lists_what_python_finds(run: Run, item_files: Path, tmp_path: Path) -> None:
    lines = (item_files / "answers.csv").read_text().splitlines()
    for at, line in enumerate(lines):
        if ",item_12," in line:
            parts = line.split(",")
            parts[4] = str(1 - int(parts[4]))
            lines[at] = ",".join(parts)
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join(lines) + "\n")
    found = run("items", "audit", turned, "--format", "json").json()
    mine = audit_items(read_collected([turned]))
    assert [row["item_id"] for row in found["items"]] == [
        one.item_id for one in mine if one.verdicts
    ]
    assert found["items"][0]["item_id"] == "item_12" and found["audited"] == 24
    assert "mis-keyed" in found["items"][0]["verdicts"]
    against = run("items", "audit", turned, "--bank", item_files / "bank.nc", "--all", "--format",
                  "json").json()  # fmt: skip
    assert len(against["items"]) == 24 and against["items"][0]["change_z"] is not None
    assert "60 of the models are among those of the bank" in against["notes"][0]
    alone = run("items", "audit", "--bank", item_files / "bank.nc", "--all", "--format", "csv")
    rows = alone.out.splitlines()
    assert len(rows) == 25
    first = audit_bank(open_bank(item_files / "bank.nc"))[0]
    assert rows[1].startswith(f"{first.item_id},{first.benchmark_id},0,,")
    table = run("items", "audit", turned).out
    assert table.startswith("Something speaks against") and "mis-keyed" in table


@pytest.mark.parametrize(
    ("code", "args", "named"),
    [
        (1, ("fit", "empty.csv", "--out", "x.nc"), "empty.csv: the file is empty"),
        (1, ("fit", "none.csv", "--out", "x.nc"), "none.csv: no such file"),
        (1, ("fit", "header.csv", "--out", "x.nc"), "header.csv"),
        (2, ("fit", "answers.csv", "--out", "none/x.nc"), "there is no directory 'none'"),
        (2, ("fit", "answers.csv", "--out", "x.nc", "--factors", "9"), "--factors"),
        (2, ("fit", "answers.csv", "--out", "x.nc", "--metric", "acc"), "a metric belongs to"),
        (2, ("fit", "few.csv", "--out", "x.nc", "--widths"), "--widths: 2 models answered"),
        (1, ("fit", "twice.csv", "--out", "x.nc"), "twice.csv, row 3: model 'a' answered item 'p'"),
        (2, ("select", "--n", "3"), "no item bank: give --bank FILE"),
        (2, ("select", "--bank", "bank.nc", "--n", "25"), "25 items wanted, the bank has 24"),
        (2, ("select", "--bank", "bank.nc", "--n", "3", "--quota", "x=1"), "unknown category 'x'"),
        (2, ("select", "--bank", "bank.nc", "--n", "3", "--benchmark", "x"), "unknown benchmark"),
        (1, ("select", "--bank", "cut.nc", "--n", "3"), "cut.nc: truncated, damaged or no item"),
        (1, ("select", "--bank", "answers.csv", "--n", "3"), "answers.csv: truncated, damaged"),
        (2, ("audit",), "nothing to audit"),
        (1, ("audit", "few.csv", "--bank", "bank.nc"), "no item is in the bank: 'p' here"),
        (2, ("audit", "answers.csv", "--level", "0"), "--level"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, item_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    code: int, args: tuple[str, ...], named: str,
) -> None:  # fmt: skip
    head = "model_id,item_id,benchmark_id,correct\n"
    for name in ("answers.csv", "bank.nc"):
        (tmp_path / name).write_bytes((item_files / name).read_bytes())
    (tmp_path / "cut.nc").write_bytes((item_files / "bank.nc").read_bytes()[:700])
    for name, text in {
        "empty.csv": "",
        "header.csv": head,
        "few.csv": f"{head}a,p,x,1\nb,p,x,0\n",
        "twice.csv": f"{head}a,p,x,1\na,p,x,0\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    found = run("items", *args)
    assert (found.code, found.out, found.err.count("\n")) == (code, "", 1), found.err
    assert found.err.startswith("error: ") and named in found.err
    assert sorted(tmp_path.iterdir()) == before
