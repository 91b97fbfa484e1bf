"""The whole path of a controller without MID 0060: each result once, in order, whatever is lost, cut or full."""

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.station.operations import RESERVE_RESULTS
from toolcart.agent.station.store import NOT_KEPT
from toolcart.sim import operation_frames as frames
from toolcart.sim import spindle_frames
from toolcart.sim.controller_spindles import OperationSession
from toolcart.sim.profiles import profile_options
from toolcart.sim.spindle_frames import spindles_of
from host_tests.support.frames import example_tightening, message
from host_tests.support.world import CONTROLLER, Cart, body_of
from lab.harness.cart import PIM, SERVER
from lab.harness.cart import Cart as WholeCart

PORTABLE = True
HEAVY = True
HEAP = "12m"

MT_FOCUS = profile_options("mt-focus-6000")
STEP_SYNC = profile_options("stepsync")


def cart_of(kind=None, **options):
    settings = {key: options.pop(key) for key in ("blocks", "toolsnet", "on", "seed") if key in options}
    return Cart(controller=dict(kind or MT_FOCUS, **options), **settings)


def inject(cart, *messages):
    cart.controller.inject(b"".join([octets + b"\0" for octets in messages]))
    cart.run(100)


def overall(**values):
    return message(1201, frames.overall_data(example_tightening(**values), 2), 2)


def part(**values):
    result = example_tightening(**values)
    return message(1202, frames.object_data(result, 2, frames.own_fields(result)), 2)


def test_controller_without_history_is_reported_and_its_results_go_on():
    cart = cart_of(operation_history=False).ready()
    cart.produce(2, 1500)
    cart.drop()
    cart.produce()
    cart.settle()
    cart.produce(2, 1500)
    assert cart.stored_ids() == [1, 2, 4, 5]
    assert cart.station.recovery.phase == phases.PHASE_OFF


def test_part_that_is_lost_is_counted_and_its_result_fetched():
    cart = cart_of().ready()
    cart.produce(2, 1500)
    cart.controller.sessions[0].operation_revision = 0  # the push of the next one is lost but for its first part
    cart.produce()
    result = cart.controller.result(3)
    inject(cart, message(1201, frames.overall_data(result, 2), 2))
    assert cart.stored_ids() == [1, 2]
    cart.run(20000)  # no other result comes, and no new connection
    cart.settle()
    assert cart.stored_ids() == [1, 2, 3]
    assert cart.counted(counter.CONTROLLER_MALFORMED) == 1 and cart.counted(counter.RECOVERED) == 1


def test_second_part_whose_first_one_was_lost_lets_result_be_asked_for():
    cart = cart_of().ready()
    cart.produce(2, 1500)
    session = cart.controller.sessions[0]
    session.operation_revision = 0
    cart.produce()
    session.operation_revision = 2
    result = cart.controller.result(3)
    inject(cart, message(1202, frames.object_data(result, 2, frames.own_fields(result)), 2))
    cart.run(20000)  # its first part may come yet
    cart.settle()
    assert cart.stored_ids() == [1, 2, 3]
    assert cart.counted(counter.CONTROLLER_MALFORMED) == 1 and cart.counted(counter.RECOVERED) == 1


def test_parts_that_are_doubled_late_or_foreign_are_counted_and_change_nothing():
    cart = cart_of().ready()
    cart.produce(1, 1500)
    before = cart.stored()
    result = cart.controller.result(1)
    own = message(1202, frames.object_data(result, 2, frames.own_fields(result)), 2)
    for index, frame in enumerate((own, part(tightening_id=2), own)):
        inject(cart, frame)
        cart.run(20000)
        assert cart.counted(counter.CONTROLLER_MALFORMED) == index + 1
    assert cart.stored() == before and cart.gone() == [(2, 2)]  # it was shown, and is not there
    inject(cart, message(1201, frames.overall_data(result, 2), 2), own)
    assert cart.stored() == before and cart.counted(counter.DUPLICATES) == 1


def test_part_that_no_one_can_read_is_kept_as_it_came():
    cart = cart_of().ready()
    cart.produce(1, 1500)
    frame = bytearray(overall(tightening_id=2))
    frame[30] = 0x58
    inject(cart, bytes(frame))
    assert cart.raw() == [bytes(frame)] and cart.counted(counter.RAW) == 1
    cart.produce(1, 1500)
    assert cart.stored_ids() == [1, 2]


# A damaged part: kept as it came, and nothing of it goes out as a figure.


def parts_of(count, number=1):
    """Return MID 1201 and a MID 1202 for each object of an operation."""
    result = example_tightening(tightening_id=number)
    objects = spindle_frames.spindles_of(result, count)
    idents = frames.object_ids(count)
    listed = [(idents[index], objects[index].status, 2, 0) for index in range(count)]
    first = message(1201, frames.overall_data(result, 2, 1 + count, 8, FIELDS, listed), 2)
    fields = [frames.standard_fields(result, one) for one in objects]
    return [first] + [
        message(1202, frames.object_data(result, 2, fields[index], 1 + count, index + 2, idents[index]), 2)
        for index in range(count)
    ]


