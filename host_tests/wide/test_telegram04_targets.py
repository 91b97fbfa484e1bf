"""Targets of torque and angle stand behind all other parameters, and only where a result has them."""

import pytest

from toolcart.agent.record import result as res
from toolcart.agent.wide.telegram04_targets import RESULT_BYTES_TARGETS, TargetWriter
from toolcart.toolsnet.telegrams import take_apart
from host_tests.toolsnet.test_result04 import Record, example
from lab.harness.cart import Cart

BEHIND = res.HEAD_BYTES + res.BODY_BYTES


def told(writer, record, flags=0):
    """The parameters of the telegram, by ID, in order; it has to be flawless."""
    octets = writer.write(record.octets, 0, record.length, flags, 42, 17)
    telegram = bytes(writer.tx[:octets])
    assert int(telegram[:4]) == octets - 4
    found, breaches = take_apart(telegram[4:])
    assert not breaches, [str(breach) for breach in breaches]
    return {one["parameter_id"]: one for one in found["parameters"]}


def writer(**more):
    return TargetWriter(bytearray(RESULT_BYTES_TARGETS), 3, 1, **more)


def with_targets(torque=b"004500", angle=b"00075", unit=b" "):
    record = Record(example())
    record.put_limits()
    record.octets[BEHIND + res.TORQUE_TARGET : BEHIND + res.TORQUE_TARGET + 6] = torque
    record.octets[BEHIND + res.ANGLE_TARGET : BEHIND + res.ANGLE_TARGET + 5] = angle
    record.octets[BEHIND + res.TORQUE_UNIT] = unit[0]
    return record


def shown(found):
    return [(number, one["value"].strip(), one["type"], one["unit"].strip()) for number, one in found.items()][-2:]


def test_both_targets_are_real_values_with_their_unit():
    found = told(writer(), with_targets())
    assert shown(found) == [(2000, "00045.00", 2, "Nm"), (2010, "000075.0", 2, "deg")]
    assert found[2000]["spindle"] == found[30]["spindle"] and found[2000]["program"] == found[30]["program"]


@pytest.mark.parametrize(("unit", "value", "name"), [(b"7", "00045.00", "%")])
def test_torque_target_is_told_in_the_unit_of_the_torque(unit, value, name):
    assert shown(told(writer(), with_targets(unit=unit)))[0] == (2000, value, 2, name)


def test_result_that_is_not_as_it_should_be_tells_none():
    record = with_targets(torque=b"-00500")
    assert not {2000, 2010} & set(told(writer(), record, res.FLAG_ODD))


def test_no_other_parameters_are_needed():
    assert list(told(writer(parameters=0), with_targets())) == [2000, 2010]


def test_station_sends_them_where_they_are_wanted():
    for wanted in (True, False):
        one = Cart(
            settings={"toolsnet": {"extras": ["targets"] if wanted else None}, "controller": {"result_revisions": [2]}}
        )
        one.until_ready()
        for _ in range(3):
            one.controller.produce()
        one.until_quiet()
        for result in one.archive.results:
            found = {parameter["parameter_id"] for parameter in result["parameters"]}
            assert ({2000, 2010} <= found) == wanted
        assert not one.toolsnet.complaints
