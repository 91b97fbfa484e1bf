"""Missing IDs whose question was in vain, and which are asked for again later: the others go on meanwhile.

Rules
1. If others may be missing an ID is put off at once where its question is answered with "later", since a memory may be
   a ring and drops the others meanwhile; after TRIES_MOST questions in a row that were not answered in a usable way;
   and after as many that ended the connection, whatever else is missing.
2. It stays open, in the ledger's `later`, and is asked for again after RETRY_MS, or AFTER_CUT_MS if its question ended
   connections, once nothing else is left.
3. No more than PUT_OFF_MOST are put off at a time: further ones are asked for again and again, as if there were none.

Imported where a question for a missing ID is in vain.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer

TRIES_MOST = const(2)
PUT_OFF_MOST = const(8)
RETRY_MS = const(30000)
AFTER_CUT_MS = const(600000)


class PutOffIds:
    """Of one controller, over all its connections."""

    def __init__(self):
        self._waits = {}  # by ID: until when it is put off
        self._failed = -1  # the ID asked for in vain last
        self._is_cut = False  # that question ended the connection
        self._times = 0  # in a row

    def fails(self, number, is_cut=False, is_later=False):
        """Take a question for this ID that was in vain; True if it is to be put off."""
        if (number, is_cut) != (self._failed, self._is_cut):
            self._failed, self._is_cut = number, is_cut
            self._times = 0
        self._times += 1
        is_new = number not in self._waits
        is_enough = self._times >= TRIES_MOST or is_later or not is_new
        return is_enough and (not is_new or len(self._waits) < PUT_OFF_MOST)

    def put_off(self, number, now, is_cut=False):
        """Put this ID off."""
        timer = self._waits.setdefault(number, Timer())
        timer.start(now, AFTER_CUT_MS if is_cut else RETRY_MS)

    def is_waiting(self, number, now):
        """True if this ID is put off."""
        return number in self._waits and not self._waits[number].expired(now)

    def is_done(self, number):
        """This ID is no longer missing."""
        self._waits.pop(number, None)

    def next_due(self, later, now):
        """Return the first of these IDs that is put off no longer, -1 if all are."""
        for number in later:
            if not self.is_waiting(number, now):
                return number
        return -1
