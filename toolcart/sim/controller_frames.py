"""Every Open Protocol message the simulated controller sends, byte for byte as the documents lay it out.

Rules:
1. A layout is data: `attribute:width`, in the order of the parameter numbers. Numbers are zero padded, texts
   blank padded on the right.
2. A later revision appends to the one before it, but for the first; the light one, 999, has no parameter numbers.
3. Nothing here knows a session: a frame depends on its arguments only. The session adds the NUL at the end.
"""

PORTABLE = True

HEADER_BYTES = 20
JOBS = range(1, 100)  # what results of revisions 1 and 999 have room for
BATCH_RUNNING = 3  # a batch status of every result but the light one, since release 2.9

# How a controller writes the unused fields of its header (OP 2.2.2 p. 26-27 and what was met in the field).
HEADER_RESTS = {
    "digits": " %s%s    ",  # station and spindle as digits, the rest blank
    "blank": "         ",  # and revision 1 is blank too
    "zero": "00000    ",  # flag, station and spindle
    "parts": "     0000",
}
HEADER_SPINDLE_FIRST = ("op-ford", "op-bmw")  # spindle, revision, seven that are skipped (878 p. 338)


def laid_out(text, before=()):
    """Return (parameter number, width, attribute) of each `attribute:width`, behind the parameters `before` it."""
    rows = list(before)
    for word in text.split():
        name, width = word.split(":")
        rows.append((len(rows) + 1, int(width), name))
    return tuple(rows)


def _grown(first, *texts):
    """Return the layouts by revision from `first` on: each appends its text to the one before it."""
    layouts = {}
    layout = ()
    for text in texts:
        layout = layouts[first + len(layouts)] = laid_out(text, layout)
    return layouts


# What 0061 and 0065 append alike in revisions 8 to 11, those of releases 2.10, 2.13, 2.15 and 2.17.
_SINCE_2_10 = (
    "start_final:6 post_view:1 post_view_high:6 post_view_low:6",
    "current_amperes:5 current_amperes_min:5 current_amperes_max:5",
    "angle_numerator:5 angle_denominator:5 overall_angle_status:1 overall_angle_min:5 overall_angle_max:5"
    " overall_angle:5 peak_torque:6 breakaway_torque:6 rundown_start_torque:6 rundown_end_torque:6",
    "click_torque:6 click_angle:5",
)
# 0061 revision 2 (OP 5.8.2 p. 136-138), 0385 bytes, and what follows
PUSHED = _grown(
    2,
    "cell:4 channel:2 controller_name:25 vin:25 job:4 pset:3 strategy:2 strategy_options:5 batch_size:4"
    " batch_counter:4 status:1 batch_status:1 torque_status:1 angle_status:1 rundown_status:1 current_status:1"
    " selftap_status:1 pvt_monitoring_status:1 pvt_compensate_status:1 error_bits:10 torque_min:6 torque_max:6"
    " torque_target:6 torque:6 angle_min:5 angle_max:5 angle_target:5 angle:5 rundown_min:5 rundown_max:5 rundown:5"
    " current_min:3 current_max:3 current:3 selftap_min:6 selftap_max:6 selftap:6 pvt_min:6 pvt_max:6 pvt:6"
    " tightening_id:10 job_sequence:5 sync_id:5 tool_serial:14 time:19 pset_change:19",
    "pset_name:25 torque_unit:1 result_type:2",
    "identifier_2:25 identifier_3:25 identifier_4:25",
    "customer_code:4",
    "pvt_compensate:6 error_bits_2:10",
    "compensated_angle:7 final_angle:7",
    *_SINCE_2_10,
)
# 0061 revision 1 (OP 5.8.2 p. 134-135), 0231 bytes
PUSHED[1] = laid_out(
    "cell:4 channel:2 controller_name:25 vin:25 job:2 pset:3 batch_size:4 batch_counter:4 status:1 torque_status:1"
    " angle_status:1 torque_min:6 torque_max:6 torque_target:6 torque:6 angle_min:5 angle_max:5 angle_target:5 angle:5"
    " time:19 pset_change:19 batch_status:1 tightening_id:10"
)
# Revision 998 (OP 5.8.2 p. 142-143): a branch of revision 6, with the torque and angle of each stage; here of one.
PUSHED[998] = laid_out("stages:2 stage_results:2 stage:11", PUSHED[6])

