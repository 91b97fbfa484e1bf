"""A result in parts is one result or none: whole, once, answered once; a part alone is never answered."""

from toolcart.agent.base import counters as counter
from toolcart.agent.link import LINK_NEED_DATA
from toolcart.agent.link.r3964 import R3964
from toolcart.agent.link.serial_ascii import SerialAscii
from toolcart.agent.openprotocol import linked_messages, session_states
from toolcart.base.clock import Dice
from toolcart.sim.r3964_peer import block_of
from host_tests.agent.openprotocol.test_openprotocol_session import ACKNOWLEDGE, MIRROR
from host_tests.support.frames import EXAMPLE, accepted, fetched, identity_message, light, message, numbered, pushed
from host_tests.support.talk import Model, Talk, content_of, part_of, parts_of, whole
from host_tests.support.world import Cart

PORTABLE = True
HEAVY = True
HEAP = "4m"

SEEDS = 150
LONG = pushed(7)


def test_one_part_of_one_and_numbers_that_are_none_are_whole_messages():
    for octets in (b"11", b"1 ", b"01", b"00", b"  ", b"\0\0", b" 1", b"x1", b"A2", b"\xff\xff"):
        talk = Talk().ready()
        frame = EXAMPLE[:18] + octets + EXAMPLE[20:]
        assert talk.deliver(frame) == [session_states.EV_PUSHED]
        assert talk.results == [frame] and talk.take() == [ACKNOWLEDGE]


def test_a_missing_part_ends_the_message_unanswered():
    one, two, three, four = parts_of(LONG, 4)
    for order in ((one, three, four), (one, two, four), (two, three, four), (two, one), (one, two, three, two)):
        talk = Talk().ready()
        events = talk.deliver(*order)
        assert session_states.EV_PUSHED not in events and session_states.EV_MALFORMED in events
        assert talk.take() == [] and talk.results == []
        talk.wait(linked_messages.WAIT_MS)
        talk.take()
        assert talk.deliver(one, two, three, four)[-1] == session_states.EV_PUSHED
        assert talk.results == [whole(LONG)] and talk.take() == [ACKNOWLEDGE]


def test_parts_of_other_messages_belong_to_no_other():
    talk = Talk().ready()
    for frame in (message(900, b"x" * 300), message(1201, b"y" * 300), fetched(7)):
        assert talk.deliver(*parts_of(frame, 3)) == [session_states.EV_UNKNOWN] * 3
    assert talk.link.size == len(talk.link.buf)


def test_fetched_result_in_parts_is_one_answer():
    talk = Talk().ready()
    talk.fetch()
    talk.take()
    frame = fetched(7)
    assert talk.deliver(*parts_of(frame, 4)) == [session_states.EV_FETCHED]
    assert content_of(talk.link) == whole(frame)
    assert talk.session.can_fetch() and talk.take() == []


def test_message_without_its_next_part_is_given_up_and_reported():
    talk = Talk().ready()
    assert talk.deliver(parts_of(LONG, 2)[0]) == []
    assert talk.wait(linked_messages.WAIT_MS - 1) == [] and talk.deliver(MIRROR) == []
    assert talk.link.size < len(talk.link.buf)
    assert talk.wait(1) == [session_states.EV_MALFORMED] and talk.session.received.mid == 61
    assert talk.link.size == len(talk.link.buf)
    assert talk.deliver(parts_of(LONG, 2)[1]) == [session_states.EV_MALFORMED]
    assert 62 not in talk.mids()


def test_a_message_torn_by_a_lost_connection_is_never_answered():
    one, two = parts_of(LONG, 2)
    talk = Talk().ready()
    talk.deliver(one)
    talk.session.closed()
    talk.session.opened()
    assert talk.settle() == [session_states.EV_MALFORMED] and talk.session.received.mid == 61
    assert talk.link.size == len(talk.link.buf)
    talk.ready()
    assert talk.deliver(two) == [session_states.EV_MALFORMED] and talk.take() == []
    assert talk.deliver(one, two) == [session_states.EV_MALFORMED] * 2 and talk.take() == []
    assert talk.wait(linked_messages.WAIT_MS) == []
    assert talk.deliver(one, two) == [session_states.EV_PUSHED]


