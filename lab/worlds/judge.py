"""The judge: its rules over one history; excuses nothing by default, counts what it excuses.

It knows the history only (`history.py`): what the models saw, and what the agent said about itself.
"""

from __future__ import annotations

import itertools
from collections import Counter

from lab.worlds import history as v
from lab.worlds.history import READABLE, History, Result, StationHistory, StoredTelegram
from lab.worlds.judge_outlets import judge_ledger
from lab.worlds.obligations import is_kept, is_overwritten, is_owed, missing

SEQUENCES = 99999  # 1 to this, round and round
IDS = 2**32
SHOWN = 6
HELD_UP_MS, HELD_UP_SOON_MS, HELD_UP_EACH_MS, HELD_UP_LATER_MS = 12000, 2000, 300, 60000
QUESTIONS_A_SESSION, QUESTIONS_AN_ID = 250, 4
STILL_MS, AT_REST_MS = 300000, 360000
NEVER_LESS = ("overwritten", "kept", "gone", "set_aside", "dropped")


def judge(history: History) -> v.Verdict:
    """Apply the rules (docs/internals/worlds.md) of a history: a world that changes has those of its outlets."""
    verdict = v.Verdict()
    for station in () if history.ledger is not None else history.stations.values():
        judged = _StationJudge(station, verdict)
        for rule in judged.rules():
            rule()
        judged.questions(history.calm_over)
    if history.ledger is not None:
        judge_ledger(history.ledger, history.stations[1].results, verdict)
    if history.out_of_order:
        verdict.add(v.UNTRUTHFUL, 0, "says at the end: " + history.out_of_order[0], len(history.out_of_order))
    for what in (history.raised, history.misuse, history.malformed, history.complaints):
        if what:
            verdict.add(v.BROKEN, 0, what[0], len(what))
    return verdict


