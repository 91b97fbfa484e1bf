"""Every telegram's fields, for all readers (TN 5.3)."""

from toolcart.base.octets import digits_only

PORTABLE = True

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def time_ok(octets):
    """True if 14 digits are a moment that exists: yyyymmddhhnnss, nn being minutes (TN 5.3)."""
    if not digits_only(octets):
        return False
    year, month, day = int(octets[:4]), int(octets[4:6]), int(octets[6:8])
    leaps = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1 or month < 1 or month > 12 or day < 1 or day > _MONTH_DAYS[month - 1] + leaps:
        return False
    return int(octets[8:10]) < 24 and int(octets[10:12]) < 60 and int(octets[12:14]) < 60


def _layout(start, text):
    """Return (name, start, width, form) of each `name:width:form`, one behind the other.

    Forms: d digits, written as their range, which stands behind it; t a time stamp, t? that or blanks, s text; n2, n1
    decimals; i a signed integer; f a number with or without a point.
    """
    rows = []
    for word in text.split():
        name, width, form = word.split(":")
        low, dash, high = form.partition("-")
        rows.append((name, start, int(width)) + (("d", int(low), int(high)) if dash else (form,)))
        start += int(width)
    return tuple(rows)


GENERAL = _layout(
    9,
    "system_type:4:1-9999 system:4:1-9999 station:4:1-9999 time:14:t sequence:5:0-99999 vin:25:s"
    " spindle_count:4:1-9999 spindle_bytes:2:70-99 vin_count:2:0-99 vin_bytes:2:29-99 parameter_count:3:0-999"
    " parameter_bytes:2:72-99",
)
SPINDLE = _layout(
    0,
    "spindle:4:1-9999 serial:10:s program:4:1-9999 overall:1:0-1 torque_low:8:n2 torque:8:n2 torque_status:1:0-3"
    " torque_high:8:n2 angle_low:8:n1 angle:8:n1 angle_status:1:0-3 angle_high:8:n1 time_status:1:0-3",
)
VIN = _layout(0, "identifier:4:1-9999 vin:25:s")
PARAMETER_BYTES = 72
PARAMETER = _layout(
    0,
    "spindle:4:0-9999 program:4:1-9999 parameter_id:5:0-65535 name:25:s value:25:s type:1:0-2 unit:6:s step:2:0-99",
)
SYSTEM = _layout(7, "system_type:4:1-9999 system:4:1-9999 ip:15:s name:25:s spare:2:s")
STATION = _layout(7, "system_type:4:1-9999 system:4:1-9999 station:4:1-9999 ip:15:s name:25:s spindle_count:4:1-9999")
STATION_SPINDLE = _layout(0, "spindle:4:1-9999 name:25:s program_count:4:0-9999")
STATION_PROGRAM = _layout(0, "program:4:1-9999 name:25:s")
EVENT_PARAMETER = _layout(0, "parameter_id:3:0-999 type:1:0-9 value:20:s")
REQUEST = _layout(7, "system_type:4:1-9999 system:4:1-9999 station:4:1-9999")
EVENT = REQUEST + _layout(19, "time:14:t sequence:5:0-99999 code:5:0-99999 level:3:0-999 parameter_count:2:0-99")
# The time in a 05 is the server's (TN 5.6): a station without one leaves it blank.
ACKNOWLEDGE = _layout(7, "time:14:t? code:3:0-999")
# What the other side sends (TN 5.5, Appendix A). A port may have blanks around it (TN 5.13).
INFORMATION = _layout(7, "latest_result:5:0-99999 latest_event:5:0-99999 ip:15:s port:5:i")
EVENT_ACKNOWLEDGE = REQUEST + _layout(19, "time:14:t code:5:0-99999")
PLUGIN_REQUEST = _layout(7, "station:4:1-9999 ip:15:s")
GRAPH = _layout(
    7,
    "general_bytes:3:116-999 system_type:4:1-9999 system:4:1-9999 station:4:1-9999 spindle:4:1-9999"
    " program:4:1-9999 time:14:t sequence:5:0-99999 graph_type:1:0-1 bit_shift:10:i factor_dom:10:i"
    " factor_nom:10:i limit_min:8:n1 limit_max:8:n1 angle_offset:8:n1 sample_ms:8:f sample_bytes:4:0-8000",
)

REAL_MOST = 1e9  # a number has 8 characters at most (TN 5.3)
SHIFT_MOST = 62  # two to that power is exact, and far beyond any scale
FACTOR_MOST = 9999999999  # TN 5.13
