"""What a refused result holds up while the server is well: what rule 6 of docs/worlds.md wants to know."""

from __future__ import annotations

from tools.worlds.history import HeldUp, Result, StationHistory

SOUND_MS = 15000  # so long the agent has power and a flash before a refusal counts


class Passing:
    """One station: from the first refusal by content until something is taken, or something else is wrong."""

    def __init__(self, station: StationHistory) -> None:
        self.station = station
        self.began: int | None = None
        self._front: set[int] = set()
        self._counts = True
        self._mute = False  # one had no answer since one was taken: its passes may have met all that they reach

    def unanswered(self) -> None:
        """The server says nothing to one, because of its content."""
        self._mute = True

    def needs_operator(self) -> None:
        """No one but an operator lets it go on."""
        self._counts = False

    def refused(self, result: Result, now: int) -> None:
        """The server is well, and refuses this one by its content."""
        if self.began is None:
            self.began = now
        self._front.add(result.number)

    def over(self, now: int, counts: bool, is_taken: bool = False) -> None:
        """One is taken, or something else is wrong from now on; it `counts` unless an operator is needed."""
        mute, self._mute = self._mute, self._mute and not is_taken
        began, self.began = self.began, None
        front, self._front = len(self._front), set()
        counts, self._counts = counts and self._counts, True
        if began is None or not counts:
            return
        there = {row.number for row in self.station.rows if row.arrived < now}
        good = [r for r in self.station.results.values() if r.acks and r.is_liked() and r.number not in there]
        waiting = [r.acks[0] for r in good if not (r.tried or r.gone_full or r.dropped)]
        if waiting and min(waiting) < now:
            first = min(waiting)
            self.station.held_up.append(HeldUp(max(first, began), now, front, first <= began and not mute))
