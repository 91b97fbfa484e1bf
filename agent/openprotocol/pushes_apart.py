"""Pushes without an ID of the memory: how many of the memory's IDs that are gone are in the log all the same.

Rules
1. From `w`, a result of the memory, up to the newest each ID is one result, whether it was pushed or not. What was
   pushed behind `w` and is not found again under one of these IDs is one of those that are gone.
2. How many that are is known at the end of all. At the end of a connection each ID that was not asked for yet counts as
   one of these pushes: then more are gone than it says, and never less.
3. Where the log does not have `w`, nothing that was pushed is known to have come behind it.

Imported where what is pushed has no ID, or not the memory's.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol.ids import is_ahead, is_open, length_of, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, put_digest
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES

_READ_MOST = const(8192)  # records


class PushesApart:
    """What was pushed between two looks."""

    def __init__(self, duplicates, highest, end):
        """`highest` is the digest of `w` before this look; what came from record `end` on is newer than it showed."""
        self._duplicates = duplicates
        self._highest = highest
        self._end = end
        self._count = -1  # of these pushes; -1: not counted yet
        self._found = 0  # answers that the log has

    def take_found(self):
        """An answer has brought what the log has."""
        self._found += 1

    def take_from(self, gone, first, ledger, closed):
        """Return how many of so many IDs that are gone, from `first` on, were pushed for certain.

        Of the ledger's ranges `closed` IDs are closed.
        """
        if not is_ahead(first, unpack_id(self._highest, 0)):
            return 0
        left = -closed
        for begin, end in ledger.ranges:
            left += 0 if is_open(begin, end) else length_of(begin, end)
        if self._count < 0:
            self._count = self._pushed()
        count = max(0, min(gone, self._count - self._found - left))
        self._count -= count
        return count

    def _pushed(self):
        pushes = []
        top = 0
        one = bytearray(FINGERPRINT_BYTES)
        for page, at, flags in self._duplicates.results(1, _READ_MOST):
            record = get_u32(page, at - HEAD_BYTES)
            if record < top:
                break
            put_digest(one, 0, page, at, flags)
            if are_alike(one, self._highest):
                top = max(top, record)
            elif not flags & FLAG_RECOVERED and record < self._end:
                pushes.append(record)
        return len([record for record in pushes if record > top]) if top else 0