FIELDS = ((1000, 2, 0, "7"),)
LONGER = (b"02001005", b"999", 5)  # the torque's field says that it is longer
NO_TORQUE = (b"02001005", b"050", 10)  # its unit is that of an angle
NO_FIGURE = (b"02001005", b"12x4", 17)
NO_COUNT = (b"456789abcdef", b"09x", 12)  # of the fields


def spoiled(frame, how):
    mark, octets, by = how
    assert frame.count(mark) == 1
    at = frame.find(mark) + by
    return frame[:at] + octets + frame[at + len(octets) :]


def test_damaged_object_is_kept_as_it_came_and_shows_no_figure():
    for how in (LONGER, NO_TORQUE, NO_FIGURE, NO_COUNT):
        for index in range(3):
            cart = cart_of(STEP_SYNC, operation_history=False).ready()
            wanted = parts_of(3)
            messages = list(wanted)
            messages[1 + index] = spoiled(messages[1 + index], how)
            inject(cart, *messages)
            assert cart.raw() == [messages[1 + index]] and cart.counted(counter.RAW) == 1, (how, index)
            (payload,) = cart.stored()
            one = spindle_frames.spindles_of(example_tightening(tightening_id=1), 3)
            rows = [(100 + o.number, o.status, o.torque, o.angle) for o in one if o.number != index + 1]
            assert rows_kept(payload) == rows and sp.announced_of(payload, 0) == 3, (how, index)
            assert int(body_of(payload)[res.TORQUE : res.ANGLE]) == rows[0][2] and cart.counted(counter.ODD_FIELDS) == 1
            inject(cart, *parts_of(3, 2))
            assert cart.stored_ids() == [1, 2] and cart.counted(counter.RAW) == 1


def test_operation_without_a_proven_object_is_kept_as_it_came():
    for count in (1, 2, 3):
        for how in (LONGER, NO_TORQUE, NO_FIGURE):
            cart = cart_of(STEP_SYNC, operation_history=False).ready()
            first, *others = parts_of(count)
            messages = [first] + [spoiled(one, how) for one in others]
            inject(cart, *messages)
            assert cart.stored_ids() == [] and sorted(cart.raw()) == sorted(messages), (count, how)
            inject(cart, *messages)
            assert cart.counted(counter.RAW) == 1 + count and cart.stored_ids() == []
            inject(cart, *parts_of(count, 2))
            assert cart.stored_ids() == [2]


def kept_of(cart, messages):
    """Say of each MID 1202 that was acknowledged whether its object is a row, or it is kept as it came."""
    rows = [row[0] for payload in cart.stored() for row in rows_kept(payload)] if cart.stored() else []
    return [one in cart.raw() or int(one[36:40]) in rows for one in messages]


def frames_of(revision, data_revision, count, declared=None, total=None):
    """Return the messages of an operation whose MID 1201 has data of another revision or count than it says."""
    result = example_tightening(tightening_id=1)
    objects = spindle_frames.spindles_of(result, count)
    idents = frames.object_ids(count)
    listed = [(idents[index], objects[index].status, 2, 0) for index in range(count)]
    total = 1 + count if total is None else total
    data = bytearray(frames.overall_data(result, data_revision, total, 8, FIELDS, listed))
    if declared is not None:
        at = 58 - 20 if data_revision == 1 else 62 - 20
        data[at : at + 3] = b"%03d" % declared
    first = message(1201, bytes(data), revision)
    fields = [frames.standard_fields(result, one) for one in objects]
    return [first] + [
        message(1202, frames.object_data(result, 1, fields[index], total, index + 2, idents[index]), 1)
        for index in range(count)
    ]


def test_object_that_its_overall_result_does_not_name_is_kept_as_it_came():
    for case in (
        (1, 1, 2, 1),
        (1, 1, 2, 0),
        (2, 2, 3, 2),
        (3, 3, 3, 1),
        (2, 1, 2),
        (3, 1, 2),
        (3, 2, 4),
        (1, 2, 2),
        (1, 3, 2),
        (2, 3, 2),
        (1, 1, 60, 1),
        (1, 2, 60),
    ):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        first, *others = frames_of(*case)
        inject(cart, first, *others)
        assert cart.controller.messages[1203] == 1 + len(others), case
        one_body = (
            len(cart.stored()) == 1 and len(cart.stored()[0]) == res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES
        )
        if one_body:  # without rows: the first object's figures are the result's
            assert [one in cart.raw() for one in others] == [False] + [True] * (len(others) - 1), case
        else:
            assert all(kept_of(cart, others)), case
        assert first in cart.raw() and cart.counted(counter.RAW) == len(cart.raw()), case


def test_object_named_twice_or_not_at_all_leaves_no_figure_that_was_not_made():
    first, one, two, three = parts_of(3)
    foreign = two[:36] + b"0999" + two[40:]
    for messages, rows in (
        ((first, one, foreign, three), (101, 103)),
        ((first, one, two[:36] + b"0101" + two[40:], three), (101, 103)),
    ):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *messages)
        (payload,) = cart.stored()
        assert tuple([row[0] for row in rows_kept(payload)]) == rows and sp.announced_of(payload, 0) == 3
        assert cart.raw() == [messages[2]] and cart.counted(counter.RAW) == 1
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    messages = [first] + [message_[:36] + b"0999" + message_[40:] for message_ in (one, two, three)]
    inject(cart, *messages)
    assert cart.stored() == [] and sorted(cart.raw()) == sorted(messages)


