"""The operator of a world, and whoever looks at what the agent says: orders, and whether they were done and said right.

Rules
1. An order is about the oldest entries of a station's quarantine, or all, or the one that holds all others; the agent
   may refuse it while its flash does.
2. In the calm an operator comes a minute after one is needed, and does what the script's traits say.
3. No one tells the agent what the server would take.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from tools.worlds import adapter

KEPT_BEGINS = 4  # the block in which the quarantine begins
FRAME_BYTES = 20  # at least, round what is kept of a result
NEEDED_MS = 60000
STEP_MS, STEPS_MOST = 5, 4000  # of one order
RETRIED_MS, EACH_MS = 80000, 500  # a connection that is lost waits for a minute
WISHES_MOST = 32  # that an agent takes at once
WORDS_MOST = 20
DROP, DROP_FIRST, RETRY = "drop", "drop first", "retry"


class Operator:
    """Everybody who speaks with the agents of one world."""

    def __init__(self, world) -> None:
        self.world = world
        self.came = 0  # times, as the agent needed one
        self._needed_since: dict[int, int] = {}
        self._ordered: list[int] = []  # stations with an order under way

    # -- orders ----------------------------------------------------------------------------------------------------

    def order(self, what: str, number: int, count: int) -> None:
        """Give this station an order about its oldest entries; 0: all."""
        world = self.world
        if world.agent is None or adapter.is_away(world.agent, number - 1):
            return
        entries = adapter.entries(world.agent, number - 1)
        if what == RETRY:  # those that were wished least come first
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
        order = _Order(what, number, entries, chosen, lines, done, world.agent)
        order.faults = world.device(number).faults
        self._ordered.append(number)
        self._go_on(order)

    def _go_on(self, order: _Order) -> None:
        """Let the agent do some of it, and the rest in a moment."""
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
        """Note what became of it; unless `is_known` the power failed, or the flash refused, before it said so."""
        self._ordered.remove(order.number)
        self._mark(order, order.done if is_known or not order.what.startswith(DROP) else order.chosen)
        if order.what == DROP and self.world.agent is order.agent:
            self._compare_dropped(order, is_known)

    def _mark(self, order: _Order, done: list[int]) -> None:
        """Note what becomes of those that it was done with."""
        now, number = self.world.time.now, order.number
        results = self.world.history.stations[number].results
        payloads = [payload for entry, payload in order.entries if entry in done]
        named = [results[n] for payload in payloads for n in _named(number, payload) if n in results]
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
        return sum(len(results[n].retried) for n in _named(number, payload) if n in results)

    def _compare_dropped(self, order: _Order, is_known: bool) -> None:
        """What was dropped is gone, and nothing else but what may have been."""
        world, number = self.world, order.number
        if world.device(number).refusing or adapter.is_away(world.agent, number - 1):
            return
        left = {entry for entry, _ in adapter.entries(world.agent, number - 1)}
        before = {entry for entry, _ in order.entries}
        rows = {row.number for row in world.history.stations[number].rows}
        stored = {e for e, payload in order.entries if any(n in rows for n in _named(number, payload))}
        gone = set(order.done if is_known else order.done + order.chosen)
        if left & set(order.done) or before - gone - left - stored:
            text = f"dropped {sorted(order.done)} of {sorted(before)}, {sorted(left)} are left"
            world.history.stations[number].disobeyed.append(text)

    def _was_offered(self, number: int, named: list, since: int) -> None:
        """Each retried one was offered by now, if nothing else stood in the way."""
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
        """Compare what the agent says with what there is; in the calm, come where one is needed."""
        world = self.world
        if world.agent is None:
            return
        for number, station in world.history.stations.items():
            if adapter.is_away(world.agent, number - 1):
                continue
            if number not in self._ordered:
                self._compare(number, station)
            if not self.is_needed(number):
                self._needed_since.pop(number, None)
            elif world.calm and world.time.now - self._needed_since.setdefault(number, world.time.now) >= NEEDED_MS:
                what, count = world.script["operator"]["then"], world.script["operator"]["count"]
                self.came += 1
                self.order(what if adapter.counts(world.agent, number - 1)[1] else DROP_FIRST, number, count)

    def _compare(self, number: int, station) -> None:
        """As many wait, are kept or overwritten as were acknowledged and are not stored."""
        waiting, kept, overwritten = adapter.counts(self.world.agent, number - 1)
        there = {row.number for row in station.rows}
        open_ones = [r for r in station.results.values() if r.acks and r.number not in there and not r.dropped]
        if len(open_ones) > waiting + kept + overwritten:
            text = (
                f"{len(open_ones)} are not stored, it says {waiting} wait, {kept} are kept, {overwritten} overwritten"
            )
            self.wrong(number, text)

    def is_needed(self, number: int) -> bool:
        """True if the agent says so; noted if there is room for what is refused."""
        world = self.world
        if world.agent is None or not adapter.needs_operator(world.agent, number - 1):
            return False
        world.toolsnet.passing[number].needs_operator()
        device, station = world.device(number), world.history.stations[number]
        entries = adapter.entries(world.agent, number - 1)
        used = self._used_by(number, [payload for _, payload in entries])
        if not adapter.holds(world.agent, number - 1):
            used += self._needed_by_waiting(number)
        room = (world.log_begins(number) - KEPT_BEGINS - 2) * device.block_bytes
        full = world.is_full(number)  # no good one comes in behind them
        if used < room // 2 and not full and not device.faults and len(station.wrong_holds) < WORDS_MOST:
            station.wrong_holds.append(f"at {world.time.now} ms {used} of {room} octets are in use")
        return True

    def _used_by(self, number: int, payloads: list[bytes]) -> int:
        """Return the bytes that are written in the blocks of the quarantine in which an entry stands."""
        device, used = self.world.device(number), 0
        for block in range(KEPT_BEGINS, self.world.log_begins(number)):
            content = device.content(block)
            if any(payload in content for payload in payloads):
                used += len(content.rstrip(b"\xff"))
        return used

    def _needed_by_waiting(self, number: int) -> int:
        """Return the bytes, in whole units, of what waits in the log and was refused or cannot be read."""
        unit = self.world.device(number).unit_bytes
        liked = {r.number for r in self.world.history.stations[number].results.values() if r.is_liked() and not r.tried}
        held = [payload for _, payload in adapter.held(self.world.agent, number - 1)]
        bad = [payload for payload in held if not liked.intersection(_named(number, payload))]
        return sum(-(-(len(payload) + FRAME_BYTES) // unit) * unit for payload in bad)

    def wrong(self, number: int, text: str) -> None:
        """What it says is not so."""
        words = self.world.history.stations[number].wrong_words
        if len(words) < WORDS_MOST:
            words.append(f"at {self.world.time.now} ms: {text}")


class _Order:
    """One order on its way: what the station had before, and with which of it something was done."""

    def __init__(
        self, what: str, number: int, entries: list, chosen: list[int], lines: Iterator, done: list[int], agent
    ) -> None:
        self.what = what
        self.number = number
        self.entries = entries
        self.chosen = chosen
        self.lines = lines
        self.done = done
        self.agent = agent
        self.faults = 0  # that the flash had had when it was given
        self.steps = 0


@functools.lru_cache(4096)  # a world asks the same ones whenever something is written
def _named(number: int, payload: bytes) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(rb"W%dN(\d{6})" % number, payload))
