"""Checks one controller as the agent would ask it: session, subscription, what it keeps, its clock; TCP or serial.

Rules
1. Only while no agent serves it: many controllers take one client. What it pushes meanwhile is not acknowledged, so the
   controller still owes it, and the agent fetches it by its number.
2. A controller that pushes each result once and does not keep it (MT Focus) is not asked to push.
3. The session is ended in order, whatever happens.
"""

from __future__ import annotations

import time
from datetime import datetime

from toolcart import catalogue
from toolcart.agent.cart.assembly import asked_revisions, controller_session
from toolcart.agent.cart.status import why_name
from toolcart.agent.link.port import PORT_OPEN, PORT_OPENING, WHY_TIMED_OUT
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING, SHARED_SYSTEM
from toolcart.agent.openprotocol.error_codes import REJECTED_EXISTS, REJECTED_GONE, rejection_class
from toolcart.board.linux.board import Board
from toolcart.codec.ask import (
    BUSY,
    SPINDLE_FIRST,
    USUAL,
    Asking,
    ConnectionEnded,
    Foreign,
    NoAnswer,
    NoSession,
    OtherHeader,
    Unanswered,
    UnusableAnswer,
    request_in,
    revision_name,
)
from toolcart.tools.doctor import extras, local, outlets
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, WARN, Finding
from toolcart.tools.messages import reasons
from toolcart.tools.status import process

WAIT_S = 5.0
SERIAL_S = 12.0  # three tries of MID 0001, plus the delays of a slow line
CLOCK_TOLERANCE_S = 5  # a controller tells whole seconds, and its answer takes time
UNKNOWN_MID = 99
CLOSES_CONNECTION = "it closes the connection"
_HEADERS = {
    SPINDLE_FIRST: 'Set controller.header to "op-ford" or "op-bmw".',
    USUAL: 'Leave controller.header out, or set it to "standard".',
}
TURN_S = 0.01
LOCK_NOTE = (
    "cannot tell whether the tool locks on disconnect",
    "Look for the action at disconnect in the controller's own settings: docs/controllers.md names it.",
)
_OWN_RESULTS_HINT = "The agent takes those of its own station, where MID 0065 names it: from revision 7 on."
_OPERATIONS = (
    'With several bolts (Flex, StepSync) set controller.results to "operations": what MID 0061 holds of them is in no '
    "document."
)
_CONTROLLER_NAME = slice(6, 31)  # of a session's identity (toolcart.agent.openprotocol.controller_identity)
# What to check if there is a connection but no session.
_CONNECTED = "Is another client connected? Does it know one of controller.start_revisions?"
_OCCUPIED = "Another program holds its connection, or our last one has not timed out there yet."
_REJECTED = "Offer others in controller.start_revisions; docs/controllers.md says what is known of each controller."
_NO_SESSION: dict[type, str] = {
    UnusableAnswer: "`toolcart ask` shows what it answers; docs/controllers.md says what is known of each controller.",
    NoAnswer: "Is this a controller's Open Protocol port? Some answer one client only.",
    Foreign: "Does something else listen there?",
}


def over_tcp(name: str, controller: dict, wants: frozenset[str] = frozenset()) -> list[Finding]:
    """Ask this controller everything it can be asked; `wants` is what the configuration wants beside results."""
    subject = f"{name} controller"
    try:
        asking = _connect(controller, controller.get("header", USUAL))
    except Unanswered as error:
        endpoint = reasons.Endpoint(reasons.CONTROLLER, controller["host"], controller["port"], "controller.host")
        return [outlets.unreached(subject, endpoint, error.__cause__)]
    try:
        started = asking.start(asked_revisions(controller["start_revisions"], controller.get("header", USUAL)))
    except Unanswered as error:
        asking.leave()
        other_header = None if _has_answered(error) else _other_header(controller, subject)
        return [other_header or Finding(subject, BAD, str(error), _hint(error, controller.get("header", USUAL)))]
    findings = [_identity_finding(subject, started)]
    try:
        if started.get("system_type") == REPEATS_NOTHING:
            findings.append(
                Finding(subject, GOOD, "its results come by MID 0008 and 1201; it keeps none, so none is asked for")
            )
        else:
            findings += [
                _results_finding(subject, asking, controller, started.get("system_type")),
                _stored_results(subject, asking, controller),
            ]
        findings.append(_clock_finding(subject, asking))
        findings += extras.examine(subject, asking, controller, wants)
    except Unanswered as error:
        findings.append(Finding(subject, BAD, str(error), "It answered MID 0001 and then no more."))
    finally:
        asking.leave()
    return [*findings, Finding(subject, NOTE, *LOCK_NOTE)]


