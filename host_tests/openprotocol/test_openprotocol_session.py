"""The session does what DIGEST part C says: start, subscription, results, keep-alive, refusals, silence, stop."""

from toolcart.agent.link import WHY_LENGTH, WHY_SLOW
from toolcart.agent.openprotocol import replies
from toolcart.agent.openprotocol import states as st
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.sim.controller_frames import start_data
from toolcart.sim.controller_model import Identity
from host_tests.support.frames import EXAMPLE, accepted, fetched, message, pushed, refused
from host_tests.support.talk import STARTED, Talk, is_asleep

PORTABLE = True

ACKNOWLEDGE = b"00200062001         "
KEEP_ALIVE = b"00209999001         "
MIRROR = message(9999)


def identity_message(revision, before_2_7=False, **changed):
    identity = Identity()
    for name in changed:
        setattr(identity, name, changed[name])
    return message(2, start_data(identity, revision, before_2_7), revision)


# Start


def test_subscription_follows_the_start_with_revision_999_and_spoken_wish_for_acknowledgement():
    talk = Talk()
    talk.take()
    assert talk.tell(STARTED) == [st.EV_STARTED]
    assert talk.take() == [b"002000609990        "]
    assert talk.tell(accepted(60)) == [st.EV_READY]
    assert talk.take() == []


def test_station_and_spindle_are_written_where_they_are_configured():
    talk = Talk()
    talk.session.station_id = 7
    talk.session.spindle_id = 12
    talk.lose()
    assert talk.take()[-1] == b"00200001006 0712    "


def test_each_received_length_of_0002_is_taken_for_what_it_holds():
    # DIGEST C.1: 57, 62, 125, 163, 173, 221, and 179 from controllers before release 2.7 (003:749-756).
    for revision, before_2_7, length in (
        (1, 0, 57),
        (2, 0, 62),
        (3, 0, 125),
        (4, 0, 163),
        (5, 0, 173),
        (6, 1, 179),
        (6, 0, 221),
    ):
        for asked in (5, 7):
            talk = Talk(start_revisions=(asked, 1))
            start = identity_message(revision, before_2_7, sequence_numbers=1, system_type=3, cell=77, channel=5)
            assert len(start) == length
            assert talk.tell(start) == [st.EV_STARTED]
            session = talk.session
            assert bytes(session.identity[:31]) == b"007705Cart controller          "
            assert bytes(session.identity[31:41]) == (b"C1234567  " if length >= 163 else b"          ")
            assert bytes(session.identity[41:]) == (b"0000000001" if length >= 191 else b"          ")
            assert session.system_type == (3 if length >= 173 else 0)
            assert session.numbering.active == (length >= 179)


def test_power_focus_6000_that_does_not_name_our_station_is_asked_in_revision_6():
    talk = Talk()
    assert talk.take() == [b"00200001005         "]
    assert talk.tell(identity_message(5, system_type=3)) == []
    assert talk.mids() == [3] and talk.session.state == st.STOPPING
    talk.tell(accepted(3))
    talk.lose()
    assert talk.take() == [b"00200001006         "]
    assert talk.tell(identity_message(6, system_type=3)) == [st.EV_STARTED]
    for start in (identity_message(5, system_type=2), identity_message(5, system_type=1), identity_message(4)):
        assert Talk().tell(start) == [st.EV_STARTED]
    assert Talk(start_revisions=(5, 4)).tell(identity_message(5, system_type=3)) == [st.EV_STARTED]


def test_power_focus_6000_that_refuses_revision_6_is_served_in_5_for_ever():
    for closes in (False, True):
        talk = Talk()
        talk.tell(identity_message(5, system_type=3))
        talk.tell(accepted(3))
        talk.lose()
        talk.take()
        talk.tell(refused(1, 97))
        if closes:
            talk.lose()
        for _ in range(3):
            assert talk.take()[-1] == b"00200001005         "
            assert talk.tell(identity_message(5, system_type=3)) == [st.EV_STARTED]
            assert talk.tell(accepted(60)) == [st.EV_READY]
            talk.lose()


def test_every_other_length_of_0002_is_taken_too_if_name_is_whole():
    whole = identity_message(6, sequence_numbers=0) + b"171tail of revision 7"
    for length in range(20, len(whole) + 1):
        talk = Talk()
        events = talk.tell(("%04d" % length).encode() + whole[4:length])
        assert events == ([st.EV_STARTED] if length >= 57 else [st.EV_MALFORMED]), length


def test_serial_of_an_earlier_controller_does_not_stay():
    talk = Talk()
    talk.tell(identity_message(4))
    talk.lose()
    talk.tell(STARTED)
    assert bytes(talk.session.identity[31:]) == b" " * 20
    assert talk.session.system_type == 0


