"""What is asked by the way: the controller's clock, and the limits of parameter sets. No result waits for it."""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.counters import Counters
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol.queries import LIMITS, SETS, ParameterSetLimits, _seconds_apart
from toolcart.agent.openprotocol.session_states import EV_QUERY, EV_QUERY_REJECTED
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import ORIGIN_BYTES
from toolcart.base.clock import seconds_of, stamp_text
from host_tests.portable import stub
from host_tests.support.frames import message
from host_tests.support.heap import allocated, heap_tools
from host_tests.support.world import CONTROLLER, Cart

PORTABLE = True
HEAP = "4m"

CHANGED = b"2024-02-01:08:00:00"


def cart_of(clock="off", limits="off", **options):
    return Cart(
        controller=dict({"max_clients": 9}, **options), settings={"controller": {"clock": clock, "limits": limits}}
    ).ready()


def ahead(cart):
    return cart.station.intake.queries.clock.ahead_s


# -- the clock -----------------------------------------------------------------------------------------------------


def test_clock_that_is_apart_is_set_once_where_the_settings_say_so():
    cart = cart_of("set", clock_ahead_s=-4000)
    cart.run(3000)
    assert (cart.controller.messages[80], cart.controller.messages[82]) == (2, 1)
    assert abs(cart.controller.options.clock_ahead_s) <= 1 and abs(ahead(cart)) <= 1
    assert (cart.counted(counter.CLOCK_APART), cart.counted(counter.CLOCK_SET)) == (1, 1)
    assert cart.controller.complaints == []
    cart = cart_of("set", clock_ahead_s=2)
    cart.run(3000)
    assert 82 not in cart.controller.messages


def test_nothing_is_asked_while_no_one_knows_the_time():
    cart = Cart(settings={"controller": {"clock": "set"}}, controller={"clock_ahead_s": 900}, on=False)
    cart.make_board.clock_is_set = lambda board: False
    try:
        cart.boot()
        cart.ready()
        cart.run(1300000)
        assert 80 not in cart.controller.messages and ahead(cart) is None
        cart.make_board.clock_is_set = lambda board: True
        cart.run(700000)
        assert cart.controller.messages[82] == 1
    finally:
        del cart.make_board.clock_is_set


def test_time_that_is_none_is_counted():
    cart = cart_of("check")
    cart.controller.stamp = lambda: "2024-13-41:25:61:61"
    cart.network.cut(CONTROLLER[0], CONTROLLER[1])
    cart.run(60000)
    assert ahead(cart) is None and cart.counted(counter.CONTROLLER_MALFORMED) == 1 and cart.is_ready()


def test_seconds_between_two_times():
    times = (0, 951782399, 951782400, 1709164800, 1709251199, 4102444799, 1710408413)
    for one in times:
        for other in times:
            apart = _seconds_apart(b"#" + stamp_text(one).encode(), 1, stamp_text(other).encode())
            assert apart == one - other
        assert seconds_of(stamp_text(one)) == one


def test_results_are_not_held_up_by_an_answer_that_does_not_come():
    cart = cart_of("check", "ask", refuse={80: None, 12: None})
    for _ in range(6):
        cart.produce(1, 400)
        assert cart.controller.acknowledged == cart.controller.produced
    cart.run(100000)
    assert cart.is_ready() and cart.controller.connections == 1 and cart.stored_ids() == cart.controller.produced


# -- limits --------------------------------------------------------------------------------------------------------


LIMIT_PLACES = ((res.TORQUE_MIN, 6), (res.TORQUE_MAX, 6), (res.TORQUE_TARGET, 6))
LIMIT_PLACES += ((res.ANGLE_MIN, 5), (res.ANGLE_MAX, 5), (res.ANGLE_TARGET, 5))


def limits_of(cart):
    """Return for each stored result (parameter set, torque min, max, target, angle min, max, target) or None."""
    limits = []
    for payload in cart.stored():
        body = res.HEAD_BYTES
        at = body + res.BODY_BYTES
        pset = int(payload[body + res.PSET : body + res.PSET + 4])
        if len(payload) == at:
            limits.append((pset, None))
            continue
        assert len(payload) in (at + res.LIMITS_BYTES, at + res.LIMITS_BYTES + ORIGIN_BYTES)
        limits.append((pset, [int(payload[at + place : at + place + width]) for place, width in LIMIT_PLACES]))
    return limits


def produce(cart, *psets):
    for pset in psets:
        cart.produce(1, 1000, pset=pset, pset_change=cart.controller.psets[pset].changed)


ONE = [900, 1100, 1000, 30, 90, 60]
TWO = [2200, 2800, 2500, 45, 120, 70]


def test_limits_follow_each_result_from_the_second_of_its_set_on():
    for revisions, requests in (((1, 2), 3), ((1, 2, 5), 2)):
        cart = cart_of(limits="ask", pset_data_revisions=revisions)
        produce(cart, 1, 1, 2, 1, 2)
        assert limits_of(cart) == [(1, None), (1, ONE), (2, None), (1, ONE), (2, TWO)]
        assert cart.controller.messages[12] == requests, "revision 5 is tried once"
        assert cart.controller.complaints == []


def test_what_is_not_there_is_asked_for_once_a_connection():
    for code, requests in ((2, 1), (99, 1), (97, 2), (None, 1), (1, 1)):
        cart = cart_of(limits="ask", refuse={12: code})
        for _ in range(5):
            produce(cart, 1)
            cart.run(6000)
        assert cart.controller.messages[12] == requests, code
        assert [limits for _, limits in limits_of(cart)] == [None] * 5 and cart.is_ready()
        cart.network.cut(CONTROLLER[0], CONTROLLER[1])
        cart.run(60000)
        assert cart.controller.messages[12] == 2 * requests, code