def test_a_message_larger_than_the_buffer_comes_cut_short_once():
    frame = message(61, bytes([0x30 + index % 10 for index in range(3000)]), 7)
    for count in (2, 3, 5, 9):
        for size in (256, 300, 1024, 2048):
            talk = Talk(size).ready()
            parts = parts_of(frame, count)
            for part in parts[:-1]:
                assert talk.deliver(part) == [] and talk.take() == []
            assert talk.deliver(parts[-1]) == [session_states.EV_PUSHED_CUT]
            assert talk.take() == [ACKNOWLEDGE]
            assert len(talk.results[0]) >= 128 and frame[20:].startswith(talk.results[0][20:])
            assert talk.results[0][4:18] == frame[4:18]
            assert talk.deliver(EXAMPLE) == [session_states.EV_PUSHED] and talk.link.size == size


def test_largest_message_that_is_made_whole_fills_the_buffer():
    size = 1024
    for last_bytes, event in (
        (128, session_states.EV_PUSHED),
        (500, session_states.EV_PUSHED),
        (127, session_states.EV_PUSHED_CUT),
    ):
        frame = message(61, b"7" * (size - 20), 7)
        cut = size - last_bytes
        parts = [part_of(frame, 2, 1, frame[20:cut]), part_of(frame, 2, 2, frame[cut:])]
        # The last part comes with a header of its own, which has to find room beside the others.
        shorter = part_of(frame, 2, 2, frame[cut : size - 20])
        talk = Talk(size).ready()
        assert talk.deliver(parts[0], shorter) == [event], last_bytes
        talk = Talk(size).ready()
        assert talk.deliver(*parts) == [session_states.EV_PUSHED_CUT]


def test_a_message_that_does_not_fit_beside_parts_ends_them():
    first = part_of(LONG, 2, 1, b"x" * 700)
    for frame in (LONG, message(71, b"y" * 400)):
        talk = Talk(1024).ready()
        assert talk.deliver(first, frame) == [session_states.EV_MALFORMED]
        assert talk.take() == [] and talk.results == []
        assert talk.deliver(frame) == [session_states.EV_PUSHED if frame == LONG else session_states.EV_UNKNOWN]


# Link-level numbers


def talk_numbered():
    talk = Talk(start_revisions=(6,))
    talk.deliver(identity_message(6, sequence_numbers=1, linking=1))
    talk.deliver(numbered(accepted(60), 1))
    talk.take()
    return talk


def test_numbered_last_part_is_acknowledged_once_the_result_is_durable():
    talk = talk_numbered()
    assert talk.deliver(*parts_of(LONG, 2, 2)) == [session_states.EV_PUSHED]
    assert talk.take()[-1] == b"00249997001     04  0061"
    # Its repeat is a repeat of what is durable.
    assert talk.deliver(parts_of(LONG, 2, 2)[1]) == [session_states.EV_REPEATED] and talk.take() == [
        b"00249997001     04  0061"
    ]


def test_a_numbered_part_out_of_order_is_refused_with_code_4():
    talk = talk_numbered()
    one, _, three = parts_of(LONG, 3, 2)
    talk.deliver(one)
    talk.take()
    assert talk.deliver(numbered(three, 3)) == [session_states.EV_MALFORMED]
    assert talk.take() == [b"00289998001     04  00610004"]
    assert talk.deliver(numbered(one, 3)) == [] and talk.take() == [b"00249997001     04  0061"]


# Serial lines keep what was not looked at elsewhere, and their messages begin at different places


def frames_in(link, octets, joiner):
    """Give a serial link these octets; return (what came of each message, its octets)."""
    frames = []
    at = now = 0
    while at < len(octets) or link.pending:
        if link.pending:
            link.sent(link.pending)
        n = min(link.room(), len(octets) - at, 16)
        if n > 0:
            link.inlet()[0:n] = octets[at : at + n]
            link.receive(n)
            at += n
        now += 1
        while link.next_message(now) != LINK_NEED_DATA:
            is_part = content_of(link)[18:19] > b"1"
            frames.append((joiner.take(link, 61, False) if is_part else None, content_of(link)))
            if link.pending:
                link.sent(link.pending)
    return frames


def test_parts_are_joined_on_serial_lines_too():
    wanted = [
        linked_messages.PART_KEPT,
        linked_messages.PART_KEPT,
        None,
        linked_messages.PART_LAST,
    ]
    parts = parts_of(LONG, 3)
    other = message(71, b"y" * 100)
    frames = [parts[0], parts[1], other, parts[2]]
    plain = b"".join([b"\x02" + frame + b"\0\x03" for frame in frames])
    blocks = b"".join([b"\x02" + block_of(b"\x02" + frame + b"\0\x03") for frame in frames])
    for link, octets in ((SerialAscii(1024), plain), (R3964(1024, payload="v1"), blocks)):
        messages = frames_in(link, octets, linked_messages.LinkedMessages())
        assert [kind for kind, _ in messages] == wanted
        assert messages[-2][1] == other and messages[-1][1] == whole(LONG)
        assert link.size == 1024


