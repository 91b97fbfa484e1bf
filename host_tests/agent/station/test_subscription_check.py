"""A subscription that ends while the connection stands is found, what was missed is fetched; no other thing looks so.

Each test is the whole agent at a simulated controller, on one clock.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.station.subscription_check import QUIET_MINUTES
from toolcart.sim.profiles import profile_options
from host_tests.support.world import Cart

PORTABLE = True
HEAVY = True
HEAP = "12m"

QUIET_MS = QUIET_MINUTES * 60000
NOTICE_MS = 60000  # the second question, the new connection, the fetch


def cart_of(settings=None, **options):
    cart = Cart(controller=options, blocks=24, settings=settings or {}).settle(120000)
    cart.connections = cart.controller.connections  # a Power Focus 6000 is met in two
    return cart


def agrees(cart, lost=1, more_connections=1):
    """Everything is stored once; a lost subscription was told so often."""
    cart.settle(240000)
    cart.healthy()
    assert sorted(cart.stored_ids()) == cart.controller.produced, cart.counts()
    assert cart.counted(counter.UNSUBSCRIBED) == lost
    assert more_connections is None or cart.controller.connections - cart.connections == more_connections
    assert cart.station.ledger.gone() == 0
    assert cart.controller.complaints == [], cart.controller.complaints
    return True


def test_subscription_lost_before_any_result_is_found_too():
    cart = cart_of()
    cart.controller.end_subscriptions()
    cart.produce(2, 200)
    cart.run(QUIET_MS + 60000 + NOTICE_MS)
    assert agrees(cart) and cart.counted(counter.RECOVERED) == 2


def test_subscription_that_was_lost_is_found_where_all_results_have_id_0():
    cart = cart_of()
    cart.produce(3, 1000, tightening_id=0)
    cart.run(2 * QUIET_MS)
    assert cart.counted(counter.UNSUBSCRIBED) == 0 and cart.controller.connections == 1
    cart.controller.end_subscriptions()
    cart.produce(tightening_id=0)  # nobody will ever hear of it
    cart.run(QUIET_MS + 60000 + NOTICE_MS)
    cart.produce(1, 4 * QUIET_MS, tightening_id=0)
    assert cart.counted(counter.UNSUBSCRIBED) == 1
    assert cart.stored_ids() == [0] * 4 and cart.controller.complaints == []


def test_subscription_lost_before_any_result_is_found_though_ids_are_off():
    """Its newest is under another ID than it says, and nothing that was pushed shows by how much."""
    for by in (1, 8, -8):
        cart = cart_of(ids_higher="said", ids_off_by=by)
        cart.controller.end_subscriptions()
        cart.produce(20, 60000)
        cart.run(2 * QUIET_MS + NOTICE_MS)
        cart.produce(1, 200)
        assert agrees(cart) and cart.counted(counter.RECOVERED) >= 9, by


def test_lost_subscription_is_found_where_ids_are_off_and_what_is_behind_the_highest_known_is_gone():
    cart = cart_of(ids_higher="said", memory=3)
    cart.miss(5, 1000)
    cart.settle(240000)
    cart.produce(7, 1000)
    cart.run(3 * QUIET_MS)
    assert cart.controller.connections == 2 and cart.counted(counter.UNSUBSCRIBED) == 0
    cart.controller.end_subscriptions()
    cart.produce(12, 60000)
    cart.run(QUIET_MS)
    assert cart.counted(counter.UNSUBSCRIBED) == 1
    cart.produce(3, 1000)
    cart.settle(240000)
    assert cart.stored_ids()[-3:] == cart.controller.produced[-3:] and cart.controller.complaints == []


def test_quiet_controller_whose_newest_is_under_no_id_is_left_alone():
    cart = cart_of(ids_higher="said")
    cart.controller.end_subscriptions()
    cart.produce()
    cart.run(6 * QUIET_MS)
    assert cart.controller.connections == 1 and cart.counted(counter.UNSUBSCRIBED) == 0


def test_lost_subscription_is_found_though_its_results_are_gone():
    for options in ({}, {"header_spindles": (1, 2, 3)}):
        cart = cart_of(memory=1, **options)
        cart.produce(3, 200)
        cart.controller.end_subscriptions()
        cart.produce(40, 20000)
        assert cart.counted(counter.UNSUBSCRIBED) == 1 and cart.controller.connections == 2
        assert cart.station.ledger.gone() > 10
        assert set(cart.controller.produced[-5:]) <= set(cart.stored_ids())


def test_controller_that_gave_up_while_process_was_stalled_is_found_at_once():
    for resends, ms in ((3, 15000), (0, 12000)):  # one does not even send again
        cart = cart_of(gives_up="unsubscribes", resends=resends, silence_ms=60000)
        cart.produce(2, 200)
        cart.produce()
        # The process gets no turn, while the others do.
        end = cart.clock.total_ms + ms
        while cart.clock.total_ms < end:
            cart.network.step()
            cart.clock.advance(max(1, min(cart.network.next_due(), end - cart.clock.total_ms)))
        cart.produce(2, 200)
        cart.run(NOTICE_MS)
        assert agrees(cart), resends


def test_controller_that_accepts_no_acknowledgement_is_found_when_it_gives_up():
    cart = cart_of(gives_up="unsubscribes")
    cart.produce(2, 200)
    cart.controller.options.ack_refusal_code = 19
    cart.produce(1, 200)
    cart.run(12000)
    assert cart.counted(counter.CONTROLLER_REFUSALS) == 4 and cart.counted(counter.CONTROLLER_UNKNOWN) == 0
    cart.controller.options.ack_refusal_code = 0
    cart.produce(3, 200)
    cart.run(NOTICE_MS)
    assert agrees(cart) and cart.counted(counter.RECOVERED) == 3


def test_quiet_controllers_are_asked_and_nothing_is_reported():
    for options in ({}, {"push_last_result": True}, {"max_clients": 3}, profile_options("power-focus-6000-3.6")):
        cart = cart_of(**options)
        cart.produce(3, 200)
        before = cart.controller.messages.get(64, 0)
        cart.run(4 * QUIET_MS)
        assert 2 <= cart.controller.messages[64] - before <= 5
        assert agrees(cart, 0, 0)


def test_controller_that_answers_slowly_or_not_at_all_is_left_alone():
    cart = cart_of()
    cart.produce(3, 200)
    cart.controller.options.refuse = {64: None}
    cart.run(3 * QUIET_MS)
    assert agrees(cart, 0, 0)
    cart.controller.options.refuse = {64: 98}
    cart.run(3 * QUIET_MS)
    assert agrees(cart, 0, 0)


def test_repeats_without_end_cost_a_question_each_quarter_minute():
    cart = cart_of(repeat=100, repeat_every_ms=5000)
    cart.produce(1, 200)
    before = cart.controller.messages.get(64, 0)
    cart.run(400000)
    assert 10 <= cart.controller.messages[64] - before <= 30 and cart.counted(counter.UNSUBSCRIBED) == 0


def test_subscription_is_sent_again_where_nothing_can_be_asked_for():
    for settings, options in (({}, {"unknown_mids": (64,)}), ({"controller": {"recover": False}}, {})):
        cart = cart_of(settings, **options)
        cart.produce(2, 200)
        cart.run(QUIET_MS + 70000)
        assert cart.counted(counter.UNSUBSCRIBED) == 0 and cart.controller.messages[60] == 2
        cart.controller.end_subscriptions()
        cart.produce()  # nobody will ever hear of it
        cart.run(QUIET_MS + 70000)
        assert cart.counted(counter.UNSUBSCRIBED) == 1 and cart.controller.messages[60] == 4
        cart.produce(2, 200)
        assert cart.stored_ids() == [1, 2, 4, 5] and cart.controller.connections == 1
        assert cart.controller.complaints == []


def test_controller_that_accepts_each_subscription_is_not_said_to_have_lost_one():
    cart = cart_of(unknown_mids=(64,), accepts_again=True)
    cart.produce(2, 200)
    cart.run(5 * QUIET_MS)
    assert cart.controller.messages[60] == 3 and agrees(cart, 0, 0)


def test_ids_are_found_to_be_shared_whatever_the_software_is_called():
    for version in ("PF6_R_3.13.2.30527_", "4.0", ""):
        options = profile_options("power-focus-6000-3.6", answers_below=True, shares_ids=True, elsewhere=2)
        options["identity"] = dict(options["identity"], software_version=version)
        cart = cart_of(**options)
        cart.produce(3, 200)
        for _ in range(2):
            cart.miss(3, 200)
            cart.settle(240000)
            cart.produce(2, 200)
        assert cart.station.ledger.shares() and cart.counted(counter.PASSED_OVER) > 0
        assert agrees(cart, 0, None), version


def test_answers_that_name_no_station_are_fetched_only_where_ids_are_own():
    for shares in (False, True):
        options = profile_options("power-focus-6000-3.6", answers_below=shares, shares_ids=shares, elsewhere=1)
        options["recover_revisions"] = (1, 2, 3)
        cart = cart_of(**options)
        cart.produce(3, 200)
        cart.miss(3, 200)
        cart.run(120000)
        cart.produce(2, 200)
        made = cart.controller.produced
        assert cart.station.recovery.ownership.needs == ("owner" if shares else "")
        assert cart.stored_ids() == (made[:3] + made[6:] if shares else made)


def test_ids_that_are_off_are_put_right_and_reported():
    for how, by in (("said", 1), ("kept", 1), ("said", -8), ("said", 5), ("kept", -2), ("kept", 8)):
        cart = cart_of(ids_higher=how, ids_off_by=by)
        cart.produce(3, 200)
        for _ in range(3):
            cart.miss(2, 200)
            cart.settle(240000)
            cart.produce(1, 200)
        offset = cart.station.recovery.offset
        assert (offset.by, offset.is_consistent) == (by, how == "kept") and cart.counted(counter.IDS_OFF) == 1, (
            how,
            by,
        )
        assert cart.counted(counter.CONTROLLER_RESETS) == 0 and cart.counted(counter.CONTROLLER_UNKNOWN) == 0
        assert agrees(cart, 0, 3), how
