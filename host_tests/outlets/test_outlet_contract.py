"""What agent.outlets promises of every outlet, asked of each: ToolsNet, MQTT, files and webhooks of both kinds."""

import inspect
import json
import re

import pytest

from toolcart.agent import outlets
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.log.numbers import CURSOR
from toolcart.agent.wide.file import FileOutlet
from toolcart.base.clock import SimClock
from host_tests.support.mqtt import BROKER, MqttBench
from host_tests.support.toolsnet import PIM, SERVER
from host_tests.support.toolsnet import Outlet as Bench
from host_tests.support.webhook import PLACE, Server, webhook_of
from lab.harness.cart import SimLines

METHODS = {"begin": ["now"], "step": ["now"], "recover": ["now"], "hurry": ["now"], "stop": [], "is_up": []}
METHODS |= {"attach": ["scheduler", "slot"], "put_state": ["shown"], "holds": [], "leave": ["now"], "has_left": ["now"]}
FIELDS = {"kind": str, "index": int, "attempts": int, "longest_ms": int}


class ToolsNetSide:
    """ToolsNet and its simulated server."""

    def __init__(self):
        self.bench = Bench()
        self.run = self.bench.run
        self.has = self.bench.ids

    def outlet(self):
        return self.bench.forward

    def refuse(self, refuses):
        for place in (PIM, SERVER):
            (self.bench.network.down if refuses else self.bench.network.up)(*place)

    def cut(self):
        self.bench.cut()


class FileSide:
    """A file in memory; the flash is the bench's, and ToolsNet takes nothing and keeps nothing."""

    def __init__(self, durable):
        self.bench = Bench()
        self.lines = SimLines()
        self.durable = durable
        self._start()

    def _start(self):
        best_effort = () if self.durable else (1,)
        self.bench.state, self.bench.log = self.bench.area.mount(best_effort, events=(1,), cursors=2)
        self._outlet = FileOutlet(self.bench.log, 1, self.lines, self.bench.health)
        self._outlet.begin(self.bench.clock.now)

    def outlet(self):
        return self._outlet

    def run(self, ms):
        clock: SimClock = self.bench.clock
        while ms > 0:
            left = min(max(self._outlet.step(clock.now), 1), ms)
            clock.advance(left)
            ms -= left

    def has(self):
        return [int(json.loads(line)["tightening_id"]) for line in self.lines.lines()]

    def refuse(self, refuses):
        self.lines.refuses = ("open", "add", "sync") if refuses else ()

    def cut(self):
        self.lines.cut(7)
        self._start()


class MqttSide:
    """A broker, and a consumer behind it; with `confirm` broker it passes over what comes twice."""

    def __init__(self, **settings):
        self.bench = MqttBench(**settings)
        self.run = self.bench.run
        self.has = self.bench.ids
        self.cut = self.bench.cut

    def outlet(self):
        return self.bench.forward

    def refuse(self, refuses):
        (self.bench.network.down if refuses else self.bench.network.up)(*BROKER)


class WebhookSide:
    """A simulated HTTP server; the flash and the network are the bench's."""

    def __init__(self, durable):
        self.bench = Bench()
        self.server = Server()
        self.bench.network.listen(*PLACE, self.server.endpoint)
        self.durable = durable
        self._port = None
        self._start()

    def _start(self):
        best_effort = () if self.durable else (1,)
        bench = self.bench
        bench.state, bench.log = bench.area.mount(best_effort, events=(1,), cursors=2)
        self._port = bench.network.port()
        self._outlet = webhook_of(bench.log, 1, self._port, bench.health)
        self._outlet.begin(bench.clock.now)

    def outlet(self):
        return self._outlet

    def run(self, ms):
        clock, network = self.bench.clock, self.bench.network
        while ms > 0:
            left = self._outlet.step(clock.now)
            network.step()
            if network.readable():
                left = 0
            left = min(max(left, 1), ms, max(1, network.next_due()))
            clock.advance(left)
            network.step()
            ms -= left

    def has(self):
        return self.server.ids()

    def refuse(self, refuses):
        (self.bench.network.down if refuses else self.bench.network.up)(*PLACE)

    def cut(self):
        self.bench.network.abandon(self._port)
        self._start()


