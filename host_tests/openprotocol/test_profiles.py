"""The whole agent at every controller that `toolcart simulate controller --profile` can be.

Twenty results are pushed, ten more are made in an outage, some after it; where a controller has several stations the
others work in between. All of ours reach the archive once and in order, none of another's, and no result stays raw.
"""

from toolcart.agent.link.headers import HEADERS
from toolcart.agent.openprotocol.questions import PHASE_OFF
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import BATCH_COUNTER, BATCH_SIZE, BATCH_STATUS, FLAG_RECOVERED, TIGHTENING_STATUS
from toolcart.base.clock import SimClock
from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.profiles import ALIASES, PROFILES, names, row
from host_tests.support.world import CONTROLLER, Cart, body_of, id_of

PORTABLE = True
HEAP = "8m"

PUSHED = 20
MISSED = 10
AFTER = 2
SERVED = (
    "power-focus-4000",
    "power-focus-6000-2.8",
    "power-focus-6000-3.6",
    "desoutter",
    "desoutter-cvi3",
    "nexo",
    "op-ford",
    "op-bmw",
    "mt-focus-6000",
)


def cart_of(name, **changed):
    settings = {"controller": {"header": name}} if name in HEADERS else {}
    return Cart(toolsnet={}, controller=row(name, **changed), settings=settings)


def make(cart, count, elsewhere=()):
    """Tighten at ours; behind each as many at another station as `elsewhere` says in its turn."""
    for index in range(count):
        cart.controller.produce()
        if elsewhere:
            cart.controller.produce_elsewhere(elsewhere[index % len(elsewhere)])
        cart.run(200)


def away(cart, count, elsewhere=(), with_power_cut=False):
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(20000)
    make(cart, count, elsewhere)
    if with_power_cut:
        cart.cut()
    cart.network.up(CONTROLLER[0], CONTROLLER[1])


def shifts(cart, elsewhere=()):
    """The shift that every profile is tried with."""
    cart.ready().settle()
    make(cart, PUSHED, elsewhere)
    cart.settle()
    away(cart, MISSED, elsewhere)
    cart.settle()
    make(cart, AFTER, elsewhere)
    return cart


def agrees(cart):
    """Everything of ours is in the archive once, in order, and nothing else; no one complained."""
    cart.settle(3600000)
    cart.until_quiet(3600000)
    assert cart.ids() == cart.controller.produced, cart.counts()
    assert cart.archive.out_of_order == 0 and cart.raw() == []
    assert cart.station.known.gone() == 0
    cart.clean()


def recovered(cart):
    """Return the IDs that were stored because they were asked for."""
    return [
        id_of(payload) for _, kind, flags, payload in cart.records() if kind == KIND_RESULT and flags & FLAG_RECOVERED
    ]


def test_every_result_arrives_from_every_controller_that_can_be_asked_for_what_was_missed():
    for name in SERVED:
        cart = shifts(cart_of(name))
        agrees(cart)
        assert len(cart.ids()) == PUSHED + MISSED + AFTER, name
        fetched = recovered(cart)
        assert fetched == cart.controller.produced[PUSHED : PUSHED + MISSED], name
        pushed = [one for one in cart.controller.produced if one not in fetched]
        assert cart.controller.acknowledged == ([] if name == "mt-focus-6000" else pushed), name


def test_other_stations_results_in_between_are_never_ours():
    for name in ("power-focus-6000-2.8", "power-focus-6000-3.6"):
        for elsewhere in ((0, 1, 2), (3,), (0, 0, 0, 0, 9)):
            cart = shifts(cart_of(name, elsewhere=0), elsewhere)
            away(cart, MISSED, elsewhere, True)
            agrees(cart)
            assert len(cart.ids()) == PUSHED + 2 * MISSED + AFTER
            assert cart.station.known.shares() == (name == "power-focus-6000-2.8")


def test_power_focus_6000_names_its_station_and_is_subscribed_in_what_it_knows():
    for name in ("power-focus-6000-2.8", "power-focus-6000-3.6"):
        cart = cart_of(name).ready().settle()
        session = cart.station.session
        assert bytes(session.identity[41:51]) == b"0000000001"
        assert cart.controller.sessions[0].result_revision == 3
        make(cart, 3)
        agrees(cart)
        assert cart.station.recovery.revision() == 7  # which says whose an answer is


def test_update_from_2_8_to_3_6_begins_the_ids_again_and_costs_nothing():
    for missed in (0, 3, 40):
        cart = shifts(cart_of("power-focus-6000-2.8", elsewhere=0), (1, 2))
        agrees(cart)
        cart.network.down(CONTROLLER[0], CONTROLLER[1])
        cart.run(60000)
        newer = row("power-focus-6000-3.6")
        for name in ControllerOptions.DEFAULTS:
            setattr(cart.controller.options, name, newer.get(name, ControllerOptions.DEFAULTS[name]))
        cart.controller.identity.software_version = newer["identity"]["software_version"]
        cart.controller.reset_ids(1)
        make(cart, missed)
        cart.network.up(CONTROLLER[0], CONTROLLER[1])
        cart.ready().settle(3600000)
        make(cart, AFTER)
        cart.settle()
        away(cart, MISSED)
        agrees(cart)
        assert len(cart.ids()) == PUSHED + MISSED + AFTER + missed + AFTER + MISSED


