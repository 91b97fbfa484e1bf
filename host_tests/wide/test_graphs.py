"""Curves in the file of lines: whole, once, each behind its result, over cuts and files that refuse."""

import json
from pathlib import Path

import pytest

from toolcart.agent.base import health as h
from toolcart.agent.base.health import Health
from toolcart.agent.log.cursor import WANTS_GRAPHS
from toolcart.agent.log.flash import Part
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.numbers import GRAPH_CURSOR, GRAPHS, LOG
from toolcart.agent.log.state import STATE_BLOCKS, State
from toolcart.agent.record import graph as gr
from toolcart.agent.wide.controller_curves import Traces
from toolcart.agent.wide.file import FileOutlet
from toolcart.base.clock import SimClock
from toolcart.board.linux_lines import LineFile
from host_tests.support.graphs import STATION, Bench, Clock, samples_for, trace_message
from host_tests.support.log import body_of
from lab.harness.cart import Cart
from lab.harness.flash import SimFlash
from lab.harness.lines import SimLines

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "outlets.schema.json"
TIME = "2024-03-14:09:26:53"


def cart_of(graphs=True, **file):
    files = (dict({"kind": "file", "path": "lines", "keep": 1, "graphs": graphs}, **file),)
    settings = {"controller": {"traces": ["torque", "angle"]}, "spool": {"graphs_kib": 64, "size_kib": 256}}
    cart = Cart(controller={"traces": (1, 2, 3), "max_clients": 9}, settings=settings, files=files, blocks=40)
    cart.run(3000)
    return cart


def told(lines):
    """(type or curve, tightening ID) of each line."""
    found = []
    for line in lines:
        one = json.loads(line)
        found.append((one.get("curve") or one["type"], int(one["tightening_id"])))
    return found


def expected(ids):
    return [(what, ident) for ident in ids for what in ("result", "torque", "angle", "plot parameters")]


class Side(Bench):
    """A log, a ring of graphs and a file."""

    def __init__(self, lines, flash=None, durable=True):
        self.lines = lines
        self.durable = durable
        self.clock = SimClock()
        Bench.__init__(self, flash or SimFlash(64, 4096, 16), graphs=12, wanting=(1,))

    def start(self):
        self.health = Health()
        front = STATE_BLOCKS + self.graph_blocks
        self.state = State(Part(self.flash, 0, STATE_BLOCKS))
        self.main = Log(Part(self.flash, front, self.flash.block_count - front), self.state, LOG, cursors=2)
        self.main.cursors[0].durable = False  # nothing waits for ToolsNet
        self.main.cursors[1].durable = self.durable
        part = Part(self.flash, STATE_BLOCKS, self.graph_blocks)
        self.log = Log(part, self.state, GRAPHS, cursors=2, cursor_slot=GRAPH_CURSOR, beside=self.main)
        for index in range(2):
            self.log.cursors[index].durable = False
            self.log.cursors[index].wants = WANTS_GRAPHS if index in self.wanting else 0
        assert mount(self.state, (self.main, self.log), 1) == MOUNT_DONE and self.main.settle()
        self.traces = Traces(self.log, self.main, self.health, Clock(), STATION)
        self.outlet = FileOutlet(self.main, 1, self.lines, Health())
        self.outlet.take_graphs(self.log)
        self.outlet.begin(self.clock.now)

    def run(self, ms=5000):
        while ms > 0:
            left = min(max(self.outlet.step(self.clock.now), 1), ms)
            self.clock.advance(left)
            ms -= left

    def put_result(self, ident):
        main = self.main
        body = body_of(ident)
        body[56:63] = b"\x20\x24\x03\x14\x09\x26\x53"
        main.stage[main.place : main.place + 114] = bytes((main.next, 0, 0, 0, 10, 0, 1, 0)) + body
        assert main.append(0xD2, 0, 114) == 0


def test_each_result_is_followed_by_its_curves():
    cart = cart_of()
    for _ in range(5):
        cart.controller.produce()
        cart.run(2000)
    lines = cart.lines["lines"].lines()
    assert told(lines) == expected(range(1, 6))
    torque = json.loads(lines[1])
    assert torque["result"] == 1 and torque["unit"] == "Nm" and torque["steps"] == [[400, 2]]
    assert max(torque["samples"]) * torque["numerator"] / torque["denominator"] >= 9
    assert json.loads(lines[3])["fields"][0] == [2002, "Nm", 0, "11.00"]


def test_a_file_that_wants_no_graphs_gets_none_and_keeps_none():
    cart = cart_of(graphs=False)
    for _ in range(3):
        cart.controller.produce()
        cart.run(2000)
    assert told(cart.lines["lines"].lines()) == [("result", ident) for ident in (1, 2, 3)]
    assert cart.station.graphs.number and cart.station.graphs.counts.missed == 0


def test_a_file_that_takes_nothing_keeps_no_curve_from_being_kept_and_no_result():
    cart = cart_of(durable=True)
    cart.lines["lines"].refuses = ("open", "add")
    for _ in range(60):
        cart.controller.produce()
        cart.run(1500)
    health = cart.station.health.counters
    assert health[h.TRACES] == 180 and health[h.TRACES_LOST] == 0 and cart.ids() == list(range(1, 61))
    assert cart.station.graphs.counts.missed > 0
    cart.lines["lines"].refuses = ()
    cart.run(200000)
    found = told(cart.lines["lines"].lines())
    assert [ident for what, ident in found if what == "result"] == list(range(1, 61))
    curves = [ident for what, ident in found if what == "torque"]
    assert 4 < len(curves) < 60 and curves == list(range(61 - len(curves), 61))


