"""What a controller's answer is to: a yes (0005), a rejection (0004, 9998), or the message that was asked for.

1. Only one request is outstanding. An answer that names no MID, or one that was never sent, is to that one; one that
   names another is late, or to nothing. One that names it before it has gone out is a copy of an earlier one.
2. A rejection may be short: a code alone, or a MID of fewer than four digits. What it names is found by what was sent.
3. What is done about a rejection is in the row of the request (toolcart.agent.openprotocol.requests).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol import session_start, session_states
from toolcart.agent.openprotocol.error_codes import UNNAMED, code_of, named_in, rejection_class

_REJECTION_BYTES = const(26)  # MID 0004 with a code of two digits


def take_answer(session, mid, cut_short):
    link = session.link
    buf = link.buf
    at = link.at
    if mid == rq.DONE:
        return _accepted(session, named_in(buf, at + 20, at + link.length))
    if mid == rq.REJECTION:
        return _rejected(session, named_in(buf, at + 20, at + link.length))
    request = session.request
    row = request.row
    if not request.asked or mid != row[rq.ANSWER] or (cut_short and row[rq.WHOLE]):
        return _take_unasked(session, mid, cut_short)
    if link.length < row[rq.LEAST]:
        return session_states.EV_MALFORMED
    if not request.is_matched(buf, at):
        return _take_unasked(session, mid, cut_short)
    if row is rq.START:
        return session_start.take_started(session, buf, at, link.length)
    session.answered()
    return row[rq.EVENT]


def _take_unasked(session, mid, cut_short):
    """Take a message that answers nothing, unless another spindle has a result under the ID just answered."""
    link = session.link
    is_old = mid == rq.FETCH[rq.ANSWER] and not cut_short and link.length >= rq.FETCH[rq.LEAST]
    if not is_old:
        return session_states.EV_UNKNOWN
    if session.is_old_result_asked() and session.request.is_late(link.buf, link.at):
        return session_states.EV_FETCHED
    if not session.request.is_other_spindle(link.buf, link.at):  # late, if such a thing was ever asked for
        return session_states.EV_FETCH_LATE if session.old_result.was_asked() else session_states.EV_UNKNOWN
    # The newest only shows what is missing.
    return session_states.EV_NONE if session.request.was_newest else session_states.EV_OTHER_SPINDLE


def _accepted(session, named):
    request = session.request
    if named == UNNAMED and session.state != session_states.READY:  # later it may be a late answer to a command
        named = _outstanding(session)
    session.received.named = named
    if session.accepted_by_push:
        from toolcart.agent.openprotocol import accepted_by_push  # hardly any push comes in front of an answer

        if accepted_by_push.take_answer(session, named):
            return session_states.EV_NONE
    if request.row[rq.ANSWER] != rq.DONE or not request.is_named(named):
        return session_states.EV_UNKNOWN
    if request.row is rq.STOP:
        return session.end_session(session_states.WHY_STOPPED)
    event = request.row[rq.EVENT]
    if session.state == session_states.STOPPING or event != session_states.EV_NONE:
        session.answered()
        return event
    if session.state == session_states.CLEARING:
        session_start.subscribe(session)
        return session_states.EV_NONE
    return session_start.accept_subscription(session)


def _outstanding(session):
    """Return the MID that an answer without one is to: only one is outstanding at a time. UNNAMED if none is."""
    return UNNAMED if session.request.unsent else session.request.asked


def _short_width(session, buf, at, octets):
    """Return in how many digits, if not in four, a 0004 with so many octets of data names what is outstanding."""
    for width in (3, 2, 1):
        if 2 <= octets - width <= 3 and session.request.is_named(named_in(buf, at, at + width)):
            return width
    return 4


def _rejected(session, named):
    link = session.link
    end = link.at + link.length
    named = named if named != UNNAMED else _outstanding(session)
    width = 4
    if _names_nothing_sent(session, named):
        width = 0 if _is_code_alone(session) else 4
        named = session.request.asked
    elif link.length < _REJECTION_BYTES and not (session.request.is_named(named) or session.acknowledges(named)):
        width = _short_width(session, link.buf, link.at + 20, link.length - 20)
        named = named if width == 4 else session.request.asked
    code = code_of(link.buf, min(link.at + 20 + width, end), end)
    session.received.named = named
    session.received.code = code
    if session.accepted_by_push:
        from toolcart.agent.openprotocol import accepted_by_push  # likewise

        event = accepted_by_push.take_rejection(session, named, code, take_rejection)
        if event >= 0:
            return event
    if named == rq.KEEP_ALIVE:
        return session_states.EV_NONE  # no keep-alive there, but a sign of life all the same
    if session.request.is_named(named):
        return take_rejection(session, rejection_class(code))
    if session.acknowledges(named):
        return session_states.EV_ACK_REJECTED
    is_late = named == rq.FETCH[rq.MID] and session.old_result.was_asked()
    return session_states.EV_NONE if is_late else session_states.EV_UNKNOWN


def _names_nothing_sent(session, named):
    """True if a rejection names no MID that was sent, so it is for what is outstanding.

    It names none, that of the answer, or a keep-alive before there was one. In a session that is READY it may also
    be late, to a command; there it is only taken as one for old results.
    """
    request = session.request
    if (
        not request.asked
        or request.is_named(named)
        or (session.state == session_states.READY and request.row is not rq.FETCH)
    ):
        return False
    if session.link.length < _REJECTION_BYTES - 2 and not session.acknowledges(named):
        return _is_code_alone(session)
    if named == rq.KEEP_ALIVE:
        return not session.keepalives
    return named == 0 or named == request.row[rq.ANSWER]


def _is_code_alone(session):
    """True if a rejection has at most three digits, and they name nothing."""
    link = session.link
    octets = link.length - 20
    return 1 <= octets <= 3 and _short_width(session, link.buf, link.at + 20, octets) == 4


def take_rejection(session, rejection):
    """The outstanding request was rejected, with a code of this class."""
    request = session.request
    row = request.row
    session.received.rejection = rejection
    act = row[rq.ACTS][session.received.rejection]
    if act == rq.ACT_DONE:
        return _accepted(session, session.received.named)
    if act == rq.ACT_REPORT and not request.is_rejected():
        return session_states.EV_NONE  # late
    # There is no session, or no longer.
    if session.state == session_states.STOPPING and (row is rq.START or row is rq.STOP):
        return session.end_session(session_states.WHY_STOPPED)
    if act == rq.ACT_REPORT:
        if row is rq.TOOL:
            session.tool_revisions.given_up = True
        session.answered()
        return row[rq.REJECTED]
    if session.state == session_states.STOPPING:
        session.answered()
        return session_states.EV_NONE
    return session_start.act(session, act)
