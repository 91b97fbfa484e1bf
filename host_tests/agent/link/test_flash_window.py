"""When the flash may run on a link that needs silence: one object says so for all that writes."""

from toolcart.agent.link import ERASE_MS, PROGRAM_MS
from toolcart.agent.link.flash_window import FlashWindow

PORTABLE = True
HEAP = "4m"


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
    quiet = FlashWindow(Link(0))
    assert quiet.may_program() and quiet.may_erase()
    quiet.set_receiving(True)
    assert not quiet.may_program() and not quiet.may_erase()
    quiet.set_receiving(False)
    assert quiet.may_program() and quiet.may_erase()


def test_what_a_program_and_an_erase_take_is_asked_of_the_link():
    link = Link(PROGRAM_MS)
    quiet = FlashWindow(link)
    quiet.set_receiving(True)
    assert quiet.may_program() and not quiet.may_erase()
    link.silence_ms = ERASE_MS - 1
    assert not quiet.may_erase()
    link.silence_ms = ERASE_MS
    assert quiet.may_erase()


def test_a_ring_without_a_block_ready_needs_the_time_of_an_erase():
    quiet = FlashWindow(Link(PROGRAM_MS))
    quiet.set_receiving(True)
    assert quiet.may_write(Ring(True)) and not quiet.may_write(Ring(False))


def test_everybody_who_joined_has_a_turn_in_the_order_of_joining():
    quiet = FlashWindow(Link(0))
    quiet.offer(1)  # no one is there
    turns = []
    users = [User(turns), User(turns)]
    for user in users:
        quiet.join(user)
    quiet.offer(7)
    assert turns == [(users[0], 7), (users[1], 7)]
