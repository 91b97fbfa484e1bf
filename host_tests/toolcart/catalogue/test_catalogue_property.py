"""Whatever values a MID has come back; whatever the octets are, drawn or changed, all ways of reading agree."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart import catalogue
from toolcart.catalogue import FieldError, FrameError, Frames, Linked, Odd, data_field, resolution
from toolcart.codec.examples import example
from host_tests.portable import LONG
from host_tests.toolcart.catalogue.test_catalogue_tables import same

FORMS = [catalogue.form(mid, revision) for mid in catalogue.mids() for revision in catalogue.revisions(mid)]


def texts(octets):
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=octets).filter(
        lambda text: len(text.encode()) <= octets and text == text.rstrip(" ")
    )


def plain(field, octets):
    if field.kind in "NB":
        return st.none() | st.integers(0, 10**octets - 1)
    if field.kind == "I":
        return st.none() | st.integers(1 - 10 ** (octets - 1), 10**octets - 1)
    if field.kind == "F":
        return st.none() | st.integers(-159, 1599).map(lambda number: number / 16)
    return st.none() | texts(octets).filter(bool)


@st.composite
def values_of(draw, fields):
    counts = {field.count for field in fields if isinstance(field.count, str)}
    lengths = {name: draw(st.integers(0, 4)) for name in counts}
    found = {}
    for field in fields:
        if field.kind != "'" and field.name not in counts:
            found[field.name] = draw(value_of(field, lengths.get(field.count, field.count)))
    return found


def value_of(field, count):
    if field.kind in "VU":
        one = st.builds(data_field, st.integers(0, 99999), st.integers(-(2**31), 2**31) | texts(20).filter(bool))
        return st.lists(one, min_size=count, max_size=count)
    if field.kind == "R":
        one = st.builds(resolution, st.integers(0, 99999), st.integers(0, 99999), st.floats(0, 1000, width=16))
        return st.lists(one, min_size=count, max_size=count)
    if field.kind == "Z":
        return st.binary(min_size=2 * count, max_size=2 * count)
    if field.kind == "G":
        return st.lists(values_of(field.members), min_size=count or 0, max_size=count or 0)
    if field.count is None:
        return plain(field, field.width)
    if field.width is None:
        return plain(field, 40)
    return st.lists(plain(field, field.width), min_size=count, max_size=count)


@settings(max_examples=300 if LONG else 60)
@given(st.data())
def test_values_come_back(data):
    form = data.draw(st.sampled_from(FORMS))
    values = data.draw(values_of(form.fields))
    frame = catalogue.encode(form.mid, form.revision, check=False, **values)
    message = catalogue.decode(frame)
    assert message.odd() == {} and message.rest() == b""
    assert same(message.fields(), values), (message, message.fields(), values)
    again = catalogue.encode(form.mid, form.revision, check=False, **message.fields())
    assert again == frame == catalogue.encode(message)
    try:
        assert catalogue.encode(form.mid, form.revision, **values) == frame, "a check changes nothing"
    except FieldError as error:
        assert error.mid == form.mid and error.allowed


@settings(max_examples=300 if LONG else 60)
@given(st.data())
def test_json_has_a_message_octet_for_octet(data):
    form = data.draw(st.sampled_from(FORMS))
    frame = catalogue.encode(form.mid, form.revision, check=False, station=3, **data.draw(values_of(form.fields)))
    octets = bytearray(frame)
    octets[11:20] = data.draw(st.just(frame[11:20]) | st.binary(min_size=9, max_size=9))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(20, max(20, len(octets))))
        octets[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8) | st.just(b"0123456"))
    octets[:4] = b"%04d" % len(octets)
    for one in (frame, bytes(octets)):
        message = catalogue.decode(one)
        again = catalogue.from_json(message.to_json())
        assert again == message and again.fields() == message.fields() and again.frame == one


@settings(max_examples=200 if LONG else 40)
@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["mid", "revision", "header", "fields", "frame", "odd", "octets", "torque"]), inner
            )
        ),
        max_leaves=12,
    ).map(json.dumps)
)
def test_any_json_is_a_message_or_an_error_that_is_documented(text):
    try:
        catalogue.from_json(text)
    except (FrameError, FieldError):
        pass


@settings(max_examples=300 if LONG else 60)
@given(st.sampled_from(FORMS), st.data())
def test_compiled_blank_and_single_reading_agree_on_any_octets(form, data):
    octets = bytearray(catalogue.encode(form.mid, form.revision, check=False))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(20, max(20, len(octets))))
        octets[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8) | st.just(b"0123456"))
    octets[:4] = b"%04d" % len(octets)
    message = catalogue.decode(octets)
    assert message.fields() == catalogue.read(octets)
    single = catalogue.decode(octets)
    slowly = form.read_slowly(bytes(octets))
    for field in form.head:
        assert single[field.name] == message[field.name] == slowly[field.name], field.name
    message.odd()
    message.rest()
    assert catalogue.encode(message) == bytes(octets)
    if form.tail:  # its counts say what follows
        return
    # Values that can be read can be built again, whatever padding they had.
    clean = {name: value for name, value in slowly.items() if not isinstance(value, Odd)}
    again = catalogue.decode(catalogue.encode(form.mid, form.revision, check=False, **clean))
    assert {name: again[name] for name in clean} == clean


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=8))
def test_any_octets_are_messages_or_frame_errors(octets, sizes):
    frames, linked = Frames(), Linked()
    at = 0
    try:
        for size in [*sizes, len(octets)]:
            for frame in frames.feed(octets[at : at + size]):
                for part in linked.add(frame):
                    catalogue.decode(part).odd()
            at += size
    except FrameError:
        pass
    try:
        catalogue.decode(octets).odd()
    except FrameError:
        pass


# Frames that line noise, other releases or a wrong program have changed: 20,000 in a run, 5,000,000 with --long.

FRAMES = 5_000_000 if LONG else 20_000
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
