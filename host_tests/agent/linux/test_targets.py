"""Targets of torque and angle stand behind all other parameters, and only where a result has them."""

import pytest

from toolcart.agent.linux.telegram04 import TargetWriter
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX
from host_tests.agent.toolsnet.test_result04 import Record
from host_tests.support.toolsnet import read

BEHIND = res.HEAD_BYTES + res.BODY_BYTES


def parameters_in(writer, record, flags=0):
    """The parameters of the telegram, by ID, in order; it has to be flawless."""
    octets = writer.write(record.octets, 0, record.length, flags, 42, 17)
    return {one["parameter_id"]: one for one in read(writer.tx[:octets])["parameters"]}


def writer(**more):
    return TargetWriter(bytearray(RESULT_BYTES_MAX), 3, 1, **more)


def with_targets(torque=b"004500", angle=b"00075", unit=b" "):
    record = Record()
    record.put_limits()
    record.octets[BEHIND + res.TORQUE_TARGET : BEHIND + res.TORQUE_TARGET + 6] = torque
    record.octets[BEHIND + res.ANGLE_TARGET : BEHIND + res.ANGLE_TARGET + 5] = angle
    record.octets[BEHIND + res.TORQUE_UNIT] = unit[0]
    return record


def target_rows(parameters):
    return [(number, one["value"].strip(), one["type"], one["unit"].strip()) for number, one in parameters.items()][-2:]


@pytest.mark.parametrize(("unit", "value", "name"), [(b"7", "00045.00", "%")])
def test_torque_target_is_reported_in_the_unit_of_the_torque(unit, value, name):
    assert target_rows(parameters_in(writer(), with_targets(unit=unit)))[0] == (2000, value, 2, name)


def test_result_that_is_not_as_it_should_be_tells_none():
    record = with_targets(torque=b"-00500")
    assert not {2000, 2010} & set(parameters_in(writer(), record, res.FLAG_ODD))


def test_no_other_parameters_are_needed():
    assert list(parameters_in(writer(parameters=0), with_targets())) == [2000, 2010]
