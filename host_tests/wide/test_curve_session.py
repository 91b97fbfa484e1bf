"""Curves on their whole way: asked for, pushed, acknowledged by MID 0005, and results undisturbed whatever happens."""

from toolcart.agent.base import health as h
from toolcart.agent.openprotocol import states as st
from toolcart.agent.record import graph as gr
from toolcart.agent.wide.mid0900 import LOST_CUT, LOST_EMPTY, LOST_UNREADABLE
from toolcart.sim import trace_frames as made
from toolcart.sim.trace_frames import curves
from host_tests.support.frames import light, message
from host_tests.support.graphs import curves_in, ident_of, samples_in
from lab.harness.cart import Cart

SPOOL = {"graphs_kib": 48, "size_kib": 256}


def cart_of(wanted=("torque", "angle"), settings=None, files=(), spool=SPOOL, **options):
    controller = {"traces": list(wanted) or None}
    controller.update(settings or {})
    options = dict({"traces": (1, 2, 3), "max_clients": 9}, **options)
    cart = Cart(
        controller=options, settings={"controller": controller, "spool": spool}, blocks=32, files=files, toolsnet=()
    )
    cart.until(lambda: cart.station.session is not None and cart.station.session.state == st.READY)
    return cart


def kept(cart):
    """Return (ID, what) of every curve in the ring."""
    return [(ident_of(lead), lead[gr.WHAT]) for lead, _, _ in curves_in(cart.station.graphs)]


def lost(cart):
    """Return why curves were lost, oldest first."""
    return [value for _, code, value in cart.station.health.entries() if code == h.TRACES_LOST]


def test_curves_and_plot_parameters_are_kept_acknowledged_and_belong_to_their_result():
    for revisions in ((1, 2, 3), (2,), (3,)):
        cart = cart_of(traces=revisions)
        for _ in range(3):
            cart.controller.produce()
            cart.run(2000)
        assert kept(cart) == [(ident, what) for ident in (1, 2, 3) for what in (2, 1, 0)]
        assert cart.controller.traces_taken == 9 and cart.counted(h.TRACES) == 9
        for lead, data, _ in curves_in(cart.station.graphs):
            result = cart.controller.result(ident_of(lead))
            assert lead[gr.RESULT] == result.tightening_id
            if lead[gr.WHAT]:
                torque, angle = curves(result, 400)
                assert samples_in(data) == tuple(torque if lead[gr.WHAT] == 2 else angle)
        assert cart.ids() == [1, 2, 3]
        cart.clean()


def test_without_traces_in_the_configuration_nothing_is_asked_for_and_no_area_is_made():
    cart = cart_of(wanted=(), spool={"size_kib": 256})
    cart.controller.produce()
    cart.run(5000)
    assert 8 not in cart.controller.messages and cart.station.graphs is None
    assert len(cart.station.session.subscriptions) == 1 and len(cart.station.session.link.buf) == 1024
    assert "graphs" not in _snapshot(cart)


def _snapshot(cart):
    from toolcart.agent.cart.status import of_station

    return of_station(cart.station, cart.clock.now)


def test_controller_without_curves_or_with_another_form_of_the_request_is_served():
    for options, asked, taken in (
        ({"unknown_mids": (8,)}, 2, 0),
        ({"trace_flag": True}, 6, 3),  # five forms, and 0901
        ({"traces": (3,)}, 5, 3),  # the third one each
        ({"trace_parameters": False}, 2, 2),
        ({"trace_types": (2,)}, 5, 0),  # it has torque alone, and no type is left out of what is asked for
        ({"refuse_once": [(8, 9)]}, 3, 3),  # the subscription of an earlier session stands
        ({"refuse_once": [(8, 9)], "refuse": {9: None}}, 2, 0),  # and cannot be ended
        ({"refuse": {8: 96}}, 2, 0),
        ({"refuse": {8: 98}}, 2, 0),
    ):
        cart = cart_of(**options)
        cart.controller.produce()
        cart.run(40000)
        said = (options, cart.counts(), cart.controller.messages)
        assert cart.ids() == [1] and cart.station.session.state == st.READY, said
        assert cart.counted(h.CONTROLLER_CONNECTS) == 1, said
        assert cart.controller.messages[8] + cart.controller.messages.get(9, 0) >= asked or taken == 0, said
        assert cart.controller.traces_taken == taken, said


def test_a_controller_that_does_not_answer_loses_no_session():
    cart = cart_of(refuse={8: None})
    cart.controller.produce()
    cart.run(20000)
    assert cart.ids() == [1] and cart.counted(h.CONTROLLER_CONNECTS) == 1
    assert cart.controller.messages[8] == 2, "once for each of the two"
    cart.controller.drop()
    cart.run(30000)
    cart.controller.produce()
    cart.run(5000)
    assert cart.counted(h.CONTROLLER_CONNECTS) == 2 and cart.ids() == [1, 2]
    assert cart.controller.messages[8] == 4


def test_the_last_curve_that_comes_with_each_subscription_is_kept_once():
    cart = cart_of(push_last_result=True)
    cart.controller.produce()
    cart.run(3000)
    for _ in range(3):
        cart.controller.drop()
        cart.run(40000)
    assert cart.controller.traces_taken > 6 and len(kept(cart)) == 3
    cart.cut()
    cart.run(40000)
    assert len(kept(cart)) == 3
    cart.clean()