def test_operation_with_fewer_messages_than_objects_has_no_row_without_figures():
    first, one, *_ = parts_of(3)
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, first[:20] + b"002" + first[23:], one[:20] + b"002" + one[23:])
    (payload,) = cart.stored()
    assert [row[0] for row in rows_kept(payload)] == [101] and sp.announced_of(payload, 0) == 3
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    alone = first[:20] + b"001" + first[23:]
    inject(cart, alone)
    assert cart.stored() == [] and cart.raw() == [alone]


def test_damaged_overall_result_is_kept_beside_its_proven_objects():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    first, *others = parts_of(2)
    first = spoiled(first, (b"0100000102", b"999", 5))
    inject(cart, first, *others)
    (payload,) = cart.stored()
    assert cart.raw() == [first] and len(rows_kept(payload)) == 2 and cart.counted(counter.ODD_FIELDS) == 1


def test_damaged_result_that_is_fetched_is_kept_once_and_not_gone():
    for kind in (MT_FOCUS, STEP_SYNC):
        cart = cart_of(kind).ready()
        cart.produce(2, 1500)
        cart.drop()
        cart.produce(2)
        real = frames.own_fields if kind is MT_FOCUS else frames.standard_fields
        name = "own_fields" if kind is MT_FOCUS else "standard_fields"

        def damaged(result, *more, real=real):
            fields = real(result, *more)
            torque = tuple([(one[0], one[1], 50, one[3]) if one[0] in (2001, 30237) else one for one in fields])
            return torque if result.tightening_id == 3 else fields

        setattr(frames, name, damaged)
        try:
            cart.settle()
        finally:
            setattr(frames, name, real)
        cart.run(120000)
        assert cart.stored_ids() == [1, 2, 4] and cart.gone() == [] and cart.station.ledger.gone() == 0
        assert sorted([frame[4:8] for frame in cart.raw()]) == [b"1201", b"1202"]
        assert missing_most(cart.station.ledger) == 0


# A MID 1201 that cannot be read: with it each of its MIDs 1202 is kept as it came.


def timed(frame, time):
    """Return the MID 1201 with this as its time."""
    return frame[:36] + time + frame[36 + len(time) :]


def unread_overall(first):
    """Return the MID 1201 `first` so that it cannot be read, in several ways."""
    return (
        first[:20] + b"000000" + first[26:],
        timed(first, b"30.11.2026:08:00:00"),
        timed(first, b"2026-11x30:08:00:00"),
        first[:26] + b"        1x" + first[36:],
        first[:8] + b"004" + first[11:],
    )


def test_time_with_other_separators_is_read():
    for kind in (MT_FOCUS, STEP_SYNC):
        wanted = None
        for time in (b"2026-11-30:08:00:00", b"2026.11.30:08:00:00", b"2026-11-30T08:00:00", b"2026/11/30 08.00.00"):
            cart = cart_of(kind, operation_history=False).ready()
            cart.run(1000)
            first, one = parts_of(1)
            inject(cart, timed(first, time), one)
            assert cart.stored_ids() == [1] and cart.raw() == [], time
            wanted = wanted or cart.stored()
            assert cart.stored() == wanted, time


def test_parts_of_an_overall_result_that_cannot_be_read_are_kept_as_they_came_before_they_are_acknowledged():
    for way in range(5):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        first, one, two = parts_of(2)
        first = unread_overall(first)[way]
        before = cart.controller.messages.get(1203, 0)
        for index, frame in enumerate((first, one, two)):
            inject(cart, frame)
            assert cart.raw() == [first, one, two][: index + 1], (way, index)
            assert cart.controller.messages[1203] == before + index + 1
        cart.cut()
        cart.until(cart.is_ready)
        cart.run(60000)
        assert cart.raw() == [first, one, two] and cart.stored() == [], way
        inject(cart, *parts_of(2, 2))
        assert cart.stored_ids() == [2] and len(cart.raw()) == 3


def test_parts_that_do_not_fit_an_overall_result_that_cannot_be_read_are_kept_as_they_came():
    first, one, two = parts_of(2)
    unread = unread_overall(first)[0]
    for others in (
        (one[:20] + b"009" + one[23:], two),  # with another total
        (one[:23] + b"001" + one[26:], two[:23] + b"002" + two[26:]),
        (one[:26] + b"0000000000" + one[36:], two[:26] + b"0000000000" + two[36:]),
        (one[:26] + b"0000000007" + one[36:], two[:26] + b"0000000008" + two[36:]),
        (one[:20] + b"000000" + one[26:], two[:20] + b"000000" + two[26:]),
        (two, one),
    ):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, unread)
        for index, frame in enumerate(others):
            inject(cart, frame)
            assert cart.raw() == [unread] + list(others[: index + 1]), others
        cart.run(60000)
        assert len(cart.raw()) == 3 and cart.stored() == []
        assert cart.controller.messages[1203] == 3


def test_parts_in_front_of_an_overall_result_that_cannot_be_read_or_does_not_come_are_kept_as_they_came():
    first, one, two = parts_of(2)
    for way in range(6):
        unread = unread_overall(first)[way] if way < 5 else b""
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *([one, two] + ([unread] if unread else [])))
        assert cart.controller.messages[1203] == 2 + (way < 5)
        if way == 5:
            cart.run(15000)
        assert sorted(cart.raw()) == sorted([one, two] + ([unread] if unread else [])), way
        inject(cart, *parts_of(2, 2))
        assert cart.stored_ids() == [2]
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, one)
    cart.drop()
    cart.run(3000)
    cart.until(cart.is_ready)
    assert cart.raw() == [one]


