"""The benchmark of a board: sizes, heap after import, and the way from main.py's first line to MID 0001, by stage."""

import os

import pytest

from toolcart.base.report import Report
from toolcart.tools.flash import plan
from host_tests.support.firmware import need_rp2040
from lab.bench import board_sizes, board_time

# What it is today and a little more, so that growth is noticed.
FROZEN_MS = 1700
ALL_BYTES = 330 * 1024
IN_THE_LONG_RUN = pytest.mark.skipif(
    os.environ.get("TOOLCART_LONG") != "1", reason="a part of the long run: ./tools/test --long"
)


def test_sizes_are_those_of_every_file_that_is_copied_and_add_up(monkeypatch):
    if os.environ.get("TOOLCART_LONG") != "1":  # each platform is another program
        monkeypatch.setattr(board_sizes, "PLATFORMS", {"rp2": board_sizes.PLATFORMS["rp2"]})
    report = Report()
    board_sizes.add(report)
    figures = {figure.name: figure.value for figure in report.figures}
    modules = [value for name, value in figures.items() if name.startswith("  ")]
    assert sum(modules) == figures[".mpy in all, rp2"] < ALL_BYTES
    assert (
        "  toolcart/agent/cart/app.mpy" in figures
        and "  toolcart/board/rp2.mpy" in figures
        and "  toolcart/board/esp32.mpy" not in figures
    )
    alone, whole = (
        figures[f"heap after import of {what}, unix32"] for what in ("toolcart.agent.cart.app", "a whole ESP32")
    )
    assert 0 < alone < whole < plan.COPIED_HEAP_BYTES, "what `toolcart flash` tells a board that is too small"


@IN_THE_LONG_RUN
def test_board_with_the_core_frozen_sends_0001_soon_after_its_first_line():
    need_rp2040()
    marks = board_time.marks()
    assert [number for number, _ in board_time.STAGES] + [board_time.SENT] == list(marks)
    moments = [mark.ms for mark in marks.values()]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] < FROZEN_MS
    # Erases take a chip 45 ms each: a start may do one for the block it opens, and writes its state by programs alone.
    assert marks[board_time.SENT].erases <= 2


def test_stages_and_heap_are_in_the_report(monkeypatch):
    marks = {number: board_time.Mark(1.0, 0, 0, number * 1000) for number, _ in board_time.STAGES}
    marks[board_time.SENT] = board_time.Mark(1.0, 0, 0)  # there nothing is weighed
    monkeypatch.setattr(board_time, "marks", lambda heap=False: marks)
    report = Report()
    board_time.add(report)
    names = {figure.name: figure.value for figure in report.figures}
    form = board_time.FORM
    assert f"main.py's first line to MID 0001, {form}" in names
    assert f"  of these import toolcart.agent.cart.app, {form}" in names
    assert names[f"heap after import, RP2040, {form}"] == 1000 * board_time.NUMBER["configuration read"]
    assert names[f"heap with the spool up, RP2040, {form}"] == 1000 * board_time.NUMBER["spool brought up"]