def test_a_mt_focus_sends_little_endian_and_no_acknowledgement_counts():
    options = {
        "identity": {"system_type": 4, "system_subtype": 30},
        "start_revisions": (6,),
        "unknown_mids": (12, 42, 60, 61, 62, 63, 64, 65),
        "refuse": {40: 97},
        "operations": (1, 2, 3),
    }
    cart = cart_of(**options)
    for _ in range(2):
        cart.controller.produce()
        cart.run(4000)
    assert kept(cart) == [(ident, what) for ident in (1, 2) for what in (2, 1, 0)], cart.counts()
    for lead, data, flags in curves_in(cart.station.graphs):
        if lead[gr.WHAT] == 2:
            assert samples_in(data) == tuple(curves(cart.controller.result(ident_of(lead)), 400)[0])
            assert lead[gr.UNIT] == 12 and lead[gr.NUMERATOR] == 10 and lead[gr.DENOMINATOR] == 1 and flags == 0
    assert cart.counted(h.TRACES_ODD) == 0 and cart.ids() == [1, 2]


def test_results_are_acknowledged_whatever_curves_come_between_them():
    cart = cart_of()
    data = made.curve_data(5, "2024-03-14:09:26:53", 1, 2, 1, (1, 2, 3), (), ())
    hostile = [
        message(900, data),
        message(900, data[:40]),
        message(900, data[:-7] + b"1" + data[-6:]),  # no NUL
        message(900, made.curve_data(5, "2024-03-14:09:26:53", 1, 2, 1, (), (), ())),
        message(900, b""),
        message(900, b"\0" * 200),
        message(900, b"\xff" * 3000),
        message(900, data, 7),
        message(901, b"9" * 32),
        message(900, b"9" * 5000),
    ]
    for index in range(len(hostile)):
        cart.controller.inject(hostile[index])
        cart.controller.produce()
        cart.run(3000)
        assert cart.ids() == list(range(1, index + 2)), (index, cart.counts())
    assert cart.counted(h.CONTROLLER_CONNECTS) == 1
    assert cart.counted(h.TRACES_LOST) == 9 and cart.counted(h.TRACES_ODD) == 1, lost(cart)
    assert LOST_CUT in lost(cart) and LOST_EMPTY in lost(cart) and LOST_UNREADABLE in lost(cart)


def test_a_larger_receive_buffer_takes_longer_curves():
    frame = message(900, made.curve_data(5, "2024-03-14:09:26:53", 1, 2, 1, tuple(range(2500)), (), ()))
    for octets, count in ((4096, 0), (6000, 1)):
        cart = cart_of(settings={"buffer_bytes": octets if count else 1024})
        cart.controller.inject(frame)
        cart.run(3000)
        assert len(kept(cart)) == count and lost(cart) == [LOST_CUT] * (1 - count)
        assert len(cart.station.session.link.buf) == octets


def test_curve_in_parts_is_one_curve_and_result_between_them_is_taken():
    for parts in (2, 3, 5):
        cart = cart_of()
        samples = tuple([(index * 13) % 5000 for index in range(1200)])
        steps = (made.resolution(0, 1199, "2.0"),)
        data = made.curve_data(5, "2024-03-14:09:26:53", 1, 2, 1, samples, ((2214, 3, 1, "0.01"),), steps)
        size = -(-len(data) // parts)
        for part in range(parts):
            frame = bytearray(message(900, data[part * size : part * size + size]))
            frame[18:20] = b"%d%d" % (parts, part + 1)
            cart.controller.inject(bytes(frame))
            if part == 0:
                cart.controller.produce()
            cart.run(500)
        cart.run(3000)
        (curve,) = [data for lead, data, _ in curves_in(cart.station.graphs) if ident_of(lead) == 5]
        assert samples_in(curve) == samples and cart.ids() == [1]
        assert cart.counted(h.CONTROLLER_MALFORMED) == 0


def test_a_long_result_fits_beside_a_curve_that_comes_in_parts():
    cart = cart_of(settings={"result_revisions": [11]}, trace_delay_ms=5000)
    data = made.curve_data(5, "2024-03-14:09:26:53", 1, 2, 1, tuple(range(1930)), (), ())
    frame = bytearray(message(900, data))
    assert 3900 < len(frame) < 4096 - 128
    frame[18:20] = b"21"
    cart.controller.inject(bytes(frame))
    cart.controller.produce()
    cart.run(1000)
    assert cart.ids() == [1] and cart.counted(h.CONTROLLER_MALFORMED) == 0


def test_curve_of_ten_thousand_octets_in_parts_is_counted_and_acknowledged_once():
    cart = cart_of()
    data = b"9" * 9000
    for part in (1, 2, 3):
        frame = bytearray(message(900, data))
        frame[18:20] = b"3%d" % part
        cart.controller.inject(bytes(frame))
        cart.run(300)
    cart.controller.produce()
    cart.run(3000)
    assert lost(cart) == [LOST_CUT] and cart.ids() == [1]
    assert cart.controller.messages[5] == 4  # and one each for the curves of the result and their parameters


def test_flash_of_graphs_that_is_another_spool_s_leaves_the_station_working():
    cart = cart_of()
    cart.controller.produce()
    cart.run(3000)
    device = cart.flashes["spool0"]
    at = 2 * device.block_bytes + 8 + 5  # the version in the first HEAD of the graphs, whose checksum fails then
    device.cells[at] ^= 1
    cart.cut()
    cart.run(20000)
    cart.controller.produce()
    cart.run(5000)
    assert cart.ids() == [1, 2] and cart.station.session.state == st.READY


def test_result_that_is_pushed_while_subscription_of_curves_is_open_answers_nothing():
    cart = cart_of(refuse={8: None})
    cart.controller.inject(light(tightening_id=77) + b"\0")
    cart.run(300)
    assert cart.station.session.state in (st.SUBSCRIBING, st.READY)
