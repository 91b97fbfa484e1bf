"""The benchmarks' report, and what the path's benchmark knows of the core's size and of what a station loads."""

import json

from toolcart.base.cache import Unavailable
from toolcart.base.report import Figure, Report, table
from host_tests.portable import Skip
from lab.bench import path

# What it is today and a little more, so that growth is noticed.
CORE_BYTES = 244 * 1024


def test_figure_is_met_by_its_target_and_not_without_a_value():
    assert Figure("a", 5, "bytes", "<= 5").met and not Figure("a", 6, "bytes", "<= 5").met
    assert Figure("a", 98.0, "%", ">= 98").met and not Figure("a", 97.9, "%", ">= 98").met
    assert Figure("a", 1, "s").met
    assert not Figure("a", None, "s").met and not Figure("a", None, "s", "<= 5").met


def test_report_is_the_same_as_data_and_as_a_table():
    report = Report(machine={"processor": "P", "cores": 2, "system": "S", "python": "3.11"})
    report.add("heap", 61184, "bytes", "<= 65536", "halving")
    report.add("size", 50000, "bytes", "<= 40960")
    report.add("other", None, "ns", "", "no such interpreter")
    found = json.loads(json.dumps(report.as_dict()))
    assert [figure["met"] for figure in found["figures"]] == [True, False, False]
    lines = table(found).splitlines()
    assert lines[0].split() == ["heap", "61,184", "bytes", "<=", "65536", "met", "halving"]
    assert "MISSED" in lines[1] and lines[2].endswith("not taken  no such interpreter")
    assert lines[3] == "on P, 2 cores, S, Python 3.11"


def test_interpreter_that_is_not_to_be_had_is_named(monkeypatch):
    monkeypatch.setattr(path, "_machine", lambda name: (None, f"no {name} here"))
    report = Report(machine={})
    path._allocation(report, "wasm32")
    path._speed(report, "unix64")
    assert [figure.value for figure in report.figures] == [None, None, None]
    assert [figure.how for figure in report.figures] == ["no wasm32 here", "no wasm32 here", "no unix64 here"]


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
