"""MID 1201 and 1202 of a simulated controller: operations, byte for byte as the documents lay them out.

1. Written from OP 5.9.1.3 p. 156-157, protocol.md 10.7 and MT notes on MID 1202, never from the agent's reader.
2. A field is (PID, type, unit, value); figures are what the simulator has: torque in 1/100 Nm, angles in degrees.
"""

from toolcart.sim.controller_frames import field

PORTABLE = True

OWN_STATUS = {0: "2", 1: "1", 2: "3"}  # low, OK, high of MID 0061 in the numbering of MT notes on MID 1202


def scientific(value, power=0):
    """Return `value` x 10**power in 12 characters, as `00001.234e+2` (MT "Communication"): four digits."""
    digits = "%d" % abs(value)
    exponent = len(digits) - 1 + power if value else 0
    digits = (digits + "000")[:4]
    text = "%s.%se%s%d" % (digits[0], digits[1:], "-" if exponent < 0 else "+", abs(exponent))
    sign = "-" if value < 0 else ""
    return sign + "0" * (12 - len(sign) - len(text)) + text


def data_field(pid, kind, unit, value, step=0):
    """Return one variable data field (OP 2.4 p. 32)."""
    octets = value.encode() if isinstance(value, str) else value
    return ("%05d%03d%02d%03d%04d" % (pid, len(octets), kind, unit, step)).encode() + octets


def data_fields(fields):
    return ("%03d" % len(fields)).encode() + b"".join([data_field(*one) for one in fields])


def own_fields(result, unit=90):
    """Return the fields a MT Focus 6000 sends of a tightening; torque in mNm (unit 090 or 012) or Nm (001)."""
    power = 1 if unit in (90, 12) else -2

    def torque(hundredths):
        return scientific(hundredths, power)

    return (
        (30200, 2, 0, "%011d" % result.tightening_id),
        (30201, 2, 0, "%d" % result.result_type),
        (30202, 2, 0, "1" if result.status else "3"),
        (30203, 5, 0, result.time),
        (30207, 4, 0, "C1234567"),
        (30208, 4, 0, "Cart controller".encode()),
        (30214, 4, 0, result.tool_serial),
        (30216, 2, 0, "%03d" % result.pset),
        (30217, 4, 0, result.pset_name),
        (30220, 5, 0, result.pset_change),
        (30221, 2, 0, "%05d" % result.job),
        (30228, 2, 0, "%03d" % result.batch_size),
        (30229, 2, 0, "%03d" % result.batch_counter),
        (30230, 90, unit, torque(result.torque)),
        (30231, 90, 50, scientific(result.angle)),
        (30232, 90, 200, "00001.234e+0"),
        (30237, 90, unit, torque(result.torque)),
        (30238, 90, 50, scientific(result.angle)),
        (30241, 2, 0, OWN_STATUS[result.torque_status]),
        (30242, 2, 0, OWN_STATUS[result.angle_status]),
        (30244, 4, 0, field("VIN", 48)),
        (30245, 4, 0, result.vin),
        (30255, 90, unit, torque(result.torque_max)),
        (30256, 90, unit, torque(result.torque_min)),
        (30257, 90, 50, scientific(result.angle_max)),
        (30258, 90, 50, scientific(result.angle_min)),
        (30301, 2, 0, "003", 1),
        (30302, 90, unit, torque(result.torque), 1),
    )


def standard_fields(result, one=None):
    """Return the fields other controllers send (OP 6.4 p. 270-283); `one`: for that object (sim.operation_frames)."""
    one = one or result
    return (
        (10, 4, 0, field(result.vin, 25)),
        (100, 1, 0, "%04d" % result.batch_size),
        (101, 1, 0, "%04d" % result.batch_counter),
        (102, 1, 0, "%d" % result.batch_status),
        (1000, 1, 0, "%03d" % result.pset),
        (1003, 5, 0, result.pset_change),
        (1039, 1, 0, "%02d" % result.result_type),
        (1202, 4, 0, result.tool_serial),
        (1400, 1, 0, "%d" % one.status),
        (1401, 7, 0, "0" * 32),
        (1402, 1, 0, "%d" % one.torque_status),
        (1403, 1, 0, "%d" % one.angle_status),
        (1500, 1, 0, "%04d" % result.job),
        (2000, 3, 1, decimal(result.torque_target)),
        (2001, 3, 1, decimal(one.torque)),
        (2002, 3, 1, decimal(result.torque_max)),
        (2003, 3, 1, decimal(result.torque_min)),
        (2001, 3, 1, "99.999", 3),
        (2010, 3, 50, "%d.000" % result.angle_target),
        (2011, 3, 50, "%d.000" % one.angle),
        (2012, 3, 50, "%d.000" % result.angle_max),
        (2013, 3, 50, "%d.000" % result.angle_min),
    )


def decimal(hundredths):
    return "%d.%02d" % (hundredths // 100, hundredths % 100)


def overall_data(result, revision, total=2, asked_with=8, fields=(), objects=None):
    """Return the data field of MID 1201 in revision 1, 2 or 3; `objects`: ID, status, type, reference of each."""
    objects = objects or ((1, result.status, 2, 0),)
    octets = field(total, 3) + b"001" + field(result.tightening_id, 10) + result.time.encode()
    octets += field(result.status, 1) + b"00"
    if revision > 1:
        octets += field(asked_with, 4)
    octets += field(len(objects), 3)
    for ident, status, kind, reference in objects:
        octets += field(ident, 4) + field(status, 1)
        if revision > 2:
            octets += field(kind, 1) + field(reference, 4)
    return octets + data_fields(fields)


def object_data(result, revision, fields, total=2, number=2, ident=1):
    """Return the data field of MID 1202 in revision 1 or 2."""
    octets = field(total, 3) + field(number, 3) + field(result.tightening_id, 10) + field(ident, 4)
    if revision > 1:
        octets += b"01234567-89ab-cdef-0123-456789abcdef"
    return octets + data_fields(fields)


def object_ids(count):
    """Return the IDs of so many objects: they are the plant's choice, but where there is only one, the first."""
    return [100 + number for number in range(1, count + 1)] if count > 1 else [1]
