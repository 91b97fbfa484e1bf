"""A message is a Mapping that shows its values, raw or scaled; what it is not asked well for is said in words."""

import pickle
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from toolcart import catalogue
from toolcart.catalogue import (
    DataField,
    FieldError,
    FrameError,
    Message,
    NoField,
    Odd,
    data_field,
    resolution,
)
from host_tests.portable import error_of

GIVEN = {
    "torque": "42.37",
    "angle": 123,
    "angle_numerator": 1,
    "angle_denominator": 100,
    "tightening_status": 1,
    "error_status": ["trigger lost"],
    "time": "2024-03-14:09:26:53",
    "pset_change": "0000-00-00:00:00:00",
    "vin": "WVW1",
}
MESSAGE = catalogue.decode(catalogue.encode(61, 10, **GIVEN))


def test_a_message_is_a_mapping():
    assert isinstance(MESSAGE, Mapping)
    assert len(MESSAGE) == len(list(MESSAGE)) == len(MESSAGE.fields())
    assert list(MESSAGE.items()) == list(zip(MESSAGE.keys(), MESSAGE.values(), strict=True))
    assert dict(MESSAGE) == dict(MESSAGE.items()) == {**MESSAGE} == MESSAGE.fields()
    assert MESSAGE.get("torque") == 4237 and MESSAGE.get("nix", 5) == 5
    assert "cell_id" in MESSAGE and MESSAGE.get("cell_id", 5) is None  # blank, as in any mapping
    match MESSAGE:
        case {"torque": torque, "vin": "WVW1"}:
            assert torque == 4237
        case _:
            raise AssertionError("it does not match")


def test_a_message_without_fields_is_a_message():
    message = catalogue.decode(catalogue.encode(3))
    assert len(message) == 0 and list(message) == [] and message


def test_its_repr_shows_its_values_with_units_and_names():
    assert repr(MESSAGE) == (
        "<MID 0061 revision 10, Last tightening result data: vin='WVW1', tightening_status=1 (OK), "
        "error_status=8192 (trigger lost), torque=4237 (42.37 Nm), angle=123 (1.23 deg), "
        "time='2024-03-14:09:26:53', pset_change='0000-00-00:00:00:00', angle_numerator=1, angle_denominator=100>"
    )
    assert repr(MESSAGE.scaled()) == repr(MESSAGE)
    trace = repr(catalogue.decode(catalogue.encode(900, samples=list(range(500)))))
    assert "(1000)" in trace and len(trace) < 700
    assert "data=b'ABCD'" in repr(catalogue.decode(b"00245555007         ABCD"))
    assert "Odd(b'00X237'" in repr(catalogue.decode(MESSAGE.frame.replace(b"004237", b"00X237")))


def test_scaled_message_has_decimals_times_and_names_and_builds_the_same_frame():
    scaled = catalogue.decode(MESSAGE.frame, scaled=True)
    assert scaled["torque"] == Decimal("42.37") and scaled["angle"] == Decimal("1.23")
    assert scaled["time"] == datetime(2024, 3, 14, 9, 26, 53) and scaled["pset_change"] is None
    assert scaled["tightening_status"] == "OK" and scaled["error_status"] == ["trigger lost"]
    assert scaled["vin"] == "WVW1" and scaled["cell_id"] is None and scaled.raw()["torque"] == 4237
    assert scaled.decimal("torque") == "42.37" and scaled.meaning("tightening_status") == "OK"
    assert scaled == MESSAGE and scaled.to_json() == MESSAGE.to_json() and scaled.rest() == b""
    assert catalogue.encode(scaled) == MESSAGE.frame
    changed = catalogue.encode(scaled, torque=Decimal("1.5"), angle=Decimal("0.05"))
    assert catalogue.decode(changed)["torque"] == 150 and catalogue.decode(changed)["angle"] == 5
    given = {name: value for name, value in scaled.items() if name != "pset_change"}
    assert catalogue.encode(61, 10, **given, pset_change=GIVEN["pset_change"]) == MESSAGE.frame


def test_whatever_a_table_has_can_be_scaled_and_built_again():
    from toolcart.codec.examples import example

    for mid in catalogue.mids():
        for revision in catalogue.revisions(mid):
            frame, _ = example(catalogue.form(mid, revision))
            message = catalogue.decode(frame)
            scaled = message.scaled()
            assert list(scaled) == list(message)
            unset = [name for name in scaled if scaled[name] is None]
            again = {**scaled, **{name: message[name] for name in unset}}
            assert catalogue.encode(message.form, check=False, **again) == catalogue.encode(
                message.form, check=False, **message.fields()
            ), (mid, revision)


