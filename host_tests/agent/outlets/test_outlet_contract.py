"""What toolcart.agent.outlets promises of an outlet, asked of each: ToolsNet, MQTT, files, webhooks of both kinds."""

import inspect
import json
import re

import pytest

from toolcart.agent import outlets
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.linux.file import FileOutlet
from toolcart.agent.log.snapshot_fields import CURSOR
from host_tests.support.mqtt import BROKER, MqttBench
from host_tests.support.toolsnet import Outlet, SecondOutlet
from host_tests.support.webhook import WebhookBench
from lab.harness.cart import SimLines

METHODS = {
    "begin": ["now"],
    "step": ["now"],
    "reset_after_fault": ["now"],
    "connect_now": ["now"],
    "stop": [],
    "is_up": [],
}
METHODS |= {
    "attach": ["scheduler", "slot"],
    "put_state": ["report"],
    "needs_operator": [],
    "begin_shutdown": ["now"],
    "may_stop": ["now"],
}
FIELDS = {"kind": str, "index": int, "attempts": int, "longest_ms": int}


class FileBench(SecondOutlet):
    """A file in memory."""

    def __init__(self, durable):
        self.lines = SimLines()
        self.durable = durable
        self.port = None
        super().__init__()

    def make_outlet(self):
        return FileOutlet(self.log, 1, self.lines, self.counters)

    def ids(self):
        return [int(json.loads(line)["tightening_id"]) for line in self.lines.lines()]

    def refuse(self, refuses):
        self.lines.refuses = ("open", "add", "sync") if refuses else ()

    def cut(self):
        self.lines.cut(7)
        self.start()


SIDES = {
    "mqtt": lambda: MqttBench(wide=True),
    "mqtt of a board": MqttBench,
    "mqtt, best-effort": lambda: MqttBench(wide=True, durable=False),
    "mqtt, confirmed by the broker": lambda: MqttBench(wide=True, confirm="broker"),
    "toolsnet": Outlet,
    "durable file": lambda: FileBench(True),
    "best-effort file": lambda: FileBench(False),
    "durable webhook": lambda: WebhookBench(True),
    "best-effort webhook": lambda: WebhookBench(False),
}


@pytest.fixture(params=SIDES)
def side(request):
    return SIDES[request.param]()


def test_it_has_what_the_contract_names(side):
    outlet = side.forward
    for name, kind in FIELDS.items():
        assert type(getattr(outlet, name)) is kind, name
    assert hasattr(outlet, "port")
    for name, arguments in METHODS.items():
        assert list(inspect.signature(getattr(outlet, name)).parameters) == arguments, name
    text = inspect.getdoc(outlets)
    for name in (*FIELDS, "port", *METHODS):
        assert re.search(rf"^ +{name}\b|; `{name}`", text, re.M), f"{name} is not in the contract"


def test_records_arrive_in_order_and_cursor_moves_when_other_side_has_them(side):
    ids = side.store(40)
    cursor = side.log.cursors[side.forward.index]
    assert cursor.number == 0
    for _ in range(300):
        side.run(100)
        assert cursor.number <= len(side.ids())
    assert side.ids() == ids and waits(side) == 0
    assert side.forward.is_up()


def test_idle_outlet_asks_for_no_turn_before_its_next_deadline(side):
    side.store(3)
    side.run(60000)
    assert side.forward.step(side.clock.now) > 1000


def test_what_takes_nothing_is_tried_again_in_bounded_pauses_counted_and_shown(side):
    outlet = side.forward
    side.refuse(True)
    ids = side.store(5)
    before = outlet.attempts
    side.run(10 * outlet.longest_ms)
    assert 8 <= outlet.attempts - before, "its longest pause is longer than it says"
    assert not outlet.is_up() and side.ids() == []
    status = side.status()
    assert status["state"] and isinstance(status["state"], str)
    json.dumps(status)
    assert waits(side) == 5
    side.refuse(False)
    outlet.connect_now(side.clock.now)
    side.run(2 * outlet.longest_ms)
    assert side.ids() == ids and outlet.is_up()


def test_after_the_orderly_end_it_does_nothing_and_start_brings_nothing_twice(side):
    ids = side.store(6)
    side.run(60000)
    outlet = side.forward
    outlet.stop()
    assert outlet.step(side.clock.now) == FOREVER and not outlet.is_up()
    cursor = side.log.cursors[outlet.index]
    assert side.state.durable[CURSOR + outlet.index] == cursor.number == 6
    side.cut()
    side.run(180000)
    assert side.ids() == ids


def test_after_a_cut_or_a_fault_it_goes_on_with_everything_once(side):
    ids = side.store(10)
    side.run(30)
    side.cut()
    ids += side.store(4)
    side.run(180000)
    side.forward.reset_after_fault(side.clock.now)
    ids += side.store(4)
    side.run(180000)
    assert side.ids() == ids


def test_a_step_that_cannot_read_the_flash_comes_back_and_loses_nothing(side):
    ids = side.store(4)
    log = side.log
    side.run(60000)
    ids += side.store(4)
    log.staging.staged_log = None
    flash = log.device
    log.device = Unreadable(flash)
    side.run(5000)
    log.device = flash
    side.run(120000)
    assert side.ids() == ids


def waits(side):
    return side.log.backlog_of(side.log.cursors[side.forward.index])


class Unreadable:
    """A flash device that answers no read."""

    def __init__(self, device):
        self._device = device

    def __getattr__(self, name):
        return getattr(self._device, name)

    def read_into(self, address, buf, n):
        return -2


def test_mqtt_reports_what_its_port_knows_with_the_number():
    """As the others do: an expired certificate and an alert of TLS are told by it alone."""
    bench = MqttBench(wide=True)
    bench.run(1000)
    bench.port.why_code = 10
    bench.network.cut(*BROKER)
    bench.run(100)
    status = bench.status()
    assert "why" not in status and status["why_code"] == 10
    bench.run(5000)
    status = bench.status()
    assert status["why"] == "" and "why_code" not in status
