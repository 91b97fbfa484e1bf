"""A controller and a ToolsNet at the agent's ports that allocate nothing: all that is counted is the agent's.

Rules
1. Every message is a fixed frame; its variable parts (tightening ID, identifier, sequence) are patched in place.
2. A write is one whole message, as the agent promises; it is taken at once and answered at the next read.
3. `Workbench.one_result()` takes one result from the first byte of its 0061 to its handled 05.
4. They check as they go: a sequence that does not follow the previous one is counted in `disorder`.
"""

from toolcart.agent.base.fields import compare, copy, number, put_number
from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.cart.app import App
from toolcart.agent.log.snapshot_fields import STORED

PORTABLE = True

# The configuration used for measurements: one station over TCP, everything else at its default.

PIM_PORT = 6575

TREE = {
    "system": {},
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": PIM_PORT},
    "stations": [
        {
            "number": 1,
            "controller": {"host": "192.0.2.10"},
            "spool": {"path": "spool", "size_kib": 40, "parked_kib": 12},
        }
    ],
}


def configuration():
    """Return it completed, as a board is given it (toolcart.tools.flash.package)."""
    from toolcart.agent.cart.config import complete

    return complete(TREE)


STEPS_MAX = 64  # of the scheduler for one result: more means that it is stuck
RECONNECT_MS = 61000  # the wait between connects (protocol.md 8.2), plus one second
SETTLED_MS = 3000  # after the start: both sides are connected, the tool was queried, all fetching is over

_STARTED = (
    b"017200020050    00  010001020103Cart controller          04ACT052.8.0              063.6.2              "
    b"071.4                08Gold                    09C123456789100011100\x00"
)
_SUBSCRIBED = b"002400050010        0060\x00"
_STOPPED = b"002400050010        0003\x00"
_NO_TOOL = b"002600040010        004099\x00"
_GONE = b"002600040010        006415\x00"
_UNKNOWN = b"002600040010        000699\x00"
_MIRROR = b"00209999001         \x00"
_RESULT = (
    b"01210061999 0101    WVWZZZ1KZAW123456        07012000600040012004237000952024-03-14:09:26:53"
    b"2024-02-01:08:00:000000000000\x00"
)
ID_AT = 111  # of the tightening in the result's frame
ID_DIGITS = 10
_VIN_DIGIT = 36
_VALUES = (67, 71)  # the last digits of torque and angle
_CLOCK = ((91, 10), (90, 6), (88, 10), (87, 6))  # digits of seconds and minutes, and how many there are of each

_VERIFICATION = b"00071200007"
_INFORMATION = b"003708000010000000000192.0.2.20     10111"
_STORED = b"0024050000020240314092654000"


class QuietPort:
    """A peer's side of a port: one frame on its way to the agent."""

    why = why_code = 0

    def __init__(self):
        self.opened = False
        self.frame = _MIRROR
        self.at = 0
        self.left = 0

    def open(self, host, port_number):
        self.close()
        self.opened = True

    def state(self):
        return 2 if self.opened else 0

    def readinto(self, buf, n):
        if not self.opened:
            return -1
        if self.left < n:
            n = self.left
        if n:
            copy(buf, 0, self.frame, self.at, n)
            self.at += n
            self.left -= n
        return n

    def close(self):
        self.opened = False
        self.left = 0

    def send(self, frame):
        """Give the agent this frame to read."""
        self.frame = frame
        self.at = 0
        self.left = len(frame)


class QuietController(QuietPort):
    """Answers an integrator's requests and pushes a result on demand."""

    def __init__(self):
        QuietPort.__init__(self)
        self.result = bytearray(_RESULT)
        self.acknowledged = 0

    def write(self, buf, start, n):
        if not self.opened:
            return -1
        mid = number(buf, start + 4, 4)
        if mid == 62:
            self.acknowledged += 1
        elif mid == 9999:
            self.send(_MIRROR)
        elif mid == 1:
            self.send(_STARTED)
        elif mid == 60:
            self.send(_SUBSCRIBED)
        elif mid == 64:
            self.send(_GONE)
        elif mid == 6:
            self.send(_UNKNOWN)
        elif mid == 40:
            self.send(_NO_TOOL)
        elif mid == 3:
            self.send(_STOPPED)
        return n

    def produce(self):
        """Push a further result, a second later, with the next tightening ID and other values.

        Every fourth is of another car.
        """
        result = self.result
        at = ID_AT + ID_DIGITS - 1
        while result[at] == 0x39:
            result[at] = 0x30
            at -= 1
        result[at] += 1
        last = result[ID_AT + ID_DIGITS - 1]
        for at in _VALUES:
            result[at] = last
        for at, count in _CLOCK:
            result[at] = 0x30 + (result[at] - 0x2F) % count
            if result[at] != 0x30:
                break
        result[66] = result[ID_AT + ID_DIGITS - 2]  # of the torque: else the tenth from now would be the same one
        result[65] = result[ID_AT + ID_DIGITS - 3]
        if last & 3 == 0:
            result[_VIN_DIGIT] = 0x30 + (result[_VIN_DIGIT] + 3) % 10
        self.send(result)


