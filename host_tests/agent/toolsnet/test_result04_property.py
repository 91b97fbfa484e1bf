"""Telegram 04 of any result of one spindle: every figure is what the controller meant."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.record import result as res
from toolcart.agent.record.escaping import put_ascii, stripped
from toolcart.agent.toolsnet import result04
from toolcart.archive.server import reader
from host_tests.agent.toolsnet.test_result04 import Record, values

JUDGED = {0: 2, 1: 0, 2: 3}  # Open Protocol's low, OK, high


def numbers(most):
    """The edges of a field, what lies between them, and the field left blank."""
    return st.one_of(st.sampled_from([0, 1, most - 1, most, None]), st.integers(0, most))


STATUS = st.sampled_from([0, 1, 2, None])
STAMPS = st.sampled_from(["2024-03-14:09:26:53", "2000-01-01:00:00:00", "2099-12-31:23:59:59"])
CHANGES = st.one_of(STAMPS, st.sampled_from(["", "Last Change Unknown"]))
FIELDS = st.fixed_dictionaries(
    {
        "vin": st.one_of(
            st.sampled_from([b"", b" A", b"A\0B\0", b"\0" * 25, b"~" * 25, b"\x7f" * 25]),
            st.binary(max_size=25),
            st.text("WVZ 019-_äß", max_size=12).map(str.encode),
        ),
        "job": numbers(99),
        "pset": numbers(999),
        "batch_size": numbers(9999),
        "batch_counter": numbers(9999),
        "batch_status": st.sampled_from([0, 1, 2, None]),
        "status": st.sampled_from([0, 1, None]),
        "torque_status": STATUS,
        "angle_status": STATUS,
        "torque": numbers(999999),
        "angle": numbers(99999),
        "torque_min": st.integers(0, 999999),
        "torque_max": st.integers(0, 999999),
        "angle_min": st.integers(0, 99999),
        "angle_max": st.integers(0, 99999),
        "tightening_id": numbers(4294967295),
        "time": STAMPS,
        "pset_change": CHANGES,
    }
)
REVISIONS = st.sampled_from([999, 1, 2, 3, 4, 5, 6, 7])


def hundredths(text):
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest)


def tenths(text):
    whole, _, rest = text.partition(".")
    return int(whole) * 10 + int(rest)


def is_read_alike(telegram, expected):
    """The archive finds no difference in it, and the same."""
    there, differences = reader.read(telegram[4:])
    assert not differences and not there.pop("unread") and there.items() <= expected.items()


def decoded_by_both(fields, revision, **settings):
    """The telegram's fields by the strict reader; the archive's has to find the same."""
    record = Record(61, revision, **fields)
    fields_read = record.decoded(**settings)
    is_read_alike(record.write(**settings), fields_read)
    return fields_read


@given(FIELDS, REVISIONS)
def test_any_result_is_read_back_as_it_was_meant(fields, revision):
    decoded = decoded_by_both(fields, revision)
    spindle = decoded["spindles"][0]
    field = bytearray(25)
    put_ascii(field, 0, 25, stripped(fields["vin"], 0, len(fields["vin"])))
    assert decoded["vin"].strip() == field.decode().strip() and decoded["time"] == "".join(
        filter(str.isdigit, fields["time"])
    )
    overall = 0 if fields["status"] == 1 else 1
    assert spindle["overall"] == overall
    assert spindle["torque_status"] == JUDGED.get(fields["torque_status"], overall)
    assert spindle["angle_status"] == JUDGED.get(fields["angle_status"], overall)
    assert hundredths(spindle["torque"]) == (fields["torque"] or 0)
    assert tenths(spindle["angle"]) == (fields["angle"] or 0) * 10
    assert spindle["program"] == (fields["pset"] or 9999)
    if revision != 999:
        assert hundredths(spindle["torque_low"]) == fields["torque_min"]
        assert hundredths(spindle["torque_high"]) == fields["torque_max"]
        assert tenths(spindle["angle_low"]) == fields["angle_min"] * 10
        assert tenths(spindle["angle_high"]) == fields["angle_max"] * 10


@given(FIELDS, REVISIONS)
def test_parameter_says_what_field_had_and_is_absent_where_that_was_blank(fields, revision):
    parameters = values(decoded_by_both(fields, revision))
    wanted = {1500: "job", 100: "batch_size", 101: "batch_counter", 102: "batch_status"}
    for number, name in wanted.items():
        assert parameters.get(number) == (None if fields[name] is None else str(fields[name])), name
    number = fields["tightening_id"]
    assert parameters.get(30) == (None if number is None else "%010d" % number)
    assert parameters.get(1003) == (fields["pset_change"] or None)
    assert parameters.get(1000) == ("0" if fields["pset"] == 0 else None)


@given(FIELDS, REVISIONS, st.integers(0, 127), st.integers(1, 99999), st.integers(1, 99999), st.integers(0, 3))
def test_whatever_is_wanted_and_flagged_the_telegram_is_whole(fields, revision, parameters, ident, sequence, flags):
    flags = (res.FLAG_RECOVERED if flags & 1 else 0) | (res.FLAG_EDGE_TIME if flags & 2 else 0)
    decoded = Record(61, revision, **fields).decoded(flags, ident=ident, sequence=sequence, parameters=parameters)
    assert (decoded["identifier"], decoded["sequence"]) == (ident, sequence)
    assert (60003 in decoded["by_id"]) == bool(flags & res.FLAG_EDGE_TIME)


@pytest.mark.parametrize("mask", [127, 255])
def test_one_more_parameter_takes_no_bit_that_has_a_meaning(mask):
    text = Path(result04.__file__).read_text(encoding="utf-8")
    changed = text.replace('"source")', '"source", "eighth")').replace("const(127)", f"const({mask})")
    assert changed.count("eighth") == changed.count(f"PARAM_ALL = const({mask})") == 1
    exec(compile(text, "result04", "exec"), {})
    with pytest.raises(AssertionError):
        exec(compile(changed, "result04", "exec"), {})
