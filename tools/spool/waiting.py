"""What the spool of a stopped agent holds that somebody still needs, and who: found out here, for all who say it.

Rules
1. Every outlet counts that has a place in the snapshot (toolcart.agent.cart.outlet_places), also one that the last
   start did not have: configured again, it goes on where it was. Where no place is known to be anybody's, as without a
   state or in one of an old version, those count whose cursors have moved, and if none has, all: for nobody in
   particular.
2. A count is a bound: what was taken after the cursor was saved last is not known here. 0 is certain.
3. ToolsNet takes results and unread frames, the others take events as well. What is sent to ToolsNet again without
   those that are set aside: they stay there.
4. A spool has hashes of names: those that the caller knows are tried, then the kinds' own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolcart.agent.cart.outlet_places import KINDS, TOOLSNET, age_at, hash_at, hash_of, kind_at
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.outlets.toolsnet.data_loss import kept
from toolcart.agent.record import KIND_EVENT
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.spool import image
from toolcart.spool.offline_spool import OfflineSpool, each, opened
from toolcart.tools.messages import outlet_names


@dataclass(frozen=True)
class Waiting:
    """What one outlet has not taken, at most. No name: nothing tells which. `was_there`: the last start had it."""

    name: str
    count: int
    was_there: bool = True

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"outlet": self.name, "waiting": self.count, "was_there": self.was_there}

    def text(self) -> str:
        name = f" for {self.name}" if self.name else ""
        return f"{self.count}{name}{'' if self.was_there else ' (not configured at the last start)'}"


@dataclass(frozen=True)
class Needed:
    """`waiting` is what waits for each outlet, the most first; `in_doubt`: what ToolsNet may lack that it had."""

    waiting: tuple[Waiting, ...] = ()
    set_aside: int = 0
    in_doubt: int = 0

    def highest(self) -> int:
        """Return how much waits for the one for which most does."""
        return max((one.count for one in self.waiting), default=0)

    def by_name(self) -> dict[str, int]:
        """Return how much waits for each of the outlets for which something does."""
        return {one.name: one.count for one in self.waiting if one.count}

    def waiting_text(self, word: str = "") -> str:
        """Say what waits for whom, with a word behind the first count: `up to 3 waiting for MQTT, 0 for ToolsNet`."""
        count, _, others = (", ".join(one.text() for one in self.waiting) or "0").partition(" ")
        words = " ".join(filter(None, (count, word, others)))
        return f"up to {words}" if self.highest() else words

    def words(self) -> str:
        """Say all of it in a sentence without a capital, "" if nothing is needed."""
        parts = []
        lacking = [one for one in self.waiting if one.count]
        if lacking:
            noun = "result" if all(one.name.startswith(_TOOLSNET) for one in lacking) else "record"
            first, *others = lacking
            verb = agreeing(first.count, "waits")
            words = f"up to {counted(first.count, noun)} {verb}{first.text().removeprefix(str(first.count))}"
            parts.append(", ".join([words, *(other.text() for other in others)]))
        if self.set_aside:
            count = str(self.set_aside) if parts else counted(self.set_aside, "result")
            parts.append(f"{count} {agreeing(self.set_aside, 'is')} set aside")
        if self.in_doubt:
            parts.append(f"ToolsNet lacks up to {counted(self.in_doubt, 'result')} that it had")
        return ", and ".join(parts)


_TOOLSNET = outlet_names.NAMES[KINDS[TOOLSNET - 1]]


def needed(spool: OfflineSpool, names: Iterable[str] = ()) -> Needed:
    """Return what is needed of this spool; `names` are those that its outlets may have."""
    lacks = spool.state.numbers[field.DOUBT_LACKS] if spool.may_refuse else 0
    set_aside = spool.quarantine.count() if spool.may_refuse else 0
    return Needed(tuple(waiting(spool, dict(each(spool.log)), names)), set_aside, lacks)


def needed_of(path: Path, names: Iterable[str] = ()) -> Needed:
    """Return what is needed of the spool in this file; nothing if it is none of this version: the agent says which."""
    try:
        spool = opened(image.device_of(image.content_of(path)))
    except image.ImageError:
        return Needed()
    return needed(spool, names) if spool is not None else Needed()


def together(parts: Iterable[Needed]) -> Needed:
    """Return what is needed of several spools, added up by the outlets' names."""
    counts: dict[tuple[str, bool], int] = {}
    set_aside = in_doubt = 0
    for part in parts:
        set_aside += part.set_aside
        in_doubt += part.in_doubt
        for one in part.waiting:
            key = one.name, one.was_there
            counts[key] = counts.get(key, 0) + one.count
    return Needed(_sorted(Waiting(name, count, was) for (name, was), count in counts.items()), set_aside, in_doubt)


def waiting(spool: OfflineSpool, kinds: dict[int, int], names: Iterable[str] = ()) -> tuple[Waiting, ...]:
    """Return for every outlet how many of these records wait, the most first; `kinds` has the kind of each number."""
    state = spool.state
    places = [place for place in range(field.PLACES) if 0 < kind_at(state, place) <= len(KINDS)]
    if not places:
        moved = [place for place in range(field.PLACES) if state.numbers[field.CURSOR + place]] or range(field.PLACES)
        return (Waiting("", max(waiting_at(spool, kinds, place) for place in moved)),)
    return _sorted(
        Waiting(
            _name_of(state, place, names),
            waiting_at(spool, kinds, place),
            age_at(state, place) == 0,
        )
        for place in places
    )


def waiting_at(spool: OfflineSpool, kinds: dict[int, int], place: int) -> int:
    """Return how many of these records wait for the outlet that has this place."""
    passed = spool.state.numbers[field.CURSOR + place]
    if place:
        return sum(number > passed for number in kinds)
    end = min(field.again_to(spool.state.numbers), spool.log.number)
    aside = kept(spool.quarantine, passed, end) if passed < end else 0
    return sum(number > passed and kind != KIND_EVENT for number, kind in kinds.items()) - aside


def _name_of(state, place: int, names: Iterable[str]) -> str:
    """Return what people call the outlet of this place; its kind if its name is not known."""
    kind = KINDS[kind_at(state, place) - 1]
    known = [name for name in (*names, kind) if hash_of(name) == hash_at(state, place)]
    return outlet_names.name_of({"kind": kind, "name": known[0] if known else kind})


def _sorted(found: Iterable[Waiting]) -> tuple[Waiting, ...]:
    return tuple(sorted(found, key=lambda one: -one.count))
