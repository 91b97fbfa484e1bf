"""The Cortex-M3 of lab/firmware as a board: two serial lines in place of the network, memory in place of the flash.

Behind each line the PC has a bridge (lab/firmware/bridge.py) that opens TCP connections. On the line DLE (0x10) is
doubled; followed by a letter it is about the connection:

    board -> PC   O turn host SPACE number LF   open        C        close
    PC -> board   U turn   it is up                         L turn   it failed, was refused or was closed

`turn` is a digit that counts the connections, so that news of an earlier one is not taken for the present one's.

Rules
1. Line 1 is the first port that is asked for, line 2 the second: controller and ToolsNet of one station.
2. Input is taken off the lines in `wait`; a task is woken when a line has been silent for a moment, so that a message
   is read as a whole.
3. The flash survives a soft reset, but not the end of the machine.
"""

import time

import machine
import uctypes

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill
from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, PORT_OPENING

_UARTS = (0x40005000, 0x40006000)
_STATE = const(4)
_CONTROL = const(8)
_DIVISOR = const(16)
_TX_FULL = const(1)
_RX_FULL = const(2)
_DLE = const(0x10)
_OPEN = const(0x4F)
_CLOSE = const(0x43)
_UP = const(0x55)
_LOST = const(0x4C)

RX_BYTES = const(2048)
QUIET_POLLS = const(400)  # of an empty line: longer than the PC takes from one byte to the next
FLASH_ADDRESS = 0x21700000  # between the modules and the heap
FLASH_BYTES = 0x00100000
BLOCK_BYTES = const(4096)
UNIT_BYTES = const(256)
BOOT_STAMP = b"2024-03-14:09:26:53"


class Line:
    """One connection over one serial line (toolcart.agent.link.port)."""

    why = 0  # the bridge says that it is over, not why
    why_code = 0

    def __init__(self, base):
        self.base = base
        self.slot = -1
        self.rx = bytearray(RX_BYTES)
        self.count = 0
        self.news = False
        self._escaped = 0  # the last escape: DLE, U or L
        self._turn = 0x30
        self._state = PORT_CLOSED
        machine.mem32[base + _DIVISOR] = 16
        machine.mem32[base + _CONTROL] = 3

    def open(self, host, number):
        """Ask the bridge for a connection."""
        self.close()
        self._state = PORT_OPENING
        self._put(_DLE)
        self._put(_OPEN)
        self._turn = self._turn + 1 if self._turn < 0x39 else 0x30
        self._put(self._turn)
        for octet in ("%s %d\n" % (host, number)).encode():
            self._put(octet)

    def state(self):
        """Return PORT_CLOSED, PORT_OPENING or PORT_OPEN."""
        return self._state

    def readinto(self, buf, n):
        """Read up to n bytes into buf[0:]; 0 if there are none, PORT_LOST at the end."""
        count = self.count
        if count == 0:
            return 0 if self._state == PORT_OPEN else PORT_LOST
        if count > n:
            count = n
        copy(buf, 0, self.rx, 0, count)
        copy(self.rx, 0, self.rx, count, self.count - count)
        self.count -= count
        return count

    def write(self, buf, start, n):
        """Send buf[start:start+n]."""
        if self._state != PORT_OPEN:
            return PORT_LOST
        for at in range(start, start + n):
            if buf[at] == _DLE:
                self._put(_DLE)
            self._put(buf[at])
        return n

    def close(self):
        """Close at once; what the bridge still sends for this connection is dropped."""
        if self._state != PORT_CLOSED:
            self._put(_DLE)
            self._put(_CLOSE)
            self._state = PORT_CLOSED
        self.count = 0

    def pump(self):
        """Take in what the line has; True if there was anything."""
        mem = machine.mem32
        base = self.base
        took = False
        while mem[base + _STATE] & _RX_FULL and self.count < RX_BYTES:
            self._take(mem[base] & 0xFF)
            took = True
        return took

    def _take(self, octet):
        what = self._escaped
        if what == _DLE and octet != _DLE:
            self._escaped = octet
            return
        self._escaped = 0
        if what == _UP or what == _LOST:
            if octet == self._turn and self._state != PORT_CLOSED:
                self._state = PORT_OPEN if what == _UP else PORT_CLOSED
                self.news = True
            return
        if what == 0 and octet == _DLE:
            self._escaped = _DLE
            return
        if self._state == PORT_OPEN:
            self.rx[self.count] = octet
            self.count += 1
            self.news = True

    def _put(self, octet):
        mem = machine.mem32
        while mem[self.base + _STATE] & _TX_FULL:
            pass
        mem[self.base] = octet


class MemoryFlash:
    """A flash device in the machine's memory behind the modules (toolcart.agent.log.flash)."""

    def __init__(self):
        self.unit_bytes = UNIT_BYTES
        self.block_bytes = BLOCK_BYTES
        self.block_count = FLASH_BYTES // BLOCK_BYTES
        self.cells = uctypes.bytearray_at(FLASH_ADDRESS, FLASH_BYTES)

    def read_into(self, address, buf, n):
        """Copy `n` bytes from `address` into buf[0:n]."""
        copy(buf, 0, self.cells, address, n)
        return 0

    def program(self, address, buf, n):
        """Write buf[0:n] to `address`."""
        copy(self.cells, address, buf, 0, n)
        return 0

    def erase(self, block):
        """Make every byte of the block 0xFF."""
        fill(self.cells, block * BLOCK_BYTES, BLOCK_BYTES, 0xFF)
        return 0

    def refusal(self):
        """Return 0: memory refuses nothing."""
        return 0


class Board:
    """What toolcart.agent.cart.app asks of a board, for one station."""

    def __init__(self):
        self.lines = [Line(base) for base in _UARTS]
        self._given = 0

    def now(self):
        """Return the ticks."""
        return time.ticks_ms() & 0x3FFFFFFF  # type: ignore[operator]

    def stamp_into(self, buf):
        """Write the time of the start: this machine has no calendar."""
        copy(buf, 0, BOOT_STAMP, 0, 19)

    def seed(self):
        """Return a number that differs from start to start."""
        return time.ticks_us() & 0xFFFF  # type: ignore[operator]

    def tcp(self):
        """Return the next line."""
        self._given += 1
        return self.lines[self._given - 1]

    def flash(self, spool):
        """Return the memory as a flash device."""
        return MemoryFlash()

    def watch(self, port, slot):
        """Wake `slot` whenever something happens at the port."""
        port.slot = slot

    def wait(self, app, wait_ms):
        """Poll the lines until one has something and is silent again, or for `wait_ms`."""
        start = time.ticks_ms()
        quiet = 0
        news = False
        while quiet < QUIET_POLLS:
            took = False
            for line in self.lines:
                took = line.pump() or took
                news = news or line.news or line.count > 0
            quiet = 0 if took else quiet + 1
            if not news:
                quiet = 0
                if time.ticks_diff(time.ticks_ms(), start) >= wait_ms:
                    break
        for line in self.lines:
            if line.news or line.count:
                line.news = False
                if line.slot >= 0:
                    app.scheduler.wake(line.slot, self.now())
