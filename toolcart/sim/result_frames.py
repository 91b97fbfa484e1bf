"""Results of a simulated controller in other shapes than MID 0061, byte for byte as the documents lay them out.

    MID 1201, 1202 operations    0101, 0106, 0107 several spindles    0900, 0901 curves

1. Written from OP 5.9.1.3 p. 156-157, protocol.md 10.7 and MT notes on MID 1202, never from the agent's reader.
2. A field is (PID, type, unit, value); figures are what the simulator has: torque in 1/100 Nm, angles in degrees.
"""

from toolcart.base.clock import Dice
from toolcart.sim.controller_frames import field, laid_out, parameters

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
    """Return the fields other controllers send (OP 6.4 p. 270-283); `one`: for that object (sim.result_frames)."""
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


# MID 0101, 0106 and 0107 of a simulated controller: one result of several spindles, made from one tightening.
#
# The first spindle has the tightening's own values; the others are near them and OK. Layouts: OP 5.12.7 p. 173-178
# (0101), OP 5.13.2 p. 181-186 (0106), OP 5.13.3 p. 188-194 (0107, whose time has 19 bytes whatever its table prints).

SYNC_PERIOD = 65536

SYNC = laid_out(
    "spindle_count:2 vin:25 job:2 pset:3 batch_size:4 batch_counter:4 batch_status:1 torque_min:6 torque_max:6"
    " torque_target:6 angle_min:5 angle_max:5 angle_target:5 pset_change:19 time:19 sync_id:5 status:1"
)
STATION = laid_out(
    "messages:2 message:2 tightening_id:10 station_number:2 station_name:20 time:19 mode:2 mode_name:20 status:1"
    " pm_status:1 vin:40 bolts:2"
)
STATION_BOLT = laid_out(
    "number:2 status:1 torque_status:1 angle_status:1 torque:7 angle:7 torque_max:7 torque_min:7 angle_max:7"
    " angle_min:7",
    STATION,
)[len(STATION) :]
BOLT = laid_out(
    "messages:2 message:2 tightening_id:10 station_number:2 time:19 bolt:4 bolt_name:20 program:20 pm_status:1"
    " errors:50 customer_error:4"
)


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
    """Return a number as PowerMACS writes it: seven characters, four decimals where they fit (OP 5.13.2 p. 183)."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    digits = "%d.%02d00" % (whole, rest)
    return (sign + "0" * (7 - len(sign) - len(digits)) + digits)[:7]


def sync_data(result, revision, count):
    """Return the data of 0101."""
    told = {"spindle_count": count, "job": result.job % 100, "sync_id": result.tightening_id % SYNC_PERIOD}
    octets = parameters(SYNC, result, instead=told) + b"18"
    for one in spindles_of(result, count):
        torque_status = one.torque_status
        if revision >= 4:  # statuses are 0 NOK or 1 OK only
            torque_status = 1 if torque_status == 1 else 0
        figures = (one.number, one.number, one.status, torque_status, one.torque, one.angle_status == 1, one.angle)
        octets += ("%02d%02d%d%d%06d%d%05d" % figures).encode()
    if revision >= 4:
        octets += b"19001"
    if revision >= 5:
        octets += b"20" + field(result.job_sequence, 5)
    return octets


def station_data(result, revision, count):
    """Return the data of 0106."""
    told = {
        "messages": count + 1,
        "message": 1,
        "station_number": 1,
        "station_name": "Station 1",
        "mode": result.pset % 100,
        "mode_name": result.pset_name,
        "pm_status": 0 if result.status else 2,
        "bolts": count,
    }
    octets = parameters(STATION, result, instead=told)
    limits = {
        "torque_max": figure(result.torque_max),
        "torque_min": figure(result.torque_min),
        "angle_max": figure(result.angle_max * 100),
        "angle_min": figure(result.angle_min * 100),
    }
    for one in spindles_of(result, count):
        limits.update({"torque": figure(one.torque), "angle": figure(one.angle * 100)})
        octets += parameters(STATION_BOLT, one, instead=limits)
    octets += b"2301" + field("Operator", 20) + b"S 04Anna"
    return octets + b"24001" if revision >= 4 else octets


def bolt_data(result, revision, index, count):
    """Return the data of 0107 for the bolt `index`, counted from 1."""
    one = spindles_of(result, count)[index - 1]
    told = {
        "messages": count + 1,
        "message": index + 1,
        "station_number": 1,
        "bolt": 100 + index,
        "bolt_name": "Bolt %d" % index,
        "program": "Two steps",
        "pm_status": 0 if one.status else 2,
        "errors": "" if one.status else "#A TNH",
        "customer_error": "",
    }
    octets = parameters(BOLT, result, instead=told)
    octets += b"1201" + field("Peak T", 20) + b"F " + field(figure(one.torque + 100), 7) + b"13002" + b"141"
    octets += field("Step T", 20) + b"F " + field(figure(one.torque // 2), 7) + b"01"
    octets += field("Step A", 20) + b"I " + field(one.angle, 7) + b"02"
    octets += b"1501" + field("Socket", 20) + b"S 05" + ("A-%03d" % index).encode() + b"02"
    return octets + b"16001" if revision >= 4 else octets


# MID 0900 and 0901 of a simulated controller, and the curves of a tightening that go into them.
#
# 1. Written from OP 5.27.1 p. 257-264 and protocol.md 6, 10.11, never from the agent's reader.
# 2. Curves are integers: torque in 1/100 Nm, angle in 1/10 degrees, one pair a sample.

ANGLE = 1
TORQUE = 2
MOST = 32767
RUNDOWN_PERCENT = 45  # of the samples: the screw turns with little torque
RELEASE_PERCENT = 6  # then the tool lets go


def curves(result, samples, one=None):
    """Return the torque and the angle of a tightening, `samples` numbers each.

    The tool runs the screw down, at a twentieth of its torque; then the torque rises, a little more steeply towards the
    end, to the result's torque over the result's angle; then the tool lets go. `one`: of that object of the result.
    """
    dice = Dice(result.tightening_id * 7 + 3)
    one = one or result
    down = samples * RUNDOWN_PERCENT // 100
    release = samples * RELEASE_PERCENT // 100
    rise = max(1, samples - down - release)
    turns = result.rundown * 10 // 6  # the recording begins shortly before the head seats
    torque = []
    angle = []
    for index in range(samples):
        noise = dice.randrange(max(2, one.torque // 200)) - one.torque // 400
        if index < down:
            place = one.torque // 20
            turned = turns * index // max(1, down)
        elif index < down + rise:
            step = index - down + 1
            share = step * 700 // rise + step * step * 300 // (rise * rise)  # of 1000
            place = one.torque // 20 + (one.torque - one.torque // 20) * share // 1000
            turned = turns + one.angle * 10 * step // rise
            if step == rise:
                noise = 0
        else:
            left = samples - index - 1
            place = one.torque * left // max(1, release)
            turned = turns + one.angle * 10 - (samples - index < release) * 5
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
    samples, `little`, `object_id` of revision 3.
    """
    octets = field(number, 10) + field(time, 19)
    if revision == 3:
        octets += field(more.get("object_id", 1), 4) + b"20000"
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


