"""Results are stored, then acknowledged, then never asked for again, whatever the controller and the line are like."""

from toolcart.agent.base import counters as counter
from toolcart.agent.cart import led, status
from toolcart.agent.log.flash import FLASH_IO, FLASH_WORN
from toolcart.agent.log.snapshot_fields import OVERWRITTEN
from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import result as res
from toolcart.agent.station.named_unit import OTHER_UNIT
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.world import Cart, id_of, key_of
from lab.harness.cart import CONTROLLER, controller_address
from lab.harness.flash import Nor

PORTABLE = True
HEAVY = True
HEAP = "12m"

LBF = {"torque_unit": 2}


def agrees(cart, count=None):
    """Each tightening is stored once, with its values, in order; no one complained."""
    cart.healthy()
    controller = cart.controller
    ids = cart.stored_ids()
    if controller.options.push_last_result:  # the last one may overtake those that have to be fetched
        assert sorted(ids) == controller.produced
    else:
        assert ids == controller.produced
    assert count is None or len(controller.produced) == count
    assert controller.complaints == []
    for payload in cart.stored():
        number = id_of(payload)
        torque = payload[8 + res.TORQUE : 8 + res.TORQUE + 6]
        assert int(torque) == controller.result(number).torque
    return True


def conversation(**options):
    """Three results while connected, three missed, three more; everything has to be there in the end."""
    cart = Cart(controller=options, blocks=24).settle(120000)
    cart.produce(3, 50)
    cart.miss(3, 50)
    cart.settle(240000)
    cart.produce(3, 50)
    cart.settle()
    agrees(cart, 9)
    return cart


# What a controller may be like


def test_well_behaved_controller_is_served():
    cart = conversation()
    assert cart.controller.acknowledged == [1, 2, 3, 7, 8, 9]
    assert cart.counted(counter.RECOVERED) == 3 and cart.counted(counter.STORED) == 9
    assert cart.station.intake.store.serial == b"C3412129      "


def test_every_way_to_write_headers_and_ends_is_taken():
    for options in (
        {"nul": "missing"},
        {"nul": "late"},
        {"nul": "late", "nul_late_ms": 700},
        {"nul": "counted"},
        {"header": "blank"},
        {"header": "zero"},
        {"header": "parts"},
        {"station": "  ", "spindle": "  "},
        {"pad": b"\0"},
        {"refuse_digits": 3, "start_revisions": (2,), "result_revisions": (1,)},
        {"pset_change_text": "Last Change Unknown"},
        {"whole_writes": True},
    ):
        conversation(**options)


def test_every_start_revision_and_refusal_is_got_over():
    for options in (
        {"start_revisions": (1,)},
        {"start_revisions": (6,)},
        {"start_revisions": (3,), "start_refusal_code": 98},
        {"start_revisions": (2,), "start_refusal_code": 79},
        {"start_revisions": (4, 3, 2, 1), "ends_refused": {1: -1}},
        {"start_revisions": (1,), "ends_refused": {1: 0}},
        {"start_revisions": (3,), "ends_refused": {1: 300}, "start_refusal_code": 79},
        {"answer_start_revision": 1},
        {"start_revisions": (6,), "before_2_7": True},
    ):
        conversation(**options)


def test_every_result_revision_is_got_over():
    for options in (
        {"result_revisions": (1,)},
        {"result_revisions": (1,), "result_refusal_code": 74},
        {"result_revisions": (6, 5, 4), "result_refusal_code": 79},
        {"result_revisions": (10,), "result_refusal_code": 1},
        {"result_revisions": (11,), "result_refusal_code": 20},
        {"pushed_revision": 7},
        {"pushed_revision": 1},
        {"push_instead_of_answer": True, "push_last_result": True},
        {"push_last_result": True},
        {"result_revisions": (2,), "ends_refused": {60: 0}},
        {"result_revisions": (1,), "ends_refused": {60: 700}, "result_refusal_code": 15},
        {"result_revisions": (4,), "ends_refused": {60: -1}},
        {"recover_revisions": (1,)},
        {"answer_recover_revision": 1},
        {"answer_recover_revision": 7},
        {"unknown_mids": (40,)},
        {"unknown_mids": (40,), "ends_refused": {40: 300}},
    ):
        conversation(**options)


