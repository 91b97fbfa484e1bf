"""Messages as Python's own types and as JSON: compared, iterated over, decimals and times, there and back."""

import json
from datetime import datetime
from decimal import Decimal

import pytest

from toolcart import catalogue
from toolcart.catalogue import (
    FieldError,
    FrameError,
)


def test_messages_compare_by_their_octets():
    one, same, other = [catalogue.decode(catalogue.encode(18, pset_id=number)) for number in (2, 2, 3)]
    assert one == same and one != other and len({one, same, other}) == 2
    assert one != one.frame


def test_decimals_and_datetimes_are_read_and_built():
    at = datetime(2024, 2, 29, 9, 26, 53)
    message = catalogue.decode(catalogue.encode(61, 999, torque=Decimal("42.37"), angle=Decimal(95), time=at))
    assert message["torque"] == 4237 and message.number("torque") == Decimal("42.37")
    assert message.number("angle") == 95 and message.datetime("time") == at
    assert message.datetime("pset_change") is None and message.number("batch_size") is None
    factors = {"angle_numerator": 1, "angle_denominator": 100}
    scaled = catalogue.decode(catalogue.encode(61, 10, angle=123, **factors))
    assert scaled.number("angle") == Decimal("1.23")
    for wrong in ("42.375", "NaN", "Infinity", "-1", "1E+9"):
        with pytest.raises(FieldError):
            catalogue.encode(61, 999, torque=Decimal(wrong))
    strange = message.frame.replace(b"2024-02-29", b"2023-02-29")
    assert catalogue.decode(strange).datetime("time") is None


def test_field_that_was_changed_in_json_is_in_frame_and_rest_stays():
    frame = catalogue.encode(61, 999, torque=4237, angle=95, station=1) + b"rest"
    data = json.loads(catalogue.decode(b"%04d" % len(frame) + frame[4:]).to_json())
    assert "frame" in data
    data["fields"]["torque"] = 1
    message = catalogue.from_json(json.dumps(data))
    assert message["torque"] == 1 and message["angle"] == 95 and message.rest() == b"rest"
    assert message.header()["station"] == 1
    assert catalogue.from_json('{"mid": 18, "fields": {"pset_id": 2}}').frame == catalogue.encode(18, pset_id=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("61", "it is laid out otherwise than to_json() writes it"),
        ("MID 61", "Expecting value: line 1 column 1 (char 0)"),
        ("{}", 'it has no "mid"'),
        ('{"mid": 61}', 'it has no "fields"'),
        ('{"mid": 61, "fields": []}', "it is laid out otherwise than to_json() writes it"),
        ('{"mid": 61, "fields": {"vin": {"octets": "zz"}}}', "it is laid out otherwise than to_json() writes it"),
        ('{"mid": 18, "fields": {"mid": 19}}', 'its "fields" cannot have "mid"'),
        ('{"mid": 18, "header": {"pset_id": 2}, "fields": {}}', 'its "header" cannot have "pset_id"'),
    ],
)
def test_what_is_no_message_in_json_says_what_is_wrong_with_it(text, words):
    with pytest.raises(FrameError) as raised:
        catalogue.from_json(text)
    assert str(raised.value) == "no message in JSON: " + words


def test_message_of_a_second_layout_comes_back_from_json_as_it_was():
    message = catalogue.decode(b"00490703001         010230010200100403001000012.5")
    assert message["tool_number"] == 230
    assert catalogue.from_json(message.to_json()) == message


def test_a_set_is_seen_whole_or_not_at_all():
    # Several threads may ask for the first time at once; each kept set has to be complete.
    from toolcart.catalogue import meanings

    class Watched(dict):
        def __setitem__(self, name, names):
            assert len(names) == 2, "it is kept before it is whole"
            dict.__setitem__(self, name, names)

    kept, meanings._split = meanings._split, Watched()
    try:
        assert meanings.names_of("0:no|1:yes") == {0: "no", 1: "yes"} and "0:no|1:yes" in meanings._split
    finally:
        meanings._split = kept
