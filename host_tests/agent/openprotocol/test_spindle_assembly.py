"""The agent's reader of MID 0101, 0106 and 0107 against the catalogue, field by field, and what it does with damage."""

from toolcart import catalogue
from toolcart.agent.base.fields import unpack_digits
from toolcart.agent.openprotocol import spindle_assembly as assembly
from toolcart.agent.record import PAYLOAD_MAX, PAYLOAD_WIDE
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.sim import spindle_frames
from host_tests.support.frames import example_tightening, message

PORTABLE = True
HEAP = "4m"

_LEVELS = {0: 0x30, 1: 0x31, 2: 0x32, None: 0x20}


def tightening(**values):
    return example_tightening(**dict({"status": 1, "angle": 81, "tightening_id": 4294967290}, **values))


def new_assembly(most=PAYLOAD_WIDE, kind=assembly.SpindleAssembly):
    made = kind()
    made.most = most
    return made


def take(made, octets, mid, revision, more=False):
    buf = b"\xff" * 7 + octets + b"\xff" * 7  # nothing around it may be read
    return made.take(bytearray(buf), 7, len(octets), mid, revision, more, 0)


def payload_of(made):
    return bytearray(b"\0" * res.HEAD_BYTES) + made.body[: made.octets]


def time_of(body):
    digits = bytearray(14)
    unpack_digits(digits, 0, body, res.TIME, 14)
    return bytes(digits)


def wire_digits(text):
    return bytes([octet for octet in text.encode() if 0x30 <= octet <= 0x39])


def number_in(body, place, width):
    text = bytes(body[place : place + width])
    return None if not text.strip() else int(text)


def test_every_field_of_a_sync_result_is_the_catalogue_s():
    for revision in (1, 2, 3, 4, 5):
        for status in (0, 1):
            for count in (1, 2, 50):
                result = tightening(status=status, torque_status=status, angle_status=status, job_sequence=4711)
                octets = message(101, spindle_frames.sync_data(result, revision, count), revision)
                fields = catalogue.decode(octets)
                made = new_assembly()
                assert take(made, octets, 101, revision) == assembly.ASSEMBLY_WHOLE and not made.cut
                body = made.body
                assert bytes(body[: res.VIN_BYTES]).decode().rstrip() == fields["vin"]
                for name, place, width in (
                    ("job_id", res.JOB, 4),
                    ("pset_id", res.PSET, 4),
                    ("batch_size", res.BATCH_SIZE, 4),
                    ("batch_counter", res.BATCH_COUNTER, 4),
                    ("batch_status", res.BATCH_STATUS, 1),
                    ("sync_tightening_id", res.TIGHTENING_ID, 10),
                    ("sync_status", res.TIGHTENING_STATUS, 1),
                    ("torque_min", res.BODY_BYTES + res.TORQUE_MIN, 6),
                    ("torque_max", res.BODY_BYTES + res.TORQUE_MAX, 6),
                    ("torque_target", res.BODY_BYTES + res.TORQUE_TARGET, 6),
                    ("angle_min", res.BODY_BYTES + res.ANGLE_MIN, 5),
                    ("angle_max", res.BODY_BYTES + res.ANGLE_MAX, 5),
                    ("angle_target", res.BODY_BYTES + res.ANGLE_TARGET, 5),
                ):
                    assert number_in(body, place, width) == fields[name], (revision, name)
                assert bytes(body[res.PSET_CHANGE : res.TIGHTENING_ID]).decode() == fields["pset_change"]
                assert time_of(body) == wire_digits(fields["time"])
                page = payload_of(made)
                rows = sp.rows_of(page, 0)
                assert len(rows) == fields["spindle_count"] == sp.announced_of(page, 0)
                for row, one in zip(rows, fields["spindles"]):  # noqa: B905 - MicroPython has no strict
                    assert (row.number, row.channel) == (one["spindle"], one["channel_id"])
                    assert row.status - 0x30 == one["status"]
                    wanted = _LEVELS[one["torque_status"]]
                    assert row.torque_status == (0x33 if revision >= 4 and wanted == 0x30 else wanted)
                    assert row.angle_status == (0x31 if one["angle_status"] else 0x33)
                    assert row.torque == "%d.%02d" % divmod(one["torque"], 100) and row.angle == str(one["angle"])
                    assert (row.torque_min, row.torque_max) == ("40.00", "50.00")
                    assert (row.angle_min, row.angle_max) == ("60", "90")
                if revision >= 5:
                    head = sp.PLACE + sp.JOB_SEQUENCE
                    assert int(bytes(page[head : head + 5])) == fields["job_sequence"] == 4711


