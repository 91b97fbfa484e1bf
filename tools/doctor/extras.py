"""What a controller gives beside results: alarms, parameter sets, jobs, VINs and curves; subscribed to, then undone.

Rules
1. Each is asked for as the agent would, from the agent's own rows. A subscription that is accepted is ended at once.
2. A subscription that exists already is another client's: it is left alone.
3. Curves are asked for only if the configuration wants them: subscribing to them has been seen to exhaust a
   controller (docs/controllers.md).
4. Nothing that comes meanwhile is acknowledged. What is not available is not a failure: results come without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolcart.agent.linux.controller_events import subscriptions_of
from toolcart.agent.linux.mid0900 import TYPES, TraceSubscription
from toolcart.agent.openprotocol.error_codes import (
    NO_CODE,
    REJECTED_EXISTS,
    REJECTED_OTHER,
    REJECTED_REVISION,
    rejection_class,
)
from toolcart.agent.openprotocol.operation_result import OPERATION_REVISIONS, OPERATIONS
from toolcart.agent.openprotocol.subscriptions import NAMED, UNSUBSCRIBE_MID, Subscription
from toolcart.codec.ask import Asking, ConnectionEnded, NoAnswer
from toolcart.tools.doctor.finding import GOOD, NOTE, WARN, Finding
from toolcart.tools.messages import reasons

NAMES = {"alarms": "alarms", "pset": "parameter sets", "job": "jobs", "vin": "VINs", "curves": "curves"}
CURVES = "curves"
_HINT = "Results come all the same. Look at its licence and setup, or take it out of controller.{}."


@dataclass
class SubscriptionOutcome:
    """The outcome for one kind: the revision it takes, or why it gives none."""

    revision: int = 0
    why: str = ""


def wanted(configuration: dict, station: dict) -> frozenset[str]:
    """Return what the agent would ask this station's controller for."""
    controller = station["controller"]
    has_others = any(outlet["kind"] != "toolsnet" for outlet in station["outlets"])
    events = controller["events"] if has_others or (configuration["toolsnet"] or {}).get("events") else ()
    return frozenset((*events, CURVES) if controller["traces"] else events)


def examine(subject: str, asking: Asking, controller: dict, wants: frozenset[str]) -> list[Finding]:
    """Try everything that it may give beside results."""
    outcomes = {kind: _first_accepted(asking, subscriptions_of((kind,))) for kind in NAMES if kind != CURVES}
    if CURVES in wants:
        types = [TYPES.index(name) + 1 for name in controller["traces"]]
        outcomes[CURVES] = _first_accepted(asking, (TraceSubscription(types),))
    missing = [kind for kind in outcomes if kind in wants and not outcomes[kind].revision]
    return [_overview(subject, outcomes, wants), *([_lacking_finding(subject, outcomes, missing)] if missing else [])]


def _overview(subject: str, outcomes: dict[str, SubscriptionOutcome], wants: frozenset[str]) -> Finding:
    offered = [NAMES[kind] for kind in outcomes if outcomes[kind].revision]
    missing = [
        f"{NAMES[kind]} ({outcomes[kind].why})"
        for kind in outcomes
        if not outcomes[kind].revision and kind not in wants
    ]
    words = f"it reports {_joined(offered, 'and') if offered else 'nothing'} beside results"
    if missing:
        words += f"; no {_joined(missing, 'and no')}"
    figures = {kind: outcomes[kind].revision for kind in outcomes}
    return Finding(subject, GOOD if offered and not missing else NOTE, words, "", figures)


def _lacking_finding(subject: str, outcomes: dict[str, SubscriptionOutcome], kinds: list[str]) -> Finding:
    """Report what the configuration wants and this controller does not give."""
    named = _joined([f"{NAMES[kind]} ({outcomes[kind].why})" for kind in kinds], "and")
    settings = ["events"] if kinds[0] != CURVES else []
    settings += ["traces"] if CURVES in kinds else []
    return Finding(
        subject, WARN, f"the configuration asks for {named}: it gives none", _HINT.format("/".join(settings))
    )


def _joined(items: list[str], conjunction: str) -> str:
    return f" {conjunction} ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def _first_accepted(asking: Asking, subscriptions: tuple[Subscription, ...]) -> SubscriptionOutcome:
    """Try the subscriptions in turn until one is accepted; if none is, the first one's reason counts."""
    reasons = []
    for subscription in subscriptions:
        outcome = _try_revisions(asking, subscription)
        if outcome.revision:
            return outcome
        reasons.append(outcome.why)
    return SubscriptionOutcome(why=reasons[0])


def offers_operations(asking: Asking) -> int:
    """Return the revision in which results come as MID 1201, 0 if they do not; the subscription is cancelled."""
    subscription = Subscription(OPERATIONS, OPERATION_REVISIONS)
    return _try_revisions(asking, subscription).revision


def _try_revisions(asking: Asking, subscription: Subscription) -> SubscriptionOutcome:
    why = ""
    for forms in subscription.revisions.all:
        revision = forms[0] if isinstance(forms, tuple) else forms  # the forms of a curve
        frame = _frame(subscription.mid, subscription.revision(), subscription.data)
        try:
            code = _refusal(asking, frame, {push.pushed_mid for push in subscription.pushes})
        except NoAnswer:
            return SubscriptionOutcome(why=f"MID {_mid_text(subscription)} is not answered")
        except ConnectionEnded:
            why = f"MID {_mid_text(subscription)}: it closes the connection"
            subscription.revisions.rejected()
            continue
        if code == 0:
            _end(asking, subscription)
        if code == 0 or rejection_class(code) == REJECTED_EXISTS:
            return SubscriptionOutcome(revision)
        why = f"MID {_mid_text(subscription)}: {reasons.code_phrase(code)}"
        if rejection_class(code) not in (REJECTED_OTHER, REJECTED_REVISION):
            break
        subscription.revisions.rejected()
    return SubscriptionOutcome(why=why)


def _refusal(asking: Asking, frame: bytes, pushes: set[int]) -> int:
    """Return the code of the rejection, 0 if there is none; a push in place of the answer counts as acceptance."""
    has_pushed = False
    try:
        for reply in asking.ask(frame):
            if reply.is_answer:
                code = reply.message["error_code"] if reply.message.mid == 4 else 0
                return code if isinstance(code, int) else NO_CODE
            has_pushed |= reply.message.mid in pushes
    except NoAnswer:
        if not has_pushed:
            raise
    return 0


def _end(asking: Asking, subscription: Subscription) -> None:
    """Cancel the subscription; whatever is left of it ends with the session."""
    data = subscription.data if subscription.clearing is None else subscription.clearing
    try:
        for _ in asking.ask(_frame(subscription.row[UNSUBSCRIBE_MID], 1, data)):
            pass
    except (NoAnswer, ConnectionEnded):
        pass


def _frame(mid: int, revision: int, data: bytes | bytearray) -> bytes:
    return b"%04d%04d%03d" % (20 + len(data), mid, revision) + b" " * 9 + bytes(data)


def _mid_text(subscription: Subscription) -> str:
    named = subscription.row[NAMED]
    return f"{subscription.mid:04d} for {named:04d}" if named else f"{subscription.mid:04d}"
