"""What the log gives up that was out to ToolsNet when its outlet was removed: events among it have no sequence."""

import pytest

from toolcart.agent.log import removed_toolsnet
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.flash import FLASH_IO
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.recount import lag_at
from toolcart.agent.log.snapshot_fields import (
    DAMAGED,
    DELIVERED,
    HAD_MORE,
    OVERWRITTEN,
    SEND_LIMIT,
    SENT,
    SENT_ALONE,
    SEQUENCE_LAG,
    STORED,
    TAKEN,
    TOOLSNET_CURSOR,
)
from toolcart.agent.record import KIND_EVENT, KIND_RESULT
from toolcart.agent.record.result import BODY_BYTES
from toolcart.tools.spool import take_over
from host_tests.agent.cart.test_outlet_places import FILE, TOOLSNET, Cart
from host_tests.support.log import Area, put, store


class Removed(Cart):
    """ToolsNet's outlet was removed when records up to `limit` might have been sent, and none was known to be.

    `stored` were in the log then; by itself as many as SEND_LIMIT allowed.
    """

    def __init__(self, limit, stored=-1):
        Cart.__init__(self)
        self.start(FILE, TOOLSNET)
        self.results = []
        while self.log.number < (limit if stored < 0 else stored):
            self.store()
        self.state.numbers[SEND_LIMIT] = limit
        assert self.state.save()
        self.start(FILE)

    def store(self):
        """Store one more, each fifth an event, and let the file have it."""
        is_event = self.log.next % 5 == 2
        assert put(self.log, bytes(BODY_BYTES), KIND_EVENT if is_event else KIND_RESULT) == LOG_DONE
        self.results += [] if is_event else [self.log.number]
        self.state.numbers[STORED] = len(self.results)
        self.take(0)

    def results_to(self, number):
        """Return how many results there were up to this number."""
        return len([one for one in self.results if one <= number])

    def place(self):
        """Return number and `sequence_lag` of ToolsNet's place, and OVERWRITTEN."""
        return [self.state.numbers[index] for index in (TOOLSNET_CURSOR, SEQUENCE_LAG, OVERWRITTEN)]


@pytest.mark.parametrize("limit", [40, 48])
@pytest.mark.parametrize("restarts", [True, False])
def test_its_place_goes_on_while_something_of_that_is_left(limit, restarts):
    cart = Removed(limit)
    while len(cart.results) < 5 or cart.log.first_above(0) < 30:
        cart.store()
        if restarts and cart.log.number % 50 == 0:
            cart.start(FILE)
    oldest = cart.log.first_above(0)
    there = cart.results_to(oldest - 1)
    assert cart.place() == [oldest - 1, oldest - 1 - there, there]
    cursor = cart.start(TOOLSNET, FILE)[0]
    assert cart.at_start.returned[0] == 0 < cart.at_start.added[0]
    assert cursor.number - cursor.sequence_lag == cart.results_to(cursor.number) < cursor.number
    assert cart.state.numbers[OVERWRITTEN] == cart.results_to(cursor.number) and cart.state.numbers[DAMAGED] == 0


@pytest.mark.parametrize("restarts", [True, False])
def test_what_was_not_stored_then_was_not_out(restarts):
    cart = Removed(48, 20)
    while cart.log.first_above(0) < 60:
        cart.store()
        if restarts and cart.log.number % 30 == 0:
            cart.start(FILE)
    assert cart.state.numbers[SEND_LIMIT] == 20 <= cart.place()[0] < 30
    assert not cart.state.numbers[SENT] & SENT_ALONE, "all that its place has passed was taken"
    cart.start(TOOLSNET, FILE)
    assert cart.at_start.returned[0] > 20


@pytest.mark.parametrize("last", [11, 12])
def test_where_a_batch_began_is_not_known_any_more_if_not_all_in_front_of_it_was_taken(last):
    cart = Cart()
    cart.start(FILE, TOOLSNET)
    cart.append(last)
    cart.take(0)
    cart.take(1, 10)
    cart.state.numbers[SEND_LIMIT], cart.state.numbers[TAKEN] = 58, 9
    assert cart.state.save()
    cart.start(FILE)
    assert cart.state.numbers[SEND_LIMIT] == last
    assert cart.state.numbers[SENT] & SENT_ALONE, "else what was settled before that counts as delivered after all"
    assert bool(cart.state.places & HAD_MORE) == (last > 11), "of several only one counts as delivered after all"


def test_what_is_given_up_behind_that_is_counted_as_it_returns():
    cart = Removed(10)
    while len(cart.results) < 5 or cart.log.first_above(0) < 40:
        cart.store()
    first, _, overwritten = cart.place()
    assert 10 <= first < cart.log.first_above(0) - 1
    cursor = cart.start(TOOLSNET, FILE)[0]
    assert cart.at_start.returned[0] > 0
    assert cart.state.numbers[OVERWRITTEN] == overwritten + cart.at_start.returned[0] + cart.at_start.added[0]
    assert cart.results_to(cursor.number) <= cart.state.numbers[OVERWRITTEN] <= cursor.number


