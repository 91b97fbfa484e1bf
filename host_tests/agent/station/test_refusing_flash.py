"""A flash that refuses: the controller keeps its results and is left alone, and all of them are taken afterwards."""

from toolcart.agent.base import counters as counter
from toolcart.agent.cart import status
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.framing import RECORD_LOST
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.log.snapshot_fields import LOG, NEXT, STORED
from host_tests.support.world import Cart
from lab.harness.cart import CONTROLLER

PORTABLE = True
HEAVY = True
HEAP = "12m"
SESSIONS_IN_TEN_MINUTES = 25  # two a minute, and a few while the pause grows


def station_status(cart):
    return status.of_station(cart.station, cart.clock.now)


def refusing(cart, code=FLASH_IO, blocks=()):
    """The whole flash answers this to a program from now on, or these blocks alone."""
    cart.device.code = code if not blocks else FLASH_DONE
    cart.device.refusing = blocks


def all_are_stored_once(cart):
    cart.settle()
    assert cart.stored_ids() == cart.controller.produced
    assert set(cart.controller.acknowledged) <= set(cart.controller.produced)
    assert cart.controller.complaints == []
    return True


def test_it_is_called_refused_and_not_full():
    cart = Cart().ready()
    refusing(cart)
    cart.produce(1, 5000)
    reported = station_status(cart)
    assert reported["spool"]["refused"] == "broken" and not reported["controller"]["waits_for_room"]
    assert reported["controller"]["next_try_ms"] > 0
    assert cart.counted(counter.FLASH_FAILED) == 1 and cart.counted(counter.REFUSED_FULL) == 0
    refusing(cart, FLASH_DONE)
    cart.settle()
    reported = station_status(cart)
    assert reported["spool"]["refused"] == "" and not reported["controller"]["waits_for_room"]


def test_what_is_stored_does_not_become_less_with_a_start_that_can_write_nothing():
    cart = Cart().ready()
    cart.produce(5, 1000)
    cart.settle()
    before = station_status(cart)
    assert (before["stored"], before["stored_at_least"]) == (5, False)
    refusing(cart)
    cart.cut()
    cart.run(20000)
    for moment in ("refused", "works again"):
        reported = station_status(cart)
        assert (reported["stored"], reported["stored_at_least"]) == (5, False), moment
        assert (cart.station.state.numbers[STORED] < 5) == (moment == "refused"), (
            "the last is counted once it is certain"
        )
        refusing(cart, FLASH_DONE)
        cart.settle()


def test_what_a_start_cannot_read_yet_makes_what_is_stored_a_bound():
    cart = Cart().ready()
    cart.produce(40, 1000)
    cart.settle()
    cart.station.state.numbers[LOG + NEXT] -= 30
    cart.station.state.numbers[STORED] -= 30
    assert status.stored_of(cart.station) == (40, False)
    cart.station.log.read_record = lambda *_: RECORD_LOST
    stored, is_least = status.stored_of(cart.station)
    assert stored < 40 and is_least


def test_a_flash_that_accepts_snapshots_and_no_results_is_no_storm():
    cart = Cart().ready()
    cart.produce()
    cart.settle()
    front = STATE_BLOCKS + 3
    refusing(cart, FLASH_IO, range(front, cart.device.block_count))
    connections = cart.controller.connections
    cart.produce(150, 4000)
    assert 3 < cart.controller.connections - connections < SESSIONS_IN_TEN_MINUTES
    assert cart.controller.acknowledged == [1]
    refusing(cart, FLASH_DONE)
    cart.run(40000)
    assert all_are_stored_once(cart)
    cart.network.cut(CONTROLLER[0], CONTROLLER[1])  # what was kept has ended the growing pauses
    cart.run(3000)
    assert cart.is_ready()
