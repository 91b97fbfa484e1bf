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
    REFUSED_EXISTS,
    REFUSED_OTHER,
    REFUSED_REVISION,
    refusal_class,
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


def examine(what: str, asking: Asking, controller: dict, wants: frozenset[str]) -> list[Finding]:
    """Try everything that it may give beside results."""
    told = {word: _first_of(asking, subscriptions_of((word,))) for word in NAMES if word != CURVES}
    if CURVES in wants:
        types = [TYPES.index(name) + 1 for name in controller["traces"]]
        told[CURVES] = _first_of(asking, (TraceSubscription(types),))
    missing = [word for word in told if word in wants and not told[word].revision]
    return [_in_general(what, told, wants), *([_missing(what, told, missing)] if missing else [])]


def _in_general(what: str, told: dict[str, SubscriptionOutcome], wants: frozenset[str]) -> Finding:
    given = [NAMES[word] for word in told if told[word].revision]
    lacking = [f"{NAMES[word]} ({told[word].why})" for word in told if not told[word].revision and word not in wants]
    words = f"it reports {_listed(given, 'and') if given else 'nothing'} beside results"
    if lacking:
        words += f"; no {_listed(lacking, 'and no')}"
    figures = {word: told[word].revision for word in told}
    return Finding(what, GOOD if given and not lacking else NOTE, words, "", figures)


def _missing(what: str, told: dict[str, SubscriptionOutcome], words: list[str]) -> Finding:
    """Report what the configuration wants and this controller does not give."""
    named = _listed([f"{NAMES[word]} ({told[word].why})" for word in words], "and")
    settings = ["events"] if words[0] != CURVES else []
    settings += ["traces"] if CURVES in words else []
    return Finding(what, WARN, f"the configuration asks for {named}: it gives none", _HINT.format("/".join(settings)))


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _first_of(asking: Asking, subscriptions: tuple[Subscription, ...]) -> SubscriptionOutcome:
    """Try the subscriptions in turn until one is accepted; if none is, the first one's reason counts."""
    reasons = []
    for subscription in subscriptions:
        told = _in_every_revision(asking, subscription)
        if told.revision:
            return told
        reasons.append(told.why)
    return SubscriptionOutcome(why=reasons[0])


def offers_operations(asking: Asking) -> int:
    """Return the revision in which results come as MID 1201, 0 if they do not; the subscription is cancelled."""
    subscription = Subscription(OPERATIONS, OPERATION_REVISIONS)
    return _in_every_revision(asking, subscription).revision


def _in_every_revision(asking: Asking, subscription: Subscription) -> SubscriptionOutcome:
    why = ""
    for known in subscription.revisions.all:
        revision = known[0] if isinstance(known, tuple) else known  # the forms of a curve
        frame = _frame(subscription.mid, subscription.revision(), subscription.data)
        try:
            code = _refusal(asking, frame, {push.pushed_mid for push in subscription.pushes})
        except NoAnswer:
            return SubscriptionOutcome(why=f"MID {_named(subscription)} is not answered")
        except ConnectionEnded:
            why = f"MID {_named(subscription)}: it closes the connection"
            subscription.revisions.refused()
            continue
        if code == 0:
            _end(asking, subscription)
        if code == 0 or refusal_class(code) == REFUSED_EXISTS:
            return SubscriptionOutcome(revision)
        why = f"MID {_named(subscription)}: {reasons.code_phrase(code)}"
        if refusal_class(code) not in (REFUSED_OTHER, REFUSED_REVISION):
            break
        subscription.revisions.refused()
    return SubscriptionOutcome(why=why)


def _refusal(asking: Asking, frame: bytes, pushes: set[int]) -> int:
    """Return the code of the rejection, 0 if there is none; a push in place of the answer counts as acceptance."""
    has_pushed = False
    try:
        for heard in asking.ask(frame):
            if heard.is_answer:
                code = heard.message["error_code"] if heard.message.mid == 4 else 0
                return code if isinstance(code, int) else NO_CODE
            has_pushed |= heard.message.mid in pushes
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


def _named(subscription: Subscription) -> str:
    named = subscription.row[NAMED]
    return f"{subscription.mid:04d} for {named:04d}" if named else f"{subscription.mid:04d}"
