"""What the voices tell of refused, dropped, late and repeated results is so, and they tell the same."""

from toolcart.agent.log.numbers import DELIVERED
from toolcart.agent.quarantine.orders import carry_out, of_station
from toolcart.agent.wide import offer_again
from toolcart.tools.spool.commands import _told
from toolcart.tools.spool.quarantine_commands import orders as stopped_orders
from host_tests.support.toolsnet import PIM, Outlet
from lab.harness.cart import Cart


def refusing(count, *refused):
    """An outlet whose ToolsNet has taken all but these of so many results, which are set aside."""
    outlet = Outlet()
    outlet.store(count)
    outlet.options.tightening_codes.update(dict.fromkeys(refused, 17))
    outlet.until_stored(count - len(refused), and_ms=3000)
    return outlet


def ordered(outlet, *words, running=True):
    """The last line of the answer to an order to the quarantine."""
    upstream = outlet.forward if running else None
    return list(carry_out(outlet.quarantine, outlet.log, 10, outlet, None, list(words), upstream))


def again(outlet, *words):
    """The last line of the answer to `offer-again`."""

    def act(*found):
        return outlet.forward.offer_again(*found, outlet.clock.now)

    return [line for line in offer_again.carry_out(outlet.policy, 10, None, ["offer-again", *words], act) if line][-1]


def test_a_restart_changes_nothing_of_what_waits_to_be_offered_again():
    outlet = refusing(10, 5, 8, 9)
    assert outlet.shown()["late"] == outlet.quarantine.count() == 3
    outlet.network.down(*PIM)
    for _ in range(3):
        outlet.cut()
        assert outlet.shown()["late"] == outlet.quarantine.count() == 3, "before anything is written"
        outlet.run(2000)
        assert outlet.shown()["late"] == 3
    outlet.network.up(*PIM)
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.shown()["late"] == 3, "and when what the start found is settled"


def test_the_list_names_all_that_are_counted_right_after_a_start():
    class Busy:
        @staticmethod
        def may_erase():
            return False

    outlet = refusing(10, 5, 8, 9)
    outlet.cut()
    told = list(carry_out(outlet.quarantine, outlet.log, 10, outlet, Busy, ["list"], outlet.forward))
    assert [line["record"]["number"] for line in told[:-1]] == [5, 8, 9]
    assert told[-1]["parked"] == outlet.quarantine.count() == 3
    [shown] = carry_out(outlet.quarantine, outlet.log, 10, outlet, Busy, ["show", "9"], outlet.forward)
    assert shown["record"]["number"] == 9


def test_what_the_quarantine_holds_is_sent_again_by_no_order_right_after_a_start():
    outlet = refusing(10, 5, 10)
    assert outlet.policy.save_at_end()
    outlet.network.down(*PIM)
    outlet.cut()
    assert again(outlet, "from", "1", "dry")["count"] == 8
    assert again(outlet, "from", "1")["count"] == 8
    outlet.network.up(*PIM)
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.state.numbers[DELIVERED] == 8


def removed():
    """A cart whose ToolsNet, which refused one result, is not among its outlets any more."""
    cart = Cart(files=[{"path": "b.jsonl"}], toolsnet={"tightening_codes": {2: 17}}).until_ready(and_ms=1000)
    cart.produce(5, 200)
    cart.run(60000)
    both = cart.configuration
    [station] = both["stations"]
    cart.station.toolsnet().stop()
    cart.configuration = {**both, "toolsnet": None, "stations": [{**station, "outlets": station["outlets"][1:]}]}
    cart.cut()
    cart.run(20000)
    cart.both = both
    return cart


def test_what_is_held_for_a_toolsnet_that_is_not_configured_is_said_to_be_held():
    cart = removed()
    for answer in (of_station, offer_again.of_station):
        for words in (["list"], ["drop", "all"], ["offer-again", "from", "1"]):
            [line] = answer(cart.station, cart.app.board, words)
            assert "is not among the outlets of station 10 now" in line["error"] and "no quarantine" not in line["error"]
            assert "is kept" in line["error"]
    cart.configuration = cart.both
    cart.cut()
    cart.run(1000)
    assert list(of_station(cart.station, cart.app.board, ["list"]))[-1]["parked"] == 1


def test_an_order_to_a_stopped_spool_waits_for_toolsnet_to_be_configured():
    cart = removed()
    device = cart.flashes["spool0"]
    [found] = [line for line in stopped_orders(device, 10, ["offer-again", "from", "1", "dry"]) if line]
    assert found["count"] == 4 and found["configured"] is False
    [found] = [line for line in stopped_orders(device, 10, ["offer-again", "from", "1"]) if line]
    assert "when ToolsNet is configured again" in _told(found) and "when the agent runs" not in _told(found)
    *_, last = stopped_orders(device, 10, ["retry", "all"])
    assert last["configured"] is False
