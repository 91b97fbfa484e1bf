"""Telegram 04 of any result of several spindles: read back by two readers, every figure is what the record had."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.toolsnet.result04 import ResultWriter
from toolcart.agent.toolsnet.session import RESULT_BYTES
from host_tests.agent.toolsnet.test_result04_property import is_read_alike
from host_tests.portable import stub
from host_tests.support.toolsnet import read

VERDICTS = {"0": 2, "1": 0, "2": 3, "3": 1}  # low, OK, high, no more than NOK
LIMITS = ("torque_low", "torque_high", "angle_low", "angle_high")
FIGURES = ("torque", "angle", *LIMITS)
STATUSES = st.text("0123 ", min_size=3, max_size=3)
VALUE_ID = 60012


def digits(width):
    """A figure as Open Protocol has it: digits, blanks, a sign in front, blanks around it."""
    most = 10 ** (width - 1) - 1
    return st.one_of(
        st.integers(0, 10 * most + 9).map(lambda value: "%0*d" % (width, value)),
        st.integers(0, most).map(lambda value: "-%0*d" % (width - 1, value)),
        st.integers(0, most).map(lambda value: ("%d" % value).rjust(width)),
        st.integers(0, most).map(lambda value: ("%d" % value).ljust(width)),
        st.sampled_from([" " * width, "x" * width, "1-" + "0" * (width - 2)]),
    )


POINTED = st.one_of(
    digits(7),
    st.tuples(st.integers(0, 9999999), st.integers(0, 6)).map(
        lambda one: ("%07d" % one[0])[: one[1]] + "." + ("%07d" % one[0])[one[1] + 1 :]
    ),
    st.sampled_from(["-0.5000", "- 12.50", "+3.25  ", ".750000", "1234567", "99999.9", "-9999.9", "1.2.300", "."]),
).map(lambda text: text.ljust(7))


def value_of(text, decimals=0):
    """The figure that a field of a record means, None if it is none."""
    text = text.replace(" ", "")
    sign, plain = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in ("-", "+") else text
    if decimals:
        if not plain.isdigit() or len(plain) < decimals:
            return None
        return sign * Fraction(int(plain), 10**decimals)
    if not plain.replace(".", "", 1).isdigit():
        return None
    return sign * Fraction("0" + plain)


def number_with(value, decimals):
    """The same as a number with these decimals, what is beyond them cut off; 0 where eight octets are too few."""
    if value is None:
        return 0
    cut = int(abs(value) * 10**decimals)
    fits = cut < 10 ** (7 if value >= 0 else 6)
    return Fraction(cut if value >= 0 else -cut, 10**decimals) if fits else 0


def numbers_of(listed):
    """Spindle numbers as they go out: their own, or their place, or what is free."""
    own = [value if value not in (0, *listed[:index]) else 0 for index, value in enumerate(listed)]
    for index, value in enumerate(own):
        own[index] = value or next(one for one in (index + 1, *range(1, 101)) if one not in own)
    return own


def read_both_ways(form, limits, head, rows, extras=b""):
    """Return what the strict reader finds in the telegram; the archive's has to find the same."""
    page = bytearray(b" " * sp.PLACE)
    page[:8] = b"\x11\0\0\0\x0a\0\x01\0"
    time = res.HEAD_BYTES + res.TIME
    page[time : time + 7] = b"\x20\x24\x03\x14\x09\x26\x53"
    page[sp.PLACE - res.LIMITS_BYTES : sp.PLACE] = limits.ljust(res.LIMITS_BYTES).encode()
    count = "%02d" % len(rows)
    page += (form + " " + count + count + head + "".join(rows)).encode() + extras
    writer = ResultWriter(bytearray(RESULT_BYTES), 3, 1)
    writer.session = stub(result=None)
    for _ in range(2):  # a second one is written over the first
        octets = writer.write(page, 0, len(page), 0, 42, 17)
        telegram = bytes(writer.tx[:octets])
        decoded = read(telegram)
        is_read_alike(telegram, decoded)
    return decoded