def test_refused_start_goes_through_all_revisions_on_same_connection_and_starts_over():
    talk = Talk()
    for revision in (5, 6, 4, 3, 2, 1):
        assert talk.take() == [("0020000100%d         " % revision).encode()]
        events = talk.tell(refused(1, 97))
    assert events == [st.EV_OVER]
    assert talk.session.why == st.WHY_NO_REVISION
    talk.lose()
    assert talk.take() == [b"00200001005         "]


def test_silence_at_start_is_asked_three_times_and_then_tries_another_revision():
    talk = Talk()
    assert talk.wait(14999) == []
    assert [mid for mid in talk.mids() if mid != 9999] == [1, 1, 1]
    assert talk.wait(2) == [st.EV_OVER]
    assert talk.session.why == st.WHY_SILENCE
    talk.take()
    talk.lose()
    assert talk.take() == [b"00200001006         "]


def test_closed_socket_at_the_start_tries_another_revision_and_comes_round():
    talk = Talk()
    for revision in (5, 6, 4, 3, 2, 1, 5):
        assert talk.take()[0][8:11] == ("00%d" % revision).encode()
        talk.lose()


def test_loss_after_the_start_keeps_the_revision_that_was_accepted():
    talk = Talk()
    talk.tell(refused(1, 97))
    talk.tell(STARTED)
    talk.take()
    talk.lose()
    assert talk.take() == [b"00200001006         "]


def test_start_that_is_cut_off_keeps_a_revision_that_has_stood_until_the_third_time():
    talk = Talk()
    talk.tell(refused(1, 97))
    talk.tell(STARTED)
    assert talk.tell(accepted(60)) == [st.EV_READY]
    talk.take()
    for revision in (6, 6, 6, 4, 3):  # a lower one has not stood
        talk.lose()
        assert talk.take()[0][8:11] == b"00%d" % revision
    # It answers now, so it was perhaps occupied before: what was cut off is asked for once more.
    assert talk.tell(STARTED) == [] and talk.mids() == [3]
    for revision in (6, 6, 6, 4, 3):
        talk.lose()
        assert talk.take()[0][8:11] == b"00%d" % revision
    assert talk.tell(STARTED) == [st.EV_STARTED]
    talk.tell(accepted(60))
    talk.take()
    for revision in (3, 3, 3, 2):
        talk.lose()
        assert talk.take()[0][8:11] == b"00%d" % revision


# Every refusal, in every state: this table is written from DIGEST C.1 and C.2, not from the code.

BUSY = (96, 16, 35)
EXISTS = (6, 9, 11, 13, 18, 71)
LATER = (98, 28, 27)
NEVER = (99, 73, 75)


def reaction(state, code):
    """Return (state afterwards, why, MIDs sent at once) for a 0004 to what the state has asked for."""
    if state == st.STARTING:
        # "On 0004 with any code but 96/16/35 send the next one on the same connection"
        return (st.OVER, st.WHY_BUSY, []) if code in BUSY else (st.STARTING, st.WHY_REFUSED, [1])
    if state == st.STOPPING:
        return st.OVER, st.WHY_STOPPED, []
    if code in BUSY:
        return st.OVER, st.WHY_BUSY, []
    if code in LATER:
        return state, st.WHY_REFUSED, []
    if state == st.CLEARING:
        # "10/12/72 after unsubscribe = success"; any other refusal leaves nothing better than to subscribe again
        return st.SUBSCRIBING, 0, [60]
    if code in EXISTS:
        return st.CLEARING, 0, [63]
    if code in NEVER:  # a controller without MID 0060: host_tests/openprotocol/test_operation_session.py
        return st.SUBSCRIBING, st.WHY_REFUSED, [8]
    return st.SUBSCRIBING, st.WHY_REFUSED, [60]  # whatever the code, it may be the revision that it means


def talk_in(state):
    """Return a session that is in this state, with what it asks for on the wire."""
    talk = Talk()
    if state != st.STARTING:
        talk.tell(STARTED)
    if state == st.CLEARING:
        talk.tell(refused(60, 9))
    if state == st.STOPPING:
        talk.tell(accepted(60))
        talk.session.stop(talk.now)
        talk.settle()
    assert talk.session.state == state
    talk.take()
    return talk


ASKED = {st.STARTING: 1, st.SUBSCRIBING: 60, st.CLEARING: 63, st.STOPPING: 3}


def test_every_code_in_every_state_has_the_reaction_of_the_digest():
    for state in ASKED:
        for code in range(100):
            for digits in (2, 3):
                talk = talk_in(state)
                events = talk.tell(refused(ASKED[state], code, digits))
                wanted, why, mids = reaction(state, code)
                assert talk.session.state == wanted, (state, code)
                assert talk.session.why == why, (state, code)
                assert talk.mids() == mids, (state, code)
                assert events == [st.EV_OVER if wanted == st.OVER else st.EV_REFUSED], (state, code)
                if events == [st.EV_REFUSED]:
                    assert talk.session.said.code == code


