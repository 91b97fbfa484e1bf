"""A result that began, was acknowledged in part and does not become whole: the last one of which that is not settled.

What is missing is usually seen by the IDs of what comes later (toolcart.agent.openprotocol.id_ledger). Behind this one
nothing may come, or the controller may not have it whole either: without a word it would be nowhere.

Rules
1. It may come again whole: nothing is said for GRACE_MS.
2. It is settled if the log has it, or if it is missing like others: it lies in a range, or not above `w`.
3. Else, once the recovery has asked in vain (nothing can be asked for, the newest does not come, or what the controller
   has ends below it), it is gone, and counted at once. It is not counted again when a later result opens a range over
   it (`reported_id` of toolcart.agent.openprotocol.gap_fill), unless there was a start in between.

Imported when the first such result is met.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol.ids import id_of, is_ahead
from toolcart.agent.record.result import ID_BYTES

GRACE_MS = const(10000)
RETRY_MS = const(30000)  # for the room of an event


class Unfinished:
    """The one that is to be settled, if any."""

    def __init__(self):
        self._digits = bytearray(ID_BYTES)
        self._waits = False
        self._grace = Timer()

    def take(self, digits, ledger, reported, now):
        """Take the ID of one that will not be completed; False if nothing more is to be found out about it."""
        number = id_of(digits, 0)
        is_again = self._waits and digits == self._digits
        if is_again or number == reported or not self._is_above(number, ledger):
            return False
        self._digits[:] = digits
        self._waits = True
        self._grace.start(now, GRACE_MS)
        return True

    def settle(self, gap_fill, duplicates, why, now):
        """Count it as gone unless it is settled otherwise; return the ms after which to try again, 0 if it is done."""
        if not self._waits:
            return 0
        left = 0 if self._grace.expired(now) else self._grace.left(now)
        ledger = gap_fill.ledger
        number = id_of(self._digits, 0)
        if self._is_above(number, ledger) and not duplicates.has_id(self._digits, ledger.since):
            if left:
                return left
            if not gap_fill.report(number, number, 1, why):
                return RETRY_MS
            gap_fill.reported_id = number
            ledger.try_save()
        self._waits = False
        return 0

    def _is_above(self, number, ledger):
        """True if it is not missing like others (rule 2)."""
        return not ledger.misses(number) and (ledger.top() < 0 or is_ahead(number, ledger.top()))
