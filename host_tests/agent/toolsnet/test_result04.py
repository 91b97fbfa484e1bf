"""Telegram 04 is the worked example octet for octet, and every row of the mapping from MID 0061 and 0065 holds."""

from struct import pack_into

from toolcart.agent.openprotocol.layouts import layout_of, read_limits, read_result
from toolcart.agent.openprotocol.light_result import read_light
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet import result04 as r04
from toolcart.agent.toolsnet.session import RESULT_BYTES
from toolcart.base.clock import Dice
from toolcart.sim import controller_frames as frames
from toolcart.toolsnet.telegrams import take_apart
from host_tests.support.frames import example_tightening

PORTABLE = True

# example.md 2
GENERAL = b"0400042800003000100102024031409265300017WVWZZZ1KZAW123456        000170002900572"
SPINDLE = b"0001C3412129  0012100040.0000042.37000050.00000060.0000095.03000090.00"
EXAMPLE = (
    b"0510"
    + GENERAL
    + SPINDLE
    + b"0001001200030Tightening ID            0001234567               0      00"
    + b"0001001201500Job ID                   7                        1      00"
    + b"0001001200100Batch size               6                        1      00"
    + b"0001001200101Batch counter            4                        1      00"
    + b"0001001201003Pset last change         2024-02-01:08:00:00      0      00"
)
OF_THE_EXAMPLE = (
    r04.PARAM_TIGHTENING_ID | r04.PARAM_JOB | r04.PARAM_BATCH_SIZE | r04.PARAM_BATCH_COUNTER | r04.PARAM_PSET_CHANGE
)


def writer_of(*numbers, **settings):
    """Return a writer into a buffer that is full of something."""
    return r04.ResultWriter(bytearray(b"\xaa" * RESULT_BYTES), *(numbers or (3, 1)), **settings)


class Record:
    """The payload of a record, as the store writes it: of the worked example but for these fields."""

    def __init__(self, mid=61, revision=999, station=10, spindle=1, **fields):
        result = example_tightening(**fields)
        data = frames.result_data(result, revision) if mid == 61 else frames.old_result_data(result, revision)
        message = frames.header(mid, revision, len(data)) + data
        body = res.HEAD_BYTES
        self.octets = bytearray(body + res.BODY_BYTES + res.LIMITS_BYTES)
        self.length = body + res.BODY_BYTES
        pack_into("<IHBB", self.octets, 0, 17, station, spindle, 0)
        if revision == 999:
            read_light(self.octets, body, message, 0)
            self.put_serial(b"C3412129")
            return
        layout = layout_of(mid, revision)
        assert read_result(layout, message, 0, len(message), self.octets, body) == res.RESULT_READ
        if read_limits(layout, message, 0, len(message), self.octets, self.length):
            self.length += res.LIMITS_BYTES

    def put_serial(self, serial):
        at = res.HEAD_BYTES + res.SERIAL
        self.octets[at : at + res.SERIAL_BYTES] = (serial + b" " * 14)[: res.SERIAL_BYTES]

    def put_limits(self, torque=(4000, 5000)):
        """Put limits behind a light result, as a store that knows them does; unit and type stay blank."""
        at = self.length
        text = b"%06d%06d      %05d%05d        " % (torque[0], torque[1], 60, 90)
        self.octets[at : at + res.LIMITS_BYTES] = text + b" " * (res.LIMITS_BYTES - len(text))
        self.length += res.LIMITS_BYTES

    def write(self, flags=0, ident=42, sequence=17, **settings):
        """Return telegram 04 with its length field; what lay in the buffer before must not show."""
        return self.written(writer_of(**settings), flags, ident, sequence)

    def written(self, writer, flags=0, ident=42, sequence=17):
        """Return what this writer makes of it."""
        page = bytearray(b"\xee" * 5) + self.octets
        octets = writer.write(page, 5, self.length, flags, ident, sequence)
        return bytes(writer.tx[:octets])

    def decoded(self, flags=0, **settings):
        """Return the fields of the telegram, which has to be flawless, and its parameters by their ID."""
        octets = self.write(flags, **settings)
        telegram, breaches = take_apart(octets[4:])
        assert int(octets[:4]) == len(octets) - 4
        assert breaches == [], breaches
        assert len(telegram["spindles"]) == 1 and telegram["vins"] == []
        telegram["by_id"] = {}
        for parameter in telegram["parameters"]:
            assert parameter["parameter_id"] not in telegram["by_id"]
            telegram["by_id"][parameter["parameter_id"]] = parameter
        return telegram