def test_an_old_result_that_is_pushed_again_in_front_of_the_subscription_ends_nothing():
    for options in (
        {},
        {"result_revisions": (1,)},
        {"result_revisions": (2,), "result_refusal_code": 79},
        {"push_instead_of_answer": True, "push_last_result": True},
        {"window": 3},
    ):
        cart = Cart(controller=dict(options, push_unacknowledged=True, recover_revisions=()))
        controller = cart.controller
        for _ in range(3):  # of a session that nobody remembers
            controller.produce()
            controller.unacknowledged.append((1, controller.latest()))
        cart.run(20000)
        for _ in range(2):
            cart.produce(3, 500)
            session = controller.sessions[0]
            session._drop_received = session._count_received + 1  # its acknowledgement does not arrive
            controller.produce()
            cart.run(20000)
        assert any(one.result_revision for one in controller.sessions), options
        assert sorted(cart.stored_ids()) == controller.produced, (options, cart.stored_ids())
        assert controller.acknowledged == controller.produced and controller.complaints == []


def test_every_keep_alive_keeps_a_quiet_connection():
    for how in ("mirror", "blank", "refuse"):
        cart = Cart(controller={"keepalive": how}).ready()
        cart.run(200000)
        assert cart.controller.connections == 1 and cart.controller.complaints == []
        cart.produce(2, 50)
        agrees(cart, 2)


def test_controller_that_never_mirrors_is_reconnected_and_nothing_is_lost():
    cart = Cart(controller={"keepalive": "none", "max_clients": 2}).ready()
    for _ in range(5):
        cart.produce(1, 50)
        cart.run(30000)
    cart.settle()
    agrees(cart, 5)
    assert cart.controller.connections > 3


def test_repeats_of_the_controller_are_acknowledged_and_stored_once():
    cart = Cart(controller={"repeat": 4}).ready()
    cart.produce(5, 50)
    cart.run(30000)
    agrees(cart, 5)
    assert cart.counted(counter.DUPLICATES) == 20
    cart.cut()
    cart.run(60000)
    agrees(cart, 5)


def test_numbered_sessions_lose_and_repeat_nothing():
    for first in (1, 2):
        for wrong in (False, True):
            cart = Cart(controller={"start_revisions": (6,), "link_first": first, "link_wrong_once": wrong})
            cart.controller.identity.sequence_numbers = 1
            cart.settle(120000)
            cart.produce(120, 10)
            cart.settle()
            agrees(cart, 120)
            assert 62 not in cart.controller.messages
            assert cart.controller.acknowledged == cart.controller.produced


def test_rejection_is_noted_with_the_mid_that_was_asked_and_its_code():
    cart = Cart(controller={"start_revisions": (3,), "max_clients": 9}).ready()
    mids = {value for _, code, value in cart.station.counters.log.entries() if code == counter.CONTROLLER_REFUSALS}
    assert mids == {1097}


def test_accepted_revisions_are_remembered_over_a_restart():
    cart = Cart(controller={"start_revisions": (3,), "result_revisions": (1,), "max_clients": 9}).ready()
    cart.run(1000)
    cart.cut()
    refusals = cart.counted(counter.CONTROLLER_REFUSALS)
    cart.ready()
    assert refusals == 0 and cart.counted(counter.CONTROLLER_REFUSALS) == 0


# The line


def test_conversation_is_the_same_at_every_split_position():
    # 0004, 0002, 0005, 0041, 0004 of 0064, two 0061: some 480 octets; every one of them begins a segment once. What
    # follows is a hundred answers to 0064, all alike: the controller was met empty. The usual run has every seventh,
    # MicroPython every eleventh.
    cut = 1
    while True:
        cart = Cart(controller={"start_revisions": (3,)}, blocks=12)
        cart.line.split_at = cut
        cart.ready()
        cart.produce(2, 200)
        cart.settle()
        agrees(cart, 2)
        assert cart.controller.connections == 1
        sent = cart.network._connections[0].sent_to_port
        cut += 1 if LONG else 7 if HAS_ALL else 11
        if cut >= min(sent, 520):
            break
    assert cut > 450


