"""What answers and pushes have shown since the recovery started over, and what follows from it.

newest, top     N: the newest that was answered, or pushed since; NONE as long as nothing has shown it
first .. upto   what may be missing, once that is concluded
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.ids import is_ahead, preceding
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES

NONE = const(-1)


class ObservedIds:
    """Made once: a restart of the recovery resets it."""

    def __init__(self):
        self.top = bytearray(FINGERPRINT_BYTES)
        self.forget()

    def forget(self):
        """Nothing was observed."""
        self.newest = NONE
        self.is_held = False  # the newest, by the log
        self.is_inconclusive = False  # nothing says whether the highest result known is what has its ID now
        self.is_confirmed = False  # the newest, under its own ID
        self.end = b""  # the newest, where ID 0 brought it under a wrong ID: its digest
        self.is_zero_absent = False  # ID 0 is: that may be unknown there
        self.is_witness_there = False  # there is a result under the highest ID known, this one or another
        self.gone_run = 0  # gone in a row, upward
        self.first = self.upto = 0
        self.starts_over = False  # only that is missing, not what was before
        self.is_reset = False  # since the IDs began again

    def is_nothing(self):
        """True if nothing has shown what the newest is."""
        return self.newest < 0

    def is_below(self, number):
        """True if the newest is below `number`, or there is none."""
        return self.newest < 0 or is_ahead(number, self.newest)

    def take(self, number, digest):
        """This is the newest."""
        self.newest = number
        copy(self.top, 0, digest, 0, FINGERPRINT_BYTES)

    def take_newest(self, number, digest, is_held, ledger):
        """Take the newest of one of the spindles: the highest of all counts, of equals the one that is known."""
        is_above = self.is_below(number)
        if is_above or (ledger.is_top(digest) and not ledger.is_top(self.top)):
            self.take(number, digest)
        if is_above or number == self.newest:
            self.is_held = is_held or (self.is_held and not is_above)

    def miss_up_to_newest(self, is_known):
        """What may be missing ends with the newest, or in front of it if that `is_known`."""
        self.upto = preceding(self.newest) if is_known else self.newest
