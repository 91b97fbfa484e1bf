"""A result that comes before the answer to its subscription: an old one, pushed again, or in place of the answer."""

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING, SEVERAL_SPINDLES
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.sim import operation_frames, spindle_frames
from host_tests.support.frames import accepted, example_tightening, identity_message, message, pushed, refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True
HEAP = "4m"

EV_OVER = session_states.EV_OVER
ALARMS = (70, 73, 0, b"", False, ((71, 72), (76, 77)))
GARBLED = b"00610061001         " + b"\x80" * 41


def results():
    """Return the results that each subscription may bring, by its MID."""
    one = example_tightening()
    return {
        60: (pushed(1), pushed(999), GARBLED),
        100: (message(101, spindle_frames.sync_data(one, 1, 2), 1),),
        105: (message(106, spindle_frames.station_data(one, 1, 2), 1),),
        8: (message(1201, operation_frames.overall_data(one, 2), 2),),
    }


def leading(mid):
    """Return a session, and what the controller says next: behind that it is subscribed by this MID."""
    talk = Talk()
    if mid == 60:
        return talk, STARTED + b"\0"
    if mid == 8:
        return talk, identity_message(6, system_type=REPEATS_NOTHING) + b"\0"
    several = identity_message(6, system_type=SEVERAL_SPINDLES) + b"\0"
    if mid == 105:
        return talk, several
    talk.receive(several)
    for _ in range(3):
        talk.deliver(refused(105, 97))
    assert int(talk.take()[-1][4:8]) == 105
    return talk, refused(105, 97) + b"\0"


def subscribing(mid, before=b"", behind=b"", is_writable=True, split=0):
    """Return a session that subscribes by this MID; so much comes right before and behind what makes it do so."""
    talk, lead = leading(mid)
    talk.is_writable = is_writable
    give(talk, before + lead + behind, split)
    return talk


def give(talk, octets, split):
    """Give these octets at once, or in two pieces."""
    events = talk.receive(octets[:split]) if split else []
    return events + talk.receive(octets[split:])


def asked(talk, mid):
    """Return the revisions that were asked for by this MID since the last time."""
    return [int(one[24:27] if mid == 8 else one[8:11]) for one in talk.take() if int(one[4:8]) == mid]


def splits(octets):
    return [0] + list(range(1, len(octets), 41)) + [len(octets) - 1]


def check(talk, mid, answer, split=0):
    """See that the subscription was sent, and that its answer counts, whichever it is, though a result came before."""
    revisions = asked(talk, mid)
    assert len(revisions) == 1 and talk.session.state == session_states.SUBSCRIBING, (mid, revisions)
    if answer == "accepted":
        assert give(talk, accepted(mid) + b"\0", split) == [session_states.EV_READY], mid
    elif answer == "rejected":
        assert give(talk, refused(mid, 97) + b"\0", split) == [session_states.EV_REJECTED], mid
        others = asked(talk, mid)
        assert len(others) == 1 and others != revisions, (mid, others)
        assert talk.deliver(accepted(mid)) == [session_states.EV_READY], mid
    elif answer == "exists":
        assert talk.deliver(refused(mid, 9)) == [session_states.EV_REJECTED], mid
        assert talk.session.state == session_states.CLEARING
        return
    else:
        if answer == "later":
            assert talk.deliver(refused(mid, 98)) == [session_states.EV_REJECTED], mid
        check_again(talk, mid, revisions)
        return
    assert talk.session.state == session_states.READY and asked(talk, mid) == []


def check_again(talk, mid, revisions):
    """See that nothing was an answer: asked again, behind a rejection on a new connection."""
    events = talk.wait(5000)
    assert events == ([EV_OVER] if mid == 100 else []), mid
    assert asked(talk, mid) == ([] if mid == 100 else revisions), mid


ANSWERS = ("accepted", "rejected", "exists", "later", "nothing")