# 0065 revision 1 (OP 5.8.6 p. 146-147), 0118 bytes; revision 2, 0226 bytes, and what follows
OLD = _grown(
    2,
    "tightening_id:10 vin:25 job:4 pset:3 strategy:2 strategy_options:5 batch_size:4 batch_counter:4 status:1"
    " batch_status:1 torque_status:1 angle_status:1 rundown_status:1 current_status:1 selftap_status:1"
    " pvt_monitoring_status:1 pvt_compensate_status:1 error_bits:10 torque:6 angle:5 rundown:5 current:3 selftap:6"
    " pvt:6 job_sequence:5 sync_id:5 tool_serial:14 time:19",
    "torque_unit:1 result_type:2",
    "identifier_2:25 identifier_3:25 identifier_4:25",
    "customer_code:4",
    "pvt_compensate:6 error_bits_2:10",
    "station_number:10 controller_name:25",
    *_SINCE_2_10,
)
OLD[1] = laid_out(
    "tightening_id:10 vin:25 pset:3 batch_counter:4 status:1 torque_status:1 angle_status:1 torque:6 angle:5 time:19"
    " batch_status:1"
)

# 0002 (OP 5.2.2 p. 71-73)
STARTED = _grown(
    1,
    "cell:4 channel:2 controller_name:25",
    "supplier:3",
    "protocol_version:19 software_version:19 tool_version:19",
    "rbu_type:24 controller_serial:10",
    "system_type:3 system_subtype:3",
    "sequence_numbers:1 linking:1 station_number:10 station_name:25 client_number:1",
    "keepalive_optional:1",
)

# 0013 revision 1 (OP 5.3.4 p. 83-84), 0104 bytes; revision 2 appends (OP 5.3.4 p. 84), and 5 since release 2.14
PSET = _grown(
    1,
    "pset:3 pset_name:25 rotation:1 batch_size:2 torque_min:6 torque_max:6 torque_target:6 angle_min:5 angle_max:5"
    " angle_target:5",
    "first_target:6 start_final_angle:6",
)
PSET[5] = laid_out("changed:19", PSET[2])

# 0015 revision 2 (OP 5.3.6 p. 86-88), 0141 bytes; revision 1 has no parameter numbers
SELECTED_2 = laid_out(
    "pset:3 pset_name:25 changed:19 rotation:1 batch_size:2 torque_min:6 torque_max:6 torque_target:6 angle_min:5"
    " angle_max:5 angle_target:5 first_target:6 start_final_angle:6"
)

# 0035 (OP 5.5.6 p. 116-119): revision 1, 0063 bytes; revision 2, 0065 bytes, and what follows
JOB = _grown(
    2,
    "job:4 status:1 batch_mode:1 batch_size:4 batch_counter:4 time:19",
    "step:3 steps:3 step_type:2",
    "tightening:2",
    "sequence:5 vin:25 identifier_2:25 identifier_3:25 identifier_4:25",
)
JOB[1] = laid_out("job:2 status:1 batch_mode:1 batch_size:4 batch_counter:4 time:19")

# 0052 revision 2 (OP 5.7.3 p. 131), 0128 bytes; revision 1 is the VIN alone
VEHICLE_2 = laid_out("vin:25 identifier_2:25 identifier_3:25 identifier_4:25")

# 0041 revision 1 (OP 5.6.2 p. 122); 0071 (OP 5.10.2 p. 163-164); 0076 (OP 5.10.7 p. 166-167)
TOOL_1 = laid_out("tool_serial:14 tightenings:10 calibrated:19 controller_serial:10")
ALARM_2_9 = laid_out("code:5 controller_ready:1 tool_ready:1 time:19")  # revision 2 since release 2.9
ALARM = {
    1: laid_out("code:4 controller_ready:1 tool_ready:1 time:19"),
    2: laid_out("text:50", ALARM_2_9),
    3: laid_out("tool_health:1 text:50", ALARM_2_9),
}
ALARM_STATUS = _grown(2, "active:1 code:5 controller_ready:1 tool_ready:1 time:19", "tool_health:1")
ALARM_STATUS[1] = laid_out("active:1 code:4 controller_ready:1 tool_ready:1 time:19")