def test_part_whose_overall_result_cannot_be_read_is_not_acknowledged_while_it_cannot_be_kept():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    first, one, _ = parts_of(2)
    inject(cart, unread_overall(first)[0])
    before = cart.controller.messages[1203]
    store = cart.station.intake.store
    put, store.put_unread = store.put_unread, lambda *message: NOT_KEPT
    inject(cart, one)
    assert cart.controller.messages[1203] == before
    store.put_unread = put
    cart.until(lambda: not cart.is_ready())
    cart.until(cart.is_ready)
    inject(cart, one)
    assert one in cart.raw() and cart.controller.messages[1203] == before + 1


def test_overall_result_that_comes_after_all_makes_its_result_whole():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    first, one, two = parts_of(2)
    inject(cart, unread_overall(first)[0], one, two, first)
    (payload,) = cart.stored()
    assert len(rows_kept(payload)) == 2 and cart.station.ledger.gone() == 0
    cart.run(60000)
    assert len(cart.raw()) == 3 and cart.station.ledger.gone() == 0


def test_fetched_result_whose_overall_result_cannot_be_read_is_kept_with_its_parts():
    real = frames.overall_data

    def unread(result, *more, real=real):
        data = real(result, *more)
        return b"000" + data[3:] if result.tightening_id == 3 else data

    for kind, options in ((MT_FOCUS, {}), (STEP_SYNC, {"objects": 3})):
        cart = cart_of(kind, **options).ready()
        cart.produce(2, 1500)
        cart.drop()
        cart.produce(2)
        frames.overall_data = unread
        try:
            cart.until(cart.is_ready)
            cart.run(2700000)
        finally:
            frames.overall_data = real
        kinds = sorted([frame[4:8] for frame in cart.raw()])
        assert kinds == [b"1201"] + [b"1202"] * options.get("objects", 1)


def ask_for_what_cannot_be_read(kind, way, number):
    """Return a cart that asks for what an outage took, and the times at which it asked for this one."""
    real, asked = OperationSession._parts, []

    def parts(session, result, revision, asked_with):
        made = real(session, result, revision, asked_with)
        if asked_with == 6 and result.tightening_id == number:
            asked.append(number)
            data = unread_overall(bytes(20) + bytes(made[0][2]))[way][20:]
            made[0] = made[0][:2] + (data,) + made[0][3:]
        return made

    OperationSession._parts = parts
    try:
        cart = cart_of(kind).ready()
        cart.produce(3, 1500)
        cart.network.down(*CONTROLLER)
        cart.network.cut(*CONTROLLER)
        cart.run(300)
        cart.produce(4, 1500)
        cart.network.up(*CONTROLLER)
        cart.until(cart.is_ready)
        cart.run(5000)
        cart.produce(1, 1500)
        cart.run(1200000)
        before = len(asked)
        cart.run(7200000)
        assert len(asked) == before < 40, "so often"
    finally:
        OperationSession._parts = real
    return cart


def test_answer_whose_overall_result_cannot_be_read_is_asked_for_so_often_and_counts():
    for kind in (MT_FOCUS, STEP_SYNC):
        for way, number in ((0, 5), (1, 4), (2, 5), (3, 7)):
            cart = ask_for_what_cannot_be_read(kind, way, number)
            stored = cart.stored_ids()
            left = [one for one in range(1, 9) if one not in stored]
            assert left == [number], "what is behind it does not wait for it"
            assert cart.gone() == [(number, number)]
            assert {frame[4:8] for frame in cart.raw()} == {b"1201", b"1202"}


# An operation that does not become whole: what was acknowledged of it is stored later, or counted as gone.


def unfinished(number):
    """Return messages of an operation of two objects that never becomes whole, in several ways."""
    first, one, two = parts_of(2, number)
    return (
        (first, two),
        (two, one),
        (one, first, one),
        (first, one, two[:20] + b"004" + two[23:]),
        (two[:20] + b"004" + two[23:], first, one),
        (first[:20] + b"002" + first[23:], one, two),
        (first,),
    )


def test_operation_that_does_not_become_whole_is_counted_though_it_is_the_last():
    for index, messages in enumerate(unfinished(1)):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *messages)
        cart.run(60000)
        assert cart.stored() == [] and cart.gone() == [(1, 1)] and cart.station.ledger.gone() == 1, index
        assert all(one in cart.raw() for one in messages), index
        inject(cart, *unfinished(1)[index])
        cart.run(60000)
        inject(cart, *parts_of(2, 2))
        cart.run(60000)
        assert cart.stored_ids() == [2] and cart.gone() == [(1, 1)] and cart.station.ledger.gone() == 1, index
        inject(cart, *unfinished(3)[index])
        cart.run(60000)
        assert cart.gone() == [(1, 1), (3, 3)] and cart.station.ledger.gone() == 2, index
        inject(cart, *parts_of(2, 5))
        cart.run(60000)
        assert cart.stored_ids() == [2, 5] and cart.station.ledger.gone() == 3, index


