"""The benchmark of the path takes every figure the design asks for, says which were met, and why one is missing."""

import json
import os

import pytest

from toolcart.agent.openprotocol.light import read_light
from toolcart.agent.record.result import BODY_BYTES
from toolcart.base.cache import Unavailable
from toolcart.base.report import Figure, Report, table
from host_tests.portable import Skip
from lab import runtimes
from lab.bench import path
from lab.harness import quiet

KEYS = {"name", "value", "unit", "target", "met", "how"}
# What it is today and a little more, so that growth is noticed. The targets stand in the benchmark.
CORE_BYTES = 244 * 1024
HEAP_BYTES = 252 * 1024  # with script and peers, code in the heap


def test_figure_is_met_by_its_target_and_not_without_a_value():
    assert Figure("a", 5, "bytes", "<= 5").met and not Figure("a", 6, "bytes", "<= 5").met
    assert Figure("a", 98.0, "%", ">= 98").met and not Figure("a", 97.9, "%", ">= 98").met
    assert Figure("a", 1, "s").met
    assert not Figure("a", None, "s").met and not Figure("a", None, "s", "<= 5").met


def test_report_is_the_same_as_data_and_as_a_table():
    report = Report(machine={"processor": "P", "cores": 2, "system": "S", "python": "3.11"})
    report.add("heap", 61184, "bytes", "<= 65536", "halving")
    report.add("size", 50000, "bytes", "<= 40960")
    report.add("ratio", 2.125, "x")
    report.add("other", None, "ns", "", "no such interpreter")
    found = json.loads(json.dumps(report.as_dict()))
    assert [set(figure) for figure in found["figures"]] == [KEYS] * 4
    assert [figure["met"] for figure in found["figures"]] == [True, False, True, False]
    lines = table(found).splitlines()
    assert lines[0].split() == ["heap", "61,184", "bytes", "<=", "65536", "met", "halving"]
    assert "MISSED" in lines[1] and "2.12 x" in lines[2] and lines[3].endswith("not taken  no such interpreter")
    assert lines[4] == "on P, 2 cores, S, Python 3.11"


def test_empty_report_has_a_table_too():
    assert table(Report().as_dict()).startswith("on ")


def test_plain_parser_writes_the_same_body():
    buf = bytearray(quiet.QuietController().result)
    ours, theirs = bytearray(BODY_BYTES), bytearray(BODY_BYTES)
    read_light(ours, 0, buf, 0, 121)
    path.plain_read(theirs, 0, buf, 0, 121)
    assert ours == theirs


def test_least_heap_is_found_to_the_step(monkeypatch):
    for least in (256, 4096, 40000, path.HEAP_MOST_BYTES):
        asked = []

        def runs_in(runtime, tree, source, heap_bytes, least=least, asked=asked):
            asked.append(heap_bytes)
            return 7 if heap_bytes >= least else None

        monkeypatch.setattr(path, "runs_in", runs_in)
        found, beside = path.least_heap(None, None, "")
        assert beside == 7
        assert least <= found < least + path.HEAP_STEP_BYTES
        assert len(asked) <= 12
    monkeypatch.setattr(path, "runs_in", lambda *_: None)
    assert path.least_heap(None, None, "") == (None, 0)


@pytest.mark.skipif(os.environ.get("TOOLCART_LONG") != "1", reason="a part of the long run: ./tools/test --long")
def test_every_figure_is_taken_and_progress_ends_at_one(monkeypatch):
    monkeypatch.setattr(path, "RESULTS", 60)
    monkeypatch.setattr(path, "PARSE_ROUNDS", 50)
    monkeypatch.setattr(path, "HEAP_STEP_BYTES", 32768)
    shares = []
    report = path.run(shares.append)
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert [set(figure) for figure in report["figures"]] == [KEYS] * 17
    assert set(report["machine"]) == {"processor", "cores", "system", "python"}
    missing = {figure["name"]: figure["how"] for figure in report["figures"] if figure["value"] is None}
    for name in ("unix32", "unix64", "wasm32"):
        if runtimes.named(name).available()[0]:
            missing = {figure: how for figure, how in missing.items() if name not in figure}
    if runtimes.named("unix32").available()[0]:
        assert not any("heap" in name for name in missing), missing
    assert "core as .mpy" not in missing, missing


def test_interpreter_that_is_not_to_be_had_is_named(monkeypatch):
    monkeypatch.setattr(path, "_machine", lambda name: (None, f"no {name} here"))
    report = Report(machine={})
    path._allocation(report, "wasm32")
    path._speed(report, "unix64")
    assert [figure.value for figure in report.figures] == [None, None, None]
    assert [figure.how for figure in report.figures] == ["no wasm32 here", "no wasm32 here", "no unix64 here"]


@pytest.fixture(scope="module")
def board_tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    try:
        path.board_tree(folder)
    except Unavailable as reason:
        raise Skip(str(reason))
    return folder


def test_compiled_core_does_not_grow_unnoticed(board_tree):
    files = list((board_tree / "toolcart" / "agent").rglob("*.mpy"))
    assert 0 < sum(file.stat().st_size for file in files) <= CORE_BYTES


def test_heap_of_the_whole_agent_with_a_backlog_does_not_grow_unnoticed(board_tree, micropython32):
    assert path.runs_in(micropython32.runtime, board_tree, path.HEAP_RUN, HEAP_BYTES) is not None


def test_heap_too_small_is_told_from_one_that_will_do(board_tree, micropython32):
    assert path.runs_in(micropython32.runtime, board_tree, path.HEAP_RUN, 16384) is None


def test_station_over_tcp_loads_neither_serial_links_nor_old_layouts():
    loaded = path._loaded()
    assert "toolcart.agent.outlets.toolsnet.forward" in loaded and "toolcart.agent.link.stream" in loaded
    assert not [name for name in loaded if name.endswith(("r3964", "serial_ascii", "layouts", "status"))]
    assert {"toolcart.agent.cart.app", "toolcart.agent.cart.area", "toolcart.agent.cart.assembly"} <= loaded
