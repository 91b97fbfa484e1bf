"""MID 0900 and 0901 of a simulated controller, and the curves of a tightening that go into them.

1. Written from OP 5.27.1 p. 257-264 and protocol.md 6, 10.11, never from the agent's reader.
2. Curves are integers: torque in 1/100 Nm, angle in 1/10 degrees, one pair a sample.
"""

from toolcart.base.clock import Dice
from toolcart.sim.controller_frames import field
from toolcart.sim.operation_frames import data_fields, scientific

PORTABLE = True

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
    octets = bytearray()
    for sample in samples:
        high, low = sample >> 8 & 0xFF, sample & 0xFF
        octets += bytes((low, high) if little else (high, low))
    return bytes(octets)


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
    data = data_fields(fields)
    octets = field(number, 10) + field(time, 19) + data[:3]
    if revision > 1:
        octets += b"0008"
    if revision > 2:
        octets += b"000120000" + b"02"
    return octets + data[3:]


def traces_of(result, revision, types, samples, step_us, own, one=None, **naming):
    """Return (MID, data) of each curve of these types that a tightening has, or `one` of its objects.

    `own`: as a MT Focus 6000 sends them. `naming`: how the data name the object (curve_data).
    """
    torque, angle = curves(result, samples, one)
    messages = []
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
        messages.append((900, data))
    return messages


def plot_parameters(result, revision):
    """Return (MID, data) of what a plot of the tightening needs beside its curves: its limits."""
    fields = (
        (2002, 3, 1, "%d.%02d" % (result.torque_max // 100, result.torque_max % 100)),
        (2003, 3, 1, "%d.%02d" % (result.torque_min // 100, result.torque_min % 100)),
        (2012, 3, 50, "%d.0" % result.angle_max),
        (2013, 3, 50, "%d.0" % result.angle_min),
    )
    return 901, parameter_data(result.tightening_id, result.time, revision, fields)
