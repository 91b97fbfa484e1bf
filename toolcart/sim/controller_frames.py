"""Every Open Protocol message the simulated controller sends, byte for byte as the documents lay it out.

Rules:
1. A layout is data: (parameter number, width, attribute). Numbers are zero padded, texts blank padded on the
   right.
2. Revisions 3-7 append to revision 2 (003:5880-6404); the light revision 999 has no parameter numbers
   (003:6448-6519).
3. Nothing here knows a session: a frame depends on its arguments only. The session adds the NUL at the end.
"""

PORTABLE = True

HEADER_BYTES = 20
JOBS = range(1, 100)  # what results of revisions 1 and 999 have room for
BATCH_RUNNING = 3  # a batch status of every result but the light one, since release 2.9

# How a controller writes the unused fields of its header (003:1078-1163 and what was met in the field).
HEADER_DIGITS = "digits"  # revision, station and spindle as digits, the rest blank
HEADER_BLANK = "blank"  # revision 1 and everything after it blank
HEADER_ZERO = "zero"  # flag, station and spindle as zeros
HEADER_SPINDLE_FIRST = ("op-ford", "op-bmw")  # spindle, revision, seven that are skipped (878 p. 338)

# 0061 revision 1 (003:5718-5877), 0231 bytes
PUSHED_1 = (
    (1, 4, "cell"),
    (2, 2, "channel"),
    (3, 25, "controller_name"),
    (4, 25, "vin"),
    (5, 2, "job"),
    (6, 3, "pset"),
    (7, 4, "batch_size"),
    (8, 4, "batch_counter"),
    (9, 1, "status"),
    (10, 1, "torque_status"),
    (11, 1, "angle_status"),
    (12, 6, "torque_min"),
    (13, 6, "torque_max"),
    (14, 6, "torque_target"),
    (15, 6, "torque"),
    (16, 5, "angle_min"),
    (17, 5, "angle_max"),
    (18, 5, "angle_target"),
    (19, 5, "angle"),
    (20, 19, "time"),
    (21, 19, "pset_change"),
    (22, 1, "batch_status"),
    (23, 10, "tightening_id"),
)

# 0061 revision 2 (003:5880-6079), 0385 bytes; then what each later revision appends; 8 to 11
# are those of releases 2.10, 2.13, 2.15 and 2.17
PUSHED_2 = (
    (1, 4, "cell"),
    (2, 2, "channel"),
    (3, 25, "controller_name"),
    (4, 25, "vin"),
    (5, 4, "job"),
    (6, 3, "pset"),
    (7, 2, "strategy"),
    (8, 5, "strategy_options"),
    (9, 4, "batch_size"),
    (10, 4, "batch_counter"),
    (11, 1, "status"),
    (12, 1, "batch_status"),
    (13, 1, "torque_status"),
    (14, 1, "angle_status"),
    (15, 1, "rundown_status"),
    (16, 1, "current_status"),
    (17, 1, "selftap_status"),
    (18, 1, "pvt_monitoring_status"),
    (19, 1, "pvt_compensate_status"),
    (20, 10, "error_bits"),
    (21, 6, "torque_min"),
    (22, 6, "torque_max"),
    (23, 6, "torque_target"),
    (24, 6, "torque"),
    (25, 5, "angle_min"),
    (26, 5, "angle_max"),
    (27, 5, "angle_target"),
    (28, 5, "angle"),
    (29, 5, "rundown_min"),
    (30, 5, "rundown_max"),
    (31, 5, "rundown"),
    (32, 3, "current_min"),
    (33, 3, "current_max"),
    (34, 3, "current"),
    (35, 6, "selftap_min"),
    (36, 6, "selftap_max"),
    (37, 6, "selftap"),
    (38, 6, "pvt_min"),
    (39, 6, "pvt_max"),
    (40, 6, "pvt"),
    (41, 10, "tightening_id"),
    (42, 5, "job_sequence"),
    (43, 5, "sync_id"),
    (44, 14, "tool_serial"),
    (45, 19, "time"),
    (46, 19, "pset_change"),
)
PUSHED_MORE = {
    3: ((47, 25, "pset_name"), (48, 1, "torque_unit"), (49, 2, "result_type")),
    4: ((50, 25, "identifier_2"), (51, 25, "identifier_3"), (52, 25, "identifier_4")),
    5: ((53, 4, "customer_code"),),
    6: ((54, 6, "pvt_compensate"), (55, 10, "error_bits_2")),
    7: ((56, 7, "compensated_angle"), (57, 7, "final_angle")),
    8: ((58, 6, "start_final"), (59, 1, "post_view"), (60, 6, "post_view_high"), (61, 6, "post_view_low")),
    9: ((62, 5, "current_amperes"), (63, 5, "current_amperes_min"), (64, 5, "current_amperes_max")),
    10: (
        (65, 5, "angle_numerator"),
        (66, 5, "angle_denominator"),
        (67, 1, "overall_angle_status"),
        (68, 5, "overall_angle_min"),
        (69, 5, "overall_angle_max"),
        (70, 5, "overall_angle"),
        (71, 6, "peak_torque"),
        (72, 6, "breakaway_torque"),
        (73, 6, "rundown_start_torque"),
        (74, 6, "rundown_end_torque"),
    ),
    11: ((75, 6, "click_torque"), (76, 5, "click_angle")),
}
# 0061 revision 998 (003:6387-6445): a branch of revision 6, with the torque and angle of each stage; here of one.
PUSHED_STAGES = ((56, 2, "stages"), (57, 2, "stage_results"), (58, 11, "stage"))

