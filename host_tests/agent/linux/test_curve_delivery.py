"""Curves on their whole way: asked for, pushed, acknowledged by MID 0005, and results undisturbed whatever happens."""

from toolcart.agent.base import counters as counter
from toolcart.agent.linux.mid0900 import (
    LOST_CUT,
    LOST_EMPTY,
    LOST_UNREADABLE,
)
from toolcart.agent.record import graph as gr
from toolcart.sim import curve_frames
from toolcart.sim.curve_frames import curves
from host_tests.support.frames import message
from host_tests.support.graphs import (
    TIME,
    cart_with_curves,
    curves_in,
    ident_of,
    samples_in,
)


def kept(cart):
    """Return (ID, what) of every curve in the ring."""
    return [(ident_of(lead), lead[gr.WHAT]) for lead, _, _ in curves_in(cart.station.graphs)]


def lost(cart):
    """Return why curves were lost, oldest first."""
    return [value for _, code, value in cart.station.counters.log.entries() if code == counter.TRACES_LOST]


def test_a_mt_focus_sends_little_endian_and_no_acknowledgement_counts():
    options = {
        "identity": {"system_type": 4, "system_subtype": 30},
        "start_revisions": (6,),
        "unknown_mids": (12, 42, 60, 61, 62, 63, 64, 65),
        "refuse": {40: 97},
        "operations": (1, 2, 3),
    }
    cart = cart_with_curves(controller=options)
    cart.produce(2, 4000)
    assert kept(cart) == [(ident, what) for ident in (1, 2) for what in (2, 1, 0)], cart.counts()
    for lead, data, flags in curves_in(cart.station.graphs):
        if lead[gr.WHAT] == 2:
            assert samples_in(data) == tuple(curves(cart.controller.result(ident_of(lead)), 400)[0])
            assert lead[gr.UNIT] == 12 and lead[gr.NUMERATOR] == 10 and lead[gr.DENOMINATOR] == 1 and flags == 0
    assert cart.counted(counter.TRACES_ODD) == 0 and cart.ids() == [1, 2]


def test_results_are_acknowledged_whatever_curves_come_between_them():
    cart = cart_with_curves()
    data = curve_frames.curve_data(5, TIME, 1, 2, 1, (1, 2, 3), (), ())
    hostile = [
        message(900, data),
        message(900, data[:40]),
        message(900, data[:-7] + b"1" + data[-6:]),  # no NUL
        message(900, curve_frames.curve_data(5, TIME, 1, 2, 1, (), (), ())),
        message(900, b""),
        message(900, b"\0" * 200),
        message(900, b"\xff" * 3000),
        message(900, data, 7),
        message(901, b"9" * 32),
        message(900, b"9" * 5000),
    ]
    for index in range(len(hostile)):
        cart.controller.inject(hostile[index])
        cart.produce(1, 3000)
        assert cart.ids() == list(range(1, index + 2)), (index, cart.counts())
    assert cart.counted(counter.CONTROLLER_CONNECTS) == 1
    assert cart.counted(counter.TRACES_LOST) == 9 and cart.counted(counter.TRACES_ODD) == 1, lost(cart)
    assert LOST_CUT in lost(cart) and LOST_EMPTY in lost(cart) and LOST_UNREADABLE in lost(cart)


def test_a_long_result_fits_beside_a_curve_that_comes_in_parts():
    cart = cart_with_curves(controller={"trace_delay_ms": 5000}, settings={"controller": {"result_revisions": [11]}})
    data = curve_frames.curve_data(5, TIME, 1, 2, 1, tuple(range(1930)), (), ())
    frame = bytearray(message(900, data))
    assert 3900 < len(frame) < 4096 - 128
    frame[18:20] = b"21"
    cart.controller.inject(bytes(frame))
    cart.produce(1, 1000)
    assert cart.ids() == [1] and cart.counted(counter.CONTROLLER_MALFORMED) == 0


def test_a_larger_receive_buffer_takes_longer_curves():
    frame = message(900, curve_frames.curve_data(5, TIME, 1, 2, 1, tuple(range(2500)), (), ()))
    for octets, count in ((4096, 0), (6000, 1)):
        cart = cart_with_curves(settings={"controller": {"buffer_bytes": octets if count else 1024}})
        cart.controller.inject(frame)
        cart.run(3000)
        assert len(kept(cart)) == count and lost(cart) == [LOST_CUT] * (1 - count)
        assert len(cart.station.session.link.buf) == octets