def test_refusal_that_may_pass_is_asked_again_when_its_time_is_over():
    for state in (st.SUBSCRIBING, st.CLEARING):
        for code in LATER:
            talk = talk_in(state)
            talk.tell(refused(ASKED[state], code))
            assert talk.wait(4000) == [] and talk.mids() == []
            talk.wait(1500)
            assert talk.mids() == [ASKED[state]]


def test_refusal_of_fetch_is_handed_on_with_its_class_and_session_stays():
    for code in range(100):
        talk = Talk().ready()
        talk.session.fetch()
        talk.settle()
        assert talk.tell(refused(64, code)) == [st.EV_FETCH_REFUSED]
        assert talk.session.said.refusal == (replies.refusal_class(code) if code else replies.REFUSED_NOTHING)
        assert talk.session.state == st.READY and talk.session.can_fetch()


def test_refusal_of_the_tool_request_stays_without_effect():
    for code in range(100):
        talk = Talk().ready()
        talk.session.ask_tool()
        talk.settle()
        assert talk.tell(refused(40, code)) == []
        assert talk.session.state == st.READY and talk.session.can_fetch()


def test_refusal_that_no_one_waits_for_is_named_and_ignored():
    for state in ASKED:
        talk = talk_in(state)
        for mid in (1, 3, 60, 63, 64, 40, 70, 12):
            if mid != ASKED[state]:
                assert talk.tell(refused(mid, 97)) == [st.EV_UNKNOWN]
        assert talk.session.state == state and talk.mids() == []


def test_refusal_code_is_read_to_end_of_the_message_and_no_further():
    talk = Talk()
    assert talk.tell(message(4, b"0001097")) == [st.EV_REFUSED] and talk.session.said.code == 97
    assert talk.tell(message(4, b"000197  ")) == [st.EV_REFUSED] and talk.session.said.code == 97
    assert talk.tell(message(4, b"0001xx")) == [st.EV_REFUSED] and talk.session.said.code == 0
    assert talk.tell(message(4, b"0001")) == [st.EV_MALFORMED]


# Subscription


def test_refused_999_falls_back_to_revision_1_and_stays_there():
    talk = Talk()
    talk.tell(STARTED)
    talk.take()
    assert talk.tell(refused(60, 97)) == [st.EV_REFUSED]
    assert talk.take() == [b"002000600010        "]
    assert talk.tell(accepted(60)) == [st.EV_READY]
    talk.lose()
    talk.tell(STARTED)
    assert talk.take()[-1] == b"002000600010        "


def refuse_all(talk, code, most=30):
    """Reject whatever is asked for with this code, at most so often; return it: (MID, revision) each."""
    asked = []
    for _ in range(most):
        frame = talk.take()[-1]
        asked.append((int(frame[4:8]), int(frame[24:27] if frame[4:8] == b"0008" else frame[8:11])))
        if talk.tell(refused(asked[-1][0], code)) == [st.EV_OVER]:
            break
    return asked


# Each revision of MID 0060 is asked for, each other way to ask, and nothing twice; 99 says the MID itself is not known.
EVERYTHING = [(60, 999), (60, 1), (8, 2), (8, 3), (8, 1)]
EVERYTHING += [(105, revision) for revision in (4, 3, 2, 1)] + [(100, revision) for revision in (1, 5, 4, 3, 2)]
EVERY_MID = [(60, 999), (8, 2), (105, 4), (100, 1), (60, 1)]


def test_subscription_without_any_accepted_revision_ends_session_and_begins_again_with_first():
    for code in (97, 74, 76, 79, 1, 10, 15, 20, 99, 73, 75):
        talk = Talk()
        talk.tell(STARTED)
        assert refuse_all(talk, code) == (EVERY_MID if code in NEVER else EVERYTHING), code
        assert talk.session.why == st.WHY_NO_RESULTS and talk.session.said.refused_code == code
        talk.lose()
        talk.tell(STARTED)
        assert talk.take()[-1][8:11] == b"999"


def test_a_subscription_that_is_not_wanted_is_known_and_asked_for_when_its_turn_comes():
    alarms = Subscription((70, 73, 0, b"", False, ((71, 72),)), (1,))
    talk = Talk(subscriptions=(Subscription(RESULTS, (999, 1)), alarms))
    session = talk.session
    for subscription in session.subscriptions:
        subscription.wanted = False
    talk.take()
    assert talk.tell(STARTED) == [st.EV_STARTED]
    assert session.state == st.READY and talk.take() == []
    session.subscriptions[1].wanted = True
    session.subscribe(1, 2)
    talk.flush()
    assert talk.mids() == [70] and session.state == st.SUBSCRIBING
    assert talk.tell(accepted(70)) == [st.EV_READY]
    session.subscriptions[0].wanted = True
    session.subscribe(0, 1)
    talk.flush()
    assert talk.mids() == [60]
    assert talk.tell(accepted(60)) == [st.EV_READY]
    assert talk.mids() == []  # and not 70 again
    talk.lose()
    assert talk.mids() == [1]
    talk.tell(STARTED)
    assert talk.mids() == [60]
    talk.tell(accepted(60))
    assert talk.mids() == [70]  # what is wanted is asked for with each connection


