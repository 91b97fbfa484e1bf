"""Results of a simulated controller in other shapes than MID 0061, byte for byte as the documents lay them out.

    MID 1201, 1202 operations    0101, 0106, 0107 several spindles    0900, 0901 curves

1. Written from 003:7160-7305, beyond-2.8.md 3.5 and 002:698-852, never from the agent's reader.
2. A field is (PID, type, unit, value); figures are what the simulator has: torque in 1/100 Nm, angles in degrees.
"""

from toolcart.base.clock import Dice
from toolcart.sim.controller_frames import field

PORTABLE = True

OWN_STATUS = {0: "2", 1: "1", 2: "3"}  # low, OK, high of MID 0061 in the numbering of 002:787-803


def scientific(value, power=0):
    """Return `value` x 10**power in 12 characters, as `00001.234e+2` (002:39-43): four digits, the rest cut off."""
    digits = "%d" % abs(value)
    exponent = len(digits) - 1 + power if value else 0
    digits = (digits + "000")[:4]
    text = "%s.%se%s%d" % (digits[0], digits[1:], "-" if exponent < 0 else "+", abs(exponent))
    sign = "-" if value < 0 else ""
    return sign + "0" * (12 - len(sign) - len(text)) + text


def data_field(pid, kind, unit, value, step=0):
    """Return one variable data field (003:1331-1374)."""
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
    """Return the fields other controllers send (003:12829-13895); `one`: for that object (sim.result_frames)."""
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


# MID 0101, 0106 and 0107 of a simulated controller: one result of several spindles, made from one tightening.
#
# The first spindle has the tightening's own values; the others are near them and OK. Layouts: 003:7798-8145 (0101),
# 003:8245-8600 (0106), 003:8681-9058 (0107, whose time has 19 bytes whatever its table prints).

SYNC_PERIOD = 65536
BOLT_PROGRAM = "Two steps"


class Spindle:
    """One spindle's part; torque in 1/100 Nm, angle in degrees."""

    def __init__(self, number, status, torque_status, angle_status, torque, angle):
        self.number = number
        self.status = status
        self.torque_status = torque_status
        self.angle_status = angle_status
        self.torque = torque
        self.angle = angle


def spindles_of(result, count):
    """Return the spindles of one result."""
    first = Spindle(1, result.status, result.torque_status, result.angle_status, result.torque, result.angle)
    others = [
        Spindle(number, 1, 1, 1, result.torque + 7 * number, result.angle + number) for number in range(2, count + 1)
    ]
    return [first] + others


def figure(hundredths):
    """Return a number as PowerMACS writes it: seven characters, four decimals where they fit (003:8338-8346)."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    digits = "%d.%02d00" % (whole, rest)
    return (sign + "0" * (7 - len(sign) - len(digits)) + digits)[:7]


def text_of(value, width):
    """Return it left adjusted, as every string of these messages."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    return (text + " " * width)[:width]


def _field(number, text):
    return "%02d%s" % (number, text)


def sync_data(result, revision, count):
    """Return the data of 0101."""
    plain = revision >= 4  # statuses are 0 NOK or 1 OK only
    parts = [
        _field(1, "%02d" % count),
        _field(2, text_of(result.vin, 25)),
        _field(3, "%02d" % (result.job % 100)),
        _field(4, "%03d" % result.pset),
        _field(5, "%04d" % result.batch_size),
        _field(6, "%04d" % result.batch_counter),
        _field(7, "%d" % result.batch_status),
        _field(8, "%06d" % result.torque_min),
        _field(9, "%06d" % result.torque_max),
        _field(10, "%06d" % result.torque_target),
        _field(11, "%05d" % result.angle_min),
        _field(12, "%05d" % result.angle_max),
        _field(13, "%05d" % result.angle_target),
        _field(14, text_of(result.pset_change, 19)),
        _field(15, text_of(result.time, 19)),
        _field(16, "%05d" % (result.tightening_id % SYNC_PERIOD)),
        _field(17, "%d" % result.status),
        "18",
    ]
    for one in spindles_of(result, count):
        torque_status = one.torque_status
        if plain:
            torque_status = 1 if torque_status == 1 else 0
        parts.append("%02d%02d%d%d" % (one.number, one.number, one.status, torque_status))
        parts.append("%06d%d%05d" % (one.torque, 1 if one.angle_status == 1 else 0, one.angle))
    if revision >= 4:
        parts.append(_field(19, "001"))
    if revision >= 5:
        parts.append(_field(20, "%05d" % result.job_sequence))
    return "".join(parts).encode()