# 0061 light (OP 5.8.2 p. 144): fields in this order, no parameter numbers
LIGHT = laid_out(
    "vin:25 job:2 pset:3 batch_size:4 batch_counter:4 batch_status:1 status:1 torque_status:1 angle_status:1 torque:6"
    " angle:5 time:19 pset_change:19 tightening_id:10"
)


ROOM = {}  # attribute -> digits that it may have
for _layout in [LIGHT, TOOL_1] + [one for layouts in (PUSHED, OLD, STARTED) for one in layouts.values()]:
    for _, _width, _name in _layout:
        ROOM[_name] = max(_width, ROOM.get(_name, 0))


def check(name, value):
    """ValueError for what no message can tell of this attribute; texts may be longer, and are cut."""
    is_number = isinstance(value, int) and len("%d" % value) <= ROOM.get(name, 10)
    if not (value is None or is_number or isinstance(value, (str, bytes))):
        raise ValueError("%s: there is no room for %r" % (name, value))


def field(value, width, pad=b" "):
    """Return `value` in exactly `width` bytes: a number as digits, a text padded, None as blanks."""
    if value is None:
        return b" " * width
    if isinstance(value, int):
        text = "%d" % value
        if len(text) > width:
            raise ValueError("%s does not fit %d digits" % (text, width))
        return (b"0" * width)[len(text) :] + text.encode()
    octets = value.encode() if isinstance(value, str) else value
    return octets[:width] + pad * max(0, width - len(octets))


def parameters(layout, source, pad=b" ", instead=()):
    """Return the data field of numbered parameters: attributes of `source`, overridden by name in `instead`."""
    parts = []
    for number, width, name in layout:
        parts.append(field(number, 2))
        parts.append(field(instead[name] if name in instead else getattr(source, name), width, pad))
    return b"".join(parts)


def header(mid, revision, data_bytes, style="digits", station="01", spindle="01"):
    """Return the 20 bytes before `data_bytes` bytes of data."""
    revision_text = "   " if style == "blank" and revision == 1 else "%03d" % revision
    if style in HEADER_SPINDLE_FIRST:
        revision_text, rest = spindle.replace(" ", "0") + revision_text, "0" * 7
    else:
        rest = HEADER_RESTS[style]
        if style == "digits":
            rest %= (station, spindle)
    return ("%04d%04d%s%s" % (HEADER_BYTES + data_bytes, mid, revision_text, rest)).encode()


def usual_header(frame):
    """Return a message whose header has the spindle first as it is with the usual one."""
    return frame[:8] + frame[10:13] + b"   " + frame[8:10] + b"    " + frame[HEADER_BYTES:]


def result_data(result, revision, pad=b" ", instead=()):
    """Return the data field of 0061 in a revision: 998, 999 or 1..11."""
    if revision == 999:
        return b"".join([field(_light(result, name, instead), width, pad) for _, width, name in LIGHT])
    return parameters(PUSHED[revision], result, pad, instead)


def selected_data(pset, revision):
    """Return the data field of 0015 in revision 1 or 2."""
    if revision == 1:
        return field(pset.pset, 3) + field(pset.changed, 19)
    return parameters(SELECTED_2, pset)


def vehicle_data(vehicle, revision):
    """Return the data field of 0052 in revision 1 or 2."""
    if revision != 1:
        return parameters(VEHICLE_2, vehicle)
    return field(vehicle.vin, max(25, len(vehicle.vin)))


def generic_alarm_data(alarm):
    """Return the data field of 1000: without data fields."""
    return field(alarm.code, 5) + field(alarm.time, 19) + b"000"


def _light(result, name, instead):
    if name == "status" and result.light_status is not None:
        return result.light_status
    value = instead[name] if name in instead else getattr(result, name)
    return 0 if name == "batch_status" and value == BATCH_RUNNING else value


def old_result_data(result, revision, pad=b" ", instead=()):
    """Return the data field of 0065 in revision 1..11."""
    return parameters(OLD[revision], result, pad, instead)


def start_data(identity, revision, before_2_7=False, pad=b" "):
    """Return the data field of 0002; before release 2.7 revision 6 ended with parameter 13 (OP 1.1 p. 15)."""
    layout = STARTED[revision]
    if before_2_7 and revision >= 6:
        layout = layout[:13]
    return parameters(layout, identity, pad)
