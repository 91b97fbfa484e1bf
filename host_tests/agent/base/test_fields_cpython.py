"""CPython's straight slices answer like the plain loops: octets, flags, answers and errors, in order or odd."""

import calendar
import importlib
import sys

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from toolcart.agent.base import byte_moves, compat, crc, fields
from toolcart.agent.openprotocol import layouts, light_result, plausibility
from toolcart.agent.record.result import BODY_BYTES, LIMITS_BYTES
from toolcart.sim.controller_frames import result_data
from toolcart.sim.controller_model import Tightening
from host_tests.portable import LONG
from host_tests.support.combinations import each_choice
from lab.bench.codec import frame_of

TWINS = (
    "toolcart.agent.base.fields",
    "toolcart.agent.base.byte_moves",
    "toolcart.agent.base.crc",
    "toolcart.agent.record.result",
    "toolcart.agent.log.framing",
    "toolcart.agent.openprotocol.light_result",
    "toolcart.agent.openprotocol.plausibility",
    "toolcart.agent.openprotocol.layouts",
)


def plain_program():
    """Return TWINS by name as a board without machine code runs them; everybody else keeps those that are in use."""
    for name in TWINS:
        importlib.import_module(name)
    used = {name: sys.modules.pop(name) for name in TWINS}
    twins = compat.FAST, compat.ON_CPYTHON
    compat.FAST = None
    compat.ON_CPYTHON = False
    try:
        return {name: importlib.import_module(name) for name in TWINS}
    finally:
        compat.FAST, compat.ON_CPYTHON = twins
        for name, module in used.items():
            sys.modules[name] = module
            package, _, child = name.rpartition(".")
            setattr(sys.modules[package], child, module)