def station_data(result, revision, count):
    """Return the data of 0106."""
    parts = [
        _field(1, "%02d" % (count + 1)),
        _field(2, "01"),
        _field(3, "%010d" % result.tightening_id),
        _field(4, "01"),
        _field(5, text_of("Station 1", 20)),
        _field(6, text_of(result.time, 19)),
        _field(7, "%02d" % (result.pset % 100)),
        _field(8, text_of(result.pset_name, 20)),
        _field(9, "%d" % result.status),
        _field(10, "0" if result.status else "2"),
        _field(11, text_of(result.vin, 40)),
        _field(12, "%02d" % count),
    ]
    for one in spindles_of(result, count):
        parts += [
            _field(13, "%02d" % one.number),
            _field(14, "%d" % one.status),
            _field(15, "%d" % one.torque_status),
            _field(16, "%d" % one.angle_status),
            _field(17, figure(one.torque)),
            _field(18, figure(one.angle * 100)),
            _field(19, figure(result.torque_max)),
            _field(20, figure(result.torque_min)),
            _field(21, figure(result.angle_max * 100)),
            _field(22, figure(result.angle_min * 100)),
        ]
    parts.append(_field(23, "01" + text_of("Operator", 20) + "S 04Anna"))
    if revision >= 4:
        parts.append(_field(24, "001"))
    return "".join(parts).encode()


