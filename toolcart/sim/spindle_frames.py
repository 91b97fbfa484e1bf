"""MID 0101, 0106 and 0107 of a simulated controller: one result of several spindles, made from one tightening.

The first spindle has the tightening's own values; the others are near them and OK. Layouts: 003:7798-8145 (0101),
003:8245-8600 (0106), 003:8681-9058 (0107, whose time has 19 bytes whatever its table prints).
"""

PORTABLE = True

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
