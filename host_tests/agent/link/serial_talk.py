"""Serial lines for tests: a link that talks over a simulated line as the intake does, and two links joined by one."""

from toolcart.agent.base.fields import copy
from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE
from toolcart.base.clock import START_TICKS, Dice
from host_tests.support.talk import content_of
from lab.harness.serial_line import MicroClock, SerialLine

PORTABLE = True


def message(mid, text=b"", revision=1):
    """Return a message without its NUL."""
    return b"%04d%04d%03d         " % (20 + len(text), mid, revision) + text


class Talker:
    """The agent's side: a link on the line's port. `outbox` are messages to send, `received` those that came."""

    def __init__(self, link, port):
        self.link = link
        self.port = port
        self.outbox = []
        self.received = []
        self.cut_short = []
        self.broken = 0
        port.open("line", 9600)

    def send(self, text):
        self.outbox.append(text)

    def step(self, now):
        """What the intake does in one step; return ms until the next is needed."""
        link = self.link
        while True:
            n = self.port.readinto(link.inlet(), link.room())
            if n > 0:
                link.receive(n)
            self.work(now)
            self.flush()
            if n <= 0:
                return link.tick(now)

    def work(self, now):
        link = self.link
        while True:
            event = link.next_message(now)
            if event == LINK_MESSAGE:
                if link.buf[link.at + 4 : link.at + 8] != b"0061":
                    link.answered()
                elif not link.pushed():
                    continue
                self.received.append(content_of(link))
            elif event == LINK_CUT_SHORT:
                self.cut_short.append(content_of(link))
            elif event == LINK_BROKEN:
                self.broken += 1
                link.reset()
            else:
                break
        link.tick(now)
        if self.outbox and link.idle():
            text = self.outbox.pop(0)
            copy(link.tx, link.tx_at, text, 0, len(text))
            link.post(len(text), text[4:8] != b"0062")

    def flush(self):
        link = self.link
        while link.pending:
            n = self.port.write(link.tx, link.tx_from, link.pending)
            if n <= 0:
                return
            link.sent(n)


class _OnLine:
    """What a line asks of a peer that says octets whenever it has some."""

    _out = b""

    def outgoing(self):
        octets = self._out
        self._out = b""
        return octets

    def wire_free(self, now):
        pass


class LinkPeer(Talker, _OnLine):
    """The same machine at the other end of the line."""

    def __init__(self, link):
        self._in = b""
        Talker.__init__(self, link, self)

    def open(self, device, baud):
        pass

    def readinto(self, buf, n):
        n = min(n, len(self._in))
        buf[0:n] = self._in[:n]
        self._in = self._in[n:]
        return n

    def write(self, buf, start, n):
        self._out += bytes(buf[start : start + n])
        return n

    def octet(self, value, now):
        self._in += bytes([value])
        self.step(now)

    def tick(self, now):
        return self.step(now)


class ScriptedPeer(_OnLine):
    """A peer that says what it is told and remembers what it hears, octet by octet."""

    def __init__(self):
        self.received = b""
        self.answers = []  # (what must have been heard at the end, octets said then)

    def send(self, octets):
        self._out += octets

    def octet(self, value, now):
        self.received += bytes([value])
        if self.answers and self.received.endswith(self.answers[0][0]):
            self._out += self.answers.pop(0)[1]

    def tick(self, now):
        return 100000


class Bench:
    """A talker, a line and a peer on one clock."""

    def __init__(self, link, peer=None, seed=1, baud=9600, start=START_TICKS):
        self.clock = MicroClock(start)
        self.peer = peer or ScriptedPeer()
        self.line = SerialLine(self.clock, Dice(seed), self.peer, baud)
        self.talker = Talker(link, self.line.port)

    def run(self, ms, until=None):
        """Let time pass, from event to event; stop when `until()` is true."""
        return self.line.play(ms, self._turn, lambda left: max(left * 1000, 1), until)

    def _turn(self):
        self.line.run()
        return self.talker.step(self.clock.now)