def test_every_line_is_of_the_schema():
    cart = cart_of()
    cart.controller.produce()
    cart.run(2000)
    schema = json.loads(SCHEMA.read_text())
    for line in cart.lines["lines"].lines():
        one = json.loads(line)
        name = {"graph": "graph", "plot parameters": "plot_parameters"}.get(one["type"], one["type"])
        form = schema["$defs"][name]
        assert list(one) == form["required"] == list(form["properties"]), one["type"]


def test_a_backlog_comes_out_in_the_order_of_its_results():
    lines = SimLines()
    side = Side(lines)
    for ident in range(1, 8):
        side.put_result(ident)
        side.put_curve(ident, 2)
        side.put_curve(ident, 1)
    side.put(trace_message(99, samples=samples_for(99), time="2001-01-01:00:00:00"))
    side.run()
    curves = [(what, ident) for ident in range(1, 8) for what in ("result", "torque", "angle")]
    assert told(lines.lines()) == [*curves, ("torque", 99)]


def test_curve_of_result_that_is_not_in_file_yet_waits_for_it():
    lines = SimLines()
    side = Side(lines)
    side.put_result(1)
    side.put_result(2)
    side.put_curve(2)
    graphs = side.outlet._graphs
    graphs.begin(b"")
    assert graphs.next(1, 2) is None and graphs.next(2, 2) is not None and graphs.next(0, 1) is not None


@pytest.mark.parametrize("seed", range(6))
def test_over_cuts_at_any_octet_every_line_is_there_once(seed):
    lines = SimLines()
    side = Side(lines)
    made = 0
    for turn in range(12):
        for _ in range(3):
            made += 1
            side.put_result(made)
            side.put_curve(made, 2)
            side.put_curve(made, 1)
        if turn % 3 != seed % 3:
            side.run(turn % 5 * 2)
        lines.cut((seed * 977 + turn * 331) % 4000)
        side.start()
    side.run(60000)
    found = told(lines.lines())
    assert found == [(what, ident) for ident in range(1, made + 1) for what in ("result", "torque", "angle")]


@pytest.mark.parametrize("refused", ["add", "sync", "open"])
def test_a_file_that_refuses_gets_every_line_once_when_it_takes_them(refused):
    lines = SimLines()
    side = Side(lines)
    made = 0
    for turn in range(6):
        lines.refuses = (refused,) if turn & 1 else ()
        made += 1
        side.put_result(made)
        side.put_curve(made)
        side.run(3000)
    lines.refuses = ()
    side.run(120000)
    assert told(lines.lines()) == [(what, ident) for ident in range(1, made + 1) for what in ("result", "torque")]


def test_curve_that_cut_has_left_in_pieces_is_told_as_cut_short():
    lines = SimLines()
    side = Side(lines)
    side.put_curve(1, count=700)
    side.flash.cells[STATE_BLOCKS * 4096 + 64 + 2 * 512 + 40] ^= 1  # its third piece
    side.start()
    side.put_curve(2)
    side.run()
    first, second = [json.loads(line) for line in lines.lines()]
    assert first["cut_short"] and tuple(first["samples"]) == samples_for(1, 2, 700)[:454]
    assert not second["cut_short"] and first["announced"] == 700


def test_pieces_whose_beginning_was_overwritten_are_passed_over_and_counted_as_missed():
    lines = SimLines()
    side = Side(lines)
    for ident in range(1, 60):
        side.put_curve(ident, count=700)
    side.run(60000)
    found = [json.loads(line) for line in lines.lines()]
    ids = [int(one["tightening_id"]) for one in found]
    assert ids == list(range(ids[0], 60)) and not [one for one in found if one["cut_short"]]
    assert side.log.counts.missed > 0


def test_the_last_line_of_each_kind_is_found_however_far_back(tmp_path):
    file = LineFile(str(tmp_path / "lines"), 1 << 20, 1)
    assert file.open()
    result = b'{"schema":1,"type":"result","number":1}\n'
    graph = b'{"schema":1,"type":"graph","number":%d,"samples":[' + b"1," * 4000 + b"1]}\n"
    file.add(result)
    for number in range(5):
        file.add(graph % number)
    file.sync()
    assert file.last_of(lambda line: b'"result"' in line) == result
    assert file.last_of(lambda line: b'"graph"' in line) == graph % 4
    assert file.last_of(lambda line: b'"event"' in line) == b""
    file.rotate_bytes = 10
    file.add(result)
    assert file.last_of(lambda line: b'"graph"' in line) == graph % 4, "in the file that became full"


def test_a_file_that_had_graphs_and_has_none_any_more_goes_on_where_it_was():
    lines = SimLines()
    side = Side(lines)
    for ident in range(1, 5):
        side.put_result(ident)
        side.put_curve(ident)
    side.run()
    outlet = FileOutlet(side.main, 1, lines, side.health)
    side.start()
    side.outlet = outlet = FileOutlet(side.main, 1, lines, side.health)
    outlet.begin(side.clock.now)
    side.run()
    assert [what for what, _ in told(lines.lines())].count("result") == 4
    assert side.health.counters[h.OUTLET_FAILED] == 0


def test_scales_and_limits_stand_in_the_line():
    lines = SimLines()
    side = Side(lines)
    side.put(trace_message(1, samples=(1, -2, 3), parameters=((2214, 90, 1, "00001.234e+2"),)))
    side.put(trace_message(2, 9, samples=(1, 2), parameters=()))
    side.run()
    first, second = [json.loads(line) for line in lines.lines()]
    assert first["numerator"] / first["denominator"] == 123.4 and first["samples"] == [1, -2, 3]
    assert (first["result"], first["result_time"], first["low"], first["odd"]) == (None, None, None, False)
    assert second["curve"] == "type 9" and second["odd"] and second["numerator"] == second["denominator"] == 1
    assert gr.PIECE_BYTES % 4 == 0
