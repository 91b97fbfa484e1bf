"""Describes the quarantine's entries in words, one per call; loaded only when asked for, then freed.

An entry is described like any record (`toolcart.agent.record.text.describe`), with `refused_code`, `reason` in words,
and the bytes of an unreadable frame added.
"""

from toolcart.agent.quarantine.quarantine import PRESSURE_FULL, PRESSURE_NONE
from toolcart.agent.record import KIND_RAW
from toolcart.agent.record import result as res
from toolcart.agent.record.text import describe

_REASONS = {
    res.QUARANTINED_UNREADABLE: "could not be read",
    res.QUARANTINED_SILENT: "ToolsNet left it unanswered, and took one behind it",
    res.QUARANTINED_MOVED: "refused by ToolsNet",
    res.QUARANTINED_IN_DOUBT: "in doubt: its answer was lost, and ToolsNet took one behind it; look there before a "
    "retry",
    res.QUARANTINED_READ: "could not be read before; it is a result now, and waits to be offered again",
}


def reason_text(code):
    """Return in words why something was quarantined."""
    return _REASONS.get(code) or "refused by ToolsNet with code %d" % code


def needs_operator(quarantine, holds=False, keeps_order=False, code=0):
    """Return why an operator must decide; None while no decision is needed.

    `holds`: ToolsNet's outlet has stopped; `keeps_order`: by its setting, and not for want of room; `code`: at what.
    """
    pressure = quarantine.pressure()
    if pressure == PRESSURE_NONE and not holds:
        return None
    why = "the quarantine is more than three quarters full"
    if holds and keeps_order:
        why = (
            'ToolsNet does not take a result, and by the setting refused: "block" all others wait behind it; they go '
            "out by themselves once ToolsNet takes it"
        )
    elif holds and code == res.QUARANTINED_UNREADABLE:
        why = "a result that could not be read has no room in the quarantine, so nothing goes out" + _unread(quarantine)
    elif holds:
        why = (
            "ToolsNet refuses a result and the quarantine has no room for it: all others wait until there is some, or "
            "ToolsNet takes that one"
        )
    elif pressure == PRESSURE_FULL:
        why = "the quarantine is full%s: with the next result that ToolsNet refuses, or that cannot be read, nothing "
        why = why % _unread(quarantine) + "behind it goes out"
    return {"why": why}


def _unread(quarantine):
    """Say how many of its entries could not be read, "" if none."""
    entry = count = 0
    kind = quarantine.next_listed(entry)
    while kind > 0:
        count += kind == KIND_RAW
        entry = quarantine.entry
        kind = quarantine.next_listed(entry)
    return " (records in it that could not be read: %d)" % count if count else ""


def entry_of(quarantine, kind):
    """Return in words the entry found last, which is of this kind."""
    log = quarantine.log
    fields = describe(log.page, log.at, kind, log.flags, quarantine.length)
    fields["refused_code"] = quarantine.reason
    fields["reason"] = reason_text(quarantine.reason)
    if kind == KIND_RAW:
        first = log.at + res.HEAD_BYTES
        fields["frame"] = "".join([chr(octet) for octet in log.page[first : log.at + quarantine.length]])
    return fields
