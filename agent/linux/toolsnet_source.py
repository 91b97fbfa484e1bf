"""What the sources have in common: events, descriptions and curves, which go to ToolsNet besides results.

    join(forward)           the outlet to send over
    waits()                 True if it may have something to send
    send(now)               write the next telegram into `tx`: its length, 0 if nothing may go out now
    accepted(now)           05 or 10 with code 0 has come for it
    refused(code, now)      or with another code
    silent(now)             the connection is gone; an outstanding telegram may be stored or not
    resume(now)             the 08 was read, and results know where they go on; False asks for another 08
    time_left(now, ms)      `ms`, or less if it has something to do before
    put_state(report)        add what status shows
    tx, takes_10            where its telegram is, and whether a 10 answers it
    gives_way               it sends only while no result waits

Rules
1. A source whose telegram is refused or gets no answer waits, and results go on.
2. What is refused is offered three times, after 2 and 8 s.
3. Silence of the server costs a connection, so the next try is after PAUSE_MS, and each further one after ten times as
   long, an hour at most, until something is taken. After GIVEN_UP silences the telegram is passed.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import Timer

CPYTHON_ONLY = True  # a board has room for results alone

PAUSE_MS = 60000
PAUSE_MOST_MS = 3600000
GIVEN_UP = 3
OFFERS = 3
RETRIES_MS = (2000, 8000)


def telegram(kind, ident, body):
    """Return a whole telegram with its length in front."""
    return b"%04d%02d%05d%b" % (len(body) + 7, kind, ident, body)


class ToolsNetSource:
    """Counts what becomes of the outstanding telegram, and offers it again."""

    takes_10 = False
    gives_way = False

    def __init__(self):
        self.pause = Timer()
        self.busy = False  # there is more of its log to look at
        self.sent = self.passed = 0
        self.losses = 0  # how often an 08 has shown since the start that ToolsNet lost some of its telegrams
        self.tx = b""
        self.is_out = False
        self._refusals = self._silences = 0  # of the next one
        self._pause_ms = PAUSE_MS

    def join(self, forward):
        self.forward = forward

    def begin_next(self):
        """Begin with the next one: no refusals or silences yet."""
        self._refusals = self._silences = 0

    def time_left(self, now, ms):
        """Return the ms until it has something to do, `ms` at most."""
        if self.busy:
            return 0
        if self.pause.expired(now):
            self.pause.stop()
            return 0
        return self.pause.least(now, ms)

    def is_pausing(self, now):
        """True if nothing may be tried now."""
        return self.pause.armed and not self.pause.expired(now)

    def accepted(self, now):
        self.is_out = False
        self.sent += 1
        self._pause_ms = PAUSE_MS
        self.begin_next()
        self.go_past()

    def refused(self, code, now):
        """Offer it again a few times, then pass it."""
        self.is_out = False
        self._refusals += 1
        if self._refusals < OFFERS:
            self.pause.start(now, RETRIES_MS[self._refusals - 1])
            return
        self.give_up()

    def give_up(self):
        """Pass the one offered last, which was not taken."""
        self.passed += 1
        self.forward.counters.note(counter.GIVEN_UP, 0, self.forward.clock.now())
        self.begin_next()
        self.go_past()

    def silent(self, now):
        if self.is_out:
            self.is_out = False
            self._silences += 1
            self.pause.start(now, self._pause_ms)
            self._pause_ms = min(self._pause_ms * 10, PAUSE_MOST_MS)

    def go_past(self):
        """Be done with the one offered last."""

    def has_had_enough(self):
        """True if the next one has made the server silent too often."""
        return self._silences >= GIVEN_UP