# 0065 revision 1 (003:6556-6620), 0118 bytes; revision 2, 0226 bytes; then what each later revision appends
OLD_1 = (
    (1, 10, "tightening_id"),
    (2, 25, "vin"),
    (3, 3, "pset"),
    (4, 4, "batch_counter"),
    (5, 1, "status"),
    (6, 1, "torque_status"),
    (7, 1, "angle_status"),
    (8, 6, "torque"),
    (9, 5, "angle"),
    (10, 19, "time"),
    (11, 1, "batch_status"),
)
OLD_2 = (
    (1, 10, "tightening_id"),
    (2, 25, "vin"),
    (3, 4, "job"),
    (4, 3, "pset"),
    (5, 2, "strategy"),
    (6, 5, "strategy_options"),
    (7, 4, "batch_size"),
    (8, 4, "batch_counter"),
    (9, 1, "status"),
    (10, 1, "batch_status"),
    (11, 1, "torque_status"),
    (12, 1, "angle_status"),
    (13, 1, "rundown_status"),
    (14, 1, "current_status"),
    (15, 1, "selftap_status"),
    (16, 1, "pvt_monitoring_status"),
    (17, 1, "pvt_compensate_status"),
    (18, 10, "error_bits"),
    (19, 6, "torque"),
    (20, 5, "angle"),
    (21, 5, "rundown"),
    (22, 3, "current"),
    (23, 6, "selftap"),
    (24, 6, "pvt"),
    (25, 5, "job_sequence"),
    (26, 5, "sync_id"),
    (27, 14, "tool_serial"),
    (28, 19, "time"),
)
OLD_MORE = {
    3: ((29, 1, "torque_unit"), (30, 2, "result_type")),
    4: ((31, 25, "identifier_2"), (32, 25, "identifier_3"), (33, 25, "identifier_4")),
    5: ((34, 4, "customer_code"),),
    6: ((35, 6, "pvt_compensate"), (36, 10, "error_bits_2")),
    7: ((37, 10, "station_number"), (38, 25, "controller_name")),
    8: ((39, 6, "start_final"), (40, 1, "post_view"), (41, 6, "post_view_high"), (42, 6, "post_view_low")),
    9: ((43, 5, "current_amperes"), (44, 5, "current_amperes_min"), (45, 5, "current_amperes_max")),
    10: (
        (46, 5, "angle_numerator"),
        (47, 5, "angle_denominator"),
        (48, 1, "overall_angle_status"),
        (49, 5, "overall_angle_min"),
        (50, 5, "overall_angle_max"),
        (51, 5, "overall_angle"),
        (52, 6, "peak_torque"),
        (53, 6, "breakaway_torque"),
        (54, 6, "rundown_start_torque"),
        (55, 6, "rundown_end_torque"),
    ),
    11: ((56, 6, "click_torque"), (57, 5, "click_angle")),
}

# 0002 (003:3095-3232): what each revision appends
STARTED = {
    1: ((1, 4, "cell"), (2, 2, "channel"), (3, 25, "controller_name")),
    2: ((4, 3, "supplier"),),
    3: ((5, 19, "protocol_version"), (6, 19, "software_version"), (7, 19, "tool_version")),
    4: ((8, 24, "rbu_type"), (9, 10, "controller_serial")),
    5: ((10, 3, "system_type"), (11, 3, "system_subtype")),
    6: (
        (12, 1, "sequence_numbers"),
        (13, 1, "linking"),
        (14, 10, "station_number"),
        (15, 25, "station_name"),
        (16, 1, "client_number"),
    ),
    7: ((17, 1, "keepalive_optional"),),
}

