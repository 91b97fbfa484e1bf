"""Results are counted as escaped exactly where a line or telegram 04 shows some of their text so."""

import json

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.linux.json_line import line_of
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.spindles import PLACE, SYNC_HEAD_BYTES
from toolcart.agent.record.trailer import is_text_plain
from toolcart.sim.controller_frames import PUSHED, field, header
from host_tests.support.frames import example_tightening
from host_tests.support.log import held
from lab.harness.cart import Cart

ODD = (0x00, 0x01, 0x0A, 0x0D, 0x1F, 0x7E, 0x7F, 0xE4)
UMLAUT = b"\xc3\xa4"


def is_escaped(payload, flags):
    """True if the line of this result has an escape, of a byte or of a letter."""
    line = line_of(payload, 0, KIND_RESULT, flags, len(payload)).decode("ascii")
    shown = json.loads(line)
    shown.pop("odd")  # what is quoted there is no text of a result
    line = json.dumps(shown)
    return "~" in line or "\\u" in line


def results_of(cart):
    return [(bytes(payload), flags) for _, kind, flags, payload in held(cart.station.log) if kind == KIND_RESULT]


def pushed(revision, behind=b"", end=b"", **texts):
    """Return a MID 0061 with these octets as they are."""
    source = example_tightening(controller_name="Cell 12")
    data = b""
    for number, width, name in PUSHED[revision]:
        value = texts.get(name)
        data += b"%02d" % number + (field(getattr(source, name), width) if value is None else value.ljust(width))
    data += behind
    return header(61, revision, len(data)) + data + end + b"\0"


RESULTS = {
    "plain": (1, {}),
    "line end inside": (1, {"behind": b"\r\n"}),
    "line end behind": (1, {"end": b"\r\n"}),
    "identifier with line end inside": (4, {"behind": b"\r\n"}),
    "ID": (1, {"tightening_id": b"12\r\n"}),
    "program": (1, {"pset": b"1\r\n"}),
    "job": (1, {"job": b"\r\n"}),
    "torque": (1, {"torque": b"\xff" * 6}),
    "time": (1, {"time": b"\0" * 19}),
    "last change": (1, {"pset_change": b"2024-03-14:09:26:\xff\xff"}),
    "status": (1, {"status": b"\x01"}),
    "VIN": (1, {"vin": b"L~7"}),
    "VIN in UTF-8": (2, {"vin": b"L" + UMLAUT}),
    "VIN with NULs behind": (2, {"vin": b"L".ljust(25, b"\0")}),
    "serial": (2, {"tool_serial": b"C\xe4"}),
    "identifier": (4, {"identifier_3": UMLAUT}),
    "name": (1, {"controller_name": UMLAUT}),
}


@pytest.mark.parametrize("what", RESULTS)
def test_a_result_counts_exactly_if_something_in_it_is_escaped(what):
    revision, texts = RESULTS[what]
    cart = Cart(controller={"result_revisions": (revision,)}, settings={"controller": {"result_revisions": [revision]}})
    cart.until_ready()
    cart.controller.inject(pushed(revision, **texts))
    cart.run(20000)
    ((payload, flags),) = results_of(cart)
    telegrams = str([[one["vin"], one["parameters"], one["vins"]] for one in cart.archive.results])
    assert len(cart.archive.results) == 1
    assert ("~" in telegrams) <= is_escaped(payload, flags), "a line shows all that telegram 04 does"
    assert cart.station.counters.counts[counter.TEXT_ESCAPED] == is_escaped(payload, flags)


def made(kind):
    """Return a cart with results of this kind."""
    texts = {"identifier_2": "ENGINE 4711", "identifier_4": "GEAR 0815"}
    options, controller = {
        "light": ({}, {}),
        "limits": ({"result_revisions": (1,)}, {}),
        "identifiers": ({"result_revisions": (4,), "pushed_as": texts}, {"result_revisions": [4]}),
        "sync": ({"sync": (1,), "identity": {"system_type": 2}}, {}),
        "bolts": ({"cycles": (4,), "identity": {"system_type": 2}}, {}),
        "objects": ({"operations": (1, 2), "identity": {"system_type": 4}, "objects": 2, "own_fields": False}, {}),
    }[kind]
    cart = Cart(controller=options, settings={"controller": controller} if controller else None)
    cart.run(20000)
    cart.produce(1)
    cart.run(20000)
    return cart


@pytest.mark.parametrize("kind", ["light", "limits", "identifiers", "sync", "bolts", "objects"])
def test_what_is_plain_is_what_no_line_escapes_whichever_byte_of_the_record_it_is(kind):
    cart = made(kind)
    ((payload, flags),) = results_of(cart)
    assert is_text_plain(payload, 0, len(payload)) and not is_escaped(payload, flags)
    assert cart.station.counters.counts[counter.TEXT_ESCAPED] == 0
    escaped = 0
    structure = range(PLACE, PLACE + SYNC_HEAD_BYTES)  # what is behind has to be where this says
    for place in [one for one in range(8, len(payload)) if one not in structure]:
        for octet in ODD:
            page = bytearray(payload)
            page[place] = octet
            shows = is_escaped(page, flags)
            escaped += shows
            assert is_text_plain(page, 0, len(page)) != shows, (kind, place, octet)
    assert escaped > 100