def test_a_character_for_job_repair_has_the_meaning_that_is_printed():
    for mid, revision in ((33, 1), (140, 1)):
        for value, words in (("0", "E"), ("1", "G"), ("G", "")):
            message = catalogue.decode(catalogue.encode(mid, revision, check=False, reserved=value))
            assert (message["reserved"], message.meaning("reserved")) == (value, words)


def test_lists_and_groups_are_scaled_too():
    spindles = [{"spindle": 1, "channel_id": 1, "status": 1, "torque_status": 1, "torque": "1.50"}]
    message = catalogue.decode(catalogue.encode(101, 1, spindles=spindles, check=False), scaled=True)
    assert message["spindles"][0]["torque"] == Decimal("1.50") and message["spindles"][0]["status"] == "OK"


@pytest.mark.parametrize("ask", ["decimal", "number", "ratio", "unit", "meaning", "bits", "datetime", "__getitem__"])
def test_unknown_field_is_named_in_the_same_words_everywhere(ask):
    for message in (MESSAGE, MESSAGE.scaled()):
        text = error_of(lambda: getattr(message, ask)("nix"), NoField)  # noqa: B023
        assert text.startswith("MID 0061 revision 10 has no field 'nix'; it has: cell_id, ")
    assert error_of(lambda: getattr(catalogue.decode(b"00205555001         "), ask)("nix"), NoField).endswith("none")


REFUSED = (
    (lambda: catalogue.encode(MESSAGE, revision=2), "revision at 9-11: found 2, allowed 10"),
    (lambda: catalogue.encode(MESSAGE, 999, torque=1), "revision at 9-11: found 999, allowed 10"),
    (lambda: catalogue.encode(catalogue.form(61, 2), revision=3), "revision at 9-11: found 3, allowed 2"),
    (lambda: catalogue.encode(18, 7, pset_id=2), "MID 0018 revision 7, revision at 9-11: found 7, allowed 1;"),
    (lambda: catalogue.encode(18, 7), "MID 0018 revision 7, revision at 9-11: found 7, allowed 1;"),
    (lambda: catalogue.encode(5555, level=2), "mid at 5-8: found 5555, allowed a MID whose fields are described"),
    (lambda: catalogue.encode(61, torque=42.37), "0 to 999999 in Nm/100, or a Decimal or text in Nm up to 9999.99"),
    (lambda: catalogue.encode(61, torque="42.371"), "at most 2 decimals in Nm"),
    (lambda: catalogue.encode(61, angle=-1), "allowed 0 to 99999 deg"),
    (lambda: catalogue.encode(61, angle="1.5"), "allowed a whole number deg"),
    (lambda: catalogue.encode(61, 10, **{**GIVEN, "angle": "1.23"}), "angle_numerator and angle_denominator"),
    (lambda: catalogue.encode(61, 10, **{**GIVEN, "angle": Decimal("1.234")}), "a multiple of 1/100"),
    (lambda: catalogue.encode(61, vin=Decimal(5)), "allowed text"),
    (lambda: catalogue.encode(50, vin="a\0b"), "no control characters"),
    (lambda: catalogue.encode(50, vin="a\nb"), "no control characters"),
    (lambda: catalogue.encode(61, vin="abc\0"), "no control characters"),
    (lambda: catalogue.encode(52, vin=b"WVW1"), "vin at 21-: found b'WVW1', allowed at least 25 bytes"),
    (lambda: catalogue.encode(82, time=datetime.now(timezone.utc)), "a time without a zone"),
    (lambda: catalogue.encode(900, samples=5), "MID 0900 revision 1, samples at 71: found 5, allowed a list"),
    (lambda: catalogue.encode(900, samples=[1.5]), "samples of -32768 to 32767"),
    (lambda: catalogue.encode(900, samples={1: 2}), "a list of samples"),
    (lambda: catalogue.encode(1202, data_fields=[DataField(100000, 1, 0, 0, b"1")]), "data_fields: PID"),
    (lambda: data_field(999999, 1), "PID: found 999999, allowed 0 to 99999"),
    (lambda: data_field(-1, 1), "PID: found -1"),
    (lambda: data_field("1", 1), "PID: found '1'"),
    (lambda: data_field(1, object()), "value of PID 00001: found <object"),
    (lambda: data_field(1, {}), "allowed a number, text, True or False, a time, a list"),
    (lambda: data_field(1, [object()]), "a list of numbers"),
    (lambda: data_field(1, -1, kind=1), "a whole number, 0 or more"),
    (lambda: data_field(1, 1.5, kind=2), "a whole number"),
    (lambda: data_field(1, "x", kind=3), "a number"),
    (lambda: data_field(1, float("nan")), "a number"),
    (lambda: data_field(1, 5, kind=6), "True or False"),
    (lambda: data_field(1, 5, kind=50), "a list of numbers"),
    (lambda: data_field(1, [1, 2], kind=8), "a list of pairs of numbers"),
    (lambda: data_field(1, [10**9]), "numbers of 8 characters"),
    (lambda: data_field(1, 1, kind=77), "type of value of PID 00001: found 77, allowed 1 UI, 2 I"),
    (lambda: data_field(1, 1, unit=1000), "unit: found 1000, allowed 0 to 999"),
    (lambda: data_field(1, 1, step=10000), "step: found 10000, allowed 0 to 9999"),
    (lambda: data_field(1, "x" * 1000), "at most 999 bytes"),
    (lambda: resolution("a", 2, 1.0), "first index: found 'a', allowed 0 to 99999"),
    (lambda: resolution(0, 2, object()), "time value: found <object"),
    (lambda: DataField(1, 1, 0, -1, b"1").octets(5, True), "step: found -1"),
    (lambda: catalogue.samples_of(b"\1"), "octets, two for each sample"),
    (lambda: catalogue.samples_of(5), "octets, two for each sample"),
    (lambda: catalogue.extra_data(8, 900, alternative=9), "alternative"),
    (lambda: catalogue.extra_data("x", 900), "extra data: found ('x', 900), allowed 6, 8 or 9"),
    (lambda: catalogue.about("61"), "mid at 5-8: found '61', allowed 0 to 9999"),
    (lambda: catalogue.revisions(10000), "mid at 5-8"),
    (lambda: catalogue.form(61, 0), "revision at 9-11: found 0, allowed 1 to 999"),
    (lambda: catalogue.form(61, "2"), "revision at 9-11: found '2'"),
)


