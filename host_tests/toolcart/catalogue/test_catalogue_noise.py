"""Frames that line noise, other releases or a wrong program have changed: 20,000 in a run, 5,000,000 with --long."""

import random

import pytest

from toolcart import catalogue
from toolcart.catalogue import FrameError
from toolcart.codec.examples import example
from host_tests.portable import LONG
from host_tests.toolcart.catalogue.test_catalogue_property import FORMS

FRAMES = 5_000_000 if LONG else 8_000
SHARES = 10  # by seed, so that several processes take them
JSON_EVERY = 25
MARKS = b"0123456789 :;-+.ABXx\0\xff\xc3"
EXAMPLES = [example(form)[0] for form in FORMS]


def mutated(dice, frame):
    """Return the frame with one to four changes; most have a length that fits, or nothing would get past it."""
    octets = bytearray(frame)
    for _ in range(dice.randrange(1, 5)):
        octets = octets or bytearray(20)
        at = dice.randrange(len(octets))
        way = dice.randrange(7)
        if way == 0:
            octets[at] = MARKS[dice.randrange(len(MARKS))]
        elif way == 1:
            octets[at] ^= 1 << dice.randrange(8)
        elif way == 2:
            del octets[at : at + dice.randrange(1, 9)]
        elif way == 3:
            octets[at:at] = bytes([MARKS[dice.randrange(len(MARKS))]]) * dice.randrange(1, 9)
        elif way == 4:
            octets = octets[: max(at, 20)]
        elif way == 5:
            other = EXAMPLES[dice.randrange(len(EXAMPLES))]
            octets[at:] = other[at:]
        elif len(octets) >= 11:
            octets[8:11] = b"%03d" % dice.randrange(1000)
    if dice.randrange(8):
        octets[:4] = b"%04d" % min(len(octets), 9999)
    return bytes(octets)


def has_header(frame):
    """True if length, MID and revision are numbers, the length is right, and the revision may be blank."""
    octets = len(frame) - (frame[-1:] == b"\0")
    revision = frame[8:11].strip(b" \0")
    is_right = frame[:4] in (b"%04d" % octets, b"%04d" % len(frame)) and len(frame) >= 20
    return is_right and frame[:8].isdigit() and (not revision or revision.isdigit())


def look_at(frame, own, by_json):
    """Read a frame in every way; FrameError where it is none. What cannot be read is told and built again as it was."""
    message = catalogue.decode(frame)
    fields = message.fields()
    assert own.decode(frame).fields() == fields == catalogue.read(frame)  # whatever was read before
    assert list(fields) == [field.name for field in message.form.fields if field.kind != "'"]
    message.odd()
    message.rest()
    message.answer()
    for field in message.form.head:
        message.decimal(field.name)
        message.meaning(field.name)
    assert catalogue.encode(message) == message.frame
    if by_json:
        assert catalogue.from_json(message.to_json()).frame == message.frame


@pytest.mark.parametrize("seed", range(SHARES))
def test_whatever_was_changed_is_a_message_or_a_frame_error(seed):
    dice = random.Random(seed)
    own = catalogue.Catalogue()
    messages = 0
    for index in range(FRAMES // SHARES):
        if index % 2000 == 0:
            own = catalogue.Catalogue()  # one that has read nothing yet
        frame = mutated(dice, EXAMPLES[dice.randrange(len(EXAMPLES))])
        try:
            look_at(frame, own, index % JSON_EVERY == 0)
            messages += 1
        except FrameError:
            assert not has_header(frame), frame
        except Exception as error:
            raise AssertionError(f"{frame!r}: {error!r}") from error
    assert messages > FRAMES // SHARES // 2, "most get past the header"


@pytest.mark.parametrize("frame", EXAMPLES[::7], ids=lambda frame: f"{frame[4:8].decode()}-{frame[8:11].decode()}")
def test_a_frame_that_is_whole_is_built_again_of_its_fields(frame):
    message = catalogue.decode(frame)
    again = catalogue.encode(message.mid, message.revision, check=False, **message.fields())
    assert again[20:] == message.frame[20:]