def test_random_splits_and_slow_lines_change_nothing():
    for seed in range(1, 9):
        cart = Cart(seed=seed, controller={"window": 3, "ack_timeout_ms": 10000}, blocks=24)
        line = cart.line
        line.random_splits = True
        line.delay_ms = 40 * (seed % 3)
        line.bytes_per_s = (0, 960, 4000)[seed % 3]
        line.write_limit = (0, 1, 7)[seed // 3]
        line.read_limit = (0, 3, 50)[seed % 3]
        cart.ready()
        cart.produce(12, 100)
        cart.settle()
        agrees(cart, 12)


def test_connection_that_breaks_at_any_message_loses_nothing():
    for side in ("drop_after_received", "drop_after_sent"):
        for count in range(1, 12):
            cart = Cart(controller={side: [count, count, count]}, blocks=24)
            for _ in range(6):
                cart.produce(1, 50)
                cart.run(3000)
            cart.run(20000)
            cart.settle()
            cart.healthy()
            # The first meeting may be after some were made: those were there before anyone asked.
            produced = cart.controller.produced
            ids = cart.stored_ids()
            assert ids == sorted(set(ids)) and set(ids) <= set(produced)
            assert ids == produced[len(produced) - len(ids) :]
            assert set(cart.controller.acknowledged) <= set(ids)


# Back-off


def connect_times(cart, ms):
    """Return the moments of the connects within the next `ms`."""
    times = []
    before = 0
    end = cart.clock.total_ms + ms
    while cart.clock.total_ms < end:
        cart.run(10)
        if cart.station.intake.attempts != before:
            before = cart.station.intake.attempts
            times.append(cart.clock.total_ms)
    return times


def waits_of(cart, ms):
    times = connect_times(cart, ms)
    return [times[index] - times[index - 1] for index in range(1, len(times))]


def check_waits(waits, least_s):
    """Each wait is as long as asked for, and up to a quarter longer."""
    for index in range(min(len(waits), len(least_s))):
        least_ms = least_s[index] * 1000
        assert least_ms <= waits[index] <= least_ms * 5 // 4 + 20, waits


def test_waits_double_from_one_second_to_thirty_with_jitter():
    seen = set()
    for seed in (1, 2, 3):
        cart = Cart(seed=seed, on=False)
        cart.network.down(CONTROLLER[0], CONTROLLER[1])
        cart.boot()
        waits = waits_of(cart, 200000)
        check_waits(waits, (1, 2, 4, 8, 16, 30, 30))
        assert len(waits) >= 7
        seen.add(tuple(waits))
    assert len(seen) == 3  # different carts do not knock together


def test_taken_slot_is_left_alone_for_ten_to_sixty_seconds():
    for code in (96, 16, 35):
        cart = Cart(controller={"refuse": {1: code}})
        waits = waits_of(cart, 300000)
        check_waits(waits, (10, 20, 40, 60, 60))


def test_connect_that_never_completes_is_given_up_after_its_time():
    cart = Cart(on=False)
    cart.line.connect_delay_ms = 1000000
    cart.boot()
    times = connect_times(cart, 20000)
    assert 5000 <= times[1] - times[0] <= 6300


# Durable, then acknowledged


def test_no_acknowledgement_leaves_before_its_record_was_programmed_numbered_or_not():
    pushed = [{"pushed_revision": revision, "window": 4} for revision in (999, 1, 7)]
    for options in pushed + [{"start_revisions": (6,)}]:
        is_numbered = "start_revisions" in options
        cart = Cart(controller=options, on=False)
        cart.controller.identity.sequence_numbers = int(is_numbered)
        cart.boot()
        cart.settle(120000)
        journal = cart.device.journal = []
        cart.produce(10, 20)
        cart.settle()
        programmed = acknowledged = 0
        for what, octets in journal:
            if what == "program" and b"WVWZZZ1KZAW" in octets:
                programmed += 1
            elif what == "said" and octets[4:8] == (b"9997" if is_numbered else b"0062"):
                acknowledged += not is_numbered or octets[20:24] == b"0061"
            assert acknowledged <= programmed
        assert (programmed, acknowledged) == (10, 10)


def test_nothing_is_acknowledged_after_a_result_that_was_not_stored():
    """A controller that does not wait for each 0062 takes the next one for it."""
    cart = Cart(controller={"window": 3}).settle()
    cart.controller.options.refuse = {64: None}  # the goodbye waits for the answer to what the first one lets ask
    cart.produce(1, 100)
    cart.device.code = FLASH_IO
    cart.produce()
    cart.until(lambda: cart.station.intake.cannot_store, 1000)
    cart.device.code = 0
    cart.produce(2, 100)
    assert cart.controller.acknowledged == cart.stored_ids() == [1]
    cart.controller.options.refuse = {}
    cart.settle()
    agrees(cart, 4)


def test_power_cut_at_any_moment_loses_and_doubles_nothing():
    for wait_ms in range(0, 130, 13):
        cart = Cart(seed=wait_ms + 1, controller={"max_clients": 99, "window": 2}, blocks=24)
        cart.line.delay_ms = 15
        cart.settle()
        for _ in range(8):
            cart.produce(2, 10)
            cart.run(wait_ms)
            cart.cut()
            assert set(cart.controller.acknowledged) <= set(cart.stored_ids())
            cart.run(700)
        cart.settle()
        assert sorted(cart.stored_ids()) == cart.controller.produced
        cart.healthy()


def test_fetched_result_refused_once_by_flash_is_asked_again_in_order():
    for code in (FLASH_IO, FLASH_WORN):
        for refused in range(1, 7):
            cart = Cart(blocks=64).settle()
            cart.produce(1, 50)
            cart.network.down(CONTROLLER[0], CONTROLLER[1])
            cart.produce(6, 50)
            store = cart.station.intake.store
            put_fetched = store.put_fetched
            puts = [0]

            def refuse_one(now, cart=cart, put_fetched=put_fetched, puts=puts, refused=refused, code=code):
                puts[0] += 1
                cart.device.code = code if puts[0] == refused else 0
                kept = put_fetched(now)
                cart.device.code = 0
                return kept

            store.put_fetched = refuse_one
            cart.network.up(CONTROLLER[0], CONTROLLER[1])
            cart.settle(240000)
            agrees(cart, 7)
            assert puts[0] == 7 and cart.station.ledger.gone() == 0


def units_of(cart):
    units = [payload[8 + res.BODY_BYTES + res.TORQUE_UNIT] for payload in cart.stored() if len(payload) >= 151]
    return [unit for unit in units if unit != 0x20]


def test_missed_results_of_another_unit_than_nm_come_with_it():
    cart = Cart(controller={"result_revisions": (4,), "pushed_as": LBF, "fetched_as": LBF}).ready()
    cart.produce(2, 1500)
    cart.drop()
    cart.produce(3)
    cart.settle()
    assert cart.stored_ids() == [1, 2, 3, 4, 5] and units_of(cart) == [0x32] * 5 and cart.raw() == []


def test_pushes_that_name_no_unit_have_the_one_that_was_named_last():
    for revision, unit in ((999, 2), (1, 3), (2, 8)):
        options = {"result_revisions": (revision,), "recover_revisions": (3,), "fetched_as": {"torque_unit": unit}}
        cart = Cart(controller=options).ready()
        cart.produce(2, 1500)
        assert units_of(cart) == [], "nobody named one yet"
        cart.drop()
        cart.produce(2)
        cart.settle()
        cart.produce(2, 1500)
        assert cart.stored_ids() == [1, 2, 3, 4, 5, 6] and units_of(cart) == [0x30 + unit] * 4
        cart.cut()
        cart.settle()
        cart.produce(2, 1500)
        assert cart.stored_ids() == [1, 2, 3, 4, 5, 6, 7, 8] and units_of(cart) == [0x30 + unit] * 6
        cart.controller.options.fetched_as["torque_unit"] = 1
        cart.drop()
        cart.produce(1)
        cart.settle()
        cart.produce(1, 1500)
        assert units_of(cart)[6:] == [0x31] and len(cart.stored_ids()) == 10, "Nm needs no word"
        cart.healthy()


def cart_whose_unit_was_fetched():
    """A cart with two results that were pushed without a unit, and two that were fetched with another than Nm."""
    options = {"result_revisions": (999,), "recover_revisions": (3,), "fetched_as": {"torque_unit": 2}}
    cart = Cart(controller=options).ready()
    cart.produce(2, 1500)
    cart.drop()
    cart.produce(2)
    cart.settle()
    return cart


def test_that_pushes_were_stored_as_nm_before_another_unit_was_named_is_said():
    cart = cart_whose_unit_was_fetched()
    cart.produce(3, 1500)
    counters = cart.station.counters
    assert counters.counts[OTHER_UNIT] == 3 and counter.NAMES[OTHER_UNIT] == "other unit"
    assert [value for _, code, value in counters.log.entries() if code == OTHER_UNIT] == [2]


def test_a_start_finds_the_unit_that_was_named_among_many_results():
    cart = cart_whose_unit_was_fetched()
    ledger = cart.station.ledger
    ledger.unit = 0  # as before the agent knew what to do with it
    cart.produce(150, 50)
    cart.settle()
    assert len(units_of(cart)) == 2
    cart.cut()
    cart.settle()
    cart.produce(1, 1500)
    assert units_of(cart) == [0x32] * 3 and len(cart.stored_ids()) == 155


def test_missed_results_whose_unit_no_one_says_are_kept_as_they_came():
    for revisions, answer in (((1, 2), None), ((1,), None), ((1, 2, 3, 4), 1), ((1, 2, 3), 2)):
        options = {"result_revisions": (4,), "pushed_as": LBF, "recover_revisions": revisions}
        cart = Cart(controller=dict(options, answer_recover_revision=answer)).ready()
        cart.produce(2, 1500)
        cart.drop()
        cart.produce(3)
        cart.settle()
        cart.produce(1, 1500)
        cart.cut()
        cart.settle()
        assert cart.stored_ids() == [1, 2, 6] and [int(frame[22:32]) for frame in cart.raw()] == [3, 4, 5]
        ledger = cart.station.ledger
        assert ledger.gone() == 0 and ledger.epoch() == 0 and missing_most(ledger) == 0 and cart.gone() == []


def test_stop_says_goodbye_and_frees_the_slot():
    cart = Cart().settle()
    cart.app.stop(cart.clock.now)
    cart.until(cart.app.stopped, 3000)
    assert cart.controller.messages[3] == 1
    assert cart.station.session.state == session_states.CLOSED
    cart.app.close()


def test_network_that_comes_up_ends_the_wait_for_the_next_connection():
    cart = Cart(on=False)
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.boot()
    cart.run(40000)  # it waits 16 s and more by now
    before = cart.station.intake.attempts
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    cart.app.network_is_up(cart.clock.now)
    cart.run(500)
    assert cart.station.intake.attempts == before + 1
    cart.produce(3, 50)
    cart.run(1000)
    agrees(cart, 3)
    cart.app.network_is_up(cart.clock.now)  # and changes nothing where all is well
    cart.run(1000)
    assert cart.station.intake.attempts == before + 1


# What must never happen again


def test_full_log_that_overwrites_keeps_taking_results_over_any_restart():
    cart = Cart(blocks=4 + 4, settings={"spool": {"when_full": "overwrite"}}).settle()
    while cart.station.state.numbers[OVERWRITTEN] < 40:
        cart.produce(10, 50)
    for _ in range(12):
        cart.cut()
        cart.ready()
        cart.produce(5, 50)
        cart.settle()
        assert not cart.station.intake.cannot_store and cart.controller.acknowledged[-1] == cart.controller.produced[-1]
    ids = cart.stored_ids()
    assert ids == cart.controller.produced[-len(ids) :] and len(ids) > 60


def test_what_is_fetched_overwrites_nothing_and_waits_for_room():
    cart = Cart(blocks=4 + 4, settings={"spool": {"when_full": "overwrite"}}, controller={"memory": 400}).ready()
    cart.settle()
    while cart.station.state.numbers[OVERWRITTEN] < 40:
        cart.produce(10, 50)
    cart.settle()
    cart.miss(30)
    cart.run(100)
    cart.ready()
    before = cart.station.state.numbers[OVERWRITTEN]
    cart.run(120000)
    missing = missing_most(cart.station.ledger)
    assert cart.station.state.numbers[OVERWRITTEN] == before and 0 < missing <= 30
    said = reported(cart)
    assert said["recovery"]["off"] == "no room"
    assert not said["controller"]["waits_for_room"], "what is pushed overwrites"
    cart.produce(20, 50)  # these do
    assert cart.station.state.numbers[OVERWRITTEN] > before
    assert cart.controller.acknowledged[-20:] == cart.controller.produced[-20:]
    assert missing_most(cart.station.ledger) == missing
    cart.station.log.cursors[0].number = cart.station.log.number  # ToolsNet has all
    cart.until(lambda: missing_most(cart.station.ledger) < missing, 1500)  # as soon as there is room
    cart.until(lambda: missing_most(cart.station.ledger) == 0, 10000)


def full(**settings):
    """A cart whose outlet is away, and whose spool has refused a result."""
    cart = Cart(blocks=4 + 4, **settings).ready()
    cart.settle()
    while not cart.station.intake.cannot_store:
        cart.produce(1, 100)
    return cart


def reported(cart):
    """What is said of room: by the controller's part of the state, and by the lamp."""
    said = status.of_station(cart.station, cart.clock.now)
    assert (led.code_of([cart.station], True) == led.SPOOL_FULL) == said["controller"]["waits_for_room"]
    return said


def make_room(cart):
    cart.station.log.cursors[0].number = cart.station.log.number


def test_a_full_log_is_called_full_after_a_start_too():
    for missed in (0, 3, 60):
        for controller in ({"memory": 400}, {"refuse": {64: None}}):
            cart = full(controller=controller)
            cart.produce(missed, 100)
            assert reported(cart)["controller"]["waits_for_room"]
            for _ in range(3):
                cart.cut()
                for _ in range(12):
                    cart.run(1000)
                    said = reported(cart)
                    assert said["controller"]["waits_for_room"] and said["controller"]["next_try_ms"] == 0
                    assert said["controller"]["state"] == "closed", "nothing could be kept of what it says"
            make_room(cart)
            cart.until(cart.is_ready, 3000)
            if "memory" in controller:
                cart.settle()
                ids = cart.stored_ids()  # the oldest made room
                assert ids == cart.controller.produced[-len(ids) :] and len(ids) > missed
            assert not reported(cart)["controller"]["waits_for_room"]


def test_a_full_log_whose_last_record_is_in_doubt_goes_on_as_soon_as_there_is_room():
    for more in range(0, 60, 5):
        cart = Cart(blocks=4 + 4, settings={"spool": {"when_full": "overwrite"}}, controller={"memory": 400}).ready()
        cart.settle()
        while cart.station.state.numbers[OVERWRITTEN] < 40:
            cart.produce(10, 50)
        cart.produce(more, 50)
        cart.configuration["stations"][0]["spool"]["when_full"] = "refuse"
        cart.cut()
        cart.run(200000)
        log = cart.station.log
        assert log.doubtful and log.free_blocks() == 0 and reported(cart)["controller"]["waits_for_room"], more
        cart.device.journal = []
        cart.run(60000)
        assert cart.device.journal == [], "asking wears nothing"
        log.cursors[0].number = log.number - 1
        cart.until(cart.is_ready, 1500)
        assert not log.doubtful
        cart.settle()
        ids = cart.stored_ids()
        assert ids == cart.controller.produced[-len(ids) :], more


def test_a_log_that_what_is_fetched_fills_is_full():
    cart = Cart(blocks=4 + 4, controller={"memory": 400}).ready()
    cart.settle()
    cart.produce(1, 100)
    cart.miss(200)
    cart.run(20000)
    for _ in range(30):
        said = reported(cart)
        assert said["controller"]["waits_for_room"] and said["controller"]["state"] == "ready"
        assert said["recovery"]["off"] == "no room" and said["recovery"]["open_ids"] > 100
        cart.run(1000)
    make_room(cart)
    cart.run(300)
    assert reported(cart)["recovery"]["open_ids"] and not cart.station.intake.cannot_store
    while not cart.is_quiet():
        make_room(cart)
        cart.run(100)
    said = reported(cart)
    assert not said["controller"]["waits_for_room"] and said["recovery"]["off"] == ""
    assert missing_most(cart.station.ledger) == 0 and cart.station.ledger.gone() == 0


def test_a_log_that_the_last_result_has_filled_is_full_before_the_next_one_comes():
    cart = Cart(blocks=4 + 4).ready()
    cart.settle()
    log = cart.station.log
    while log.has_room(log.room_bytes):
        assert not reported(cart)["controller"]["waits_for_room"]
        cart.produce(1, 100)
    said = reported(cart)
    assert said["controller"]["waits_for_room"] and said["controller"]["state"] == "ready"
    assert said["recovery"]["off"] == "", "nothing is missing"


def test_a_log_without_room_for_what_is_gone_is_full():
    """What is gone is written down in front of what is fetched next: results in the controller wait for that, too."""
    seen = set()
    for length in range(0, 130, 32):
        cart = Cart(blocks=4 + 4, controller={"memory": 10}, on=False)
        cart.device = cart.flashes["spool0"] = Nor(cart.device.block_count, unit_bytes=16)
        cart.boot()
        cart.ready()
        cart.settle()
        log = cart.station.log
        log.append(KIND_EVENT, 0, 30 + length)  # so that the room which is left is not always the same
        while log.has_room(log.room_bytes + 65):
            cart.produce(1, 100)
        cart.miss(60)
        cart.run(120000)
        said = reported(cart)
        assert said["controller"]["waits_for_room"], (length, said["recovery"])
        seen.add((said["recovery"]["open_ids"], log.has_room(res.ROOM_BYTES)))
        make_room(cart)
        cart.settle()
        assert not reported(cart)["controller"]["waits_for_room"]
    assert (60, True) in seen, "one result alone had room"


def test_what_is_fetched_has_the_room_that_what_is_pushed_has_without_overwriting():
    cart = Cart(blocks=4 + 4, settings={"spool": {"when_full": "overwrite"}}, controller={"memory": 400}).ready()
    cart.settle()
    log = cart.station.log
    stored = 0
    while cart.station.state.numbers[OVERWRITTEN] == 0:
        has_room, before = log.has_room(log.room_bytes, False), log.number
        cart.produce(1, 50)
        if log.number > before:
            assert has_room == (cart.station.state.numbers[OVERWRITTEN] == 0), log.number
            stored += 1
    assert stored > 40


def test_live_result_is_acknowledged_within_a_second_while_ten_thousand_are_missing():
    cart = Cart(blocks=64, controller={"memory": 12000}).settle()
    cart.produce(1, 50)
    cart.line.delay_ms = 50
    cart.miss(10000)
    cart.run(100)
    cart.ready()
    for wait_ms in (5, 500, 3000, 10000):  # from before the newest is known to the midst of what is fetched
        cart.run(wait_ms)
        cart.produce()
        cart.until(lambda: cart.controller.acknowledged[-1] == cart.controller.produced[-1], 1000)
    assert missing_most(cart.station.ledger) > 9000 and cart.counted(counter.RECOVERED) > 50


def test_repeats_of_a_controller_that_counts_afresh_are_stored_once():
    for repeat, away in ((0, True), (2, True), (0, False), (2, False)):
        cart = Cart(controller={"repeat": repeat, "max_clients": 9, "window": 2}, blocks=30, first_id=40).ready()
        cart.settle()
        cart.produce(5, 50)
        cart.run(9000)
        for first in (1, 38, 44, 2):
            if away:
                cart.network.down(CONTROLLER[0], CONTROLLER[1])
                cart.run(2000)
            cart.controller.reset_ids(first)
            cart.produce(4, 1100)
            cart.network.up(CONTROLLER[0], CONTROLLER[1])
            cart.settle(600000)
            cart.produce(2, 1100)
            cart.settle(600000)
        keys = [key_of(payload) for payload in cart.stored()]
        assert len(keys) == len(set(keys)) == 5 + 4 * 6, (repeat, away, len(keys))


def two_stations():
    """A cart with two stations; `second` is the other one's controller."""
    cart = Cart(stations=2)
    cart.second = cart.controllers[1]
    return cart


def stops_in_order(cart):
    """Stop the agent; `Cart.run` objects to one that only turns round. Returns the ms until all was left."""
    before = cart.clock.total_ms
    cart.app.stop(cart.clock.now)
    cart.until(cart.app.stopped, 60000)
    took_ms = cart.clock.total_ms - before
    cart.run(60000)
    cart.app.close()
    cart.healthy()
    return took_ms


def test_orderly_stop_of_two_stations_sends_both_goodbyes_and_does_not_spin():
    cart = two_stations()
    cart.until(lambda: all(one.session.state == session_states.READY for one in cart.app.stations))
    cart.run(2000)
    assert stops_in_order(cart) < 5000
    assert cart.controller.messages[3] == 1 and cart.second.messages[3] == 1


def test_orderly_stop_in_the_middle_of_a_connect_is_done_at_once():
    cart = two_stations()
    cart.network.down(*controller_address(1))
    cart.until(cart.is_ready)
    cart.run(2000)
    assert stops_in_order(cart) < 5000
