"""Each outlet keeps its own cursor of the spool, whatever is added, removed or moved in the list of outlets."""

from toolcart.agent.base.compat import Part
from toolcart.agent.cart import area
from toolcart.agent.cart.area import bring_up
from toolcart.agent.log.log import LOG_DONE, LOG_FULL
from toolcart.agent.log.numbers import DAMAGED
from toolcart.agent.record.result import BODY_BYTES
from host_tests.portable import stub
from host_tests.support.log import put
from host_tests.support.station import Station as Parts
from lab.harness.flash import Nor

PORTABLE = True
HEAP = "1m"

TOOLSNET, FILE, WEBHOOK, MQTT = area.KINDS
BLOCKS, BLOCK_BYTES = 24, 4096


def after(held, *kinds):
    """What a snapshot says after a session with these outlets."""
    kinds = list(kinds)
    return area.with_these(held, kinds, area.assign(held, kinds))


def cursors(held, *kinds):
    return area.assign(held, list(kinds))


def test_a_removed_outlet_gives_up_its_cursor_when_none_is_left():
    held = after(after(0, FILE, WEBHOOK), WEBHOOK)
    assert cursors(held, WEBHOOK, MQTT) == [2, 3]
    held = after(held, WEBHOOK, MQTT)
    assert cursors(held, WEBHOOK, MQTT, FILE) == [2, 3, 1]
    assert cursors(held, WEBHOOK, MQTT, MQTT) == [2, 3, 1]


def test_outlet_is_added_if_last_session_had_none_of_its_kind_there():
    held = after(0, FILE)
    assert not area.is_added(0, TOOLSNET, 0)  # nothing is known: as it always was
    assert area.is_added(held, TOOLSNET, 0) and not area.is_added(held, FILE, 1)
    held = after(after(held, TOOLSNET, FILE), FILE)
    assert area.is_added(held, TOOLSNET, 0) and area.had(held, 0) and not area.is_in_use(held, 0)
    assert area.is_in_use(held, 1) and area.is_in_use(0, 3)


class Cart(Parts):
    """A station's logs, brought up with outlets of these kinds; a minus in front of one says that it is best effort."""

    def __init__(self):
        self.flash = Nor(BLOCKS, BLOCK_BYTES)

    def start(self, *kinds, when_full="refuse"):
        from toolcart.agent.base.health import Health

        self.number, self.board, self.health = 7, stub(seed=lambda: 7), Health()
        self.graphs = self.quarantine = None
        self.at_start = Part()
        outlets = [{"kind": kind.strip("-"), "durable": kind[0] != "-"} for kind in kinds]
        spool = {"parked_kib": 12, "graphs_kib": 0, "when_full": when_full}
        self.settings = {"outlets": outlets, "spool": spool, "controller": {"results": "auto"}}
        self.outlet_settings = outlets
        assert bring_up(self, self.flash)
        assert self.log.state.ready() and self.log.settle()
        return self.log.cursors

    def append(self, count):
        for index in range(count):
            code = put(self.log, bytes(BODY_BYTES))
            if code != LOG_DONE:
                assert code == LOG_FULL
                return index
        return count

    def take(self, index, count=1 << 20):
        """Let this outlet take so many; the numbers it took."""
        log, found = self.log, []
        cursor = log.cursors[index]
        while len(found) < count and log.peek(cursor) > 0:
            cursor.advance()
            found.append(cursor.number)
        assert log.state.save()
        return found


def test_a_removed_outlet_keeps_nothing_and_goes_on_where_it_was():
    cart = Cart()
    cart.start(TOOLSNET, FILE)
    cart.append(50)
    cart.take(0, 20)
    cart.take(1)
    cart.start(FILE)
    assert cart.at_start.removed == [(TOOLSNET, 30)] and cart.quarantine is None
    cart.append(50)
    cart.take(0)
    cart.start(FILE)
    assert cart.at_start.removed == []  # it is told once
    cart.start(TOOLSNET, FILE)
    assert cart.at_start.added == [0, None] and cart.quarantine is not None
    assert cart.take(0) == list(range(21, 101))
    cart.start(FILE)
    for _ in range(20):
        cart.append(200)
        cart.take(0)
    newest = cart.log.number
    cart.start(TOOLSNET, FILE)
    found = cart.take(0)
    assert found == list(range(found[0], newest + 1)) and found[0] > 101
    assert cart.state.numbers[DAMAGED] == 0  # what made room is not damage


def test_where_one_of_several_of_one_kind_goes_the_others_miss_nothing():
    cart = Cart()
    cart.start(TOOLSNET, MQTT, MQTT)
    cart.append(50)
    cart.take(0)
    cart.take(1)
    assert cart.take(2, 20)[-1] == 20
    for _ in range(2):
        cart.start(TOOLSNET, MQTT)
        assert cart.at_start.removed in ([(MQTT, 0)], [])
        assert cart.log.cursors[1].number == 20 and cart.state.durable[cart.log.cursors[1].slot] == 20
    assert cart.take(0) == [] and cart.take(1) == list(range(21, 51))


def test_a_best_effort_one_that_goes_does_not_fill_the_spool_with_what_the_others_have():
    for when_full in ("refuse", "overwrite"):
        cart = Cart()
        cart.start(TOOLSNET, MQTT, "-" + MQTT, when_full=when_full)
        for _ in range(5):
            cart.append(100)
            cart.take(0)
            cart.take(1)
        cart.start(TOOLSNET, MQTT, when_full=when_full)
        assert cart.append(100) == 100 and len(cart.take(1)) >= 100


def test_one_that_becomes_durable_far_behind_leaves_room_for_results_and_for_doubt():
    for waiting in range(4):
        cart = Cart()
        cart.start(TOOLSNET, "-" + FILE)
        for _ in range(5):
            cart.append(100)
            cart.take(0)
        cart.append(waiting)  # a power cut comes behind them
        oldest = cart.log.first_above(0)
        cart.start(TOOLSNET, FILE)
        left_out = cart.log.cursors[1].number + 1 - oldest
        assert cart.at_start.added == [None, left_out] and 0 < left_out < 150
        assert cart.append(60) == 60 and len(cart.take(1)) > 200
        cart.start(TOOLSNET, FILE)
        assert cart.at_start.added == [None, None]


def test_another_kind_in_the_place_of_one_of_several_takes_nothing_from_the_others():
    cart = Cart()
    cart.start(TOOLSNET, MQTT, MQTT, FILE)
    cart.append(50)
    for index, count in ((0, 50), (1, 50), (2, 20), (3, 50)):
        cart.take(index, count)
    cart.start(TOOLSNET, MQTT, FILE, WEBHOOK)
    assert cart.at_start.removed == [(MQTT, 0)] and cart.at_start.added == [None, None, None, 0]
    assert cart.take(1) == list(range(21, 51)) and cart.take(3) == list(range(1, 51))
    cart.start(TOOLSNET, MQTT, MQTT, MQTT)
    assert sorted(cart.at_start.removed) == [(FILE, 0), (WEBHOOK, 0)]


def test_a_cut_before_the_first_snapshot_places_an_added_outlet_again():
    cart = Cart()
    cart.start(FILE)
    cart.append(50)
    cart.take(0)
    copy = cart.flash
    for _ in range(2):
        kinds = [TOOLSNET, FILE]
        cart.flash = copy.clone()
        cart.settings["outlets"] = cart.outlet_settings = [{"kind": kind} for kind in kinds]
        assert bring_up(cart, cart.flash)  # and nothing is saved
        assert cart.at_start.added == [0, None] and cart.log.cursors[0].number == 0
