"""The store of a station on Linux: it also keeps the identifier result parts 2 to 4 (agent.record.extended_values).

MID 0061 and 0065 have them from revision 4 on, always in the same place. Behind a result whose fields were found by
their parameter IDs it keeps the whole message, if the log has room for it.
"""

from toolcart.agent.base.fields import copy, fill, is_blank, number
from toolcart.agent.openprotocol.spindle_assembly import ASSEMBLY_WHOLE, SpindleAssembly
from toolcart.agent.openprotocol.spindle_layouts import BOLT_BYTES
from toolcart.agent.openprotocol.spindles import MultiSpindleResults
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.extended_values import BYTES, IDENTIFIERS, PAYLOAD_BYTES, WIDTH
from toolcart.agent.station.store import Store

CPYTHON_ONLY = True  # boards keep none

_FIRST_REVISION = 4
_LIGHT = 999
_PUSHED = (422, 449, 476)  # first octets of parameters 50 to 52 (OP 5.8.2 p. 141), counted from 1
_FETCHED = (236, 263, 290)  # of 31 to 33 (OP 5.8.6 p. 151-152)


class WideStore(Store):
    """A store that keeps the identifiers behind the body."""

    def read_proven(self, mid, buf, at, length, revision):
        """Read a message whose fields are in place; return a RESULT_ code."""
        read = Store.read_proven(self, mid, buf, at, length, revision)
        if read and octets_of(mid, revision, buf, at, length):
            put(self.log.stage, self.log.place + self.length, mid, buf, at, length)
            self.length += BYTES
        return read

    def keep_shifted(self, buf, at, length):
        """Keep the message beside the result in the stage, which is marked."""
        Store.keep_shifted(self, buf, at, length)
        stage = self.log.stage
        if self.length < PAYLOAD_BYTES:
            fill(stage, self.log.place + self.length, BYTES)
            stage[self.log.place + self.length] = IDENTIFIERS
            self.length += BYTES
        if self.length + length <= self.longest:
            copy(stage, self.log.place + self.length, buf, at, length)
            self.length += length


def octets_of(mid, revision, buf, at, length):
    """Return how many bytes of a record the identifiers of buf[at:at+length] take: BYTES, or 0 if there are none."""
    if revision < _FIRST_REVISION or revision == _LIGHT:
        return 0
    for place in _PUSHED if mid == 61 else _FETCHED:
        if place - 1 + WIDTH <= length and not is_blank(buf, at + place - 1, WIDTH):
            return BYTES
    return 0


def put(record, start, mid, buf, at, length):
    """Write them into record[start:start+BYTES]; one that was cut off is blank."""
    record[start : start + BYTES] = b" " * BYTES
    record[start] = IDENTIFIERS
    to = start + 1
    for place in _PUSHED if mid == 61 else _FETCHED:
        if place - 1 + WIDTH <= length:
            copy(record, to, buf, at + place - 1, WIDTH)
        to += WIDTH


# A result in MID 0106 and 0107 with its special values, which only Linux keeps (toolcart.agent.record.extended_values).
#
#     count 2 | each: name 20 | type 2 | length 2 | value | in MID 0107: step 2 |
#
# From OP 5.13.2 p. 184 and 5.13.3 p. 190: the plant chooses names and lengths. Reading ends at the first cut one.

_BOLTS = 165  # in MID 0106, behind the number of bolts
_BOLT_VALUE_BYTES = 29
_FIXED = 24  # in front of a value


def several(session, controller):
    """Return what the session of these `controller` settings has for results of several spindles."""
    return MultiSpindleResults(session, session.fallback.ledger, controller["results"], WideSpindleAssembly)


class WideSpindleAssembly(SpindleAssembly):
    """A cycle that also keeps what is behind the bolts, and behind the values of each bolt."""

    def take_station(self, buf, at, length, revision):
        """Begin with the MID 0106 at buf[at:at+length]; return ASSEMBLY_WHOLE or ASSEMBLY_UNREADABLE."""
        found = SpindleAssembly.take_station(self, buf, at, length, revision)
        if found == ASSEMBLY_WHOLE:
            bolts = number(buf, at + _BOLTS - 2, 2)
            _take(self, buf, at + _BOLTS + 2 + bolts * BOLT_BYTES, at + length, b"  ", 0)
        return found

    def take_bolt(self, buf, at, end, row):
        """Put one bolt's data behind the rows, as far as there is room; return where its values are, 0: nowhere."""
        place = SpindleAssembly.take_bolt(self, buf, at, end, row)
        if place:
            _take_behind_values(self, buf, place, end, b"%02d" % row)
        return place


def _take_behind_values(cycle, buf, place, end, row):
    """Keep what is behind the values of a MID 0107, whose count is at buf[place:]; `row` is two digits."""
    values = max(0, number(buf, place, 2))
    place += 4 + values * _BOLT_VALUE_BYTES
    steps = number(buf, place, 3) if place + 6 <= end else -1
    if steps < 0:
        return
    cycle.cut = cycle.cut or buf[place + 5] == 0x30  # the controller had no room for all steps (OP 5.13.3 p. 189)
    _take(cycle, buf, place + 8 + steps * rec.VALUE_BYTES, end, row, 2)


def _take(cycle, buf, place, end, row, step_octets):
    count = number(buf, place, 2) if place + 2 <= end else -1
    place += 2
    while count > 0 and place + _FIXED <= end:
        octets = number(buf, place + _FIXED - 2, 2)
        behind = place + _FIXED + octets
        if octets < 0 or behind + step_octets > end:
            return
        step = buf[behind : behind + 2] if step_octets else b"00"
        _keep(cycle, b"S" + row + step + buf[place:behind])
        place = behind + step_octets
        count -= 1


def _keep(cycle, special):
    at = cycle.octets
    if res.HEAD_BYTES + at + len(special) > cycle.most:
        cycle.cut = True
        return
    cycle.octets = at + len(special)
    cycle.body = cycle.body[:at] + special
