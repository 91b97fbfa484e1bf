"""Parts of two and three results, exchanged, lost, doubled: what is stored was made, what is acknowledged is stored.

Headers of parts do not say whose they are, so a stream in which every part follows as it should is believed, whatever
was lost in it: see the last test. Everything here is of one length and cut at one place, as a controller does it.
"""

from itertools import combinations, permutations

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.linked_messages import WAIT_MS
from host_tests.support.frames import light, pushed
from host_tests.support.talk import Talk, parts_of, whole

REPEAT_MS = 3000  # the shortest seen
REVISIONS = (999, 1, 3)
TIMES_SENT = 4


def results_of(revision, count):
    """Return MID 0061 of `count` tightenings, unlike in all that tells one from another."""
    made = []
    for index in range(count):
        fields = {"tightening_id": 7 + index, "torque": 1234 + 37 * index, "vin": b"VIN %d" % index}
        made.append(light(**fields) if revision == 999 else pushed(revision, **fields))
    assert len(set(made)) == count
    return made


def disturbed_orders(parts):
    """Return every order of the parts of one result: exchanged, some lost, one doubled."""
    orders = []
    for count in range(len(parts) + 1):
        orders += permutations(parts, count)
    for at in range(len(parts)):
        orders.append((*parts[: at + 1], *parts[at:]))
    orders.append((*parts, *parts))
    return [list(order) for order in orders]


def disturbed_streams(sent):
    """Return streams of all parts of several results: each part lost, doubled, or exchanged with the next one."""
    stream = [part for parts in sent for part in parts]
    streams = []
    for at in range(len(stream)):
        streams.append(stream[:at] + stream[at + 1 :])
        streams.append(stream[: at + 1] + stream[at:])
        streams.append(stream[:at] + stream[at : at + 2][::-1] + stream[at + 2 :])
    for order in permutations(range(len(sent[0]))):  # of every result
        streams.append([parts[place] for parts in sent for place in order])
    streams.append([parts[place] for place in range(len(sent[0])) for parts in sent])  # by turns
    return streams


def deliver(talk, frames, made):
    """Deliver frames in one go; return (events, results). Results were made, and each is acknowledged once."""
    before = len(talk.results)
    talk.take()
    events = talk.deliver(*frames)
    results = talk.results[before:]
    assert {whole(result) for result in results} <= {whole(result) for result in made}, frames
    assert talk.mids().count(62) == len(results)
    return events, results


def pause(talk):
    """Let the controller's repeat time pass; return the events. No part is kept any more."""
    events = talk.wait(REPEAT_MS)
    assert talk.link.size == len(talk.link.buf)
    return events


def push(talk, result, orders):
    """Push one result, each time in the next of the orders, until it is acknowledged; return whether it was."""
    for order in orders:
        if deliver(talk, order, [result])[1]:
            return True
        pause(talk)
    return False


def test_a_result_whose_parts_always_come_out_of_order_is_never_another_one():
    for revision in REVISIONS:
        made = results_of(revision, 3)
        for count in (2, 3):
            sent = [disturbed_orders(parts_of(result, count)) for result in made]
            for kind in range(len(sent[0])):
                talk = Talk().ready()
                for result, orders in zip(made, sent, strict=True):
                    push(talk, result, [orders[kind]] * TIMES_SENT)


def test_a_result_disturbed_once_is_stored_from_its_repeat():
    for revision in REVISIONS:
        made = results_of(revision, 2)
        for count in (2, 3):
            parts, others = [parts_of(result, count) for result in made]
            for order in disturbed_orders(parts):
                talk = Talk().ready()
                assert push(talk, made[0], [order, parts]), (revision, count, order)
                assert push(talk, made[1], [others, others])


def test_parts_of_several_results_in_one_go_are_never_joined_to_another_one():
    for revision in REVISIONS:
        for several, count in ((2, 2), (2, 3), (3, 2), (3, 3)):
            made = results_of(revision, several)
            sent = [parts_of(result, count) for result in made]
            for stream in disturbed_streams(sent):
                talk = Talk().ready()
                events, results = deliver(talk, stream, made)
                events += pause(talk)
                assert session_states.EV_MALFORMED in events or len(results) == several
                for result, parts in zip(made, sent, strict=True):
                    assert push(talk, result, [parts])


def test_two_losses_are_told_as_long_as_what_is_left_does_not_follow_as_it_should():
    made = results_of(999, 2)
    for count in (2, 3):
        sent = [parts_of(result, count) for result in made]
        stream = sent[0] + sent[1]
        for lost in combinations(range(2 * count), 2):
            if count == 3 or lost != (1, 2):
                deliver(Talk().ready(), [part for at, part in enumerate(stream) if at not in lost], made)


def test_a_whole_result_between_parts_ends_what_was_begun():
    one, two, three = results_of(999, 3)
    for end in (one, three):
        talk = Talk().ready()
        events, results = deliver(talk, [parts_of(one, 2)[0], two, parts_of(end, 2)[1]], [two])
        assert results == [two] and events.count(session_states.EV_MALFORMED) == 2
        assert session_states.EV_MALFORMED not in pause(talk)


def test_a_part_that_comes_as_late_as_a_repeat_belongs_to_no_part_before():
    one, two = results_of(999, 2)
    for wait_ms, joined in ((WAIT_MS - 1, 1), (WAIT_MS, 0), (REPEAT_MS, 0)):
        talk = Talk().ready()
        talk.deliver(parts_of(one, 2)[0])
        talk.wait(wait_ms)
        talk.deliver(parts_of(two, 2)[1])
        assert len(talk.results) == joined


def test_a_slow_part_is_no_pause():
    (one,) = results_of(3, 1)
    first, second = parts_of(one, 2)
    talk = Talk().ready()
    talk.deliver(first)
    for at in range(0, len(second), 40):
        talk.receive(second[at : at + 40])
        talk.wait(WAIT_MS // 4)
    talk.receive(b"\0")
    assert talk.results == [whole(one)]


def test_what_is_lost_between_two_parts_that_follow_as_they_should_cannot_be_told():
    one, two = results_of(999, 2)
    talk = Talk().ready()
    talk.deliver(parts_of(one, 2)[0], parts_of(two, 2)[1])
    assert len(talk.results) == 1 and talk.results[0] not in (whole(one), whole(two))
