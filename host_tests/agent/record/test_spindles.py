"""The whole path of results of several spindles: each once, whole, acknowledged when it is durable, in one telegram."""

import sys

from toolcart.agent.base import counters as counter
from toolcart.agent.log.flash import FLASH_IO
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.text import describe
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX, ResultWriter
from toolcart.sim import spindle_frames
from toolcart.sim.profiles import profile_options
from toolcart.toolsnet.telegrams import take_apart
from host_tests.portable import LONG
from host_tests.support.frames import example_tightening, message
from host_tests.support.world import Cart
from lab.harness.cart import Cart as WholeCart

PORTABLE = True
HEAVY = True
ON_CPYTHON = sys.implementation.name == "cpython"  # special values are kept there
HEAP = "8m"

POWERMACS = profile_options("powermacs")
STEP_SYNC = profile_options("stepsync")
BOLTS = {"results": "powermacs-bolts"}
SYNC = {"results": "sync"}
WIDE = {"results": "powermacs"}
KINDS = ((POWERMACS, {}), (POWERMACS, BOLTS), (STEP_SYNC, SYNC), (profile_options("powermacs", cycles=(1,)), WIDE))


def cart_of(kind, settings, **options):
    own = {key: options.pop(key) for key in ("blocks", "first_id", "on", "seed") if key in options}
    return Cart(controller=dict(kind, **options), settings={"controller": settings}, **own)


def test_result_is_acknowledged_only_after_it_is_on_flash():
    for kind, settings, last in ((POWERMACS, {}, b"01080"), (POWERMACS, BOLTS, b"01080"), (STEP_SYNC, SYNC, b"0102")):
        cart = cart_of(kind, settings).ready()
        cart.device.journal = []
        cart.produce(1, 1500)
        stored = [index for index, (what, octets) in enumerate(cart.device.journal) if what == "program"]
        acknowledged = [
            index
            for index, (what, octets) in enumerate(cart.device.journal)
            if what == "said" and octets[4:8] == last[:4] and octets[20:21] in (last[4:], b"\0")
        ]
        assert stored and acknowledged and stored[0] < acknowledged[0], cart.device.journal
        flags_asked = [
            octets[20:21] for what, octets in cart.device.journal if what == "said" and octets[4:8] == b"0108"
        ]
        assert flags_asked == ([b"1", b"1", b"1", b"0"] if settings is BOLTS else [b"0"] if kind is POWERMACS else [])


def inject(cart, *messages):
    cart.controller.inject(b"".join([octets + b"\0" for octets in messages]))
    cart.run(100)


def synchronous(number):
    return message(101, spindle_frames.sync_data(example_tightening(tightening_id=number), 1, 2), 1)


def damaged(number):
    """Return a MID 0101 with a wrong parameter ID."""
    frame = bytearray(synchronous(number))
    frame[141] = 0x58
    return bytes(frame)


def gone_records(cart):
    gaps = [describe(payload, 0, kind, flags, len(payload)) for _, kind, flags, payload in cart.records()]
    return [(one["first_id"], one["last_id"], one["count"], one["code"]) for one in gaps if "first_id" in one]


def test_synchronous_results_that_no_one_can_read_are_not_gone():
    cart = cart_of(STEP_SYNC, SYNC).ready()
    inject(cart, synchronous(1))
    for number in (2, 3):
        inject(cart, damaged(number))
    assert len(cart.raw()) == 2 and cart.station.ledger.gone() == 0
    inject(cart, damaged(3))
    inject(cart, synchronous(4))
    assert cart.stored_ids() == [1, 4] and cart.station.ledger.gone() == 0 and len(cart.raw()) == 2
    inject(cart, damaged(6))  # 5 is gone, and 7
    inject(cart, synchronous(8))
    assert cart.stored_ids() == [1, 4, 8] and cart.station.ledger.gone() == 2
    assert gone_records(cart) == [("5", "7", 2, "never")]
    assert cart.counted(counter.IDS_GONE) == 1 and cart.counted(counter.RAW) == 3


def test_unreadable_synchronous_results_are_remembered_over_a_start():
    for saved in (False, True):
        cart = cart_of(STEP_SYNC, SYNC).ready()
        inject(cart, synchronous(65534))
        inject(cart, damaged(65535))
        if saved:
            assert cart.station.log.state.save()
        cart.cut()
        cart.ready()
        inject(cart, synchronous(1))  # 0 is gone
        assert cart.stored_ids() == [65534, 1] and cart.station.ledger.gone() == 1, saved
        assert gone_records(cart) == [("65535", "0", 1, "never")]


def test_outage_comes_again_from_where_the_subscription_rewinds():
    for kind, settings in KINDS:
        cart = cart_of(kind, settings).ready()
        cart.produce(3, 1500)
        cart.drop()
        cart.produce(6)
        cart.ready()
        cart.run(20000)
        assert cart.stored_ids() == [1, 2, 3, 4, 5, 6, 7, 8, 9] == cart.controller.acknowledged
        once_more = kind is POWERMACS  # the last one shows that its numbers have not restarted
        assert cart.counted(counter.DUPLICATES) == once_more and cart.station.ledger.gone() == 0
        cart.clean()


