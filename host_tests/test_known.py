"""What is known of a controller's IDs follows from the records alone: the same at every start as while running."""

from agent.openprotocol import known as kn
from agent.openprotocol.gaps import GAP_IDS_MAX, GAPS_MAX
from agent.openprotocol.ids import ID_PERIOD
from agent.record.result import (
    BODY_BYTES,
    FLAG_EDGE_TIME,
    FLAG_RECOVERED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    TIGHTENING_ID,
    TIME_BYTES,
    put_time,
)
from agent.spool.record import KIND_RAW, KIND_RESULT, MEMORY_BYTES
from tools.sim.clock import Dice, stamp_text

PORTABLE = True
HEAP = "4m"  # a range of missing IDs is taken apart into all of them

LAST_ID = ID_PERIOD - 1
WALL_S = 1710408413


def body(number, time_s=None):
    """Return a body with an ID, text or number, and a time: as many seconds later as the ID is large."""
    octets = bytearray(b"0" * BODY_BYTES)
    text = number if isinstance(number, bytes) else ("%010d" % number).encode()
    octets[TIGHTENING_ID : TIGHTENING_ID + 10] = text
    put_time(octets, 0, stamp_text(WALL_S + (number % 100000 if time_s is None else time_s)).encode(), 0)
    return octets


def made(enabled=True):
    return kn.Known(bytearray(MEMORY_BYTES), enabled)


def store(known, number, time_s=None, flags=0, kind=KIND_RESULT):
    known.stored(kind, flags, b"x" * HEAD_BYTES + body(number, time_s), 0, HEAD_BYTES + BODY_BYTES)


def close(known, first, last, why=kn.CLOSED_GONE, epoch=0):
    known.closed_ids(bytes([epoch, why, 0, 0]) + ("%010d%010d" % (first, last)).encode(), 0)


def having(*numbers):
    known = made()
    for number in numbers:
        store(known, number)
    return known


def missing(known):
    gaps = known.gaps
    return [
        (gaps.firsts[index] + step) % ID_PERIOD for index in range(gaps.count) for step in range(gaps.counts[index])
    ]


def verdict(known, number, time_s=None):
    return known.verdict(b"##" + body(number, time_s), 2)


def time_of(known):
    return bytes(known.memory[kn.TIME_KNOWN : kn.TIME_KNOWN + 7])


def packed(time_s):
    return bytes(body(1, time_s)[56:63])


def test_of_nothing_known_every_result_is_looked_for():
    known = made()
    assert verdict(known, 1) == kn.VERDICT_LOOK and not known.looks() and known.gone() == 0