def test_surviving_subscription_is_cleared_once_and_then_taken_as_it_is():
    talk = Talk()
    talk.tell(STARTED)
    talk.take()
    talk.tell(refused(60, 9))
    assert talk.take() == [b"00200063001         "]
    assert talk.tell(accepted(63)) == []
    assert talk.take() == [b"002000609990        "]
    assert talk.tell(refused(60, 9)) == [st.EV_READY]
    assert talk.session.state == st.READY and talk.mids() == []


def test_result_instead_of_the_answer_means_accepted():
    talk = Talk()
    talk.tell(STARTED)
    talk.take()
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED]
    assert talk.session.state == st.READY and talk.take() == [ACKNOWLEDGE]
    # The answer that comes after all belongs to no request.
    assert talk.tell(accepted(60)) == [st.EV_UNKNOWN]


# Results


def test_result_is_acknowledged_only_when_the_owner_says_so():
    talk = Talk().ready()
    talk.answers = False
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED]
    assert talk.results == [EXAMPLE] and talk.take() == []
    talk.answers = True
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED]
    assert talk.take() == [ACKNOWLEDGE]


def test_acknowledgement_goes_before_a_request_that_is_due():
    talk = Talk().ready()
    talk.takes = False
    talk.tell(EXAMPLE)
    talk.session.fetch()
    talk.tell(EXAMPLE)
    talk.takes = True
    talk.settle()
    assert talk.mids() == [62, 62, 64]


def test_result_is_read_by_the_revision_in_its_own_header():
    talk = Talk().ready()
    for frame, revision in ((pushed(7), 7), (pushed(1), 1), (EXAMPLE, 999), (EXAMPLE[:8] + b"   " + EXAMPLE[11:], 1)):
        assert talk.tell(frame) == [st.EV_PUSHED]
        assert talk.session.said.revision == revision
        assert talk.results[-1] == frame


def test_result_larger_than_the_buffer_is_handed_over_cut_short_and_acknowledged():
    talk = Talk(buffer_bytes=300).ready()
    large = pushed(7) + b"\0"
    assert talk.hear(large[:300]) == [st.EV_PUSHED_CUT]
    assert talk.hear(large[300:500]) == []
    assert talk.hear(large[500:] + EXAMPLE + b"\0") == [st.EV_PUSHED]
    assert talk.results == [large[:300], EXAMPLE]
    assert talk.take() == [ACKNOWLEDGE] * 2


def test_result_that_comes_while_stopping_is_handed_over_and_not_answered_behind_0003():
    # Behind 0003 a controller takes nothing but 0001 (003:3233-3238): the result comes again, and is known then.
    talk = Talk(stop_wait_ms=10000).ready()
    talk.session.stop(talk.now)
    talk.settle()
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED]
    assert talk.mids() == [3]
    talk.wait(9000)  # nor does a keep-alive follow
    assert talk.mids() == []


def test_result_that_came_before_0003_went_out_is_answered_before_it():
    talk = Talk().ready()
    talk.takes = False
    talk.tell(EXAMPLE)
    talk.session.stop(talk.now)
    talk.tell(EXAMPLE)
    talk.takes = True
    talk.settle()
    assert talk.mids() == [62, 62, 3]


# Fetching


def fetching(number=b"0001234567", revision=2):
    talk = Talk().ready()
    talk.session.fetching.asked_id[:] = number
    talk.session.fetching.revision = revision
    talk.session.fetch()
    talk.settle()
    return talk


def test_fetch_is_written_as_the_document_says():
    talk = fetching()
    assert talk.take() == [b"00300064002         0001234567"]
    assert not talk.session.can_fetch()


def test_fetch_in_revision_10_says_that_the_result_was_not_made_offline():
    for revision in (10, 11):
        talk = fetching(revision=revision)
        assert talk.take() == [b"003100640%d         00012345670" % revision]
        assert talk.tell(fetched(2, tightening_id=1234566)) == [st.EV_UNKNOWN]
        assert talk.tell(fetched(2, tightening_id=1234567)) == [st.EV_FETCHED]
    assert fetching(revision=9).take() == [b"00300064009         0001234567"]


def test_answer_to_a_fetch_is_matched_by_its_id():
    talk = fetching()
    assert talk.tell(fetched(2, tightening_id=1234566)) == [st.EV_UNKNOWN]
    assert not talk.session.can_fetch()
    assert talk.tell(fetched(2)) == [st.EV_FETCHED] and talk.session.can_fetch()
    assert talk.tell(fetched(2)) == [st.EV_UNKNOWN]


def test_any_id_answers_the_question_for_the_newest():
    talk = fetching(b"0000000000")
    assert talk.tell(fetched(1, tightening_id=7)) == [st.EV_FETCHED]
    assert talk.session.said.revision == 1


