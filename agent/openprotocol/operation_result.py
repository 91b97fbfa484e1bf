"""One tightening, read from its MID 1201 and the MID 1202 that follow; how a session asks where there is no MID 0060.

    1201  octet 20     23      26       36       55      56        58          [62]
                | total| number| result | time   | status| type of | [MID asked| objects | per object     | fields
                  3      001     ID 10    19       1       op. 2     4, rev 2+]  3         5, rev 3: 10
    1202  octet 20     23      26       36       40
                | total| number| result | object | [GUID of 36, rev 2] | fields
                  3      3       ID 10    4
    0008        | 1201 | revision 3 | 31 | alternative 0 | time stamp 19 | index 10 | objects too 1 |  else zeros
    0006        | 1201 | revision 3 | 10 | index 10, 0 for the newest |

Offsets count from 0 (OP 5.9.1.1 p. 154-157, protocol.md 10.7, 11.2). On an MT Focus 6000 exactly one
MID 1202 follows (MT notes on MID 0008).

Rules
1. Parts belong together by their result ID and total, whatever their order. A MID 1202 in front of its MID 1201, which
   no document has so (OP 5.9.2.3 p. 157), is held until that comes, as far as HELD_MOST payloads have room. Two results
   may come at a time, say a push and an answer; with a third one the older is given up (`lost`), as is what has waited
   WAIT_MS. A part that differs from one of its number, or has another total, is PART_FOREIGN and changes nothing.
2. The revision of a message is that of its own header. One later than those known is not guessed at.
3. The body has the figures of one object, the first; if there are several, each has a row after the body
   (toolcart.agent.record.spindles). The status is the whole operation's, also where that is none: no object speaks
   for all. Fields fill the rest (toolcart.agent.openprotocol.variable).
4. An MT Focus 6000 (system type 004) is never asked by MID 0060; any other controller that does not know MID 0060 is
   asked this way next, in the same session. The next session begins as usual.
5. A rejection names MID 0008 or 0006 there (MT "Special MT Focus 6000 considerations, per mid"), elsewhere 1201:
   toolcart.agent.openprotocol.requests understands both.
6. From revision 2 on MID 1201 says by which MID it was asked for. In revision 1 only the ID tells an answer from a
   push: what may be an answer is stored like a push but not acknowledged, so that a push comes again. If the question
   is rejected, it was a push. It is not sent again while such a part waits: then one that comes twice was pushed.
7. An MT Focus 6000 sends a whole result at once, usually more than 1 KiB (MT notes on MID 1202): there is room for the
   longest message if the heap has it.
8. A MID 1202 belongs to the object at its place in the list, or to the next one with its ID that has none yet. One
   that belongs to no object, or to one without a row, is `unplaced`: the owner keeps it as it came, and the result is
   RESULT_ODD.
9. A message whose place among the parts is proven, but not its fields, or not its torque, is `damaged`: the owner keeps
   it as it came, too. An object whose MID 1202 is damaged, or not there, is left out of the rows, which are fewer than
   were announced then, so none shows a figure that was not made. Without any proven object the result is
   RESULT_UNREADABLE, and `first`, its MID 1201, is kept as it came.
10. A MID 1201 has no parameter IDs. What proves it are its digits and its time: the separators of that, whatever is
   between them, its digits with blanks or other marks between them, or a T behind the date, or nothing but blanks.
11. What is held in front of a MID 1201 that cannot be read, or does not come, is `spilled`: the owner keeps it as it
   came. `is_kept`: it does so with each part of this result before it is acknowledged. So are all parts of a push that
   is given up when some of them were acknowledged; what does not fit into HELD_MOST payloads is not held for that.
12. A result of which MID 1201 and all of its objects came, though it says that there are more parts, is the `rest` when
   it is given up: the owner takes it as the result, RESULT_ODD and INCOMPLETE.

Imported when the first such controller is met.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import all_digits, compare, copy, is_blank, number, put_number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol.header import HEADER_BYTES, revision_of
from toolcart.agent.openprotocol.ids import is_some
from toolcart.agent.openprotocol.light_result import is_stamp
from toolcart.agent.openprotocol.receive_buffer import make_room
from toolcart.agent.openprotocol.session_states import EV_FETCH_SILENT, EV_HISTORY_REJECTED, EV_NONE
from toolcart.agent.openprotocol.subscriptions import Subscription
from toolcart.agent.openprotocol.variable import read_fields
from toolcart.agent.record import FRAME_MOST, PAYLOAD_MAX
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.result import (
    ANGLE_DECIMALS,
    BODY_BYTES,
    HEAD_BYTES,
    ID_BYTES,
    LIMITS_BYTES,
    QUARANTINE_BYTES,
    RESULT_ODD,
    RESULT_READ,
    RESULT_UNREADABLE,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TIME,
    TORQUE,
    TORQUE_BYTES,
    TORQUE_STATUS,
    TORQUE_UNIT,
    put_time,
)

PART_KEPT = const(0)
PART_WHOLE = const(1)  # the last one: `body` is complete
PART_AGAIN = const(2)  # came before
PART_FOREIGN = const(3)  # has no place in the tightening of its ID
PART_UNREADABLE = const(4)

NOT_LOST = const(0)
LOST_PUSH = const(1)
LOST_ANSWER = const(2)  # or what may be one: it is asked for again
LOST_UNKNOWN = const(3)  # a push, of an ID that is not sure

WAIT_MS = const(10000)  # for the next part
HOLD_MS = const(1000)  # so long nothing is asked for while the parts of a result come
HELD_MOST = const(8)  # payloads, of what comes in front of its MID 1201

OVERALL = const(1201)
_NUMBER = const(23)
RESULT_ID = const(26)  # in both messages
_TIME = const(36)
_STATUS = const(55)
_OBJECTS = const(58)  # of MID 1201 revision 1; the MID asked with is there from revision 2 on
_OBJECT = const(36)  # its ID
_OBJECT_FIELDS = const(40)  # of MID 1202 revision 1
_GUID_BYTES = const(36)
_BODY_BYTES = const(143)  # with limits; after it the head of several objects
_FIRST = const(154)  # row (toolcart.agent.record.spindles)
_NM = const(0x31)
_T = const(0x54)  # between date and time
_PARTS = ((1201, 1203), (1202, 1203))
OPERATIONS = (8, 9, 1201, b"310" + b"0" * 29 + b"1", True, _PARTS)
OPERATION_REVISIONS = (2, 3, 1)

HISTORY = (6, 1201, 61, False, 19, RESULT_ID, False, EV_NONE, EV_FETCH_SILENT, EV_HISTORY_REJECTED, rq.REPORT)
_HISTORY_DATA = b"120100210"

ANSWER_NONE = const(0)  # a push
ANSWER_MAYBE = const(1)  # a push, or the newest that was asked for: revision 1 does not say
ANSWER_SURE = const(2)
ANSWER_LATE = const(3)  # to an earlier question, or to none

_NEWEST = b"0" * ID_BYTES


class OperationResult:
    """A tightening under way, or the last one completed here."""

    def __init__(self):
        self.body = bytearray(_BODY_BYTES)  # and the rows, if there are several objects
        self.most = PAYLOAD_MAX - QUARANTINE_BYTES  # bytes of a payload that the log takes; set by the owner
        self.result_code = RESULT_READ
        self.asked_with = 0  # MID 0008 or 0006, 0 where the revision does not say, or MID 1201 has not come
        self.under_way = False
        self.damaged = False  # the message taken last is (rule 9)
        self.unplaced = False  # the message taken last belongs to no row (rule 8)
        self.spilled = []  # of what was held: what the result will not have; taken by whoever reads it
        self.is_kept = False  # what is held was kept as it came (rule 11)
        self.first = b""  # the MID 1201, as far as a frame is kept
        self.noted = False  # it is durable that this result may be missing
        self.lost = NOT_LOST  # what was given up; cleared by whoever reads it
        self.lost_id = b""  # the ID of that, if it is to be noted as missing, or as seen; likewise
        self.rest = None  # its body and MID 1201, if all of its objects came (rule 12); likewise
        self.answers = False  # what has begun, or was given up, may be an answer: no part of it was acknowledged
        self.pushed = False  # a part of it was acknowledged: it answers nothing that was asked since
        self.begins_again = False  # the message taken last is its first part, which came before
        self.kept = False  # the one completed is durable
        self.answered = False  # the one completed was taken as an answer
        self._total = self._objects = 0
        self._taken = {}  # by the number of each part that came: a check of it
        self._held = {}  # likewise: the message, as far as it was not kept as it came; empty in front of MID 1201 then
        self._proven = []  # of each row, or of the only object: its MID 1202 was read
        self._is_whole = True  # no part of it was damaged
        self._late = Timer()

    def is_of(self, buf, at):
        """True if the message at buf[at:] has the ID of this tightening."""
        return self._total > 0 and compare(buf, at + RESULT_ID, self.body, TIGHTENING_ID, ID_BYTES) == 0

    def fits(self, buf, at, length, mid):
        """True if the message at buf[at:] may be a part of what is under way, which has not come."""
        if not self.under_way or not self.is_of(buf, at):
            return False
        return (1 if mid == OVERALL else number(buf, at + _NUMBER, 3)) not in self._taken

    def repeats(self, buf, at, length, mid):
        """True if the message at buf[at:] is a part of this that came before."""
        count = 1 if mid == OVERALL else number(buf, at + _NUMBER, 3)
        return self.is_of(buf, at) and self._taken.get(count) == _check_of(buf, at, length)

    def is_early(self):
        """True if a part is held until MID 1201 comes."""
        return self.under_way and 1 not in self._taken

    def is_in_doubt(self):
        """True if it may be an answer or a push, and no part of it says which (rule 6)."""
        return self.answers and not self.asked_with

    def take(self, buf, at, length, mid, revision, now):
        """Take the MID 1201 or 1202 at buf[at:at+length]; return a PART_."""
        self.damaged = self.unplaced = self.begins_again = False
        part = self._begin(buf, at, length, revision) if mid == OVERALL else self._go_on(buf, at, length, revision)
        if part == PART_KEPT:
            self._late.start(now, WAIT_MS)
        elif not self.under_way:
            self._late.stop()
        return part

    def give_up(self):
        """Give up what is under way: it will not be completed."""
        if self.under_way:
            self.drop()

    def forget(self):
        """Give up what is under way, or forget what was completed: another one begins."""
        self.give_up()
        self._total = 0

    def drop(self, is_sure=True):
        """Forget what is under way, or was completed and is not kept: it is lost. `is_sure`: so is its ID."""
        is_known = self.noted or (is_sure and is_some(self.body, TIGHTENING_ID))
        self.lost = LOST_ANSWER if self.answers else LOST_PUSH if is_known else LOST_UNKNOWN
        self.lost_id = b""
        if is_known and (self.lost == LOST_ANSWER or not self.noted):
            self.lost_id = bytes(self.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES])
        if self.under_way and (self.pushed or self.answers) and is_sure and self._has_all_objects():
            from toolcart.agent.record.malformed import INCOMPLETE  # hardly any result is

            self.body[BODY_BYTES + ANGLE_DECIMALS] |= INCOMPLETE
            self.rest = (self.body, self.first)
        if self.under_way and self.pushed:
            self.spill()
        self.under_way = False
        self._total = 0
        self._held = {}
        self._late.stop()

    def spill(self):
        """What is held is to be kept as it came: what it is of may not come whole (rule 11)."""
        if not self.is_kept:
            self.spilled += [frame for frame in self._held.values() if frame]
            self.is_kept = True
        if self.first:
            self.spilled.append(self.first)

    def _has_all_objects(self):
        """True if MID 1201 came and all of its objects did, whatever its number of parts says (rule 12)."""
        return 1 in self._taken and self._is_whole and False not in self._proven and len(self._taken) > self._objects

    def is_late(self, now):
        """True if the wait for the next part is over."""
        return self._late.armed and self._late.expired(now)

    def _begin(self, buf, at, length, revision):
        if not 1 <= revision <= 3:
            return PART_UNREADABLE
        place = _OBJECTS if revision == 1 else _OBJECTS + 4
        if length < place + 3 or number(buf, at + _NUMBER, 3) != 1 or not all_digits(buf, at + RESULT_ID, ID_BYTES):
            return PART_UNREADABLE
        stamp = _stamp_of(buf, at + _TIME)
        if not stamp:
            return PART_UNREADABLE
        total = number(buf, at + 20, 3)
        objects = number(buf, at + place, 3)
        if total < 1 or objects < 0:
            return PART_UNREADABLE
        if self.under_way and self.repeats(buf, at, length, OVERALL):
            self.begins_again = True
            return PART_AGAIN
        if not (self.is_early() and self.is_of(buf, at) and total == self._total):
            self._start(buf, at, total)
        self._taken[1] = _check_of(buf, at, length)
        self.asked_with = max(0, number(buf, at + _OBJECTS, 4)) if revision > 1 else 0
        place += 3
        width = 10 if revision == 3 else 5
        rows = min(objects, (length - place) // width, (self.most - HEAD_BYTES - _FIRST) // sp.OBJECTS_ROW_BYTES, 99)
        if objects > 1 and rows > 0:
            self.body = body = _body_of(rows, objects, buf, at + place, width)
        else:
            self.body = body = bytearray(b" " * _BODY_BYTES)
        body[BODY_BYTES + TORQUE_UNIT] = _NM
        copy(body, TIGHTENING_ID, buf, at + RESULT_ID, ID_BYTES)
        put_time(body, 0, stamp, 0)
        status = body[TIGHTENING_STATUS] = buf[at + _STATUS] or 0x20
        self.result_code = read_fields(
            body, buf, at + place + objects * width, at + length, number(buf, at, 4) > length
        )
        self.damaged = self.result_code == RESULT_UNREADABLE
        self._is_whole = self._is_whole and not self.damaged
        self._proven = [False] * max(rows, 1)
        self._objects = max(objects, 1)
        self.first = bytes(buf[at : at + min(length, FRAME_MOST)])
        self.result_code = max(self.result_code, RESULT_READ)
        if rows < objects or total - 1 > self._objects or not 0x30 <= status <= 0x31:
            self.result_code = RESULT_ODD
        self._place_held()
        return self._complete(objects)

    def _start(self, buf, at, total):
        """Begin with the result of the message at buf[at:], which has so many parts."""
        self.give_up()
        self.body = bytearray(b" " * _BODY_BYTES)
        copy(self.body, TIGHTENING_ID, buf, at + RESULT_ID, ID_BYTES)
        self.pushed = self.kept = self.answered = self.noted = False
        self.asked_with = 0
        self.first = b""
        self.is_kept = False
        self.under_way = self._is_whole = True
        self._total = total
        self._taken = {}

    def _place_held(self):
        """MID 1201 came: give each object that came in front of it its place."""
        is_damaged = self.damaged
        for count in sorted(self._held):
            frame = self._held[count]
            if frame:
                self._place(count, frame, 0, len(frame), revision_of(frame, 0))
                if self.unplaced:
                    self.spilled += [] if self.is_kept else [frame]
                    self._held[count] = b""
        if self.is_kept:
            self._held = {}
            self.is_kept = False
        self.damaged = is_damaged
        self.unplaced = False

    def _complete(self, objects=1):
        """Return PART_WHOLE if all parts came, else PART_KEPT."""
        if len(self._taken) < self._total:
            return PART_KEPT
        self.under_way = False
        self._held = {}
        if self._total == 1 and (self.damaged or objects > 1):
            self.result_code = RESULT_UNREADABLE
        elif self._total > 1 and (not self._is_whole or False in self._proven):
            self._drop_unproven()
        return PART_WHOLE

    def _go_on(self, buf, at, length, revision):
        place = _OBJECT_FIELDS if revision == 1 else _OBJECT_FIELDS + _GUID_BYTES
        if not 1 <= revision <= 2 or length < place + 3 or not all_digits(buf, at + RESULT_ID, ID_BYTES):
            return PART_UNREADABLE
        count = number(buf, at + _NUMBER, 3)
        total = number(buf, at + 20, 3)
        if count < 2:
            return PART_UNREADABLE
        if self.repeats(buf, at, length, 0):
            self.begins_again = count == min(self._taken)
            return PART_AGAIN
        is_other = not self.is_of(buf, at)
        if count > total or (is_other and length > HELD_MOST * self.most):
            return PART_FOREIGN
        if not is_other and (not self.under_way or total != self._total or count in self._taken):
            return PART_FOREIGN
        if is_other:
            self._start(buf, at, total)
        if self.is_early():
            return self._hold(count, buf, at, length, place)
        self._taken[count] = _check_of(buf, at, length)
        self._place(count, buf, at, length, revision)
        if not (self.damaged or self.unplaced) and self._has_room(length):
            self._held[count] = bytes(buf[at : at + length])
        return self._complete()

    def _has_room(self, length):
        """True if one more message of this length may be held."""
        return sum([len(frame) for frame in self._held.values()]) + length <= HELD_MOST * self.most

    def _hold(self, count, buf, at, length, place):
        """Hold the MID 1202 at buf[at:], number `count` of its result, until MID 1201 comes; return a PART_."""
        if not self._has_room(length):
            return PART_FOREIGN
        code = _read_object(bytearray(b" " * _BODY_BYTES), buf, at + place, at + length, number(buf, at, 4) > length)
        self.damaged = code == RESULT_UNREADABLE
        self._is_whole = self._is_whole and not self.damaged
        self._held[count] = b"" if self.damaged else bytes(buf[at : at + length])
        self._taken[count] = _check_of(buf, at, length)
        return PART_KEPT

    def _place(self, count, buf, at, length, revision):
        """Give the object of the MID 1202 at buf[at:], number `count` of its result, its place."""
        place = _OBJECT_FIELDS if revision == 1 else _OBJECT_FIELDS + _GUID_BYTES
        self.unplaced = count > 2 and len(self.body) == _BODY_BYTES  # it has the figures of the first object alone
        if self.unplaced:
            self.result_code = RESULT_ODD
            return
        is_cut = number(buf, at, 4) > length
        code = self._take_object(count - 2, buf, at + _OBJECT, at + place, at + length, is_cut)
        self.damaged = code == RESULT_UNREADABLE
        self._is_whole = self._is_whole and not self.damaged
        self.result_code = max(self.result_code, code)

    def _take_object(self, index, buf, at, place, end, is_cut):
        """Take the fields at buf[place:end] of the object whose ID is at buf[at:]; return a RESULT_ (rule 8)."""
        body = self.body
        if len(body) == _BODY_BYTES:
            code = _read_object(body, buf, place, end, is_cut)
            self._proven[0] = code != RESULT_UNREADABLE
            return code
        rows = len(self._proven)
        for step in range(rows):
            row = (index + step) % rows
            to = _FIRST + row * sp.OBJECTS_ROW_BYTES
            if not (self._proven[row] or compare(buf, at, body, to, 4)):
                own = bytearray(b" " * _BODY_BYTES) if row else body
                code = _read_object(own, buf, place, end, is_cut)
                if code != RESULT_UNREADABLE:
                    self._proven[row] = True
                    copy(body, to + 5, own, TORQUE_STATUS, TIME - TORQUE_STATUS)
                    for status in (to + 5, to + 6):
                        body[status] = sp.judgement(body[status])
                    copy(body, to + sp.OBJECT_LIMITS, own, BODY_BYTES, sp.OBJECT_TYPE - sp.OBJECT_LIMITS)
                return code
        self.unplaced = True
        return RESULT_ODD

    def _drop_unproven(self):
        """Drop what is not proven (rule 9); the body has the figures of the first object that is."""
        from toolcart.agent.record.malformed import INCOMPLETE  # hardly any result is

        body = self.body
        self.result_code = RESULT_ODD if True in self._proven else RESULT_UNREADABLE
        if self.result_code == RESULT_UNREADABLE:
            return
        if len(body) == _BODY_BYTES:
            body[BODY_BYTES + ANGLE_DECIMALS] |= INCOMPLETE
            return
        kept = body[:_FIRST]
        for row in range(len(self._proven)):
            if self._proven[row]:
                to = _FIRST + row * sp.OBJECTS_ROW_BYTES
                kept += body[to : to + sp.OBJECTS_ROW_BYTES]
        put_number(kept, _BODY_BYTES + sp.ROWS, 2, (len(kept) - _FIRST) // sp.OBJECTS_ROW_BYTES)
        copy(kept, TORQUE_STATUS, kept, _FIRST + 5, TIME - TORQUE_STATUS)
        copy(kept, BODY_BYTES, kept, _FIRST + sp.OBJECT_LIMITS, sp.OBJECT_TYPE - sp.OBJECT_LIMITS)
        kept[BODY_BYTES + ANGLE_DECIMALS] |= INCOMPLETE
        self.body = kept


def _check_of(buf, at, length):
    """Return what tells the message at buf[at:] from others, without its header."""
    return crc30(buf, at + HEADER_BYTES, at + length)


def _stamp_of(buf, at):
    """Return the time at buf[at:] with the separators that belong there; empty if it is none (rule 10)."""
    stamp = bytearray(buf[at : at + _STATUS - _TIME])
    if is_stamp(stamp, 0) or is_blank(stamp, 0, len(stamp)):
        return stamp
    for index in range(len(stamp)):
        octet = stamp[index]
        if index in (4, 7, 10, 13, 16):
            if not (0x20 <= octet < 0x30 or 0x3A <= octet <= 0x40 or (index == 10 and octet & 0xDF == _T)):
                return b""
            stamp[index] = 0x2D if index < 10 else 0x3A
        elif not 0x30 <= octet <= 0x39:
            return b""
    return stamp


def _body_of(rows, objects, buf, at, width):
    """Return a blank body with a row for each object, listed at buf[at:] in `width` bytes each."""
    body = bytearray(b" " * (_FIRST + rows * sp.OBJECTS_ROW_BYTES))
    body[_BODY_BYTES] = sp.OBJECTS
    put_number(body, _BODY_BYTES + sp.ROWS, 2, rows)
    put_number(body, _BODY_BYTES + sp.ANNOUNCED, 2, min(objects, 99))
    if objects > 99:
        put_number(body, _BODY_BYTES + sp.JOB_SEQUENCE, sp.JOB_SEQUENCE_BYTES, objects)
    for place in range(_FIRST, len(body), sp.OBJECTS_ROW_BYTES):
        copy(body, place, buf, at, 5)  # ID, status
        copy(body, place + sp.OBJECT_TYPE, buf, at + 5, width - 5)
        at += width
    return body


def _read_object(body, buf, place, end, is_cut):
    """Read the fields of an object; RESULT_UNREADABLE too if the message was cut off in front of its torque."""
    code = read_fields(body, buf, place, end, is_cut)
    return RESULT_UNREADABLE if is_cut and is_blank(body, TORQUE, TORQUE_BYTES) else code


class GenericSubscription:
    """Takes the place of a session's rows for MID 0060 and 0064, from the first such controller on."""

    def __init__(self, session):
        self.operation = OperationResult()  # which the last message was of
        self.operations = [self.operation]  # two, once there was a second one
        self.holds_back = False  # parts of a result come: nothing is asked for in between
        self.in_use = False
        self.withheld = False  # what came last was not acknowledged, as it may be an answer
        self._hold = Timer()
        self._subscription = Subscription(OPERATIONS, OPERATION_REVISIONS)
        self._data = bytearray(_HISTORY_DATA + b"0" * ID_BYTES)
        self._usual = session.subscriptions

    def begin(self, session):
        """Take the place of the session's first subscription."""
        self.in_use = True
        session.put_subscriptions((self._subscription,) + self._usual[1:])
        make_room(session.link)

    def leave(self, session):
        """Begin a new session as with any controller."""
        if self.in_use:
            self.in_use = False
            session.put_subscriptions(self._usual)

    def opened(self):
        """A connection begins: what had begun on the last one is lost."""
        for operation in self.operations:
            operation.give_up()
        self.tick(0)

    def route(self, session):
        """Make `operation` the one that the message which just came is of, or may begin."""
        link = session.link
        buf, at, length, mid = link.buf, link.at, link.length, session.received.mid
        last = self.operation
        if length < RESULT_ID + ID_BYTES:
            return
        may_answer = self.is_asked_for(session, buf, at + RESULT_ID)
        ones = self.operations if self.operations[0] is last else self.operations[::-1]  # parts come in a row
        for one in ones:
            if one.fits(buf, at, length, mid):
                self.operation = one
                return
        for one in ones:
            is_open = one.under_way if mid == OVERALL else one.under_way or not may_answer
            if is_open and one.repeats(buf, at, length, mid) and (one.answers or not may_answer):
                self.operation = one
                return
        for one in ones:
            if mid != OVERALL and not may_answer and one.is_of(buf, at):
                self.operation = one
                return
        if last.under_way and len(ones) == 1:
            self.operation = OperationResult()
            self.operations.append(self.operation)
        elif last.under_way or not ones[-1].under_way:
            self.operation = ones[-1]
        self.operation.forget()

    def tick(self, now, begins=False):
        """Take what time it is, or that a result `begins`; return the ms until something may be asked for, 0: now."""
        if not [one for one in self.operations if one.under_way]:
            self._hold.stop()
        elif begins and not self._hold.armed:
            self._hold.start(now, HOLD_MS)
        self.holds_back = self._hold.armed and not self._hold.expired(now)
        return self._hold.left(now) if self.holds_back else 0

    def is_under_way(self, ident):
        """True if parts of the result with these ten digits have come, and others may."""
        for one in self.operations:
            if one.under_way and compare(one.body, TIGHTENING_ID, ident, 0, ID_BYTES) == 0:
                return True
        return False

    def completed(self):
        """A result is whole: the next one that begins keeps questions back anew."""
        self._hold.stop()

    def is_late(self, now):
        """True if the wait for a part is over: what it is of was given up."""
        late = [one for one in self.operations if one.is_late(now)]
        for one in late:
            one.give_up()
        self.tick(now)
        return len(late) > 0

    def lost(self):
        """Return what was given up, or could not be noted as that yet."""
        return [one for one in self.operations if one.lost or one.lost_id or one.spilled]

    def fetch(self, session):
        """Ask by MID 0006 for the result with the ID in `session.old_result.asked_id`; all zeros mean the newest."""
        subscription = self._subscription
        copy(self._data, 0, subscription.data, 0, 7)  # in the revision that was accepted
        copy(self._data, len(_HISTORY_DATA), session.old_result.asked_id, 0, ID_BYTES)
        session.request.spindle = 0
        session.request.ask(HISTORY, rq.MID_HISTORY, 1201, 1, self._data, session.tries)

    def answers(self, session):
        """Return how the completed operation answers MID 0006, an ANSWER_; if it does, nothing is outstanding then."""
        request = session.request
        sure = self.operation.asked_with == rq.MID_HISTORY
        if not self.may_answer(session):
            return ANSWER_NONE
        if not is_asked(request) or not request.is_matched(self.operation.body, TIGHTENING_ID - RESULT_ID):
            return ANSWER_LATE
        session.answered()
        return ANSWER_SURE if sure or session.old_result.asked_id != _NEWEST else ANSWER_MAYBE

    def withholds_part(self, request):
        """True if parts came that may answer this request, or were pushed, and are not acknowledged."""
        return is_asked(request) and any(one.under_way and one.is_in_doubt() for one in self.operations)

    def may_answer(self, session):
        """True if the operation, whole or not, may be an answer: then it is not acknowledged (rule 6)."""
        operation = self.operation
        if operation.asked_with:
            return operation.asked_with == rq.MID_HISTORY
        if operation.pushed:
            return False
        return self.is_asked_for(session, operation.body, TIGHTENING_ID)

    def is_asked_for(self, session, buf, at):
        """True if the result with the ID at buf[at:] may answer what is outstanding."""
        asked_id = session.old_result.asked_id
        is_it = asked_id == _NEWEST or asked_id == buf[at : at + ID_BYTES]
        return is_it and is_asked(session.request)

    def unacknowledged(self, session):
        """MID 0006 was rejected: return what has begun meanwhile, is a push and waits for its answer (rule 6)."""
        if session.received.sequence:
            return ()
        waiting = [one for one in self.operations if one.under_way and not (one.asked_with or one.pushed)]
        if waiting:
            session.pushed = self._subscription.pushes[0]  # another message may have come since
        return waiting


def is_asked(request):
    """True if MID 0006 for a result is outstanding."""
    return request.asked == rq.MID_HISTORY and request.row is HISTORY


assert _BODY_BYTES == BODY_BYTES + LIMITS_BYTES == sp.PLACE - HEAD_BYTES
assert _FIRST == _BODY_BYTES + sp.SYNC_HEAD_BYTES and TIME - TORQUE_STATUS == sp.OBJECT_LIMITS - 5
