"""ID 0 is answered with a result that the log has: a late memory, another one than the newest, or a wrong ID."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import ticks_diff
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.sim import controller_frames as frames
from host_tests.support.combinations import all_pairs
from host_tests.support.odd_controllers import OddController
from host_tests.support.recovery import Bench, Memory

NAMED = {  # the ID that is printed in the answer to ID 0
    "0": lambda number: 0,
    "1": lambda number: 1,
    "one below": lambda number: number - 1,
    "one above": lambda number: number + 1,
    "five above": lambda number: number + 5,
    "far above": lambda number: number + 4000,
    "far below": lambda number: max(number - 700, 2),
}
GIVEN = {  # what ID 0 is answered with
    "the oldest": lambda kept: kept[0],
    "the one before": lambda kept: kept[-2] if len(kept) > 1 else kept[-1],
    "the third": lambda kept: kept[-3] if len(kept) > 2 else kept[-1],
}
PUSHED = {"as kept": None, "0": lambda number: 0}


class Zero(OddController):
    """`given` chooses the answer to ID 0, `named_so` its ID; what is younger than `late_s` it does not have yet."""

    def __init__(self, monkeypatch, given=None, named_so=None, late_s=0, **settings):
        super().__init__(monkeypatch, **settings)
        self.given = given or (lambda kept: kept[-1])
        self.named_so = named_so
        self.late_ms_of = late_s * 1000
        self.made_at = {}
        self.asks_newest = False
        monkeypatch.setattr(frames, "old_result_data", self._renamed(frames.old_result_data))

    def _renamed(self, data):
        def renamed(result, *rest):
            if self.asks_newest and self.named_so is not None:
                number, result.tightening_id = result.tightening_id, self.named_so(result.tightening_id)
                octets = data(result, *rest)
                result.tightening_id = number
                return octets
            return data(result, *rest)

        return renamed

    def _has(self):
        now = self.cart.controller.clock.now
        return [one for one in self.kept if ticks_diff(now, self.made_at.setdefault(id(one), now)) >= self.late_ms_of]

    def make(self, count=1, every_ms=1000):
        for _ in range(count):
            super().make(1, 0)
            self._has()
            if every_ms:
                self.cart.run(every_ms)

    def _answer(self, session, revision, number):
        self.requests.append(number)
        kept = self._has()
        result = self.answers(kept, number) if number else self.given(kept) if kept else None
        if session.rejects(64, (revision not in session.options.recover_revisions, 97), (result is None, 15)):
            return
        self.asks_newest = number == 0
        session._say_old(result, revision)
        self.asks_newest = False


def live(one, outages=3, live=4, missed=4, rest_ms=60000):
    """Connections with results, and outages with others; return how often one of these was asked at most."""
    cart = one.cart
    cart.until_ready(5000)
    most = 0
    for _ in range(outages):
        one.make(live)
        one.away(missed)
        before = len(one.requests)
        cart.run(rest_ms)
        most = max(most, len(one.requests) - before)
    one.make(2)
    cart.run(400000)
    return most


def nothing_is_wrong(one, resets=False, gone_most=0):
    """Nothing is gone, and all is there; where pushes have no ID it may be said that nothing can be known.

    `resets`: the oldest was made before the first meeting: it may seem to be the first of a new count, and be stored.
    `gone_most`: pushes without an ID that come before the first meeting is over are not known to come behind it.
    """
    twice, counted, missing, gone, opened = books = one.books()
    says_no_id = one.pushed_as is not None and one.cart.station.recovery.phase == phases.PHASE_NO_ID
    assert (missing == 0 or says_no_id) and gone <= gone_most and opened == 0, (books, one.cart.gone())
    assert twice == 0 and (counted == 0 or one.pushed_as is not None), books
    assert one.cart.counted(counter.CONTROLLER_RESETS) <= resets


@pytest.mark.parametrize(
    ("given", "keeps", "before", "missed", "pushed"),
    all_pairs(list(GIVEN), [500, 12], [0, 20], [0, 1, 4], list(PUSHED)),
)
def test_another_result_than_the_newest(monkeypatch, given, keeps, before, missed, pushed):
    one = Zero(monkeypatch, GIVEN[given], pushed_as=PUSHED[pushed], keeps=keeps)
    one.make(before)
    asked = live(one, missed=missed)
    one.made = one.made[before:]
    is_oldest = given == "the oldest" and before > 0
    nothing_is_wrong(one, resets=is_oldest and keeps > before, gone_most=is_oldest and pushed == "0")
    assert asked < 100, asked


@pytest.mark.parametrize(
    ("named", "keeps", "missed", "pushed"), all_pairs(list(NAMED), [500, 12], [0, 1, 4], list(PUSHED))
)
def test_a_wrong_id(monkeypatch, named, keeps, missed, pushed):
    one = Zero(monkeypatch, named_so=NAMED[named], pushed_as=PUSHED[pushed], keeps=keeps)
    asked = live(one, missed=missed)
    nothing_is_wrong(one)
    assert asked < 100, asked


@pytest.mark.parametrize(("keeps", "missed", "before"), all_pairs([500, 12], [0, 1, 4], [0, 20]))
def test_the_asked_id_in_the_answer(monkeypatch, keeps, missed, before):
    one = Zero(monkeypatch, named_so=NAMED["0"], keeps=keeps)
    one.make(before)
    asked = live(one, missed=missed)
    one.made = one.made[before:]
    nothing_is_wrong(one)
    assert asked <= 3 + 2 * missed, "it goes upward to what ID 0 brought"


@pytest.mark.parametrize(
    ("late_s", "missed", "before", "pushed"), all_pairs([2, 5, 8], [0, 1, 4], [0, 20], list(PUSHED))
)
def test_a_memory_that_is_late(monkeypatch, late_s, missed, before, pushed):
    one = Zero(monkeypatch, late_s=late_s, pushed_as=PUSHED[pushed])
    one.make(before)
    asked = live(one, missed=missed)
    one.made = one.made[before:]
    nothing_is_wrong(one)
    assert asked < 100, asked


@pytest.mark.parametrize(("away", "late", "pushed"), all_pairs([1, 4], [1, 2, 4], [1, 2]))
def test_late_memory_hides_nothing_that_a_push_in_front_of_its_answer_has_skipped(away, late, pushed):
    bench = Bench(Memory(100)).met(3).close()
    for _ in range(away):
        bench.memory.make()
    bench.open()
    for _ in range(pushed):
        bench.live()
    assert bench.ask() == 0
    there = [one for one in bench.memory.kept if one.uid <= len(bench.memory.kept) - late]
    bench.answer(there[-1])
    bench.settle()
    assert sorted(bench.uids()) == list(range(1, 4 + away + pushed)), bench.requested
    assert bench.ledger.gone() == 0 == bench.stored_twice