def test_silent_fetch_is_sent_three_times_and_then_given_up_without_losing_the_session():
    talk = fetching()
    assert talk.wait(14990) == []
    assert [mid for mid in talk.mids() if mid != 9999] == [64, 64, 64]
    talk.hear(b"\0")
    assert talk.wait(20) == [st.EV_FETCH_SILENT]
    assert talk.session.state == st.READY and talk.session.can_fetch()


def fetch_next(talk, number):
    talk.session.fetching.asked_id[:] = number
    talk.session.fetch()
    talk.settle()


def test_second_answer_to_repeated_fetch_is_not_taken_for_answer_to_next():
    talk = fetching()
    talk.wait(10001)  # it went out three times
    assert talk.tell(refused(64, 15)) == [st.EV_FETCH_REFUSED]
    fetch_next(talk, b"0001234568")
    assert talk.tell(refused(64, 15), refused(64, 15)) == [st.EV_UNKNOWN] * 2
    assert talk.tell(fetched(2, tightening_id=1234568)) == [st.EV_FETCHED]
    fetch_next(talk, b"0001234569")
    assert talk.tell(refused(64, 15)) == [st.EV_FETCH_REFUSED]


def test_refusals_are_taken_again_though_the_echoes_never_come():
    talk = fetching()
    talk.wait(14000)
    talk.hear(b"\0")
    assert talk.wait(1100) == [st.EV_FETCH_SILENT]
    fetch_next(talk, b"0001234568")
    assert talk.tell(refused(64, 15)) == [st.EV_UNKNOWN]  # it may be an echo
    for _ in range(3):
        talk.wait(5000)
        talk.tell(refused(64, 15))
    assert talk.session.can_fetch()
    for number in (b"0001234569", b"0001234570"):
        fetch_next(talk, number)
        assert talk.tell(refused(64, 15)) == [st.EV_FETCH_REFUSED]


def test_lower_answers_are_taken_again_though_the_echoes_never_come():
    for lower_too in (True, False):
        talk = fetching()
        talk.session.request.lower_too = lower_too
        talk.wait(14000)
        talk.hear(b"\0")
        assert talk.wait(1100) == [st.EV_FETCH_SILENT]
        fetch_next(talk, b"0001234566")
        told = []
        for _ in range(3):
            told += talk.tell(fetched(2, tightening_id=1234560))  # it may be an echo
            told += talk.wait(5000)
        assert told == [st.EV_UNKNOWN] * 3 + [st.EV_FETCH_SILENT]
        fetch_next(talk, b"0001234566")
        assert talk.tell(fetched(2, tightening_id=1234560)) == [st.EV_FETCHED if lower_too else st.EV_UNKNOWN]


def test_answer_that_comes_before_its_request_went_out_leaves_no_echo_to_be_awaited():
    for early, event in ((fetched(2), st.EV_FETCHED), (refused(64, 15), st.EV_FETCH_REFUSED)):
        talk = Talk().ready()
        talk.takes = False
        talk.tell(EXAMPLE)  # its 0062 keeps the request from going out
        talk.session.fetching.asked_id[:] = b"0001234567"
        talk.session.fetch()
        assert talk.tell(early) == [event]  # late, to the same question in an earlier round
        talk.takes = True
        talk.settle()
        assert talk.mids() == [62]
        fetch_next(talk, b"0001234568")
        assert talk.tell(refused(64, 15)) == [st.EV_FETCH_REFUSED]


def test_events_may_come_between_request_and_answer():
    talk = fetching()
    assert talk.tell(EXAMPLE, fetched(2), EXAMPLE) == [st.EV_PUSHED, st.EV_FETCHED, st.EV_PUSHED]


def test_serial_of_the_tool_is_taken_from_0041():
    talk = Talk().ready()
    talk.session.ask_tool()
    talk.settle()
    assert talk.take() == [b"00200040001         "]
    assert talk.tell(message(41, b"01C3412129      " + b"020000000000")) == [st.EV_TOOL]
    assert bytes(talk.session.tool_serial) == b"C3412129      "
    assert talk.tell(message(41, b"01C3412129      ")) == [st.EV_UNKNOWN]


def test_tool_request_without_answer_is_not_repeated_and_blocks_nothing():
    talk = Talk().ready()
    talk.session.ask_tool()
    talk.settle()
    assert talk.wait(5001) == []
    assert talk.mids() == [40] and talk.session.can_fetch()


# Keep-alive and silence


def test_keep_alive_goes_out_seven_seconds_after_the_last_transmission():
    talk = Talk().ready()
    talk.wait(6999)
    assert talk.take() == []
    talk.wait(1)
    assert talk.take() == [KEEP_ALIVE]
    talk.tell(MIRROR)
    talk.wait(3000)
    talk.tell(EXAMPLE)  # our 0062 is a transmission
    assert talk.mids() == [62]
    talk.wait(6999)
    assert talk.mids() == []
    talk.wait(1)
    assert talk.mids() == [9999]


