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
1. Parts belong together by their result ID and total, and come in order. One that does not fit is reported and changes
   nothing; a 1201 before the end of another, or a skipped number, gives up what was begun (`lost`).
2. The revision of a message is that of its own header. One later than those known is not guessed at.
3. The body has the figures of one object, the first; if there are several, each has a row after the body
   (toolcart.agent.record.spindles). The status is the whole operation's; fields fill the rest
   (toolcart.agent.openprotocol.variable).
4. An MT Focus 6000 (system type 004) is never asked by MID 0060; any other controller that does not know MID 0060 is
   asked this way next, in the same session. The next session begins as usual.
5. A rejection names MID 0008 or 0006 there (MT "Special MT Focus 6000 considerations, per mid"), elsewhere 1201:
   toolcart.agent.openprotocol.requests understands both.
6. From revision 2 on MID 1201 says by which MID it was asked for. In revision 1 only the ID tells an answer from a
   push: what may be an answer is stored like a push but not acknowledged, so that a push comes again. If the question
   is rejected, it was a push.
7. An MT Focus 6000 sends a whole result at once, usually more than 1 KiB (MT notes on MID 1202): there is room for the
   longest message if the heap has it.
8. A MID 1202 belongs to the object at its place in the list, or to the next one with its ID that has none yet. One
   that belongs to no object, or to one without a row, is `beside`: the owner keeps it as it came, and the result is
   RESULT_ODD.
9. A message whose place among the parts is proven, but not its fields, or not its torque, is `damaged`: the owner keeps
   it as it came, too. An object whose MID 1202 is damaged, or not there, is left out of the rows, which are fewer than
   were announced then, so none shows a figure that was not made. Without any proven object the result is
   RESULT_UNREADABLE, and `first`, its MID 1201, is kept as it came.
10. A MID 1201 without parameter IDs is proven by the separators of its time, or a blank time, and its digits.

