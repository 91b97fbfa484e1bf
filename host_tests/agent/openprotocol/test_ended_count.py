"""A count of IDs that ends, wraps, begins again or falls unheard: what it made last is fetched, or counted."""

import pytest

from toolcart.agent.openprotocol.missing_bound import missing_most
from host_tests.support.combinations import all_pairs
from host_tests.support.recovery import Bench, Memory, Spindles


class Wrapping(Memory):
    """It counts by `step`, and goes on with `begins` behind `ends`, None: with the next one."""

    def __init__(self, first, ends, begins, step=1, limit=100000):
        super().__init__(first, limit)
        self.ends, self.begins, self.step = ends, begins, step

    def make(self, ident=None, key=None):
        made = super().make(ident, key)
        is_end = made.ident == self.ends and self.begins is not None
        self.next_id = self.begins if is_end else (made.ident + self.step) % 10**10
        return made


def agrees(bench, case, gone=0):
    uids = bench.uids()
    made = len(bench.memory.produced)
    assert len(uids) == len(set(uids)), (case, uids)
    assert (made - len(uids), bench.ledger.gone()) == (gone, gone), (case, uids, bench.gone.runs)
    assert missing_most(bench.ledger) == 0
    return True


ENDS = (255, 999, 9999, 32767, 65535, 99999, 999999, 16777215, 9999999, 99999999, 2147483647, 999999999)


@pytest.mark.parametrize(("ends", "begins"), [(123, 1)] + [(ends, begins) for ends in ENDS for begins in (0, 1)])
def test_count_that_wraps_while_away_loses_none(ends, begins):
    # `last_known` of the count before, in front of the outage
    for last_known, away, ending in all_pairs((1, 6, 7), (1, 3, 20), (Bench.close, Bench.start)):
        bench = Bench(Wrapping(ends - 7, ends, begins)).met(last_known)
        ending(bench)
        bench.away(away)
        bench.settle()
        bench.make(2)
        uids = bench.uids()
        assert uids == sorted(set(uids)), (last_known, away)
        lacks = [one.ident for one in bench.memory.produced if one.uid not in uids]
        assert lacks in ([], [0]) and missing_most(bench.ledger) == 0, (last_known, away, lacks)
        # Whether 0 was made behind the last ID of so many digits cannot be known: it counts, as a bound.
        assert len(lacks) <= bench.ledger.gone() <= (ends != 123), (last_known, away)


LAST_IDS = [2**bits - 1 for bits in range(3, 33)] + [10**digits - 1 for digits in range(1, 11)]


@pytest.mark.parametrize("begins", [None, 0, 1])
def test_whatever_follows_the_last_id_of_so_many_bits_or_digits_the_fetching_ends(begins):
    # `known`: how many are known when the count comes to `ends`, or is beyond it, as the outage begins
    rows = all_pairs((-2, 0, 1, 2, 5), (1, 2, 3, 5, 10, 10000), (1, 2, 3, 4, 7, 12, 20), (Bench.close, Bench.start))
    cases = [(LAST_IDS[place % len(LAST_IDS)], row) for place, row in enumerate(rows)]
    for ends, (known, kept, missed, ending) in cases + [(4294967295, row) for row in rows]:
        case = (ends, known, kept, missed, ending)
        first = max(ends - known - 2, 1) if begins is None else max(ends - abs(known) - 2, 1)
        bench = Bench(Wrapping(first, ends, begins, limit=kept)).met(3 if begins is not None or known > 0 else 5)
        ending(bench)
        bench.away(missed)
        assert bench.settle(400) < 400, case
        bench.make(2)
        bench.settle(400)
        uids = bench.uids()
        lacks = [one for one in bench.memory.produced if one.uid not in uids]
        assert len(uids) == len(set(uids)) and missing_most(bench.ledger) == 0, (case, uids)
        if begins is None:
            assert len(lacks) == bench.ledger.gone(), (case, lacks, bench.gone.runs)
        elif ends == 4294967295:
            assert len(lacks) <= bench.ledger.gone() <= len(lacks) + 1, (case, lacks, bench.gone.runs)
        if begins is None or missed < ends // 2:
            assert [one.ident for one in lacks if one.ident and one in bench.memory.kept] == [], case