def test_mirror_is_never_answered_in_any_form():
    talk = Talk().ready()
    for mirror in (
        MIRROR,
        b"00209999            ",
        b"00209999000         ",
        b"00209999001 0000    ",
        refused(9999, 99),
    ):
        assert talk.tell(mirror) == []
    assert talk.take() == [] and talk.session.state == st.READY


def test_mirrored_keep_alives_keep_a_quiet_session_for_ever():
    talk = Talk().ready()
    for _ in range(100):
        assert talk.wait(7000) == []
        assert talk.mids() == [9999]
        talk.tell(MIRROR)
    assert talk.session.state == st.READY


def test_link_without_one_octet_for_fifteen_seconds_after_keep_alive_is_lost():
    talk = Talk().ready()
    talk.wait(7000)
    assert talk.wait(14999) == []
    assert talk.wait(1) == [st.EV_OVER]
    assert talk.session.why == st.WHY_SILENCE and is_asleep(talk)


def test_any_octet_is_a_sign_of_life():
    talk = Talk().ready()
    for _ in range(10):
        talk.wait(12000)
        talk.hear(b"\0")
    assert talk.session.state == st.READY


def test_request_without_answer_is_sent_three_times_and_then_link_is_lost():
    for state in (st.SUBSCRIBING, st.CLEARING):
        talk = talk_in(state)
        talk.wait(4999)
        assert talk.mids() == []
        talk.wait(5000)
        talk.wait(4999)
        assert [mid for mid in talk.mids() if mid != 9999] == [ASKED[state]] * 2
        assert talk.wait(2) == [st.EV_OVER] and talk.session.why == st.WHY_SILENCE


def test_port_that_takes_nothing_is_given_up():
    talk = Talk().ready()
    talk.takes = False
    talk.tell(EXAMPLE)
    events = []
    for _ in range(10):
        talk.hear(b"\0")  # the other side is alive, but nothing goes out
        events += talk.wait(2000)
    assert events == [st.EV_OVER] and talk.session.why == st.WHY_SILENCE


def test_port_that_is_slow_is_not_given_up():
    talk = Talk().ready()
    for _ in range(20):
        talk.takes = False
        talk.tell(EXAMPLE)
        talk.wait(2000)
        talk.takes = True
        talk.settle()
    assert talk.session.state == st.READY


# Stop


def test_stop_sends_0003_and_is_over_with_its_answer():
    talk = Talk().ready()
    talk.session.stop(talk.now)
    assert talk.settle() == []
    assert talk.take() == [b"00200003001         "]
    assert talk.tell(accepted(3)) == [st.EV_OVER] and talk.session.why == st.WHY_STOPPED


def test_stop_without_answer_is_over_after_a_second():
    talk = Talk().ready()
    talk.session.stop(talk.now)
    talk.settle()
    assert talk.wait(999) == []
    assert talk.wait(1) == [st.EV_OVER] and talk.session.why == st.WHY_STOPPED
    assert talk.mids() == [3]


def test_stop_waits_for_answer_to_what_is_out_and_hands_it_on():
    for answer, event in ((fetched(2), st.EV_FETCHED), (refused(64, 15), st.EV_FETCH_REFUSED)):
        talk = fetching()
        talk.take()
        talk.session.stop(talk.now)
        talk.session.stop(talk.now)
        assert talk.settle() == [] and talk.mids() == []
        assert talk.tell(accepted(3), accepted(64)) == [st.EV_UNKNOWN] * 2  # 0003 is not out yet
        assert talk.tell(EXAMPLE) == [st.EV_PUSHED] and talk.mids() == [62]  # and results are still answered
        assert talk.tell(answer) == [event]
        assert talk.mids() == [3]
        assert talk.tell(answer) == [st.EV_UNKNOWN]
        assert talk.tell(accepted(3)) == [st.EV_OVER] and talk.session.why == st.WHY_STOPPED


def test_stop_waits_no_longer_for_what_is_out_than_for_its_own_answer_and_asks_nothing_again():
    for asked_before, waits in ((1000, 1000), (4400, 600)):
        talk = fetching()
        talk.take()
        talk.wait(asked_before)
        talk.session.stop(talk.now)
        talk.take()
        assert talk.wait(waits - 1) == [] and talk.mids() == []
        assert talk.wait(1) == [st.EV_FETCH_SILENT] and talk.mids() == [3]
        assert talk.wait(999) == []
        assert talk.wait(1) == [st.EV_OVER] and talk.session.why == st.WHY_STOPPED


def test_stop_between_two_tries_of_request_sends_0003_instead_of_the_second():
    talk = fetching()
    talk.take()
    talk.takes = False
    talk.wait(4999)
    talk.tell(EXAMPLE)  # its 0062 keeps the link busy when the time of the request is over
    talk.wait(10)
    talk.session.stop(talk.now)
    talk.takes = True
    talk.settle()
    assert [mid for mid in talk.mids() if mid != 9999] == [62, 3]


