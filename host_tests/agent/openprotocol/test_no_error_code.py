"""A rejection with code 00, no error: a yes where nothing else is accepted, or what exists by then shows it."""

from toolcart.agent.openprotocol import session_states
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from host_tests.support.frames import refused
from host_tests.support.talk import STARTED, Talk

PORTABLE = True
HEAP = "2m"


def test_no_error_counts_as_yes_where_next_revision_says_that_it_exists():
    talk = Talk(subscriptions=(Subscription(RESULTS, (999, 3, 1)),))
    talk.deliver(STARTED)
    talk.take()
    assert talk.deliver(refused(60, 0)) == [session_states.EV_REJECTED]
    assert talk.take() == [b"002000600030        "]
    assert talk.deliver(refused(60, 9)) == [session_states.EV_READY] and talk.mids() == []
    for _ in range(2):
        talk.lose()
        talk.deliver(STARTED)
        assert talk.take()[-1][8:11] == b"999"
        assert talk.deliver(refused(60, 0)) == [session_states.EV_READY]  # it has stood


def test_no_error_counts_as_yes_where_no_other_revision_is_accepted():
    for others in (0, 97, 99):
        talk = Talk(subscriptions=(Subscription(RESULTS, (999, 3, 1)),))
        talk.deliver(STARTED)
        talk.deliver(refused(60, 0))
        assert talk.deliver(refused(60, others)) == [session_states.EV_REJECTED]
        assert talk.deliver(refused(60, others)) == [session_states.EV_READY], others
        talk.lose()
        talk.deliver(STARTED)
        assert talk.take()[-1][8:11] == b"999"
