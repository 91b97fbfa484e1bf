"""The session does what protocol.md 4 says: start, subscription, results, keep-alive, refusals, silence, stop."""

from toolcart.agent.openprotocol import session_states
from host_tests.support.frames import EXAMPLE, accepted, fetched, identity_message, message, numbered, refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True

ACKNOWLEDGE = b"00200062001         "
MIRROR = message(9999)


# Start


def test_station_and_spindle_are_written_where_they_are_configured():
    talk = Talk()
    talk.session.station_id = 7
    talk.session.spindle_id = 12
    talk.lose()
    assert talk.take()[-1] == b"00200001006 0712    "


def test_every_other_length_of_0002_begins_a_session_too():
    whole = identity_message(6, sequence_numbers=0) + b"171tail of revision 7"
    for length in range(20, len(whole) + 1):
        talk = Talk()
        events = talk.deliver(("%04d" % length).encode() + whole[4:length])
        assert events == [session_states.EV_STARTED], length
        named = bytes(talk.session.identity[6:31])
        assert named == whole[32:57] or (length not in (173, 179) and length < 221 and not named.strip()), length


def test_a_rejection_that_names_what_was_not_sent_answers_what_is_outstanding():
    for data in (b"000097", b"000297", b"999997", b"97"):
        talk = Talk()
        talk.lose()
        talk.take()
        talk.deliver(b"%04d0004001         " % (20 + len(data)) + data)
        (again,) = talk.take()
        assert again[4:8] == b"0001", data  # the next revision, at once


# Every refusal, in every state: this table is written from protocol.md 4.1 and 4.2, not from the code.

BUSY = (96, 16, 35)
EXISTS = (6, 9, 11, 13, 18, 71)
LATER = (98, 28, 27)
NEVER = (99, 73, 75)


def reaction(state, code):
    """Return (state afterwards, why, MIDs sent at once) for a 0004 to what the state has asked for."""
    if state == session_states.STARTING:
        # "On 0004 with any code but 96/16/35 send the next one on the same connection"
        return (
            (session_states.OVER, session_states.WHY_BUSY, [])
            if code in BUSY
            else (session_states.STARTING, session_states.WHY_REJECTED, [1])
        )
    if state == session_states.STOPPING:
        return session_states.OVER, session_states.WHY_STOPPED, []
    if code in BUSY:
        return session_states.OVER, session_states.WHY_BUSY, []
    if code in LATER:
        return state, session_states.WHY_REJECTED, []
    if state == session_states.CLEARING:
        # "10/12/72 after unsubscribe = success"; any other refusal leaves nothing better than to subscribe again
        return session_states.SUBSCRIBING, 0, [60]
    if code in EXISTS:
        return session_states.CLEARING, 0, [63]
    if code in NEVER:  # a controller without MID 0060: host_tests/agent/openprotocol/test_operation_session.py
        return session_states.SUBSCRIBING, session_states.WHY_REJECTED, [8]
    # Whatever the code, it may be the revision that it means.
    return session_states.SUBSCRIBING, session_states.WHY_REJECTED, [60]


def talk_in(state):
    """Return a session that is in this state, with what it asks for on the wire."""
    talk = Talk()
    if state != session_states.STARTING:
        talk.deliver(STARTED)
    if state == session_states.CLEARING:
        talk.deliver(refused(60, 9))
    if state == session_states.STOPPING:
        talk.deliver(accepted(60))
        talk.stop()
    assert talk.session.state == state
    talk.take()
    return talk


ASKED = {
    session_states.STARTING: 1,
    session_states.SUBSCRIBING: 60,
    session_states.CLEARING: 63,
    session_states.STOPPING: 3,
}


