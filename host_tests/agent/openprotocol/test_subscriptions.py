"""Another subscription is another row: asked for after the results, taken, acknowledged, done without if it must be."""

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from host_tests.support.frames import EXAMPLE, accepted, message, refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True

ALARM = message(71, b"01E404021031042024-03-14:09:26:53")
ALARM_STATUS = message(76, b"010")

ALARMS = (70, 73, 0, b"", False, ((71, 72), (76, 77)))


def talk_with(*rows):
    """Return a session that has asked for the first of these subscriptions."""
    talk = Talk(subscriptions=tuple([Subscription(row, (2, 1)) for row in rows]))
    talk.answers = False
    assert talk.deliver(STARTED) == [session_states.EV_STARTED]
    return talk


def test_acknowledgements_of_different_pushes_that_wait_for_the_link_all_go_out():
    talk = talk_with(RESULTS, ALARMS)
    talk.deliver(accepted(60), accepted(70))
    talk.take()
    talk.is_writable = False
    for push in (ALARM, EXAMPLE, EXAMPLE, ALARM_STATUS, EXAMPLE):
        talk.deliver(push)
        talk.session.acknowledge()
    talk.is_writable = True
    talk.settle()
    assert sorted(talk.mids()) == [62, 62, 62, 72, 77] and not talk.session.has_more()


def test_results_come_before_the_other_subscriptions_stand():
    talk = talk_with(RESULTS, ALARMS)
    assert talk.deliver(EXAMPLE) == [session_states.EV_PUSHED]  # instead of the 0005
    assert talk.mids()[-1] == 70
    assert talk.deliver(EXAMPLE) == [session_states.EV_PUSHED] and talk.session.state == session_states.SUBSCRIBING
    assert talk.deliver(ALARM) == [session_states.EV_PUSHED] and talk.session.state == session_states.READY


def test_silence_busy_and_later_are_done_without_where_nothing_needs_it():
    talk = talk_with(RESULTS, ALARMS)
    talk.deliver(accepted(60))
    talk.take()
    talk.wait(5000)
    assert talk.session.state == session_states.READY and 70 not in talk.mids()
    assert talk.deliver(accepted(70)) == [session_states.EV_UNKNOWN] and talk.session.state == session_states.READY
    for code in (96, 16, 35, 98, 27, 28):
        talk = talk_with(RESULTS, ALARMS)
        talk.deliver(accepted(60))
        assert talk.deliver(refused(70, code)) == [session_states.EV_REJECTED]
        assert talk.session.state == session_states.READY
        talk = talk_with(RESULTS, ALARMS)
        talk.deliver(accepted(60))
        talk.deliver(refused(70, 11))
        assert talk.session.state == session_states.CLEARING
        talk.wait(5000)
        assert talk.session.state == session_states.READY
