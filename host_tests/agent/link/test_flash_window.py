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

    def writes_in_one_program(self):
        return self.ready


class User:
    def __init__(self, turns):
        self.turns = turns

    def do_deferred_writes(self, now):
        self.turns.append((self, now))


def test_a_line_on_which_no_one_can_speak_is_quiet():
    window = FlashWindow(Link(0))
    assert window.may_program() and window.may_erase()
    window.set_receiving(True)
    assert not window.may_program() and not window.may_erase()
    window.set_receiving(False)
    assert window.may_program() and window.may_erase()


def test_what_a_program_and_an_erase_take_is_asked_of_the_link():
    link = Link(PROGRAM_MS)
    window = FlashWindow(link)
    window.set_receiving(True)
    assert window.may_program() and not window.may_erase()
    link.silence_ms = ERASE_MS - 1
    assert not window.may_erase()
    link.silence_ms = ERASE_MS
    assert window.may_erase()


def test_a_ring_without_a_block_ready_needs_the_time_of_an_erase():
    window = FlashWindow(Link(PROGRAM_MS))
    window.set_receiving(True)
    assert window.may_write(Ring(True)) and not window.may_write(Ring(False))


def test_everybody_who_joined_has_a_turn_in_the_order_of_joining():
    window = FlashWindow(Link(0))
    window.offer(1)  # no one is there
    turns = []
    users = [User(turns), User(turns)]
    for user in users:
        window.join(user)
    window.offer(7)
    assert turns == [(users[0], 7), (users[1], 7)]