@pytest.mark.parametrize("is_there", [True, False])
def test_events_that_were_given_up_are_no_results(is_there):
    for count in range(60, 140, 9):
        cart = Cart()
        cart.start(*([TOOLSNET] if is_there else []), FILE)
        put(cart.log, bytes(BODY_BYTES), KIND_RESULT)
        cart.state.numbers[STORED] = 1
        cart.take(0)
        cart.take(1) if is_there else None
        assert cart.state.save()
        cart.start(FILE)
        for number in range(2, count):  # nearly all are events
            is_result = number % 20 == 0
            assert put(cart.log, bytes(BODY_BYTES), KIND_RESULT if is_result else KIND_EVENT) == LOG_DONE
            cart.state.numbers[STORED] += is_result
            cart.take(0)
        assert cart.state.save()
        last = cart.start(TOOLSNET, FILE)[0].number
        first = 1 if is_there else cart.log.first_above(0) - 1  # a new one lacks nothing of what was gone before
        lacks = [number for number in range(first + 1, last + 1) if number == 1 or number % 20 == 0]
        assert cart.state.numbers[OVERWRITTEN] == len(lacks), (count, last)


@pytest.mark.parametrize("front", ["plain", "damaged", "skipped", "named"])
def test_what_lies_in_front_of_its_place_takes_nothing_off_what_was_given_up(front):
    """Ten numbers are of no result, and nothing tells that: events that are gone, skipped ones, a server's own."""
    cart = Cart()
    cart.flash.wears = False
    cart.start(TOOLSNET, FILE)
    log, numbers = cart.log, cart.state.numbers
    assert put(log, bytes(BODY_BYTES), KIND_EVENT) == LOG_DONE
    for _ in range(10 if front != "skipped" else 0):
        assert put(log, bytes(BODY_BYTES), KIND_EVENT) == LOG_DONE
    if front == "skipped":
        log.next += 10
        log.checkpoint(log.number)
    events_end = log.offset
    results = []

    def store(kind=KIND_RESULT):
        assert put(cart.log, bytes(BODY_BYTES), kind) == LOG_DONE
        if kind == KIND_RESULT:
            results.append(cart.log.number)
            cart.state.numbers[STORED] = len(results)

    for _ in range(5):
        store()
    if front == "damaged":
        begin = (log.device.first_block + log.block) * cart.flash.block_bytes
        for octet in range(begin + HEAD_OCTETS, begin + events_end):
            cart.flash.cells[octet] = 0
    had = len(cart.take(0))
    assert had == 5
    numbers[DELIVERED] = had
    if front == "named":
        log.cursors[0].sequence_lag = 0
    cart.take(1)
    cart.start(FILE)
    while cart.log.first_above(0) < 60:
        store(KIND_RESULT if cart.log.next % 3 else KIND_EVENT)
        cart.take(0)
    assert cart.state.save()
    cursor = cart.start(TOOLSNET, FILE)[0]
    lacks = len([one for one in results if one <= cursor.number]) - had
    assert cart.state.numbers[OVERWRITTEN] == lacks > 20


def test_what_is_damaged_behind_what_is_left_out_moves_no_sequence():
    """Else ToolsNet is named another result than the one that it had last."""
    for count in (1, 5, 20):
        log = Area(30, 1024, 16).mount()[1]
        store(log, range(1, 21))
        lag = lag_at(log, 0, 3, 5)
        first = sorted(one for one in log.firsts if one)[1]
        last = first - 1
        begin = (log.device.first_block + list(log.firsts).index(first)) * 1024
        for octet in range(begin + HEAD_OCTETS, begin + min(1024, HEAD_OCTETS + count * 144)):
            log.device.device.cells[octet] = 0
        assert lag_at(log, 0, 3, last) == lag == 3


def test_nothing_is_given_up_that_cannot_be_read_or_saved(monkeypatch):
    cart = Removed(48)
    for _ in range(40):
        cart.store()
    bound = cart.log.first_above(cart.log.first_above(0))
    monkeypatch.setattr(removed_toolsnet, "lag_at", lambda *_: -1)
    assert cart.log.blocks._erase(cart.log.place_of(1)) == FLASH_IO
    assert cart.place() == [0, 0, 0] and cart.log.place_of(1) >= 0
    monkeypatch.undo()
    monkeypatch.setattr(cart.state, "save", lambda: False)
    assert not removed_toolsnet.give_up(cart.log, bound)
    assert cart.place() == [0, 0, 0]
    monkeypatch.undo()
    assert removed_toolsnet.give_up(cart.log, bound)
    there = cart.results_to(bound - 1)
    assert cart.place() == [bound - 1, bound - 1 - there, there]


def test_a_spool_that_is_moved_gives_up_what_it_leaves_behind():
    cart = Removed(190)
    for _ in range(10):
        cart.store()
    plan = take_over.Plan(48 * 1024, 12 * 1024)
    cart.flash = take_over.make(take_over.start(bytes(cart.flash.cells)), plan, 4711).device
    cursor = cart.start(TOOLSNET, FILE)[0]
    assert 20 < cart.log.first_above(0) - 1 <= cursor.number < 190
    assert cursor.number - cursor.sequence_lag == cart.results_to(cursor.number) < cursor.number
