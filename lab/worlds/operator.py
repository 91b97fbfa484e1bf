"""The operator of a world, and the observer of what the agent says: checks that orders were done and reports are true.

Rules
1. An order is about the oldest entries of a station's quarantine, or all, or the one that holds up all others; the
   agent may refuse it while its flash refuses.
2. In the calm an operator comes a minute after one is needed, and does what the script's traits say. Where the log is
   full and ToolsNet is silent to all of it, he gives up the first one, as a server that is away looks the same.
3. The agent is not told what the server would take.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from lab.worlds import adapter
from lab.worlds.identification import named_in

KEPT_BEGINS = 4  # the block in which the quarantine begins
FRAME_BYTES = 20  # the least, around what is kept of a result
NEEDED_MS = 60000
STEP_MS, STEPS_MOST = 5, 4000  # of one order
RETRIED_MS, EACH_MS = 80000, 500  # a lost connection waits for a minute
WISHES_MOST = 32  # that an agent accepts at once
WORDS_MOST = 20
DROP, DROP_FIRST, RETRY = "drop", "drop first", "retry"


class Operator:
    """Everyone who speaks with the agents of one world."""

    def __init__(self, world) -> None:
        self.world = world
        self.came = 0  # visits because the agent needed one
        self._needed_since: dict[int, int] = {}
        self._ordered: list[int] = []  # stations with an order under way

    # -- orders ----------------------------------------------------------------------------------------------------

    def order(self, what: str, number: int, count: int) -> None:
        """Order something about this station's oldest entries; 0: all."""
        world = self.world
        if world.agent is None or adapter.is_away(world.agent, number - 1):
            return
        entries = adapter.entries(world.agent, number - 1)
        if what == RETRY:  # those requested least often come first
            entries.sort(key=lambda entry: self._times_retried(number, entry[1]))
            count = min(count or WISHES_MOST, WISHES_MOST)
        chosen = [entry for entry, _ in entries][: count or None]
        words = what.split() + ([] if what == DROP_FIRST else [str(entry) for entry in chosen])
        if not chosen and what != DROP_FIRST:
            return
        world.toolsnet.disturbed(number)
        if what == DROP_FIRST:
            entries = adapter.held(world.agent, number - 1)[:1]
            chosen = [entry for entry, _ in entries]
        done: list[int] = []
        lines = adapter.order(world.agent, number - 1, words, done)
        order = _Order(what, number, entries, chosen, lines, done, world.agent, world.device(number).faults)
        self._ordered.append(number)
        self._go_on(order)

    def _go_on(self, order: _Order) -> None:
        """Let the agent do some of it, and the rest a moment later."""
        world = self.world
        more = True

        def work() -> None:
            nonlocal more
            more = next(order.lines, order) is not order

        if world.agent is not order.agent or not world.survives(work):
            self._end(order, False)
        elif more and order.steps < STEPS_MOST:
            order.steps += 1
            world.soon()
            world.time.after(STEP_MS, lambda: self._go_on(order))
        else:
            world.soon()
            self._end(order, world.device(order.number).faults == order.faults)

    def _end(self, order: _Order, is_known: bool) -> None:
        """Note the outcome; unless `is_known` the power failed or the flash refused before the agent reported it."""
        self._ordered.remove(order.number)
        self._mark(order, order.done if is_known or not order.what.startswith(DROP) else order.chosen)
        if order.what == DROP and self.world.agent is order.agent:
            self._compare_dropped(order, is_known)

    def _mark(self, order: _Order, done: list[int]) -> None:
        """Mark the entries for which it was done."""
        now, number = self.world.time.now, order.number
        results = self.world.history.stations[number].results
        payloads = [payload for entry, payload in order.entries if entry in done]
        named = [results[n] for payload in payloads for n in self._named(number, payload) if n in results]
        for result in named:
            if order.what.startswith(DROP):
                result.dropped = True
            else:
                result.retried.append(now)
        if named and not order.what.startswith(DROP):
            until = now + RETRIED_MS + len(named) * (EACH_MS + 2 * self.world.network.latency_ms)
            self.world.time.at(until, lambda: self._was_offered(number, named, now))

    def _times_retried(self, number: int, payload: bytes) -> int:
        results = self.world.history.stations[number].results
        return sum(len(results[n].retried) for n in self._named(number, payload) if n in results)

    def _compare_dropped(self, order: _Order, is_known: bool) -> None:
        """Check that what was dropped is gone, and nothing else but what may have been."""
        world, number = self.world, order.number
        if world.device(number).refusing or adapter.is_away(world.agent, number - 1):
            return
        left = {entry for entry, _ in adapter.entries(world.agent, number - 1)}
        before = {entry for entry, _ in order.entries}
        rows = {row.number for row in world.history.stations[number].rows}
        stored = {e for e, payload in order.entries if any(n in rows for n in self._named(number, payload))}
        gone = set(order.done if is_known else order.done + order.chosen)
        if left & set(order.done) or before - gone - left - stored:
            text = f"dropped {sorted(order.done)} of {sorted(before)}, {sorted(left)} are left"
            world.history.stations[number].disobeyed.append(text)

    def _was_offered(self, number: int, named: list, since: int) -> None:
        """Check that each retried one has been offered by now, if nothing else was in the way."""
        world = self.world
        if world.toolsnet.quiet_since(number) > since or world.sound_since(number) > since:
            return
        station = world.history.stations[number]
        rows = {row.number for row in station.rows if row.arrived >= since}
        left = [r.number for r in named if not (r.number in rows or r.dropped or any(t >= since for t in r.tried))]
        if left:
            station.disobeyed.append(f"retried at {since} ms and not offered: {left}")

    # -- what it says ----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Compare what the agent says with what there is; in the calm, come if one is needed."""
        world = self.world
        if world.agent is None:
            return
        for number, station in world.history.stations.items():
            if adapter.is_away(world.agent, number - 1):
                continue
            if number not in self._ordered:
                self._compare(number, station)
            needed = self.check_claim(number)
            if not needed and not adapter.is_mute_and_full(world.agent, number - 1):
                self._needed_since.pop(number, None)
            elif world.calm and world.time.now - self._needed_since.setdefault(number, world.time.now) >= NEEDED_MS:
                what, count = world.script["operator"]["then"], world.script["operator"]["count"]
                self.came += 1
                has_kept = needed and adapter.counts(world.agent, number - 1)[1]
                self.order(what if has_kept else DROP_FIRST, number, count)

    def _compare(self, number: int, station) -> None:
        """Check that as many are waiting, kept or overwritten as were acknowledged and are not stored."""
        waiting, kept, overwritten = adapter.counts(self.world.agent, number - 1)
        there = {row.number for row in station.rows}
        open_ones = [r for r in station.results.values() if r.acks and r.number not in there and not r.dropped]
        if len(open_ones) > waiting + kept + overwritten:
            text = (
                f"{len(open_ones)} are not stored, it says {waiting} wait, {kept} are kept, {overwritten} overwritten"
            )
            self.wrong(number, text)

    def check_claim(self, number: int) -> bool:
        """True if the agent says so; noted as wrong if there is room for what is refused."""
        world = self.world
        if world.agent is None or not adapter.needs_operator(world.agent, number - 1):
            return False
        world.toolsnet.passing[number].needs_operator()
        device, station = world.device(number), world.history.stations[number]
        entries = adapter.entries(world.agent, number - 1)
        used = self._used_by(number, [payload for _, payload in entries]) + self._needed_by_waiting(number)
        room = (world.log_begins(number) - KEPT_BEGINS - 2) * device.block_bytes
        full = world.is_full(number)  # no good one comes in after them
        if used < room // 2 and not full and not device.faults and len(station.wrong_holds) < WORDS_MOST:
            station.wrong_holds.append(f"at {world.time.now} ms {used} of {room} octets are in use")
        return True

    def _used_by(self, number: int, payloads: list[bytes]) -> int:
        """Return the bytes written in those blocks of the quarantine that hold an entry."""
        device, used = self.world.device(number), 0
        for block in range(KEPT_BEGINS, self.world.log_begins(number)):
            content = device.content(block)
            if any(payload in content for payload in payloads):
                used += len(content.rstrip(b"\xff"))
        return used

    def _needed_by_waiting(self, number: int) -> int:
        """Return the bytes, in whole units, of what was refused or is unreadable in front of the first good one."""
        unit = self.world.device(number).unit_bytes
        liked = {r.number for r in self.world.history.stations[number].results.values() if r.is_liked() and not r.tried}
        octets = 0
        for _, payload in adapter.held(self.world.agent, number - 1):
            if liked.intersection(self._named(number, payload)):
                break
            octets += -(-(len(payload) + FRAME_BYTES) // unit) * unit
        return octets

    def _named(self, number: int, payload: bytes) -> tuple[int, ...]:
        return _numbers_in(number, payload, self.world.history.stations[number].rules.spindles)

    def wrong(self, number: int, text: str) -> None:
        """Note a false statement of the agent."""
        words = self.world.history.stations[number].wrong_words
        if len(words) < WORDS_MOST:
            words.append(f"at {self.world.time.now} ms: {text}")


@dataclass
class _Order:
    """One order under way: what the station had before, and for which of it something was done."""

    what: str
    number: int
    entries: list
    chosen: list[int]
    lines: Iterator
    done: list[int]
    agent: adapter.Agent
    faults: int  # of the flash when the order was given
    steps: int = 0


@functools.lru_cache(4096)  # a world asks for the same ones whenever something is written
def _numbers_in(number: int, payload: bytes, spindles: int) -> tuple[int, ...]:
    return tuple(made for _, made in named_in(number, payload, spindles))
