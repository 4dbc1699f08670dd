"""The screen: its width, tables and sentences that fit it, intervals drawn on their scale."""

from __future__ import annotations

import io
import os
import sys

import pytest

from bayesbench.cli.screen import (
    BAR_LEAST,
    BAR_MOST,
    LEAST_WIDTH,
    Strip,
    draw,
    interval_bar,
    screen_width,
    wrap,
)

IDS = ["a-model-with-a-long-id-of-39-characters", "short", "middle-of-the-road-model"]
STRIPS = (
    Strip("model", IDS),
    Strip("median", ["12.3", "4567", "-0.123"], right=True),
    Strip("interval", ["1.00 to 20.0", "4000 to 5000", "-1.00 to 1.00"], right=True, drop=3),
    Strip("P(within 10)", ["0.50", "0.01", "1.00"], right=True, drop=1),
    Strip("why it is so", ["a share, not a percentage", "gross error", ""], drop=2),
    Strip("on its scale", [], drop=4, drawn=lambda width: ["=" * width] * 3),
)
NUMBERS = [cell for one in STRIPS[1:4] for cell in one.cells]


def test_everything_stands_side_by_side_where_there_is_room() -> None:
    for width in (None, 200):
        lines, left_out = draw(STRIPS, width)
        assert not left_out and len(lines) == 2 + 3
        assert lines[0].split("  ")[0] == " model"
        assert all(f"{'=' * BAR_MOST}" in line for line in lines[2:])
        assert set(lines[1].strip()) == {"─"} and len(lines[1]) == max(map(len, lines))


@pytest.mark.parametrize("width", range(40, 140))
def test_no_line_is_too_long_and_nothing_is_broken(width: int) -> None:
    lines, left_out = draw(STRIPS, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(text.count(name) == 1 for name in IDS)
    order = ["P(within 10)", "why it is so", "interval", "on its scale"]
    assert left_out == order[: len(left_out)]
    for one in STRIPS[1:4]:
        if one.title not in left_out:
            assert all(cell in text for cell in one.cells)
    bars = {part for part in text.split() if set(part) == {"="}}
    assert all(BAR_LEAST <= len(bar) <= BAR_MOST for bar in bars) and len(bars) <= 1


def test_wider_screens_show_no_less() -> None:
    counts = [len(draw(STRIPS, width)[1]) for width in range(40, 140)]
    assert counts == sorted(counts, reverse=True) and counts[0] > 0 == counts[-1]


def test_a_long_name_stands_above_its_numbers() -> None:
    strips = (Strip("model", ["x" * 39, "y"]), Strip("n", ["1", "2"], right=True),
              Strip("m", ["30", "40"], right=True))  # fmt: skip
    lines, left_out = draw(strips, 40)
    assert not left_out
    assert lines[2] == " " + "x" * 39 and lines[3].split() == ["1", "30"]
    assert lines[4].split() == ["y", "2", "40"]
    assert lines[3].index("30") == lines[4].index("40")


def test_columns_without_an_order_go_from_the_right() -> None:
    wide = ["0" * 15]
    strips = [Strip(name, wide, right=True) for name in ("a", "b", "c", "d")]
    assert draw(strips, 40)[1] == ["d", "c"]
    assert draw([*strips[:3], Strip("d", wide, right=True, drop=1)], 40)[1] == ["d", "c"]
    assert draw([strips[0], Strip("b", wide, right=True, drop=1), *strips[2:]], 40)[1] == ["b", "d"]


def test_wide_characters_count_twice_and_marks_not() -> None:
    lines, _ = draw(
        (Strip("name", ["模型", "abcd", "e\u0301tat"]), Strip("x", ["1", "2", "3"])), None
    )
    assert [line.rstrip()[:-1] for line in lines[2:]] == [" 模型  ", " abcd  ", " e\u0301tat  "]


def test_sentences_break_between_words_alone() -> None:
    said = "one two-and-a-half three " + "x" * 30 + " end"
    assert wrap(said, None) == [said] and wrap("", 10) == [""]
    assert wrap(said, 20) == ["one two-and-a-half", "three", "x" * 30, "end"]


def test_a_bar_shows_the_scale_the_interval_and_the_median() -> None:
    assert interval_bar(0.0, 50.0, 100.0, (0.0, 100.0), 10) == "━━━━━●━━━━"
    assert interval_bar(95.0, 99.0, 100.0, (0.0, 100.0), 10) == "─────────●"
    assert interval_bar(1100.0, 1200.0, 1290.0, (1000.0, 1400.0), 8) == "──━━●━──"
    assert interval_bar(-5.0, 3.0, 120.0, (0.0, 100.0), 10) == "●━━━━━━━━━"
    assert interval_bar(7.0, 7.0, 7.0, (7.0, 7.0), 10).count("●") == 1


def test_what_stdout_cannot_write_is_drawn_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert interval_bar(25.0, 50.0, 70.0, (0.0, 100.0), 10) == "--===o==--"


def test_the_width_is_that_of_columns_or_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    for stated, width in (("", None), ("80", 80), ("5", LEAST_WIDTH), ("0", None), ("wide", None)):
        monkeypatch.setenv("COLUMNS", stated)
        assert screen_width() == width

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            return 1

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((97, 20)))
    assert screen_width() == 97
    monkeypatch.setenv("COLUMNS", "60")
    assert screen_width() == 60
