"""Is a fetched result one that was pushed under another ID? Known by its VIN, time and values.

Some push an ID that is not the one their memory has the result under.

Rules
1. PROOF_LEAST results that are not alike, found in the log under other IDs, prove it. From then on (`is_apart` of
   toolcart.agent.openprotocol.id_ledger) jumps of pushed IDs show nothing, and what a fetched result has in common with
   a pushed one is that.
2. A pushed result is one fetched result, not two: another that is like it is stored.
3. An ID that is off by OFFSET_MOST or less shows nothing here: see toolcart.agent.openprotocol.id_offset.
4. The newest RESULTS_MOST records of the log are compared. Where there are more, what is not found counts as stored
   again, as a bound.

Imported where a walk shows that a controller has what is not above the highest ID known.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol.duplicate_search import RESULTS_MOST
from toolcart.agent.openprotocol.id_offset import apart
from toolcart.agent.openprotocol.ids import id_of
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, put_digest
from toolcart.agent.record import result as res

PROOF_LEAST = const(2)


class PushedValues:
    """What the log has, as far as it was pushed."""

    def __init__(self):
        self.is_read = self.is_partial = False
        self.reads = 0
        self._ids = {}  # the IDs that results of these values were pushed with
        self._found = {}  # by the ID of the memory: what was found
        self._digest = bytearray(FINGERPRINT_BYTES)

    def read(self, duplicates):
        """Read what the log has, if that is not read."""
        if self.is_read:
            return
        self.is_read = True
        self.reads += 1
        self._ids = {}
        count = 0
        for page, at, flags in duplicates.results(1):
            count += 1
            if not flags & res.FLAG_RECOVERED:
                key = self._key(page, at, flags)
                if key:
                    self._ids.setdefault(key, []).append(_id_of(page, at))
        self.is_partial = count >= RESULTS_MOST

    def has(self, body, start, flags):
        """True if the fetched result at body[start:] was pushed under another ID, and is no other one's."""
        key = self._key(body, start, flags)
        number = _id_of(body, start)
        pushed = self._ids.get(key)
        if not key or pushed is None or any(number == one or apart(number, one) for one in pushed):
            return False
        alike = [one for one in self._found if self._found[one] == key and one != number]
        if len(alike) >= len(pushed):
            return False
        self._found[number] = key
        return True

    def is_near(self, body, start, flags):
        """True if it was pushed under an ID near its own, or its own, though the log has it not under that."""
        key = self._key(body, start, flags)
        return key != 0 and key in self._ids and key not in self._found.values()

    def is_suspected(self):
        """True if one was found."""
        return len(self._found) > 0

    def is_proven(self):
        """Rule 1."""
        return len(set(self._found.values())) >= PROOF_LEAST

    def _key(self, page, at, flags):
        """Return what the result has besides its ID; 0 if it has no time or values."""
        digest = self._digest
        put_digest(digest, 0, page, at, flags)
        if not digest[TIME + 2] or digest[-1] == 0xFF or digest[-2] == 0xFF:
            return 0
        values = crc30(digest, TIME, FINGERPRINT_BYTES)
        return crc30(page, at + res.VIN, at + res.VIN + res.VIN_BYTES, values) or 1


def _id_of(page, at):
    at += res.TIGHTENING_ID
    return id_of(page, at) if all_digits(page, at, res.ID_BYTES) else -1