class _StationJudge:
    """The rules that concern one station."""

    def __init__(self, station: StationHistory, verdict: v.Verdict) -> None:
        self.station = station
        self.verdict = verdict
        self.number = station.rules.number
        self.results = list(station.results.values())
        self.first: dict[int, StoredTelegram] = {}  # in the order of their arrival
        for row in station.rows:
            if row.number is not None:
                self.first.setdefault(row.number, row)
        self.place = {number: index for index, number in enumerate(self.first)}
        self.moved = sorted([*station.forgets, *station.lies])  # when the server's word changed

    def rules(self):
        """Yield each rule about a station; rule 11 also needs the end of the calm."""
        yield from (self.what_is_missing, self.what_stands_twice, self.order_of_acknowledged, self.order_of_fetched)
        yield from (self.values, self.what_is_aside, self.what_is_held_up, self.what_it_says)

    def _tell(self, kind: str, text: str, found: list) -> None:
        if found:
            listed = ", ".join(map(str, found[:SHOWN])) + (", ..." if len(found) > SHOWN else "")
            self.verdict.add(kind, self.number, f"{text}: {listed}" if text else listed, len(found))

    def _excuse(self, why: str, count: int = 1) -> None:
        self.verdict.excused[why] += count

    # -- rules 1 and 5 ---------------------------------------------------------------------------------------------

    def what_is_missing(self) -> None:
        """Check for results owed and not stored."""
        station = self.station
        self.verdict.owed += sum(is_owed(result, station) for result in self.results)
        lost, stuck, kept = [], [], []
        for result in missing(station):
            if result.dropped:
                self._excuse(v.DROPPED)
            elif is_kept(result, station):
                if not result.is_liked():
                    self._excuse(v.KEPT)
                else:
                    kept.append(result.number)
            elif is_overwritten(result, station):
                self._excuse(v.OVERWRITTEN)
            elif result.stands or result.number in station.came_after or not result.acks:
                stuck.append(result.number)
            else:
                lost.append(result.number)
        self._tell(v.LOST, "acknowledged, and nowhere", lost)
        if station.consumed is not None:
            owed = [r for r in self.results if is_owed(r, station) and r.number not in station.consumed]
            self._tell(v.LOST, "not at the consumer", [r.number for r in owed if not is_overwritten(r, station)])
        self._tell(v.STUCK, "not there after hours, though nothing stood in the way", stuck)
        self._tell(v.STUCK, "kept though the server takes them", kept)
        report = station.report
        self._tell(v.STUCK, "at the end there wait", [report.waiting] if report.waiting else [])
        self._tell(v.STUCK, "", ["an operator has been, and is needed still"] if report.needs_operator else [])
        is_unmet = station.rules.recover and not station.is_met
        self._tell(
            v.STUCK, "", ["nothing is fetched: the controller was never asked for its newest"] if is_unmet else []
        )

    # -- rule 2 ----------------------------------------------------------------------------------------------------

    def what_stands_twice(self) -> None:
        """Check second rows, in the order of arrival; each excuse has its budget."""
        doubled = []
        rules = self.station.rules
        budget = Counter(dict.fromkeys(self.moved, rules.cursor_batch))
        used: Counter = Counter()
        seen: dict[int, StoredTelegram] = {}
        copies: dict[int, list[tuple[StoredTelegram, StoredTelegram]]] = {}
        for row in self.station.rows:
            if row.number is None:
                continue
            before = seen.get(row.number)
            seen[row.number] = row
            if before is None:
                continue
            pair = before, row
            why = self._why_given(*pair, used)
            given = copies.setdefault(row.number, [])
            if why == v.AGAIN:
                given.append(pair)
            elif not why:
                why = self._why_moved(*pair, budget, used) or self._why_changed(pair, given, budget, used)
            if why:
                self._excuse(why)
            else:
                doubled.append(row.number)
        self._tell(v.DOUBLED, "stored a second time", doubled)

    def _why_given(self, before: StoredTelegram, row: StoredTelegram, used: Counter) -> str:
        """Return the excuse if the controller gave it again or an operator asked for it, else ""."""
        result = self.station.results[row.number or 0]
        for why, moments in ((v.AGAIN, result.again), (v.RETRIED, result.retried)):
            for moment in moments:
                # A copy given again may overtake the one before it, which was in the quarantine.
                begins = before.arrived if why == v.RETRIED else 0
                if begins <= moment <= row.arrived and not used[(why, result.number, moment)]:
                    used[(why, result.number, moment)] += 1
                    return why
        return ""

    def _why_changed(
        self,
        pair: tuple[StoredTelegram, StoredTelegram],
        given: list[tuple[StoredTelegram, StoredTelegram]],
        budget: Counter,
        used: Counter,
    ) -> str:
        """Return the excuse if a result given again overtook one that is sent again: each has the other's excuse."""
        for at, other in enumerate(given):
            why = self._why_moved(*other, budget, used)
            if why:
                given[at] = pair
                return why
        return ""

    def _why_moved(self, before: StoredTelegram, row: StoredTelegram, budget: Counter, used: Counter) -> str:
        """Return the excuse if the server forgot the row before, or has sent a false 08 since, else ""."""
        rules = self.station.rules
        for moment in self.moved:
            if not before.arrived <= moment <= row.arrived:
                continue
            forgot = moment in self.station.forgets
            if forgot and (before.forgotten is None or before.forgotten > row.arrived):
                continue
            ordered = rules.rewind and not used[(moment, row.number)]
            if ordered or budget[moment]:
                used[(moment, row.number)] += 1
                budget[moment] -= not ordered
                return v.FORGOTTEN if forgot else v.FALSE_08
        return ""

    # -- rule 3 ----------------------------------------------------------------------------------------------------

    def order_of_acknowledged(self) -> None:
        """If X was acknowledged before Y was offered, X must come first."""
        offered = [r for r in self.results if r.number in self.first and r.offered() is not None]
        by_ack = sorted((r for r in offered if r.acks and not self._is_brought_back(r)), key=lambda r: r.acks[0])
        at, last, wrong = 0, -1, []
        for later in sorted(offered, key=lambda r: r.offered() or 0):
            while at < len(by_ack) and by_ack[at].acks[0] < (later.offered() or 0):
                last = max(last, self.place[by_ack[at].number])
                at += 1
            row, place = self.first[later.number], self.place[later.number]
            behind = [r for r in by_ack[:at] if self.place[r.number] > place] if place < last else []
            early = [r.number for r in behind if not any(moment <= row.arrived for moment in r.tried)]
            self._excuse(v.OFFERED_LATE, len(behind) - len(early))
            wrong += [f"{later.number} before {number}" for number in early[:1]]
        self._tell(v.OUT_OF_ORDER, "acknowledged", wrong)

    def _is_brought_back(self, result: Result) -> bool:
        """True if, before it came, the whole log was requested again, or the log had lost it and got it again."""
        rules, came = self.station.rules, self.first[result.number].arrived
        moments = result.again + (self.moved if rules.rewind else [])
        back = any(result.acks[0] < moment <= came for moment in moments)
        if back:
            self._excuse(v.BROUGHT_BACK)
        return back

    def order_of_fetched(self) -> None:
        """Fetched ones of one count must ascend; results made before the first meeting are not owed."""
        highest: Result | None = None
        wrong = []
        for number in self.first:
            result = self.station.results[number]
            if result.pushes or not result.fetches or not result.after_meeting:
                continue
            if highest is not None and result.number < highest.number and result.count == highest.count:
                if any(moment <= highest.fetches[-1] for moment in result.passed_over):
                    self._excuse(v.PASSED_OVER)
                elif any(moment <= self.first[highest.number].arrived for moment in result.tried):
                    self._excuse(v.OFFERED_LATE)
                elif any(result.fetches[0] < moment <= self.first[number].arrived for moment in result.again):
                    self._excuse(v.BROUGHT_BACK)
                elif result.gone is not None and any(result.gone < moment for moment in self.moved):
                    self._excuse(v.BROUGHT_BACK)  # it was overwritten, though its block had not been erased yet
                else:
                    wrong.append(f"{highest.number} before {result.number}")
            else:
                highest = result
        self._tell(v.OUT_OF_ORDER, "fetched", wrong)

    # -- rule 4 ----------------------------------------------------------------------------------------------------

    def values(self) -> None:
        """Each row must say what was produced, under a sequence after the one before."""
        rows = self.station.rows
        self._tell(v.GARBLED, "of another station", [row.wrong for row in rows if row.foreign])
        invented = [row.wrong for row in rows if row.number is None and not row.foreign]
        self._tell(v.GARBLED, "no one made", invented)
        self._tell(
            v.GARBLED, "", [f"{row.number}: {row.wrong}" for row in rows if row.number is not None and row.wrong]
        )
        if self.moved:
            return
        pairs = itertools.pairwise(rows)
        back = [f"{b.sequence} behind {a.sequence}" for a, b in pairs if not _follows(b.sequence, a.sequence)]
        self._tell(v.GARBLED, "sequence", back)

    # -- rules 6, 7, 8 ---------------------------------------------------------------------------------------------

    def what_is_aside(self) -> None:
        """Nothing may be set aside without a cause, nor if it is in the store."""
        station = self.station
        kept = [r for r in self.results if is_kept(r, station)]
        there = Counter(row.number for row in station.rows if row.forgotten is None)
        elsewhere = [r for r in kept if r.frame == READABLE and r.number not in there]
        self._tell(v.ASIDE, "without a cause", [r.number for r in elsewhere if not r.tried])
        both = [r for r in kept if r.number in there]
        # A push that could not be read is kept as it came, though an answer brings its result whole.
        unexcused = [r for r in both if there[r.number] > len(r.again) + (r.frame != READABLE)]
        self._excuse(v.AGAIN, len(both) - len(unexcused))
        spared = min(len(unexcused), len(self.moved) * station.rules.cursor_batch)
        self._excuse(v.FALSE_08, spared)
        self._tell(v.ASIDE, "though they are stored", [r.number for r in unexcused[spared:]])
        self._tell(v.ASIDE, "needs an operator, and has room", station.wrong_holds)

    def what_is_held_up(self) -> None:
        """A good one behind refused ones, and a push without its answer, may wait only for seconds."""
        rules, slow = self.station.rules, []
        for one in self.station.held_up:
            most = HELD_UP_SOON_MS if one.is_proven else HELD_UP_MS
            most += one.refused * (HELD_UP_EACH_MS + rules.round_trip_ms)
            if one.until - one.since > most + (0 if one.was_there else HELD_UP_LATER_MS):
                slow.append(f"{one.until - one.since} ms from {one.since} ms on, {one.refused} refused")
        self._tell(v.HELD_UP, "", slow)
        self._tell(v.LATE, "no acknowledgement within 1 s", self.station.late_acks)

    # -- rules 9 and 10 --------------------------------------------------------------------------------------------

    def what_it_says(self) -> None:
        """Check what the agent said about itself, and what became of orders."""
        station, report, after = self.station, self.station.report, self.station.report_after
        wrong = list(station.wrong_words)
        unkept = [r for r in missing(station) if not (r.dropped or is_kept(r, station))]
        gone = sum(is_overwritten(r, station) for r in unkept)
        if report.overwritten < gone or (report.overwritten and not station.rules.overwrite):
            wrong.append(f"says {report.overwritten} overwritten, {gone} are")
        if report.kept != len(report.kept_payloads):
            wrong.append(f"says {report.kept} kept, {len(report.kept_payloads)} stand there")
        if (
            station.rules.recover
            and station.rules.tells_gone
            and self._unreported()
            and not report.gone + report.afresh
        ):
            wrong.append(f"says that none is gone, {self._unreported()[0]} is")
        if after is not None:
            ordered = {"kept": after.dropped - report.dropped}  # an operator may have come
            less = [w for w in NEVER_LESS if getattr(after, w) + ordered.get(w, 0) < getattr(report, w)]
            wrong += [f"{what} {getattr(report, what)}, after a start {getattr(after, what)}" for what in less]
        self._tell(v.UNTRUTHFUL, "", wrong)
        self._tell(v.DISOBEYED, "", station.disobeyed)

    def _unreported(self) -> list[int]:
        """Return IDs the controller no longer had when asked for missing results, between two whose IDs were kept."""
        had = [r for r in self.results if (r.acks and r.frame == READABLE) or (r.asked_for and r.number in self.first)]
        kept, ids = [r.number for r in had], {r.id_text for r in had}
        # An ID of two counts stands for the later one, or for none if that is had; 0 may have been left out, and asks
        # for the newest.
        last = {r.id_text: r for r in self.results if r.id_text.strip(" 0") and r.id_text not in ids}
        known = [r for r in last.values() if r.after_meeting and not r.hidden and kept and kept[0] < r.number]
        # A count that ended before it could be asked no longer tells what it left out.
        known = [r for r in known if r.count == self.results[-1].count]
        seen = [r for r in self.results if r.acks or r.fetches]
        return [r.number for r in known if not r.held and r.offered() is None and _leaves_a_gap(r, had, seen)]

    # -- rule 11 ---------------------------------------------------------------------------------------------------

    def questions(self, calm_over: int) -> None:
        """Old results may be asked for a bounded number of times, and at some point no more."""
        if not self.station.rules.numbered:
            return
        wrong = []
        each = max(self.station.rules.spindles, 1)  # of them is asked each question
        for session in self.station.sessions:
            if session.asked > each * (QUESTIONS_A_SESSION + QUESTIONS_AN_ID * session.used):
                wrong.append(f"{session.asked} in the session of {session.began} ms for {session.used} IDs")
        before = [session for session in self.station.sessions if session.began <= calm_over]
        if (
            before
            and before[-1].began < calm_over - AT_REST_MS
            and calm_over - STILL_MS <= before[-1].last <= calm_over
        ):
            wrong.append(f"{calm_over - before[-1].last} ms before the end of the calm")
        self._tell(v.ENDLESS, "questions", wrong)


def _is_above(one: Result, other: Result) -> bool:
    ids = [result.id_text.strip(" ") for result in (one, other)]
    return all(text.isdigit() for text in ids) and 0 < (int(ids[0]) - int(ids[1])) % IDS < IDS // 2


def _leaves_a_gap(result: Result, had: list[Result], seen: list[Result]) -> bool:
    """True if the last `seen` before it and those `had` after it reveal it: IDs of a new count may continue."""
    before = max((one for one in seen if one.number < result.number), key=lambda one: one.number, default=result)
    later = [one for one in had if one.number > result.number and _is_above(one, result)]
    if before.count == result.count or _is_above(result, before):
        return bool(later)
    return any(_is_above(before, one) for one in later)  # this shows that the count restarted


def _follows(sequence: int, before: int) -> bool:
    return 0 < (sequence - before) % SEQUENCES < SEQUENCES // 2