def _connect(controller: dict, header: str) -> Asking:
    return Asking(controller["host"], controller["port"], WAIT_S, header, controller.get("spindle_id") or 0)


def _other_header(controller: dict, subject: str) -> Finding | None:
    """Ask one that does not answer with the other header; return what to say if that is its own."""
    header = SPINDLE_FIRST if controller.get("header", USUAL) == USUAL else USUAL
    try:
        asking = _connect(controller, header)
        try:
            asking.start(asked_revisions(controller["start_revisions"], header))
        finally:
            asking.leave()
    except Unanswered as error:
        if not _has_answered(error):
            return None
    return Finding(subject, BAD, "it answers only where controller.header is another", _HEADERS[header])


def _has_answered(error: Unanswered) -> bool:
    """True if what was sent was answered, with a rejection or something else: it was neither silence nor an end."""
    if isinstance(error, NoSession):
        return bool(error.codes)
    return isinstance(error, UnusableAnswer) or not isinstance(error, (NoAnswer, ConnectionEnded))


def _hint(error: Unanswered, header: str) -> str:
    """Return what to look at where there is a connection and no session."""
    if isinstance(error, OtherHeader):
        return _HEADERS[SPINDLE_FIRST if header == USUAL else USUAL]
    codes = error.codes if isinstance(error, NoSession) else ()
    if any(code in BUSY for code in codes):
        return _OCCUPIED
    return _REJECTED if codes else _NO_SESSION.get(type(error), _CONNECTED)


def _identity_finding(subject: str, started: catalogue.Message) -> Finding:
    names = ("controller_name", "controller_software", "system_type")
    facts = {key: started.get(key) for key in names if started.get(key) not in (None, "")}
    description = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
    words = f"answers MID 0001 in revision {started.revision}: {description or 'it says nothing about itself'}"
    return Finding(subject, GOOD, words, "", {"revision": started.revision, **facts})


def _results_finding(subject: str, asking: Asking, controller: dict, system_type: object) -> Finding:
    """Subscribe as the settings say, and unsubscribe at once."""
    results = controller.get("results", "auto")
    if results == "operations" and (offered := extras.offers_operations(asking)):
        return Finding(
            subject, GOOD, f"results are pushed by MID 1201, in revision {offered}", "", {"operations": offered}
        )
    return _subscription_finding(subject, asking, controller, results == "auto" and system_type == SHARED_SYSTEM)


def _offers_both(subject: str, revision: int, offered: int) -> Finding:
    words = f"results are pushed in revision {revision_name(revision)} (MID 0060), and it offers MID 1201 as well"
    return Finding(subject, NOTE, words, _OPERATIONS, {"results": revision, "operations": offered})