def test_operation_that_comes_again_whole_is_not_gone():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, *parts_of(2, 1))
    inject(cart, *unfinished(2)[0])
    cart.run(3000)
    inject(cart, *parts_of(2, 2))
    cart.run(120000)
    assert cart.stored_ids() == [1, 2] and cart.station.ledger.gone() == 0
    inject(cart, parts_of(2, 3)[0])
    cart.drop()
    cart.run(1000)
    cart.until(cart.is_ready)
    inject(cart, *parts_of(2, 3))
    cart.run(120000)
    assert cart.stored_ids() == [1, 2, 3] and cart.station.ledger.gone() == 0
    inject(cart, parts_of(2, 4)[0])
    cart.drop()
    cart.run(120000)
    assert cart.stored_ids() == [1, 2, 3] and cart.gone() == [(4, 4)]


def test_operation_that_history_does_not_have_whole_either_is_counted():
    for kind, options in ((MT_FOCUS, {}), (STEP_SYNC, {"objects": 2}), (STEP_SYNC, {"objects": 2, "operations": (1,)})):
        for bad in (1, 3):
            real = frames.object_data

            def broken(result, revision, fields, total=2, number=2, ident=1, bad=bad, real=real):
                return real(result, revision, fields, total, number + (result.tightening_id == bad), ident)

            frames.object_data = broken
            try:
                cart = cart_of(kind, **options).ready()
                cart.produce(bad, 1500)
                cart.run(2700000)
                wanted = list(range(1, bad))
                assert cart.stored_ids() == wanted and cart.gone() == [(bad, bad)], (options, bad)
                assert cart.station.ledger.gone() == 1
                cart.produce(1, 1500)
                cart.run(2700000)
                assert cart.stored_ids() == wanted + [bad + 1] and cart.station.ledger.gone() == 1, (options, bad)
                assert missing_most(cart.station.ledger) == 0
            finally:
                frames.object_data = real


def shown_first(cart, *numbers):
    """Send the MID 1201 of each of these, which is acknowledged, and lose the connection behind it."""
    for number in numbers:
        inject(cart, parts_of(2, number)[0])
        cart.drop()
        cart.run(1000)
        cart.until(cart.is_ready)


def test_each_id_of_which_a_part_was_acknowledged_is_counted_if_nothing_has_it():
    for boots in (False, True):
        for stored in (0, 2):
            cart = cart_of(STEP_SYNC, operation_history=False).ready()
            for number in range(1, stored + 1):
                inject(cart, *parts_of(2, number))
            shown_first(cart, stored + 1, stored + 2)
            if boots:
                cart.cut()
                cart.until(cart.is_ready)
            cart.run(120000)
            assert cart.station.ledger.gone() == 2 and len(cart.stored_ids()) == stored, (boots, stored)
            inject(cart, *parts_of(2, stored + 3))
            cart.run(120000)
            assert cart.stored_ids() == list(range(1, stored + 1)) + [stored + 3]
            assert cart.station.ledger.gone() == 2 or boots, (boots, stored)


def test_first_results_of_which_parts_were_acknowledged_are_counted_though_others_follow_at_once():
    for history in (False, True):
        for first in (1, 1001):
            cart = cart_of(STEP_SYNC, operation_history=history, objects=2)
            cart.until(cart.is_ready)
            for number in (first, first + 1):
                inject(cart, parts_of(2, number)[0])
                cart.drop()
                cart.until(cart.is_ready)
            cart.controller._next_id = first + 2
            cart.produce(3, 100)  # the controller keeps these
            cart.run(400000)
            assert cart.stored_ids() == [first + 2, first + 3, first + 4], (history, first)
            assert cart.station.ledger.gone() == 2, (history, first)


def test_parts_that_two_results_interleave_or_turn_round_are_each_its_own():
    first, second, third = parts_of(2, 1), parts_of(2, 2), parts_of(2, 3)
    for messages, gone in (
        ((first[0], second[0], first[1], second[1], first[2], second[2]), 0),
        ((second[0], first[0], first[1], second[1], first[2], second[2]), 0),
        ((first[1], first[0], first[2]), 0),
        ((first[2], second[2], second[1], first[0], second[0], first[1]), 0),
        ((second[0], first[0], second[1]), 2),
        ((first[0], first[1]), 1),
        ((first[0], second[0], third[0], second[1], second[2], third[1], third[2]), 1),
    ):
        cart = cart_of(STEP_SYNC, operation_history=False).ready()
        inject(cart, *messages)
        cart.cut()
        cart.until(cart.is_ready)
        cart.run(120000)
        assert cart.station.ledger.gone() + len(cart.stored_ids()) == len({bytes(one[26:36]) for one in messages})
        assert cart.station.ledger.gone() == gone, gone


def test_result_of_which_a_part_was_acknowledged_is_fetched_after_a_start():
    for stored in (0, 2):
        cart = cart_of(STEP_SYNC, objects=2).ready()
        cart.produce(stored, 1500)
        cart.controller.sessions[0].operation_revision = 0  # what follows is made, and pushed by its MID 1201 alone
        cart.produce(2)
        for number in (stored + 1, stored + 2):
            result = cart.controller.result(number)
            inject(cart, message(1201, frames.overall_data(result, 2, 3), 2))
        cart.cut()
        cart.settle()
        cart.run(120000)
        assert sorted(cart.stored_ids()) == list(range(1, stored + 3)) and cart.station.ledger.gone() == 0, stored


