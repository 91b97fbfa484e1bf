"""What every source of agent.outlets.toolsnet.beside has: patience with a server that refuses, or says nothing.

Rules
1. What is refused is offered again after 5, 30, 60 s (`refused_wait_s`, DIGEST G.9 no. 3), `refused_attempts` times in
   all.
2. What makes the server silent costs a connection, so the next try is after HOLD_MS, and each further one ten times
   later, an hour at most, until something is taken. After GIVEN_UP of them it is passed.
"""

from agent.base.ticks import Timer

CPYTHON_ONLY = True  # a board has room for results alone

HOLD_MS = 60000
HOLD_MOST_MS = 3600000
GIVEN_UP = 3

_WAIT_FACTORS = b"\x01\x06\x0c"


class Source:
    """Counts what becomes of the one that is out."""

    takes_10 = False
    gives_way = False

    def __init__(self, settings):
        self.hold = Timer()
        self.busy = False
        self.attempts = settings["refused_attempts"]
        self.wait_ms = settings["refused_wait_ms"]
        self.sent = self.passed = 0
        self._refusals = self._silences = 0  # of the one that is next
        self._pause = HOLD_MS

    def begin_anew(self):
        """Another one is next."""
        self._refusals = self._silences = 0

    def count_accepted(self):
        """It was taken."""
        self.sent += 1
        self._pause = HOLD_MS
        self.begin_anew()

    def count_refused(self, now):
        """It was refused; whether it is to be passed."""
        self._refusals += 1
        if self._refusals >= self.attempts:
            self.passed += 1
            self.begin_anew()
            return True
        self.hold.start(now, self.wait_ms * _WAIT_FACTORS[min(self._refusals, 3) - 1])
        return False

    def count_silent(self, now):
        """Nothing was answered."""
        self._silences += 1
        self.hold.start(now, self._pause)
        self._pause = min(self._pause * 10, HOLD_MOST_MS)

    def has_had_enough(self):
        """Tell whether the next one has made the server silent too often."""
        return self._silences >= GIVEN_UP