@pytest.mark.parametrize("ends", ENDS)
def test_0_that_was_pushed_while_all_was_in_doubt_is_not_gone(ends):
    for questions in range(5):
        bench = Bench(Wrapping(ends - 3, ends, 0)).open()
        for _ in range(4):
            bench.live()
        for _ in range(questions):
            bench.step()
        bench.live()
        bench.away(6)
        bench.settle()
        bench.make(2)
        bench.settle()
        assert agrees(bench, (ends, questions))


@pytest.mark.parametrize("ends", [255, 999])
def test_count_that_wraps_again_and_again_counts_what_it_made_as_0(ends):
    bench = Bench(Wrapping(ends - 3, ends, 0, limit=ends + 1)).met(2)
    for _ in range(3):
        bench.away(6)
        bench.settle()
        bench.make(ends - 5)
        bench.settle()
    uids = bench.uids()
    lacks = [one.ident for one in bench.memory.produced if one.uid not in uids]
    assert set(lacks) <= {0} and len(lacks) <= bench.ledger.gone() <= 3 and missing_most(bench.ledger) == 0
    assert bench.stored_twice == 0 and len(uids) == len(set(uids))


def test_count_that_wraps_on_a_connection_where_a_push_was_lost():
    for lost in range(1, 5):
        bench = Bench(Wrapping(120, 135, 1)).met(4)
        bench.away(1)
        bench.settle()
        bench.make(9)
        for _ in range(lost):
            bench.memory.make()
        bench.now += 1000000
        bench.make(3)
        bench.settle()
        assert agrees(bench, lost)


def test_what_was_missing_before_the_wrap_is_not_given_up():
    bench = Bench(Wrapping(125, 135, 1)).met(4)
    bench.away(3)
    for _ in range(5):
        bench.step()
    bench.away(8)
    bench.settle()
    bench.make(1)
    assert agrees(bench, "ranges")


def test_what_is_gone_of_the_count_before_is_counted():
    bench = Bench(Wrapping(125, 135, 1, limit=5)).met(4)
    bench.away(10)  # 129 to 135, of which the last two are kept, and 1 to 3
    bench.settle()
    bench.make(2)
    assert agrees(bench, "limit", 5) and bench.gone.runs == [(129, 133, 5, 0)]


@pytest.mark.parametrize("first", [1, 3])
def test_count_that_begins_again_with_its_memory_kept(first):
    for missed in range(4):
        bench = Bench(Memory(40)).met(6)
        bench.close()
        for _ in range(missed):
            bench.memory.make()
        bench.memory.next_id = first
        bench.away(5)
        bench.settle()
        bench.make(2)
        assert agrees(bench, missed)


def test_ids_that_fall():
    for last_known in (1, 4, 10):
        for away in (1, 2, 6, 20):
            bench = Bench(Wrapping(5000, 0, 0, step=-1)).met(last_known)
            for _ in range(2):
                bench.away(away)
                bench.settle()
                bench.make(2)
                bench.start()
            bench.away(1)
            bench.settle()
            assert agrees(bench, (last_known, away))


def test_wrap_of_a_memory_that_holds_the_count_before_brings_no_old_ones():
    bench = Bench(Wrapping(1, 60, 1)).met(130)
    for _ in range(5):
        bench.away(7)
        bench.settle()
        bench.make(3)
    assert agrees(bench, "full") and bench.stored_twice == 0


def test_nothing_is_asked_for_in_front_of_a_new_count():
    bench = Bench(Memory(3521288, limit=1)).met(1)
    bench.close()
    bench.memory.reset(1)
    bench.memory.make()
    bench.requested = []
    bench.open().settle()
    assert not [number for number in bench.requested if number > 3600000] and len(bench.requested) < 120


