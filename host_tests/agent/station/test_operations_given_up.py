"""What is acknowledged in parts and does not become whole is kept: as a result where all of its objects came."""

import host_tests.support.world  # noqa: F401 - first: imports nest, and from deeper down a small stack would not do

# isort: split
from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record.malformed import INCOMPLETE
from toolcart.agent.record.result import ANGLE_DECIMALS, BODY_BYTES, FLAG_ODD, HEAD_BYTES
from toolcart.sim import operation_frames as frames
from host_tests.agent.station.test_operations import (
    MT_FOCUS,
    STEP_SYNC,
    cart_of,
    inject,
    parts_of,
    rows_kept,
)

PORTABLE = True
HEAVY = True
HEAP = "12m"


def of_total(messages, total):
    """Return the messages as a controller writes them that counts `total` parts."""
    return [one[:20] + b"%03d" % total + one[23:] for one in messages]


def flags_of(cart):
    return [flags for _, kind, flags, payload in cart.records() if payload in cart.stored()]


def test_push_whose_total_is_too_high_is_stored_with_all_of_its_objects():
    for kind in (STEP_SYNC, MT_FOCUS):
        for count in (1, 2, 3):
            for more in (1, 5):
                cart = cart_of(kind, operation_history=False).ready()
                for number in range(1, 4):
                    messages = of_total(parts_of(count, number), 1 + count + more)
                    inject(cart, *(list(reversed(messages)) if number == 2 else messages))
                    cart.run(17000)
                assert cart.controller.messages[1203] == 3 * (1 + count)
                assert cart.stored_ids() == [1, 2, 3] and cart.raw() == [] and cart.gone() == [], (count, more)
                assert missing_most(cart.station.ledger) == 0 and cart.station.ledger.gone() == 0
                assert all(flags & FLAG_ODD for flags in flags_of(cart)) and cart.counted(counter.ODD_FIELDS) == 3
                at = HEAD_BYTES + BODY_BYTES + ANGLE_DECIMALS
                assert all(payload[at] & INCOMPLETE for payload in cart.stored())
                if count > 1:
                    assert [row[0] for row in rows_kept(cart.stored()[0])] == [101, 102, 103][:count]
                inject(cart, *of_total(parts_of(count, 3), 1 + count + more))  # again: the log has it
                cart.run(17000)
                assert cart.stored_ids() == [1, 2, 3] and cart.station.ledger.gone() == 0


def test_pushes_whose_total_is_too_high_are_stored_when_they_come_fast():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    for number in range(1, 9):
        inject(cart, *of_total(parts_of(2, number), 4))
    cart.run(17000)
    assert sorted(cart.stored_ids()) == list(range(1, 9)) and cart.raw() == []
    assert missing_most(cart.station.ledger) == 0 and cart.station.ledger.gone() == 0


def test_it_is_stored_though_the_connection_ends_and_if_power_fails_its_id_stays_missing():
    for cuts in (False, True):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *parts_of(2, 1))
        inject(cart, *of_total(parts_of(2, 2), 4))
        cart.run(3000)
        if cuts:
            cart.cut()
        else:
            cart.drop()
        cart.run(120000)
        inject(cart, *parts_of(2, 3))
        cart.run(120000)
        assert cart.stored_ids() == ([1, 3] if cuts else [1, 2, 3])
        assert cart.gone() == ([(2, 2)] if cuts else [])
        cart.cut()
        cart.run(1000)
        assert cart.stored_ids() == ([1, 3] if cuts else [1, 2, 3])