# 0013 revision 1 (003:3707-3777), 0104 bytes; revision 2 appends (003:3778-3798)
PSET_1 = (
    (1, 3, "pset"),
    (2, 25, "pset_name"),
    (3, 1, "rotation"),
    (4, 2, "batch_size"),
    (5, 6, "torque_min"),
    (6, 6, "torque_max"),
    (7, 6, "torque_target"),
    (8, 5, "angle_min"),
    (9, 5, "angle_max"),
    (10, 5, "angle_target"),
)
PSET_2 = PSET_1 + ((11, 6, "first_target"), (12, 6, "start_final_angle"))
PSET_5 = PSET_2 + ((13, 19, "changed"),)  # since release 2.14

# 0015 revision 2 (003:3839-3934), 0141 bytes; revision 1 has no parameter numbers
SELECTED_2 = (
    (1, 3, "pset"),
    (2, 25, "pset_name"),
    (3, 19, "changed"),
    (4, 1, "rotation"),
    (5, 2, "batch_size"),
    (6, 6, "torque_min"),
    (7, 6, "torque_max"),
    (8, 6, "torque_target"),
    (9, 5, "angle_min"),
    (10, 5, "angle_max"),
    (11, 5, "angle_target"),
    (12, 6, "first_target"),
    (13, 6, "start_final_angle"),
)

# 0035 (003:4976-5226): revision 1, 0063 bytes; revision 2, 0065 bytes; then what each later revision appends
JOB_1 = (
    (1, 2, "job"),
    (2, 1, "status"),
    (3, 1, "batch_mode"),
    (4, 4, "batch_size"),
    (5, 4, "batch_counter"),
    (6, 19, "time"),
)
JOB_2 = ((1, 4, "job"),) + JOB_1[1:]
JOB_MORE = {
    3: ((7, 3, "step"), (8, 3, "steps"), (9, 2, "step_type")),
    4: ((10, 2, "tightening"),),
    5: (
        (11, 5, "sequence"),
        (12, 25, "vin"),
        (13, 25, "identifier_2"),
        (14, 25, "identifier_3"),
        (15, 25, "identifier_4"),
    ),
}

# 0052 revision 2 (003:5650-5680), 0128 bytes; revision 1 is the VIN alone
VEHICLE_2 = ((1, 25, "vin"), (2, 25, "identifier_2"), (3, 25, "identifier_3"), (4, 25, "identifier_4"))

# 0041 revision 1 (003:5303-5327); 0071 (003:7448-7508); 0076 (003:7553-7618)
TOOL_1 = ((1, 14, "tool_serial"), (2, 10, "tightenings"), (3, 19, "calibrated"), (4, 10, "controller_serial"))
ALARM_1 = ((1, 4, "code"), (2, 1, "controller_ready"), (3, 1, "tool_ready"), (4, 19, "time"))
ALARM_2 = ((1, 5, "code"), (2, 1, "controller_ready"), (3, 1, "tool_ready"), (4, 19, "time"), (5, 50, "text"))
ALARM_2_9 = ALARM_2[:4]  # since release 2.9
ALARM_3 = ALARM_2_9 + ((5, 1, "tool_health"), (6, 50, "text"))
ALARM_STATUS_1 = (
    (1, 1, "active"),
    (2, 4, "code"),
    (3, 1, "controller_ready"),
    (4, 1, "tool_ready"),
    (5, 19, "time"),
)
ALARM_STATUS_2 = (
    (1, 1, "active"),
    (2, 5, "code"),
    (3, 1, "controller_ready"),
    (4, 1, "tool_ready"),
    (5, 19, "time"),
)
ALARM_STATUS_3 = ALARM_STATUS_2 + ((6, 1, "tool_health"),)  # since release 2.9

# 0061 light (003:6448-6519): fields in this order, no parameter numbers
LIGHT = (
    (25, "vin"),
    (2, "job"),
    (3, "pset"),
    (4, "batch_size"),
    (4, "batch_counter"),
    (1, "batch_status"),
    (1, "status"),
    (1, "torque_status"),
    (1, "angle_status"),
    (6, "torque"),
    (5, "angle"),
    (19, "time"),
    (19, "pset_change"),
    (10, "tightening_id"),
)


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


