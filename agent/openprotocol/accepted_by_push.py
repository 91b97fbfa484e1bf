"""Answers to subscriptions that a push had shown to be accepted (rule 2 of toolcart.agent.openprotocol.session).

Such a push may be an old one, pushed again whatever is asked. So a rejection behind it counts: the next revision, or
another way, is asked for. Where the session was READY by then, and asks for other things, that is on a new connection.

Imported when such an answer comes.
"""

from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol import session_start, session_states
from toolcart.agent.openprotocol.error_codes import rejection_class
from toolcart.agent.openprotocol.subscriptions import NAMED


def take_answer(session, named):
    """Take a yes that names this MID; True if it is to such a subscription, which is answered then."""
    return _answered(session, named) >= 0


def take_rejection(session, named, code, reject):
    """Take a rejection that names this MID; return an EV_, or -1 if it is to nothing of that kind.

    `reject` is session_answers.take_rejection.
    """
    index = _answered(session, named)
    if index < 0:
        return -1
    rejection = rejection_class(code)
    row: "tuple" = rq.SUBSCRIBE  # its columns are of several kinds
    act = row[rq.ACTS][rejection]
    if act == rq.ACT_CLEAR or act == rq.ACT_MAYBE or session.state == session_states.STOPPING:
        return session_states.EV_NONE  # it is accepted, or no longer wanted
    was_ready = session.state == session_states.READY
    session.subscription_index = index
    session_start.subscribe(session)
    event = reject(session, rejection)
    if not was_ready or session.state == session_states.OVER:
        return event
    return session.end(session_states.WHY_REJECTED)


def _answered(session, named):
    """Return the place of the first such subscription that `named` may be an answer to, -1 if there is none."""
    subscriptions = session.subscriptions
    for index in range(len(subscriptions)):
        one = subscriptions[index]
        if session.accepted_by_push >> index & 1 and named and named in (one.mid, one.row[NAMED]):
            session.accepted_by_push &= ~(1 << index)
            return index
    return -1
