"""Variable data fields become a result's body: units without a float, statuses renumbered, lies told, not followed."""

from toolcart.agent.openprotocol.variable import decimal, read_fields
from toolcart.agent.record import result as r
from toolcart.base.clock import Dice
from toolcart.sim.result_frames import data_field

PORTABLE = True

LIMITS = r.BODY_BYTES


def field(pid, value, unit=0, kind=4, step=0):
    return data_field(pid, kind, unit, value, step)


def read(*fields, **how):
    """Read these fields, some octets into a buffer; return (RESULT_, body)."""
    octets = ("%03d" % how.get("count", len(fields))).encode() + b"".join(fields)
    body = bytearray(b" " * (r.BODY_BYTES + r.LIMITS_BYTES))
    for index in range(r.TIME_BYTES):
        body[r.TIME + index] = 0
    found = read_fields(body, b"##" + octets + how.get("behind", b""), 2, 2 + len(octets) + how.get("more", 0))
    return found, bytes(body)


def part(body, place, width):
    return body[place : place + width]


def torque(value, unit, kind=90):
    found, body = read(field(30237, value, unit, kind))
    return found, part(body, r.TORQUE, 6)


def test_figures_with_exponents_of_every_form_are_whole_numbers():
    for text, value in (
        (b"00001.234e+2", (1234, -1)),
        (b"0001.234e+02", (1234, -1)),
        (b"001.234e+002", (1234, -1)),
        (b"1.234E-1", (1234, -4)),
        (b"-0001.234e+2", (-1234, -1)),
        (b"0.000854", (854, -6)),
        (b"  12", (12, 0)),
        (b"12\0\0", (12, 0)),
        (b"5.", (5, 0)),
        (b"00000.000e+0", (0, -3)),
    ):
        assert decimal(b"x" + text, 1, len(text)) == value, text
    for text in (
        b"",
        b"1.#INF",
        b"nan",
        b"1e",
        b"1e+",
        b"e+2",
        b"1e+2222",
        b"1.2.3",
        b"-",
        b"1-2",
        b"1" * 33,
        b"1e2e3",
    ):
        assert decimal(text, 0, len(text)) is None, text


def test_torque_is_hundredths_of_nm_in_every_unit():
    for unit, value, wanted in (
        (90, b"00004.237e+4", b"004237"),
        (12, b"00004.237e+4", b"004237"),
        (1, b"00004.237e+1", b"004237"),
        (0, b"00004.237e+1", b"004237"),
        (3, b"00004.237e+3", b"004237"),
        (4, b"00004.237e-2", b"004237"),
        (5, b"00004.237e-5", b"004237"),
        (11, b"00004.237e+2", b"004237"),
        (2, b"00003.000e+1", b"004067"),  # 30 ft-lbf are 40.67 Nm
        (6, b"00001.000e+2", b"001129"),  # 100 in-lbf are 11.298 Nm
        (7, b"00001.000e+0", b"000980"),
        (10, b"00001.000e+2", b"000070"),
        (13, b"00001.000e+2", b"000980"),
        (14, b"00001.000e+5", b"000980"),
        (15, b"00001.000e+2", b"000847"),
        (90, b"00003.590e+1", b"000003"),  # 35.9 mNm: cut off
        (90, b"00000.000e+0", b"000000"),
    ):
        assert torque(value, unit) == (r.RESULT_READ, wanted), (unit, value)
    assert torque(b"42.379", 1, 3) == (r.RESULT_READ, b"004237")


def test_torque_that_is_none_is_told_and_left_out():
    for unit, value in (
        (800, b"00004.237e+1"),
        (999, b"1"),
        (1, b"nan"),
        (5, b"00001.000e+9"),
        (1, b"1e999"),
        (1, b"1e9"),
    ):
        assert torque(value, unit) == (r.RESULT_ODD, b"      "), value
    assert torque(b"            ", 90) == (r.RESULT_READ, b"      ")
    assert torque(b"-0001.250e+2", 3) == (r.RESULT_ODD, b"-00125")
    assert torque(b"1e-999", 1) == (r.RESULT_READ, b"000000")


