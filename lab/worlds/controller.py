"""A tightening controller: makes results, pushes them, keeps some, and has the habits that were met in the field.

Rules
1. Every result has its production number in its VIN and in its values; IDs repeat, stand still or are missing as the
   traits say.
2. The memory holds the newest results. A reset restarts the count below, at or above where it was, with the memory
   wiped or kept, with or without a connected client; the clock is set back and forth independently.
3. MID 0062 has no number: it counts for the oldest waiting result. Whether it could mean another one is judged
   from what the agent had read when it wrote it (docs/internals/worlds.md, rule 2).
"""

from __future__ import annotations

import datetime
from collections import OrderedDict
from typing import Any

from lab.worlds.controller_session import Session
from lab.worlds.history import READABLE, UNREADABLE, Result, StationHistory
from lab.worlds.network import Link, Service
from lab.worlds.spindles import SESSIONS, OperationSession
from lab.worlds.timeline import Timeline

ID_LAST = 4294967295
LOW, SAME, BELOW, ABOVE = "low", "same", "below", "above"  # where a count restarts
MEETING_MS = 5000
LAST_MS = 120000
SKIPPED_MOST = 20
REPLAYED = 5  # unacknowledged results, by a controller that pushes again after a new subscription
_CLOCK_STARTS = datetime.datetime(2026, 3, 1, 6, 0, 0)