def test_every_code_in_every_state_has_its_reaction():
    for state in ASKED:
        for code in range(100):
            for digits in (2, 3):
                talk = talk_in(state)
                events = talk.deliver(refused(ASKED[state], code, digits))
                wanted, why, mids = reaction(state, code)
                assert talk.session.state == wanted, (state, code)
                assert talk.session.why == why, (state, code)
                assert talk.mids() == mids, (state, code)
                assert events == [
                    session_states.EV_OVER if wanted == session_states.OVER else session_states.EV_REJECTED
                ], (state, code)
                if events == [session_states.EV_REJECTED]:
                    assert talk.session.received.code == code


# Subscription


def refuse_all(talk, code):
    """Reject whatever is asked for with this code; return it: (MID, revision) each."""
    requests = []
    for _ in range(30):
        frame = talk.take()[-1]
        requests.append((int(frame[4:8]), int(frame[24:27] if frame[4:8] == b"0008" else frame[8:11])))
        if talk.deliver(refused(requests[-1][0], code)) == [session_states.EV_OVER]:
            break
    return requests


# Each revision of MID 0060 is asked for, each other way to ask, and nothing twice; 99 says the MID itself is not known.
EVERYTHING = [(60, 999), (60, 1), (8, 2), (8, 3), (8, 1)]
EVERYTHING += [(105, revision) for revision in (4, 3, 2, 1)] + [(100, revision) for revision in (1, 5, 4, 3, 2)]
EVERY_MID = [(60, 999), (8, 2), (105, 4), (100, 1), (60, 1)]


def test_subscription_without_any_accepted_revision_ends_session_and_begins_again_with_first():
    for code in (97, 74, 76, 79, 1, 10, 15, 20, 99, 73, 75):
        talk = Talk()
        talk.deliver(STARTED)
        assert refuse_all(talk, code) == (EVERY_MID if code in NEVER else EVERYTHING), code
        assert talk.session.why == session_states.WHY_NO_RESULTS and talk.session.received.rejected_code == code
        talk.lose()
        talk.deliver(STARTED)
        assert talk.take()[-1][8:11] == b"999"


def test_surviving_subscription_is_cleared_once_and_then_taken_as_it_is():
    talk = Talk()
    talk.deliver(STARTED)
    talk.take()
    talk.deliver(refused(60, 9))
    assert talk.take() == [b"00200063001         "]
    assert talk.deliver(accepted(63)) == []
    assert talk.take() == [b"002000609990        "]
    assert talk.deliver(refused(60, 9)) == [session_states.EV_READY]
    assert talk.session.state == session_states.READY and talk.mids() == []


# Results


def test_a_result_while_stopping_is_not_answered_after_0003():
    # Behind 0003 a controller takes nothing but 0001 (OP 5.2.3 p. 73): the result comes again, and is known then.
    talk = Talk(stop_wait_ms=10000).ready()
    talk.stop()
    assert talk.deliver(EXAMPLE) == [session_states.EV_PUSHED]
    assert talk.mids() == [3]
    talk.wait(9000)  # nor does a keep-alive follow
    assert talk.mids() == []


# Fetching


def fetching():
    talk = Talk().ready()
    talk.fetch()
    return talk


def test_refusals_are_taken_again_though_the_echoes_never_come():
    talk = fetching()
    talk.wait(14000)
    talk.receive(b"\0")
    assert talk.wait(1100) == [session_states.EV_FETCH_SILENT]
    talk.fetch(b"0001234568")
    assert talk.deliver(refused(64, 15)) == []  # it may be an echo
    for _ in range(3):
        talk.wait(5000)
        talk.deliver(refused(64, 15))
    assert talk.session.can_fetch()
    for number in (b"0001234569", b"0001234570"):
        talk.fetch(number)
        assert talk.deliver(refused(64, 15)) == [session_states.EV_FETCH_REJECTED]


