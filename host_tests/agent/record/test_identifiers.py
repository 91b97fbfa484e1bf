"""Identifier result parts 2 to 4: from MID 0061 and 0065 of revision 4 on into log, telegram 04 and lines."""

import json

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.base.fields import copy
from toolcart.agent.linux import extended_store
from toolcart.agent.linux.json_line import line_of
from toolcart.agent.linux.telegram04 import TargetWriter
from toolcart.agent.record import KIND_RESULT, PAYLOAD_MAX, identifiers
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX
from toolcart.toolsnet.telegrams import take_apart
from host_tests.agent.linux.test_targets import with_targets
from host_tests.agent.toolsnet.test_result04 import Record
from lab.harness.cart import Cart

PARTS = {"identifier_2": "ENGINE 4711", "identifier_3": "", "identifier_4": "GEAR 0815"}
REVISIONS = (4, 5, 6, 7, 8, 9, 10, 11, 998)


def cart(revision, parts=PARTS, **toolsnet):
    one = Cart(
        controller={"pushed_as": dict(parts), "fetched_as": dict(parts), "result_revisions": (revision,)},
        settings={"toolsnet": toolsnet, "controller": {"result_revisions": [revision]}},
    )
    one.until_ready()
    return one


@pytest.mark.parametrize("revision", REVISIONS)
def test_they_are_additional_vins_of_result_in_every_revision_that_has_them(revision):
    one = cart(revision)
    one.produce(3)
    one.until_quiet()
    assert len(one.archive.results) == 3 and not one.toolsnet.complaints
    for result in one.archive.results:
        vins = [(vin["identifier"], vin["vin"].strip()) for vin in result["vins"]]
        assert vins == [(1, "ENGINE 4711"), (3, "GEAR 0815")]


@pytest.mark.parametrize("revision", [2, 3, 999])
def test_revisions_without_them_have_none(revision):
    one = cart(revision)
    one.produce()
    one.until_quiet()
    assert one.archive.results[0]["vins"] == []


@pytest.mark.parametrize("revision", [4, 7])
def test_results_that_differ_in_one_of_them_alone_are_two(revision):
    one = cart(revision)
    same = {"tightening_id": 7, "time": "2024-03-14:09:26:53", "torque": 1000, "angle": 60, "vin": b"V", "pset": 1}
    same.update({"batch_counter": 1, "batch_status": 0, "status": 1, "torque_status": 1, "angle_status": 1})
    same.update({"final_angle": 60, "torque_min": 1, "torque_max": 2, "torque_target": 3, "pset_name": "A"})
    same.update({"angle_min": 1, "angle_max": 2, "angle_target": 3, "pset_change": ""})
    for parts in ({"identifier_2": "A"}, {"identifier_2": "B"}, {"identifier_3": "A"}, {"identifier_2": "A"}):
        one.controller.options.pushed_as.update({**dict.fromkeys(PARTS, ""), **parts})
        one.produce(1, 3000, **same)
    vins = [[vin["vin"].strip() for vin in result["vins"]] for result in one.archive.results]
    assert vins == [["A"], ["B"], ["A"]] and one.counted(counter.DUPLICATES) == 1


def payload(record, *texts):
    """The record with these identifiers behind it."""
    page = bytearray(PAYLOAD_MAX)
    copy(page, 0, record.octets, 0, min(record.length, identifiers.PLACE))
    page[identifiers.PLACE : identifiers.PAYLOAD_BYTES] = b"I" + b"".join(b"%-25s" % text for text in texts)
    return page


@pytest.mark.parametrize("flags", [0, res.FLAG_ODD, res.FLAG_RECOVERED])
@pytest.mark.parametrize("texts", [(b"A", b"B", b"C"), (b"", b"", b"Z" * 25), (b"\xe9\x00~", b"", b" x")])
def test_the_telegram_is_that_of_the_result_with_the_vins_put_in(flags, texts):
    record = with_targets()
    writers = [TargetWriter(bytearray(RESULT_BYTES_MAX), 3, 1) for _ in range(2)]
    for writer in writers:
        writer.session = type("Session", (), {"result": None})()
    octets = writers[0].write(record.octets, 0, record.length, flags, 42, 17)
    plain = bytes(writers[0].tx[:octets])
    for _ in range(2):  # a second one finds nothing of the first
        octets = writers[1].write(payload(record, *texts), 0, identifiers.PAYLOAD_BYTES, flags, 42, 17)
        telegram = bytes(writers[1].tx[:octets])
        fields, breaches = take_apart(telegram[4:])
        assert not breaches and int(telegram[:4]) == octets - 4
        count = sum(text.strip() != b"" for text in texts)
        assert len(fields["vins"]) == count and telegram[154 + 29 * count :] == plain[154:]
        assert telegram[4:75] + telegram[77:154] == plain[4:75] + plain[77:154]
    octets = writers[1].write(record.octets, 0, record.length, flags, 42, 17)
    assert bytes(writers[1].tx[:octets]) == plain


def test_one_that_was_cut_off_is_left_out():
    message = bytearray(b" " * 500)
    message[421:424] = message[475:478] = b"ABC"
    page = bytearray(identifiers.BYTES)
    for length, numbers in ((500, [1, 3]), (499, [1]), (446, [1]), (445, [])):
        assert extended_store.octets_of(61, 5, message, 0, length) == (identifiers.BYTES if numbers else 0)
        extended_store.put(page, 0, 61, message, 0, length)
        whole = bytearray(identifiers.PLACE) + page
        assert [number for number, _ in identifiers.places_of(whole, 0)] == numbers


def test_a_line_of_a_file_has_them_by_name():
    page = payload(Record(), b"ENGINE", b"", b"GEAR")
    line = json.loads(bytes(line_of(page, 0, KIND_RESULT, 0, identifiers.PAYLOAD_BYTES)))
    assert [line["identifier_%d" % number] for number in (2, 3, 4)] == ["ENGINE", None, "GEAR"]
    assert line["spindles"] is None
