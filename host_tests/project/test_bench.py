"""What the benches measure and a chip depends on: sizes, heap, the way to MID 0001, what a station loads."""

import os
import subprocess
import sys

import pytest

from toolcart.base.cache import CHECKOUT, Unavailable
from toolcart.base.report import Report
from toolcart.tools.flash import plan
from host_tests.portable import Skip
from host_tests.support.firmware import need_rp2040
from lab.bench import board_sizes, board_time, path

# What it is today and a little more, so that growth is noticed.
CORE_BYTES = 248 * 1024
FROZEN_MS = 1700
ALL_BYTES = 330 * 1024


def test_compiled_core_does_not_grow_unnoticed():
    report = Report(machine={})
    try:
        path._size(report)
    except Unavailable as reason:
        raise Skip(str(reason)) from None
    core, loaded = (figure.value for figure in report.figures)
    assert 0 < loaded < core <= CORE_BYTES


def test_station_over_tcp_loads_neither_serial_links_nor_old_layouts():
    loaded = path._loaded()
    assert "toolcart.agent.outlets.toolsnet.forward" in loaded and "toolcart.agent.link.stream" in loaded
    assert not [name for name in loaded if name.endswith(("r3964", "serial_ascii", "layouts", "status"))]
    assert {"toolcart.agent.cart.app", "toolcart.agent.cart.area", "toolcart.agent.cart.assembly"} <= loaded


def test_the_core_imports_no_category_and_no_names():
    source = "import sys; from toolcart.agent import catalogue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("toolcart.agent.catalogue.")}
    assert not loaded & {"tightening", "session", "pids", "units", "meanings", "compiled", "nexo"}


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
        and "  toolcart/board/rp2/board.mpy" in figures
        and "  toolcart/board/esp32/board.mpy" not in figures
    )
    alone, whole = (
        figures[f"heap after import of {what}, unix32"] for what in ("toolcart.agent.cart.app", "a whole ESP32")
    )
    assert 0 < alone < whole < plan.COPIED_HEAP_BYTES, "what `toolcart flash` tells a board that is too small"


@pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="a part of the long run: ./tools/test --long")
def test_board_with_the_core_frozen_sends_0001_soon_after_its_first_line():
    need_rp2040()
    marks = board_time.marks()
    assert [number for number, _ in board_time.STAGES] + [board_time.SENT] == list(marks)
    moments = [mark.ms for mark in marks.values()]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] < FROZEN_MS
    # Erases take a chip 45 ms each: a start may do one for the block it opens, and writes its state by programs alone.
    assert marks[board_time.SENT].erases <= 2