def test_a_refusal_for_the_moment_is_asked_again():
    cart = cart_of(limits="ask", refuse_once=[(12, 98), (12, 98)])
    produce(cart, 1)
    cart.run(20000)
    produce(cart, 1)
    assert limits_of(cart) == [(1, None), (1, ONE)]


def test_a_set_without_a_date_and_set_0_have_no_limits():
    for text in ("Last Change Unknown", "", "0000-00-00:00:00:00"):
        cart = cart_of(limits="ask")
        cart.produce(pset=1, pset_change=text)
        cart.produce(1, 5000, pset=0)
        assert 12 not in cart.controller.messages and [limits for _, limits in limits_of(cart)] == [None, None]


class Session:
    """As much of a session as limits ask for."""

    def __init__(self):
        self.request = rq.Request()
        self.link = stub(at=0)
        self.received = stub(revision=1, mid=13)

    def answer(self, data, revision=1):
        self.link.buf = b"#" * 7 + message(13, data)
        self.link.at = 7
        self.link.length = len(self.link.buf) - 7
        self.received.revision = revision


def body_of(pset, changed=CHANGED):
    body = bytearray(b" " * (res.BODY_BYTES + res.LIMITS_BYTES))
    body[res.PSET : res.PSET + 4] = b"%04d" % pset
    body[res.PSET_CHANGE : res.PSET_CHANGE + len(changed)] = changed
    return body


def answer_for(pset, torque=b"000900"):
    return (
        b"01%03d02" % pset
        + b" " * 25
        + b"0310406"
        + b"05"
        + torque
        + b"06001100"
        + b"07001000"
        + b"0800030"
        + (b"0900090" + b"1000060")
    )


def test_no_more_sets_are_kept_than_there_is_room_for():
    limits, session, counters = ParameterSetLimits(), Session(), Counters()
    for pset in range(1, 3 * SETS):
        assert limits.put(body_of(pset), 0) == 0
        assert limits.ask(session, 0) and session.request.row is LIMITS
        session.answer(answer_for(pset))
        limits.take(EV_QUERY, session, counters, 0)
        assert limits.put(body_of(pset), 0) == res.LIMITS_BYTES
        assert not limits.ask(session, 0)
    assert len(limits._places) == SETS and len(limits._sets) == SETS * 61
    assert limits.put(body_of(1), 0) == 0, "the oldest has gone"


def test_answers_that_are_none_do_no_harm():
    for data, revision in (
        (answer_for(7), 1),  # of another set
        (answer_for(1)[:-1] + b"x", 1),
        (answer_for(1, b"-00900"), 1),
        (b"\xff" * 84, 1),
        (b"00000000" + b"x" * 80, 4),
        (answer_for(1), 5),  # without the date that revision 5 has
    ):
        limits, session, counters = ParameterSetLimits(), Session(), Counters()
        limits.put(body_of(1), 0)
        assert limits.ask(session, 0)
        session.answer(data, revision)
        limits.take(EV_QUERY, session, counters, 0)
        body = body_of(1)
        octets = limits.put(body, 0)
        assert octets in (0, res.LIMITS_BYTES)
        for at in range(res.BODY_BYTES, res.BODY_BYTES + octets):
            assert body[at] == 0x20 or 0x30 <= body[at] <= 0x39
        limits.take(EV_QUERY_REJECTED, session, counters, 0)  # nothing is asked
    assert counters.counts[counter.CONTROLLER_UNKNOWN] == 0


def test_date_of_the_answer_is_what_its_limits_hold_for():
    limits, session, counters = ParameterSetLimits(), Session(), Counters()
    limits.put(body_of(1), 0)
    limits.ask(session, 0)
    newer = b"2024-03-01:08:00:00"
    session.answer(answer_for(1) + b"11000500" + b"12000250" + b"13" + newer, 5)
    limits.take(EV_QUERY, session, counters, 0)
    assert limits.put(body_of(1, newer), 0) == res.LIMITS_BYTES
    assert limits.put(body_of(1), 0) == 0


def test_answer_to_what_was_asked_before_the_set_changed_is_not_taken():
    limits, session, counters = ParameterSetLimits(), Session(), Counters()
    limits.put(body_of(1), 0)
    limits.ask(session, 0)
    newer = b"2024-03-01:08:00:00"
    assert limits.put(body_of(1, newer), 0) == 0
    session.answer(answer_for(1))  # revision 1 does not say when the set was changed
    limits.take(EV_QUERY, session, counters, 0)
    assert limits.put(body_of(1, newer), 0) == 0
    assert limits.ask(session, 0), "again"
    session.answer(answer_for(1))
    limits.take(EV_QUERY, session, counters, 0)
    assert limits.put(body_of(1, newer), 0) == res.LIMITS_BYTES


def test_limits_are_put_after_a_result_without_any_memory():
    limits, session = ParameterSetLimits(), Session()
    for pset in (1, 2):
        limits.put(body_of(pset), 0)
        limits.ask(session, 0)
        session.answer(answer_for(pset))
        limits.take(EV_QUERY, session, Counters(), 0)
    bodies = (body_of(1), body_of(2))

    def many():
        for _ in range(100):
            for body in bodies:
                assert limits.put(body, 0) == res.LIMITS_BYTES

    heap_tools()
    assert allocated(many) == 0
