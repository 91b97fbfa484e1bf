"""Messages of a controller for tests, byte for byte: the worked example and what is built around it.

1. EXAMPLE is example.md 1 as it stands there, without its NUL; `light` changes one field of it at a time.
2. Longer layouts come from the simulator's tables, which were written from the documents and not from the agent.
"""

from toolcart.sim.controller_frames import LIGHT, header, old_result_data, result_data, start_data
from toolcart.sim.controller_model import Identity, Tightening

PORTABLE = True

EXAMPLE = (
    b"01210061999 0101    WVWZZZ1KZAW123456        070120006000400120042370009"
    b"52024-03-14:09:26:532024-02-01:08:00:000001234567"
)

# Start, counted from 1, and width of each field of the light layout.
LIGHT_FIELDS = {}
for _, _width, _name in LIGHT:
    LIGHT_FIELDS[_name] = (21 + sum([width for _, width in LIGHT_FIELDS.values()]), _width)

GARBLED = b"#"


def octets_of(text):
    return text if isinstance(text, bytes) else text.encode()


def light(**fields):
    """Return the worked example with some fields replaced; a number is written with leading zeros."""
    frame = bytearray(EXAMPLE)
    for name in fields:
        first, width = LIGHT_FIELDS[name]
        value = fields[name]
        if isinstance(value, int):
            text = ("0" * width + "%d" % value)[-width:].encode()
        else:
            text = octets_of(value)
            text = text + b" " * (width - len(text))
        assert len(text) == width, name
        frame[first - 1 : first - 1 + width] = text
    return bytes(frame)


def garbled(**fields):
    """Return a light frame in which only the time can be made out: no one can read it."""
    return light(**dict({"tightening_id": GARBLED * 10, "status": GARBLED, "torque": GARBLED * 6}, **fields))


TIGHTENED = {  # the worked examples' tightening
    "vin": b"WVWZZZ1KZAW123456",
    "job": 7,
    "pset": 12,
    "batch_size": 6,
    "batch_counter": 4,
    "batch_status": 0,
    "status": 0,
    "torque_status": 1,
    "angle_status": 2,
    "torque": 4237,
    "angle": 95,
    "tightening_id": 1234567,
    "pset_change": "2024-02-01:08:00:00",
}


def example_tightening(**fields):
    """Return the worked example as the simulator's tightening: limits of example.md, tool C3412129."""
    result = Tightening()
    values = {
        "torque_min": 4000,
        "torque_max": 5000,
        "torque_target": 4500,
        "angle_min": 60,
        "angle_max": 90,
        "angle_target": 75,
        "time": "2024-03-14:09:26:53",
    }
    values.update(TIGHTENED)
    values.update(fields)
    for name in values:
        assert hasattr(Tightening, name), name
        setattr(result, name, values[name])
    return result


def pushed(revision, **fields):
    """Return MID 0061 in a revision."""
    octets = result_data(example_tightening(**fields), revision)
    return header(61, revision, len(octets)) + octets


def fetched(revision, **fields):
    """Return MID 0065 in a revision."""
    octets = old_result_data(example_tightening(**fields), revision)
    return header(65, revision, len(octets)) + octets


def message(mid, text=b"", revision=1):
    """Return a message with digits in its header."""
    return header(mid, revision, len(text)) + text


def identity_message(revision, **changed):
    """Return MID 0002 of the simulator's controller, some of its fields changed."""
    identity = Identity()
    for name in changed:
        setattr(identity, name, changed[name])
    return message(2, start_data(identity, revision), revision)


def numbered(frame, number):
    """Return the message with this link-level number."""
    return frame[:16] + b"%02d" % number + frame[18:]


def accepted(mid):
    return message(5, ("%04d" % mid).encode())


def refused(mid, code, digits=2):
    return message(4, ("%04d" % mid).encode() + ("000%d" % code)[-digits:].encode())
