"""What is known of a controller's IDs is the same at a start as while running, and a snapshot is all or nothing."""

from toolcart.agent.openprotocol import known as kn
from toolcart.agent.openprotocol.ids import ID_PERIOD, after
from toolcart.agent.openprotocol.spindles import SeveralSubscription
from toolcart.agent.record import KIND_EVENT, KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.base.clock import Dice
from host_tests.support.recovery import BLANK, PAYLOAD, Bench, FakeLog, FakeState, Result

PORTABLE = True

LAST_ID = ID_PERIOD - 1
PLACES = {"TORQUE": res.TORQUE, "ANGLE": res.ANGLE, "TIME": res.TIME}


def made():
    state = FakeState()
    state.log = FakeLog()
    return kn.Known(state)


def store(known, ident, key=1, flags=0, kind=KIND_RESULT):
    known.stored(kind, flags, Result(key, ident, key).payload, 0, PAYLOAD)
    return known


def digest(ident, key=1, flags=0, **fields):
    found = bytearray(kn.DIGEST_BYTES)
    body = bytearray(Result(key, ident, key).payload[res.HEAD_BYTES :])
    for name, value in fields.items():
        at = PLACES[name]
        body[at : at + len(value)] = value
    kn.put_digest(found, 0, body, 0, flags)
    return found


def proven(*idents):
    """Known as after these were pushed on a connection that has proven what the IDs mean."""
    known = made()
    for ident in idents:
        store(known, ident)
    return known


def test_first_result_of_all_is_the_highest_known_whatever_it_carries():
    for flags in (0, res.FLAG_UNPROVEN, res.FLAG_EDGE_TIME | res.FLAG_UNPROVEN):
        known = store(made(), 41, flags=flags)
        assert known.is_met() and known.top() == 41 and known.ranges == []
    assert made().top() == -1 and not made().is_met() and not made().is_empty()


def test_proven_push_moves_it_and_opens_what_lies_between():
    known = proven(41, 42, 47)
    assert known.top() == 47 and known.ranges == [[43, 46]] and known.missing() == 4
    assert bytes(known.expected) == b"0000000048"
    store(known, 47, 9)
    assert known.top() == 47 and known.is_top(digest(47, 9)) and not known.is_top(digest(47, 1))


def test_what_is_unproven_or_fetched_or_no_result_moves_nothing():
    for flags, kind in (
        (res.FLAG_UNPROVEN, KIND_RESULT),
        (res.FLAG_RECOVERED, KIND_RESULT),
        (res.FLAG_RETRIED, KIND_RESULT),
        (0, KIND_RAW),
        (0, KIND_EVENT),
    ):
        known = store(proven(41), 47, flags=flags, kind=kind)
        assert known.top() == 41 and known.ranges == [], (flags, kind)


def test_push_behind_the_highest_one_moves_nothing():
    for number in (12, 44):  # which is on its way
        known = store(proven(41, 47), number)
        assert known.top() == 47 and known.ranges == [[42, 46]] and known.misses(number) == (number == 44)


def test_first_push_of_a_controller_that_was_empty_opens_a_range_whose_begin_is_not_known():
    for flags in (0, res.FLAG_UNPROVEN):
        known = made()
        known.put_empty()
        store(known, 3, flags=flags)
        assert known.top() == 3 and not known.is_empty() and known.last_id == 3
        assert [last for _, last in known.ranges] == [2] and known.missing() == 1


def test_push_without_an_id_moves_nothing():
    known = store(proven(41), BLANK)
    assert known.top() == 41 and known.last_id == -1


def test_next_id_is_known_by_its_digits_only_behind_a_proven_push():
    known = proven(41)
    assert known.expected.find(b"0") < 0, "nothing says what the log has above it"
    store(known, 42)
    assert bytes(known.expected) == b"0000000043"
    store(known, 43)
    assert bytes(known.expected) == b"0000000044" and known.top() == 43
    store(known, 44, flags=res.FLAG_UNPROVEN)
    assert known.expected.find(b"0") < 0
    known = proven(41, 42)
    known.put_top(digest(42))
    assert known.expected.find(b"0") < 0
    known = proven(41, 42)
    known.load()
    assert known.expected.find(b"0") < 0 and known.top() == 42


def test_highest_one_known_counts_on_over_every_digit():
    for ident in (8, 9, 98, 99, 999, 123456798, 999999999, 3999999999, LAST_ID - 2):
        known = proven(ident)
        for step in range(1, 5):
            store(known, (ident + step) % ID_PERIOD, step)
            assert known.top() == (ident + step) % ID_PERIOD and known.ranges == [], (ident, step)
            assert known.is_top(digest((ident + step) % ID_PERIOD, step))


def test_jump_says_nothing_where_stations_share_the_ids():
    known = proven(41)
    known.put_controller(0, True, False)
    store(known, 60)
    assert known.top() == 60 and known.ranges == [] and known.shares()


