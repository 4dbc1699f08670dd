"""``bayesbench report``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_the_page_is_written_and_stdout_stays_empty(ask: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = ask("report", "--out", page, "--model", "model_1,Model-2")
    assert found.code == 0 and found.out == "" and "MB" in found.err
    text = page.read_text(encoding="utf-8")
    assert '"model_2"' in text and '"id":"model_3"' not in text.replace(" ", "")
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []


def test_an_unknown_model_is_refused_and_nothing_is_written(ask: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = ask("report", "--out", page, "--model", "model_99")
    assert found.code == 2 and found.err.count("\n") == 1 and "model_99" in found.err
    assert not page.exists()


def test_a_page_that_cannot_be_written_is_one_line(ask: Run, tmp_path: Path) -> None:
    found = ask("report", "--out", tmp_path / "none" / "page.html")
    assert found.code == 1 and "cannot be written" in found.err


def test_it_starts_with_a_campaign(
    ask: Run, run: Run, posterior_file: Path, tmp_path: Path
) -> None:
    file, page = tmp_path / "campaign.json", tmp_path / "page.html"
    assert ask("campaign", "new", file, "--scores", "bench_0=41.5").code == 0
    found = run("report", "--out", page, "--campaign", file)
    assert found.code == 0, found.err
    assert "41.5" in page.read_text(encoding="utf-8")
    found = run("report", "--out", page, "--campaign", file, "--posterior", posterior_file)
    assert found.code == 0, found.err
