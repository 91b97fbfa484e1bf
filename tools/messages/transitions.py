"""Which reasons for a missing side have been reported: each once, until the side is back.

The same goes for log entries that every attempt to reach it repeats. What a disk refuses is said by the station's need
for as long as it refuses (toolcart.tools.messages.attention), and by such an entry only if that was over at once.
"""

from __future__ import annotations

from toolcart.tools.messages import connections

SIDES = ("controller", "outlet")  # of toolcart.tools.messages.connections.both
DISK = "disk"
OF_THE_DISK = ("flash failed", "not saved")  # each attempt to write repeats them


class News:
    """The news of one station."""

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {side: set() for side in SIDES}
        self._entries: dict[str, set[tuple[str, int]]] = {side: set() for side in SIDES}

    def told(self, side: str) -> bool:
        """True if a reason has been reported since the side was last up."""
        return bool(self._told[side])

    def of_loss(self, side: str, shown: dict, entries: list[dict]) -> str:
        """Return what to add to "lost"; it is not reported again.

        The new `entries` of the log have how it ended: the state may already say why the next attempt has failed.
        """
        its = connections.both(shown)[side]
        end = _end_of(side, shown, entries)
        text = end or connections.reason_of(its).text()
        self._told[side] = {end or connections.kind_of_reason(its)} - {""}
        return f": {text}" if text else ""

    def news(self, shown: dict, stands: dict[str, bool]) -> list[str]:
        """Return what has not been reported yet about sides that are down."""
        news = []
        for side, its in connections.both(shown).items():
            if stands[side]:
                self._told[side].clear()
                self._entries[side].clear()
                continue
            text = connections.reason_of(its).text()
            kind = connections.kind_of_reason(its)
            if text and kind not in self._told[side]:
                self._told[side].add(kind)
                news.append(f"no {connections.name_of(its)}: {text}")
        return news

    def is_new(self, name: str, value: int, stands: dict[str, bool]) -> bool:
        """True if a log entry says something that has not been reported since its side was last up."""
        if name in OF_THE_DISK:
            return stands[DISK]
        side = "controller" if name.startswith("controller ") else "outlet" if name.startswith("server ") else ""
        if not side or stands[side]:
            return True
        is_new = (name, value) not in self._entries[side]
        self._entries[side].add((name, value))
        return is_new


_ENTRY_OF_END = {"controller": ("controller losses", "ready"), "outlet": ("server away", "streaming")}
_ENDS = ("silence", "framing lost", "reset", "ended", "timed out", "no answer", "malformed")  # say all without a code
_ENDS += ("TLS broken", "TLS ended")


def _end_of(side: str, shown: dict, entries: list[dict]) -> str:
    """Return how a connection that stood has ended, as the log has it; "" if it does not say."""
    name, state = _ENTRY_OF_END[side]
    slug = next((entry.get("text", "") for entry in entries if entry["name"] == name), "")
    if slug not in _ENDS:
        return ""
    ended = {"why": slug, "why_in": state, "why_code": 0, "why_mid": 0}
    return connections.reason_of({**connections.both(shown)[side], **ended}).text()