def spindle_of(**fields):
    return Record(**fields).decoded()["spindles"][0]


def values(telegram):
    return {number: telegram["by_id"][number]["value"] for number in telegram["by_id"]}


def test_telegram_is_the_worked_example_octet_for_octet():
    record = Record()
    record.put_limits()
    assert record.write(parameters=OF_THE_EXAMPLE) == EXAMPLE


def test_identity_is_that_of_the_configuration_and_the_record():
    record = Record(station=9876, spindle=31)
    telegram = take_apart(record.written(writer_of(21, 1234), 0, 99999, 99999)[4:])[0]
    assert (telegram["system_type"], telegram["system"], telegram["station"]) == (21, 1234, 9876)
    assert (telegram["identifier"], telegram["sequence"]) == (99999, 99999)
    assert telegram["spindles"][0]["spindle"] == 31
    assert {parameter["spindle"] for parameter in telegram["parameters"]} == {31}


def test_rows_of_the_mapping_hold():
    for fields, name, wanted in (
        ({"time": "1999-12-31:23:59:58"}, "time", "19991231235958"),
        ({"pset": 999}, "program", 999),
        ({"pset": 999}, 1000, None),
        ({"pset": None}, "program", 9999),
        ({"pset": None}, 1000, None),
        ({"torque": 0}, "torque", "00000.00"),
        ({"torque": 1}, "torque", "00000.01"),
        ({"torque": 999999}, "torque", "09999.99"),
        ({"torque": None}, "torque", "00000.00"),
        ({"angle": 99999}, "angle", "099999.0"),
        ({"angle": None}, "angle", "000000.0"),
        ({"status": 1, "torque_status": None}, "torque_status", 0),
        ({"status": 0, "angle_status": None}, "angle_status", 1),
        ({"job": 0}, 1500, "0"),
        ({"batch_size": 0}, 100, "0"),
        ({"pset_change": "Last Change Unknown"}, 1003, "Last Change Unknown"),
    ):
        telegram = Record(**fields).decoded()
        row = dict(values(telegram))
        row.update(telegram["spindles"][0])
        row.setdefault("time", telegram["time"])
        assert row.get(name) == wanted, (fields, name)


def test_time_of_the_edge_is_said_to_be_its_own():
    telegram = Record().decoded(res.FLAG_EDGE_TIME)
    assert values(telegram)[60003] == "EDGE" and telegram["by_id"][60003]["name"] == "Time source"
    assert 60003 not in Record().decoded()["by_id"]
    for time, source in (("1970-01-01:00:00:09", "EDGE, CLOCK UNSET"), ("2023-12-31:23:59:59", "EDGE, CLOCK UNSET")):
        assert values(Record(time=time).decoded(res.FLAG_EDGE_TIME))[60003] == source
    assert values(Record(time="2024-01-01:00:00:00").decoded(res.FLAG_EDGE_TIME))[60003] == "EDGE"
    assert 60003 not in Record(time="1970-01-01:00:00:09").decoded()["by_id"]


def test_vin_is_25_octets_and_leading_blanks_stay():
    vin = b" 234567890123456789012345"
    assert Record(vin=vin).decoded()["vin"] == vin.decode()
    assert Record(vin=b"").decoded()["vin"] == ""