PLAIN = plain_program()
ROOM = BODY_BYTES + LIMITS_BYTES
OCTETS = st.sampled_from(b"0123456789  \0\0+-.:AZaz~\x7f\x80\xc3\xa4\xff\x1f\x01/")
BUFFERS = st.binary(max_size=60) | st.lists(OCTETS, max_size=60).map(bytes)
PLACES = st.integers(0, 70)
WIDTHS = st.integers(0, 24)
REVISIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 998, 999)
THOROUGH = settings(max_examples=400 if LONG else 100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def answer(function, *arguments):
    """What a function returns, or that a part of a buffer is not there; then the buffers it was given."""
    buffers = [bytearray(one) if isinstance(one, bytes) else one for one in arguments]
    try:
        result = function(*buffers)
    except IndexError:
        return "IndexError"  # what was written before is undefined
    return result, type(result), [bytes(one) for one in buffers if isinstance(one, bytearray)]


def alike(name, module, *arguments):
    ours = answer(getattr(module, name), *arguments)
    theirs = answer(getattr(PLAIN[module.__name__], name), *arguments)
    assert ours == theirs, (name, arguments)


def test_every_twin_is_one():
    assert compat.FAST is sys.modules["toolcart.agent.base.fields_cpython"]
    for name in fields.QUICKER:
        twin = getattr(fields, name)
        assert twin is getattr(compat.FAST, name) and twin is not getattr(PLAIN[fields.__name__], name)
    assert (
        "fields_cpython" in byte_moves.carry_out.__module__
        and "fields_cpython" not in PLAIN["toolcart.agent.base.byte_moves"].carry_out.__module__
    )


@THOROUGH
@given(BUFFERS, PLACES, st.integers(0, 9))
def test_fields_are_read_alike(buf, start, width):
    for name in ("number", "is_blank", "is_plain", "all_digits"):
        if start + width <= len(buf):
            alike(name, fields, buf, start, width)
        elif width:  # a loop may have its answer before it comes to the end
            assert answer(getattr(fields, name), buf, start, width) == "IndexError"


@THOROUGH
@given(BUFFERS, PLACES, BUFFERS, PLACES, WIDTHS)
def test_fields_are_compared_and_copied_alike(one, at, other, start, width):
    for name in ("compare", "copy", "put_text"):
        if name != "compare" or (at + width <= len(one) and start + width <= len(other)):
            alike(name, fields, one, at, other, start, width)
        elif width:
            assert answer(fields.compare, one, at, other, start, width) == "IndexError"


@THOROUGH
@given(BUFFERS, PLACES, st.integers(1, 12), st.integers(0, 1 << 40))
def test_numbers_and_fillings_are_written_alike(buf, start, width, value):
    alike("put_number", fields, buf, start, width, value)
    alike("fill", fields, buf, start, width, value & 0xFF)
    alike("fill", fields, buf, start, width)


@THOROUGH
@given(BUFFERS, PLACES, BUFFERS, PLACES, st.integers(1, 10))
def test_digits_are_packed_and_unpacked_alike(one, at, other, start, half):
    alike("pack_digits", fields, one, at, other, start, 2 * half)
    alike("unpack_digits", fields, one, at, other, start, 2 * half)


TWO_DIGITS = st.integers(0, 99).map(lambda number: "%02d" % number)
STAMPS = st.builds(
    lambda year, rest, at, octet: (bytearray(("%s-%s-%s:%s:%s:%s" % (year, *rest)).encode()), at, octet),
    st.sampled_from(["2024", "0000", "0001", "9999", "1970"]),
    st.tuples(TWO_DIGITS, TWO_DIGITS, TWO_DIGITS, TWO_DIGITS, TWO_DIGITS),
    st.integers(0, 200),
    OCTETS,
)


@THOROUGH
@given(STAMPS)
def test_times_are_packed_alike(made):
    stamp, at, octet = made
    if at < 19:
        stamp[at] = octet
    alike("pack_time", fields, bytes(8), 1, bytes(stamp), 0)


@pytest.mark.parametrize("unit", range(6))
def test_every_value_of_every_part_of_a_time_is_packed_alike(unit):
    at = (0, 5, 8, 11, 14, 17)[unit]
    for value in range(100):
        stamp = bytearray(b"2024-03-14:09:26:53")
        stamp[at : at + 2] = b"%02d" % value
        alike("pack_time", fields, bytes(7), 0, bytes(stamp), 0)
    alike("pack_time", fields, bytes(7), 0, b"0000-03-14:09:26:53", 0)


@pytest.mark.parametrize("year", [1900, 2000, 2023, 2024, 2036, 2096, 2100])
def test_a_day_that_does_not_exist_is_no_time(year):
    for month in range(14):
        there = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0
        for day in range(40):
            stamp, target = b"%04d-%02d-%02d:09:26:53" % (year, month, day), bytearray(7)
            fields.pack_time(target, 0, stamp, 0)
            assert any(target) == (1 <= day <= there), stamp
            alike("pack_time", fields, bytes(7), 0, stamp, 0)


MOVES = st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 25), st.integers(0, 30), st.integers(1, 19))


@THOROUGH
@given(st.lists(MOVES, min_size=1, max_size=5), BUFFERS, st.integers(0, 3))
def test_forms_are_carried_out_alike(moves, source, start):
    row, to = [], 0
    for move, upper, gap, begin, width in moves:
        width = 19 if move == byte_moves.PACK_TIME else 1 if move == byte_moves.STATUS else width
        upper = min(upper, width) if move == byte_moves.FIXED else upper
        row.append(bytes((move | upper << 4, (to + gap) & 255, (to + gap) >> 8, begin, width)))
        to += gap + 2 * width + 8
    source = source.ljust(60, b"0")
    octets = b"".join(row)
    for kept in (octets, bytearray(octets)):
        ours, theirs = bytearray(b"#" * 400), bytearray(b"#" * 400)
        result = byte_moves.carry_out(kept, len(moves), ours, 2, source, start)
        assert result is PLAIN["toolcart.agent.base.byte_moves"].carry_out(kept, len(moves), theirs, 2, source, start)
        assert ours == theirs if result else ours == b"#" * 400


