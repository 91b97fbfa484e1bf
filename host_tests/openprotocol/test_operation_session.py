"""A session with a controller that has no MID 0060: asked for by 0008, fetched by 0006, told by what was asked."""

from toolcart.agent.openprotocol import operation as gn
from toolcart.agent.openprotocol import states as st
from toolcart.sim import operation_frames as frames
from toolcart.sim.controller_frames import start_data
from toolcart.sim.controller_model import Identity
from host_tests.support.frames import accepted, example_tightening, message, refused
from host_tests.support.talk import Talk

PORTABLE = True
HEAP = "2m"


def started(system_type=4, revision=6):
    identity = Identity()
    identity.system_type = system_type
    return message(2, start_data(identity, revision), revision)


def talk_with(system_type=4):
    talk = Talk()
    assert talk.tell(started(system_type)) == [st.EV_GENERIC if system_type == 4 else st.EV_STARTED]
    return talk


def ready(system_type=4):
    talk = talk_with(system_type)
    assert talk.tell(accepted(8)) == [st.EV_READY]
    talk.take()
    return talk


def operation(talk, revision=2, asked_with=8, **values):
    """Bring a whole operation to what is next in the session's hands; return what it is an answer to."""
    result = example_tightening(**values)
    octets = (
        message(1201, frames.overall_data(result, revision, asked_with=asked_with), revision),
        message(1202, frames.object_data(result, 1, frames.own_fields(result))),
    )
    for frame in octets:
        assert talk.tell(frame) == [st.EV_PUSHED]
        link, session = talk.link, talk.session
        session.ways.generic.operation.take(
            link.buf, link.at, link.length, session.said.mid, session.said.revision, talk.now
        )
    return talk.session.ways.generic.answers(talk.session)


def fetch(talk, digits):
    talk.session.fetching.asked_id[:] = digits
    talk.session.fetch()
    talk.settle()
    return talk.take()


def test_controller_that_knows_neither_has_no_results():
    for named in (8, 1201):
        talk = talk_with(1)
        talk.tell(refused(60, 99))
        assert talk.tell(refused(named, 99)) == [st.EV_REFUSED]
        assert talk.take()[-1] == b"003101050040        00000000001"  # nor several spindles
        assert talk.tell(refused(105, 99)) == [st.EV_REFUSED]
        assert talk.take() == [b"002001000010        "]
        assert talk.tell(refused(100, 99)) == [st.EV_REFUSED]
        assert talk.take() == [b"002000600010        "]  # 99 may have meant the revision
        assert talk.tell(refused(60, 99)) == [st.EV_OVER] and talk.session.why == st.WHY_NO_RESULTS


def test_buffer_grows_with_what_waits_in_it():
    talk = Talk(buffer_bytes=300)
    events = talk.tell(started(), accepted(8), message(1201, b"x" * 3000), message(1202, b"y" * 9000))
    assert events == [st.EV_GENERIC, st.EV_READY, st.EV_PUSHED, st.EV_PUSHED]
    assert talk.link.length == 9020


def test_push_is_told_from_an_answer_by_what_it_was_asked_with():
    talk = ready()
    assert operation(talk, 2, 8) == gn.ANSWER_NONE
    assert operation(talk, 2, 6) == gn.ANSWER_LATE  # no one has asked
    fetch(talk, b"0000000000")
    assert operation(talk, 2, 8) == gn.ANSWER_NONE
    assert not talk.session.can_fetch()
    assert operation(talk, 2, 6) == gn.ANSWER_SURE
    assert talk.session.can_fetch()
    fetch(talk, b"0001234566")
    assert operation(talk, 2, 6) == gn.ANSWER_LATE
    assert operation(talk, 2, 6, tightening_id=1234566) == gn.ANSWER_SURE


def test_late_refusal_is_not_taken_for_the_next_one():
    talk = ready()
    fetch(talk, b"0000000007")
    talk.wait(5500)
    assert [octets[20:] for octets in talk.take() if octets[4:8] == b"0006"] == [b"1201002100000000007"]
    assert talk.tell(refused(6, 15)) == [st.EV_HISTORY_REFUSED]
    fetch(talk, b"0000000008")
    assert talk.tell(refused(6, 15)) == [st.EV_UNKNOWN]  # to the second try for 7
    assert talk.tell(refused(6, 15)) == [st.EV_HISTORY_REFUSED]
