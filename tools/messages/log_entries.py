"""Log entries of a station that have only a name and a number, in words."""

from __future__ import annotations

from toolcart.agent.linux import mid0900 as trace
from toolcart.agent.openprotocol.error_codes import NO_CODE
from toolcart.agent.quarantine.entries import reason_text
from toolcart.agent.station import subscription_check
from toolcart.board.linux import refusal as linux_refusal
from toolcart.tools.messages import standing_conditions

REVISIONS_UNSUPPORTED = (76, 97)  # in MID 0004: of what MID 0008 subscribes to, and of the MID itself

# What such an entry means, and what helps.
EXPLAINED = {
    "refused by server": "ToolsNet refused what was sent with code {value}; it is offered again unless it is given up",
    "controller refusals": "the controller rejected MID {mid:04d} {code}",
    "given up": "ToolsNet did not take an event or a curve: it is given up, and not offered again",
    "server silent": "ToolsNet did not acknowledge result {value} in time; the next connection shows whether it has it",
    "server foreign": "ToolsNet's 05 named another telegram than the outstanding one; it acknowledges nothing",
    "server unknown": "ToolsNet sent a telegram that was not asked for; it was ignored",
    "server malformed": "ToolsNet sent something that is not a telegram",
    "other host": "the PIM names another host for the server than toolsnet.pim_host, port {value}; results go there",
    "parking failed": "the quarantine has no room: what ToolsNet refuses stays in the spool",
    "refused full": "a result was not taken: the spool is full, and the controller keeps it",
    "flash failed": "a result was not stored and not acknowledged: {refusal}; `toolcart doctor` looks at the disk",
    "not saved": "something that has to be durable could not be written; it is tried again",
    "parked": "a result was set aside: {reason}",
    "clock apart": "the clock of the controller and ours are {value} s apart",
    "raw": "a result that cannot be read came, {value} bytes: it is kept as it came",
    "controller malformed": "the controller's MID {value:04d} could not be used: it does not follow the protocol",
    "controller unknown": "the controller sent MID {value:04d}, which was not asked for; it was ignored",
    "controller resets": (
        "the controller's tightening IDs do not go on from those known: they began again or went round, its answers "
        "are wrong, or it is another controller"
    ),
    "out of sequence": "a result came out of order by its tightening ID; it is kept as it came",
    "shifted": "a result's fields were found where its revision does not have them; told once a day",
    "odd on the line": (
        "an impossible result came over the line; it is accepted if it comes again unchanged. "
        "`toolcart line monitor` shows what comes"
    ),
    "no owner": (
        "the controller's answers to MID 0064 do not show that a result is of this station: what was missed is not "
        "fetched"
    ),
    "unsubscribed": "the controller had stopped pushing results while connected: {why}",
    "passed over": (
        "results are not taken, since MID 0065 names another station: right where stations share the tightening IDs; "
        'else set controller.tightening_ids to "own"'
    ),
    "ids off": "this controller answers MID 0064 with tightening IDs that are off by {value}: they are corrected",
    "repeats nothing": (
        "this controller sends each result once: what is not stored then has to be fetched, if it keeps any "
        "(docs/controllers.md)"
    ),
    "clock set": "the controller's clock was {value} s apart from ours and was set",
    "traces odd": "a curve was kept though something in it is not as it should be",
    "traces lost": "a curve was not kept: {why}",
    "drop ordered": "an operator ordered a drop at the board's console: results of the quarantine dropped: {value}",
    "retry ordered": "an operator ordered a retry at the board's console: results to be offered again: {value}",
    "command ordered": "an operator gave a command at the board's console, MID {value:04d} (0000: it was refused)",
    "faults": "a fault inside the agent ended a connection, which begins again",
}

_CURVES_LOST = {
    trace.LOST_UNREADABLE: "it cannot be read",
    trace.LOST_EMPTY: "it has no sample",
    trace.LOST_CUT: "it is longer than the receive buffer",
    trace.LOST_ROOM: "the spool could not be written",
    trace.LOST_LONG: "it is longer than the area of curves",
    trace.LOST_STEPS: "it has more resolutions than a record has room for",
}


_UNSUBSCRIBED = {
    subscription_check.IS_FETCHED: (
        "what it did not push is fetched where it still has it, and the connection begins again"
    ),
    subscription_check.IS_LOST: "it pushes again; what it made meanwhile cannot be fetched from it",
}


def is_search(name: str, value: int) -> bool:
    """True if a revision was rejected: at every start the agent searches for one that both sides have."""
    return name == "controller refusals" and value > 0 and value % 1000 in REVISIONS_UNSUPPORTED


def explain(name: str, value: int, number: int) -> str:
    """Return a log entry of station `number` in words for people."""
    if is_search(name, value):
        return (
            f"the controller does not have a revision of MID {value // 1000:04d} that was asked for; "
            "an older one is asked for where there is one"
        )
    if name == "server foreign" and value < 0:
        return "the PIM's 08 names another telegram than our 07: it is ignored"
    if name == "server silent" and not value:
        return "ToolsNet did not acknowledge an event, a curve or a description in time"
    if name == "controller malformed" and not value:
        return "the controller sent octets that are no message: passed over; told once for each connection"
    text = EXPLAINED.get(name)
    if text is None:
        return standing_conditions.server_sentence(name, value, number)
    from toolcart.tools.messages.reasons import with_code  # the table of codes is large, and rarely wanted

    mid, code = (value // 1000, value % 1000) if value >= 0 else (-1 - value, NO_CODE)
    shown_code = with_code(code) if "{code}" in text else value
    refusal = linux_refusal.meaning(value) if value in linux_refusal.WORDS else "the flash could not be read or written"
    reasons = _UNSUBSCRIBED if name == "unsubscribed" else _CURVES_LOST
    reason = reasons.get(value, f"reason {value}")
    return text.format(value=value, mid=mid, code=shown_code, reason=reason_text(value), refusal=refusal, why=reason)
