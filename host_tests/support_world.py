"""A cart without ToolsNet, over a flash that can refuse and be read: what a controller's results have become.

cart = Cart(seed=3, controller={"nul": "late"}).ready()
cart.controller.produce(); cart.settle(); assert cart.stored_ids() == [1]
"""

import agent.app  # noqa: F401 - first: imports nest, and from deeper down a small stack would not do

# isort: split
from agent.base.words import get_u32
from agent.openprotocol import questions as qs
from agent.openprotocol import states as st
from agent.record.result import BODY_BYTES, FLAG_COPY, HEAD_BYTES, TIGHTENING_ID, TIME, TIME_BYTES
from agent.spool import record as rec
from agent.log.flash import FLASH_DONE, FLASH_IO, RamFlash
from agent.spool.walk import Walk
from tools.sim import cart as whole
from tools.sim.cart import CONTROLLER, PARKED_BLOCKS

PORTABLE = True

PAYLOAD_MAX = 3700


class WatchedFlash(RamFlash):
    """A flash in RAM that can refuse, and notes in `journal` what was programmed."""

    __slots__ = ("code", "journal", "left", "unreadable")

    def __init__(self, block_count=64, block_bytes=4096, unit_bytes=256):
        super().__init__(block_count, block_bytes, unit_bytes)
        self.code = FLASH_DONE  # what program and erase answer once `left` of them were done
        self.left = 0
        self.journal = None
        self.unreadable = ()  # blocks

    def read_into(self, address, buf, n):
        if self.unreadable and address // self.block_bytes in self.unreadable:
            return FLASH_IO
        buf[0:n] = self.cells[address : address + n]
        return FLASH_DONE

    def program(self, address, buf, n):
        if self.code != FLASH_DONE:
            if self.left == 0:
                return self.code
            self.left -= 1
        self.cells[address : address + n] = buf[:n]
        if self.journal is not None:
            self.journal.append(("program", bytes(buf[:n])))
        return FLASH_DONE

    def erase(self, block):
        return self.code if self.code != FLASH_DONE and self.left == 0 else super().erase(block)


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
        whole.Cart.__init__(self, toolsnet=toolsnet, blocks=blocks, make_flash=WatchedFlash, on=False, **settings)
        self.device = self.flashes["spool0"]
        self.line = self.network.line(CONTROLLER[0], CONTROLLER[1])
        if on:
            self.boot()

    # Time

    def is_ready(self):
        return self.station.session.state == st.READY

    def ready(self):
        """Let time pass until the subscription stands; return self."""
        self.until(self.is_ready)
        return self

    def is_quiet(self):
        """True when nothing is open: all that was pushed is acknowledged, nothing missing."""
        station = self.station
        recovery = station.recovery
        if not self.is_ready() or recovery.known.gaps.total() or recovery.phase not in (qs.PHASE_IDLE, qs.PHASE_OFF):
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

    # What lies on the flash

    def records(self):
        """Return (kind, flags, payload) of every sound record, oldest first."""
        found = []
        walk = Walk(self.device, PAYLOAD_MAX, None)
        for block in range(PARKED_BLOCKS, self.device.block_count):
            walk.begin(block, 0, 0)
            while walk.next() > 0:
                found.append((walk.seq, walk.kind, walk.flags, bytes(walk.page[8 : 8 + walk.length])))
        found.sort()
        return [(kind, flags, payload) for _, kind, flags, payload in found]

    def stored(self):
        """Return the payload of every result of the log once, by its number."""
        found = {}
        for kind, flags, payload in self.records():
            if kind == rec.KIND_RESULT:
                number = get_u32(payload, 0)
                assert number not in found or (flags & FLAG_COPY and found[number] == payload)
                found[number] = payload
        return [found[number] for number in sorted(found)]

    def raw(self):
        """Return the frames of every raw record once."""
        found = {}
        for kind, _, payload in self.records():
            if kind == rec.KIND_RAW:
                found[get_u32(payload, 0)] = payload[HEAD_BYTES:]
        return [found[number] for number in sorted(found)]

    def stored_ids(self):
        return [id_of(payload) for payload in self.stored()]

    def gaps(self):
        """Return (first, last) of every record of IDs that cannot be had."""
        return [
            (int(payload[4:14]), int(payload[14:24])) for kind, _, payload in self.records() if kind == rec.KIND_GAP
        ]


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
