"""MID 0101, 0106 and 0107 of a simulated controller: one result of several spindles, made from one tightening.

The first spindle has the tightening's own values; the others are near them and OK. Layouts: OP 5.12.7 p. 173-178
(0101), OP 5.13.2 p. 181-186 (0106), OP 5.13.3 p. 188-194 (0107, whose time has 19 bytes whatever its table prints).
"""

from toolcart.sim.controller_frames import field, laid_out, parameters

PORTABLE = True

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
    values = {"spindle_count": count, "job": result.job % 100, "sync_id": result.tightening_id % SYNC_PERIOD}
    octets = parameters(SYNC, result, instead=values) + b"18"
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
    values = {
        "messages": count + 1,
        "message": 1,
        "station_number": 1,
        "station_name": "Station 1",
        "mode": result.pset % 100,
        "mode_name": result.pset_name,
        "pm_status": 0 if result.status else 2,
        "bolts": count,
    }
    octets = parameters(STATION, result, instead=values)
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
    values = {
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
    octets = parameters(BOLT, result, instead=values)
    octets += b"1201" + field("Peak T", 20) + b"F " + field(figure(one.torque + 100), 7) + b"13002" + b"141"
    octets += field("Step T", 20) + b"F " + field(figure(one.torque // 2), 7) + b"01"
    octets += field("Step A", 20) + b"I " + field(one.angle, 7) + b"02"
    octets += b"1501" + field("Socket", 20) + b"S 05" + ("A-%03d" % index).encode() + b"02"
    return octets + b"16001" if revision >= 4 else octets
