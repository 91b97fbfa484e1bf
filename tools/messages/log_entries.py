"""Log entries of a station that have only a name and a number, in words."""

from __future__ import annotations

from toolcart.agent.linux import mid0900 as trace
from toolcart.agent.openprotocol.error_codes import NO_CODE
from toolcart.agent.openprotocol.shifted_header import HAS_ONE_MORE, LACKS_FIRST
from toolcart.agent.quarantine.entries import reason_text
from toolcart.agent.record.result import QUARANTINED_UNREADABLE
from toolcart.agent.station import subscription_check
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.tools.messages.counter_rows import row_of
from toolcart.tools.messages.outlet_names import NAMES

REVISIONS_UNSUPPORTED = (76, 97)  # in MID 0004: of what MID 0008 subscribes to, and of the MID itself

_CURVES_LOST = {
    trace.LOST_UNREADABLE: "it cannot be read",
    trace.LOST_EMPTY: "it has no sample",
    trace.LOST_CUT: "it is longer than the receive buffer",
    trace.LOST_ROOM: "the spool could not be written",
    trace.LOST_LONG: "it is longer than the area of curves",
    trace.LOST_STEPS: "it has more resolutions than a record has room for",
}


_UNITS = {2: "lbf.ft", 3: "lbf.in", 4: "kpm", 5: "kgf.cm", 6: "ozf.in", 7: "%", 8: "Ncm"}  # of MID 0061


_UNSUBSCRIBED = {
    subscription_check.IS_FETCHED: (
        "what it did not push is fetched where it still has it, and the connection begins again"
    ),
    subscription_check.IS_LOST: "it pushes again; what it made meanwhile cannot be fetched from it",
}


_SHIFTED = {
    LACKS_FIRST: "the controller sent a header that lacks its first digit: the message in front of it has one byte "
    "less than its length says; passed over",
    HAS_ONE_MORE: "the controller sent a byte in front of a header: the message in front of it has one byte more than "
    "its length says, and no NUL behind it; passed over",
}


def is_search(name: str, value: int) -> bool:
    """True if a revision was rejected: at every start the agent searches for one that both sides have."""
    return name == "controller refusals" and value > 0 and value % 1000 in REVISIONS_UNSUPPORTED


def explain(name: str, value: int, number: int, server: str = "", toolsnet: str = NAMES["toolsnet"]) -> str:
    """Return a log entry of station `number` in words for people; its name and value if there is nothing to say of it.

    The words of its row may have {value}, {number} of the station, the value as {results}, and what it means: {mid} and
    {code} of a rejection, {reason} why something was set aside, {refusal} of the flash, {why} of a curve or a silence,
    {server} that the PIM names, {unit} of a torque; and {toolsnet}, which is what ToolsNet is called at the station.
    """
    if is_search(name, value):
        return (
            f"the controller does not have a revision of MID {value // 1000:04d} that was asked for; "
            "an older one is asked for where there is one"
        )
    if name == "server foreign" and value < 0:
        return "the PIM's 08 names another telegram than our 07: it is ignored"
    if name == "server silent" and not value:
        return f"{toolsnet} did not acknowledge an event, a curve or a description in time"
    if name == "controller malformed" and not value:
        return "the controller sent octets that are no message: passed over; told once for each connection"
    if name == "controller malformed" and value in _SHIFTED:
        return _SHIFTED[value]
    if name == "parking failed" and value == QUARANTINED_UNREADABLE:
        return "the quarantine has no room: a result that could not be read stays in the spool"
    text = row_of(name).entry
    if not text:
        return f"{name} ({value})"
    from toolcart.tools.messages.reasons import with_code  # the table of codes is large, and rarely wanted

    mid, code = (value // 1000, value % 1000) if value >= 0 else (-1 - value, NO_CODE)
    shown_code = with_code(code) if "{code}" in text else value
    refusal = linux_refusal.meaning(value) if value in linux_refusal.WORDS else "the flash could not be read or written"
    reasons = _UNSUBSCRIBED if name == "unsubscribed" else _CURVES_LOST
    reason = reasons.get(value, f"reason {value}")
    words = {"mid": mid, "code": shown_code, "reason": reason_text(value), "refusal": refusal, "why": reason}
    words |= {"results": counted(value, "result"), "was": agreeing(value, "was")}
    words["toolsnet"], words["server"] = toolsnet, server or f"port {value}"
    words["unit"] = _UNITS.get(value, f"unit {value}")
    return text.format(value=value, number=number, **words)
