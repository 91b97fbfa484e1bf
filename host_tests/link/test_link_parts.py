"""What links share: numbers of messages, and the one object that says when the flash may run."""

from toolcart.agent.link import ERASE_MS, PROGRAM_MS
from toolcart.agent.link.quiet import Quiet
from toolcart.agent.openprotocol.numbering import NUMBER_DELIVER, NUMBER_WRONG, Numbering

PORTABLE = True


def started(last=1):
    """A receiver that has taken everything up to number `last`."""
    numbering = Numbering()
    numbering.active = True
    for number in range(1, last + 1):
        assert numbering.judge(number) == NUMBER_DELIVER
    return numbering


def test_first_number_is_taken_whether_the_peer_counted_its_start_or_not():
    for first in (1, 2):
        numbering = Numbering()
        assert numbering.judge(first) == NUMBER_DELIVER and numbering.expected == first + 1


def test_a_first_number_beyond_2_is_refused():
    for first in (3, 7, 98, 99):
        numbering = Numbering()
        assert numbering.judge(first) == NUMBER_WRONG and numbering.expected == 1
        assert numbering.judge(1) == NUMBER_DELIVER and numbering.expected == 2


def test_numbers_run_from_1_to_99_and_again_from_1():
    numbering = started()
    for number in list(range(2, 100)) + [1, 2, 3]:
        assert numbering.judge(number) == NUMBER_DELIVER
        assert numbering.expected == number % 99 + 1


class Link:
    """A line that leaves silences of so many ms."""

    def __init__(self, silence_ms):
        self.silence_ms = silence_ms

    def quiet(self, busy_ms):
        return busy_ms <= self.silence_ms


class Ring:
    def __init__(self, ready):
        self.ready = ready

    def is_ready(self):
        return self.ready


class User:
    def __init__(self, turns):
        self.turns = turns

    def use_silence(self, now):
        self.turns.append((self, now))


def test_a_line_on_which_no_one_can_speak_is_quiet():
    quiet = Quiet(Link(0))
    assert quiet.may_program() and quiet.may_erase()
    quiet.talks(True)
    assert not quiet.may_program() and not quiet.may_erase()
    quiet.talks(False)
    assert quiet.may_program() and quiet.may_erase()


def test_what_a_program_and_an_erase_take_is_asked_of_the_link():
    link = Link(PROGRAM_MS)
    quiet = Quiet(link)
    quiet.talks(True)
    assert quiet.may_program() and not quiet.may_erase()
    link.silence_ms = ERASE_MS - 1
    assert not quiet.may_erase()
    link.silence_ms = ERASE_MS
    assert quiet.may_erase()


def test_a_ring_without_a_block_ready_needs_the_time_of_an_erase():
    quiet = Quiet(Link(PROGRAM_MS))
    quiet.talks(True)
    assert quiet.may_write(Ring(True)) and not quiet.may_write(Ring(False))


def test_everybody_who_joined_has_a_turn_in_the_order_of_joining():
    quiet = Quiet(Link(0))
    quiet.offer(1)  # no one is there
    turns = []
    users = [User(turns), User(turns)]
    for user in users:
        quiet.join(user)
    quiet.offer(7)
    assert turns == [(users[0], 7), (users[1], 7)]