def test_answers_with_other_ids_are_taken_again_though_the_echoes_never_come():
    talk = fetching()
    talk.wait(14000)
    talk.receive(b"\0")
    assert talk.wait(1100) == [session_states.EV_FETCH_SILENT]
    talk.fetch(b"0001234566")
    delivered = []
    for _ in range(3):
        delivered += talk.deliver(fetched(2, tightening_id=1234560))  # it may be an echo
        delivered += talk.wait(5000)
    assert delivered == [session_states.EV_FETCH_LATE] * 3 + [session_states.EV_FETCH_SILENT]
    talk.fetch(b"0001234566")
    assert talk.deliver(fetched(2, tightening_id=1234560)) == [session_states.EV_FETCHED]


# Keep-alive and silence


def test_mirror_is_never_answered_in_any_form():
    talk = Talk().ready()
    for mirror in (
        MIRROR,
        b"00209999            ",
        b"00209999000         ",
        b"00209999001 0000    ",
        refused(9999, 99),
    ):
        assert talk.deliver(mirror) == []
    assert talk.take() == [] and talk.session.state == session_states.READY


def until_over(talk, octets, every_ms=1000, most_ms=60000):
    """Receive these octets again and again; return after how many ms the session is over."""
    for passed_ms in range(0, most_ms, every_ms):
        if session_states.EV_OVER in talk.receive(octets) + talk.wait(every_ms):
            return passed_ms + every_ms
    raise AssertionError("it never ended")


def test_what_is_no_message_ends_no_silence():
    for octets in (b"", b"\0", b"\0\0\0", b"x", b"0", b"\x02", b"\x10", b"\r\n"):
        talk = Talk().ready()
        assert 7000 + 15000 <= until_over(talk, octets) <= 7000 + 15000 + 5000, octets
        assert talk.session.why == session_states.WHY_SILENCE
    for octets in (b"00209999", b"0119006199"):
        assert until_over(Talk().ready(), octets) <= 7000 + 15000 + 5000, octets


def test_a_message_that_has_begun_in_time_ends_a_silence():
    talk = Talk().ready()
    assert talk.wait(7000 + 14000) == [] and talk.mids() == [9999] * 3
    assert talk.receive(EXAMPLE[:50]) + talk.wait(3000) == []
    assert talk.receive(EXAMPLE[50:] + b"\0") == [session_states.EV_PUSHED]
    assert talk.wait(15000) == []


def talk_with_echo():
    """Return a session on a line that brings back what is sent."""
    talk = Talk()
    assert talk.deliver(*talk.take()) == [session_states.EV_UNKNOWN]
    return talk.ready()


def test_an_echo_of_what_is_sent_ends_no_silence():
    talk = talk_with_echo()
    for _ in range(10):  # the echo and the mirror
        assert talk.wait(7000) == []
        assert talk.deliver(*talk.take(), MIRROR) == []
    events = []
    for _ in range(22):
        events += talk.wait(1000)
        talk.deliver(*talk.take())
    assert events == [session_states.EV_OVER] and talk.session.why == session_states.WHY_SILENCE


def test_an_echo_of_an_unanswered_request_ends_no_silence():
    talk = talk_with_echo()
    assert talk.wait(7000) == [] and talk.mids() == [9999]
    talk.fetch()
    for _ in range(14):
        talk.wait(1000)
        talk.deliver(*[octets for octets in talk.take() if octets[4:8] == b"0064"])
    assert talk.session.state == session_states.READY
    assert session_states.EV_OVER in talk.wait(1000)


def test_port_that_accepts_nothing_is_given_up():
    talk = Talk().ready()
    talk.is_writable = False
    talk.deliver(EXAMPLE)
    events = []
    for _ in range(10):
        talk.receive(b"\0")  # the other side is alive, but nothing goes out
        events += talk.wait(2000)
    assert events == [session_states.EV_OVER] and talk.session.why == session_states.WHY_SILENCE


# Stop