def test_every_field_of_a_station_s_result_is_the_catalogue_s():
    for revision in (1, 2, 3, 4):
        for count in (1, 3, 50):
            for torque, angle in ((4237, 81), (-57, -3), (1234512, 12345)):
                result = tightening(status=0, torque_status=2, angle_status=0, torque=torque, angle=angle)
                octets = message(106, spindle_frames.station_data(result, revision, count), revision)
                fields = catalogue.decode(octets)
                made = new_assembly()
                assert take(made, octets, 106, revision) == assembly.ASSEMBLY_WHOLE and not made.cut
                body = made.body
                page = payload_of(made)
                assert bytes(body[res.TIGHTENING_ID : res.SERIAL]) == b"%010d" % fields["data_number"]
                assert bytes(body[: res.VIN_BYTES]).decode().rstrip() == fields["workpiece_id"]
                assert time_of(body) == wire_digits(fields["time"])
                assert number_in(body, res.PSET, 4) == fields["mode_number"]
                assert number_in(body, res.TIGHTENING_STATUS, 1) == fields["simple_status"]
                head = sp.PLACE
                assert page[head + sp.PM_STATUS] - 0x30 == fields["pm_status"]
                assert int(bytes(page[head + sp.STATION : head + sp.STATION_NAME])) == fields["station_number"]
                name = bytes(page[head + sp.STATION_NAME : head + sp.MODE_NAME]).decode().rstrip()
                assert name == fields["station_name"]
                name = bytes(page[head + sp.MODE_NAME : head + sp.WORKPIECE]).decode().rstrip()
                assert name == fields["mode_name"]
                assert page[head + sp.TYPE] == (0x31 if revision >= 4 else 0x20)
                rows = sp.rows_of(page, 0)
                assert len(rows) == fields["bolt_count"] == count
                for row, one in zip(rows, fields["bolts"]):  # noqa: B905
                    assert row.number == one["ordinal"] and row.status - 0x30 == one["simple_status"]
                    assert row.torque_status == _LEVELS[one["torque_status"]]
                    assert row.angle_status == _LEVELS[one["angle_status"]]
                    for field in ("torque", "angle", "torque_max", "torque_min", "angle_max", "angle_min"):
                        assert float(getattr(row, field)) == float(one[field]), (field, one[field])
                first = fields["bolts"][0]
                if torque == 4237:
                    assert made.result_code == res.RESULT_READ
                    assert number_in(body, res.TORQUE, 6) == int(float(first["torque"]) * 100 + 0.001)
                    assert number_in(body, res.ANGLE, 5) == angle
                elif torque < 0:
                    assert made.result_code == res.RESULT_ODD
                    assert bytes(body[res.TORQUE : res.ANGLE]) == b"-00057"
                else:  # 12345.12 Nm are more hundredths than the body has room for; the row has it
                    assert bytes(body[res.TORQUE : res.ANGLE]) == b"1234.." and rows[0].torque == "12345.1"
                    assert made.result_code == res.RESULT_ODD


def test_bolt_data_follows_the_rows_as_the_catalogue_reads_it():
    for revision in (1, 4):
        for printed in (False, True):
            made = new_assembly()
            result = tightening(status=0)
            assert take(
                made, message(106, spindle_frames.station_data(result, revision, 3), revision), 106, revision, True
            ) == (assembly.ASSEMBLY_MORE)
            messages = []
            for index in (1, 2, 3):
                octets = message(107, spindle_frames.bolt_data(result, revision, index, 3), revision)
                messages.append(catalogue.decode(octets))
                if printed:  # a time as wide as its field is printed (OP 5.13.3 p. 188)
                    octets = octets[:55] + octets[65:]
                part = take(made, octets, 107, revision, True)
                assert part == (assembly.ASSEMBLY_WHOLE if index == 3 else assembly.ASSEMBLY_MORE)
            page = payload_of(made)
            extras = sp.extras_of(page, 0, len(page))
            assert [row for row, _, _ in extras] == [0, 1, 2] and not made.cut
            for (_, place, count), one in zip(extras, messages):  # noqa: B905
                assert int(bytes(page[place + sp.EXTRA_NUMBER :][:4])) == one["bolt_number"]
                for at, width, name in (
                    (sp.EXTRA_NAME, sp.NAME_BYTES, "bolt_name"),
                    (sp.EXTRA_PROGRAM, sp.NAME_BYTES, "program_name"),
                    (sp.EXTRA_ERRORS, sp.ERRORS_BYTES, "errors"),
                ):
                    assert bytes(page[place + at :][:width]).decode().rstrip() == (one[name] or ""), name
                values = one["bolt_results"] + one["step_results"]
                assert count == len(values) == 3
                for number, value in enumerate(values):
                    text = bytes(page[place + sp.EXTRA_BYTES + number * sp.VALUE_BYTES :][: sp.VALUE_BYTES])
                    assert text[:20].decode().rstrip() == value["name"]
                    assert text[22:29].decode() == value["value"]
                    assert int(text[29:]) == (value["step"] if number else 0)