def bolt_data(result, revision, index, count):
    """Return the data of 0107 for the bolt `index`, counted from 1."""
    one = spindles_of(result, count)[index - 1]
    parts = [
        _field(1, "%02d" % (count + 1)),
        _field(2, "%02d" % (index + 1)),
        _field(3, "%010d" % result.tightening_id),
        _field(4, "01"),
        _field(5, text_of(result.time, 19)),
        _field(6, "%04d" % (100 + index)),
        _field(7, text_of("Bolt %d" % index, 20)),
        _field(8, text_of(BOLT_PROGRAM, 20)),
        _field(9, "0" if one.status else "2"),
        _field(10, text_of("" if one.status else "#A TNH", 50)),
        _field(11, text_of("", 4)),
        _field(12, "01" + text_of("Peak T", 20) + "F " + figure(one.torque + 100)),
        _field(13, "002"),
        _field(14, "1"),
        text_of("Step T", 20) + "F " + figure(one.torque // 2) + "01",
        text_of("Step A", 20) + "I " + "%07d" % one.angle + "02",
        _field(15, "01" + text_of("Socket", 20) + "S 05" + "A-%03d" % index + "02"),
    ]
    if revision >= 4:
        parts.append(_field(16, "001"))
    return "".join(parts).encode()


# MID 0900 and 0901 of a simulated controller, and the curves of a tightening that go into them.
#
# 1. Written from 003:12064-12523 and beyond-2.8.md 6, never from the agent's reader.
# 2. Curves are integers: torque in 1/100 Nm, angle in 1/10 degrees, one pair a sample.

ANGLE = 1
TORQUE = 2
MOST = 32767
RUNDOWN_PERCENT = 45  # of the samples: the screw turns with little torque
RELEASE_PERCENT = 6  # then the tool lets go


def curves(result, samples):
    """Return the torque and the angle of a tightening, `samples` numbers each.

    The tool runs the screw down, at a twentieth of its torque; then the torque rises, a little more steeply towards the
    end, to the result's torque over the result's angle; then the tool lets go.
    """
    dice = Dice(result.tightening_id * 7 + 3)
    down = samples * RUNDOWN_PERCENT // 100
    release = samples * RELEASE_PERCENT // 100
    rise = max(1, samples - down - release)
    turns = result.rundown * 10 // 6  # the recording begins shortly before the head seats
    torque = []
    angle = []
    for index in range(samples):
        noise = dice.randrange(max(2, result.torque // 200)) - result.torque // 400
        if index < down:
            place = result.torque // 20
            turned = turns * index // max(1, down)
        elif index < down + rise:
            step = index - down + 1
            share = step * 700 // rise + step * step * 300 // (rise * rise)  # of 1000
            place = result.torque // 20 + (result.torque - result.torque // 20) * share // 1000
            turned = turns + result.angle * 10 * step // rise
            if step == rise:
                noise = 0
        else:
            left = samples - index - 1
            place = result.torque * left // max(1, release)
            turned = turns + result.angle * 10 - (samples - index < release) * 5
        torque.append(place + noise)
        angle.append(turned)
    return torque, angle


def scaled(values):
    """Return the samples scaled to 16 bits, and the whole number by which each must be multiplied."""
    factor = max([abs(value) for value in values] + [1]) // MOST + 1
    return [value // factor for value in values], factor


def octets_of(samples, little=False):
    """Return the samples as two bytes each, two's complement."""
    found = bytearray()
    for sample in samples:
        high, low = sample >> 8 & 0xFF, sample & 0xFF
        found += bytes((low, high) if little else (high, low))
    return bytes(found)


def resolution(first, last, step, unit=202, kind=3):
    """Return one resolution field: from which sample to which, and the time between two samples."""
    text = step.encode()
    return ("%05d%05d%03d%02d%03d" % (first, last, len(text), kind, unit)).encode() + text


def curve_data(number, time, revision, what, unit, samples, parameters, resolutions, **more):
    """Return the data field of a MID 0900.

    `more`: `fields` common to all curves, `transducer`, `asked_with` (a MID), `announced` in place of the number of
    samples, `little`.
    """
    octets = field(number, 10) + field(time, 19)
    if revision == 3:
        octets += b"000120000"
    octets += data_fields(more.get("fields", ())) + field(what, 2)
    if revision == 3:
        octets += b"01"
    octets += field(more.get("transducer", 1), 2) + field(unit, 3)
    if revision > 1:
        octets += field(more.get("asked_with", 8), 4)
    octets += data_fields(parameters) + field(len(resolutions), 3) + b"".join(resolutions)
    announced = more.get("announced", len(samples))
    return octets + field(announced, 5) + b"\0" + octets_of(samples, more.get("little", False))


def parameter_data(number, time, revision, fields):
    """Return the data field of a MID 0901."""
    told = data_fields(fields)
    octets = field(number, 10) + field(time, 19) + told[:3]
    if revision > 1:
        octets += b"0008"
    if revision > 2:
        octets += b"000120000" + b"02"
    return octets + told[3:]


def traces_of(result, revision, types, samples, step_us, own):
    """Return (MID, data) of each curve of these types that a tightening has; `own`: as a MT Focus 6000 sends them."""
    torque, angle = curves(result, samples)
    found = []
    for what in types:
        if what not in (ANGLE, TORQUE):
            continue
        values, factor = scaled(torque if what == TORQUE else angle)
        decimals = 2 if what == TORQUE else 1
        unit = 1 if what == TORQUE else 50
        if own:  # torque in mNm, time in seconds (002:638-642)
            power = 1 if what == TORQUE else -1
            unit = 12 if what == TORQUE else 50
            parameters = ((2214, 90, unit, scientific(factor, power)),)
            step = resolution(0, len(values) - 1, scientific(step_us, -6), 200, 90)
        else:
            parameters = ((2214, 3, unit, ("%.*f" % (decimals, factor / 10**decimals) + "000000")[:8]),)
            step = resolution(0, len(values) - 1, ("%d.%03d" % (step_us // 1000, step_us % 1000) + "000000")[:9])
        data = curve_data(
            result.tightening_id, result.time, revision, what, unit, values, parameters, (step,), little=own
        )
        found.append((900, data))
    return found


def plot_parameters(result, revision):
    """Return (MID, data) of what a plot of the tightening needs beside its curves: its limits."""
    fields = (
        (2002, 3, 1, "%d.%02d" % (result.torque_max // 100, result.torque_max % 100)),
        (2003, 3, 1, "%d.%02d" % (result.torque_min // 100, result.torque_min % 100)),
        (2012, 3, 50, "%d.0" % result.angle_max),
        (2013, 3, 50, "%d.0" % result.angle_min),
    )
    return 901, parameter_data(result.tightening_id, result.time, revision, fields)
