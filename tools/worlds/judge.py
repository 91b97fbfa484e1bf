"""The judge: every rule of docs/worlds.md over one history; excuses nothing by default, and counts what it excuses.

Knows the history only (`history.py`): what the models saw, and what the agent said of itself at the end.
"""

from __future__ import annotations

from tools.worlds.history import READABLE, History, Result, Row, StationHistory
from tools.worlds.owed import is_kept, is_owed, may_be_kept, missing, refused_at_the_end
from tools.worlds.verdict import (
    ASKED_AGAIN,
    CHECK,
    DOUBLED,
    ENDLESS,
    FORGOTTEN,
    FULL_LOG,
    GARBLED,
    IN_DOUBT,
    INVENTED,
    KEPT,
    KEPT_BLAMED,
    KEPT_GONE,
    LIED_TO,
    LOST,
    MALFORMED,
    MISUSE,
    NOT_OURS,
    OUT_OF_ORDER,
    OVERWRITTEN,
    PASSED_OVER,
    PUSHED_AGAIN,
    RAISED,
    SEQUENCE,
    STILL_REFUSED,
    STUCK,
    UNTRUTHFUL,
    Verdict,
)

KEPT_A_BLOCK = 16  # results that 4096 octets of the area for kept ones hold at the largest program unit
SEQUENCES = 99999  # 1 to this, round and round
SHOWN = 6
IN_DOUBT_A_CONNECTION = 7
QUESTIONS_A_SESSION, QUESTIONS_AN_ID = 250, 4
STILL_MS, AT_REST_MS = 300000, 360000


def judge(history: History) -> Verdict:
    """Apply every rule."""
    verdict = Verdict()
    for station in history.stations.values():
        _StationJudge(station, verdict).all_rules()
        question_rule(station, history.calm_over, verdict)
    for kind, said in (
        (MISUSE, history.misuse),
        (RAISED, history.raised),
        (MALFORMED, history.malformed),
        (CHECK, history.complaints),
    ):
        if said:
            verdict.add(kind, 0, said[0], len(said))
    return verdict