def test_bolt_data_out_of_turn_changes_nothing():
    result = tightening()
    station = message(106, spindle_frames.station_data(result, 4, 3), 4)
    bolts = [message(107, spindle_frames.bolt_data(result, 4, index, 3), 4) for index in (1, 2, 3)]
    other = message(107, spindle_frames.bolt_data(tightening(tightening_id=5), 4, 1, 3), 4)
    made = new_assembly()
    assert take(made, bolts[0], 107, 4, True) == assembly.ASSEMBLY_FOREIGN
    assert take(made, station, 106, 4, True) == assembly.ASSEMBLY_MORE
    assert take(made, bolts[1], 107, 4, True) == assembly.ASSEMBLY_FOREIGN
    assert take(made, other, 107, 4, True) == assembly.ASSEMBLY_FOREIGN
    assert take(made, bolts[0], 107, 4, True) == assembly.ASSEMBLY_MORE
    assert take(made, bolts[0], 107, 4, True) == assembly.ASSEMBLY_REPEATED
    assert take(made, bolts[1], 107, 4, True) == assembly.ASSEMBLY_MORE
    assert take(made, station, 106, 4, True) == assembly.ASSEMBLY_REPEATED
    made.give_up()
    assert take(made, bolts[2], 107, 4, True) == assembly.ASSEMBLY_REPEATED  # not waited for any more
    assert take(made, station, 106, 4, True) == assembly.ASSEMBLY_MORE  # begins again
    for bolt, wanted in (
        (bolts[0], assembly.ASSEMBLY_MORE),
        (bolts[1], assembly.ASSEMBLY_MORE),
        (bolts[2], assembly.ASSEMBLY_WHOLE),
    ):
        assert take(made, bolt, 107, 4, True) == wanted
    page = payload_of(made)
    assert [row for row, _, _ in sp.extras_of(page, 0, len(page))] == [0, 1, 2]
    assert take(made, bolts[2], 107, 4, True) == assembly.ASSEMBLY_REPEATED


def test_what_has_no_room_is_left_out_from_the_end_and_reported():
    result = tightening()
    made = new_assembly(PAYLOAD_MAX - res.QUARANTINE_BYTES)
    assert take(made, message(106, spindle_frames.station_data(result, 4, 50), 4), 106, 4) == assembly.ASSEMBLY_WHOLE
    page = payload_of(made)
    assert made.cut and len(page) <= PAYLOAD_MAX - res.QUARANTINE_BYTES
    assert sp.count_of(page, 0) == len(sp.rows_of(page, 0)) == 9 and sp.announced_of(page, 0) == 50
    made = new_assembly(PAYLOAD_MAX - res.QUARANTINE_BYTES)
    assert take(made, message(101, spindle_frames.sync_data(result, 1, 50), 1), 101, 1) == assembly.ASSEMBLY_WHOLE
    assert made.cut and sp.count_of(payload_of(made), 0) == 26
    most = 500
    made = new_assembly(most)
    take(made, message(106, spindle_frames.station_data(result, 4, 3), 4), 106, 4, True)
    for index in (1, 2, 3):
        take(made, message(107, spindle_frames.bolt_data(result, 4, index, 3), 4), 107, 4, True)
    page = payload_of(made)
    assert made.cut and len(page) <= most
    assert [(row, count) for row, _, count in sp.extras_of(page, 0, len(page))] == [(0, 1)]