def test_a_cut_at_any_moment_loses_and_doubles_nothing():
    for kind, settings in KINDS[:3]:
        for after in range(0, 60, 4 if LONG else 12):
            cart = cart_of(kind, settings, seed=after).ready()
            cart.produce(2, 1500)
            cart.produce()
            for _ in range(after):
                cart.step()
                cart.clock.advance(3)
            cart.cut()
            cart.ready()
            cart.produce(1, 1500)
            cart.run(20000)
            assert cart.stored_ids() == [1, 2, 3, 4], (kind["identity"], settings, after)
            cart.clean()


def test_repeats_are_repeats_however_they_come():
    for kind, settings in KINDS[:3]:
        cart = cart_of(kind, settings, repeat=2).ready()
        cart.produce(4, 20000)
        assert cart.stored_ids() == [1, 2, 3, 4] and cart.counted(counter.DUPLICATES) == 8
        cart.clean()


def test_only_the_last_one_comes_again_without_its_predecessor():
    for settings, starts in (({}, False), (BOLTS, True)):
        cart = cart_of(POWERMACS, settings, elsewhere=1).ready()
        cart.produce(4, 1500)
        assert cart.stored_ids() == [1, 3, 5, 7]
        cart.controller.forget(6)
        if starts:
            cart.cut()
        else:
            cart.drop()
        cart.produce()
        cart.ready()
        cart.run(20000)
        assert cart.stored_ids() == [1, 3, 5, 7, 9] and cart.counted(counter.DUPLICATES) == 1
        cart.clean()


def test_sync_ids_wrap_and_a_jump_is_reported():
    cart = cart_of(STEP_SYNC, SYNC, first_id=65534).ready()
    cart.produce(4, 1500)
    assert cart.stored_ids() == [65534, 65535, 0, 1] and cart.station.ledger.gone() == 0
    cart.controller.jump_ids(5)
    cart.produce(2, 1500)
    assert cart.stored_ids()[4:] == [7, 8] and cart.station.ledger.gone() == 5
    assert cart.counted(counter.OUT_OF_SEQUENCE) == 0


def test_a_new_count_while_nothing_can_be_stored_is_asked_for():
    for settings in ({}, BOLTS):
        cart = cart_of(POWERMACS, settings).ready()
        cart.produce(3, 1500)
        cart.controller.reset_ids()
        cart.drop()
        cart.ready()
        cart.device.code = FLASH_IO
        cart.produce(1, 1500)
        assert not cart.is_ready() and cart.stored_ids() == [1, 2, 3]
        cart.produce(4, 10)  # the third one has the number of the one that is stored last
        cart.device.code = 0
        cart.ready()
        cart.run(9000)
        assert cart.stored_ids() == [1, 2, 3, 1, 2, 3, 4, 5], cart.stored_ids()
        cart.drop()
        cart.produce(1, 10)
        cart.ready()
        cart.run(9000)
        assert cart.stored_ids()[8:] == [6]
        cart.clean()


def test_a_result_without_its_bolt_data_is_stored_as_it_is():
    cart = cart_of(POWERMACS, BOLTS).ready()
    cart.produce(3, 1500)
    for number in (1, 2):
        other = cart.controller.result(number)
        other.torque += 1
        cart.controller.sessions[0].send(message(106, spindle_frames.station_data(other, 4, 3), 4) + b"\0")
    cart.run(15000)
    assert cart.stored_ids() == [1, 2, 3, 1, 2] and cart.counted(counter.CONTROLLER_MALFORMED) == 2
    cart.produce(1, 1500)
    assert cart.stored_ids()[5:] == [4] == cart.controller.acknowledged[3:]


def test_full_spool_accepts_nothing_and_loses_nothing():
    for kind, settings in KINDS[:3]:
        cart = WholeCart(controller=dict(kind), settings={"controller": settings}, blocks=7, toolsnet=None)
        cart.run(3000)
        cart.produce(80, 300)
        stored = cart.station.log.number
        assert 5 < stored < 80 and cart.controller.acknowledged == list(range(1, stored + 1))
        cart._listen({}, 3000)
        cart.until_stored(80, 3000000)
        assert cart.ids() == list(range(1, 81)) == cart.controller.acknowledged
        cart.clean()


