"""Curves in the file of lines: whole, once, each behind its result, over cuts and files that refuse."""

import json
from pathlib import Path

import pytest

from toolcart.agent.base.health import Health
from toolcart.agent.log.cursor import WANTS_GRAPHS
from toolcart.agent.log.flash import Part
from toolcart.agent.log.log import Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.numbers import GRAPH_CURSOR, GRAPHS, LOG
from toolcart.agent.log.state import STATE_BLOCKS, State
from toolcart.agent.wide.controller_curves import Traces
from toolcart.agent.wide.file import FileOutlet
from toolcart.base.clock import SimClock
from toolcart.board.linux.lines import LineFile
from host_tests.support.graphs import STATION, Bench, Clock, samples_for
from host_tests.support.log import body_of
from lab.harness.cart import Cart
from lab.harness.flash import Nor
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
        Bench.__init__(self, flash or Nor(64, 4096, 16), graphs=12, wanting=(1,))

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


@pytest.mark.parametrize(
    "refused",
    [
        "add",
    ],
)
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