def test_a_result_in_front_of_0002_or_right_behind_it_changes_nothing():
    for mid, frames in results().items():
        lead = b"x" * len(leading(mid)[1])
        for result in frames:
            for before, behind in ((result + b"\0", b""), (b"", result + b"\0")):
                for answer in ANSWERS:
                    check(subscribing(mid, before, behind), mid, answer)
                for split in splits(before + lead + behind):
                    for answer in ("accepted", "rejected"):
                        talk = subscribing(mid, before, behind, True, split)
                        if talk.session.state != session_states.READY:  # else the request had gone out
                            check(talk, mid, answer)
                        else:
                            assert split and not before and len(asked(talk, mid)) == 1


def test_a_result_while_the_subscription_is_being_written_is_no_answer_to_it():
    for mid, frames in results().items():
        for result in frames:
            for answer in ANSWERS:
                talk = subscribing(mid, is_writable=False)
                talk.link.sent(7)  # so much of it has gone out
                assert talk.deliver(result) == [session_states.EV_PUSHED]
                talk.link.tx_from -= 7
                talk.link.pending += 7
                talk.is_writable = True
                talk.settle()
                check(talk, mid, answer)


def behind_push(mid, result, split=0, ms=0):
    """Return a session whose subscription was followed by a result, and the revision that was asked for."""
    talk = subscribing(mid)
    talk.wait(ms)
    (revision,) = asked(talk, mid)
    assert give(talk, result + b"\0", split) == [session_states.EV_PUSHED]
    assert talk.session.state == session_states.READY  # whether or not anything else comes
    return talk, revision


def test_a_result_behind_the_subscription_is_the_answer_unless_another_one_comes():
    for mid, frames in results().items():
        for result in frames:
            for split in splits(result):
                for ms in (0, 20, 500):
                    talk, _ = behind_push(mid, result, split, ms)
                    assert EV_OVER not in talk.wait(6000) and asked(talk, mid) == []
                    for answer in (accepted(mid), refused(mid, 9), refused(mid, 71), refused(mid, 0)):
                        talk, _ = behind_push(mid, result, split, ms)
                        assert talk.deliver(result, answer) == [session_states.EV_PUSHED], (mid, answer)
                        assert talk.session.state == session_states.READY and asked(talk, mid) == []
                        assert talk.deliver(refused(mid, 97)) == [session_states.EV_UNKNOWN]  # it is answered


def test_a_rejection_behind_the_result_has_another_revision_asked_for_by_a_new_connection():
    for mid, frames in results().items():
        for result in frames:
            for code in (97, 74, 1, 98, 96, 99):
                for is_busy in (False, True):
                    talk, revision = behind_push(mid, result)
                    if is_busy:
                        talk.fetch()
                    assert give(talk, refused(mid, code) + b"\0", 7) == [EV_OVER], (mid, code)
                    assert talk.session.received.rejected_mid == mid and talk.session.received.rejected_code == code
                    talk.take()
                    if code == 97:
                        again = lead_again(talk, mid)
                        assert len(again) == 1 and again != [revision], (mid, again)
                        assert talk.deliver(result)[-1] == session_states.EV_PUSHED
                        assert talk.deliver(accepted(mid)) == [] and talk.session.state == session_states.READY


def lead_again(talk, mid):
    """Begin a new connection; return the revisions that are asked for by this MID."""
    talk.lose()
    started = {60: STARTED, 8: identity_message(6, system_type=REPEATS_NOTHING)}
    talk.deliver(started.get(mid, identity_message(6, system_type=SEVERAL_SPINDLES)))
    while True:
        last = talk.take()[-1]
        if int(last[4:8]) == mid:
            return [int(last[24:27] if mid == 8 else last[8:11])]
        talk.deliver(refused(int(last[4:8]), 97))