def test_angles_are_whole_degrees():
    for unit in (0, 50):
        found, body = read(field(30238, b"00001.239e+2", unit, 90))
        assert (found, part(body, r.ANGLE, 5)) == (r.RESULT_READ, b"00123")
    assert read(field(30238, b"00001.239e+2", 51, 90))[0] == r.RESULT_ODD


def test_every_number_of_the_documents_has_its_place():
    for pid, value, unit, place, wanted in (
        (10, b"WVWZZZ1KZAW123456", 0, r.VIN, b"WVWZZZ1KZAW123456        "),
        (11, b"PALLET", 0, r.VIN, b"PALLET                   "),
        (30245, b" SN-1 ", 0, r.VIN, b"SN-1                     "),
        (100, b"0006", 0, r.BATCH_SIZE, b"0006"),
        (30228, b"006", 0, r.BATCH_SIZE, b"0006"),
        (101, b"04", 0, r.BATCH_COUNTER, b"0004"),
        (30229, b"004", 0, r.BATCH_COUNTER, b"0004"),
        (1000, b"00000000012", 0, r.PSET, b"0012"),
        (30216, b"12", 0, r.PSET, b"0012"),
        (1500, b"7", 0, r.JOB, b"0007"),
        (30221, b"00007", 0, r.JOB, b"0007"),
        (1202, b"C3412129", 0, r.SERIAL, b"C3412129      "),
        (30214, b"C3412129", 0, r.SERIAL, b"C3412129      "),
        (1003, b"2024-02-01:08:00:00", 0, r.PSET_CHANGE, b"2024-02-01:08:00:00"),
        (30220, b"2024-02-01:08:00:00", 0, r.PSET_CHANGE, b"2024-02-01:08:00:00"),
        (2001, b"42.37", 1, r.TORQUE, b"004237"),
        (2011, b"95", 50, r.ANGLE, b"00095"),
        (2000, b"45.00", 1, LIMITS + r.TORQUE_TARGET, b"004500"),
        (2002, b"50.00", 1, LIMITS + r.TORQUE_MAX, b"005000"),
        (2003, b"40.00", 1, LIMITS + r.TORQUE_MIN, b"004000"),
        (2010, b"75", 50, LIMITS + r.ANGLE_TARGET, b"00075"),
        (2012, b"90", 50, LIMITS + r.ANGLE_MAX, b"00090"),
        (2013, b"60", 50, LIMITS + r.ANGLE_MIN, b"00060"),
        (30255, b"00005.000e+4", 90, LIMITS + r.TORQUE_MAX, b"005000"),
        (30256, b"00004.000e+4", 90, LIMITS + r.TORQUE_MIN, b"004000"),
        (30257, b"00009.000e+1", 50, LIMITS + r.ANGLE_MAX, b"00090"),
        (30258, b"00006.000e+1", 50, LIMITS + r.ANGLE_MIN, b"00060"),
        (30201, b"2", 0, LIMITS + r.RESULT_TYPE, b"02"),
        (1039, b"3", 0, LIMITS + r.RESULT_TYPE, b"07"),
        (30201, b"3", 0, LIMITS + r.RESULT_TYPE, b"  "),
    ):
        found, body = read(field(pid, value, unit))
        assert (found, part(body, place, len(wanted))) == (r.RESULT_READ, wanted), pid
    assert read(field(30203, b"2024-03-14:09:26:53"))[1][r.TIME] == 0x20


def test_no_octets_whatever_are_read_beyond_the_message_or_raise():
    dice = Dice(7)
    fields = (field(30216, b"12"), field(30237, b"00004.237e+4", 90, 90), field(30245, b"VIN"), field(30241, b"3"))
    octets = bytearray(b"004" + b"".join(fields))
    for place in range(len(octets)):
        for value in (0, 0x20, 0x2D, 0x30, 0x39, 0x41, 0xFF, dice.randrange(256)):
            spoiled = bytearray(octets)
            spoiled[place] = value
            body = bytearray(r.BODY_BYTES + r.LIMITS_BYTES)
            assert read_fields(body, spoiled, 0, len(spoiled)) in (r.RESULT_READ, r.RESULT_PADDED, r.RESULT_ODD)
            assert len(body) == r.BODY_BYTES + r.LIMITS_BYTES
