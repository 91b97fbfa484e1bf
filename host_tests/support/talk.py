"""A controller session without a network: the test says what the controller says and sees what goes out.

talk = Talk()              connected; what the session posts is taken by a port that is always ready
talk.hear(octets)          the controller says this; returns the events, results answered as `answers` says
talk.wait(ms)              time passes, from deadline to deadline
talk.said                  every message that went out, without its NUL; talk.take() returns and forgets them
"""

import toolcart.agent.record.same  # noqa: F401 - what lies deepest, first: the stack of the 32-bit port is short
from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.link.stream import Stream
from toolcart.agent.openprotocol import session as ss
from toolcart.agent.openprotocol import states as st
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.base.clock import START_TICKS
from host_tests.support.frames import accepted, message

PORTABLE = True

# 0002 of revision 1: cell 1, channel 2, a name (003:3095-3118).
STARTED = message(2, b"010001" + b"0202" + b"03" + b"Cart controller          ")


class Talk:
    """See the module."""

    def __init__(self, buffer_bytes=2048, subscriptions=None, **settings):
        self.now = START_TICKS
        self.link = Stream(buffer_bytes)
        self.session = ss.Session(self.link, subscriptions or (Subscription(RESULTS, (999, 1)),), **settings)
        self.said = []
        self.results = []
        self.answers = True  # acknowledge what comes, as soon as it comes
        self.takes = True  # the port takes what is posted
        self.connect()

    def connect(self):
        self.session.opened()
        self.settle()

    def lose(self):
        """The connection breaks and a new one is made."""
        self.session.closed()
        self.connect()

    def hear(self, octets):
        """Give octets to the session, as many at once as the link takes; return its events."""
        events = []
        while octets:
            n = self.link.room()
            assert n > 0
            if n > len(octets):
                n = len(octets)
            inlet = self.link.inlet()
            inlet[:n] = octets[:n]
            self.session.receive(n)
            octets = octets[n:]
            events += self.settle()
        return events

    def tell(self, *messages):
        """Give whole messages, each with its NUL."""
        return self.hear(b"".join([octets + b"\0" for octets in messages]))

    def settle(self):
        """Do all that can be done now."""
        events = []
        session = self.session
        while True:
            event = session.next_event(self.now)
            if event == st.EV_NONE:
                break
            events.append(event)
            if event in (st.EV_PUSHED, st.EV_PUSHED_CUT) and session.said.mid == 61:  # others the test answers itself
                self._result()
        self.flush()
        return events

    def flush(self):
        """Let the port take what is posted."""
        link = self.link
        self.session.tick(self.now)
        while self.takes and link.pending:
            n = link.pending
            octets = bytes(link.tx[link.tx_from : link.tx_from + n])
            assert octets[-1] == 0 and int(octets[:4]) == n - 1
            self.said.append(octets[:-1])
            link.sent(n)
            self.session.tick(self.now)

    def _result(self):
        link = self.link
        self.results.append(bytes(link.buf[link.at : link.at + link.length]))
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

    def take(self):
        said, self.said = self.said, []
        return said

    def mids(self):
        """Return the MIDs that went out since the last time, and forget them."""
        return [int(octets[4:8]) for octets in self.take()]

    def ready(self, started=STARTED):
        """Go through the start to READY; return self."""
        assert st.EV_STARTED in self.tell(started)
        assert self.tell(accepted(60)) == [st.EV_READY]
        assert self.session.state == st.READY
        self.take()
        return self