def header(mid, revision, data_bytes, style=HEADER_DIGITS, station="01", spindle="01"):
    """Return the 20 bytes before `data_bytes` bytes of data."""
    revision_text = "%03d" % revision
    if style in HEADER_SPINDLE_FIRST:
        revision_text = spindle.replace(" ", "0") + revision_text
        rest = "0" * 7
    elif style == HEADER_DIGITS:
        rest = " " + station + spindle + "    "
    elif style == HEADER_BLANK:
        rest = "         "
        if revision == 1:
            revision_text = "   "
    elif style == HEADER_ZERO:
        rest = "00000    "
    else:
        rest = "     0000"
    return ("%04d%04d%s%s" % (HEADER_BYTES + data_bytes, mid, revision_text, rest)).encode()


def usual_header(frame):
    """Return a message whose header has the spindle first as it is with the usual one."""
    return frame[:8] + frame[10:13] + b"   " + frame[8:10] + b"    " + frame[HEADER_BYTES:]


def cumulative(first_revision, base, more, revision):
    """Return the layout of a revision that appends to those before it."""
    layout = base
    for step in range(first_revision + 1, revision + 1):
        layout = layout + more[step]
    return layout


def result_data(result, revision, pad=b" ", instead=()):
    """Return the data field of 0061 in a revision: 998, 999, 1 or 2..11."""
    if revision == 999:
        return b"".join([field(_light(result, name, instead), width, pad) for width, name in LIGHT])
    if revision == 1:
        return parameters(PUSHED_1, result, pad, instead)
    if revision == 998:
        return parameters(cumulative(2, PUSHED_2, PUSHED_MORE, 6) + PUSHED_STAGES, result, pad, instead)
    return parameters(cumulative(2, PUSHED_2, PUSHED_MORE, revision), result, pad, instead)


def selected_data(pset, revision):
    """Return the data field of 0015 in revision 1 or 2."""
    if revision == 1:
        return field(pset.pset, 3) + field(pset.changed, 19)
    return parameters(SELECTED_2, pset)


def job_data(job, revision):
    """Return the data field of 0035 in revision 1..5."""
    return parameters(JOB_1 if revision == 1 else cumulative(2, JOB_2, JOB_MORE, revision), job)


def vehicle_data(vehicle, revision, with_id=False):
    """Return the data field of 0052 in revision 1 or 2; `with_id`: revision 1 has the parameter ID in front, too."""
    if revision != 1:
        return parameters(VEHICLE_2, vehicle)
    return (b"01" if with_id else b"") + field(vehicle.vin, max(25, len(vehicle.vin)))


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
    if revision == 1:
        return parameters(OLD_1, result, pad, instead)
    return parameters(cumulative(2, OLD_2, OLD_MORE, revision), result, pad, instead)


def start_data(identity, revision, before_2_7=False, pad=b" "):
    """Return the data field of 0002; before release 2.7 revision 6 ended with parameter 13 (003:749-756)."""
    layout = cumulative(1, STARTED[1], STARTED, revision)
    if before_2_7 and revision >= 6:
        layout = layout[:13]
    return parameters(layout, identity, pad)


def stored_data(controller, options):
    """Return the data of 0902: capacity, oldest and newest result with their times, no more (release 2.17)."""
    kept = controller.kept_ids()
    claims = options.kept_claims
    oldest, newest = (controller.result(kept[place]) for place in (0, -1)) if kept else (None, None)
    return b"".join(
        (
            field(claims.get("capacity", options.memory), 10),
            field(claims.get("oldest", kept[0] if kept else 0), 10),
            _stamp(claims.get("oldest_time", oldest.time if oldest else "")),
            field(claims.get("newest", kept[-1] if kept else 0), 10),
            _stamp(claims.get("newest_time", newest.time if newest else "")),
            field(0, 3),
        )
    )


def list_data(controller, options, start, count):
    """Return the data of 0067: up to `count` results ending with `start` (0: the newest), ascending (release 2.11)."""
    kept = options.kept_claims.get("listed", controller.kept_ids())
    if start:
        kept = [number for number in kept if number <= start]
    kept = kept[max(0, len(kept) - count) :]
    octets = field(len(kept), 3)
    for number in kept:
        result = controller.result(number)
        octets += field(number, 10) + _stamp(result.time if result else "2024-01-01:00:00:00")
        octets += field(result.status if result else 1, 1)
    return octets


def _stamp(text):
    return (text + " " * 19)[:19].encode()