def test_a_count_begun_anew_behind_an_id_that_hardly_any_count_ends_with_loses_no_0():
    for ends in (9, 15, 31, 63, 99, 127, 511, 1000, 1023, 4095):
        bench = Bench(Wrapping(max(ends - 4, 1), ends, 1)).met(min(ends, 5))
        bench.away(3)
        bench.settle()
        bench.make(1)
        assert agrees(bench, ends), ends


PUSHED_IN_ONE_GO = [  # stored, made of the count before and of the new one, pushed of all these, kept
    *((12, 8, 2, 4, 4), (20, 8, 2, 5, 5), (50, 10, 2, 3, 500), (20, 10, 4, 8, 500)),
    *((2, 6, 3, 5, 500), (20, 8, 3, 5, 500), (12, 8, 2, 10, 4)),
]


@pytest.mark.parametrize("is_on_its_own", [False, True])
@pytest.mark.parametrize(("known", "before", "new", "pushed", "kept"), PUSHED_IN_ONE_GO)
def test_gap_that_a_push_has_shown_in_front_of_a_new_count_is_counted(known, before, new, pushed, kept, is_on_its_own):
    bench = Bench(Memory(1, limit=kept)).met(known)
    bench.close()
    for _ in range(before):
        bench.memory.make()
    bench.memory.reset(1)
    for _ in range(new):
        bench.memory.make()
    bench.open()
    of_before = pushed - new
    for one in bench.memory.produced[-pushed:-new]:
        bench.push(one)
    if is_on_its_own:
        bench.again()
    for one in bench.memory.produced[-new:]:
        bench.push(one)
    bench.settle()
    bench.make(2)
    assert agrees(bench, "in one go", before - of_before)


def test_push_that_came_late_begins_no_count():
    bench = Bench(Memory(1)).met(12)
    bench.close()
    bench.memory.reset(100)
    made = [bench.memory.make() for _ in range(3)]
    bench.open()
    for place in (1, 2, 0):
        bench.push(made[place])
    bench.settle()
    bench.make(2)
    assert len(set(bench.uids())) == 17 and bench.ledger.gone() <= 99


def tighten(bench, count, settles=True):
    """The controller pushes the results of so many tightenings."""
    for _ in range(count):
        for one in bench.memory.tighten():
            bench.push(one)
        if settles:
            bench.settle()


@pytest.mark.parametrize("where", ["away", "behind the first of an outage", "live", "wraps"])
@pytest.mark.parametrize("are_named", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_count_that_begins_again_loses_what_is_missing_of_each_spindle_alone(count, are_named, where):
    # `settles`: what the first push has shown to be missing is asked for before the outage
    for first, settles, ending in all_pairs((7, 300, 957, 990), (True, False), (Bench.close, Bench.start)):
        case = (first, settles, ending)
        first += 0 if are_named else 33  # the new count does not come to what was fetched of the one before
        ending = Bench.close if where == "live" else ending  # a start does not know which push began the count
        bench = Bench(Spindles(count, are_named, first, ends=first + 9 if where == "wraps" else None)).open()
        bench.settle()
        tighten(bench, 6, settles)
        if where == "live":
            bench.memory.next_id = 1
            tighten(bench, 1, settles)
        for made in range(6, 1, -2):
            ending(bench)
            for place in range(made):
                if made == 6 and place == {"away": 3, "behind the first of an outage": 1}.get(where):
                    bench.memory.next_id = 1
                bench.memory.tighten()
            bench.open().settle()
            tighten(bench, 3)
        uids = bench.uids()
        missing = len(bench.memory.produced) - len(uids)
        zero = count if where == "wraps" and first + 9 == 999 else 0  # it may have made what has the ID 0
        assert len(uids) == len(set(uids)) and missing == (0 if are_named else 12 * (count - 1)), (case, uids)
        assert missing <= bench.ledger.gone() <= missing + zero, (case, missing, bench.gone.runs)
        assert missing_most(bench.ledger) == 0, case
