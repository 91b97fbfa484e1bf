"""One tightening out of its MID 1201 and the MID 1202 that follow (003:7160-7305, beyond-2.8.md 3.5).

    1201  octet 20     23      26       36       55      56        58          [62]
                | total| number| result | time   | status| type of | [MID asked| objects | per object     | fields
                  3      001     ID 10    19       1       op. 2     4, rev 2+]  3         5, rev 3: 10
    1202  octet 20     23      26       36       40
                | total| number| result | object | [GUID of 36, rev 2] | fields
                  3      3       ID 10    4

Offsets count from 0. On a MT Focus 6000 exactly one MID 1202 follows (002:314-315).

Rules
1. Parts belong together by their result ID and total, and come in order. One that does not fit is told and changes
   nothing; a 1201 in front of the end of another, and a number that was left out, give up what was begun (`lost`).
2. Which revision a message has its own header says. A later one than those known is not guessed at.
3. The body has the figures of one object, the first. With more of them it is RESULT_ODD.
4. The status of the whole operation is that of the result; fields fill the rest (agent.openprotocol.variable).

Imported where a controller has no MID 0060.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare, copy, fill, number
from agent.base.ticks import Timer
from agent.openprotocol.variable import read_fields
from agent.record.result import (
    BODY_BYTES,
    ID_BYTES,
    LIMITS_BYTES,
    RESULT_ODD,
    RESULT_READ,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TORQUE_UNIT,
    put_time,
)

PART_KEPT = const(0)
PART_WHOLE = const(1)  # the last one: `body` is complete
PART_AGAIN = const(2)  # came before
PART_FOREIGN = const(3)  # of no tightening that has begun
PART_UNREADABLE = const(4)

WAIT_MS = const(10000)  # for the next part

_OVERALL = const(1201)
_NUMBER = const(23)
RESULT_ID = const(26)  # in both messages
_TIME = const(36)
_STATUS = const(55)
_OBJECTS = const(58)  # of MID 1201 revision 1; the MID asked with stands there from revision 2 on
_OBJECT_FIELDS = const(40)  # of MID 1202 revision 1
_GUID_BYTES = const(36)
_NM = const(0x31)


class Operation:
    """The tightening that is under way, or was completed last."""

    def __init__(self):
        self.body = bytearray(BODY_BYTES + LIMITS_BYTES)
        self.found = RESULT_READ
        self.asked_with = 0  # MID 0008 or 0006, 0 where the revision does not say
        self.under_way = False
        self.lost = False  # what was begun was given up; whoever looks takes it back
        self.kept = False  # what was completed last is durable
        self._total = 0
        self._next = 0
        self._late = Timer()

    def take(self, buf, at, length, mid, revision, now):
        """Take the MID 1201 or 1202 at buf[at:at+length]; return a PART_."""
        found = self._begin(buf, at, length, revision) if mid == _OVERALL else self._go_on(buf, at, length, revision)
        if found == PART_KEPT:
            self._late.start(now, WAIT_MS)
        elif not self.under_way:
            self._late.stop()
        return found

    def give_up(self):
        """What is under way will not be completed."""
        self.lost = self.lost or self.under_way
        self.under_way = False
        self._late.stop()

    def is_late(self, now):
        """Tell whether the next part was waited for long enough."""
        return self._late.armed and self._late.expired(now)

    def _begin(self, buf, at, length, revision):
        if not 1 <= revision <= 3:
            return PART_UNREADABLE
        place = _OBJECTS if revision == 1 else _OBJECTS + 4
        if length < place + 3 or number(buf, at + _NUMBER, 3) != 1 or not all_digits(buf, at + RESULT_ID, ID_BYTES):
            return PART_UNREADABLE
        total = number(buf, at + 20, 3)
        objects = number(buf, at + place, 3)
        if total < 1 or objects < 0:
            return PART_UNREADABLE
        self.give_up()
        self.kept = False
        self._total = total
        self._next = 2
        self.asked_with = max(0, number(buf, at + _OBJECTS, 4)) if revision > 1 else 0
        body = self.body
        fill(body, 0, BODY_BYTES + LIMITS_BYTES)
        body[BODY_BYTES + TORQUE_UNIT] = _NM
        copy(body, TIGHTENING_ID, buf, at + RESULT_ID, ID_BYTES)
        put_time(body, 0, buf, at + _TIME)
        status = buf[at + _STATUS]
        place += 3 + objects * (10 if revision == 3 else 5)
        self.found = read_fields(body, buf, at + place, at + length)
        body[TIGHTENING_STATUS] = status
        if objects > 1 or total > 2 or not 0x30 <= status <= 0x31:
            self.found = RESULT_ODD
        self.under_way = total > 1
        return PART_KEPT if self.under_way else PART_WHOLE

    def _go_on(self, buf, at, length, revision):
        place = _OBJECT_FIELDS if revision == 1 else _OBJECT_FIELDS + _GUID_BYTES
        if not 1 <= revision <= 2 or length < place + 3:
            return PART_UNREADABLE
        count = number(buf, at + _NUMBER, 3)
        if count < 2:
            return PART_UNREADABLE
        if compare(buf, at + RESULT_ID, self.body, TIGHTENING_ID, ID_BYTES) or number(buf, at + 20, 3) != self._total:
            return PART_FOREIGN
        if not self.under_way:
            return PART_AGAIN if count < self._next else PART_FOREIGN
        if count < self._next:
            return PART_AGAIN
        if count > self._next:
            self.give_up()
            return PART_FOREIGN
        self._next += 1
        if count == 2:  # the first object
            status = self.body[TIGHTENING_STATUS]
            self.found = max(self.found, read_fields(self.body, buf, at + place, at + length))
            if status == 0x30 or status == 0x31:
                self.body[TIGHTENING_STATUS] = status
        if count < self._total:
            return PART_KEPT
        self.under_way = False
        return PART_WHOLE
