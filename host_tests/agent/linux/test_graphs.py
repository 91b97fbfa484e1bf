"""Curves in the file of lines: whole, once, each behind its result, over cuts; nothing waits."""

import json
from pathlib import Path

import pytest

from toolcart.agent.base.counters import Counters
from toolcart.agent.linux.file import FileOutlet
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.base.clock import SimClock
from toolcart.board.linux.lines import LineFile
from host_tests.support.graphs import Bench, cart_with_curves, samples_for
from lab.harness.cart import SimLines

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "outlets.schema.json"


def kinds_and_ids(lines):
    """(type or curve, tightening ID) of each line."""
    pairs = []
    for line in lines:
        one = json.loads(line)
        pairs.append((one.get("curve") or one["type"], int(one["tightening_id"])))
    return pairs


class Side(Bench):
    """A log, a ring of graphs and a file."""

    best_effort = (0,)  # nothing waits for ToolsNet
    cursors = 2
    wanting = 1

    def __init__(self, lines):
        self.lines = lines
        self.clock = SimClock()
        Bench.__init__(self, 67, graphs=12)

    def start(self):
        Bench.start(self)
        self.outlet = FileOutlet(self.main, 1, self.lines, Counters())
        self.outlet.take_graphs(self.log)
        self.outlet.begin(self.clock.now)

    def run(self, ms=5000):
        while ms > 0:
            left = min(max(self.outlet.step(self.clock.now), 1), ms)
            self.clock.advance(left)
            ms -= left


def test_every_line_is_of_the_schema():
    from jsonschema import Draft202012Validator  # it takes two seconds, which each worker would wait for

    cart = cart_with_curves(files=({"path": "lines", "graphs": True},))
    cart.produce(1, 2000)
    schema = json.loads(SCHEMA.read_text())
    for line in cart.lines["lines"].lines():
        one = json.loads(line)
        Draft202012Validator(schema).validate(one)
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
    pairs = kinds_and_ids(lines.lines())
    assert pairs == [(what, ident) for ident in range(1, made + 1) for what in ("result", "torque", "angle")]


def test_a_file_that_refuses_gets_every_line_once_when_it_takes_them():
    lines = SimLines()
    side = Side(lines)
    made = 0
    for turn in range(6):
        lines.refuses = ("add",) if turn & 1 else ()
        made += 1
        side.put_result(made)
        side.put_curve(made)
        side.run(3000)
    lines.refuses = ()
    side.run(120000)
    assert kinds_and_ids(lines.lines()) == [
        (what, ident) for ident in range(1, made + 1) for what in ("result", "torque")
    ]


def test_curve_that_cut_has_left_in_pieces_is_reported_as_cut_short():
    lines = SimLines()
    side = Side(lines)
    side.put_curve(1, count=700)
    side.flash.cells[(STATE_BLOCKS + side.area.kept_blocks) * 4096 + 64 + 2 * 512 + 40] ^= 1  # its third piece
    side.start()
    side.put_curve(2)
    side.run()
    first, second = [json.loads(line) for line in lines.lines()]
    assert first["cut_short"] and tuple(first["samples"]) == samples_for(1, 2, 700)[:454]
    assert not second["cut_short"] and first["announced"] == 700


def test_lines_are_read_backwards_however_long_and_into_the_full_file(tmp_path):
    file = LineFile(str(tmp_path / "lines"), 1 << 20, 1)
    assert file.open()
    result = b'{"schema":1,"type":"result","number":1}\n'
    graph = b'{"schema":1,"type":"graph","number":%d,"samples":[' + b"1," * 4000 + b"1]}\n"
    file.add(result)
    for number in range(5):
        file.add(graph % number)
    file.sync()
    assert list(file.backwards()) == [*[graph % number for number in (4, 3, 2, 1, 0)], result]
    file.rotate_bytes = 10
    file.add(result)
    assert list(file.backwards()) == [result, *[graph % number for number in (4, 3, 2, 1, 0)], result]