def test_overall_result_that_comes_last_makes_each_result_whole():
    parts = OperationSession._parts

    def turned(session, result, revision, asked_with):
        made = parts(session, result, revision, asked_with)
        return made[1:] + made[:1]

    for kind, options in ((MT_FOCUS, {}), (STEP_SYNC, {}), (STEP_SYNC, {"objects": 3, "operations": (1, 2, 3)})):
        for history in (True, False):
            cart = cart_of(kind, operation_history=history, **options).ready()
            cart.run(3000)
            OperationSession._parts = turned
            try:
                cart.produce(3, 1500)
                cart.drop()
                cart.produce(2 * history)
                cart.until(cart.is_ready)
                cart.run(20000)
                cart.produce(2, 1500)
                cart.run(30000)
            finally:
                OperationSession._parts = parts
            assert sorted(cart.stored_ids()) == cart.controller.produced, (options, history)
            assert cart.station.ledger.gone() == missing_most(cart.station.ledger) == cart.counted(counter.RAW) == 0
            assert cart.counted(counter.CONTROLLER_MALFORMED) == 0


def test_first_part_that_is_not_the_overall_result_is_durable_as_missing_before_it_is_acknowledged():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, parts_of(2, 1)[2])
    assert cart.controller.messages[1203] == 1 and cart.station.ledger.misses(1)
    cart.cut()
    cart.until(cart.is_ready)
    cart.run(60000)
    assert cart.gone() == [(1, 1)] and cart.station.ledger.gone() == 1


def test_part_that_has_no_place_is_kept_as_it_came_before_it_is_acknowledged():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    first, one, two = parts_of(2, 1)
    another = parts_of(2, 9)[1]
    another = another[:26] + one[26:36] + another[36:].replace(b"42.37", b"11.11")
    wrong_total = two[:20] + b"004" + two[23:]
    inject(cart, first, one, another, wrong_total)
    assert cart.raw() == [another, wrong_total] and cart.controller.messages[1203] == 4
    inject(cart, two)
    (payload,) = cart.stored()
    assert len(rows_kept(payload)) == 2 and cart.station.ledger.gone() == missing_most(cart.station.ledger) == 0


def test_result_that_could_not_be_stored_is_stored_when_its_last_part_comes_again():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    parts = parts_of(2, 1)
    put = cart.station.intake.store.put_taken
    cart.station.intake.store.put_taken = lambda now: NOT_KEPT
    inject(cart, *parts)
    assert cart.stored() == [] and cart.controller.messages[1203] == 2
    cart.station.intake.store.put_taken = put
    cart.until(lambda: not cart.is_ready())
    cart.until(cart.is_ready)
    inject(cart, parts[2])  # all that it still lacks an acknowledgement for
    assert cart.stored_ids() == [1] and cart.controller.messages[1203] == 3


def test_missing_results_are_asked_for_while_pushes_stay_incomplete():
    for kind in (MT_FOCUS, STEP_SYNC):
        cart = cart_of(kind).ready()
        cart.produce(3, 1500)
        cart.drop()
        cart.produce(4)
        cart.until(cart.is_ready)
        cart.controller.sessions[0].operation_revision = 0  # what is pushed from here on is a MID 1201 alone
        before = cart.controller.messages.get(6, 0)
        asked_ms = 0
        for _ in range(40):
            cart.produce(1, 0)
            result = cart.controller.result(cart.controller.produced[-1])
            inject(cart, message(1201, frames.overall_data(result, 2), 2))
            cart.run(400)
            asked_ms += 500 if cart.controller.messages.get(6, 0) == before else 0
        assert asked_ms <= 3000 and set(range(1, 8)) <= set(cart.stored_ids()), (kind, asked_ms)
        cart.run(60000)
        assert sorted(cart.stored_ids()) == cart.controller.produced and cart.station.ledger.gone() == 0


def test_result_whose_parts_are_coming_is_not_asked_for():
    cart = cart_of(STEP_SYNC).ready()
    cart.produce(1, 1500)
    cart.controller.sessions[0].operation_revision = 0
    cart.produce(1, 0)
    result = cart.controller.result(2)
    whole = frames.overall_data(result, 1), frames.object_data(result, 1, frames.standard_fields(result))
    inject(cart, message(1201, whole[0]))
    cart.controller.forget(2)  # asked for it would say that it has no such result
    cart.run(8000)
    inject(cart, message(1202, whole[1]))
    cart.run(20000)
    assert cart.stored_ids() == [1, 2] and cart.station.ledger.gone() == 0


def test_part_is_not_acknowledged_while_its_id_cannot_be_noted():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    cart.run(1000)
    before = cart.controller.messages.get(1203)
    cart.station.ledger.commit = lambda: False
    inject(cart, parts_of(2, 1)[0])
    assert cart.controller.messages.get(1203) == before
    assert cart.station.intake.cannot_store


