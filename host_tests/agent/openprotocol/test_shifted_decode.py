"""What `toolcart decode`, the catalogue and a line show of a result whose fields are not where they must be."""

import json
import random

import pytest

from toolcart.agent.linux.extended_store import ExtendedStore
from toolcart.agent.linux.json_line import line_of
from toolcart.agent.record import KIND_RESULT, identifiers
from toolcart.agent.record import result as res
from toolcart.catalogue import Odd, decode
from toolcart.codec.rendering import lines_of, message_as_data
from host_tests.agent.openprotocol.test_shifted_fields import CASES, frame_of, text_of, widths_of
from host_tests.support.station import Bench


@pytest.mark.parametrize("mid, revision", CASES)
def test_catalogue_believes_no_field_that_is_not_where_it_belongs(mid, revision):
    dice = random.Random(mid + revision)
    wanted = dict(decode(frame_of(mid, revision)))
    for _ in range(20):
        name = dice.choice(sorted(widths_of(mid, revision)))
        width = widths_of(mid, revision)[name]
        octets = dice.choice((-3, -2, -1, 1, 2, 3))
        frame = frame_of(mid, revision, {name: text_of(width, octets, b"A")})
        message, fields = decode(frame), decode(frame).fields()
        for one in wanted:
            value = message[one]
            assert value is None or isinstance(value, Odd) or value == wanted[one] or value == "A", one
            assert fields[one] == value or isinstance(value, Odd)


def test_decode_says_that_fields_were_found_by_their_ids():
    frame = frame_of(61, 3, {"pset_name": "P01 10.0±0.8N.m".ljust(25).encode()}, torque=1040, torque_unit=1)
    message = message_as_data(decode(frame))
    assert message["fields"]["torque"]["decimal"] == "10.40" and message["fields"]["torque_unit"]["meaning"] == "Nm"
    assert message["shifted"].startswith("its fields are not where revision 3 has them")
    assert "  shifted: " + message["shifted"] in lines_of(message)
    wrong = bytearray(frame_of(61, 4))
    wrong[413:415] = b"47"
    message = message_as_data(decode(bytes(wrong)))
    assert "unreadable" in message and any(line.startswith("  unreadable: ") for line in lines_of(message))
    assert not {"shifted", "unreadable"} & set(message_as_data(decode(frame_of(61, 4))))


def test_message_is_kept_beside_a_shifted_result_on_linux():
    bench = Bench()
    bench.store.__class__ = ExtendedStore
    frame = frame_of(61, 1, {"vin": "WVWZZZ1KÄ".ljust(25).encode()})
    bench.push(frame)
    (_, flags, payload) = bench.results()[0]
    assert flags == res.FLAG_ODD and identifiers.frame_of(payload, 0, len(payload)) == frame
    line = json.loads(line_of(payload, 0, KIND_RESULT, flags, len(payload)))
    assert line["frame"] == frame.hex() and line["odd"] == "shifted" and line["identifier_3"] is None
    bench.push(frame_of(61, 7, {"vin": "WVWZZZ1KÄ".ljust(25).encode()}, tightening_id=8))
    (_, _, payload) = bench.results()[1]
    assert identifiers.frame_of(payload, 0, len(payload)) == b"", "there is no room for it"
