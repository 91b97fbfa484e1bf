"""How a session begins: MID 0001, then each subscription, in the revisions that a controller takes.

Rules 4, 5 and 9 of toolcart.agent.openprotocol.session, which has the states as a drawing.
1. What was rejected is followed by the next revision, and those by another way to ask
   (toolcart.agent.openprotocol.revision_fallback, result_mode). What is not needed is left out.
2. The end of a connection speaks against what was asked for as it came, as far as nothing was rejected on it.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import controller_identity as identity
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.header import has_spindle_first, sequence_of
from toolcart.agent.openprotocol.link_level_receive import CODE_NONE
from toolcart.agent.openprotocol.revision_fallback import BLANK
from toolcart.agent.openprotocol.subscriptions import NAMED, NEEDED, UNSUBSCRIBE_MID

_KEEP_ALIVE_REVISION = const(7)  # of MID 0001: from here on it says whether keep-alive is to be optional (S217 p. 74)
_STATION_REVISION = const(6)  # of MID 0001 and 0002
_SEQUENCE_NUMBERS = const(54)  # of a session's identity: "1" if it numbers its messages on the link level
_KEEP_ALIVE_NEEDED = b"010"


def begin(session):
    """Ask for a session, in the revision that is wanted most."""
    session.state = session_states.STARTING
    tries = 1 if session.result_mode.has_alternative_left else session.tries
    revision = session.start_revisions.wanted()
    data = _KEEP_ALIVE_NEEDED if revision >= _KEEP_ALIVE_REVISION else b""
    session.request.ask(rq.START, rq.START[rq.MID], rq.START[rq.MID], revision, data, tries)


def has_other_header(session):
    """True if what answers MID 0001 lays out its headers otherwise than the link expects; `received` has how."""
    link = session.link
    spindle_first = has_spindle_first(link.buf, link.at) if link.header is None else not link.header.is_usual
    if spindle_first == (link.header is not None):
        return False
    session.received.rejected_code = 1 if spindle_first else 0
    return True


def take_started(session, buf, at, length):
    """Take the 0002 at buf[at:]; return an EV_: the session subscribes, or begins again in another revision."""
    if session.why == session_states.WHY_FRAMING:
        session.why = session_states.WHY_NOTHING
    session.system_type = identity.read_identity(session.identity, buf, at, length)
    if session.identity[_SEQUENCE_NUMBERS] == 0x31:
        from toolcart.agent.openprotocol.link_level_receive import LinkLevelReceiver  # few controllers do

        session.link_level_receive = receiver = LinkLevelReceiver()
        if sequence_of(buf, at):  # a peer that counts its 0002 waits for the 9997
            receiver.judge(sequence_of(buf, at))
            receiver.owe(2, CODE_NONE)
        if session.link_level_send is not None:
            session.link_level_send.active = True
    if session.state == session_states.STOPPING:
        session.answered()
        return session_states.EV_NONE
    if _begins_again(session):
        return session_states.EV_NONE
    if session.start_revisions.wanted() == BLANK:
        session.subscriptions[0].revisions.prefer(BLANK)
        for subscription in session.subscriptions:
            session.open_pushes(subscription)
    is_generic = session.result_mode.began(session)
    session.subscribe(0, len(session.subscriptions))
    return session_states.EV_GENERIC if is_generic else session_states.EV_STARTED


def _begins_again(session):
    """End a session that was begun in a revision less wanted than another that may do (rules 4 and 5).

    That is also one that has to name its station, like a Power Focus 6000, and does not below 6; True if so.
    """
    start_revisions = session.start_revisions
    revision = start_revisions.wanted()
    if start_revisions.answered():
        has_to_name = session.needs_station or session.system_type == identity.SHARED_SYSTEM
        if not has_to_name or revision >= _STATION_REVISION or not start_revisions.prefer(_STATION_REVISION):
            return False
    session.result_mode.has_alternative_left = True
    session.why = session_states.WHY_STOPPED
    session.answered()
    session.state = session_states.STOPPING
    session.ask_stop()
    return True


def subscribe(session):
    """Ask for the subscription whose turn it is."""
    subscription = subscription_due(session)
    session.state = session_states.SUBSCRIBING
    _ask_for(session, rq.SUBSCRIBE, subscription.mid, subscription.revision())


def accept_subscription(session):
    """The subscription was accepted: ask for the next one. From that of results on what is made is ours."""
    subscription_due(session).revisions.accepted()
    ledger = session.result_mode.ledger
    if ledger is not None and ledger.recovers:
        ledger.note_contact()  # also where the session ends before it is ready
    return ask_next(session, False)


def _accept_no_error(session):
    """The subscription is accepted in the revision that was answered with "no error"."""
    revisions = subscription_due(session).revisions
    revisions.index = session.no_error_index
    return accept_subscription(session)


def ask_next(session, rejected):
    """Ask for the next subscription; `rejected`: the session goes on without the last one. READY after the last."""
    session.is_cleared = False
    session.no_error_index = -1
    if session.state == session_states.STOPPING:
        session.answered()
        return session_states.EV_NONE
    subscriptions = session.subscriptions
    index = session.subscription_index + 1
    while index < session.subscriptions_end and subscriptions[index].is_passed_over(rejected):
        rejected = rejected or subscriptions[index].revisions.passed_over
        index += 1
    session.subscription_index = index
    if index < session.subscriptions_end:
        subscribe(session)
        return session_states.EV_NONE
    session.state = session_states.READY
    session.why = session_states.WHY_NOTHING
    session.start_revisions.accepted()
    session.result_mode.accepted()
    session.answered()
    return session_states.EV_READY


def act(session, act):
    """Do what the row of the request says about its rejection."""
    session.received.rejected_mid = session.request.asked
    session.received.rejected_code = session.received.code
    if act == rq.ACT_NEXT_START:
        return _next_start(session)
    if act == rq.ACT_BUSY or act == rq.ACT_LATER:
        if is_optional(session):
            return _go_without(session)
        if act == rq.ACT_BUSY:
            if session.state == session_states.STARTING:
                session.start_revisions.occupied()
            return session.end(session_states.WHY_BUSY)
    if act == rq.ACT_CLEAR:
        if session.no_error_index >= 0:
            return _accept_no_error(session)
        if session.is_cleared:
            return accept_subscription(session)
        session.is_cleared = True
        session.state = session_states.CLEARING
        _ask_for(session, rq.UNSUBSCRIBE, subscription_due(session).row[UNSUBSCRIBE_MID], 1)
    elif act == rq.ACT_SUBSCRIBE:
        subscribe(session)
    else:
        session.why = session_states.WHY_REJECTED
        if act != rq.ACT_LATER:
            return _next_revision(session, act)
    return session_states.EV_REJECTED


def _next_start(session):
    """MID 0001 was rejected in this revision: ask in the next one, on the same connection."""
    session.result_mode.has_alternative_left = session.start_revisions.rejected()
    session.why = (
        session_states.WHY_NO_REVISION if session.start_revisions.is_exhausted else session_states.WHY_REJECTED
    )
    if not session.result_mode.has_alternative_left:
        return session.end(session_states.WHY_NO_REVISION)
    begin(session)
    return session_states.EV_REJECTED


def _next_revision(session, act):
    """The subscription was rejected in this revision: ask in the next one, then in another way (rule 9 for 00)."""
    subscription = subscription_due(session)
    revisions = subscription.revisions
    if act == rq.ACT_MAYBE:
        if session.no_error_index < 0:
            session.no_error_index = revisions.index
        if revisions.index == revisions.accepted_index:
            return _accept_no_error(session)
    left = revisions.rejected()
    if act == rq.ACT_UNKNOWN and session.no_error_index < 0:
        left = left and session.result_mode.has_no_other(subscription)
    if not left and session.no_error_index >= 0:
        return _accept_no_error(session)
    if is_optional(session):
        if not left:
            return _go_without(session)
    else:
        mode = session.result_mode
        mode.has_alternative_left = left or mode.next(session)
        mode.is_exhausted = mode.is_exhausted or not mode.has_alternative_left
        if mode.is_exhausted:
            session.why = session_states.WHY_NO_RESULTS
        if not mode.has_alternative_left:
            return session.end(session_states.WHY_NO_RESULTS)
    subscribe(session)
    return session_states.EV_REJECTED


def count_end(session):
    """The connection has ended, or no answer came: that speaks against what was asked for (rule 4)."""
    state = session.state
    if state == session_states.CLOSED or state == session_states.OVER:
        return
    session.is_cleared = state == session_states.CLEARING  # what exists is taken as it is, the next time
    if session.result_mode.ended():
        return
    if state == session_states.STARTING:
        had_answered = session.start_revisions.has_answered
        session.result_mode.has_alternative_left = session.start_revisions.cut() and had_answered
    elif state == session_states.SUBSCRIBING or state == session_states.CLEARING:
        revisions = subscription_due(session).revisions
        if is_optional(session):
            revisions.given_up = session.is_cleared or not revisions.cut()
            session.result_mode.has_alternative_left = True
        else:
            session.result_mode.has_alternative_left = (
                session.is_cleared or revisions.cut() or session.result_mode.next(session)
            )


def _go_without(session):
    """The subscription is not available: go on without it."""
    subscription_due(session).revisions.given_up = session.result_mode.has_alternative_left = True
    ask_next(session, True)
    return session_states.EV_REJECTED


def subscription_due(session):
    """Return the subscription whose turn it is."""
    return session.subscriptions[session.subscription_index]


def is_optional(session):
    """True if what is asked for is a subscription that is not needed."""
    return session.state != session_states.STARTING and subscription_due(session).row[NEEDED] is not True


def is_subscribed_by(session, push):
    """True if this push shows that the subscription that was asked for is accepted (rule 2)."""
    request = session.request
    if request.row is not rq.SUBSCRIBE or not request.asked or request.unsent or not session.link.idle():
        return False
    for one in subscription_due(session).pushes:
        if one.pushed_mid == push.pushed_mid:
            return True
    return False


def _ask_for(session, row, mid, revision):
    """Ask for the subscription whose turn it is, or for its end."""
    subscription = subscription_due(session)
    # A generic one may be named by either (MT "Special MT Focus 6000 considerations, per mid")
    named = subscription.row[NAMED] or mid
    data = subscription.data
    if row is rq.UNSUBSCRIBE and subscription.clearing is not None:
        data = subscription.clearing
    # No long wait for what is not needed, nor after a rejection: it gets a connection of its own.
    tries = session.tries if subscription.row[NEEDED] is True and not session.result_mode.has_alternative_left else 1
    session.request.ask(row, mid, named, revision, data, tries)