def traces_of(result, revision, types, samples, step_us, own, one=None, **naming):
    """Return (MID, data) of each curve of these types that a tightening has, or `one` of its objects.

    `own`: as a MT Focus 6000 sends them. `naming`: how the data name the object (curve_data).
    """
    torque, angle = curves(result, samples, one)
    found = []
    for what in types:
        if what not in (ANGLE, TORQUE):
            continue
        values, factor = scaled(torque if what == TORQUE else angle)
        decimals = 2 if what == TORQUE else 1
        unit = 1 if what == TORQUE else 50
        if own:  # torque in mNm, time in seconds (MT notes on MID 0900)
            power = 1 if what == TORQUE else -1
            unit = 12 if what == TORQUE else 50
            parameters = ((2214, 90, unit, scientific(factor, power)),)
            step = resolution(0, len(values) - 1, scientific(step_us, -6), 200, 90)
        else:
            parameters = ((2214, 3, unit, ("%.*f" % (decimals, factor / 10**decimals) + "000000")[:8]),)
            step = resolution(0, len(values) - 1, ("%d.%03d" % (step_us // 1000, step_us % 1000) + "000000")[:9])
        data = curve_data(
            result.tightening_id, result.time, revision, what, unit, values, parameters, (step,), little=own, **naming
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
