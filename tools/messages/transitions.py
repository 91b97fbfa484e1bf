"""Which reasons for a missing side have been reported: each once, until the side is back.

A ToolsNet that refuses results is there, but is not back before it takes one: each time that it goes away is reported.
The same goes for log entries that every attempt to reach it repeats. What a disk refuses is said by the station's need
for as long as it refuses (toolcart.tools.messages.attention), and by such an entry only if that was over at once.
"""

from __future__ import annotations

from toolcart.tools.messages import attention, connections, outlet_names, reasons

SIDES = ("controller", "outlet")  # of toolcart.tools.messages.connections.main_connections
DISK = "disk"
OF_THE_DISK = ("flash failed", "not saved")  # each attempt to write repeats them


class ReportedReasons:
    """The reasons of one station that have been reported, by side."""

    def __init__(self) -> None:
        self._reasons: dict[str, set[str]] = {side: set() for side in SIDES}
        self._entries: dict[str, set[tuple[str, int]]] = {side: set() for side in SIDES}

    def has_reported(self, side: str) -> bool:
        """True if a reason has been reported since the side was last up."""
        return bool(self._reasons[side])

    def loss_suffix(self, side: str, before: dict, status: dict, entries: list[dict]) -> str:
        """Return what to add to "lost"; it is not reported again.

        The new `entries` of the log have how it ended: the state may already say why the next attempt has failed, which
        may have led elsewhere. The state `before` has where the connection led.
        """
        connection = connections.main_connections(status)[side]
        end_reason = _end_reason(side, before, status, entries) or _fault(side, status, entries)
        text = end_reason or connections.reason_of(connection).text()
        self._reasons[side] = {end_reason or connections.kind_of_reason(connection)} - {""}
        return f": {text}" if text else ""

    def new_reasons(self, status: dict, up: dict[str, bool]) -> list[tuple[str, str]]:
        """Return what has not been reported yet about sides that are down, each with how bad it is (attention)."""
        new_reasons = []
        for side, connection in connections.main_connections(status).items():
            if up[side]:
                self._reasons[side].clear()
                self._entries[side].clear()
                continue
            if connections.is_working(connection) and (connection.get("refused") or {}).get("code"):
                self._reasons[side].clear()
                continue
            reason = connections.reason_of(connection)
            text, kind = reason.text(), connections.kind_of_reason(connection)
            if reason.slug in (reasons.OUR_FLASH, reasons.KEPT_AGAIN):
                continue  # so does the disk's need, or its end, and nothing is wrong with that side
            if text and kind not in self._reasons[side]:
                self._reasons[side].add(kind)
                words = f"no {outlet_names.name_of(connection)}: {text}"
                new_reasons.append((attention.level_of(connection) or attention.WARN, words))
        return new_reasons

    def is_new_entry(self, name: str, value: int, up: dict[str, bool]) -> bool:
        """True if a log entry says something that has not been reported since its side was last up."""
        if name in OF_THE_DISK:
            return up[DISK]
        side = "controller" if name.startswith("controller ") else "outlet" if name.startswith("server ") else ""
        if not side or up[side]:
            return True
        is_new = (name, value) not in self._entries[side]
        self._entries[side].add((name, value))
        return is_new


def left_suffix(side: str, status: dict, entries: list[dict]) -> str | None:
    """Return what to add to "left in order" of a side's connection; None if it was not we who ended it in order."""
    connection = connections.main_connections(status)[side]
    slug = connections.reason_of(connection).slug
    if side == "outlet":
        is_ours = connection.get("kind") == "toolsnet" and not slug and not _fault(side, status, entries)
        return ": its PIM is asked again what it has" if is_ours else None
    if not slug and connection.get("waits_for_room"):
        return ": the spool is full"
    return _LEFT.get(slug)


_LEFT = {
    reasons.OUR_FLASH: ": results cannot be kept now",
    reasons.KEPT_AGAIN: ": results could not be kept, and can be kept again",
}
_ENTRY_OF_END = {"controller": ("controller losses", "ready"), "outlet": ("server away", "streaming")}
_ENDS = ("silence", "framing lost", "reset", "ended", "timed out", "no answer", "malformed")  # say all without a code
_ENDS += ("TLS broken", "TLS ended")


def _end_reason(side: str, before: dict, status: dict, entries: list[dict]) -> str:
    """Return how a connection that stood has ended, as the log has it; "" if it does not say of which one."""
    name, state = _ENTRY_OF_END[side]
    slug = next((entry.get("text", "") for entry in entries if entry["name"] == name), "")
    connection, now = (connections.main_connections(one)[side] for one in (before, status))
    is_same = connection.get("server") == now.get("server")
    if slug not in _ENDS or not (is_same or _server_connects(before) == _server_connects(status)):
        return ""
    ended = {"why": slug, "why_in": state, "why_code": 0, "why_mid": 0}
    return connections.reason_of({**connection, **ended}).text()


def _fault(side: str, status: dict, entries: list[dict]) -> str:
    """Say that a fault of our own has ended this side's connection, if the new `entries` have one."""
    kind = connections.main_connections(status)[side].get("kind")
    value = _FAULT_OF.get(kind or side, _FAULT_OF_OTHERS)
    has_one = any(entry["name"] == "faults" and entry["value"] == value for entry in entries)
    return "a fault inside the agent" if has_one else ""


_FAULT_OF = {"controller": 0, "toolsnet": 1}  # the value of its entry
_FAULT_OF_OTHERS = 2


def _server_connects(status: dict) -> int:
    return status.get("counters", {}).get("server connects", 0)