def test_push_of_which_an_object_is_missing_is_kept_as_it_came_and_fetched_whole():
    for history in (True, False):
        for left in ((0, 1), (0, 2), (1, 2), (0,)):
            cart = cart_of(STEP_SYNC, objects=2, operation_history=history).ready()
            cart.produce(1, 3000)
            session = cart.controller.sessions[0]
            revision, session.operation_revision = session.operation_revision, 0  # the push is lost but for some parts
            cart.produce()
            session.operation_revision = revision
            wanted = parts_of(2, 2)
            sent = [wanted[place] for place in left]
            inject(cart, *sent)
            assert cart.raw() == []
            cart.run(17000)
            assert sorted(cart.raw()) == sorted(sent), left
            cart.settle()
            assert cart.stored_ids() == ([1, 2] if history else [1]), left
            assert cart.gone() == ([] if history else [(2, 2)]) and missing_most(cart.station.ledger) == 0, left


def test_part_whose_total_or_number_is_another_is_kept_as_it_came_and_so_are_the_others():
    first, one, two = parts_of(2)
    for other in (two[:20] + b"004" + two[23:], two[:20] + b"002" + two[23:], two[:23] + b"004" + two[26:]):
        for messages in ((first, one, other), (first, other, one), (other, first, one)):
            cart = cart_of(STEP_SYNC, operation_history=False).ready()
            inject(cart, *messages)
            cart.run(30000)
            assert cart.controller.messages[1203] == 3
            assert sorted(cart.raw()) == sorted(messages) and cart.gone() == [(1, 1)], messages


def test_answer_whose_total_is_too_high_is_taken():
    real = frames.overall_data, frames.object_data
    try:
        frames.overall_data = lambda *given, **named: b"009" + real[0](*given, **named)[3:]
        frames.object_data = lambda *given, **named: b"009" + real[1](*given, **named)[3:]
        for kind in (STEP_SYNC, MT_FOCUS):
            cart = cart_of(kind).ready()
            cart.produce(2, 17000)
            cart.settle()
            cart.miss(3, 1300)
            cart.run(300000)
            cart.settle()
            assert sorted(cart.stored_ids()) == [1, 2, 3, 4, 5] and cart.station.ledger.gone() == 0
            assert missing_most(cart.station.ledger) == 0 and cart.stored_again() == 0
    finally:
        frames.overall_data, frames.object_data = real


def test_what_the_flash_refuses_is_stored_when_it_works_again():
    for all_came in (True, False):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *parts_of(2, 1))
        messages = of_total(parts_of(2, 2), 4)[: 3 if all_came else 2]
        inject(cart, *messages)
        cart.device.refusing = range(cart.device.block_count)
        cart.run(20000)
        assert cart.stored_ids() == [1] and cart.raw() == []
        cart.device.refusing = ()
        cart.run(180000)
        assert sorted(cart.raw()) == sorted(messages) or (all_came and cart.stored_ids() == [1, 2]), all_came


def test_part_acknowledged_before_its_count_begins_anew_moves_the_highest_id_as_a_start_finds_it():
    for history in (True, False):
        cart = cart_of(STEP_SYNC, operation_history=history, refuse={6: 99}).ready()
        inject(cart, *parts_of(1, 4795228))
        inject(cart, *parts_of(1, 1))  # the count begins anew: its first part is acknowledged before it is whole
        assert cart.stored_ids() == [4795228, 1]
        inject(cart, *parts_of(1, 3))
        cart.run(30000)
        assert cart.station.ledger.top() == 3 and cart.gone() == [(2, 2)]
        cart.cut()
        assert cart.station.ledger.top() == 3 and cart.gone() == [(2, 2)]


def test_result_that_is_whole_behind_a_later_one_is_counted_as_missing_neither_itself_nor_the_later_one():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, *parts_of(2, 4))
    first, one, two = parts_of(2, 5)
    inject(cart, first, one)
    inject(cart, *parts_of(2, 6))
    inject(cart, two)
    inject(cart, *parts_of(2, 7))
    cart.run(120000)
    assert cart.stored_ids() == [4, 6, 5, 7] and cart.gone() == [] and missing_most(cart.station.ledger) == 0
    top = cart.station.ledger.top()
    cart.cut()
    assert cart.station.ledger.top() == top == 7 and cart.gone() == []