def test_ids_go_over_the_wrap():
    known = proven(LAST_ID - 1, LAST_ID, 0, 1, 4)
    assert known.top() == 4 and known.ranges == [[2, 3]]
    known = proven(LAST_ID - 1, 2)
    assert known.ranges == [[LAST_ID, 1]] and known.missing() == 3
    known = proven(LAST_ID, 1)
    assert known.ranges == [], "0 cannot be asked for"


def test_a_start_knows_what_ran_before():
    for seed in range(30):
        dice = Dice(seed)
        bench = Bench()
        bench.open()
        bench.live()
        for _ in range(30):
            what = dice.randrange(6)
            if what == 0:
                bench.step()
            elif what == 1:
                bench.memory.make()
            elif what == 2:
                bench.again()
            elif what == 3:
                bench.state.save()
            else:
                bench.live()
        bench.close()
        before = bytes(bench.state.octets), bench.known.ranges, bench.known.top()
        bench.start()
        assert bench.known.top() == before[2], seed
        if bench.known.ranges == before[1]:
            assert bytes(bench.state.octets) == before[0], seed
        else:  # what a range is closed by is saved now and then
            assert bench.known.missing() >= sum([last - first + 1 for first, last in before[1]]), seed


def test_what_cannot_be_saved_is_as_it_was():
    known = proven(41, 47)
    known.state.save()
    before = bytes(known.octets)
    known.state.refuses = 1
    known.begin()
    known.forget_ranges()
    known.add(60, 70)
    known.put_top(digest(70))
    known.count_gone(1, 5)
    assert not known.commit()
    assert bytes(known.octets) == before and known.ranges == [[42, 46]] and known.gone() == 0
    known.begin()
    saves = known.state.saves
    assert known.commit() and known.state.saves == saves, "nothing has changed"


def test_range_is_closed_from_its_begin():
    known = proven(1, 10, 20)
    known.close_up_to(5)
    assert known.ranges == [[5, 9], [11, 19]]
    known.close_up_to(10)
    assert known.ranges == [[11, 19]]
    known.load()
    assert known.ranges == [[11, 19]]
    known.close_up_to(after(19))
    assert known.ranges == [] and known.missing() == 0


def test_a_third_range_joins_the_two_that_are_nearest():
    known = proven(1, 10, 12, 30)
    assert known.ranges == [[2, 11], [13, 29]]
    known = proven(1, 10, 11, 12, 30, 32)
    assert known.ranges == [[2, 9], [13, 31]]


def test_same_is_told_by_id_time_and_values_and_by_nothing_that_one_does_not_have():
    one = digest(41, 7)
    assert kn.same(one, digest(41, 7))
    assert not kn.same(one, digest(42, 7)) and not kn.same(one, digest(41, 8))
    assert not kn.same(one, digest(41, 7, TORQUE=b"000009"))
    assert not kn.same(one, digest(41, 7, ANGLE=b"00009"))
    assert kn.same(one, digest(41, 7, TORQUE=b"      ")), "a field that is blank says nothing"
    assert kn.same(one, digest(41, 7, ANGLE=b"     "))
    assert kn.same(one, digest(41, 7, res.FLAG_ODD, ANGLE=b"00070")), "in parts of a degree"
    assert kn.same(one, digest(41, 7, res.FLAG_EDGE_TIME, TIME=b"\x20\x30\x01\x01\0\0\0")), "the agent's own time"
    unread = bytearray(kn.DIGEST_BYTES)
    kn.put_unread(unread, 41)
    assert kn.same(one, unread) and not kn.same(digest(40, 7), unread)
    frames = [bytearray(kn.DIGEST_BYTES) for _ in range(2)]
    for check in (0, 0x80, 0xFF, 0x3FFFFFFF):
        kn.put_unread(frames[0], 41, check)
        kn.put_unread(frames[1], 41, check ^ 0x10)
        assert kn.same(frames[0], frames[0]) and not kn.same(*frames)
        assert not kn.same(one, frames[0]) and not kn.same(frames[0], digest(41, 7, TORQUE=b"      "))


def test_identity_and_what_else_is_noted_survive_a_start():
    known = made()
    known.begin()
    known.put_empty()
    known.put_controller(0x2ABCDEF0 & 0x3FFFFFFF, True, True)
    assert known.commit()
    known = kn.Known(known.state)
    assert known.identity() == 0x2ABCDEF0 and known.shares() and known.epoch() == 1 and known.is_empty()
    assert known.octets[kn.INDEXES] == 0


def test_next_push_behind_controller_that_was_found_empty_is_first_of_it():
    known = proven(41, 42)
    known.put_empty()
    store(known, 43)
    assert known.top() == 43 and known.missing() == 1


def test_a_powermacs_is_asked_for_the_last_one_once_more_and_never_for_all_that_it_has():
    known = made()
    subscription = SeveralSubscription("powermacs", known)
    for stored, asked in ((0, LAST_ID), (1, LAST_ID), (2, 1), (LAST_ID, LAST_ID - 1)):
        known.put_top(digest(stored))
        subscription.revision()
        assert bytes(subscription.data[:10]) == b"%010d" % asked