class _StationJudge:
    """The rules that concern one station."""

    def __init__(self, station: StationHistory, verdict: Verdict) -> None:
        self.station = station
        self.verdict = verdict
        self.number = station.rules.number
        self.tail = 0
        self.rows_of: dict[int, list[Row]] = {}
        for row in station.rows:
            if row.number is not None:
                self.rows_of.setdefault(row.number, []).append(row)

    def all_rules(self) -> None:
        """Every rule of one station."""
        self.missing_rules()
        self.double_rules()
        self.order_of_pushed()
        self.order_of_fetched()
        self.sequence_rule()
        self.value_rules()
        self.said_rules()

    def _tell(self, kind: str, text: str, numbers: list[int] | None = None) -> None:
        if numbers is not None:
            if not numbers:
                return
            shown = ", ".join(map(str, numbers[:SHOWN])) + (", ..." if len(numbers) > SHOWN else "")
            self.verdict.add(kind, self.number, f"{text}: {shown}", len(numbers))
        else:
            self.verdict.add(kind, self.number, text)

    # -- rules 1 to 8 ----------------------------------------------------------------------------------------------

    def missing_rules(self) -> None:
        """What is owed and has no row."""
        station, said, excused = self.station, self.station.said, self.verdict.excused
        self.verdict.owed += sum(is_owed(result, station) for result in station.results.values())
        gone, unkept, kept = [], [], 0
        tail = refused_at_the_end(station)
        self.tail = len(tail)
        excused[STILL_REFUSED] += len(tail)
        for result in missing(station):
            if result in tail:
                continue
            if may_be_kept(result):
                if is_kept(result, said):
                    kept += 1
                    excused[KEPT if result.disliked or result.frame != READABLE else KEPT_BLAMED] += 1
                else:
                    unkept.append(result)
            else:
                gone.append(result)
        if kept > said.kept:
            self._tell(UNTRUTHFUL, f"says {said.kept} kept, {kept} stand there")
        candidates = sum(may_be_kept(result) and result.offered() is not None for result in station.results.values())
        candidates += self.in_doubt()
        if candidates > station.rules.kept_octets // 2 // 4096 * KEPT_A_BLOCK // station.rules.records:
            spared = min(len(unkept), said.kept_gone)
            excused[KEPT_GONE] += spared
            del unkept[:spared]
        gone = sorted(gone + unkept, key=lambda result: result.number)
        if station.rules.overwrite:
            spared = [result for result in gone if result.offered() is not None][: said.overwritten]
            excused[OVERWRITTEN] += len(spared)
            gone = [result for result in gone if result not in spared]
        stuck = [r for r in gone if r.number in station.came_after or not r.acks]  # the controller still has the latter
        lost = [r for r in gone if r not in stuck]
        if station.said_after is not None and station.said_after.waiting >= len(lost):
            stuck, lost = gone, []  # the agent has them still, but does not get rid of them
        aside = [r.number for r in lost if not may_be_kept(r) and is_kept(r, said)]
        self._tell(LOST, "set aside though the server takes them", aside)
        self._tell(LOST, "acknowledged, and nowhere", [r.number for r in lost if r.number not in aside])
        self._tell(STUCK, "not there after hours, though nothing stood in the way", [r.number for r in stuck])

    def in_doubt(self) -> int:
        """How many are there, and set aside because nobody could tell: rule 28."""
        station = self.station
        if station.rules.window == 1:
            return 0
        count = sum(is_kept(station.results[number], station.said) for number in self.rows_of)
        most = IN_DOUBT_A_CONNECTION * station.connections
        if count > most:
            self._tell(UNTRUTHFUL, f"sets {count} aside that are there, of {most} that may be in doubt")
        self.verdict.excused[IN_DOUBT] += min(count, most)
        return count

    # -- rules 9 to 11 ---------------------------------------------------------------------------------------------

    def double_rules(self) -> None:
        """Second rows, in the order in which they arrived; each excuse has its budget."""
        station = self.station
        doubled = []
        forgets = {moment: self._batch_at(moment) for moment in station.forgets}
        lies = {lie: self._batch_at(lie[0]) for lie in station.lies}
        excused_once: set[int] = set()
        asked_once: set[int] = set()
        seen: dict[int, Row] = {}
        for row in station.rows:
            if row.number is None:
                continue
            before = seen.get(row.number)
            seen[row.number] = row
            if before is None:
                continue
            result = station.results[row.number]
            again = self._is_fetched(result) and _between(result.asked_for, before, row)
            again = again and row.sequence != before.sequence  # else it is the same record of the log
            again = again and not any(before.arrived <= moment <= row.arrived for moment, _ in station.lies)
            why = "" if again and row.number in excused_once else self._excuse(row, before, forgets, lies)
            if not why and row.number not in asked_once and _between(result.asked_gone, before, row):
                why = ASKED_AGAIN
                asked_once.add(row.number)
            if why:
                self.verdict.excused[why] += 1
                excused_once.add(row.number)
            else:
                doubled.append(row.number)
        self._tell(DOUBLED, "stored a second time", doubled)

    def _excuse(self, row: Row, before: Row, forgets: dict, lies: dict) -> str:
        station, rules = self.station, self.station.rules
        if before.forgotten is not None and before.forgotten <= row.arrived:
            if rules.rewind or rules.resend:
                return FORGOTTEN
            for moment in forgets:
                if before.arrived <= moment <= row.arrived and forgets[moment]:
                    forgets[moment] -= 1
                    return FORGOTTEN if self._is_of_batch(moment, forgets[moment]) else FULL_LOG
        for moment, named in lies:
            if before.arrived <= moment <= row.arrived:
                behind = named and 0 < (before.sequence - named) % SEQUENCES <= len(station.results)
                if (not named and rules.resend) or (behind and rules.rewind):
                    return LIED_TO
                if lies[(moment, named)]:
                    lies[(moment, named)] -= 1
                    return LIED_TO if self._is_of_batch(moment, lies[(moment, named)]) else FULL_LOG
        result = station.results[before.number or 0]
        pushed = [moment for moment in result.pushed_gone if before.arrived <= moment <= row.arrived]
        if pushed:
            stored = min([ack for ack in result.acks if ack >= pushed[-1]], default=row.arrived)
            if not any(pushed[-1] <= moment <= min(stored, row.arrived) for moment in result.fetches):
                return PUSHED_AGAIN
        return ""

    def _batch_at(self, moment: int) -> int:
        """How many second rows a server's word at this moment excuses: in a full log what a block holds (rule 9)."""
        rules = self.station.rules
        return max(rules.cursor_batch, rules.block_results) if moment in self.station.tight else rules.cursor_batch

    def _is_of_batch(self, moment: int, left: int) -> bool:
        """Whether the one that leaves so many was one of a batch, and not of those that only a full log excuses."""
        return self._batch_at(moment) - left <= self.station.rules.cursor_batch

    @staticmethod
    def _is_fetched(result: Result) -> bool:
        return bool(result.fetches) and not result.pushes

    # -- rules 12 to 14 --------------------------------------------------------------------------------------------

    def order_of_pushed(self) -> None:
        """X acknowledged before Y was offered: X comes first (rule 12)."""
        arrived = {number: rows[0].arrived for number, rows in self.rows_of.items()}
        place = {number: index for index, number in enumerate(self._first_rows())}
        known = [r for r in self.station.results.values() if r.acks and r.pushes and r.number in arrived]
        back = self._brought_back()
        by_ack = sorted((r for r in known if not r.blamed and r.number not in back), key=lambda r: r.acks[0])
        at, last, last_number, wrong = 0, -1, 0, []
        for later in sorted(known, key=lambda r: r.offered() or 0):
            while at < len(by_ack) and by_ack[at].acks[0] < (later.offered() or 0):
                if place[by_ack[at].number] > last:
                    last, last_number = place[by_ack[at].number], by_ack[at].number
                at += 1
            if place[later.number] < last:
                wrong.append((later.number, last_number))
        if wrong:
            text = ", ".join(f"{late} before {early}" for late, early in wrong[:SHOWN])
            self.verdict.add(OUT_OF_ORDER, self.number, f"pushed: {text}", len(wrong))

    def _brought_back(self) -> set[int]:
        """The numbers of those that were given up, and came when all of the log was asked for (rule 12)."""
        station, rules = self.station, self.station.rules
        if not (rules.overwrite and (rules.resend or rules.rewind)):
            return set()
        moments = [*station.forgets, *(moment for moment, _ in station.lies)]
        first = {number: rows[0].arrived for number, rows in self.rows_of.items()}
        late = sorted(
            (result.acks[0], number)
            for number, result in station.results.items()
            if result.acks and number in first and any(result.acks[0] < moment <= first[number] for moment in moments)
        )
        return {number for _, number in late[: station.said.overwritten]}

    def order_of_fetched(self) -> None:
        """Fetched ones ascend (rule 13)."""
        highest: Result | None = None
        wrong = []
        for number in self._first_rows():
            result = self.station.results[number]
            if not self._is_fetched(result):
                continue
            if highest is not None and result.number < highest.number:
                if any(moment <= highest.fetches[-1] for moment in result.passed_over):
                    self.verdict.excused[PASSED_OVER] += 1
                else:
                    wrong.append((highest.number, result.number))
            else:
                highest = result
        if wrong:
            text = ", ".join(f"{late} before {early}" for late, early in wrong[:SHOWN])
            self.verdict.add(OUT_OF_ORDER, self.number, f"fetched: {text}", len(wrong))

    def _first_rows(self) -> list[int]:
        """The results in the order of their first rows."""
        return list(dict.fromkeys(row.number for row in self.station.rows if row.number is not None))

    def sequence_rule(self) -> None:
        """No two results with one sequence (rule 14)."""
        if self.station.forgets or self.station.lies:
            return
        owner: dict[int, int] = {}
        wrong = []
        for row in self.station.rows:
            if row.number is not None and owner.setdefault(row.sequence, row.number) != row.number:
                wrong.append(row.number)
        self._tell(SEQUENCE, "carry a sequence that another result has", wrong)

    # -- rules 15 and 16 -------------------------------------------------------------------------------------------

    def value_rules(self) -> None:
        """Each row says what was produced."""
        others = [row.wrong for row in self.station.rows if row.foreign]
        if others:
            self.verdict.add(NOT_OURS, self.number, others[0], len(others))
        invented = [row.wrong for row in self.station.rows if row.number is None and not row.foreign]
        if invented:
            self.verdict.add(INVENTED, self.number, invented[0], len(invented))
        wrong = [f"{row.number}: {row.wrong}" for row in self.station.rows if row.number is not None and row.wrong]
        if wrong:
            self.verdict.add(GARBLED, self.number, wrong[0], len(wrong))

    def said_rules(self) -> None:
        """What the agent says at the end, and after a switch off and on."""
        said, after = self.station.said, self.station.said_after
        # Behind what is still refused a frame may wait that could not be read, beside the result that came again.
        beside = sum(result.frame != READABLE for result in self.station.results.values()) if self.tail else 0
        if said.waiting > self.tail + beside:
            self._tell(STUCK, f"says {said.waiting} wait")
        if not self.station.rules.overwrite and said.overwritten:
            self._tell(UNTRUTHFUL, f"says {said.overwritten} overwritten, and must not overwrite")
        if after is None:
            return
        for what in ("overwritten", "kept", "kept_gone"):
            if getattr(after, what) < getattr(said, what):
                self._tell(UNTRUTHFUL, f"said {getattr(said, what)} {what}, after a start {getattr(after, what)}")


def question_rule(station: StationHistory, calm_over: int, verdict: Verdict) -> None:
    """Old results are asked for a bounded number of times, and one day no more (rule 22)."""
    number = station.rules.number
    if not station.rules.numbered:
        return
    for session in station.sessions:
        most = QUESTIONS_A_SESSION + QUESTIONS_AN_ID * session.used
        if session.asked > most:
            text = f"asked {session.asked} times in the session of {session.began} ms for {session.used} IDs"
            verdict.add(ENDLESS, number, text)
    before = [session for session in station.sessions if session.began <= calm_over]
    if before and before[-1].began < calm_over - AT_REST_MS and before[-1].last >= calm_over - STILL_MS:
        if before[-1].last <= calm_over:
            verdict.add(ENDLESS, number, f"asks {calm_over - before[-1].last} ms before the end of the calm")


def _between(moments: list[int], before: Row, row: Row) -> bool:
    """Whether one of these moments lies between the two rows."""
    return any(before.arrived <= moment <= row.arrived for moment in moments)