def _subscription_finding(subject: str, asking: Asking, controller: dict, may_have_several_bolts: bool) -> Finding:
    """Subscribe in the best revision it takes, and unsubscribe at once.

    With `may_have_several_bolts` MID 0061 may hold one of them alone: then MID 1201 is asked for too.
    """
    refused: list[str] = []
    accepted_by_code = 0  # the revision that was answered with "no error"
    for revision in asked_revisions(controller["result_revisions"], controller.get("header", USUAL)):
        try:
            answer, pushed = _answer_to(asking, request_in(60, revision))
        except ConnectionEnded:
            refused.append(f"{revision_name(revision)}: {CLOSES_CONNECTION}")
            continue
        exists = answer.mid == 4 and rejection_class(answer["error_code"]) == REJECTED_EXISTS
        if answer.mid == 5 or (accepted_by_code and exists):
            revision = revision if answer.mid == 5 else accepted_by_code
            _, more_pushed = _answer_to(asking, catalogue.encode(63))
            if may_have_several_bolts and (offered := extras.offers_operations(asking)):
                return _offers_both(subject, revision, offered)
            hint = (
                f"{pushed + more_pushed} results came meanwhile; the agent fetches them."
                if pushed + more_pushed
                else ""
            )
            return Finding(
                subject,
                GOOD,
                f"results are pushed in revision {revision_name(revision)} (MID 0060)",
                hint,
                {"results": revision},
            )
        code = answer["error_code"]
        accepted_by_code = accepted_by_code or (revision if code == 0 else 0)
        refused.append(f"{revision_name(revision)}: {reasons.code_text(code)}")
        if code == UNKNOWN_MID:
            words = "it knows no MID 0060; the agent asks for its results by MID 0008 instead (1201, 1202)"
            return Finding(
                subject, NOTE, words, "Fine where the controller has those; docs/controllers.md says which do."
            )
    if accepted_by_code:
        words = 'it answers MID 0060 by 0004 with code 00, "no error", and accepts no revision by 0005'
        return Finding(
            subject,
            NOTE,
            words,
            "The agent takes that for a yes; see whether a result comes.",
            {"results": accepted_by_code},
        )
    words = f"it rejects what asks for pushed results, by revision of MID 0060: {', '.join(refused)}"
    return Finding(
        subject, BAD, words, "Is another client subscribed? Does it know one of controller.result_revisions?"
    )


def _stored_results(subject: str, asking: Asking, controller: dict) -> Finding:
    """Ask for the newest result it keeps: MID 0064 with number 0."""
    wanted = controller.get("recover", True)
    try:
        answer, _ = _answer_to(asking, catalogue.encode(64, tightening_id=0))
    except ConnectionEnded:
        words = f"{CLOSES_CONNECTION} when it is asked for a stored result (MID 0064)"
        return Finding(
            subject, BAD, words, "Set controller.recover to false: then the session stands, and nothing is fetched."
        )
    if answer.mid == 65:
        newest_id = answer["tightening_id"]
        words = f"it returns stored results (MID 0064); newest tightening ID {newest_id}"
        figures = {"newest": newest_id}
        if not wanted:
            words += ", but controller.recover is false: what it makes while the agent is not listening is not fetched"
            return Finding(subject, NOTE, words, "", figures)
        if not _shares_ids(asking, newest_id):
            return Finding(subject, GOOD, words, "", figures)
        words += "; all its stations share the tightening IDs"
        if controller.get("tightening_ids") != "own":
            return Finding(subject, GOOD, words, _OWN_RESULTS_HINT, {**figures, "shares_ids": True})
        hint = 'Set controller.tightening_ids to "auto": results of other stations are taken for its own now.'
        return Finding(subject, BAD, words, hint, {**figures, "shares_ids": True})
    words = f"it returns no stored result (MID 0064): {reasons.code_phrase(answer['error_code'])}"
    if rejection_class(answer["error_code"]) == REJECTED_GONE:
        return Finding(subject, NOTE, words, "It has none yet.")
    hint = (
        "What is made while the cable is out cannot be fetched. Where that is known, set controller.recover to false."
    )
    return Finding(subject, BAD if wanted else NOTE, words, hint)


def _shares_ids(asking: Asking, newest: int) -> bool:
    """True if an ID that was never made is answered with the newest below it, as where stations share the IDs."""
    try:
        answer, _ = _answer_to(asking, catalogue.encode(64, tightening_id=newest + 1))
    except ConnectionEnded:
        return False
    return answer.mid == 65 and answer["tightening_id"] <= newest


def _clock_finding(subject: str, asking: Asking) -> Finding:
    try:
        answer, _ = _answer_to(asking, catalogue.encode(80))
    except ConnectionEnded:
        return Finding(subject, NOTE, f"its clock cannot be asked: {CLOSES_CONNECTION}")
    if answer.mid != 81:
        return Finding(subject, NOTE, f"its clock cannot be asked: {reasons.code_phrase(answer['error_code'])}")
    clock_time = str(answer["time"])
    try:
        ahead_s = (datetime.strptime(clock_time, "%Y-%m-%d:%H:%M:%S") - datetime.now()).total_seconds()
    except ValueError:
        return Finding(subject, WARN, f"its clock says {clock_time}, which is not a time", "Set it in the controller.")
    figures = {"clock_ahead_s": round(ahead_s)}
    if local.is_unset(process.clock()):
        return Finding(
            subject, NOTE, f"its clock says {clock_time}; ours is not set, so they are not compared", "", figures
        )
    if abs(ahead_s) <= CLOCK_TOLERANCE_S:
        return Finding(subject, GOOD, "its clock agrees with ours", "", figures)
    direction = "ahead of" if ahead_s > 0 else "behind"
    hint = 'Set it there, or let the agent: `"clock": "set"` for this controller.'
    return Finding(subject, WARN, f"its clock is {abs(ahead_s):.0f} s {direction} ours", hint, figures)