@pytest.mark.parametrize(("call", "text"), REFUSED, ids=range(len(REFUSED)))
def test_forbidden_or_impossible_value_is_a_field_error_that_says_so(call, text):
    assert text in error_of(call, FieldError)


def test_the_unit_of_what_is_allowed_can_be_read():
    with pytest.raises(FieldError) as raised:
        catalogue.encode(61, torque=-1)
    error = raised.value
    assert (error.mid, error.field, error.found, error.unit) == (61, "torque (15)", -1, "Nm")


@pytest.mark.parametrize("buffer", ["0020", 25, None, [48] * 20, object()])
def test_what_is_no_bytes_is_a_frame_error(buffer):
    for call in (catalogue.decode, catalogue.read, catalogue.Frames().feed, catalogue.Linked().add):
        assert "bytes are wanted" in error_of(lambda: call(buffer), FrameError)  # noqa: B023
    assert catalogue.decode(memoryview(bytearray(MESSAGE.frame))) == MESSAGE


def test_what_may_be_left_out_or_given_otherwise_is_taken():
    assert catalogue.encode(MESSAGE, revision=10) == catalogue.encode(MESSAGE) == MESSAGE.frame
    assert catalogue.encode(18, 7, data=b"") == b"00200018007         "
    assert catalogue.encode(18, 7, check=False) == b"00200018007         "
    padded = catalogue.encode(52, vin="WVW1")
    assert padded[20:] == b"WVW1" + b" " * 21 and catalogue.decode(padded)["vin"] == "WVW1"
    assert catalogue.encode(52, vin=b"WVW1", check=False)[20:] == b"WVW1"
    octets = bytearray(b"\x00\x01\x00\x02")
    assert catalogue.encode(900, samples=octets) == catalogue.encode(900, samples=[1, 2])
    assert data_field(1, Decimal("1.5")).value() == 1.5 and data_field(1, None).value() is None
    assert data_field(1, datetime(2024, 3, 14)).value() == "2024-03-14:00:00:00"
    assert data_field(1, "023", kind=1).value() == 23 and isinstance(data_field(1, b"x", 1).value(), Odd)
    assert data_field(123456, 1, digits=6).pid == 123456
    assert isinstance(Message.__reduce__(MESSAGE), tuple)


def test_a_revision_above_those_described_is_read_as_far_as_it_is_known():
    frame = catalogue.encode(61, 12, torque=4237, click_angle=95, vin="KPOL")
    more = frame + b"6012345"
    message = catalogue.decode(b"%04d" % len(more) + frame[4:8] + b"013" + more[11:])
    assert (message.revision, message.form.known, message["torque"], message["click_angle"]) == (13, False, 4237, 95)
    assert message.rest() == b"6012345" and message.scaled()["vin"] == "KPOL" and "torque=4237" in repr(message)
    assert catalogue.from_json(message.to_json()).frame == message.frame
    assert pickle.loads(pickle.dumps(message))["torque"] == 4237
    with pytest.raises(catalogue.FieldError):
        catalogue.encode(61, 13, torque=4237)
    # No ID shows where a field stands, or it is not the revisions below that it goes on from: nothing is read.
    assert dict(catalogue.decode(b"00230018009         002")) == {}
    assert not catalogue.form(61, 997).fields and not catalogue.form(9876, 2).fields