Imported when the first such controller is met.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, is_blank, number, put_number
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol.light_result import is_stamp
from toolcart.agent.openprotocol.receive_buffer import make_room
from toolcart.agent.openprotocol.session_states import EV_FETCH_SILENT, EV_HISTORY_REFUSED, EV_NONE
from toolcart.agent.openprotocol.subscriptions import Subscription
from toolcart.agent.openprotocol.variable import read_fields
from toolcart.agent.record import FRAME_MOST, PAYLOAD_MAX
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.result import (
    ANGLE_DECIMALS,
    BODY_BYTES,
    HEAD_BYTES,
    ID_BYTES,
    LIMITS_BYTES,
    PARKED_BYTES,
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
PART_FOREIGN = const(3)  # of no tightening that has begun
PART_UNREADABLE = const(4)

WAIT_MS = const(10000)  # for the next part

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
_PARTS = ((1201, 1203), (1202, 1203))
OPERATIONS = (8, 9, 1201, b"310" + b"0" * 29 + b"1", True, _PARTS)
OPERATION_REVISIONS = (2, 3, 1)

HISTORY = (6, 1201, 61, False, 19, RESULT_ID, False, EV_NONE, EV_FETCH_SILENT, EV_HISTORY_REFUSED, rq.REPORT)
_HISTORY_DATA = b"120100210"

ANSWER_NONE = const(0)  # a push
ANSWER_MAYBE = const(1)  # a push, or the newest that was asked for: revision 1 does not say
ANSWER_SURE = const(2)
ANSWER_LATE = const(3)  # to an earlier question, or to none

_NEWEST = b"0" * ID_BYTES


class OperationResult:
    """The tightening under way, or the last one completed."""

    def __init__(self):
        self.body = bytearray(_BODY_BYTES)  # and the rows, if there are several objects
        self.most = PAYLOAD_MAX - PARKED_BYTES  # bytes of a payload that the log takes; set by the owner
        self.result_code = RESULT_READ
        self.asked_with = 0  # MID 0008 or 0006, 0 where the revision does not say
        self.under_way = False
        self.damaged = False  # the message taken last is (rule 9)
        self.beside = False  # the message taken last belongs to no row (rule 8)
        self.first = b""  # the MID 1201, as far as a frame is kept
        self.lost = False  # what was begun was given up; cleared by whoever reads it
        self.half = b""  # the ID of that, if a part of it was acknowledged; likewise
        self.answers = False  # what has begun, or was given up, may be an answer: no part of it was acknowledged
        self.pushed = False  # a part of it was acknowledged: it answers nothing that was asked since
        self.kept = False  # the last one completed is durable
        self._total = 0
        self._next = 0
        self._proven = []  # of each row, or of the only object: its MID 1202 was read
        self._is_whole = True  # no part of it was damaged
        self._late = Timer()

    def take(self, buf, at, length, mid, revision, now):
        """Take the MID 1201 or 1202 at buf[at:at+length]; return a PART_."""
        self.damaged = self.beside = False
        part = self._begin(buf, at, length, revision) if mid == OVERALL else self._go_on(buf, at, length, revision)
        if part == PART_KEPT:
            self._late.start(now, WAIT_MS)
        elif not self.under_way:
            self._late.stop()
        return part

    def give_up(self):
        """Give up what is under way: it will not be completed."""
        if self.under_way:
            self.lost = True
            if self.pushed:
                self.half = bytes(self.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES])
        self.under_way = False
        self._late.stop()

    def is_late(self, now):
        """True if the wait for the next part is over."""
        return self._late.armed and self._late.expired(now)

    def _begin(self, buf, at, length, revision):
        if not 1 <= revision <= 3:
            return PART_UNREADABLE
        place = _OBJECTS if revision == 1 else _OBJECTS + 4
        if length < place + 3 or number(buf, at + _NUMBER, 3) != 1 or not all_digits(buf, at + RESULT_ID, ID_BYTES):
            return PART_UNREADABLE
        if not is_stamp(buf, at + _TIME) and not is_blank(buf, at + _TIME, _STATUS - _TIME):
            return PART_UNREADABLE
        total = number(buf, at + 20, 3)
        objects = number(buf, at + place, 3)
        if total < 1 or objects < 0:
            return PART_UNREADABLE
        self.give_up()
        self.pushed = self.kept = False
        self._total = total
        self._next = 2
        self.asked_with = max(0, number(buf, at + _OBJECTS, 4)) if revision > 1 else 0
        place += 3
        width = 10 if revision == 3 else 5
        rows = min(objects, (length - place) // width, (self.most - HEAD_BYTES - _FIRST) // rec.OBJECTS_ROW_BYTES, 99)
        if objects > 1 and rows > 0:
            self.body = body = _body_of(rows, objects, buf, at + place, width)
        else:
            self.body = body = bytearray(b" " * _BODY_BYTES)
        body[BODY_BYTES + TORQUE_UNIT] = _NM
        copy(body, TIGHTENING_ID, buf, at + RESULT_ID, ID_BYTES)
        put_time(body, 0, buf, at + _TIME)
        status = buf[at + _STATUS]
        self.result_code = read_fields(
            body, buf, at + place + objects * width, at + length, number(buf, at, 4) > length
        )
        body[TIGHTENING_STATUS] = status
        self.damaged = self.result_code == RESULT_UNREADABLE
        self._is_whole = not self.damaged
        self._proven = [False] * max(rows, 1)
        self.first = bytes(buf[at : at + min(length, FRAME_MOST)])
        self.result_code = max(self.result_code, RESULT_READ)
        if rows < objects or total - 1 > max(objects, 1) or not 0x30 <= status <= 0x31:
            self.result_code = RESULT_ODD
        self.under_way = total > 1
        if self.under_way:
            return PART_KEPT
        if self.damaged or objects > 1:
            self.result_code = RESULT_UNREADABLE
        return PART_WHOLE

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
        body = self.body
        self.beside = count > 2 and len(body) == _BODY_BYTES  # such a body has the figures of the first object alone
        if self.beside:
            self.result_code = RESULT_ODD
        else:
            status = body[TIGHTENING_STATUS]
            is_cut = number(buf, at, 4) > length
            code = self._take_object(count - 2, buf, at + _OBJECT, at + place, at + length, is_cut)
            self.damaged = code == RESULT_UNREADABLE
            self._is_whole = self._is_whole and not self.damaged
            self.result_code = max(self.result_code, code)
            if status == 0x30 or status == 0x31:
                body[TIGHTENING_STATUS] = status
        if count < self._total:
            return PART_KEPT
        self.under_way = False
        if not self._is_whole or False in self._proven:
            self._leave_out()
        return PART_WHOLE

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
            to = _FIRST + row * rec.OBJECTS_ROW_BYTES
            if not (self._proven[row] or compare(buf, at, body, to, 4)):
                own = bytearray(b" " * _BODY_BYTES) if row else body
                code = _read_object(own, buf, place, end, is_cut)
                if code != RESULT_UNREADABLE:
                    self._proven[row] = True
                    copy(body, to + 5, own, TORQUE_STATUS, TIME - TORQUE_STATUS)
                    copy(body, to + rec.OBJECT_LIMITS, own, BODY_BYTES, rec.OBJECT_TYPE - rec.OBJECT_LIMITS)
                return code
        self.beside = True
        return RESULT_ODD

    def _leave_out(self):
        """Leave out what is not proven (rule 9); the body has the figures of the first object that is."""
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
                to = _FIRST + row * rec.OBJECTS_ROW_BYTES
                kept += body[to : to + rec.OBJECTS_ROW_BYTES]
        put_number(kept, _BODY_BYTES + rec.ROWS, 2, (len(kept) - _FIRST) // rec.OBJECTS_ROW_BYTES)
        copy(kept, TORQUE_STATUS, kept, _FIRST + 5, TIME - TORQUE_STATUS)
        copy(kept, BODY_BYTES, kept, _FIRST + rec.OBJECT_LIMITS, rec.OBJECT_TYPE - rec.OBJECT_LIMITS)
        kept[BODY_BYTES + ANGLE_DECIMALS] |= INCOMPLETE
        self.body = kept


def _body_of(rows, objects, buf, at, width):
    """Return a blank body with a row for each object, listed at buf[at:] in `width` bytes each."""
    body = bytearray(b" " * (_FIRST + rows * rec.OBJECTS_ROW_BYTES))
    body[_BODY_BYTES] = rec.OBJECTS
    put_number(body, _BODY_BYTES + rec.ROWS, 2, rows)
    put_number(body, _BODY_BYTES + rec.TOLD, 2, min(objects, 99))
    if objects > 99:
        put_number(body, _BODY_BYTES + rec.JOB_SEQUENCE, rec.JOB_SEQUENCE_BYTES, objects)
    for place in range(_FIRST, len(body), rec.OBJECTS_ROW_BYTES):
        copy(body, place, buf, at, 5)  # ID, status
        copy(body, place + rec.OBJECT_TYPE, buf, at + 5, width - 5)
        at += width
    return body


def _read_object(body, buf, place, end, is_cut):
    """Read the fields of an object; RESULT_UNREADABLE too if the message was cut off in front of its torque."""
    code = read_fields(body, buf, place, end, is_cut)
    return RESULT_UNREADABLE if is_cut and is_blank(body, TORQUE, TORQUE_BYTES) else code


class GenericSubscription:
    """Takes the place of a session's rows for MID 0060 and 0064, from the first such controller on."""

    def __init__(self, session):
        self.operation = OperationResult()
        self.in_use = False
        self._subscription = Subscription(OPERATIONS, OPERATION_REVISIONS)
        self._data = bytearray(_HISTORY_DATA + b"0" * ID_BYTES)
        self._usual = session.subscriptions

    def begin(self, session):
        """Take the place of the session's first subscription."""
        self.in_use = True
        session.put_subscriptions((self._subscription,) + self._usual[1:])
        make_room(session.link)

    def leave(self, session):
        """Begin a new session as with any controller. What had begun on the last connection is lost."""
        self.operation.give_up()
        self.operation.kept = False
        if self.in_use:
            self.in_use = False
            session.put_subscriptions(self._usual)

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
        if not _is_asked(request) or not request.is_matched(self.operation.body, TIGHTENING_ID - RESULT_ID):
            return ANSWER_LATE
        session.answered()
        return ANSWER_SURE if sure or session.old_result.asked_id != _NEWEST else ANSWER_MAYBE

    def may_answer(self, session):
        """True if the operation, whole or not, may be an answer: then it is not acknowledged (rule 6)."""
        operation = self.operation
        if operation.asked_with:
            return operation.asked_with == rq.MID_HISTORY
        if not _is_asked(session.request) or operation.pushed:
            return False
        asked_id = session.old_result.asked_id
        return asked_id == _NEWEST or asked_id == operation.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES]

    def was_pushed(self, session):
        """MID 0006 was rejected: what has begun meanwhile is a push, which the controller wants answered (rule 6)."""
        operation = self.operation
        if operation.under_way and not operation.asked_with and not operation.pushed and not session.received.sequence:
            operation.pushed = True
            session.pushed = self._subscription.pushes[0]  # another message may have come since
            session.acknowledge()


def _is_asked(request):
    """True if MID 0006 for a result is outstanding."""
    return request.asked == rq.MID_HISTORY and request.row is HISTORY


assert _BODY_BYTES == BODY_BYTES + LIMITS_BYTES == rec.PLACE - HEAD_BYTES
assert _FIRST == _BODY_BYTES + rec.SYNC_HEAD_BYTES and TIME - TORQUE_STATUS == rec.OBJECT_LIMITS - 5