# The way into the spool


def test_part_without_the_others_is_neither_stored_nor_answered_and_counted():
    cart = Cart(controller={"max_clients": 9}, blocks=24).settle(120000)
    cart.controller.inject(parts_of(LONG, 2)[1] + b"\0")
    cart.run(50)
    assert 62 not in cart.controller.messages and cart.raw() == [] and cart.stored() == []
    assert cart.counted(counter.CONTROLLER_MALFORMED) == 1


def cut_at(frame, place):
    """Return the two parts of a message that is cut there."""
    return part_of(frame, 2, 1, frame[20:place]), part_of(frame, 2, 2, frame[place:])


def test_parts_that_do_not_make_up_a_layout_must_come_twice():
    for revision in (999, 1, 3):
        one, two = [
            light(tightening_id=number) if revision == 999 else pushed(revision, tightening_id=number)
            for number in (7, 8)
        ]
        for first, second in ((80, 60), (60, 80), (60, 61)):
            cart = Cart(controller={"max_clients": 9}, blocks=24).settle(120000)
            mixed = cut_at(one, first)[0] + b"\0" + cut_at(two, second)[1] + b"\0"
            cart.controller.inject(mixed)
            cart.run(50)
            assert 62 not in cart.controller.messages and cart.raw() == [] and cart.stored() == []
            assert cart.counted(counter.ODD_ON_THE_LINE) == 1
            cart.controller.inject(b"\0".join(cut_at(one, first)) + b"\0")
            cart.run(50)
            assert cart.controller.messages[62] == 1 and len(cart.stored()) == 1
            cart.controller.inject(mixed)  # again: that is how it sends them
            cart.run(50)
            assert cart.controller.messages[62] == 2 and cart.counted(counter.ODD_ON_THE_LINE) == 1


# Against the model


def scene(dice):
    """Return a few frames: parts in all sizes, whole messages, strangers; some repeated, left out or swapped."""
    frames = []
    for _ in range(1 + dice.randrange(4)):
        how = dice.randrange(6)
        if how == 0:
            frames.append(light(tightening_id=dice.randrange(9)))
        elif how == 1:
            frames.append(message((71, 9999, 900)[dice.randrange(3)], b"z" * dice.randrange(400)))
        else:
            most = (60, 300, 900, 2500)[dice.randrange(4)]
            text = bytes([0x41 + dice.randrange(26)]) * dice.randrange(most)
            frames += parts_of(message(61, text, 1 + dice.randrange(2)), 2 + dice.randrange(8))
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(frames))
        how = dice.randrange(4)
        if how == 0 and len(frames) > 1:
            frames.pop(at)
        elif how == 1:
            frames.insert(at, frames[at])
        elif how == 2:
            frames.insert(dice.randrange(len(frames)), frames.pop(at))
        else:
            frames[at] = frames[at][:19] + bytes([0x30 + dice.randrange(12)]) + frames[at][20:]
    return frames


def check_against_model(frames, size, pieces):
    """Tell the frames in pieces; the session does what the model says. `pieces` gives the next piece's length."""
    model = Model(size)
    for frame in frames:
        model.receive(frame)
    octets = b"".join([frame + b"\0" for frame in frames])
    talk = Talk(size).ready()
    events = []
    at = 0
    while at < len(octets):
        n = pieces()
        events += talk.receive(octets[at : at + n])
        at += n
    if model.is_torn:
        torn = [
            model.events[:at] + [session_states.EV_MALFORMED] + model.events[at:] for at in range(len(model.events) + 1)
        ]
        assert events in torn, (events, model.events)
    else:
        assert events == model.events, (events, model.events)
    assert talk.results == model.results
    assert talk.mids().count(62) == len(model.results)
    assert len(talk.link.buf) == size
    return [octets[18:20] for octets in model.results].count(b"00")


def test_any_order_of_parts_in_any_pieces_does_what_the_model_says():
    joined = 0
    for seed in range(1, SEEDS + 1):
        dice = Dice(seed)
        frames = scene(dice)
        most = (1, 20, 200, 3000)[dice.randrange(4)]
        size = (256, 300, 700, 1024, 2048)[dice.randrange(5)]
        try:
            joined += check_against_model(frames, size, lambda dice=dice, most=most: 1 + dice.randrange(most))
        except AssertionError:
            print("seed", seed)
            raise
    assert joined > SEEDS // 3