def check(spindle, number, statuses, figures):
    overall = 0 if statuses[0] == "1" else 1
    assert (spindle["spindle"], spindle["overall"]) == (number, overall)
    assert spindle["torque_status"] == VERDICTS.get(statuses[1], overall)
    assert spindle["angle_status"] == VERDICTS.get(statuses[2], overall)
    for name, value in zip(FIGURES, figures, strict=True):
        assert len(spindle[name]) == 8
        assert value_of(spindle[name]) == number_with(value, 1 if name.startswith("angle") else 2), (
            name,
            spindle[name],
        )


SYNC_LIMITS = st.tuples(digits(6), digits(6), digits(5), digits(5))
SYNC_ROWS = st.lists(st.tuples(st.integers(0, 99), STATUSES, digits(6), digits(5)), min_size=1, max_size=6)


@given(SYNC_LIMITS, SYNC_ROWS)
def test_spindles_of_a_sync_result_have_the_limits_of_the_record(limits, rows):
    text = limits[0] + limits[1] + " " * 6 + limits[2] + limits[3]
    telegram = read_both_ways("S", text, " " * 5, ["%02d01%s%s%s" % row for row in rows])
    common = [value_of(limits[0], 2), value_of(limits[1], 2), value_of(limits[2]), value_of(limits[3])]
    numbers = numbers_of([row[0] for row in rows])
    for spindle, number, row in zip(telegram["spindles"], numbers, rows, strict=True):
        check(spindle, number, row[1], [value_of(row[2], 2), value_of(row[3]), *common])


OBJECT_ROWS = st.lists(
    st.tuples(st.integers(0, 9999), STATUSES, digits(6), digits(5), digits(6), digits(6), digits(5), digits(5)),
    min_size=1,
    max_size=5,
)


@given(OBJECT_ROWS)
def test_objects_have_limits_of_their_own(rows):
    texts = []
    for number, statuses, torque, angle, *limits in rows:
        own = limits[0] + limits[1] + " " * 6 + limits[2] + limits[3] + " " * 5
        texts.append("%04d%s%s%s%s     " % (number, statuses, torque, angle, own))
    telegram = read_both_ways("O", "", " " * 5, texts)
    numbers = numbers_of([row[0] for row in rows])
    for spindle, number, row in zip(telegram["spindles"], numbers, rows, strict=True):
        decimals = (2, 0, 2, 2, 0, 0)
        check(spindle, number, row[1], [value_of(row[2 + index], decimals[index]) for index in range(6)])


BOLT_ROWS = st.lists(st.tuples(st.integers(0, 99), STATUSES, *[POINTED] * 6), min_size=1, max_size=5)


@given(BOLT_ROWS, st.lists(POINTED, max_size=4), st.sampled_from(["", "REST OF A WP. ID"[:15]]))
def test_bolts_and_their_values_keep_their_figures(rows, values, rest):
    texts = ["%02d%s%s" % (row[0], row[1], "".join(row[2:])) for row in rows]
    extra = "%02d%02d" % (len(rows) - 1, len(values)) + " " * (sp.EXTRA_BYTES - 4)
    extra += "".join(["%-20sF %s07" % ("Value %d" % index, text) for index, text in enumerate(values)])
    telegram = read_both_ways("B", "", " " * (sp.BOLTS_HEAD_BYTES - 21) + rest.ljust(15), texts, extra.encode())
    numbers = numbers_of([row[0] for row in rows])
    for spindle, number, row in zip(telegram["spindles"], numbers, rows, strict=True):
        torque, angle, torque_high, torque_low, angle_high, angle_low = map(value_of, row[2:])
        check(spindle, number, row[1], [torque, angle, torque_low, torque_high, angle_low, angle_high])
    assert [one["vin"].strip() for one in telegram["vins"]] == [rest] * bool(rest)
    parameters = [one for one in telegram["parameters"] if one["parameter_id"] == VALUE_ID]
    assert [one["name"] for one in parameters] == ["Value %d" % index for index in range(len(values))]
    for parameter, text in zip(parameters, values, strict=True):
        assert (parameter["spindle"], parameter["step"]) == (numbers[-1], 7)
        meant = value_of(text)
        kind = 0 if meant is None else 2 if "." in text.rstrip(". ") else 1
        assert parameter["type"] == kind, text
        assert parameter["value"].strip() == text.strip() if meant is None else value_of(parameter["value"]) == meant
