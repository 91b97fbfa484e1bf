"""A cart without ToolsNet, over a flash that can refuse and be read: what a controller's results have become.

cart = Cart(seed=3, controller={"nul": "late"}).ready()
cart.produce(); cart.settle(); assert cart.stored_ids() == [1]
"""

import toolcart.agent.cart.app  # noqa: F401 - first: imports nest, and from deeper down a small stack would not do

# isort: split
from toolcart.agent.log.snapshot_fields import STORED_AGAIN
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record import KIND_EVENT, KIND_RAW, KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import BODY_BYTES, HEAD_BYTES, TIGHTENING_ID, TIME, TIME_BYTES
from host_tests.support.log import Area, held
from lab.harness import cart as whole
from lab.harness.cart import CONTROLLER
from lab.harness.flash import Nor

PORTABLE = True

AT_REST = (phases.PHASE_IDLE, phases.PHASE_OFF, phases.PHASE_CLOSED)  # closed: this controller is asked in no such way


class Board(whole.Board):
    """Notes in the flash's journal what was said."""

    def tcp(self):
        port = self.cart.network.port()
        carry = port.write
        device = self.cart.device

        def write(buf, start, n):
            taken = carry(buf, start, n)
            if taken > 0 and device.journal is not None:
                device.journal.append(("said", bytes(buf[start : start + taken])))
            return taken

        port.write = write
        return port


class Cart(whole.Cart):
    """One station; there is no ToolsNet unless its options are given."""

    make_board = Board

    def __init__(self, toolsnet=None, blocks=64, **settings):
        on = settings.pop("on", True)
        whole.Cart.__init__(self, toolsnet=toolsnet, blocks=blocks, make_flash=Nor, on=False, **settings)
        self.device = self.flashes["spool0"]
        self.line = self.network.line(CONTROLLER[0], CONTROLLER[1])
        if on:
            self.boot()

    # Time

    def is_ready(self):
        return self.station.session.state == session_states.READY

    def ready(self):
        """Let time pass until the subscription stands; return self."""
        self.until(self.is_ready)
        return self

    def is_quiet(self):
        """True when nothing is open: all that was pushed is acknowledged, nothing missing."""
        station = self.station
        recovery = station.recovery
        if not self.is_ready() or missing_most(recovery.ledger) or recovery.phase not in AT_REST:
            return False
        if not station.session.can_fetch():
            return False
        for session in self.controller.sessions:
            if session.unsent or session.waiting or session.owed:
                return False
        return True

    def settle(self, limit_ms=600000):
        """Let time pass until nothing is open any more; return self."""
        self.until(self.is_quiet, limit_ms)
        self.run(200)
        return self

    def drop(self):
        """The controller ends the connection."""
        self.controller.drop()
        self.run(100)
        assert not self.is_ready()

    def outages(self, count=4, live=3, missed=1):
        """Live through so many outages: before each `live` results come, during it `missed` are made; return self."""
        self.until_ready(2000)
        self.settle()
        for _ in range(count):
            self.produce(live, 1300)
            self.settle()
            self.miss(missed, 1300)
            self.settle()
        return self

    # What lies on the flash

    def stored_again(self):
        """Return how many results were stored again at most, as the state has it."""
        return self.station.log.state.numbers[STORED_AGAIN]

    def records(self):
        """Return (number, kind, flags, payload) of what a start on a copy of the flash would find, oldest first."""
        state = self.station.state
        area = Area(kept_blocks=state.kept_blocks(), graph_blocks=state.graph_blocks(), flash=self.device.clone())
        log = area.mount(payload_most=self.station.log.payload_most())[1]
        assert log.settle()
        return held(log)

    def stored(self):
        """Return the payload of every result of the log."""
        return [payload for _, kind, _, payload in self.records() if kind == KIND_RESULT]

    def raw(self):
        """Return the frames of every raw record."""
        return [payload[HEAD_BYTES:] for _, kind, _, payload in self.records() if kind == KIND_RAW]

    def stored_ids(self):
        return [id_of(payload) for payload in self.stored()]

    def gone(self):
        """Return (first, last) of every event of IDs that the controller has no more; None where it does not say."""
        spans = []
        for _, kind, _, payload in self.records():
            if kind == KIND_EVENT and payload[ev.WHAT] == ev.GONE:
                text = payload[ev.TEXT :]
                places = (ev.GONE_FIRST, ev.GONE_LAST)
                spans.append(tuple([int(text[at : at + 10]) if text[at : at + 10].strip() else None for at in places]))
        return spans


def id_of(payload):
    text = payload[HEAD_BYTES + TIGHTENING_ID : HEAD_BYTES + TIGHTENING_ID + 10]
    return int(text) if text.strip() else None


def key_of(payload):
    """Return what tells one tightening from all others: ID and time."""
    at = HEAD_BYTES + TIME
    return id_of(payload), bytes(payload[at : at + TIME_BYTES])


def body_of(payload):
    return payload[HEAD_BYTES : HEAD_BYTES + BODY_BYTES]


def packed_time(text):
    digits = "".join([c for c in text if c.isdigit()])
    return bytes([int(digits[i]) << 4 | int(digits[i + 1]) for i in range(0, 14, 2)])