def test_cut_and_damaged_messages_are_read_as_far_as_they_go():
    result = tightening()
    for mid, octets in (
        (101, message(101, spindle_frames.sync_data(result, 5, 3), 5)),
        (106, message(106, spindle_frames.station_data(result, 4, 3), 4)),
    ):
        whole = 174 if mid == 101 else 165
        for length in range(20, len(octets)):
            made = new_assembly()
            part = take(made, octets[:length], mid, 4)
            assert part == (assembly.ASSEMBLY_WHOLE if length >= whole else assembly.ASSEMBLY_UNREADABLE), length
            if part == assembly.ASSEMBLY_WHOLE:
                page = payload_of(made)
                assert sp.announced_of(page, 0) == 3
                assert made.cut == (sp.count_of(page, 0) < 3)
    octets = message(106, spindle_frames.station_data(result, 4, 2), 4)
    bolt = message(107, spindle_frames.bolt_data(result, 4, 1, 2), 4)
    for length in range(20, len(bolt)):
        made = new_assembly()
        take(made, octets, 106, 4, True)
        assert take(made, bolt[:length], 107, 4, True) == (
            assembly.ASSEMBLY_MORE if length >= 180 else assembly.ASSEMBLY_UNREADABLE
        )
        page = payload_of(made)
        sp.extras_of(page, 0, len(page))


def test_a_status_of_a_spindle_that_is_none_stays_as_it_came():
    result = tightening()
    for octet, kept in ((b"9", b"9"), (b"X", b"X"), (b"3", b"?"), (b"-", b"-"), (b" ", b" "), (b"\0", b" ")):
        for mid, revision, data, first, width, places in (
            (101, 1, spindle_frames.sync_data(result, 1, 2), 154, 18, (4, 5, 12)),
            (101, 4, spindle_frames.sync_data(result, 4, 2), 154, 18, (4, 5, 12)),
            (106, 4, spindle_frames.station_data(result, 4, 2), 145, 67, (6, 9, 12)),
        ):
            for index in range(2):
                spoiled = data
                for place in places:
                    at = first + index * width + place
                    spoiled = spoiled[:at] + octet + spoiled[at + 1 :]
                made = new_assembly()
                assert take(made, message(mid, spoiled, revision), mid, revision) == assembly.ASSEMBLY_WHOLE
                row = sp.rows_of(payload_of(made), 0)[index]
                assert bytes((row.torque_status, row.angle_status)) == kept * 2, (mid, octet)
                assert row.status == octet[0] or octet == b"\0"
                if index == 0:  # its row says it
                    assert made.body[res.TORQUE_STATUS : res.TORQUE] == b"  "


def test_blank_figures_are_blank_and_odd_ones_are_reported():
    result = tightening()
    octets = bytearray(message(106, spindle_frames.station_data(result, 4, 2), 4))
    octets[165 + 9] = octets[165 + 12] = 0x20
    octets[165 + 15 : 165 + 22] = b" " * 7
    octets[115] = 0x35
    made = new_assembly()
    assert take(made, bytes(octets), 106, 4) == assembly.ASSEMBLY_WHOLE
    row = sp.rows_of(payload_of(made), 0)[0]
    assert row.torque == "" and row.torque_status == row.angle_status == 0x20 and row.angle == "81.0000"
    assert not bytes(made.body[res.TORQUE : res.ANGLE]).strip() and made.body[res.TIGHTENING_STATUS] == 0x35
    assert made.result_code == res.RESULT_ODD
    for at in (22, 30, 163):
        broken = bytearray(octets)
        broken[at] = 0x78
        assert take(new_assembly(), bytes(broken), 106, 4) == assembly.ASSEMBLY_UNREADABLE


def test_a_torque_or_an_angle_that_is_no_number_makes_no_result():
    result = tightening()
    for mid, octets, first, row_bytes, places in (
        (101, message(101, spindle_frames.sync_data(result, 1, 3), 1), 174, 18, (6, 13)),
        (106, message(106, spindle_frames.station_data(result, 4, 3), 4), 165, 67, (15, 24)),
    ):
        for row in range(3):
            for place in places:
                at = first + row * row_bytes + place
                for text, is_figure in (
                    (b"0x123", False),
                    (b"12 45", False),
                    (b"12\x0045", False),
                    (b"-----", False),
                    (b"+-012", False),
                    (b"-0012", True),
                    (b"   12", True),
                    (b"12\0\0\0", True),
                ):
                    odd = octets[:at] + text + octets[at + 5 :]
                    if mid == 106:
                        odd = octets[:at] + text + b"  " + octets[at + 7 :]
                    elif place == 6:
                        odd = octets[:at] + b" " + text + octets[at + 6 :]
                    part = take(new_assembly(), odd, mid, 4)
                    assert part == (assembly.ASSEMBLY_WHOLE if is_figure else assembly.ASSEMBLY_UNREADABLE), (
                        mid,
                        row,
                        place,
                        text,
                    )