def test_stop_in_every_state_waits_for_what_is_out_there():
    for state, answers in (
        (session_states.STARTING, (STARTED,)),
        (session_states.SUBSCRIBING, (accepted(60), refused(60, 97), refused(60, 99), EXAMPLE)),
        (session_states.CLEARING, (accepted(63), refused(63, 10))),
    ):
        for answer in answers + (None,):
            talk = talk_in(state)
            talk.stop()
            assert talk.mids() == [], state
            if answer is None:
                events = talk.wait(1000)
            else:
                events = talk.deliver(answer)
                assert events == ([session_states.EV_PUSHED] if answer == EXAMPLE else []), (state, events)
            if answer is None and state == session_states.STARTING:  # there is no session to end
                assert events == [session_states.EV_OVER] and talk.mids() == []
                continue
            assert [mid for mid in talk.mids() if mid != 62] == [3], (state, answer)
            assert talk.session.state == session_states.STOPPING
            assert (
                talk.deliver(accepted(3)) == [session_states.EV_OVER] and talk.session.why == session_states.WHY_STOPPED
            )


# Link-level numbers, where 0002 said so


def talk_numbered():
    talk = Talk(start_revisions=(6,))
    assert talk.deliver(identity_message(6, sequence_numbers=1)) == [session_states.EV_STARTED]
    assert talk.deliver(numbered(accepted(60), 1)) == [session_states.EV_READY]
    return talk


def test_numbered_result_gets_9997_when_it_is_durable():
    talk = talk_numbered()
    talk.take()
    talk.answers = False
    assert talk.deliver(numbered(EXAMPLE, 2)) == [session_states.EV_PUSHED]
    assert talk.take() == []
    talk.answers = True
    assert talk.deliver(numbered(EXAMPLE, 2)) == [session_states.EV_PUSHED]
    assert talk.take() == [b"00249997001     03  0061"]


def test_repeated_number_is_acknowledged_again_and_not_delivered():
    talk = talk_numbered()
    talk.deliver(numbered(EXAMPLE, 2))
    talk.take()
    assert talk.deliver(numbered(EXAMPLE, 2)) == [session_states.EV_REPEATED]
    assert talk.take() == [b"00249997001     03  0061"]


def test_acknowledgement_that_is_rejected_is_reported_by_its_name_and_code():
    talk = Talk().ready()
    assert talk.deliver(refused(62, 19)) == [session_states.EV_ACK_REJECTED]
    assert (talk.session.received.named, talk.session.received.code) == (62, 19)
    assert talk.deliver(refused(63, 10)) == [session_states.EV_UNKNOWN]
    talk = talk_numbered()
    assert talk.deliver(refused(9997, 5)) == [session_states.EV_ACK_REJECTED]
    for data, events in (
        (b"99970003", [session_states.EV_ACK_REJECTED]),
        (b"00620004", [session_states.EV_ACK_REJECTED]),
        (b"00640003", [session_states.EV_UNKNOWN]),
    ):
        assert talk.deliver(message(9998, data)) == events, data
    code = talk.session.received.code
    assert talk.deliver(message(9998, b"0062") + message(9999)) == [session_states.EV_UNKNOWN]
    assert talk.session.received.code == code, "what stands behind a short one is the next message"


def test_wrong_number_is_refused_with_the_expected_one():
    talk = talk_numbered()
    talk.take()
    assert talk.deliver(numbered(EXAMPLE, 7)) == []
    assert talk.take() == [b"00289998001     02  00610003"]
    assert talk.deliver(numbered(EXAMPLE, 2)) == [session_states.EV_PUSHED]


def test_peer_that_counts_its_0002_is_acknowledged_too():
    talk = Talk(start_revisions=(6,))
    talk.take()
    assert talk.deliver(numbered(identity_message(6, sequence_numbers=1), 1)) == [session_states.EV_STARTED]
    assert talk.take() == [b"00249997001     02  0002", b"002000609990        "]
    assert talk.deliver(numbered(accepted(60), 2)) == [session_states.EV_READY]