def test_slot_that_a_cut_connection_keeps_is_waited_for():
    cart = cart_of("power-focus-6000-3.6").ready().settle()
    make(cart, 3)
    started = cart.controller.messages[1]
    cart.cut()
    cart.run(5000)
    assert not cart.is_ready() and cart.controller.messages[1] > started
    make(cart, 3)
    cart.ready()
    agrees(cart)


def test_batch_status_running_is_kept_as_it_is():
    cart = shifts(cart_of("power-focus-6000-3.6"))
    agrees(cart)
    statuses = [body_of(payload)[BATCH_STATUS] for payload in cart.stored()]
    assert statuses == [
        0x30 + cart.controller.result(number).batch_status for number in cart.controller.produced
    ] and sorted(set(statuses)) == [0x31, 0x33]


def test_desoutter_has_no_batch_for_what_was_fetched_and_the_log_says_what_it_said():
    cart = shifts(cart_of("desoutter"))
    agrees(cart)
    for payload in cart.stored():
        body = body_of(payload)
        fetched = id_of(payload) in recovered(cart)
        assert (body[BATCH_COUNTER : BATCH_COUNTER + 4] == b"0000") == fetched
        assert (body[BATCH_SIZE : BATCH_SIZE + 4] == b"    ") == fetched


def test_nexo_statuses_beyond_ok_and_not_ok_are_kept_and_delivered_as_not_ok():
    cart = shifts(cart_of("nexo"))
    agrees(cart)
    statuses = {id_of(payload): body_of(payload)[TIGHTENING_STATUS] - 0x30 for payload in cart.stored()}
    overall = {
        int(result["parameters"][0]["value"]): result["spindles"][0]["overall"] for result in cart.archive.results
    }
    seen = set()
    for number in cart.controller.produced:
        result = cart.controller.result(number)
        pushed = number not in recovered(cart)
        wanted = result.light_status if pushed and result.light_status is not None else result.status
        assert statuses[number] == wanted
        assert overall[number] == (0 if wanted == 1 else 1)
        seen.add(wanted)
    assert len(seen) > 3


def test_nexo_torque_that_is_rounded_to_its_limit_is_not_ok_all_the_same():
    cart = cart_of("nexo", nok_percent=60).ready().settle()
    make(cart, 60)
    agrees(cart)
    on_the_limit = 0
    for number in cart.controller.produced:
        result = cart.controller.result(number)
        on_the_limit += result.torque == result.torque_max and result.torque_status == 2 and result.status == 0
    assert on_the_limit > 5


def test_results_that_get_no_id_while_no_one_is_connected_leave_no_hole():
    cart = cart_of("nexo", only_when_started=True)
    cart.ready().settle()
    make(cart, 5)
    away(cart, 5)
    cart.ready().settle()
    make(cart, 5)
    agrees(cart)
    assert cart.ids() == list(range(1, 11))


def test_controller_that_keeps_nothing_loses_what_outage_took_and_agent_counts_it():
    cart = shifts(cart_of("minimal"))
    cart.settle()
    cart.run(60000)
    produced = cart.controller.produced
    assert cart.ids() == produced[:PUSHED] + produced[PUSHED + MISSED :]
    assert cart.station.recovery.phase == PHASE_OFF and cart.raw() == []
    assert cart.station.known.gone() == MISSED
    cart.clean()


def test_powermacs_gives_every_result_in_order():
    cart = shifts(cart_of("powermacs"))
    agrees(cart)
    assert 60 not in cart.controller.messages and 64 not in cart.controller.messages


def test_stepsync_gives_every_result_once_but_the_newest_of_an_outage_first():
    cart = shifts(cart_of("stepsync"))
    cart.settle(3600000)
    cart.until_quiet(3600000)
    produced = cart.controller.produced
    newest = produced[PUSHED + MISSED - 1]
    assert cart.ids() == produced[:PUSHED] + [newest] + [one for one in produced[PUSHED:] if one != newest]
    assert cart.raw() == [] and cart.station.known.gone() == 0
    cart.clean()


def test_every_profile_is_made_of_known_options():
    for name in names():
        controller = Controller(SimClock(), ControllerOptions(**row(name)))
        for _ in range(40):
            controller.produce()
        assert len(controller.produced) == 40
    assert sorted(names()) == sorted(PROFILES)
    for name in ALIASES:
        assert name not in PROFILES and row(name) == row(ALIASES[name])
    assert row("nexo", identity={"cell": 4}, window=2)["identity"]["cell"] == 4
    for wrong in (lambda: row("nix"), lambda: Controller(SimClock(), ControllerOptions(identity={"x": 1}))):
        try:
            wrong()
        except ValueError:
            continue
        raise AssertionError("it was accepted")
