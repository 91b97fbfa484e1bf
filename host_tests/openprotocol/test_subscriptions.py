"""Another subscription is another row: asked for after the results, taken, acknowledged, done without if it must be."""

from toolcart.agent.openprotocol import states as st
from toolcart.agent.openprotocol.requests import longest_bytes
from toolcart.agent.openprotocol.subscriptions import INSTEAD, RESULTS, Subscription
from host_tests.support.frames import EXAMPLE, accepted, message, refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True

ALARM = message(71, b"01E404021031042024-03-14:09:26:53")
ALARM_STATUS = message(76, b"010")
OPERATION = message(1201, b"002001" + b"0" * 40)
OBJECT = message(1202, b"002002" + b"0" * 40)

ALARMS = (70, 73, 0, b"", False, ((71, 72), (76, 77)))
EXTRA = b"310" + b"0" * 30 + b"0"
OPERATIONS = (8, 9, 1201, EXTRA, True, ((1201, 1203), (1202, 1203)))


def talk_with(*rows):
    """Return a session that has asked for the first of these subscriptions."""
    talk = Talk(subscriptions=tuple([Subscription(row, (2, 1)) for row in rows]))
    talk.answers = False
    assert talk.tell(STARTED) == [st.EV_STARTED]
    return talk


def test_subscriptions_are_asked_for_one_after_other_and_last_makes_it_ready():
    talk = talk_with(RESULTS, ALARMS)
    assert talk.take()[-1] == b"002000600020        "
    assert talk.tell(accepted(60)) == []
    assert talk.take() == [b"002000700020        "] and talk.session.state == st.SUBSCRIBING
    assert talk.tell(accepted(70)) == [st.EV_READY]
    assert talk.session.state == st.READY and talk.take() == []


def test_each_push_gets_its_own_acknowledgement_when_the_owner_says_so():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(accepted(60), accepted(70))
    talk.take()
    for push, reply in ((ALARM, 72), (ALARM_STATUS, 77), (EXAMPLE, 62)):
        assert talk.tell(push) == [st.EV_PUSHED] and talk.take() == []
        talk.session.acknowledge()
        talk.settle()
        assert talk.mids() == [reply]


def test_acknowledgements_of_different_pushes_that_wait_for_the_link_all_go_out():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(accepted(60), accepted(70))
    talk.take()
    talk.takes = False
    for push in (ALARM, EXAMPLE, EXAMPLE, ALARM_STATUS, EXAMPLE):
        talk.tell(push)
        talk.session.acknowledge()
    talk.takes = True
    talk.settle()
    assert sorted(talk.mids()) == [62, 62, 62, 72, 77] and not talk.session.has_more()


def test_what_was_owed_on_one_connection_is_not_sent_on_the_next():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(accepted(60), accepted(70))
    talk.takes = False
    for _ in range(3):
        talk.tell(ALARM)
        talk.session.acknowledge()
    talk.take()
    talk.takes = True
    talk.lose()
    talk.tell(STARTED)
    talk.tell(accepted(60))
    talk.tell(accepted(70))
    assert talk.mids() == [1, 60, 70]


def test_results_come_before_the_other_subscriptions_stand():
    talk = talk_with(RESULTS, ALARMS)
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED]  # instead of the 0005
    assert talk.mids()[-1] == 70
    assert talk.tell(EXAMPLE) == [st.EV_PUSHED] and talk.session.state == st.SUBSCRIBING
    assert talk.tell(ALARM) == [st.EV_PUSHED] and talk.session.state == st.READY


def test_session_goes_on_without_what_is_not_needed_and_says_so():
    for code in (99, 73, 79, 15):
        talk = talk_with(RESULTS, ALARMS)
        talk.tell(accepted(60))
        assert talk.tell(refused(70, code)) == [st.EV_REFUSED]
        while talk.session.state == st.SUBSCRIBING:  # another revision is tried where the code may mean this one
            assert code in (79, 15) and talk.tell(refused(70, code)) == [st.EV_REFUSED]
        assert talk.session.state == st.READY and talk.session.said.code == code
        assert talk.tell(ALARM) == [st.EV_PUSHED]


def test_revisions_of_each_are_tried_by_themselves_and_remembered():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(accepted(60))
    talk.take()
    assert talk.tell(refused(70, 97)) == [st.EV_REFUSED]
    assert talk.take() == [b"002000700010        "]
    assert talk.tell(accepted(70)) == [st.EV_READY]
    talk.lose()
    talk.take()
    talk.tell(STARTED)
    talk.tell(accepted(60))
    assert talk.take() == [b"002000600020        ", b"002000700010        "]
    assert talk.tell(refused(70, 97)) == [st.EV_REFUSED]  # none is left
    assert talk.session.state == st.READY


