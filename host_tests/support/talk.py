"""A controller session without a network: what it says, whole or in parts, and a plain model of what parts become.

talk = Talk()             connected; what the session posts is taken by a port that is always ready
talk.receive(octets)      the controller says this; returns the events, results answered as `answers` says
talk.wait(ms)             time passes, from deadline to deadline
talk.outgoing             every message that went out, without its NUL; talk.take() returns and forgets them
The model of parts keeps the bytes of one message under way and knows nothing of buffers but their sizes. Its rules are
those of toolcart.agent.openprotocol.linked_messages, written down a second time with joins and slices.
"""

import toolcart.agent.record.equality  # noqa: F401 - what lies deepest, first: the stack of the 32-bit port is short
from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link import LINK_NEED_DATA
from toolcart.agent.link.stream import CUT_SHORT_BYTES, Stream
from toolcart.agent.openprotocol import session as ss
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.linked_messages import LEFT_BYTES, LEFT_LARGE_BYTES
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.base.clock import START_TICKS
from host_tests.support.fifo import given
from host_tests.support.frames import accepted, message

PORTABLE = True

# 0002 of revision 1: cell 1, channel 2, a name (OP 5.2.2 p. 71).
STARTED = message(2, b"010001" + b"0202" + b"03" + b"Cart controller          ")


def content_of(link):
    """Return the message that a link shows."""
    return bytes(link.buf[link.at : link.at + link.length])


def give(link, octets, now=START_TICKS):
    """Give a link octets as a port would; yield whatever it finds in them."""
    return given(link, octets, lambda: link.next_message(now), LINK_NEED_DATA)


class Talk:
    """See the module."""

    def __init__(self, buffer_bytes=2048, subscriptions=None, **settings):
        self.now = START_TICKS
        self.link = Stream(buffer_bytes)
        self.session = ss.Session(self.link, subscriptions or (Subscription(RESULTS, (999, 1)),), **settings)
        self.outgoing = []
        self.results = []
        self.answers = True  # acknowledge what comes, as soon as it comes
        self.is_writable = True  # the port takes what is posted
        self.connect()

    def connect(self):
        self.session.opened()
        self.settle()

    def lose(self):
        """The connection breaks and a new one is made."""
        self.session.closed()
        self.connect()

    def receive(self, octets):
        """Give octets to the session, as many at once as the link takes; return its events."""
        events = []
        while octets:
            n = self.link.room()
            assert n > 0
            if n > len(octets):
                n = len(octets)
            inlet = self.link.inlet()
            inlet[:n] = octets[:n]
            self.link.receive(n)
            octets = octets[n:]
            events += self.settle()
        return events

    def deliver(self, *messages):
        """Give whole messages, each with its NUL."""
        return self.receive(b"".join([octets + b"\0" for octets in messages]))

    def settle(self):
        """Do all that can be done now."""
        events = []
        session = self.session
        while True:
            event = session.next_event(self.now)
            if event == session_states.EV_NONE:
                break
            events.append(event)
            if (
                event in (session_states.EV_PUSHED, session_states.EV_PUSHED_CUT) and session.received.mid == 61
            ):  # others the test answers itself
                self._result()
        self.flush()
        return events

    def flush(self):
        """Let the port take what is posted."""
        link = self.link
        self.session.tick(self.now)
        while self.is_writable and link.pending:
            n = link.pending
            octets = bytes(link.tx[link.tx_from : link.tx_from + n])
            assert octets[-1] == 0 and int(octets[:4]) == n - 1
            self.outgoing.append(octets[:-1])
            link.sent(n)
            self.session.tick(self.now)

    def _result(self):
        self.results.append(content_of(self.link))
        if self.answers:
            self.session.acknowledge()
        else:
            self.session.withhold()

    def wait(self, ms):
        """Let `ms` pass; return the events on the way."""
        events = []
        while True:
            step = self.session.tick(self.now)
            if step > ms:
                step = ms
            self.now = ticks_add(self.now, step)
            ms -= step
            events += self.settle()
            if ms == 0:
                return events
            # The deadline that was waited for is over: a wait of nothing would never end.
            assert step or self.session.tick(self.now) > 0

    def fetch(self, digits=b"0001234567"):
        """Ask for the result of this ID."""
        self.session.old_result.asked_id[:] = digits
        self.session.fetch()
        self.settle()

    def stop(self):
        """End the session in order; return the events."""
        self.session.stop(self.now)
        return self.settle()

    def take(self):
        outgoing, self.outgoing = self.outgoing, []
        return outgoing

    def mids(self):
        """Return the MIDs that went out since the last time, and forget them."""
        return [int(octets[4:8]) for octets in self.take()]

    def ready(self, started=STARTED):
        """Go through the start to READY; return self."""
        assert session_states.EV_STARTED in self.deliver(started)
        assert self.deliver(accepted(60)) == [session_states.EV_READY]
        assert self.session.state == session_states.READY
        self.take()
        return self


