"""No wait of the link to a board is without an end, and a board that restarted is never taken for one that answers."""

import pytest
import serial
from mpremote import transport_serial

from toolcart.tools.flash import mpremote_link
from toolcart.tools.flash.link import BoardGone
from toolcart.tools.flash.mpremote_link import ANSWERED_S, HOLD_S, MpremoteLink

LONGEST_S = ANSWERED_S + 2 * HOLD_S
TELLS_S = 5  # how often a board that has restarted says that it is healthy
TELLS = b'toolcart{"healthy": true}\r\n'
HAS_PROMPT = {b"\x05A\x01": b"R\x00"}


class Time:
    """A clock that only jumps."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds
        assert self.now_s < 10 * LONGEST_S, "no end"


class Port:
    """A port that stays; what is behind it answers as `answers` says, and says TELLS every TELLS_S if it `tells`."""

    def __init__(self, clock, answers, tells):
        self._clock = clock
        self._answers = answers
        self._tells = tells
        self._pending = b">" if answers else b""
        self._told_s = 0.0
        self.takes = True
        self.write_timeout = None

    def isOpen(self):
        return True

    def close(self):
        pass

    def inWaiting(self):
        if self._tells and self._clock.now_s - self._told_s >= TELLS_S:
            self._told_s = self._clock.now_s
            self._pending += TELLS
        return len(self._pending)

    def read(self, octets):
        if self.inWaiting() < octets:
            self._clock.sleep(HOLD_S)
        part, self._pending = self._pending[:octets], self._pending[octets:]
        return part

    def write(self, octets):
        if not self.takes:
            assert self.write_timeout is not None, "no end"
            self._clock.sleep(self.write_timeout)
            raise serial.SerialTimeoutException("Write timeout")
        self._pending += self._answers.get(octets, b"")


@pytest.fixture
def link(monkeypatch):
    def opened(answers, tells=False):
        clock = Time()
        port = Port(clock, answers, tells)
        monkeypatch.setattr(transport_serial.serial, "serial_for_url", lambda *named, **more: port)
        for module in (transport_serial, mpremote_link):
            monkeypatch.setattr(module, "time", clock)
        made = MpremoteLink("the port")
        made._open()
        return made, port, clock

    return opened


def test_a_value_is_read(link):
    opened, _, _ = link({**HAS_PROMPT, b"\x04": b"OK2\r\n\x04\x04>"}, tells=True)
    assert opened._value("1 + 1") == 2


@pytest.mark.parametrize(
    "answers",
    [
        {},  # its prompt never comes
        {**HAS_PROMPT, b"\x04": b"OK"},  # the power went in the middle of a command
        {b"\x05A\x01": b"R\x01"},  # likewise, before it had said how much it takes
        {**HAS_PROMPT, b"\x04": b"OK\x04\xff\xfe\x04>"},  # the noise of a power-on
    ],
)
def test_a_board_that_answers_no_more_is_gone_though_it_goes_on_talking(link, answers):
    for tells in (True, False):
        opened, _, clock = link(answers, tells)
        with pytest.raises(BoardGone):
            opened.write("/a/x", b"content", lambda octets: None)
        assert clock.now_s <= LONGEST_S
        opened.restart()
        assert clock.now_s <= 2 * LONGEST_S


def test_an_answer_that_is_no_value_is_that_of_a_board_that_is_gone(link):
    opened, _, _ = link({**HAS_PROMPT, b"\x04": b"OK3 +\x04\x04>"})
    with pytest.raises(BoardGone):
        opened._value("1 + 1")


def test_a_port_that_takes_nothing_more_is_gone(link):
    opened, port, clock = link(HAS_PROMPT)
    port.takes = False
    with pytest.raises(BoardGone):
        opened._exec("pass")
    assert clock.now_s <= LONGEST_S