def test_stop_in_every_state_waits_for_what_is_out_there():
    for state, answers in (
        (st.STARTING, (STARTED,)),
        (st.SUBSCRIBING, (accepted(60), refused(60, 97), refused(60, 99), EXAMPLE)),
        (st.CLEARING, (accepted(63), refused(63, 10))),
    ):
        for answer in answers + (None,):
            talk = talk_in(state)
            talk.session.stop(talk.now)
            talk.settle()
            assert talk.mids() == [], state
            if answer is None:
                events = talk.wait(1000)
            else:
                events = talk.tell(answer)
                assert events == ([st.EV_PUSHED] if answer == EXAMPLE else []), (state, events)
            if answer is None and state == st.STARTING:  # there is no session to end
                assert events == [st.EV_OVER] and talk.mids() == []
                continue
            assert [mid for mid in talk.mids() if mid != 62] == [3], (state, answer)
            assert talk.session.state == st.STOPPING
            assert talk.tell(accepted(3)) == [st.EV_OVER] and talk.session.why == st.WHY_STOPPED


def test_stop_of_a_start_that_is_refused_is_over_without_0003():
    talk = talk_in(st.STARTING)
    talk.session.stop(talk.now)
    assert talk.tell(refused(1, 97)) == [st.EV_OVER]
    assert talk.session.why == st.WHY_STOPPED and talk.mids() == []


def test_stop_of_the_tool_request_waits_too():
    talk = Talk().ready()
    talk.session.ask_tool()
    talk.settle()
    talk.take()
    talk.session.stop(talk.now)
    assert talk.settle() == [] and talk.mids() == []
    assert talk.tell(message(41, b"01C3412129      ")) == [st.EV_TOOL]
    assert talk.mids() == [3]


def test_stop_of_a_session_that_is_over_does_nothing():
    talk = Talk().ready()
    talk.session.stop(talk.now)
    talk.tell(accepted(3))
    talk.take()
    talk.session.stop(talk.now)
    assert talk.settle() == [] and talk.take() == [] and is_asleep(talk)


# What was not asked for


def test_unknown_messages_and_answers_no_one_asked_for_are_named_and_change_nothing():
    talk = Talk().ready()
    for octets in (
        message(71, b"01E404"),
        message(900, b"0000000001\0\x00\x01"),
        message(1201, b"001"),
        message(4321),
        STARTED,
        fetched(2),
        accepted(60),
        accepted(63),
        accepted(3),
        accepted(18),
        refused(60, 97),
        message(41, b"01C3412129      "),
    ):
        assert talk.tell(octets) == [st.EV_UNKNOWN], octets
        assert talk.session.said.mid == int(octets[4:8])
    assert talk.session.state == st.READY and talk.take() == []


def test_answers_too_short_to_be_read_are_malformed():
    talk = Talk().ready()
    for octets in (message(4), message(5), message(4, b"006"), message(5, b"006"), message(4, b"0060")):
        assert talk.tell(octets) == [st.EV_MALFORMED]
    assert talk.session.state == st.READY


def test_mid_that_is_no_number_loses_the_framing():
    for mid in (b"006x", b"    ", b"\xff\xff\xff\xff"):
        talk = Talk().ready()
        assert talk.tell(b"0020" + mid + b"001         ") == [st.EV_OVER]
        assert talk.session.why == st.WHY_FRAMING


def test_lost_framing_ends_the_session_and_says_how():
    talk = Talk().ready()
    assert talk.hear(EXAMPLE + b"\0" + b"xxxx") == [st.EV_PUSHED, st.EV_OVER]
    assert talk.session.why == st.WHY_FRAMING and talk.link.why == WHY_LENGTH
    talk = Talk().ready()
    assert talk.hear(EXAMPLE[:60]) == []
    assert talk.wait(5001) == [st.EV_OVER]
    assert talk.session.why == st.WHY_FRAMING and talk.link.why == WHY_SLOW


def test_lost_framing_at_the_start_tries_another_revision():
    talk = Talk()
    talk.hear(b"HTTP")
    talk.take()
    talk.lose()
    assert talk.take() == [b"00200001006         "]


# The whole conversation, in any pieces

CONVERSATION = b"".join(
    [octets + b"\0" for octets in (refused(1, 97), STARTED, refused(60, 97), accepted(60), EXAMPLE, pushed(1), MIRROR)]
)


def run_in_pieces(cuts):
    talk = Talk(4096)
    events = []
    before = 0
    for cut in cuts + [len(CONVERSATION)]:
        events += talk.hear(CONVERSATION[before:cut])
        before = cut
    return events, talk.results, talk.mids().count(62), talk.session.state


def test_conversation_is_the_same_at_every_split_position_and_byte_by_byte():
    wanted = run_in_pieces([])
    assert wanted[0] == [st.EV_REFUSED, st.EV_STARTED, st.EV_REFUSED, st.EV_READY, st.EV_PUSHED, st.EV_PUSHED]
    assert wanted[1:] == ([EXAMPLE, pushed(1)], 2, st.READY)
    everywhere = list(range(1, len(CONVERSATION)))
    for cuts in [[cut] for cut in everywhere] + [everywhere]:
        assert run_in_pieces(cuts) == wanted, cuts


