"""A session with a controller that has no MID 0060: asked for by 0008, fetched by 0006, known by what was asked."""

from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol import session_states
from toolcart.agent.record import result as res
from toolcart.base.clock import START_TICKS
from toolcart.sim import operation_frames
from host_tests.agent.openprotocol.test_operation_result import field, piece, read
from host_tests.support.frames import accepted, example_tightening, identity_message, message, refused
from host_tests.support.talk import Talk

PORTABLE = True
HEAP = "2m"


def talk_with(system_type=4):
    talk = Talk()
    assert talk.deliver(identity_message(6, system_type=system_type)) == [
        session_states.EV_GENERIC if system_type == 4 else session_states.EV_STARTED
    ]
    return talk


def ready(system_type=4):
    talk = talk_with(system_type)
    assert talk.deliver(accepted(8)) == [session_states.EV_READY]
    talk.take()
    return talk


def operation(talk, revision=2, asked_with=8, **values):
    """Bring a whole operation to what is next in the session's hands; return what it is an answer to."""
    result = example_tightening(**values)
    octets = (
        message(1201, operation_frames.overall_data(result, revision, asked_with=asked_with), revision),
        message(1202, operation_frames.object_data(result, 1, operation_frames.own_fields(result))),
    )
    for frame in octets:
        assert talk.deliver(frame) == [session_states.EV_PUSHED]
        link, session = talk.link, talk.session
        generic = session.result_mode.generic
        generic.route(session)
        generic.operation.take(
            link.buf, link.at, link.length, session.received.mid, session.received.revision, talk.now
        )
        generic.tick(talk.now, True)
    return talk.session.result_mode.generic.answers(talk.session)


def test_buffer_grows_with_what_waits_in_it():
    talk = Talk(buffer_bytes=300)
    assert talk.deliver(identity_message(6, system_type=4)) == [session_states.EV_GENERIC]
    events = talk.deliver(accepted(8), message(1201, b"x" * 3000), message(1202, b"y" * 9000))
    assert events == [
        session_states.EV_READY,
        session_states.EV_PUSHED,
        session_states.EV_PUSHED,
    ]
    assert talk.link.length == 9020


def test_push_is_distinguished_from_an_answer_by_what_it_was_asked_with():
    talk = ready()
    assert operation(talk, 2, 8) == op.ANSWER_NONE
    assert operation(talk, 2, 6) == op.ANSWER_LATE  # no one has asked
    talk.fetch(b"0000000000")
    assert operation(talk, 2, 8) == op.ANSWER_NONE
    assert not talk.session.can_fetch()
    assert operation(talk, 2, 6) == op.ANSWER_SURE
    assert talk.session.can_fetch()
    talk.fetch(b"0001234566")
    assert operation(talk, 2, 6) == op.ANSWER_LATE
    assert operation(talk, 2, 6, tightening_id=1234566) == op.ANSWER_SURE


def test_late_refusal_is_not_taken_for_the_next_one():
    talk = ready()
    talk.fetch(b"0000000007")
    talk.take()
    talk.wait(5500)
    assert [octets[20:] for octets in talk.take() if octets[4:8] == b"0006"] == [b"1201002100000000007"]
    assert talk.deliver(refused(6, 15)) == [session_states.EV_HISTORY_REJECTED]
    talk.fetch(b"0000000008")
    assert talk.deliver(refused(6, 15)) == []  # to the second try for 7
    assert talk.deliver(refused(6, 15)) == [session_states.EV_HISTORY_REJECTED]


def test_fields_that_do_not_lead_to_the_message_s_end_are_not_read():
    name = field(30208, "Prüfstand 1")
    figure = field(30237, b"00004.237e+4", 90, 90)
    result, body = read(name, figure)
    assert (result, piece(body, res.TORQUE, 6)) == (res.RESULT_READ, b"004237")
    at = name.find(b"Pr")
    for octets in (-6, -1, 1, 2, 6):
        wide = name[:at] + (name[at:] + b"7" * 9)[: len(name) - at + octets]
        result, body = read(wide, figure)
        assert (result, piece(body, res.TORQUE, 6)) == (res.RESULT_UNREADABLE, b"      "), octets
    for more in (b"x", figure):
        assert read(name, figure, behind=more, more=len(more))[0] == res.RESULT_UNREADABLE
    assert read(name, figure, behind=b" \0", more=2)[0] == res.RESULT_READ


def test_overall_result_whose_time_is_not_there_is_unreadable():
    result = example_tightening(tightening_id=1)
    frame = message(1201, operation_frames.overall_data(result, 2, 1), 2)
    for wrong in (frame[:30] + b"0" + frame[30:], frame[:40] + b"x" + frame[41:]):
        assert op.OperationResult().take(wrong, 0, len(wrong), 1201, 2, START_TICKS) == op.PART_UNREADABLE