def test_vin_beyond_ascii_is_escaped_and_stays_distinct():
    def vin_and_escapes(vin):
        telegram = Record(vin=vin + b" " * (25 - len(vin))).decoded()
        octets = [one["value"] for one in telegram["parameters"] if one["parameter_id"] in (60022, 60023)]
        return telegram["vin"], "".join(octets)

    assert vin_and_escapes(b"A\xc3\xa4B\x00C\x07D~") == ("A~C3~A4B~00C~07D~7E", "")
    assert vin_and_escapes(b"Lenks\xe4ule") == ("Lenks~E4ule", "")
    long = [b"W" * 10 + bytes((0xE4 + index // 8, 0xC3, 0xA4 + index % 8)) + b"\xff" * 12 for index in range(16)]
    assert len({vin_and_escapes(vin)[0] for vin in long}) == 16
    for vin in long:
        text, octets = vin_and_escapes(vin)
        assert text.startswith("W" * 10 + "~~") and len(text) <= 25 and bytes.fromhex(octets) == vin


def test_serial_of_the_tool_is_stripped_on_both_sides():
    for serial, expected in (
        (b"C3412129", "C3412129"),
        (b"  C3412129", "C3412129"),
        (b"\x00\x00C3412129\x00", "C3412129"),
        (b"0123456789", "0123456789"),
        (b"", ""),
    ):
        record = Record()
        record.put_serial(serial)
        telegram = record.decoded()
        assert telegram["spindles"][0]["serial"] == expected
        assert 1202 not in telegram["by_id"]


def test_serial_over_ten_keeps_its_end_and_goes_whole_as_parameter():
    for serial, end in ((b"ABCDEFGHIJKLMN", "EFGHIJKLMN"), (b" BCDEFGHIJKL  ", "CDEFGHIJKL")):
        record = Record()
        record.put_serial(serial)
        telegram = record.decoded()
        assert telegram["spindles"][0]["serial"] == end
        assert values(telegram)[1202].strip() == serial.decode().strip()


def test_parameter_set_0_is_sent_as_program_9999_and_as_parameter_0():
    telegram = Record(pset=0).decoded()
    assert telegram["spindles"][0]["program"] == 9999
    assert values(telegram)[1000] == "0"


def test_overall_status_is_the_other_way_round():
    assert spindle_of(status=1)["overall"] == 0
    assert spindle_of(status=0)["overall"] == 1
    assert spindle_of(status=None)["overall"] == 1


def test_torque_and_angle_status_are_renumbered():
    for code, expected in ((0, 2), (1, 0), (2, 3)):
        assert spindle_of(torque_status=code)["torque_status"] == expected
        assert spindle_of(angle_status=code)["angle_status"] == expected


def test_limits_missing_from_light_are_zero_and_said_to_be_unknown():
    telegram = Record().decoded()
    spindle = telegram["spindles"][0]
    assert (spindle["torque_low"], spindle["torque_high"]) == ("00000.00", "00000.00")
    assert (spindle["angle_low"], spindle["angle_high"]) == ("000000.0", "000000.0")
    assert values(telegram)[60002] == "UNKNOWN" and telegram["by_id"][60002]["name"] == "Limits"


def test_torque_in_another_unit_is_sent_in_newton_metres():
    # parameter 48 of MID 0061; factors of protocol.md 9.5, computed by hand and rounded to the second decimal
    for unit, low, torque, high in (
        (1, "00040.00", "00042.37", "00050.00"),
        (2, "00054.23", "00057.45", "00067.79"),  # ft lbf 1.355818
        (3, "00004.52", "00004.79", "00005.65"),  # in lbf 0.112985
        (4, "00392.27", "00415.51", "00490.33"),  # kpm 9.80665
        (5, "00003.92", "00004.16", "00004.90"),  # kgf cm 0.0980665
        (6, "00000.28", "00000.30", "00000.35"),  # ozf in 0.00706155
        (8, "00000.40", "00000.42", "00000.50"),  # Ncm 0.01
        (9, "00040.00", "00042.37", "00050.00"),  # it is undocumented: as it is
    ):
        telegram = Record(61, 3, torque_unit=unit).decoded()
        spindle = telegram["spindles"][0]
        assert (spindle["torque_low"], spindle["torque"], spindle["torque_high"]) == (low, torque, high), unit
        assert spindle["angle"] == "000095.0"
        assert 60004 not in telegram["by_id"]


def test_torque_in_percent_is_sent_as_it_is_and_flagged():
    telegram = Record(61, 3, torque_unit=7).decoded()
    assert telegram["spindles"][0]["torque"] == "00042.37"
    assert values(telegram)[60004] == "%" and telegram["by_id"][60004]["name"] == "Torque unit"


def test_parameters_have_the_numbers_and_types_of_the_mapping():
    telegram = Record(batch_status=2, tightening_id=4294967295).decoded()
    expected = {
        30: ("Tightening ID", "4294967295", 0),  # a string, because it does not fit a signed integer
        1500: ("Job ID", "7", 1),
        100: ("Batch size", "6", 1),
        101: ("Batch counter", "4", 1),
        102: ("Batch status", "2", 1),
        1003: ("Pset last change", "2024-02-01:08:00:00", 0),
        60002: ("Limits", "UNKNOWN", 0),
        60001: ("Edge source", "LIVE", 0),
    }
    assert len(expected) == len(telegram["by_id"])
    for number in expected:
        parameter = telegram["by_id"][number]
        assert (parameter["name"], parameter["value"], parameter["type"]) == expected[number]
        assert (parameter["unit"], parameter["step"]) == ("", 0)


def test_field_that_is_blank_has_no_parameter():
    blank = dict.fromkeys(("job", "batch_size", "batch_counter", "batch_status", "tightening_id"))
    telegram = Record(pset_change="", **blank).decoded()
    assert sorted(telegram["by_id"]) == [60001, 60002]


def test_recovered_result_leaves_out_what_the_old_message_does_not_have():
    telegram = Record(65, 1).decoded(res.FLAG_RECOVERED)
    assert sorted(telegram["by_id"]) == [30, 101, 102, 60001, 60002]
    assert values(telegram)[60001] == "RECOVERED"
    spindle = telegram["spindles"][0]
    assert (spindle["torque"], spindle["angle"], spindle["overall"]) == ("00042.37", "000095.0", 1)
    assert (spindle["torque_status"], spindle["angle_status"], spindle["serial"]) == (0, 3, "")


def test_parameters_that_are_not_wanted_are_left_out():
    for bit, number in enumerate((30, 1500, 100, 101, 102, 1003, 60001)):
        telegram = Record().decoded(parameters=r04.PARAM_ALL & ~(1 << bit))
        assert number not in telegram["by_id"] and len(telegram["by_id"]) == 7
    assert sorted(Record().decoded(parameters=0)["by_id"]) == [60002]
    assert len(r04.PARAM_NAMES) == 7


def odd(limits=False, **fields):
    """Return a record that a careful reader has left odd in these fields."""
    record = Record(61, 3) if limits else Record()
    for name, text in fields.items():
        at = res.HEAD_BYTES + PLACES[name]
        record.octets[at : at + len(text)] = text
    return record


PLACES = {
    "JOB": res.JOB,
    "BATCH_STATUS": res.BATCH_STATUS,
    "TIGHTENING_STATUS": res.TIGHTENING_STATUS,
    "ANGLE_STATUS": res.ANGLE_STATUS,
    "TORQUE": res.TORQUE,
    "ANGLE": res.ANGLE,
    "TORQUE_MIN": res.BODY_BYTES + res.TORQUE_MIN,
    "ANGLE_MAX": res.BODY_BYTES + res.ANGLE_MAX,
    "TORQUE_UNIT": res.BODY_BYTES + res.TORQUE_UNIT,
    "ANGLE_DECIMALS": res.BODY_BYTES + res.ANGLE_DECIMALS,
}


def test_running_batch_goes_out_as_not_completed():
    record = odd(BATCH_STATUS=b"3")
    assert values(record.decoded())[102] == "0"
    writer = writer_of()
    for status in (b"3", b"1", b"3", b"2", b"0"):
        parameters = take_apart(odd(BATCH_STATUS=status).written(writer)[4:])[0]["parameters"]
        assert [p["value"] for p in parameters if p["parameter_id"] == 102] == [status.decode().replace("3", "0")]


def test_odd_fields_are_reported_beside_what_could_be_read():
    record = odd(TORQUE=b"12x456", TIGHTENING_STATUS=b"5", ANGLE_STATUS=b"x")
    telegram = record.decoded(res.FLAG_ODD)
    spindle = telegram["spindles"][0]
    assert values(telegram)[60006] == "torque 12x456, status 5, "[:25].strip()
    assert (spindle["overall"], spindle["torque"], spindle["angle_status"]) == (1, "00000.00", 1)
    assert 60006 not in Record().decoded()["by_id"]


def test_figure_or_status_that_is_absent_is_named_beside_the_zero_in_its_place():
    for fields, wanted in (
        ({"TORQUE": b"      "}, "no torque"),
        ({"ANGLE": b"     "}, "no angle"),
        ({"TIGHTENING_STATUS": b" "}, "no status"),
        ({"TORQUE": b"\0\0\0\0\0\0", "ANGLE": b"     ", "TIGHTENING_STATUS": b" "}, "no torque, angle, status"),
    ):
        for limits in (False, True):
            record = odd(limits, **fields)
            for flags in (0, res.FLAG_ODD):
                telegram = record.decoded(flags)
                assert values(telegram)[60006] == wanted
            writer = writer_of()
            for one in (record, Record(), record):
                parameters = take_apart(one.written(writer)[4:])[0]["parameters"]
                odd_fields = [p["value"] for p in parameters if p["parameter_id"] == 60006]
                assert odd_fields == ([wanted] if one is record else [])
    telegram = odd(TORQUE=b"12x456", ANGLE=b"     ").decoded(res.FLAG_ODD)
    assert values(telegram)[60006] == "torque 12x456, no angle"


def test_signs_and_decimals_stand_in_their_places():
    record = odd(True, TORQUE=b"-04237", ANGLE=b"-0123", ANGLE_MAX=b"12345", TORQUE_MIN=b"-00001", ANGLE_DECIMALS=b"2")
    spindle = record.decoded(res.FLAG_ODD)["spindles"][0]
    assert spindle["torque"] == "-0042.37" and spindle["torque_low"] == "-0000.01"
    assert spindle["angle"] == "-00001.2" and spindle["angle_high"] == "000123.4"


def test_negative_torque_in_another_unit_is_converted_with_its_sign():
    record = odd(True, TORQUE=b"-04237", TORQUE_UNIT=b"8")
    assert record.decoded(res.FLAG_ODD)["spindles"][0]["torque"] == "-0000.42"


def test_an_odd_result_leaves_nothing_to_the_next_one():
    writer = writer_of()
    plain = Record(61, 3)
    first = plain.written(writer)
    odd(True, TORQUE=b"-04237", JOB=b"a b ", ANGLE=b"-0123", ANGLE_DECIMALS=b"1").written(writer, res.FLAG_ODD)
    assert plain.written(writer) == first


def test_largest_result_fits_the_buffer_exactly():
    record = Record(61, 3, pset=0, torque_unit=7, result_type=3, torque_min=None, torque_max=None)
    record.put_serial(b"ABCDEFGHIJKLMN")
    octets = record.write(res.FLAG_EDGE_TIME | res.FLAG_RECOVERED | res.FLAG_ODD)
    telegram, breaches = take_apart(octets[4:])
    assert breaches == [] and len(telegram["parameters"]) == 14
    assert len(octets) == r04.RESULT_BYTES_MAX <= RESULT_BYTES


def test_buffer_too_small_for_the_largest_result_is_refused_at_the_start():
    try:
        r04.ResultWriter(bytearray(r04.RESULT_BYTES_MAX - 1), 3, 1)
    except ValueError as error:
        assert "1162" in str(error)
    else:
        assert False, "a buffer was taken that the largest result does not fit"


def test_a_writer_that_has_written_others_writes_what_a_new_one_does():
    # What two results have in common is not written again, so every pair of shapes has to be followed by either.
    dice = Dice(21)
    writer = writer_of()
    kinds = ((61, 999), (61, 1), (61, 2), (61, 3), (65, 1), (65, 2))
    for _ in range(300):
        fields = {}
        for name in ("job", "batch_size", "batch_counter", "batch_status", "tightening_id"):
            fields[name] = (None, 0, 1, 2)[dice.randrange(4)]
        fields["pset"] = (None, 0, 12, 13)[dice.randrange(4)]
        fields["torque"] = dice.randrange(1000000)
        fields["torque_unit"] = dice.randrange(9)
        fields["status"], fields["torque_status"] = dice.randrange(2), (None, 0, 1, 2)[dice.randrange(4)]
        fields["vin"] = (b"", b"WVWZZZ1KZAW123456", b"\xc3\xa4")[dice.randrange(3)]
        mid, revision = kinds[dice.randrange(len(kinds))] if dice.randrange(2) else (61, 999)
        record = Record(mid, revision, 10 + dice.randrange(2), 1 + dice.randrange(2), **fields)
        record.put_serial((b"", b"C3412129", b" ABCDEFGHIJKLM", b"ABCDEFGHIJKLMN")[dice.randrange(4)])
        if revision == 999 and dice.randrange(3) == 0:
            record.put_limits((dice.randrange(5000), 5000))
        flags = dice.randrange(4)
        assert record.written(writer, flags) == record.write(flags)
