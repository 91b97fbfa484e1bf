"""Which reasons for a missing side were told already: each once, until the side has come.

So are the entries of the log that each attempt to reach it makes again.
"""

from __future__ import annotations

from tools.words import reasons

NAMES = {"controller": "controller", "toolsnet": "ToolsNet"}


class News:
    """Of one station."""

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {side: set() for side in NAMES}
        self._entries: dict[str, dict[str, int]] = {side: {} for side in NAMES}  # the latest value by name

    def told(self, side: str) -> bool:
        """True if a reason was told since the side was there last."""
        return bool(self._told[side])

    def of_loss(self, side: str, shown: dict) -> str:
        """Return what to add to "lost"; it is not told once more."""
        text = reason_of(side, shown).text()
        self._told[side] = {text} - {""}
        return f": {text}" if text else ""

    def news(self, shown: dict, stands: dict[str, bool]) -> list[str]:
        """Return what has not been told yet about sides that do not stand."""
        news = []
        for side, name in NAMES.items():
            if stands[side]:
                self._told[side].clear()
                self._entries[side].clear()
                continue
            text = reason_of(side, shown).text()
            if text and text not in self._told[side]:
                self._told[side].add(text)
                news.append(f"no {name}: {text}")
        return news

    def is_new(self, name: str, value: int, stands: dict[str, bool]) -> bool:
        """True if an entry of the log says something that was not told since its side was there last."""
        side = "controller" if name.startswith("controller ") else "toolsnet" if name.startswith("server ") else ""
        if not side or stands[side]:
            return True
        before = self._entries[side].get(name)
        self._entries[side][name] = value
        return before != value


def reason_of(side: str, shown: dict) -> reasons.Reason:
    """Return why this side of a station is not there."""
    if side == "controller":
        return reasons.of_controller(shown.get("controller", {}))
    toolsnet = next((outlet for outlet in shown.get("outlets", ()) if outlet["kind"] == "toolsnet"), {})
    return reasons.of_toolsnet(toolsnet)
