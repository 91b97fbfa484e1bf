"""What a refused result holds up while the server is well: the data for rule 6 of docs/internals/worlds.md."""

from __future__ import annotations

from lab.worlds.history import HeadOfLineDelay, Result, StationHistory

SOUND_MS = 15000  # how long the agent must have had power and a flash before a refusal counts
PROVEN_MS = 50000  # the longest a result waits for offers of a refused one, after one behind a refused one was taken


class HeadOfLine:
    """One station: from the first refusal by content until a result is taken, or something else goes wrong."""

    def __init__(self, station: StationHistory) -> None:
        self.station = station
        self.began: int | None = None
        self._front: set[int] = set()
        self._counts = True
        self._in_order = False  # one was refused for the first time: not one that is offered late
        self._proven: int | None = None  # when one was taken behind refused ones, one at a time
        self._is_proven = False  # the first refusal came soon after that
        self._mute = False  # one had no answer since one was taken: its lookaheads may have met all within reach

    def unanswered(self) -> None:
        """The server does not answer a result, because of its content."""
        self._mute = True

    def needs_operator(self) -> None:
        """Only an operator can let it go on."""
        self._counts = False

    def refused(self, result: Result, now: int, well_since: int = 0) -> None:
        """The server is well, as is everything else since `well_since`, and refuses this one by its content."""
        if self.began is None:
            self.began = now
            self._is_proven = self._proven is not None and max(well_since, now - PROVEN_MS) < self._proven
        self._in_order = self._in_order or len(result.tried) < 2
        self._front.add(result.number)

    def over(self, now: int, counts: bool, is_taken: bool = False) -> None:
        """A result is taken, or something else is wrong from now on; it `counts` unless an operator is needed."""
        mute, self._mute = self._mute, self._mute and not is_taken
        began, self.began = self.began, None
        in_order, self._in_order = self._in_order, False
        refused, self._front = self._front, set()
        counts, self._counts = counts and self._counts, True
        if began is None or not counts:
            return
        if is_taken and in_order and self._were_passed(refused):
            self._proven = now
        there = {row.number for row in self.station.rows if row.arrived < now}
        good = [r for r in self.station.results.values() if r.acks and r.is_liked() and r.number not in there]
        waiting = [r.acks[0] for r in good if not (r.tried or r.gone_full or r.dropped)]
        if waiting and min(waiting) < now:
            first = min(waiting)
            was_there = first <= began and not mute
            is_proven = was_there and self._is_proven
            self.station.held_up.append(HeadOfLineDelay(max(first, began), now, len(refused), was_there, is_proven))

    def _were_passed(self, refused: set[int]) -> bool:
        """True if these had to be passed: none was given up, overwritten or taken."""
        taken = {row.number for row in self.station.rows}
        results = [self.station.results[number] for number in refused]
        gave_way = any(one.dropped or one.gone is not None or one.number in taken for one in results)
        return not gave_way
