"""A header that comes one byte earlier or later than the length in front of it says is told as what it is."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.tools.messages.log_entries import explain
from host_tests.agent.openprotocol.test_shifted_fields import frame_of
from host_tests.support.frames import light
from host_tests.support.world import Cart


def told(cart):
    """What the log says of messages that were not asked for, or are none."""
    entries = [(code, value) for _, code, value in cart.station.counters.log.entries()]
    codes = counter.CONTROLLER_MALFORMED, counter.CONTROLLER_UNKNOWN
    return [explain(counter.NAMES[code], value, 1) for code, value in entries if code in codes and value]


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize(
    "more, words",
    [
        (
            1,
            "the controller sent a header that lacks its first digit: the message in front of it has one byte less",
        ),
        (-1, "the controller sent a byte in front of a header: the message in front of it has one byte more than"),
    ],
)
def test_a_length_that_is_one_too_large_or_too_small_without_a_nul_is_told_as_that(revision, more, words):
    frame = frame_of(61, revision)
    cart = Cart(controller={}).ready()
    for _ in range(8):
        cart.controller.inject((b"%04d" % (len(frame) + more) + frame[4:]) * 3)
        cart.run(3000)
    # Without a NUL, digits of a text may end where the octets end, and look like a header then.
    others = [one for one in told(cart) if not one.startswith(words)]
    assert len(told(cart)) > 2 * len(others) and all("not asked for" in one for one in others), told(cart)
    assert cart.counted(counter.CONTROLLER_UNKNOWN) == len(others)


def test_a_message_that_was_not_asked_for_is_told_by_its_mid_whatever_stands_around_that():
    cart = Cart(controller={}).ready()
    for frame in (
        b"00200061001         ",
        b"00300610001         0123456789",
        b"00301006100         0123456789",
        light(),
    ):
        cart.controller.inject(frame + b"\0")
    cart.run(3000)
    asked = [one for one in told(cart) if "which was not asked for" in one]
    assert [one[20:29] for one in asked] == ["MID 0610,", "MID 1006,"], told(cart)
