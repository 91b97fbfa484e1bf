"""The revisions of one request, most wanted first: which is asked for next, after an answer or the end of a connection.

    rejected    0004, whatever its code    the most wanted one that is left is next
    cut        the connection ended in front of the answer, or none came in time    likewise, see 2 and 3
    occupied   0004: another client has the slot    says nothing about the revision, see 2

Rules
1. When none is left, all are tried again.
2. A controller that another client occupies may close every connection. So a cut counts for certain only if the
   controller has answered since the last session; until then it is a doubt, and the first answer in a less wanted
   revision makes the doubtful ones be asked for again (`answered`).
3. A revision that stood before is given up only after CUTS_MOST in a row, and never because the slot is taken.
4. What the session can go on without is left out of the next connection if one ends soon after its rejection, or in
   front of its answer; if that comes twice, or five times without a word, it is left out until `allow_again`, which the
   session does after an hour.
5. Those from the place `end` on are not asked for: the owner moves it when it has tried everything else.
"""

from toolcart.agent.base.compat import const

CUTS_MOST = const(3)
_ENDS_MOST = const(5)  # more connections than a bad network ends in a row
_REJECTED = const(3)  # for so many counts one that ended with a rejection
BLANK = const(0)  # no revision in the header: it means 1, and an old controller may take nothing else


class Revisions:
    """See the module. `all` is a tuple, `index` the place of the one in use."""

    __slots__ = (
        "_cuts",
        "_doubted",
        "_ends",
        "_failed",
        "all",
        "end",
        "given_up",
        "has_answered",
        "is_exhausted",
        "index",
        "passed_over",
        "accepted_index",
    )

    def __init__(self, revisions):
        self.all = revisions
        self.end = len(revisions)
        self.index = 0
        self.accepted_index = -1  # place of the one that stood last
        self.is_exhausted = False  # all were tried, and none has been answered since
        self.given_up = False  # the session has gone on without it
        self.passed_over = False  # not asked for before a connection has lasted: it may be what ends them
        self._failed = 0  # bits, by place: what was rejected in this round
        self._doubted = 0  # what may have failed, see rule 2
        self._cuts = 0  # in a row
        self._ends = 0  # connections in a row that ended with it
        self.has_answered = False  # it has answered since it stood last

    def wanted(self):
        """Return the revision to ask for."""
        return self.all[self.index]

    def rejected(self):
        """It was rejected: turn to the next one. False if none is left: then all are tried again."""
        self.has_answered = True
        self._failed |= 1 << self.index
        return self._turn()

    def cut(self):
        """No answer came: turn to the next one, if that is due. False if none is left."""
        self._cuts += 1
        if self.index == self.accepted_index and self._cuts < CUTS_MOST:
            return True
        if self.has_answered:
            self._failed |= 1 << self.index
        else:
            self._doubted |= 1 << self.index
        return self._turn()

    def occupied(self):
        """Another client has the slot: nothing was said about this revision."""
        self.has_answered = False
        if self.index != self.accepted_index:
            self._doubted |= 1 << self.index
            self._turn()

    def answered(self):
        """It was answered. False if a doubtful one that is more wanted is to be asked for first: that is in use now."""
        doubted = self._doubted & ((1 << self.index) - 1)
        self.has_answered = True
        self._doubted = 0
        self.is_exhausted = False
        if doubted:
            self._turn()
        return not doubted

    def accepted(self):
        """This one is in use: it is remembered."""
        self.accepted_index = self.index
        self._failed &= ~(1 << self.index)
        self._doubted = self._cuts = 0
        self.has_answered = self.is_exhausted = self.given_up = False

    def prefer(self, revision):
        """Turn to this revision; False if it is not among them, or was rejected."""
        for index in range(len(self.all)):
            if self.all[index] == revision and not self._failed >> index & 1:
                self.index = self.accepted_index = index
                return True
        return False

    def connection_ended(self, lasted, weight=_REJECTED):
        """The connection has ended, `lasted` or not: what it went on without may be what has ended it."""
        if self.given_up:
            self._ends = 0 if lasted else self._ends + weight
        self.passed_over = self.is_suspended() or ((self.passed_over or self.given_up) and not lasted)
        self.given_up = False

    def is_suspended(self):
        """True if connections ended with it so often that it is not asked for until `allow_again`."""
        return self._ends >= _ENDS_MOST

    def forget_ends(self):
        """The ends before the last one had another cause; not where it was left out for that before."""
        if self._ends < _ENDS_MOST:
            self._ends = min(self._ends, 1)

    def allow_again(self):
        """It may be asked for once more."""
        if self.is_suspended():
            self._ends = _ENDS_MOST - 1
            self.passed_over = False

    def _turn(self):
        self._cuts = 0
        for index in range(self.end):
            if not (self._failed | self._doubted) >> index & 1:
                self.index = index
                return True
        self._failed = self._doubted = self.index = 0
        self.is_exhausted = True
        return False
