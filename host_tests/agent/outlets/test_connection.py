"""What drives a session over a port: every order of opening, reading, writing and ending, by script."""

import pytest

from toolcart.agent.base.fifo import Fifo
from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, PORT_OPENING
from toolcart.agent.outlets import ENDED, OPEN, OPENING, READS_A_STEP, UNREACHED, Connection

ADDRESS = ("192.0.2.20", 6575)
SAYS_OPEN, SAYS_CLOSE, GOES_NOWHERE = 1, 2, 3
DEADLINE_MS = 5000
LOST, GIVEN_UP = 1, 2


class ScriptedPort:
    """A port whose next states, bytes and writes are handed in; `heard` is what was asked of it."""

    def __init__(self, states=()):
        self.states = list(states)
        self.now = PORT_CLOSED
        self.come = []  # pieces of bytes, or PORT_LOST
        self.takes = []  # how many bytes each write takes; what is not said takes all
        self.heard = []
        self.written = b""

    def open(self, host, number):
        self.heard.append((host, number))
        self.now = self.states.pop(0)

    def state(self):
        return self.now

    def readinto(self, buf, n):
        if not self.come or n == 0:
            return 0
        if self.come[0] == PORT_LOST:
            return PORT_LOST
        piece, rest = self.come[0][:n], self.come[0][n:]
        self.come[:1] = [rest] if rest else []
        buf[: len(piece)] = piece
        return len(piece)

    def write(self, buf, start, n):
        n = min(n, self.takes.pop(0)) if self.takes else n
        if n > 0:
            self.written += bytes(buf[start : start + n])
        return n

    def close(self):
        self.heard.append("close")
        self.now = PORT_CLOSED


class ScriptedSession:
    """A session that hears what comes as octets, and posts `replies` one after another."""

    def __init__(self):
        self.incoming = Fifo(16, 8)
        self.tx, self.tx_from, self.pending = b"", 0, 0
        self.commanded = SAYS_OPEN
        self.deadline = Timer()
        self.replies = []
        self.sendable = False
        self.says_more = True  # of what was sent
        self.state = "waiting"

    def is_due(self, now):
        return self.deadline.expired(now)

    def tick(self, now, left):
        if not self.pending and self.replies and self.state == "up":
            self.tx, self.tx_from = self.replies.pop(0), 0
            self.pending = len(self.tx)
        return self.deadline.least(now, left)

    def can_send(self):
        return self.sendable and not self.pending

    def sent(self, n, now):
        self.tx_from += n
        self.pending -= n
        return not self.pending and self.says_more

    def command(self):
        command, self.commanded = self.commanded, 0
        return command

    def opened(self, now):
        assert self.state == "waiting", "it is told once"
        self.state = "up"
        self.deadline.start(now, DEADLINE_MS)

    def closed(self, now):
        return self.give_up(LOST) if self.state != "lost" else 0

    def give_up(self, event):
        self.state, self.pending, self.commanded = "lost", 0, SAYS_CLOSE
        self.deadline.stop()
        return event

    def stop(self):
        self.give_up(0)


class Scripted(Connection):
    """An outlet of these; `heard` is what it was told."""

    def __init__(self, *states):
        Connection.__init__(self, ScriptedPort(states), ScriptedSession())
        self.heard = []
        self.left = FOREVER
        self.octets = b""
        self.breaks_at = b"!"  # what the session gives up at

    def take_events(self, now):
        incoming = self.session.incoming
        self.octets += bytes(incoming.buf[incoming.start : incoming.end])
        incoming.clear()
        if self.session.is_due(now) or self.octets.endswith(self.breaks_at):
            self.heard.append(self.session.give_up(GIVEN_UP))

    def send_next(self, now):
        return self.left

    def address_for(self, command, now):
        return ADDRESS if command == SAYS_OPEN else None

    def connection_lost(self, event, now):
        self.heard.append((event, self.phase))


def opened():
    outlet = Scripted(PORT_OPEN)
    outlet.step(0)
    assert outlet.phase == OPEN and outlet.session.state == "up"
    return outlet


def test_port_that_opens_later_is_looked_at_each_time():
    outlet = Scripted(PORT_OPENING)
    for now in (0, 10):
        assert outlet.step(now) == FOREVER and outlet.phase == OPENING and outlet.session.state == "waiting"
    outlet.port.now = PORT_OPEN
    outlet.session.replies = [b"hello"]
    assert outlet.step(20) == DEADLINE_MS and outlet.port.written == b"hello"
    assert outlet.port.heard == ["close", ADDRESS] and outlet.attempts == 1 and outlet.phase == OPEN