class QuietToolsNet(QuietPort):
    """A PIM and a server that store results by counting them."""

    def __init__(self):
        QuietPort.__init__(self)
        self.away = False  # nothing answers at its addresses
        self.pim = False
        self.information = bytearray(_INFORMATION)
        self.stored_answer = bytearray(_STORED)
        self.stored = 0
        self.disorder = 0
        self.following = 0  # the sequence that must come next, 0 before the first

    def open(self, host, port_number):
        QuietPort.open(self, host, port_number)
        if self.away:
            self.close()
            return
        self.pim = port_number == PIM_PORT
        if self.pim:
            self.send(_VERIFICATION)

    def write(self, buf, start, n):
        if not self.opened:
            return -1
        telegram = number(buf, start + 4, 2)
        if telegram == 4:
            self._store(buf, start)
        if telegram == 7:
            copy(self.information, 6, buf, start + 6, 5)
            self.send(self.information)
        elif telegram == 4 or telegram == 6:
            copy(self.stored_answer, 6, buf, start + 6, 5)
            self.send(self.stored_answer)
        return n

    def _store(self, buf, start):
        if compare(self.information, 11, buf, start + 39, 5):  # else it is a retransmission
            self.stored += 1
        sequence = number(buf, start + 39, 5)
        if self.following and sequence != self.following:
            self.disorder += 1
        self.following = sequence % 99999 + 1
        put_number(self.information, 11, 5, sequence)


class QuietBoard:
    """What toolcart.agent.cart.app asks of a board: `ports` in the order in which they are taken, and one flash."""

    def __init__(self, ports, device, moment):
        self.ports = list(ports)
        self.device = device
        self.moment = moment
        self.watched = []  # (port, slot)

    def now(self):
        return self.moment

    def stamp_into(self, buf):
        copy(buf, 0, _RESULT, 73, 19)

    def tcp(self):
        return self.ports.pop(0)

    def flash(self, spool):
        return self.device

    def seed(self):
        return 1

    def watch(self, port, slot):
        self.watched.append((port, slot))


class Workbench(QuietBoard):
    """An agent of one station on a board in memory, with quiet peers. `now` moves only in `wait`."""

    def __init__(self, configuration, device=None):
        self.controller = QuietController()
        self.toolsnet = QuietToolsNet()
        if device is None:
            from toolcart.board.ram_flash import RamFlash  # a board has none: its flash is not in its memory

            device = RamFlash(32)
        # the tick counter wraps two seconds after the start
        QuietBoard.__init__(self, (self.controller, self.toolsnet), device, 0x3FFFFFFF - 2000)
        self.app = App(configuration, self)
        self.station = self.app.stations[0]

    # What a test or a benchmark does

    def settle(self):
        """Let both sides connect and become idle."""
        self.wait(SETTLED_MS)

    def wait(self, ms):
        """Let `ms` pass in steps, like a board that is woken at least every 100 ms."""
        while ms > 0:
            self.step()
            self.moment = ticks_add(self.moment, 100)
            ms -= 100

    def step(self):
        """Run one step of the agent with all input available."""
        scheduler = self.app.scheduler
        for _, slot in self.watched:
            scheduler.wake(slot, self.moment)
        return self.app.step(self.moment)

    def one_result(self):
        """Take a further result all the way; False if it did not get through."""
        log = self.station.log
        toolsnet = self.toolsnet
        wanted = toolsnet.stored + 1
        self.controller.produce()
        for _ in range(STEPS_MAX):
            self.step()
            if toolsnet.stored == wanted and log.backlog() == 0:
                return self.app.scheduler.faults == 0
        return False

    def many_results(self, count):
        """Take `count` results all the way, one after the other; False if one did not get through."""
        while count > 0:
            if not self.one_result():
                return False
            count -= 1
        return True

    def backlog(self, count):
        """Store `count` results while ToolsNet is away, then let them out; False if any did not get through."""
        toolsnet = self.toolsnet
        toolsnet.away = True
        toolsnet.close()
        wanted = toolsnet.stored + count
        while count > 0:
            self.controller.produce()
            for _ in range(8):
                self.step()
            count -= 1
        toolsnet.away = False
        self.wait(RECONNECT_MS)
        for _ in range(8 * (wanted - toolsnet.stored)):
            self.step()
        log = self.station.log
        return toolsnet.stored == wanted and log.backlog() == 0

    def idle(self, steps):
        """Run so many steps, two a second, in which nothing happens but keep-alives."""
        while steps > 0:
            self.step()
            self.moment = ticks_add(self.moment, 500)
            steps -= 1

    def sound(self):
        """True if everything was acknowledged and stored in order, and no task has failed."""
        controller = self.controller
        return (
            self.app.scheduler.faults == 0
            and self.toolsnet.disorder == 0
            and controller.acknowledged == self.toolsnet.stored == self.station.state.numbers[STORED]
        )