def test_each_revision_is_tried_though_an_old_result_comes_behind_each_subscription():
    talk = Talk(subscriptions=(Subscription(RESULTS, (999, 6, 5, 2, 1)),))
    for revision in (999, 6, 5, 2):
        talk.deliver(STARTED)
        assert asked(talk, 60) == [revision]
        talk.deliver(pushed(1))
        assert talk.deliver(refused(60, 97)) == [EV_OVER]
        talk.lose()
    talk.deliver(STARTED)
    assert asked(talk, 60) == [1]
    talk.deliver(pushed(1), accepted(60))
    assert talk.session.state == session_states.READY


def test_a_rejection_while_the_next_subscription_is_asked_for_is_to_the_one_it_names():
    for old in (True, False):
        talk = Talk(subscriptions=(Subscription(RESULTS, (999, 1)), Subscription(ALARMS, (1,))))
        talk.deliver(STARTED)
        talk.take()
        talk.deliver(pushed(999))
        assert talk.mids() == [62, 70]
        if old:
            assert talk.deliver(refused(60, 97)) == [session_states.EV_REJECTED]
            assert asked(talk, 60) == [1]
            assert talk.deliver(accepted(60)) == [] and talk.mids() == [70]
        else:
            assert talk.deliver(accepted(60)) == [] and talk.mids() == []
        assert talk.deliver(accepted(70)) == [session_states.EV_READY]


def test_a_rejection_of_one_generic_subscription_is_to_the_first_that_was_not_answered():
    curves = (8, 9, 900, b"0" * 2, False, ((900, 5),))
    talk = Talk(subscriptions=(Subscription(RESULTS, (1,)), Subscription(curves, (3, 2, 1))))
    talk.deliver(identity_message(6, system_type=REPEATS_NOTHING))
    talk.take()
    talk.deliver(*results()[8])
    assert [one[20:24] for one in talk.take()] == [b"0900"]
    assert talk.deliver(refused(8, 97)) == [session_states.EV_REJECTED]
    assert [one[20:24] for one in talk.take()] == [b"1201"]


def test_what_is_subscribed_once_more_is_answered_by_what_comes_behind_that():
    talk, _ = behind_push(60, pushed(999))
    talk.session.subscribe_again()
    talk.settle()
    assert talk.deliver(refused(60, 97)) == [session_states.EV_NOT_SUBSCRIBED]


def test_the_next_connection_knows_nothing_of_it():
    talk, _ = behind_push(60, pushed(999))
    talk.lose()
    talk.deliver(STARTED)
    talk.deliver(accepted(60))
    assert talk.deliver(refused(60, 97)) == [session_states.EV_UNKNOWN]


def test_a_rejection_that_comes_twice_counts_once():
    for mid in (60, 8):
        talk = subscribing(mid)
        (first,) = asked(talk, mid)
        events = talk.deliver(refused(mid, 97), refused(mid, 97))
        assert events == [session_states.EV_REJECTED, session_states.EV_UNKNOWN]
        (second,) = asked(talk, mid)
        once = subscribing(mid)
        assert asked(once, mid) == [first]
        once.deliver(refused(mid, 97))
        assert asked(once, mid) == [second]


def test_a_result_behind_the_answer_belongs_to_what_was_answered():
    for mid, frames in results().items():
        for result in frames:
            talk = subscribing(mid)
            assert talk.deliver(accepted(mid), result) == [session_states.EV_READY, session_states.EV_PUSHED]
            talk = subscribing(mid)
            (first,) = asked(talk, mid)
            # What is asked for next has not gone out yet as the result comes.
            assert talk.deliver(refused(mid, 97), result) == [session_states.EV_REJECTED, session_states.EV_PUSHED]
            (second,) = asked(talk, mid)
            assert second != first and talk.session.state == session_states.SUBSCRIBING
            assert talk.deliver(accepted(mid)) == [session_states.EV_READY]


def test_a_session_that_is_to_end_does_so_though_a_result_has_come():
    talk = subscribing(60)
    talk.stop()
    talk.deliver(pushed(999), refused(60, 97))
    assert 3 in talk.mids() and talk.deliver(accepted(3)) == [EV_OVER]