class Controller:
    """The controller of one station."""

    def __init__(self, time: Timeline, history: StationHistory, traits: dict, plant) -> None:
        self.time = time
        self.history = history
        self.traits = traits
        self.plant = plant  # reports power, flash, and what the agent says
        self.number = history.rules.number
        self.service = Service(f"controller {self.number}", self._accept)
        self.next_id = traits["first_id"]
        self.count = 0  # how often it restarted
        self.clock_s = 0  # the offset to which the clock was set
        self.memory: OrderedDict[int, Result] = OrderedDict()
        self.parts: dict[int, list[Result]] = {}  # of a tightening, by the number of its first result
        self.first_read: dict[int, int] = {}  # by spindle: when the agent had its first result for certain
        self.session: Session | None = None
        self.unacknowledged: list[Result] = []
        self.was_acknowledged = False  # a push was acknowledged
        self.newest: Result | None = None  # made by our station
        self.newest_of_all: Result | None = None
        self.used = 0  # IDs used so far
        self.skipped = 0  # of these, since our last result
        self.others_made = 0
        self.met: int | None = None
        self.has_refused = False  # rejected a request for an old result, permanently
        self.deaf_until = -1  # answers no 0064
        self.reject_until = -1  # rejects every 0064 with `reject_code`
        self.reject_code = 98
        self.garble_left = 0
        self.refuse_content_left = 0
        self.refuse_content_how = "refuses"
        self.bad_row = 0  # results in a row that are refused or cannot be read
        self.last: Result | None = None  # the good result of the calm
        self.refused_reads = 0  # of the flash, when the agent is next given what it was given before

    def _accept(self, link: Link) -> Session:
        if self.traits["cycles"]:
            return SESSIONS[self.traits["cycles"]](self, link)
        return OperationSession(self, link) if self.traits["operations"] else Session(self, link)

    # -- production ------------------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make one tightening: it goes into the memory, and out to a subscriber."""
        number = len(self.history.results) + 1
        result = self._result(number)
        self.history.results[number] = result
        if self.is_idle():
            return  # it gets no ID, is kept nowhere, and is not reported
        self.newest = result
        self._keep(result)
        for part in self._parts(result):
            if self.session is not None and self.session.revision:
                self.session.queue(part)
            elif self.traits["replays"]:
                self.keep_for_replay(part)

    def _parts(self, result: Result) -> list[Result]:
        """Return what each spindle has of this tightening, made now: all is equal but the spindle in the header."""
        count = self.traits["header_spindles"]
        result.spindle = 1 if count else 0
        parts = [result]
        for spindle in range(2, count + 1):
            number = result.number + spindle - 1
            made: dict[str, Any] = {name: value for name, value in vars(result).items() if not isinstance(value, list)}
            made.update(number=number, spindle=spindle)
            parts.append(Result(**made))
            self.history.results[number] = parts[-1]
        self.parts[result.number] = parts
        return parts

    def parts_of(self, result: Result) -> list[Result]:
        """Return what each spindle has of the tightening of this first result."""
        return self.parts.get(result.number, [result])

    def part_of(self, result: Result, spindle: int) -> Result | None:
        """Return this spindle's part of the tightening; None if it has none."""
        parts = self.parts_of(result)
        return parts[spindle - 1] if 1 <= spindle <= len(parts) else None

    def make_last(self, waits: bool) -> None:
        """In the calm, make a good result, which shows what is refused before it; again while something `waits`.

        Once in LAST_MS where the subscription has ended: the next one is what a client finds that out by.
        """
        self.refuse_content_left = self.garble_left = 0
        session, last, before = self.session, self.last, self.time.now - LAST_MS
        if session is None or not (session.revision or session.was_ended):
            return
        is_due = last is None or not last.acks or (waits and last.acks[0] < before)
        if is_due and (session.revision or last is None or last.made < before):
            self.make()
            self.last = self.newest

    def is_idle(self) -> bool:
        """True if results currently get no ID."""
        return self.traits["ids_in_session_only"] and self.session is None

    def make_elsewhere(self) -> None:
        """Make one tightening at another station of this controller, with an ID of the shared counter."""
        self.others_made += 1
        number = 900000 - self.others_made
        ours = self.refuse_content_left, self.garble_left, self.bad_row
        self.refuse_content_left = self.garble_left = 0
        made: dict[str, Any] = dict(vars(self._result(number)))
        made.update(station=0, vin=f"X{self.number}E{number:06d}", frame=READABLE)
        self.refuse_content_left, self.garble_left, self.bad_row = ours
        self._keep(Result(**made))

    def _keep(self, result: Result) -> None:
        self.newest_of_all = result
        self.used += 1
        if result.id_text.isdigit():
            key = int(result.id_text)
            self.memory.pop(key, None)
            self.memory[key] = result
            while len(self.memory) > self.traits["memory"]:
                self.memory.popitem(last=False)

    def old(self, number: int) -> Result | None:
        """Return the answer to a request for an old result: 0 asks for the newest; None if there is none."""
        if not number:
            return self.newest_of_all if self.traits["memory"] else None
        if not self.traits["shares_ids"]:
            return self.memory.get(number - (self.traits["ids_higher"] == "kept"))
        below = max((key for key in self.memory if key <= number), default=-1)  # after a wrap that may be 0
        return self.memory.get(below)

    def _result(self, number: int) -> Result:
        tells_operations = self.traits["operations"] or self.traits["cycles"] == "operations"
        hundredths = (number * 37 + self.number * 1000) % (10000 if tells_operations else 100000)
        statuses = self.traits["statuses"]
        ok = number % 7 != 0
        low_or_high = "2" if number % 2 else "3"
        is_good = self.bad_row >= self.traits["row_most"]
        is_garbled = self.garble_left and not is_good and not self.traits["header_spindles"]
        frame = UNREADABLE if is_garbled else READABLE
        self.garble_left -= frame == UNREADABLE
        content_refusal = self.refuse_content_how if self.refuse_content_left and not is_good else ""
        self.refuse_content_left -= bool(content_refusal)
        self.bad_row = self.bad_row + 1 if content_refusal or frame == UNREADABLE else 0
        count = self.count  # of this result: its ID may be the last before a wrap
        return Result(
            station=self.number,
            number=number,
            id_text=self._id(),
            made=self.time.now,
            vin=f"W{self.number}N{number:06d}",
            stamp=self._stamp(),
            torque=f"{hundredths // 100:05d}.{hundredths % 100:02d}",
            angle=f"{number * 11 % 10000:06d}.0",  # four digits: a MT Focus prints no more (MT "Communication")
            statuses="000" if ok else "1" + low_or_high + "0",
            frame=frame,
            shown_status=statuses[number % len(statuses)] if statuses else "",
            content_refusal=content_refusal,
            count=count,
            spindles=self.traits["spindles"],
        )

    def _id(self) -> str:
        mode = self.traits["ids"]
        if mode == "blank" or self.is_idle():
            return " " * 10
        if mode == "constant":
            return f"{self.traits['first_id']:010d}"
        period = self.traits["id_period"]
        text = f"{self.next_id % period if period else self.next_id:010d}"
        self.skipped = 0
        if self.next_id < ID_LAST:
            self.next_id += 1
        else:
            self.next_id = self.traits["wraps_to"]
            self.count += self.traits["shares_ids"]  # its lowest ID is taken for its oldest
        return text

    def _stamp(self) -> str:
        seconds = 0 if self.traits["clock_stands"] else self.time.now // 1000
        return (_CLOCK_STARTS + datetime.timedelta(seconds=seconds + self.clock_s)).strftime("%Y%m%d%H%M%S")

    def skip_ids(self, count: int) -> None:
        """
        Use some IDs for other spindles: SKIPPED_MOST between two of ours, or the search could not find what lies below.

        An ID stands for one tightening, so our result under it, from before a reset that kept it, is replaced.
        """
        count = min(count, SKIPPED_MOST - self.skipped, ID_LAST - self.next_id)
        for _ in range(count):
            self.memory.pop(self.next_id, None)
            self.next_id += 1
        self.skipped += count
        self.used += count

    def reset(self, begins: str = LOW, keeps: bool = False, breaks: bool = True) -> None:
        """Restart the count; the memory is wiped unless it `keeps`, the session ends if it `breaks`."""
        if breaks:
            self.break_session()
        moved = {LOW: 1, SAME: self.next_id, BELOW: max(self.next_id - 4, 1), ABOVE: min(self.next_id + 3, ID_LAST)}
        self.next_id = moved[begins]
        self.count += 1
        self.unacknowledged.clear()
        if not keeps:
            self.memory.clear()
            self.newest = self.newest_of_all = None

    def break_session(self) -> None:
        """End the session from this side."""
        if self.session is not None:
            self.session.link.reset()

    def end_subscription(self) -> None:
        """Push no more over the session that stands; never before a push has shown how IDs are counted (misled)."""
        can_be_known = self.was_acknowledged or self.traits["ids_higher"] != "kept"
        if self.session is not None and can_be_known:
            self.session.end_subscription()

    # -- what a session tells --------------------------------------------------------------------------------------

    def keep_for_replay(self, result: Result) -> None:
        """Remember an unacknowledged result, for a controller that pushes it again."""
        if result not in self.unacknowledged:
            self.unacknowledged.append(result)
            del self.unacknowledged[:-REPLAYED]

    def acknowledged(self, result: Result, surely: bool) -> None:
        """Handle a 0062 for this result."""
        self.was_acknowledged = True
        if result in self.unacknowledged:
            self.unacknowledged.remove(result)
        if surely:
            self.taken_over(result, self.time.now)

    def taken_over(self, result: Result, moment: int) -> None:
        """Note that the agent has it from this moment on."""
        result.acks.append(moment)
        for spindle in range(1, result.spindle + 1):
            self.first_read.setdefault(spindle, moment)

    def was_pushed(self, result: Result) -> None:
        """Note that the agent has read a 0061 of it."""
        self._note_again(result)
        result.pushes.append(self.time.now)

    def was_asked_for(self, result: Result) -> None:
        """Note that the agent has read a 0065 of it, which it had asked for by its ID."""
        self._note_again(result)
        result.asked_for.append(self.time.now)

    def _note_again(self, result: Result) -> None:
        if not (result.pushes or result.fetches):
            return
        if self.refused_reads:
            self.plant.device(self.number).unreadable_left += self.refused_reads
            self.refused_reads = 0
        if not self._stands(result):
            result.again.append(self.time.now)

    def _stands(self, result: Result) -> bool:
        return self.plant.stands_in_log(self.number, result.vin, result.number)

    def was_met(self, session: Session) -> None:
        """Note that the agent has read the answer to 0064 for ID 0."""
        if self.met is None:
            moment = self.time.now
            self.time.after(MEETING_MS, lambda: self._went_on(session, moment))

    def _went_on(self, session: Session, moment: int) -> None:
        if self.met is None and session is self.session and self.plant.sound_since(self.number) <= moment:
            self.met = moment

    def record_final_state(self) -> None:
        """Write into the history what is held at the end."""
        fetchable = self.traits["ids"] == "normal" and bool(self.traits["old_revisions"])
        self.history.rules.recover = self.history.rules.recover and fetchable
        self.history.is_met = self.met is not None or self.has_refused
        there = {row.number for row in self.history.rows}
        for result in self.history.results.values():
            key = int(result.id_text) if result.id_text.isdigit() else 0
            kept = self.memory.get(key)
            is_kept = kept is not None and self.part_of(kept, max(result.spindle, 1)) is result
            if result.spindle > 1 and result.made <= self.first_read.get(result.spindle, result.made):
                result.hidden = True  # nobody could know that there is such a spindle
            result.held = fetchable and key > 0 and is_kept and not result.hidden
            result.after_meeting = self.met is not None and result.made > self.met
            result.stands = result.number not in there and self._stands(result)