@THOROUGH
@given(st.binary(max_size=300), PLACES, PLACES, st.integers(0, 0x3FFFFFFF))
def test_checksums_are_alike(buf, start, less, value):
    start = min(start, len(buf))
    alike("crc30", crc, buf, start, max(start, len(buf) - less), value)
    alike("crc30", crc, buf, start, len(buf))


# -- whole messages ------------------------------------------------------------------------------------------------


def message(mid, revision):
    if mid == 61 and revision in (1, 999):
        return frame_of(revision)
    data = result_data(Tightening(), min(revision, 11) if mid == 61 and revision != 998 else 2)
    return b"%04d%04d%03d" % (20 + len(data), mid, revision) + b" " * 9 + data


SPOILS = st.lists(st.tuples(st.integers(20, 600), st.lists(OCTETS, min_size=1, max_size=12).map(bytes)), max_size=4)


def spoiled(frame, spoils):
    buf = bytearray(frame)
    for at, octets in spoils:
        at = 20 + (at - 20) % (len(buf) - 20)
        octets = octets[: len(buf) - at]
        buf[at : at + len(octets)] = octets
    return buf


@THOROUGH
@given(SPOILS, st.integers(0, 5), st.integers(0, 40), st.integers(0, 9))
@example([(45, b"  "), (47, b"\0\0\0"), (58, b"3")], 0, 0, 0)
@example([(73, b"Not Set In Anyway  "), (111, b"123       ")], 0, 0, 0)
@example([(59, b"7"), (62, b"-00123"), (68, b"+0012")], 0, 0, 0)
def test_light_results_are_read_alike(spoils, at, short, start):
    frame = spoiled(frame_of(999), spoils)
    buf = bytearray(at) + frame
    length = len(frame) - (short if short < 20 else 0)
    ours, theirs = bytearray(b"#" * (ROOM + 9)), bytearray(b"#" * (ROOM + 9))
    plain_light, plain_layouts = PLAIN[light_result.__name__], PLAIN[layouts.__name__]
    read = 0
    if length >= light_result.LIGHT_BYTES:
        read = light_result.read_light(ours, start, buf, at)
        assert read == plain_light.read_light(theirs, start, buf, at)
    if read:
        assert ours == theirs
        assert plausibility.plausible(ours, start, buf, at, length) is PLAIN[plausibility.__name__].plausible(
            theirs, start, buf, at, length
        )
    result = layouts.read_whole(layouts.layout_of(61, 999), buf, at, length, ours, start)
    assert result == plain_layouts.read_whole(plain_layouts.layout_of(61, 999), buf, at, length, theirs, start)
    if not read or result[0]:
        assert ours[start : start + BODY_BYTES - 14] == theirs[start : start + BODY_BYTES - 14]


@pytest.mark.parametrize(("revision", "mid"), each_choice(list(REVISIONS), [61, 65]))
def test_every_layout_is_read_alike(mid, revision):
    layout = layouts.layout_of(mid, revision)
    if layout is None:
        return
    plain = PLAIN[layouts.__name__]
    last = max(place for place in (*layout[1], *(layout[2] or ()), *(layout[3] or (0,)))) + 30
    whole = message(mid, revision)[:last].ljust(last, b"0")

    @settings(THOROUGH, max_examples=150 if LONG else 15)
    @given(SPOILS, st.integers(0, 3), st.integers(0, 300), st.booleans())
    def check(spoils, at, less, is_cut):
        frame = spoiled(whole, spoils)
        buf = bytearray(at) + frame
        length = len(frame) - (less % (len(frame) - 20) if is_cut else 0)
        ours, theirs = bytearray(b"#" * (ROOM + 9)), bytearray(b"#" * (ROOM + 9))
        result = layouts.read_whole(layout, buf, at, length, ours, 5)
        assert result == plain.read_whole(plain.layout_of(mid, revision), buf, at, length, theirs, 5)
        assert ours[: 5 + result[1]] == theirs[: 5 + result[1]] and ours[5 + result[1] :] == b"#" * (
            ROOM + 4 - result[1]
        )

    check()
