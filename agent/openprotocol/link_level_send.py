"""Link-level numbers of what we send: each request carries a number and is repeated until its MID 9997 has come.

Runs where the owner asks for it (the client may, the agent does not) and MID 0002 offers it (byte 176 = `1`,
OP 5.2.2 p. 72). The other direction is toolcart.agent.openprotocol.link_level_receive, which needs no setting.

Rules (OP 3.2.2 p. 36)
1. The first request after MID 0002 has number 01; 99 is followed by 1. MID 0001, 9997, 9998 and 9999 have none.
2. One message is outstanding. MID 9997 with the number after ours and with its MID says that it arrived; so does its
   answer. Only then does the time for the answer begin.
3. Without either it is sent again after WAIT_MS (no document says how long), with the same number, RESENDS times; then
   the connection is lost.
4. MID 9998 code 3 with our number makes us send it again at once; with any other number the two sides are out of step
   and the session is over (OP 3.2.2 p. 36). Any other code says that the header is not understood: the request is
   rejected, MID 0060 in revision 999 for instance, since such a controller may know 0 to 99 only (OP 5.1.1 p. 69).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.openprotocol.error_codes import REJECTED_REVISION
from toolcart.agent.openprotocol.header import sequence_of
from toolcart.agent.openprotocol.link_level_receive import CODE_WRONG
from toolcart.agent.openprotocol.session_answers import take_rejection
from toolcart.agent.openprotocol.session_states import (
    EV_MALFORMED,
    EV_NONE,
    EV_UNKNOWN,
    STOPPING,
    WHY_FRAMING,
    WHY_SILENCE,
)

WAIT_MS = const(3000)
RESENDS = const(3)
LAST_NUMBER = const(99)

_ACCEPTED_BYTES = const(24)  # MID 9997
_REJECTED_BYTES = const(28)  # MID 9998


class LinkLevelSender:
    """The sending direction of one session."""

    __slots__ = ("_again", "_extended", "_mid", "active", "number", "sends", "wait_ms", "waits")

    def __init__(self):
        self.wait_ms = WAIT_MS
        self.reset()

    def reset(self):
        """Begin a new connection: numbers start again, and are off until 0002 says otherwise."""
        self.active = False
        self.number = 1  # of the message that is outstanding, or of the next one
        self.waits = False  # for its 9997
        self.sends = 0
        self._mid = 0
        self._again = False  # what goes out next is the same message
        self._extended = False  # its answer has had WAIT_MS, and now gets its own time

    def number_for(self, mid):
        """Return the number of the message `mid` that goes out now."""
        if not self._again:
            self.arrived()  # a request that was answered without a 9997
            self.sends = 0
        self._again = False
        self._extended = False
        self._mid = mid
        self.waits = True
        self.sends += 1
        return self.number

    def arrived(self):
        """What is outstanding, if anything, has arrived."""
        if self.waits:
            self.waits = False
            self.number = self._following()

    def silent(self, session, now):
        """The time for the outstanding request is over; return an EV_."""
        request = session.request
        if session.state == STOPPING:
            return session.silent(now, False)
        if self.waits:
            return self._send_again(session)
        if not self._extended:
            self._extended = True
            request.answer.start(now, session.response_timeout_ms)
            return EV_NONE
        return session.silent(now, False)

    def received(self, session, mid):
        """MID 9997 or 9998 came; return an EV_."""
        link = session.link
        buf = link.buf
        at = link.at
        if link.length < (_ACCEPTED_BYTES if mid == 9997 else _REJECTED_BYTES):
            return EV_MALFORMED
        sequence = sequence_of(buf, at)
        if not self.waits or number(buf, at + 20, 4) != self._mid:
            return EV_UNKNOWN
        if mid == 9997:
            if sequence != self._following():
                return EV_UNKNOWN  # to an earlier one
            self.arrived()
            return EV_NONE
        if number(buf, at + 24, 4) != CODE_WRONG:
            self.arrived()
            session.received.code = number(buf, at + 24, 4)
            return take_rejection(session, REJECTED_REVISION) if session.request.asked else EV_UNKNOWN
        if sequence != self.number:
            return session.end_session(WHY_FRAMING)
        return self._send_again(session)

    def _following(self):
        return self.number % LAST_NUMBER + 1

    def _send_again(self, session):
        request = session.request
        if self.sends > RESENDS:
            return session.end_session(WHY_SILENCE)
        if request.asked:
            self._again = True
            request.unsent = True
            request.answer.stop()
        return EV_NONE