# Link-level numbers, where 0002 said so


def numbered(frame, number):
    return frame[:16] + ("%02d" % number).encode() + frame[18:]


def talk_numbered(first=1):
    talk = Talk(start_revisions=(6,))
    assert talk.tell(identity_message(6, sequence_numbers=1)) == [st.EV_STARTED]
    assert talk.tell(numbered(accepted(60), first)) == [st.EV_READY]
    return talk


def test_numbered_result_gets_9997_instead_of_0062_and_only_when_it_is_durable():
    talk = talk_numbered()
    talk.take()
    talk.answers = False
    assert talk.tell(numbered(EXAMPLE, 2)) == [st.EV_PUSHED]
    assert talk.take() == []
    talk.answers = True
    assert talk.tell(numbered(EXAMPLE, 2)) == [st.EV_PUSHED]
    assert talk.take() == [b"00249997001     03  0061"]


def test_repeated_number_is_acknowledged_again_and_not_delivered():
    talk = talk_numbered()
    talk.tell(numbered(EXAMPLE, 2))
    talk.take()
    assert talk.tell(numbered(EXAMPLE, 2)) == [st.EV_AGAIN]
    assert talk.take() == [b"00249997001     03  0061"]


def test_acknowledgement_that_is_rejected_is_told_by_its_name_and_code():
    talk = Talk().ready()
    assert talk.tell(refused(62, 19)) == [st.EV_UNTAKEN]
    assert (talk.session.said.named, talk.session.said.code) == (62, 19)
    assert talk.tell(refused(63, 10)) == [st.EV_UNKNOWN]
    talk = talk_numbered()
    assert talk.tell(refused(9997, 5)) == [st.EV_UNTAKEN]
    for data, events in (
        (b"99970003", [st.EV_UNTAKEN]),
        (b"00620004", [st.EV_UNTAKEN]),
        (b"00640003", [st.EV_UNKNOWN]),
    ):
        assert talk.tell(message(9998, data)) == events, data


def test_subscription_that_is_sent_once_more_says_how_it_was_answered():
    for told, events in (
        (accepted(60), [st.EV_SUBSCRIBED]),
        (refused(60, 9), [st.EV_NOT_SUBSCRIBED]),
        (refused(60, 98), [st.EV_NOT_SUBSCRIBED]),
        (refused(60, 99), [st.EV_NOT_SUBSCRIBED]),
    ):
        talk = Talk().ready()
        talk.session.subscribe_again()
        talk.settle()
        assert talk.take() == [b"002000609990        "]
        assert talk.tell(told) == events and talk.session.state == st.READY
        assert talk.tell(EXAMPLE) == [st.EV_PUSHED] and talk.session.can_fetch()
    talk.session.subscribe_again()
    assert talk.wait(6000) == [] and talk.session.can_fetch(), "no answer says nothing"


def test_wrong_number_is_refused_with_the_expected_one():
    talk = talk_numbered()
    talk.take()
    assert talk.tell(numbered(EXAMPLE, 7)) == []
    assert talk.take() == [b"00289998001     02  00610003"]
    assert talk.tell(numbered(EXAMPLE, 2)) == [st.EV_PUSHED]


def test_peer_that_counts_its_0002_is_acknowledged_too():
    talk = Talk(start_revisions=(6,))
    talk.take()
    assert talk.tell(numbered(identity_message(6, sequence_numbers=1), 1)) == [st.EV_STARTED]
    assert talk.take() == [b"00249997001     02  0002", b"002000609990        "]
    assert talk.tell(numbered(accepted(60), 2)) == [st.EV_READY]


def test_numbered_mirror_is_acknowledged_and_not_answered():
    talk = talk_numbered()
    talk.take()
    assert talk.tell(numbered(MIRROR, 2)) == []
    assert talk.take() == [b"00249997001     03  9999"]


def test_message_without_number_is_acknowledged_in_old_way_though_numbers_are_on():
    talk = talk_numbered()
    talk.take()
    assert talk.tell(EXAMPLE, numbered(EXAMPLE, 0)) == [st.EV_PUSHED] * 2
    assert talk.take() == [ACKNOWLEDGE] * 2


def test_numbers_mean_nothing_where_0002_did_not_announce_them():
    talk = Talk().ready()
    assert talk.tell(numbered(EXAMPLE, 57)) == [st.EV_PUSHED]
    assert talk.take() == [ACKNOWLEDGE]


def test_numbers_start_again_with_each_connection():
    talk = talk_numbered()
    talk.tell(numbered(EXAMPLE, 2), numbered(EXAMPLE, 3))
    talk.lose()
    talk.tell(identity_message(6, sequence_numbers=1))
    talk.take()
    assert talk.tell(numbered(accepted(60), 1)) == [st.EV_READY]
    assert talk.take() == [b"00249997001     02  0005"]
