"""What a controller is asked: a row for each kind of request, and the one request that is outstanding.

Rules (protocol.md 4)
1. One request is outstanding at a time. It is sent as often as the session says, or once where the row says so.
2. Its answer is the row's MID; where that is 0005, it has to name the request. A 0004 that names it is a rejection: the
   row has an ACT_ for each class. The row also says what silence means.
3. What was sent twice may be answered twice: such an echo, which carries no ID, is not taken for the next one's answer.
4. A MID 0065 that comes while nothing is outstanding, and is no echo, was sent unasked: such a controller sends one in
   front of each answer. From then on the first one with another ID than was asked for, or to the question for the
   newest, is passed over, once for each question.
5. A MID 0065 with the ID of the one that was taken last, where another ID was asked for, may be that one once more:
   some arrive several times. It is passed over, however often, until the question is sent a second time: then it is the
   answer. From there on it is the answer at once, until an ID is answered under its own.
6. MID 9999 is in no row: it is never outstanding. Any message answers it, even a 0004 to it.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import compare, copy
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol.header import HEADER_BYTES, SPINDLE, place_of
from toolcart.agent.openprotocol.revision_fallback import Revisions
from toolcart.agent.openprotocol.session_states import (
    EV_FETCH_REJECTED,
    EV_FETCH_SILENT,
    EV_FETCHED,
    EV_NONE,
    EV_NOT_SUBSCRIBED,
    EV_OVER,
    EV_REJECTED,
    EV_STARTED,
    EV_SUBSCRIBED,
    EV_TOOL,
)
from toolcart.agent.record.equality import put_digits
from toolcart.agent.record.result import ID_BYTES

REJECTION = const(4)  # MID 0004 and 0005 name what they answer
DONE = const(5)
KEEP_ALIVE = const(9999)
# In place of 64 where results come as MID 1201 (toolcart.agent.openprotocol.operation_result).
MID_HISTORY = const(6)

# What is done about a 0004.
ACT_REPORT = const(0)  # the request has failed, the session goes on
_ACT_REJECTED = const(1)  # there is nothing else to try
ACT_NEXT_START = const(2)
_ACT_NEXT_REVISION = const(3)  # of this subscription
ACT_CLEAR = const(4)  # the subscription survived our reconnect, perhaps with another revision
ACT_SUBSCRIBE = const(5)
ACT_UNKNOWN = const(6)  # this controller knows no such subscription
ACT_BUSY = const(7)
ACT_LATER = const(8)  # it stays outstanding and is sent again when its time is up
ACT_DONE = const(9)  # that is a yes
ACT_MAYBE = const(10)  # that may be a yes

# By class (toolcart.agent.openprotocol.error_codes): other, revision, busy, exists, missing, later, never, gone,
# nothing.
_START_REJECTED = bytes((ACT_NEXT_START,) * 2 + (ACT_BUSY,) + (ACT_NEXT_START,) * 6)
_SUBSCRIBE_REJECTED = bytes(
    (_ACT_NEXT_REVISION,) * 2
    + (ACT_BUSY, ACT_CLEAR, _ACT_NEXT_REVISION, ACT_LATER, ACT_UNKNOWN, _ACT_NEXT_REVISION, ACT_MAYBE)
)
_UNSUBSCRIBE_REJECTED = bytes(
    (ACT_SUBSCRIBE,) * 2 + (ACT_BUSY,) + (ACT_SUBSCRIBE,) * 2 + (ACT_LATER,) + (ACT_SUBSCRIBE,) * 3
)
_STOP_REJECTED = bytes((_ACT_REJECTED,) * 9)
_REPORT = bytes((ACT_REPORT,) * 9)
_REPORT_OR_DONE = bytes((ACT_REPORT,) * 8 + (ACT_DONE,))
REPORT = _REPORT
REPORT_OR_DONE = _REPORT_OR_DONE  # where MID 0005 would be the answer

# The columns.
MID = const(0)  # 0: the subscription's
ANSWER = const(1)
LEAST = const(2)  # bytes of the shortest answer that can be read
WHOLE = const(3)  # the answer may come in parts, and does not count if cut short
_DATA_BYTES = const(4)  # after our header; where the answer repeats the last ten of them it is matched by these
_DATA_AT = const(5)  # where in the answer, 0: nowhere
ONCE = const(6)
EVENT = const(7)  # of the answer
SILENT = const(8)  # EV_OVER: the connection is lost
REJECTED = const(9)
ACTS = const(10)

START = (1, 2, 20, False, 0, 0, False, EV_STARTED, EV_OVER, EV_REJECTED, _START_REJECTED)
STOP = (3, DONE, 24, False, 0, 0, True, EV_OVER, EV_OVER, EV_OVER, _STOP_REJECTED)
TOOL = (40, 41, 36, False, 0, 0, True, EV_TOOL, EV_NONE, EV_NONE, _REPORT)
FETCH = (64, 65, 32, True, 10, 22, False, EV_FETCHED, EV_FETCH_SILENT, EV_FETCH_REJECTED, _REPORT)
SUBSCRIBE = (0, DONE, 24, False, 0, 0, False, EV_NONE, EV_OVER, EV_REJECTED, _SUBSCRIBE_REJECTED)
UNSUBSCRIBE = (0, DONE, 24, False, 0, 0, False, EV_NONE, EV_OVER, EV_REJECTED, _UNSUBSCRIBE_REJECTED)
SUBSCRIBE_AGAIN = (60, DONE, 24, False, 0, 0, True, EV_SUBSCRIBED, EV_NONE, EV_NOT_SUBSCRIBED, _REPORT)  # of any MID

FLAGGED_FIRST = const(10)  # first revision of MID 0064 with "made offline" after the ID: 0, not that one

_NEWEST = b"0000000000"
_GENERIC_BYTES = const(60)  # MID 0008 for 1201, which any controller may come to need

_LATE_MOST = const(8)  # IDs whose answers may be late
_LATE_ANSWERS_MOST = const(9)  # of one ID

_PASSED = const(3)

SAME_MOST = const(3)  # connections in a row that end with the same question, though others were answered on them
LASTING = const(2)  # keep-alives of a connection that no rejection has ended


class Request:
    """The outstanding request; `asked` is its MID, 0 if there is none."""

    __slots__ = (
        "_by",
        "_echoes",
        "_last_id",
        "_passed",
        "_passed_over",
        "_answered_id",
        "_late",
        "answer",
        "data",
        "other_mid",
        "unasked",
        "waits",
        "unsent",
        "was_newest",
        "asked",
        "named",
        "revision",
        "row",
        "sends",
        "spindle",
        "tries",
    )

    def __init__(self):
        self.answer = Timer()  # until it is no longer awaited
        self.row: "tuple" = START  # its columns are of several kinds
        self.spindle = 0  # whose result is asked for; 0: nobody's in particular
        self._answered_id = bytearray(ID_BYTES)
        self._last_id = bytearray(ID_BYTES)  # of the answer taken last
        self.closed()

    def closed(self):
        """The connection is closed: nothing is outstanding, and no echo will come."""
        self._echoes = 0  # answers to earlier tries that may still come
        self._late = None  # by the ID that was asked for: how many of those are to that question
        self._by = 0  # the spindle that the answer taken last names
        self._last_id[0] = 0  # no ID begins so: rule 5 does not apply
        self.unasked = 0  # rule 4; 1: that was just found, 2: and said, _PASSED: of the present question
        self.was_newest = False  # that answer was to the question for the newest
        self.waits = False  # no answer came to the last request, and it may come yet
        self.sends = self._passed = 0  # how often it was sent
        self._passed_over = False
        self.asked = self.named = 0
        self.other_mid = 0  # MID of what came last and was no answer to it
        self.revision = 1
        self.data = b""
        self.tries = 0  # that are left
        self.unsent = False
        self.answer.stop()

    def ask(self, row, mid, named, revision, data, tries):
        """Make this the outstanding request, due at once. An answer may name it by `asked` or by `named`."""
        self.row = row
        self.asked = mid
        self.named = named
        self.revision = revision
        self.data = data
        self.tries = 1 if row[ONCE] else tries
        self.other_mid = 0
        self.waits = False
        self.unsent = True
        self.sends = self._passed = 0
        self._passed_over = False
        self.unasked = min(self.unasked, 2)
        self.answer.stop()

    def is_named(self, mid):
        """True if an answer that names `mid` is to this one: not before it has gone out."""
        return self.sends > 0 and self.asked > 0 and (mid == self.asked or mid == self.named)

    def is_answered_in_parts(self, mid):
        """True if message `mid`, which says it is a part, may be part of the answer."""
        row = self.row
        return self.asked > 0 and row[WHOLE] and mid == row[ANSWER]

    def posted(self, now, wait_ms):
        """The request goes out now."""
        self.unsent = False
        self.sends += 1
        self.answer.start(now, wait_ms)

    def is_matched(self, buf, at):
        """True if the answer at buf[at:] is to what was asked, as far as can be told.

        A controller may answer with another ID than it was asked for: who asked judges that.
        """
        data = self.data
        first = self.row[_DATA_AT]
        if first:
            asked = self.row[_DATA_BYTES] - ID_BYTES
            answered = self._answered_id  # the ID may be padded on either side
            differs = not put_digits(answered, 0, buf, at + first) or compare(answered, 0, data, asked, ID_BYTES)
            by = place_of(buf, at + SPINDLE) if self.row is FETCH else 0
            if self.spindle and by and by != self.spindle and self._echoes:
                self._echoes -= 1
                return False  # the answer to an earlier question
            if differs and compare(data, asked, _NEWEST, 0, ID_BYTES):
                if self._is_to_earlier(answered):
                    return False
                if self.is_other_spindle(buf, at):
                    return False  # one more to the question before
                if self.sends < 2 and answered == self._last_id:
                    self._passed_over = True
                    return False  # rule 5
                if self._echoes:
                    self._echoes -= 1
                    self._passed += 1
                    return False  # the answer to an earlier try
                if self.row is not FETCH:
                    return False
            is_asked = not differs and compare(data, asked, _NEWEST, 0, ID_BYTES)
            if 0 < self.unasked < _PASSED and not is_asked:
                self.unasked = _PASSED
                return False
            self._count_echoes(self.sends - 1)
            self._note_late(self.sends - 1)
            self._by = by
            self.was_newest = compare(data, asked, _NEWEST, 0, ID_BYTES) == 0
            if is_asked or self.was_newest or (self._last_id[0] and self.sends < 2):
                copy(self._last_id, 0, answered, 0, ID_BYTES)
            else:
                self._last_id[0] = 0
        return True

    def is_late(self, buf, at):
        """True if the MID 0065 at buf[at:] is the first answer to the request that was given up.

        One that answers nothing shows that some come unasked (rule 4).
        """
        answered = self._answered_id
        if not (self.asked or self._echoes or self._late or self.waits or self.unasked):
            self.unasked = 0 if self.is_other_spindle(buf, at) else 1
        if not self.waits or self.asked or not put_digits(answered, 0, buf, at + FETCH[_DATA_AT]):
            return False
        if compare(self.data, 0, _NEWEST, 0, ID_BYTES) and compare(answered, 0, self.data, 0, ID_BYTES):
            return False
        self.waits = False
        if not self._is_to_earlier(answered):
            self._echoes = max(self._echoes - 1, 0)
        return True

    def is_other_spindle(self, buf, at):
        """True if the MID 0065 at buf[at:] has the ID of the answer taken last, and is of another spindle."""
        by = place_of(buf, at + SPINDLE)
        answered = self._answered_id
        return (
            self._by > 0
            and by not in (0, self._by)
            and put_digits(answered, 0, buf, at + FETCH[_DATA_AT])
            and answered == self._last_id
        )

    def is_rejected(self):
        """Take a 0004 that names it; False if that was an echo."""
        if self.row[_DATA_AT]:
            if self._echoes:
                self._echoes -= 1
                self._passed_over = True
                return False
            self._count_echoes(self.sends - 1)
        return True

    def given_up(self):
        """No answer came: each try may still get its own, unless that was passed over."""
        if self.row[_DATA_AT]:
            self.waits = True
            self._count_echoes(max(self.sends - self._passed, 0))
            self._note_late(self.sends)

    def answered(self):
        """Nothing is outstanding any more."""
        self.asked = self.named = 0
        self.unsent = False
        self.answer.stop()

    def _note_late(self, most):
        """So many more answers to this question for a certain ID may come when others are asked."""
        if most > 0 and self.row is FETCH and compare(self.data, 0, _NEWEST, 0, ID_BYTES):
            late = self._late = self._late or {}
            asked = bytes(self.data[:ID_BYTES])
            most += late.get(asked, 0)
            if len(late) >= _LATE_MOST:
                del late[min(late)]
            late[asked] = min(most, _LATE_ANSWERS_MOST)

    def _is_to_earlier(self, answered):
        """Take the ID of an answer; True if it is to an earlier question, one of whose answers may still come."""
        answered = bytes(answered)
        late = self._late or {}
        left = late.get(answered, 0)
        if left:
            late[answered] = left - 1
            self._echoes = max(self._echoes - 1, 0)
        return left > 0

    def _count_echoes(self, most):
        # What was passed over may have been the answer itself: no echo then, else each rejection costs a time-out.
        self._echoes = 0 if self._passed_over or most < 0 else most  # below 0: answered before it was sent


class OldResultRequest:
    """The question for an old result: which one, and whether such questions are what ends connections."""

    __slots__ = (
        "_asked_at",
        "_ended_with",
        "_times",
        "asked_id",
        "has_ended",
        "is_answered",
        "is_deferred",
        "revision",
        "revisions",
        "spindle",
    )

    def __init__(self):
        self.asked_id = bytearray(_NEWEST)
        self.revision = 2
        self.spindle = 0  # whose result is asked for; 0: the one that all our messages are for
        self.revisions = Revisions((1,))  # only whether MID 0064 is given up: its revisions are the recovery's
        self.is_answered = False  # a question of this connection
        self.is_deferred = False  # the last rejection says that it will be answered later
        self._asked_at = -1  # how many keep-alives the connection had seen at the last question; -1: there was none
        self._ended_with = b""  # the question that was open as a connection ended last
        self._times = 0  # in a row
        self.has_ended = False  # the other side ended the last connection, and nothing else came behind the question

    def asked(self, keepalives):
        """A question goes out on a connection that has seen so many keep-alives."""
        self._asked_at = keepalives

    def was_asked(self):
        """True if a question went out on this connection."""
        return self._asked_at >= 0

    def rejected(self, counts, is_deferred=False):
        """It was rejected; `counts`: so that nothing comes of asking again; `is_deferred`: for now."""
        self.revisions.given_up = counts
        self.is_deferred = is_deferred

    def answered_gone(self, counts):
        """It was answered: there is no such result. Where nothing else was answered that may be a rejection."""
        self.rejected(counts and not self.is_answered, True)

    def answered(self):
        """It was answered: a rejection before that has ended nothing."""
        self.is_answered = True
        self.revisions.given_up = False

    def connection_ended(self, keepalives, is_open):
        """A connection has ended, which had seen so many keep-alives; `is_open`: a question was not answered yet.

        A network that fails while much is fetched says nothing, as long as a question is answered; but it does not fail
        again and again at the same question.
        """
        if self._asked_at >= 0:
            if is_open:
                self._times = self._times + 1 if self.asked_id == self._ended_with else 1
                self._ended_with = bytes(self.asked_id)
            revisions = self.revisions
            lasted = keepalives - self._asked_at >= LASTING
            if revisions.given_up and not (self.is_answered or self.is_deferred):
                revisions.connection_ended(lasted)
            else:
                revisions.given_up = revisions.given_up or (
                    is_open and (not self.is_answered or self._times > SAME_MOST)
                )
                revisions.connection_ended(lasted, 1)
        self._asked_at = -1
        self.is_answered = False

    def data(self):
        """Return the data of MID 0064."""
        return bytes(self.asked_id) + b"0" if self.revision >= FLAGGED_FIRST else self.asked_id


def longest_bytes(subscriptions):
    """Return the bytes of the longest message that a session with these subscriptions sends, without its NUL."""
    longest = _GENERIC_BYTES
    rows: "tuple" = (START, STOP, TOOL, FETCH, SUBSCRIBE, UNSUBSCRIBE)
    for row in rows:
        longest = max(longest, HEADER_BYTES + row[_DATA_BYTES])
    for subscription in subscriptions:
        longest = max(longest, HEADER_BYTES + len(subscription.data))
    return longest