def part_of(message, count, part, data, sequence=0):
    """Return one part: the message's own header with its length and numbers, then a piece of its data."""
    number = b"%02d" % sequence if sequence else message[16:18]
    return b"%04d" % (20 + len(data)) + message[4:16] + number + b"%d%d" % (count, part) + data


def parts_of(message, count, first_sequence=0):
    """Cut the message into `count` parts of about the same size; numbered from `first_sequence` on, if it is not 0."""
    step = (len(message) - 20 + count - 1) // count
    parts = []
    for part in range(1, count + 1):
        data = message[20 + (part - 1) * step : 20 + part * step]
        parts.append(part_of(message, count, part, data, first_sequence + part - 1 if first_sequence else 0))
    return parts


def whole(message):
    """Return the message as it comes out of its parts: it says `0` where they had numbers."""
    return message[:18] + b"00" + message[20:]


class Model:
    """What a session makes of whole and linked MID 0061, one behind the other, in a buffer of `size` octets."""

    def __init__(self, size):
        self.size = size
        self.joined = b""  # what is under way; nothing if empty
        self.is_broken = False
        self.is_torn = False  # one more EV_MALFORMED comes once all that came was looked at
        self.events = []
        self.results = []

    def receive(self, frame):
        left = self.size - len(self.joined)
        if len(frame) > left:
            there = frame[: CUT_SHORT_BYTES if left > CUT_SHORT_BYTES else left]
        else:
            there = frame
        count = frame[18] - 0x30
        is_push = frame[4:8] == b"0061"
        if is_push and 2 <= count <= 9:
            self._part(frame, there, count, frame[19] - 0x30)
        elif len(there) < len(frame) <= self.size:
            self._refuse()
        else:
            if is_push and self.joined:
                self._break()
                self.is_torn = True
            if is_push:
                is_whole = len(there) == len(frame)
                self._result(session_states.EV_PUSHED if is_whole else session_states.EV_PUSHED_CUT, there)
            elif frame[4:8] != b"9999":
                self.events.append(session_states.EV_UNKNOWN)

    def _result(self, event, octets):
        self.events.append(event)
        self.results.append(octets)

    def _refuse(self):
        self._break()
        self.events.append(session_states.EV_MALFORMED)

    def _break(self):
        self.joined = b""
        self.is_broken = True

    def left_bytes(self):
        """What parts leave to other messages: more where the buffer is large."""
        return LEFT_LARGE_BYTES if self.size >= 2048 else LEFT_BYTES

    def _part(self, frame, there, count, part):
        head = frame[4:11] + frame[12:16]
        if not self.joined:
            if part != 1 or self.is_broken:
                self._refuse()
                return
            self.head = head
            self.count = count
            self.counted = len(frame)
            most = self.size - self.left_bytes()
            self.cut = len(there) < len(frame) or len(frame) > most
            self.joined = there[:most]
        elif head != self.head or count != self.count:
            self._refuse()
            return
        elif part == self.next:
            self.counted += len(frame) - 20
            left = self.size - len(self.joined)
            most = left if part == count else left - self.left_bytes()
            self.cut = self.cut or len(there) < len(frame) or len(frame) - 20 > most
            if not self.cut:
                self.joined += frame[20:]
        else:
            kept = len(self.joined)
            if (
                (part, self.next) == (1, 2)
                and (len(there) == len(frame) or self.cut)
                and len(frame) == self.counted
                and self.joined[20:].startswith(there[20:kept])
            ):
                self.events.append(session_states.EV_MALFORMED)
            else:
                self._refuse()
            return
        self.next = part + 1
        if part == count:
            octets = b"%04d" % min(self.counted, 9999) + whole(self.joined)[4:]
            self._result(session_states.EV_PUSHED_CUT if self.cut else session_states.EV_PUSHED, octets)
            self.joined = b""