def test_answer_with_its_parts_turned_round_keeps_nothing_from_the_others():
    cart = cart_of(MT_FOCUS).ready()
    cart.produce(2, 1500)
    cart.drop()
    cart.produce(6)
    object_data = frames.object_data
    frames.object_data = lambda result, revision, fields, total=2, number=2, ident=1: object_data(
        result, revision, fields, total, number + (result.tightening_id == 4), ident
    )
    try:
        cart.until(cart.is_ready)
        for _ in range(10):  # an unusable part of the answer for 4 comes again and again
            cart.run(20000)
            inject(cart, part(tightening_id=4))
        assert sorted(cart.stored_ids()) == [1, 2, 3, 5, 6, 7, 8]
    finally:
        frames.object_data = object_data


def test_wait_that_ends_names_the_message_that_was_waited_in():
    cart = cart_of(STEP_SYNC, operation_history=False).ready()
    inject(cart, parts_of(2)[0])
    cart.run(20000)
    assert cart.counted(counter.CONTROLLER_MALFORMED) == 1
    assert [
        value for _, code, value in cart.station.counters.log.entries() if code == counter.CONTROLLER_MALFORMED
    ] == [1201]


def test_any_split_of_the_input_gives_the_same():
    wanted = None
    octets = overall(tightening_id=1) + b"\0" + part(tightening_id=1) + b"\0"
    for size in (len(octets), 1, 7, 127, 128, 129, 500):
        cart = cart_of().settle()
        for start in range(0, len(octets), size):
            cart.controller.inject(octets[start : start + size])
            cart.run(1)
        cart.run(100)
        assert cart.stored_ids() == [1]
        wanted = wanted or cart.stored()
        assert cart.stored() == wanted


def test_message_longer_than_the_usual_buffer_is_read_whole():
    cart = cart_of().ready()
    result = example_tightening(tightening_id=1)
    fields = ((30208, 4, 0, "x" * 900),) * 8 + frames.own_fields(result)
    frame = message(1202, frames.object_data(result, 2, fields), 2)
    assert len(frame) > 8000
    inject(cart, overall(tightening_id=1), frame)
    assert cart.stored_ids() == [1] and cart.counted(counter.ODD_FIELDS) == cart.counted(counter.CUT_SHORT) == 0


# -- a full spool --------------------------------------------------------------------------------------------------


def fill(cart):
    """Let the controller go on until the spool has ended the session; nothing takes what is in it."""
    for _ in range(2000):
        if cart.station.intake.cannot_store:
            return cart
        cart.produce(1, 5)
    raise AssertionError("it does not get full")


def test_full_spool_ends_the_session_with_room_for_results_under_way():
    for unit in (16, 256, 512):
        cart = Cart(controller=dict(MT_FOCUS, refuse={40: 97, 3: None}), blocks=8, on=False)  # it hears no MID 0003
        cart.device.unit_bytes = unit
        cart.boot()
        fill(cart.ready())
        assert cart.controller.sessions[0].alive
        for _ in range(RESERVE_RESULTS - 2):  # pushed while the session ends
            cart.produce(1, 100)
        made = len(cart.controller.produced)
        cart.run(5000)
        assert not cart.controller.sessions and cart.counted(counter.REFUSED_FULL) == 0, unit
        assert cart.stored_ids() == list(range(1, made + 1)), unit


def test_controller_met_without_a_reserve_is_left_before_it_pushes_anything():
    cart = cart_of(on=False)
    cart.boot()
    cart.step()
    room = [1000]
    cart.station.log.has_room = lambda octets: octets <= room[0]
    cart.run(30000)
    assert 8 not in cart.controller.messages and cart.controller.messages[3] == 1
    assert (
        cart.station.intake.cannot_store
        and cart.counted(counter.REPEATS_NOTHING) == cart.counted(counter.CONTROLLER_CONNECTS) == 1
    )
    room[0] = 100000
    cart.ready()
    cart.clean()


def test_nothing_is_acknowledged_after_a_result_that_was_not_stored():
    cart = cart_of(STEP_SYNC).settle()
    store = cart.station.intake.store
    put = store.put_taken
    refused = []

    def refuses_once(now):
        if refused:
            return put(now)
        refused.append(now)
        return NOT_KEPT

    store.put_taken = refuses_once
    inject(cart, overall(tightening_id=1), part(tightening_id=1), overall(tightening_id=2), part(tightening_id=2))
    assert cart.stored_ids() == [] and cart.controller.messages[1203] == 1  # for the first part alone


def test_full_spool_that_empties_gets_what_was_made_meanwhile():
    cart = cart_of(blocks=8, toolsnet={}).ready()
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    fill(cart)
    cart.produce(30, 1000)
    cart.network.up(*PIM)
    cart.until_quiet(3600000)
    assert cart.ids() == list(range(1, len(cart.controller.produced) + 1))
    assert cart.counted(counter.RECOVERED) >= 29 and cart.counted(counter.REFUSED_FULL) == 0
    cart.clean()


# -- cuts ----------------------------------------------------------------------------------------------------------


def test_cut_at_any_moment_loses_and_doubles_nothing():
    for after in range(0, 60, 3):
        cart = cart_of(seed=after + 1).ready()
        cart.produce(2, 1500)
        cart.produce(1, after)
        cart.cut()
        cart.produce()
        cart.settle()
        assert cart.stored_ids() == [1, 2, 3, 4], after
        cart.clean()