def test_telegram_04_has_every_spindle():
    for kind, settings in KINDS[:3]:
        cart = WholeCart(controller=dict(kind, spindles=4), settings={"controller": settings}, blocks=16)
        cart.run(3000)
        cart.produce(3, 1500)
        cart.until_stored(3)
        cart.clean()
        for telegram in cart.archive.results:
            values = {one["parameter_id"]: one["value"].strip() for one in telegram["parameters"] if not one["spindle"]}
            result = cart.controller.result(int(values[30]))
            assert telegram["vin"].strip() == result.vin.decode()
            assert [one["spindle"] for one in telegram["spindles"]] == [1, 2, 3, 4]
            for one, spindle in zip(telegram["spindles"], spindle_frames.spindles_of(result, 4)):  # noqa: B905
                assert one["overall"] == 1 - spindle.status and one["program"] == result.pset
                assert one["torque"] == "%05d.%02d" % divmod(spindle.torque, 100)
                assert one["angle"] == "%06d.0" % spindle.angle
                assert one["torque_low"] == "%05d.%02d" % divmod(result.torque_min, 100)
                assert one["angle_high"] == "%06d.0" % result.angle_max
                levels = [{0: 2, 1: 0, 2: 3}[spindle.torque_status], {0: 2, 1: 0, 2: 3}[spindle.angle_status]]
                if kind is STEP_SYNC:  # of an angle it says NOK and no more
                    levels[1] = 0 if spindle.angle_status == 1 else 1
                assert [one["torque_status"], one["angle_status"]] == levels
            bolts = [one for one in telegram["parameters"] if one["spindle"]]
            spoiled = [row for row in spindle_frames.spindles_of(result, 4) if not row.status]
            each = 8 if ON_CPYTHON else 7  # there special values are kept
            assert len(bolts) == (each * 4 + len(spoiled) if settings is BOLTS else 0)
            if bolts:
                steps = [(one["name"].strip(), one["step"]) for one in bolts if one["spindle"] == 2]
                assert ("Step T", 1) in steps and ("Step A", 2) in steps and ("Peak T", 0) in steps
            if ON_CPYTHON and settings is BOLTS:
                sockets = [(one["spindle"], one["value"].strip()) for one in bolts if one["name"].strip() == "Socket"]
                assert sockets == [(number, "A-%03d" % number) for number in (1, 2, 3, 4)]
            named = [one["value"].strip() for one in telegram["parameters"] if one["name"].strip() == "Operator"]
            assert named == (["Anna"] if ON_CPYTHON and kind is POWERMACS else [])


def test_fifty_spindles_fit_one_record_and_one_telegram():
    cart = WholeCart(controller=dict(POWERMACS, spindles=50), settings={"controller": WIDE}, blocks=24)
    cart.run(3000)
    cart.produce(3, 1500)
    cart.until_stored(3)
    cart.clean()
    assert [len(telegram["spindles"]) for telegram in cart.archive.results] == [50, 50, 50]
    assert cart.counted(counter.CUT_SHORT) == 0


def test_unreadable_message_is_kept_raw_and_answered():
    cart = cart_of(POWERMACS, {}).ready()
    cart.produce(1, 1500)
    frame = bytearray(message(106, spindle_frames.station_data(cart.controller.result(1), 4, 3), 4))
    frame[30] = 0x78
    cart.controller.sessions[0].send(bytes(frame) + b"\0")
    cart.run(200)
    assert len(cart.raw()) == 1 and cart.controller.messages[108] == 2


def test_spindle_without_figure_or_status_is_named_beside_the_zero_in_its_place():
    for kind, settings in KINDS:
        cart = cart_of(kind, settings).ready()
        cart.produce(1, 3000)
        payload = bytearray(cart.stored()[0])
        is_bolt = sp.form_of(payload, 0) == sp.BOLTS
        row = sp.first_row(payload, 0) + sp.row_bytes(payload, 0)
        places = ((2, 1), (5, 7), (12, 7)) if is_bolt else ((4, 1), (7, 6), (13, 5))
        writer = ResultWriter(bytearray(RESULT_BYTES_MAX), 3, 1)
        for lacking, wanted in (((), []), ((1,), ["no torque"]), ((0, 2), ["no angle, status"])):
            page = bytearray(payload)
            for index in lacking:
                place, width = places[index]
                page[row + place : row + place + width] = b" " * width
            octets = writer.write(page, 0, len(page), 0, 42, 17)
            telegram, breaches = take_apart(bytes(writer.tx[4:octets]))
            second = telegram["spindles"][1]["spindle"]
            figures = [(one["spindle"], one["value"]) for one in telegram["parameters"] if one["parameter_id"] == 60006]
            assert not breaches and figures == [(second, one) for one in wanted], (settings, lacking)
            fields = describe(page, 0, KIND_RESULT, 0, len(page))
            assert fields.get("odd") == ("no status of %d" % second if 0 in lacking else None)
        page[res.HEAD_BYTES + res.TIGHTENING_STATUS] = 0x20
        octets = writer.write(page, 0, len(page), 0, 42, 17)
        figures = [
            one for one in take_apart(bytes(writer.tx[4:octets]))[0]["parameters"] if one["parameter_id"] == 60006
        ]
        assert [one["value"] for one in figures if not one["spindle"]] == ["no status"]
