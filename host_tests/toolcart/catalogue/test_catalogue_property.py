"""Whatever values a MID has come back; whatever the octets are, drawn or changed, all ways of reading agree."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from toolcart import catalogue
from toolcart.catalogue import FieldError, FrameError, Frames, Linked, Odd, data_field, resolution
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
    values = {}
    for field in fields:
        if field.kind != "'" and field.name not in counts:
            values[field.name] = draw(value_of(field, lengths.get(field.count, field.count)))
    return values


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


@settings(max_examples=300 if LONG else 25)
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


@settings(max_examples=300 if LONG else 25)
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


@settings(max_examples=200 if LONG else 20)
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


@settings(max_examples=300 if LONG else 25)
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