def test_connection_that_breaks_after_any_message_loses_nothing():
    for count in range(1, 14):
        cart = cart_of(drop_after_sent=[count]).ready()
        cart.produce(6, 700)
        cart.run(5000)
        cart.until(cart.is_ready)
        cart.settle()
        first = cart.stored_ids()[0]  # what was made before it was met is not ours
        assert cart.stored_ids() == list(range(first, 7)) and first <= 3, count


def rows_made(cart, number):
    """The objects of a result, as the controller made it."""
    return [
        (100 + one.number, one.status, one.torque, one.angle)
        for one in spindles_of(cart.controller.result(number), cart.controller.options.objects)
    ]


def rows_kept(payload):
    return [
        (one.number, one.status - 0x30, int(one.torque.replace(".", "")), int(one.angle))
        for one in sp.rows_of(payload, 0)
    ]


def test_every_object_of_an_operation_is_a_row_of_one_result():
    for options in ({"objects": 3}, {"objects": 4, "operations": (2, 3)}):
        cart = cart_of(STEP_SYNC, **options).settle()
        cart.produce(5, 1500)
        cart.drop()
        cart.produce(4)
        cart.controller.forget(7)
        cart.settle()
        wanted = [number for number in range(1, 10) if number != 7]
        assert sorted(cart.stored_ids()) == wanted and (7, 7) in cart.gone()
        for payload in cart.stored():
            number = int(body_of(payload)[res.TIGHTENING_ID :][:10])
            assert rows_kept(payload) == rows_made(cart, number)
            assert int(body_of(payload)[res.TORQUE : res.ANGLE]) == cart.controller.result(number).torque
        assert (
            cart.counted(counter.CONTROLLER_MALFORMED)
            == cart.counted(counter.ODD_FIELDS)
            == cart.counted(counter.CUT_SHORT)
            == 0
        )
        cart.clean()


def test_operation_with_several_objects_is_once_in_the_log_whatever_is_cut():
    for after in range(0, 60, 6):
        cart = cart_of(STEP_SYNC, objects=3, seed=after + 1).ready()
        cart.produce(2, 1500)
        cart.produce(1, after)
        cart.cut()
        cart.produce()
        cart.settle()
        assert sorted(cart.stored_ids()) == [1, 2, 3, 4], after
        cart.clean()


def test_operations_with_several_objects_wait_in_controller_while_the_spool_is_full():
    cart = WholeCart(controller=dict(STEP_SYNC, objects=6), blocks=8, toolsnet=None)
    cart.run(3000)
    cart.produce(120, 300)
    stored = cart.station.log.number
    assert 5 < stored < 120 and cart.counted(counter.CONTROLLER_CONNECTS) < 5
    cart._listen({}, 3000)
    cart.until_stored(120, 3000000)
    assert sorted(cart.ids()) == list(range(1, 121))
    for telegram in cart.archive.results:
        values = {one["parameter_id"]: one["value"].strip() for one in telegram["parameters"] if not one["spindle"]}
        rows = rows_made(cart, int(values[30]))
        assert [(one["spindle"], 1 - one["overall"]) for one in telegram["spindles"]] == [one[:2] for one in rows]
        assert [one["torque"] for one in telegram["spindles"]] == ["%05d.%02d" % divmod(one[2], 100) for one in rows]
    cart.clean()


def test_push_with_its_first_part_acknowledged_answers_no_later_request():
    for wait in range(0, 60, 2):
        cart = cart_of(STEP_SYNC).ready()
        cart.run(wait)
        cart.produce(3, 1500)
        cart.settle()
        assert cart.stored_ids() == [1, 2, 3] and cart.controller.acknowledged == [1, 2, 3]
        cart.clean()


def test_count_that_begins_again_is_found_out():
    cart = cart_of().ready()
    cart.produce(5, 1500)
    cart.drop()
    cart.controller.reset_ids(1)
    cart.produce(3)
    cart.settle()
    assert cart.stored_ids() == [1, 2, 3, 4, 5, 1, 2, 3]
    assert cart.counted(counter.CONTROLLER_RESETS) == 1


def test_a_result_pushed_in_parts_is_not_gone_where_the_count_turns_out_to_have_begun_anew():
    acknowledged = {"operations": (1, 2), "unknown_mids": (60, 61, 62, 63, 64, 65), "waits_for_1203": True}
    for first, pushed_at in ((50, (71,)), (20, (30, 49)), (50, (57, 78))):
        cart = Cart(controller=acknowledged, on=False)
        cart.controller.reset_ids(first)
        cart.produce(2)
        cart.boot()
        cart.run(6000)
        cart.produce(5, 400)
        cart.run(1000)
        cart.network.down(*CONTROLLER)
        cart.produce(3)
        cart.controller.reset_ids(1)
        cart.produce(3)
        cart.run(4000)
        cart.network.up(*CONTROLLER)
        request = cart.station.recovery.request
        for asked in pushed_at:
            cart.until(lambda at=asked, of=request: of.asked >= at, 20000)  # the end of the count before is sought
            cart.produce(1)
        cart.settle()
        cart.produce(2, 1500)
        last = 3 + len(pushed_at) + 2
        assert cart.gone() == [] and cart.station.ledger.gone() == 0, (first, pushed_at)
        assert sorted(cart.stored_ids()[5:]) == list(range(1, last + 1))