def test_port_that_is_open_at_once_is_used_in_the_same_turn():
    outlet = Scripted(PORT_OPEN)
    outlet.session.replies = [b"hello"]
    outlet.step(0)
    assert outlet.phase == OPEN and outlet.port.written == b"hello"


@pytest.mark.parametrize("at_once", [True, False])
def test_port_that_cannot_be_opened_is_told_once(at_once):
    outlet = Scripted(PORT_CLOSED if at_once else PORT_OPENING)
    outlet.step(0)
    if not at_once:
        outlet.port.now = PORT_CLOSED
        outlet.step(10)
    for now in (20, 30):
        outlet.step(now)
    assert outlet.heard == [(LOST, UNREACHED)] and outlet.phase == UNREACHED and outlet.session.state == "lost"


def test_session_that_gives_up_an_opening_closes_the_port():
    outlet = Scripted(PORT_OPENING)
    outlet.step(0)
    outlet.session.deadline.start(0, 100)
    outlet.step(100)
    assert outlet.heard == [GIVEN_UP] and outlet.phase == UNREACHED
    assert outlet.port.heard == ["close", ADDRESS, "close"] and outlet.attempts == 2


def test_command_that_leads_nowhere_leaves_the_port_closed():
    outlet = Scripted()
    outlet.session.commanded = GOES_NOWHERE
    outlet.step(0)
    assert outlet.port.heard == ["close"] and outlet.phase == UNREACHED and outlet.attempts == 1


def test_what_came_is_heard_before_the_end():
    outlet = opened()
    outlet.port.come = [b"abc", PORT_LOST]
    outlet.step(10)
    outlet.step(10)
    assert outlet.octets == b"abc" and outlet.heard == [(LOST, ENDED)] and outlet.phase == ENDED
    assert outlet.port.heard[-1] == "close"


def test_end_that_the_session_knows_already_is_not_told_again():
    outlet = opened()
    outlet.session.incoming.receive(1)
    outlet.session.incoming.buf[0] = ord("!")
    outlet.port.come = [PORT_LOST]
    outlet.step(10)
    assert outlet.heard == [GIVEN_UP] and outlet.phase == ENDED


def test_turn_reads_until_nothing_comes_but_only_so_often():
    outlet = opened()
    outlet.port.come = [b"x" * 16 * (READS_A_STEP + 1)]
    assert outlet.step(10) == 0 and len(outlet.octets) == 16 * READS_A_STEP
    assert outlet.step(10) > 0 and len(outlet.octets) == 16 * (READS_A_STEP + 1)


def test_session_that_has_no_room_is_no_reason_for_turn_after_turn():
    outlet = opened()
    outlet.session.incoming.receive(16)
    outlet.port.come = [b"more"]
    assert outlet.step(10) == DEADLINE_MS - 10 and outlet.port.come == [b"more"]


def test_short_write_goes_on_where_it_stopped():
    outlet = opened()
    outlet.session.replies = [b"hello", b"again"]
    outlet.port.takes = [2, 0]
    assert outlet.step(10) == DEADLINE_MS - 10 and outlet.port.written == b"he"
    outlet.port.takes = [1, 2]
    outlet.step(20)
    assert outlet.port.written == b"helloagain", "what is due behind it goes out in the same turn"


def test_what_went_out_whole_may_make_room_for_more():
    outlet = opened()
    outlet.session.replies = [b"hello"]
    outlet.session.sendable = True
    assert outlet.step(10) == 0 and outlet.step(10) == DEADLINE_MS - 10
    outlet.session.replies, outlet.session.says_more = [b"hello"], False
    assert outlet.step(10) == DEADLINE_MS - 10


def test_connection_lost_while_writing_is_closed_and_told_once():
    outlet = opened()
    outlet.session.replies = [b"hello"]
    outlet.port.takes = [2, PORT_LOST]
    assert outlet.step(10) == 0 and outlet.heard == [(LOST, ENDED)] and outlet.phase == ENDED
    outlet.port.come = [b"late", PORT_LOST]
    outlet.step(20)
    assert outlet.heard == [(LOST, ENDED)] and outlet.octets == b"" and outlet.session.commanded == 0


def test_deadline_is_the_least_of_session_and_outlet_and_is_kept():
    outlet = opened()
    assert outlet.step(10) == DEADLINE_MS - 10
    outlet.left = 7
    assert outlet.step(10) == 7
    outlet.step(DEADLINE_MS)
    assert outlet.heard == [GIVEN_UP] and outlet.phase == ENDED and outlet.port.heard[-1] == "close"


def test_stopped_it_does_nothing_more():
    outlet = opened()
    outlet.port.come = [b"late"]
    outlet.stop()
    assert outlet.port.heard[-1] == "close" and outlet.step(10) == FOREVER
    assert outlet.heard == [] and outlet.octets == b"" and outlet.phase == ENDED