def test_surviving_subscription_of_any_kind_is_cleared():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(refused(60, 9))
    assert talk.mids()[-1] == 63
    talk.tell(accepted(63))
    talk.tell(accepted(60))
    assert talk.mids() == [60, 70]
    talk.tell(refused(70, 11))
    assert talk.take() == [b"00200073001         "]
    talk.tell(accepted(73))
    assert talk.mids() == [70]
    assert talk.tell(refused(70, 11)) == [st.EV_READY]


def test_generic_subscription_names_message_and_revision_in_its_data():
    talk = talk_with(OPERATIONS)
    assert talk.take()[-1] == b"006100080010        " + b"1201002" + EXTRA
    assert talk.tell(refused(1201, 97)) == [st.EV_REFUSED]  # by what it was subscribed to (003:3472-3473)
    assert talk.take() == [b"006100080010        " + b"1201001" + EXTRA]
    assert talk.tell(refused(8, 9)) == [st.EV_REFUSED]  # or by what was sent (002:145-150)
    assert talk.take() == [b"00610009001         " + b"1201001" + EXTRA]
    assert talk.tell(accepted(9)) == []
    assert talk.tell(accepted(1201)) == [st.EV_READY]
    for push in (OPERATION, OBJECT):
        assert talk.tell(push) == [st.EV_PUSHED]
        talk.session.acknowledge()
    talk.settle()
    assert talk.mids()[-2:] == [1203, 1203]


def test_without_a_needed_one_there_is_no_session():
    talk = talk_with(OPERATIONS, ALARMS)
    assert talk.tell(refused(8, 99)) == [st.EV_OVER]
    assert talk.session.why == st.WHY_NO_RESULTS


def test_what_is_wanted_instead_is_asked_for_only_where_the_one_in_front_was_refused():
    other = (8, 9, 71, b"00", INSTEAD, ALARMS[5])
    third = (8, 9, 1000, b"00", INSTEAD, ((1000, 1001),))
    last = (14, 17, 0, b"", False, ((15, 16),))
    talk = talk_with(RESULTS, ALARMS, other, third, last)
    talk.tell(accepted(60))
    talk.tell(accepted(70))
    assert talk.mids()[-2:] == [70, 14], "the first one stands"
    talk = talk_with(RESULTS, ALARMS, other, third, last)
    talk.tell(accepted(60))
    talk.tell(refused(70, 99))
    assert talk.take()[-1] == b"002900080010        " + b"007100200"
    talk.tell(accepted(8))
    assert talk.mids() == [14], "the second one stands"
    talk = talk_with(RESULTS, ALARMS, other, third)
    talk.tell(accepted(60))
    talk.tell(refused(70, 99))
    talk.tell(refused(71, 73))
    assert talk.take()[-1] == b"002900080010        " + b"100000200"
    assert talk.tell(ALARM) == [st.EV_PUSHED] and talk.session.state == st.SUBSCRIBING, (
        "that was not asked for any more"
    )
    assert talk.tell(message(1000, b"E404 2024-03-14:09:26:53000")) == [st.EV_PUSHED]
    assert talk.session.state == st.READY


def test_silence_busy_and_later_are_done_without_where_nothing_needs_it():
    talk = talk_with(RESULTS, ALARMS)
    talk.tell(accepted(60))
    talk.take()
    talk.wait(5000)
    assert talk.session.state == st.READY and 70 not in talk.mids()
    assert talk.tell(accepted(70)) == [st.EV_UNKNOWN] and talk.session.state == st.READY
    for code in (96, 16, 35, 98, 27, 28):
        talk = talk_with(RESULTS, ALARMS)
        talk.tell(accepted(60))
        assert talk.tell(refused(70, code)) == [st.EV_REFUSED]
        assert talk.session.state == st.READY
        talk = talk_with(RESULTS, ALARMS)
        talk.tell(accepted(60))
        talk.tell(refused(70, 11))
        assert talk.session.state == st.CLEARING
        talk.wait(5000)
        assert talk.session.state == st.READY


def test_push_too_large_for_buffer_is_handed_over_as_its_row_says():
    talk = Talk(buffer_bytes=300, subscriptions=(Subscription(RESULTS, (1,)), Subscription(ALARMS, (1,))))
    talk.tell(STARTED, accepted(60), accepted(70))
    assert talk.hear(message(71, b"x" * 400)[:300]) == [st.EV_PUSHED_CUT]


def test_longest_message_is_what_these_subscriptions_take():
    results = Subscription(RESULTS, (999, 1))
    assert longest_bytes((results,)) == 60  # MID 0008 for 1201: where a controller has no MID 0060
    assert longest_bytes((results, Subscription(OPERATIONS, (1,)))) == 61