def test_a_press_has_strokes_in_hundredths_and_they_may_be_negative():
    result = tightening(angle=-9999, angle_min=0, angle_max=99999)
    octets = message(101, spindle_frames.sync_data(result, 4, 1), 4)
    octets = octets[:-3] + b"002"
    made = new_assembly()
    assert take(made, octets, 101, 4) == assembly.ASSEMBLY_WHOLE and made.result_code == res.RESULT_ODD
    page = payload_of(made)
    row = sp.rows_of(page, 0)[0]
    assert sp.presses(page, 0) and (row.angle, row.angle_max) == ("-99.99", "999.99")
    assert catalogue.decode(octets)["spindles"][0]["angle"] == -9999


def test_sync_figures_with_a_point_are_what_they_say_cut_to_their_decimals():
    result = tightening()
    for revision in (1, 2, 3, 4, 5):
        for count in (1, 2):
            octets = message(101, spindle_frames.sync_data(result, revision, count), revision)
            for place, width, name, limit, texts in (
                (6, 6, "torque", res.BODY_BYTES + res.TORQUE_MIN, POINTED_TORQUES),
                (13, 5, "angle", res.BODY_BYTES + res.ANGLE_MIN, POINTED_ANGLES),
            ):
                body_place = res.TORQUE if name == "torque" else res.ANGLE
                for text, in_body, in_row in texts:
                    at = 174 + (count - 1) * 18 + place
                    odd = octets[:at] + text + octets[at + width :]
                    made = new_assembly()
                    part = take(made, odd, 101, revision)
                    if in_body is None:
                        assert part == assembly.ASSEMBLY_UNREADABLE, text
                        continue
                    page = payload_of(made)
                    row = sp.rows_of(page, 0)[count - 1]
                    assert part == assembly.ASSEMBLY_WHOLE and getattr(row, name) == in_row, (text, getattr(row, name))
                    if count == 1:
                        assert bytes(made.body[body_place : body_place + width]) == in_body, text
                    at = 77 if name == "torque" else 101
                    odd = octets[:at] + text + octets[at + width :]
                    assert take(made, odd, 101, revision) == assembly.ASSEMBLY_WHOLE
                    assert bytes(made.body[limit : limit + width]) == in_body, text
                    assert getattr(sp.rows_of(payload_of(made), 0)[0], name + "_min") == in_row, text


POINTED_TORQUES = (  # as sent, in the body, in the row
    (b"000809", b"000809", "8.09"),
    (b"8.09  ", b"000809", "8.09"),
    (b"  8.09", b"000809", "8.09"),
    (b"8.0900", b"000809", "8.09"),
    (b"12.345", b"001234", "12.34"),
    (b"9999.9", b"999990", "9999.90"),
    (b"0.0809", b"000008", "0.08"),
    (b"80.9  ", b"008090", "80.90"),
    (b"  .95 ", b"000095", "0.95"),
    (b"809.  ", b"080900", "809.00"),
    (b"-8.09 ", b"-00809", "-8.09"),
    (b"99999.", None, None),
    (b"-9999.", None, None),
    (b"1.2.34", None, None),
)
POINTED_ANGLES = ((b"095.5", b"00095", "95"), (b"9.5  ", b"00009", "9"), (b"-95.5", b"-0095", "-95"))


def test_strokes_of_a_press_with_a_point_keep_two_decimals():
    octets = message(101, spindle_frames.sync_data(tightening(), 4, 1), 4)[:-3] + b"002"
    made = new_assembly()
    odd = octets[: 174 + 13] + b"95.57" + octets[174 + 18 :]
    assert take(made, odd, 101, 4) == assembly.ASSEMBLY_WHOLE
    assert sp.rows_of(payload_of(made), 0)[0].angle == "95.57" and bytes(made.body[res.ANGLE : res.TIME]) == b"09557"
