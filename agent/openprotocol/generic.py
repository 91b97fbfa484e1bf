"""A controller without MID 0060 to 0065: MID 0008 for 1201, and 0006 for what was missed (power-focus-6000.md 8).

    MID 0008  | 1201 | revision 3 | 31 | alternative 0 | time stamp 19 | index 10 | objects too 1 |   zeros where unused
    MID 0006  | 1201 | revision 3 | 10 | index 10, 0 for the newest |

Rules
1. A MT Focus 6000 (system type 004) is never asked for MID 0060; any other one that does not know it is asked this way
   next, in the same session (003:7051-7104, DIGEST D.7). The next session begins as ever.
2. A refusal there names MID 0008 or 0006 (002:139-150), elsewhere 1201: agent.openprotocol.requests understands both.
3. From revision 2 on a MID 1201 says what it was asked with. In revision 1 the ID alone tells an answer from a push:
   what may be an answer is not acknowledged, and a push comes again then; it is stored like one at any rate.
4. A MT Focus 6000 sends all of a result at once, more than 1 KiB as a rule (002:698-852): there is room for the longest
   message as far as the heap has it.

Imported when the first such controller is met.
"""

from agent.base.compat import const
from agent.base.fields import copy
from agent.openprotocol import requests as rq
from agent.openprotocol.operation import RESULT_ID, Operation
from agent.openprotocol.states import EV_FETCH_SILENT, EV_HISTORY_REFUSED, EV_NONE, EV_PART, EV_PART_CUT
from agent.openprotocol.subscriptions import Subscription
from agent.record.result import ID_BYTES, TIGHTENING_ID

_PARTS = ((1201, 1203, EV_PART, EV_PART_CUT), (1202, 1203, EV_PART, EV_PART_CUT))
OPERATIONS = (8, 9, 1201, b"310" + b"0" * 29 + b"1", True, _PARTS)
_REVISIONS = (2, 3, 1)

_TELL = bytes((rq.ACT_TELL,) * 8)
HISTORY = (6, 1201, 61, False, 19, RESULT_ID, False, EV_NONE, EV_FETCH_SILENT, EV_HISTORY_REFUSED, _TELL)
_HISTORY_DATA = b"120100210"

ANSWER_NONE = const(0)  # a push
ANSWER_MAYBE = const(1)  # a push, or the newest that was asked for: revision 1 does not say
ANSWER_SURE = const(2)
ANSWER_LATE = const(3)  # to an earlier question, or to none

_NEWEST = b"0" * ID_BYTES
_BUFFERS = (10000, 6000, 4000)  # the longest message has 9999 octets


class Generic:
    """What a session has in place of its rows for MID 0060 and 0064, from the first such controller on."""

    def __init__(self, session):
        self.operation = Operation()
        self.in_use = False
        self._subscription = Subscription(OPERATIONS, _REVISIONS)
        self._data = bytearray(_HISTORY_DATA + b"0" * ID_BYTES)
        self._usual = session.subscriptions

    def begin(self, session):
        """Take the place of the session's first subscription."""
        self.in_use = True
        self._take_place(session, (self._subscription,) + self._usual[1:])
        _make_room(session.link)

    def leave(self, session):
        """A new session: begin as with any controller. What had begun on the last connection is lost."""
        self.operation.give_up()
        self.operation.kept = False
        if self.in_use:
            self.in_use = False
            self._take_place(session, self._usual)

    def fetch(self, session):
        """Ask with MID 0006 for the result of the ID in `session.fetch_id`; all zeros: the newest."""
        subscription = self._subscription
        copy(self._data, 0, subscription.data, 0, 7)  # in the revision that was accepted
        copy(self._data, len(_HISTORY_DATA), session.fetch_id, 0, ID_BYTES)
        session.request.lower_too = False
        session.request.ask(HISTORY, rq.MID_HISTORY, 1201, 1, self._data, session.tries)

    def answers(self, session):
        """Tell what the completed operation is to MID 0006: an ANSWER_. With ANSWER_SURE nothing is asked any more."""
        request = session.request
        sure = self.operation.asked_with == rq.MID_HISTORY
        if not self.may_answer(session):
            return ANSWER_NONE
        if request.asked != rq.MID_HISTORY or not request.is_matched(self.operation.body, TIGHTENING_ID - RESULT_ID):
            return ANSWER_LATE
        session._answered()
        return ANSWER_SURE if sure or session.fetch_id != _NEWEST else ANSWER_MAYBE

    def may_answer(self, session):
        """Tell whether the operation, whole or not, may be an answer: it is not acknowledged then (rule 3)."""
        operation = self.operation
        if operation.asked_with:
            return operation.asked_with == rq.MID_HISTORY
        if session.request.asked != rq.MID_HISTORY:
            return False
        asked = session.fetch_id
        return asked == _NEWEST or asked == operation.body[TIGHTENING_ID : TIGHTENING_ID + ID_BYTES]

    def _take_place(self, session, subscriptions):
        session.subscriptions = subscriptions
        session._pushes = {push.pushed_mid: push for row in subscriptions for push in row.pushes}
        session._push = subscriptions[0].pushes[0]
        session._many = len(session._pushes) > 1
        for push in subscriptions[0].pushes:
            push.opened()
            session._put_place(push.acknowledgement, 0)


def _make_room(link):
    """Rule 4; on a serial line the configuration says how long a message may be."""
    if not link.steady or len(link.buf) >= _BUFFERS[-1]:
        return
    for octets in _BUFFERS:
        try:
            buf = bytearray(octets)
        except MemoryError:
            continue
        unread = link.end - link.start
        copy(buf, 0, link.buf, link.start, unread)
        link.buf = buf
        link.size = octets
        link.start = 0
        link.end = unread
        return
