"""``bayesbench completion``: scripts that real shells run, and what they are answered."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayesbench.cli.completing import COMPLETE
from bayesbench.cli.completion import SHELLS
from tests.cli.conftest import HEAVY, Run, loaded

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the shells are those of POSIX systems")


def answered(
    run: Run, monkeypatch: pytest.MonkeyPatch, shell: str, words: str, at: int
) -> tuple[int, list[str]]:
    """What a shell is told that has these words, the cursor in the last one."""
    current = "" if words.endswith(" ") else words.rpartition(" ")[2]
    monkeypatch.setenv(COMPLETE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", current if shell == "fish" else str(at))
    found = run()
    assert found.err == ""
    return found.code, found.out.splitlines()


@pytest.mark.parametrize(("shell", "told"), [
    ("bash", ["plain,predict"]),
    ("zsh", ["plain", "predict", "What a model would score on other benchmarks."]),
    ("fish", ["plain,predict\tWhat a model would score on other benchmarks."]),
])  # fmt: skip
def test_the_environment_is_answered(
    run: Run, monkeypatch: pytest.MonkeyPatch, shell: str, told: list[str]
) -> None:
    assert answered(run, monkeypatch, shell, "bayesbench pred", 1) == (0, told)


@pytest.mark.parametrize(("words", "at", "told"), [
    ("--model = model_3", 5, "model_3"), ("--model =", 4, "model_0"),
    ("--scores bench_0 = 40,bench_4", 6, "40,bench_4="),
    ("--scores = bench_0 = 40,bench_4", 7, "40,bench_4="),
    ('--scores "bench_0=40,bench_4', 4, "bench_0=40,bench_4="),
    ("--scores bench_0 = 40 --benchmark bench_4", 8, "bench_4"),
    ("--bench", 3, "--benchmark"),
])  # fmt: skip
def test_bash_gets_what_replaces_its_own_last_word(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, posterior_file: Path,
    words: str, at: int, told: str,
) -> None:  # fmt: skip
    """bash breaks words at the sign, and replaces what is behind it alone."""
    monkeypatch.setattr("bayesbench.shipped.bundled_path", lambda *_: posterior_file)
    code, lines = answered(run, monkeypatch, "bash", f"bayesbench predict {words}", at - 1)
    assert (code, lines[0]) == (0, f"plain,{told}")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_others_get_the_whole_word(
    run: Run, monkeypatch: pytest.MonkeyPatch, posterior_file: Path, shell: str
) -> None:
    monkeypatch.setattr("bayesbench.shipped.bundled_path", lambda *_: posterior_file)

    def told(words: str) -> str:
        return "\n".join(answered(run, monkeypatch, shell, words, len(words.split()) - 1)[1])

    assert "--model=model_3" in told("bayesbench predict --model=model_3")
    assert "bench_0=40,bench_4=" in told("bayesbench predict --scores bench_0=40,bench_4")


@pytest.mark.parametrize("instruction", ["bash", "bash_source", "csh_complete", "bash_complete"])
def test_what_cannot_be_answered_is_silent(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, instruction: str
) -> None:
    damaged = tmp_path / "damaged.nc"
    damaged.write_text("no posterior")
    monkeypatch.setenv(COMPLETE, instruction)
    monkeypatch.setenv("COMP_WORDS", f"bayesbench predict --posterior {damaged} --model m")
    monkeypatch.setenv("COMP_CWORD", "5")
    found = run()
    assert (found.code, found.out, found.err) == (1, "", "")


def test_little_is_loaded(repository: Path) -> None:
    """Commands and options without numpy, ids without pandas."""

    def modules(words: str) -> set[str]:
        words = f"bayesbench {words}"
        asked = {COMPLETE: "bash_complete", "COMP_WORDS": words,
                 "COMP_CWORD": str(len(words.split()) - 1)}  # fmt: skip
        code = f"import os; os.environ |= {asked}\nfrom bayesbench.cli import main\nmain([])"
        return loaded(repository, code)

    assert not {"numpy", "pandas", "bayesbench.cli.predict", *HEAVY} & modules("pre")
    assert not {"numpy", "pandas", *HEAVY} & modules("predict --scor")
    found = modules("next --scores gpqa_diamond=70,ifeval=80 --targets mmlu")
    assert "h5py" in found and not {"pandas", "bayesbench.scores", *HEAVY} & found


def test_scripts_differ_from_clicks_where_they_must(run: Run) -> None:
    scripts = {shell: run("completion", shell).out for shell in SHELLS}
    assert "compopt -o nospace" in scripts["bash"]
    assert "-S '' -a pairs" in scripts["zsh"]
    assert 'string split --max 1 ","' in scripts["fish"]
    for shell, script in scripts.items():
        assert f"{COMPLETE}={shell}_complete" in script
    refused = run("completion", "csh")
    assert refused.code == 2 and "'csh'" in refused.err


@pytest.fixture
def path(tmp_path: Path, repository: Path) -> str:
    """A PATH on which ``bayesbench`` is this one."""
    place = tmp_path / "bin"
    place.mkdir()
    script = place / "bayesbench"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{repository}" exec "{sys.executable}" -m bayesbench "$@"\n'
    )
    script.chmod(0o755)
    return f"{place}{os.pathsep}{os.environ['PATH']}"


def new_enough() -> bool:
    """Whether there is a bash that the script is for."""
    if shutil.which("bash") is None:
        return False
    asked = ["bash", "--norc", "-c", "echo ${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]}"]
    major, minor = subprocess.check_output(asked, text=True).split()
    return (int(major), int(minor)) >= (4, 4)


INTERACTIVE = [
    pytest.param(
        ["bash", "--norc", "-i"], "", id="bash",
        marks=pytest.mark.skipif(not new_enough(), reason="no bash of 4.4 or newer"),
    ),
    pytest.param(
        ["zsh", "-f", "-i"], "autoload -Uz compinit && compinit -u -D && ", id="zsh",
        marks=pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh"),
    ),
]  # fmt: skip


class Typed:
    """A shell on a terminal of its own, typed into."""

    def __init__(self, call: list[str], environment: dict[str, str]) -> None:
        self.end, other = os.openpty()
        self.running = subprocess.Popen(
            call, env=environment, stdin=other, stdout=other, stderr=other, start_new_session=True
        )
        os.close(other)

    def type(self, text: str, until: str, seconds: float = 30.0) -> str:
        """What the terminal shows, until it shows `until`."""
        os.write(self.end, text.encode())
        shown, late = "", time.monotonic() + seconds
        while until not in shown and time.monotonic() < late:
            if select.select([self.end], [], [], 0.2)[0]:
                read = os.read(self.end, 65536).decode(errors="replace")
                shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x07\r]", "", shown + read)
        return shown

    def close(self) -> None:
        """End it."""
        self.running.kill()
        self.running.wait()
        os.close(self.end)


@pytest.mark.parametrize(("call", "before"), INTERACTIVE)
def test_a_real_shell_completes_what_is_typed(
    path: str, posterior_file: Path, call: list[str], before: str
) -> None:
    environment = {"PATH": path, "TERM": "dumb", "PS1": "> ", "HOME": "/nonexistent"}
    shell = Typed(call, environment)
    try:
        name = call[0]
        ready = f"{before}eval \"$(bayesbench completion {name})\"; echo re''ady\n"
        assert "ready" in shell.type(ready, "ready")
        own = f"bayesbench predict --posterior {posterior_file}"
        for typed, whole in (
            ("bayesbench pred", "bayesbench predict "),
            (f"{own} --ben", "--benchmark "),
            (f"{own} --model model_3", "--model model_3 "),
            (f"{own} --model=model_3", "--model=model_3 "),
            (f"{own} --benchmark bench_0,bench_4", "bench_0,bench_4 "),
            (f"{own} --scores bench_0=40,bench_4", "bench_0=40,bench_4="),
        ):
            shown = shell.type(f"\x15{typed}\t", whole)
            assert whole in shown, (typed, shown)
    finally:
        shell.close()


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes(path: str, posterior_file: Path, tmp_path: Path) -> None:
    own = f"bayesbench predict --posterior {posterior_file}"
    for typed, told in (
        ("bayesbench pred", "predict"), (f"{own} --model=model_3", "--model=model_3"),
        (f"{own} --scores bench_0=40,bench_4", "bench_0=40,bench_4="),
        (f"{own} --benchmark bench_0,bench_4", "bench_0,bench_4"),
    ):  # fmt: skip
        found = subprocess.run(
            ["fish", "--no-config", "-c",
             f"bayesbench completion fish | source; complete -C '{typed}'"],
            env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.stdout.split("\t")[0].strip() == told, found.stderr