SIDES = {
    "mqtt": lambda: MqttSide(wide=True),
    "mqtt of a board": MqttSide,
    "mqtt, best-effort": lambda: MqttSide(wide=True, durable=False),
    "mqtt, confirmed by the broker": lambda: MqttSide(wide=True, confirm="broker"),
    "toolsnet": ToolsNetSide,
    "durable file": lambda: FileSide(True),
    "best-effort file": lambda: FileSide(False),
    "durable webhook": lambda: WebhookSide(True),
    "best-effort webhook": lambda: WebhookSide(False),
}


@pytest.fixture(params=SIDES)
def side(request):
    return SIDES[request.param]()


def test_it_has_what_the_contract_names(side):
    outlet = side.outlet()
    for name, kind in FIELDS.items():
        assert type(getattr(outlet, name)) is kind, name
    assert hasattr(outlet, "port")
    for name, arguments in METHODS.items():
        assert list(inspect.signature(getattr(outlet, name)).parameters) == arguments, name
    said = inspect.getdoc(outlets)
    for name in (*FIELDS, "port", *METHODS):
        assert re.search(rf"^ +{name}\b|; `{name}`", said, re.M), f"{name} is not in the contract"


def test_records_arrive_in_order_and_cursor_moves_when_other_side_has_them(side):
    ids = side.bench.store(40)
    cursor = side.bench.log.cursors[side.outlet().index]
    assert cursor.number == 0
    for _ in range(300):
        side.run(100)
        assert cursor.number <= len(side.has())
    assert side.has() == ids and waits(side) == 0
    assert side.outlet().is_up()


def test_idle_outlet_asks_for_no_turn_before_its_next_deadline(side):
    side.bench.store(3)
    side.run(60000)
    assert side.outlet().step(side.bench.clock.now) > 1000


def test_what_takes_nothing_is_tried_again_in_bounded_pauses_counted_and_shown(side):
    outlet = side.outlet()
    side.refuse(True)
    ids = side.bench.store(5)
    before = outlet.attempts
    side.run(10 * outlet.longest_ms)
    assert 8 <= outlet.attempts - before, "its longest pause is longer than it says"
    assert not outlet.is_up() and side.has() == []
    shown = {}
    outlet.put_state(shown)
    assert shown["state"] and isinstance(shown["state"], str)
    json.dumps(shown)
    assert waits(side) == 5
    side.refuse(False)
    outlet.hurry(side.bench.clock.now)
    side.run(2 * outlet.longest_ms)
    assert side.has() == ids and outlet.is_up()


def test_after_the_orderly_end_it_does_nothing_and_start_brings_nothing_twice(side):
    ids = side.bench.store(6)
    side.run(60000)
    outlet = side.outlet()
    outlet.stop()
    assert outlet.step(side.bench.clock.now) == FOREVER and not outlet.is_up()
    cursor = side.bench.log.cursors[outlet.index]
    assert side.bench.state.durable[CURSOR + outlet.index] == cursor.number == 6
    side.cut()
    side.run(180000)
    assert side.has() == ids


def test_after_a_cut_or_a_fault_it_goes_on_with_everything_once(side):
    ids = side.bench.store(10)
    side.run(30)
    side.cut()
    ids += side.bench.store(4)
    side.run(180000)
    side.outlet().recover(side.bench.clock.now)
    ids += side.bench.store(4)
    side.run(180000)
    assert side.has() == ids


def test_a_step_that_cannot_read_the_flash_comes_back_and_loses_nothing(side):
    ids = side.bench.store(4)
    log = side.bench.log
    side.run(60000)
    ids += side.bench.store(4)
    log.desk.fresh = None
    flash = log.device
    log.device = Unreadable(flash)
    side.run(5000)
    log.device = flash
    side.run(120000)
    assert side.has() == ids


def waits(side):
    return side.bench.log.waits(side.bench.log.cursors[side.outlet().index])


class Unreadable:
    """A flash device that answers no read."""

    def __init__(self, device):
        self._device = device

    def __getattr__(self, name):
        return getattr(self._device, name)

    def read_into(self, address, buf, n):
        return -2