def _answer_to(asking: Asking, frame: bytes) -> tuple[catalogue.Message, int]:
    """Return the answer to one request, and how many results came meanwhile."""
    pushed_count = 0
    for reply in asking.ask(frame):
        if reply.is_answer:
            return reply.message, pushed_count
        pushed_count += reply.message.mid == 61
    raise Unanswered(f"{asking.place} did not answer")


# -- a serial line -------------------------------------------------------------------------------------------------


def over_line(name: str, controller: dict, folder: str) -> list[Finding]:
    """Open the line and begin a session on it with the agent's own link and session."""
    subject = f"{name} line"
    device, baud = controller["device"], controller["baud"]
    board = Board(folder)
    port = board.serial(controller)
    port.open(device, baud)

    def lost(fault: int) -> list[Finding]:
        reason = reasons.connect_reason(
            reasons.line_endpoint(device, baud), why_name(fault), "", int(port.why_code or 0)
        )
        return [Finding(subject, BAD, reason.words, reason.hint, {"why": reason.slug})]

    until = time.monotonic() + WAIT_S
    while port.state() == PORT_OPENING and time.monotonic() < until:
        time.sleep(TURN_S)
    if port.state() != PORT_OPEN:
        fault = port.why or (WHY_TIMED_OUT if port.state() == PORT_OPENING else 0)
        port.close()
        return lost(fault)
    session = controller_session(controller, ())
    received = 0
    session.opened()
    until = time.monotonic() + SERIAL_S
    try:
        while time.monotonic() < until:
            received += _pump(session, port, board.now())
            if session.system_type or session.state in (session_states.SUBSCRIBING, session_states.READY):
                who = bytes(session.identity[_CONTROLLER_NAME]).decode("latin-1").strip(" \0")
                baud_text = "" if "://" in device else f" at {baud} baud"
                words = f"a controller answers on {device}{baud_text} ({controller['link']})"
                words += f": controller name {who}" if who else ""
                figures = {"octets": received, "controller_name": who}
                return [Finding(subject, GOOD, words, "", figures), Finding(subject, NOTE, *LOCK_NOTE)]
            if session.state == session_states.OVER or port.why:
                break
            time.sleep(TURN_S)
        if port.why:  # unplugged, or the server has ended it
            return lost(port.why)
        return [_unanswered(subject, device, baud, received, session)]
    finally:
        session.stop(board.now())
        _pump(session, port, board.now())
        port.close()


def _pump(session, port, now: int) -> int:
    """Let the session take what has come, and write what it has to; return how many bytes came."""
    link = session.link
    n = port.readinto(link.inlet(), link.free)
    if n > 0:
        link.receive(n)
    while session.next_event(now) != session_states.EV_NONE:
        pass
    session.tick(now)
    while link.pending:
        put = port.write(link.tx, link.tx_from, link.pending)
        if put <= 0:
            break
        link.sent(put)
    return max(n, 0)


def _unanswered(subject: str, device: str, baud: int, received: int, session) -> Finding:
    is_answer = session.why in (session_states.WHY_HEADER, session_states.WHY_UNUSABLE)
    why, code = (why_name(session.why), session.received.rejected_code) if is_answer else ("silence", received)
    connection = {"line": True, "host": device, "port": baud, "why": why, "why_code": code}
    if is_answer:
        connection["why_mid"] = session.received.rejected_mid
    reason = reasons.of_controller(connection)
    return Finding(subject, BAD, reason.words, reason.hint, {"octets": received, "why": why_name(session.why)})