def test_what_was_never_made_is_not_counted_as_gone_whatever_becomes_of_its_range():
    for steps in (  # what happens, and how many are gone by then
        (((8,), 0), ((10,), 0), ((3, 90000), 1)),  # it counts anew
        tuple([((number,), number // 20) for number in range(8, 22, 2)]),  # more than can be noted
        (((8,), 0), ((10,), 0), (("closed to", 7), 0), (("closed to", 9), 1)),
        (((8,), 0), ((5, 4), 0), (("closed to", 4), 0), (("closed to", 7), 2)),  # one in front of it comes late
    ):
        known = made()
        known.memory[kn.FLAGS] |= kn.FLAG_EMPTY | kn.FLAG_KNOWN
        for step, gone in steps:
            if step[0] == "closed to":
                close(known, known.gaps.firsts[0], step[1])
            else:
                store(known, *step)
            assert known.gone() == known.untold_ids() == gone, (steps, step)
            again = kn.Known(bytearray(known.memory))
            assert again.gaps.begins == known.gaps.begins, "a start knows where it begins, too"


def test_first_result_is_where_counting_begins():
    known = having(500)
    assert known.top() == 500 and missing(known) == []
    assert time_of(known) == packed(500)


def test_next_one_is_new_and_a_repeat_is_looked_for():
    known = having(10, 11)
    assert known.top() == 11 and missing(known) == []
    assert verdict(known, 12) == kn.VERDICT_NEW
    for number in (11, 10, 9, 1):
        assert verdict(known, number) == kn.VERDICT_LOOK


def test_result_above_the_next_one_opens_a_gap_and_is_new():
    known = having(10)
    assert verdict(known, 14) == kn.VERDICT_NEW
    store(known, 14)
    assert missing(known) == [11, 12, 13] and known.top() == 14
    assert verdict(known, 12) == kn.VERDICT_MISSING
    store(known, 12)
    assert missing(known) == [11, 13]
    assert verdict(known, 12) == kn.VERDICT_LOOK


def test_counting_goes_over_the_wrap():
    known = having(LAST_ID - 1, LAST_ID)
    assert verdict(known, 0) == kn.VERDICT_NEW
    store(known, 0)
    store(known, 3)
    assert known.top() == 3 and missing(known) == [1, 2]
    assert verdict(known, LAST_ID) == kn.VERDICT_LOOK


def test_result_without_an_id_is_looked_for_and_changes_nothing():
    known = having(10)
    before = bytes(known.memory)
    for text in (b" " * 10, b"      0012", b"garbage id"):
        assert known.verdict(body(text, 5), 0) == kn.VERDICT_LOOK
        known.stored(KIND_RESULT, 0, b"x" * HEAD_BYTES + body(text, 5), 0, HEAD_BYTES + BODY_BYTES)
    store(known, 99, kind=KIND_RAW)
    assert bytes(known.memory) == before


def test_old_id_changes_nothing():
    known = having(10, 11)
    before = bytes(known.memory)
    for time_s, flags in ((5, 0), (11, 0), (90000, FLAG_RECOVERED), (90000, FLAG_EDGE_TIME)):
        store(known, 5, time_s, flags)
    store(known, 11, 90000, FLAG_UNPROVEN)
    assert bytes(known.memory) == before


def test_of_an_id_that_stands_still_the_latest_time_is_known():
    known = having(10, 11)
    assert holds_top(known, 11)
    store(known, 11, 90000)
    assert known.is_earlier(body(11, 89999), 0) and not known.is_later(body(11, 90000), 0)
    assert known.top() == 11 and missing(known) == [] and not known.looks()
    assert not holds_top(known, 11, 90000), "another one of the same second has to be looked for in the log"


def holds_top(known, number, time_s=None):
    return known.holds_top(b"##" + body(number, time_s), 2)


def test_highest_id_that_was_counted_to_is_known_by_its_time_alone():
    known = having(10)
    assert not holds_top(known, 10)  # all its IDs may be one
    for number in (11, 14):
        store(known, number)
        assert holds_top(known, number) and holds_top(kn.Known(bytearray(known.memory)), number)
        assert not holds_top(known, number - 1) and not holds_top(known, number - 1, number)
        assert not holds_top(known, number, number + 1) and not holds_top(known, number, number - 1)
    store(known, 12, 12)
    assert holds_top(known, 14)
    store(known, 15, 13)  # its clock was set back
    assert not holds_top(known, 15, 13) and not holds_top(known, 15, 14)
    store(known, 16, 16, FLAG_EDGE_TIME)
    assert not holds_top(known, 16)
    store(known, 17)
    assert holds_top(known, 17)
    close(known, 18, 18)
    assert not holds_top(known, 18) and not holds_top(known, 18, 17)
    empty = made()
    empty.memory[kn.FLAGS] |= kn.FLAG_EMPTY | kn.FLAG_KNOWN
    store(empty, 7)
    assert not holds_top(empty, 7)


def test_old_id_with_a_later_time_counts_anew_and_holds_the_time():
    for has in ((10, 11), (4, 11)):  # stored once, or missing
        known = having(*has)
        before = len(missing(known))
        store(known, 5, 90000)
        assert known.looks() and known.memory[kn.EPOCH] == 1 and known.gone() == before
        assert known.top() == 5 and missing(known) == [1, 2, 3, 4]
        held = bytes(TIME_BYTES) if before else packed(11)  # what was missing before may be as early as it likes
        assert time_of(known) == held
        store(known, 6, 90001)
        assert known.top() == 6 and time_of(known) == held and known.memory[kn.EPOCH] == 1


def test_first_id_that_is_pushed_with_a_later_time_leaves_nothing_missing():
    for first in (0, 1):
        known = having(10, 11)
        store(known, first, 90000)
        assert known.looks() and known.top() == first and missing(known) == []


def test_missing_id_counts_anew_only_where_the_time_of_the_highest_one_is_known():
    known = having(10)
    store(known, 15, flags=FLAG_EDGE_TIME)
    store(known, 12)  # later than all that are known, and earlier than the one that has no time
    assert missing(known) == [11, 13, 14] and known.top() == 15 and not known.looks()
    store(known, 16)
    store(known, 13, 17)
    assert known.looks() and known.top() == 13


def test_where_nothing_can_be_fetched_no_id_counts_anew():
    known = made(enabled=False)
    store(known, 11)
    store(known, 5, 90000)
    assert known.memory[kn.EPOCH] == 0 and known.top() == 11 and not known.looks()


def test_while_ids_that_count_anew_are_looked_for_only_a_closed_one_tells_of_another_count():
    known = having(10, 20)
    known.memory[kn.FLAGS] |= kn.FLAG_LOOK
    store(known, 15, 90000)
    assert known.memory[kn.EPOCH] == 0
    store(known, 15, 90001)
    assert known.memory[kn.EPOCH] == 1 and known.top() == 15 and missing(known) == list(range(1, 15))


def test_highest_id_tells_of_another_count_only_if_nothing_was_proven_in_its_connection():
    known = having(10, 20)
    known.memory[kn.FLAGS] |= kn.FLAG_LOOK
    store(known, 20, 90000)
    assert known.memory[kn.EPOCH] == 0 and missing(known) == list(range(11, 20))
    store(known, 20, 90001, FLAG_UNPROVEN)
    assert known.memory[kn.EPOCH] == 1 and missing(known) == list(range(1, 20))


def test_latest_time_is_that_of_what_was_pushed():
    known = having(10, 14)
    store(known, 12, 90000, FLAG_RECOVERED)
    assert time_of(known) == packed(14)
    store(known, 15, 90000, FLAG_EDGE_TIME)
    assert time_of(known) == packed(14)
    store(known, 17, 90001, FLAG_EDGE_TIME)
    assert time_of(known) == packed(14)
    store(known, 18, 20)
    assert time_of(known) == packed(20)
    store(known, 19, 19)  # its clock was set back
    assert time_of(known) == packed(20)


def test_closed_ids_are_missing_no_more_and_counted_unless_the_log_has_them():
    known = having(10, 20)
    close(known, 11, 13)
    assert missing(known) == list(range(14, 20)) and known.gone() == 3
    close(known, 14, 14, kn.CLOSED_KEPT)
    assert missing(known) == list(range(15, 20)) and known.gone() == 3


def test_closed_ids_of_another_epoch_change_nothing():
    known = having(10, 20)
    before = bytes(known.memory)
    close(known, 11, 13, epoch=1)
    assert bytes(known.memory) == before


def test_gap_wider_than_a_controller_keeps_is_noted_in_its_newest_part_and_counted():
    known = made()
    store(known, 0)
    store(known, 50000)
    assert known.gaps.total() == GAP_IDS_MAX and known.gone() == 49999 - GAP_IDS_MAX


def test_where_nothing_can_be_fetched_no_gap_is_noted_and_what_a_jump_left_out_is_counted():
    known = made(enabled=False)
    for number in (10, 20):
        store(known, number)
    assert missing(known) == [] and known.top() == 20 and verdict(known, 30) == kn.VERDICT_NEW
    known = made()
    known.memory[kn.FLAGS] |= kn.FLAG_NO_FETCH
    for number in (10, 20):
        store(known, number)
    assert missing(known) == [] and not known.fetches() and known.gone() == 9
    store(known, 21)
    store(known, 15)
    assert known.gone() == 9 and known.top() == 21
    known = made()
    known.memory[kn.FLAGS] |= kn.FLAG_NO_FETCH
    store(known, 4000000000)  # the first one: what was in front of it is not ours
    assert known.gone() == 0


def with_all_gaps():
    known = having(10)
    for index in range(GAPS_MAX):
        store(known, 14 + 4 * index)
    assert known.gaps.count == GAPS_MAX
    return known


def test_result_that_needs_a_gap_too_many_has_to_come_later():
    known = with_all_gaps()
    top = known.top()
    assert verdict(known, top + 1) == kn.VERDICT_NEW
    assert verdict(known, top + 3) == kn.VERDICT_LATER
    known.deferred = []
    assert verdict(known, 12) == kn.VERDICT_LATER  # the middle of three
    known.deferred = []
    assert verdict(known, 11) == kn.VERDICT_MISSING and verdict(known, 13) == kn.VERDICT_MISSING
    close(known, 11, 13)
    assert verdict(known, top + 3) == kn.VERDICT_NEW and verdict(known, 16) == kn.VERDICT_MISSING


def test_push_behind_one_that_was_left_for_later_waits_for_that_one():
    known = with_all_gaps()
    top = known.top()
    assert verdict(known, 12) == kn.VERDICT_LATER
    for number in (11, 13, top + 1):
        assert verdict(known, number) == kn.VERDICT_LATER, number
    assert known.deferred == [12, 11, 13, top + 1] and known.unheard == top + 1
    close(known, 11, 11)
    for number in (12, 13, top + 1):  # each comes again in its turn
        for other in (13, top + 1, top + 2):
            assert other <= number or verdict(known, other) == kn.VERDICT_LATER, (number, other)
        assert verdict(known, number) in (kn.VERDICT_MISSING, kn.VERDICT_NEW)
        store(known, number)
    assert verdict(known, top + 2) == kn.VERDICT_NEW
    store(known, top + 2)
    assert verdict(known, top + 3) == kn.VERDICT_NEW and known.deferred == []


def test_gap_that_has_to_go_is_counted():
    known = with_all_gaps()
    top = known.top()
    store(known, top + 3)
    assert known.gone() == 3 and missing(known)[0] == 15 and missing(known)[-2:] == [top + 1, top + 2]


def test_gap_that_counts_anew_is_looked_for_and_holds_the_time_until_the_newest_ends_it():
    known = having(10, 14)
    known.memory[kn.FLAGS] |= kn.FLAG_LOOK
    assert known.looks() and verdict(known, 12) == kn.VERDICT_MISSING
    store(known, 12, 90000)
    store(known, 17, 90001)
    assert time_of(known) == packed(14) and missing(known) == [11, 13, 15, 16]
    assert known.is_earlier(body(1, 13), 0) and not known.is_earlier(body(1, 14), 0)
    assert known.is_later(body(1, 15), 0) and not known.is_later(body(1, 14), 0)


def test_memory_alone_says_everything_at_any_moment():
    for seed in range(40):
        dice = Dice(seed + 1)
        known = made()
        top = (1, 900, LAST_ID - 20)[dice.randrange(3)]
        for _ in range(60):
            what = dice.randrange(8)
            if what < 4:
                top = (top + 1) % ID_PERIOD
                store(known, top, dice.randrange(9000))
            elif what == 4:
                top = (top + 1 + dice.randrange(9)) % ID_PERIOD
                store(known, top, dice.randrange(9000))
            elif known.gaps.count:
                gap = dice.randrange(known.gaps.count)
                number = (known.gaps.firsts[gap] + dice.randrange(known.gaps.counts[gap])) % ID_PERIOD
                if what == 5:
                    close(known, number, number, dice.randrange(2))
                else:
                    store(known, number, dice.randrange(9000), FLAG_RECOVERED * dice.randrange(2))
            twin = kn.Known(bytearray(known.memory))
            assert missing(twin) == missing(known) and twin.expected == known.expected
            for near in range(-12, 4):
                number = (top + near) % ID_PERIOD
                twin.deferred, known.deferred = [], []  # of a connection, and in no memory
                assert verdict(twin, number) == verdict(known, number)
