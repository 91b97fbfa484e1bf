"""Numbers of messages, as a receiver judges them: each is taken once and in its turn."""

from toolcart.agent.openprotocol.link_level_receive import NUMBER_DELIVER, NUMBER_WRONG, LinkLevelReceiver

PORTABLE = True
HEAP = "4m"


def started(last=1):
    """A receiver that has taken everything up to number `last`."""
    receiver = LinkLevelReceiver()
    for number in range(1, last + 1):
        assert receiver.judge(number) == NUMBER_DELIVER
    return receiver


def test_first_number_is_taken_whether_the_peer_counted_its_start_or_not():
    for first in (1, 2):
        receiver = LinkLevelReceiver()
        assert receiver.judge(first) == NUMBER_DELIVER and receiver.expected == first + 1


def test_a_first_number_beyond_2_is_refused():
    for first in (3, 7, 98, 99):
        receiver = LinkLevelReceiver()
        assert receiver.judge(first) == NUMBER_WRONG and receiver.expected == 1
        assert receiver.judge(1) == NUMBER_DELIVER and receiver.expected == 2


def test_numbers_run_from_1_to_99_and_again_from_1():
    receiver = started()
    for number in list(range(2, 100)) + [1, 2, 3]:
        assert receiver.judge(number) == NUMBER_DELIVER
        assert receiver.expected == number % 99 + 1
