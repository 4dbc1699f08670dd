"""``bayesbench data fetch``."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.scores import fetching
from bayesbench.scores.fetching import Fetched, Source
from tests.cli.conftest import Run

HASH = "ab" * 32


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "list.csv"
    file.write_text(
        "name,url,sha256,licence,licence_url\n"
        f"one,https://example.org/a.csv,{HASH},CC0-1.0,https://example.org/licence\n"
    )
    return file


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Source, object, int]]:
    """Calls of the download, which does not happen."""
    calls: list[tuple[Source, object, int]] = []

    def fetch(source: Source, to: object, *, most_bytes: int) -> Fetched:
        calls.append((source, to, most_bytes))
        return Fetched(Path("a.csv"), 7, True)

    monkeypatch.setattr(fetching, "fetch", fetch)
    return calls


def test_the_licence_comes_first(
    run: Run, registry: Path, asked: list[tuple[Source, object, int]]
) -> None:
    call = ("data", "fetch", "one", "--registry", registry)
    refused = run(*call)
    assert refused.code == 2 and not asked
    assert "licence of one: CC0-1.0 (https://example.org/licence)" in refused.err
    found = run(*call, "--accept-licence", "--out", "x.csv", "--most-mb", "2", "--format", "json")
    assert found.json()["path"] == "a.csv" and found.json()["licence"] == "CC0-1.0"
    ((source, to, most),) = asked
    assert (source.name, to, most) == ("one", "x.csv", 2 * 1024 * 1024)


def test_a_file_by_its_address(run: Run, asked: list[tuple[Source, object, int]]) -> None:
    call = ("data", "fetch", "--url", "https://example.org/a.csv", "--sha256", HASH)
    refused = run(*call)
    assert refused.code == 2 and "not known here" in refused.err and not asked
    assert run(*call, "--accept-licence").code == 0 and len(asked) == 1


def test_names_are_listed(run: Run, registry: Path) -> None:
    assert run("data", "fetch", "--format", "json").json() == {"matrices": []}
    listed = run("data", "fetch", "--registry", registry, "--format", "json").json()["matrices"]
    assert [one["name"] for one in listed] == ["one"]
    assert "0 matrices by name" in run("data", "fetch").out


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "https://example.org/a"),
        ("--sha256", HASH),
        ("one", "--url", "https://example.org/a", "--sha256", HASH),
        ("--url", "file:///etc/passwd", "--sha256", HASH),
        ("nonesuch",),
    ],
)
def test_wrong_calls(options: tuple[str, ...], run: Run) -> None:
    refused = run("data", "fetch", *options)
    assert refused.code == 2 and refused.err.count("\n") == 1
