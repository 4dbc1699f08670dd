"""The page as a file, and in headless Chromium."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import bayesbench as bb
from bayesbench import report
from bayesbench.errors import UsageError
from bayesbench.report.html import data_text, page, script, write_page
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior

ASSETS = Path(report.__file__).parent / "assets"
HOSTILE = "<img src=x onerror=window.hit=1>"
VIEWS = ("mine", "models", "benchmarks", "matrix", "map", "checks")
AXE = Path(
    os.environ.get("AXE_CORE", Path(sys.prefix) / "browser/node_modules/axe-core/axe.min.js")
)
SETTINGS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


# The file


def test_modules_become_one_script() -> None:
    first = "export const a = 1;\nexport function f() { return a; }\nconst own = 2;\n"
    second = 'import * as first from "./first.js";\nexport const b = first.f();\n'
    made = script({"first": first, "second": second})
    assert "export " not in made and "import " not in made
    assert "return { a, f };" in made and "return { b };" in made


def test_data_cannot_end_their_element() -> None:
    text = data_text({"id": "</script><script>alert(1)</script>"})
    assert "<" not in text and json.loads(text)["id"].startswith("</script>")


def test_libraries_are_the_pinned_ones() -> None:
    for one in json.loads((ASSETS / "vendor" / "pinned.json").read_text())["files"]:
        content = (ASSETS / "vendor" / one["to"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one["sha256"], one["to"]


def test_nothing_in_the_page_names_an_address_to_load() -> None:
    text = page(make_posterior(n_draws=10))
    assert "default-src 'none'" in text
    policy = re.search(r'Security-Policy" content="([^"]*)"', text)
    assert policy and "unsafe" not in policy[1] and "http" not in policy[1]
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", markup) == ["data:,", "#main"]
    assert re.findall(r"<script([^>]*)>", text)[1:] == [""] * 3
    assert "Permission to use, copy, modify" in text


def test_what_stood_there_stays_if_the_page_cannot_be_made(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("before")
    with pytest.raises(UsageError, match="at least 3 draws"):
        write_page(file, make_posterior(n_draws=2))
    assert file.read_text() == "before"


# In the browser


def hostile_posterior() -> Any:
    """Names and a source that would be markup, were they not escaped."""
    matrix = make_matrix(n_models=8)
    models = matrix.models.copy()
    models["name"] = [f"{HOSTILE} {i}" if i < 2 else f"Model {i}" for i in range(len(models))]
    benchmarks = matrix.benchmarks.copy()
    benchmarks["name"] = [f"Bench {j}" for j in range(len(benchmarks))]
    benchmarks["aliases"] = ["Zeroth test", "", "", "", HOSTILE]
    readings = matrix.readings[["model_id", "benchmark_id", "score"]].copy()
    readings["model_id"] = readings["model_id"].replace("model_2", HOSTILE)
    models = models.rename(index={"model_2": HOSTILE})
    made = ScoreMatrix.from_frame(
        pd.DataFrame(readings), benchmarks=benchmarks.reset_index(), models=models.reset_index()
    )
    return make_posterior(matrix=made, n_draws=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "chromium is missing: make test installs it"
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "page.html"
    write_page(file, hostile_posterior())
    return file.as_uri()


class Watched:
    """A tab, and what it complained of or asked for."""

    def __init__(self, browser: Browser, width: int = 1280, scheme: Any = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.tab: Page = self.context.new_page()
        self.faults: list[str] = []
        self.tab.on("console", lambda said: self.faults.append(f"{said.type}: {said.text}"))
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.faults.append(f"request of {request.url}")

    def open(self, address: str) -> Page:
        self.tab.goto(address)
        self.tab.wait_for_selector("h1", timeout=20_000)
        return self.tab


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    made = Watched(browser)
    yield made
    made.context.close()
    assert made.faults == []


def test_typing_predicts_and_the_address_bears_it(watched: Watched, hostile: str) -> None:
    tab = watched.open(hostile)
    field = tab.get_by_role("combobox", name="Add a benchmark")
    field.fill("zeroth")  # an alias
    field.press("Enter")
    score = tab.get_by_label("Bench 0 (0 to 100)")
    score.fill("185")
    tab.get_by_text("outside the scale 0 to 100").wait_for()
    assert score.get_attribute("aria-invalid") == "true"
    assert "No score known" in tab.inner_text("#said")
    score.fill("90")
    tab.get_by_text("1 score known; 4 benchmarks predicted.").wait_for()
    high = tab.inner_text("#predictions")
    score.fill("10")
    tab.wait_for_function("before => document.querySelector('#predictions').innerText !== before",
                          arg=high)  # fmt: skip
    assert "s.bench_0=10" in tab.url
    low = tab.inner_text("#predictions")
    again = watched.context.new_page()
    again.goto(tab.url)
    again.get_by_text("1 score known").wait_for()
    assert again.inner_text("#predictions") == low
    assert again.get_by_label("Bench 0 (0 to 100)").input_value() == "10"


def test_facts_and_budget_change_the_answer(watched: Watched, hostile: str) -> None:
    tab = watched.open(f"{hostile}#view=mine&s.bench_0=60&s.bench_3=20")
    tab.get_by_text("2 scores known").wait_for()
    tab.locator("#surprises li").first.wait_for()
    assert "what the other scores say" in tab.inner_text("#surprises")
    before = tab.inner_text("#predictions")
    tab.get_by_label("reasoning").select_option("yes")
    tab.wait_for_function("before => document.querySelector('#predictions').innerText !== before",
                          arg=before)  # fmt: skip
    tab.get_by_label("release date").fill("2025-13")
    tab.get_by_text("not YYYY, YYYY-MM or YYYY-MM-DD").wait_for()
    tab.get_by_label("Budget").fill("2")
    tab.wait_for_function("document.querySelector('#next').innerText.includes(' of 2')")
    tab.get_by_role("button", name="Bench 1").click()
    tab.get_by_label("P(at least X)").fill("0")
    assert "at least 0.000) = 1.00" in tab.inner_text("#p-at-least")


def test_the_keyboard_is_enough(watched: Watched, hostile: str) -> None:
    tab = watched.open(hostile)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "skip"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('role')") == "combobox"
    tab.keyboard.type("bench")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    tab.keyboard.type("55")
    tab.get_by_text("1 score known").wait_for()
    assert "=55" in tab.url
    tab.evaluate("document.querySelector('nav a:last-child').focus()")
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Checks", exact=True).wait_for()
    tab.evaluate("location.hash = '#view=matrix'")
    tab.locator("canvas").focus()
    for key in ("ArrowDown", "ArrowRight"):
        tab.keyboard.press(key)
    assert "predicted" in tab.inner_text("#cell")
    tab.go_back()


def test_names_are_text_and_nothing_runs(watched: Watched, hostile: str) -> None:
    tab = watched.open(hostile)
    for view in VIEWS:
        tab.evaluate("view => { location.hash = `#view=${view}`; }", view)
        tab.wait_for_timeout(300)
        assert tab.evaluate("window.hit") is None
        assert tab.locator("img").count() == 0
    tab.evaluate("location.hash = '#view=models'")
    tab.locator("#board table").wait_for()
    assert HOSTILE in tab.inner_text("#board")
    field = tab.get_by_role("combobox", name="Model", exact=True)
    field.fill("<img")
    field.press("Enter")
    assert HOSTILE in tab.inner_text("main")
    assert tab.evaluate("window.hit") is None


def test_two_models_are_compared_and_ranked(watched: Watched, hostile: str) -> None:
    tab = watched.open(f"{hostile}#view=models&a=model_3&b=model_4&on=bench_0~1,bench_3~2")
    tab.locator("#versus table").wait_for()
    assert re.search(r"is better than .* with probability", tab.inner_text("#versus"))
    rows = tab.locator("#board tbody tr")
    assert rows.count() == 8 and "predicted" in tab.inner_text("#board")
    tab.get_by_label("Weight of Bench 3").fill("5")
    tab.wait_for_function("location.hash.includes('bench_3~5') || location.hash.includes('%7E5')")


@pytest.mark.parametrize(("width", "scheme"), SETTINGS)
def test_every_view_fits_and_can_be_used_by_all(
    browser: Browser, hostile: str, width: int, scheme: str
) -> None:
    assert AXE.is_file(), f"{AXE} is missing: make test installs it, or name it in AXE_CORE"
    seen = Watched(browser, width, scheme)
    for view in VIEWS:
        tab = seen.open(f"{hostile}#view={view}&s.bench_0=60&s.bench_3=20")
        tab.reload()
        tab.wait_for_selector("h1")
        tab.wait_for_timeout(400)
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), view
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.evaluate("axe.run().then(found => found.violations)")
        grave = [
            (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert grave == [], view
    assert seen.faults == []
    seen.context.close()


@pytest.mark.slow
def test_the_bundled_page_is_small_and_fast(
    browser: Browser, tmp_path: Path, record_property: Any
) -> None:
    file = tmp_path / "page.html"
    assert write_page(file, bb.open_posterior()) <= 6_000_000
    seen = Watched(browser)
    began = time.perf_counter()
    tab = seen.open(f"{file.as_uri()}#view=mine&s.gpqa_diamond=70")
    record_property("usable_s", time.perf_counter() - began)
    paint = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    record_property("first_paint_ms", paint)
    assert paint <= 2000
    assert seen.faults == []
    seen.context.close()
