"""A tightening out of MID 1201, its 1202 and their variable data fields: whole or not at all, and never out of two."""

from toolcart.agent.openprotocol import operation_result as op
from toolcart.agent.openprotocol.variable import decimal, read_fields
from toolcart.agent.record import PAYLOAD_MAX
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.malformed import INCOMPLETE, put_in_order
from toolcart.base.clock import START_TICKS, Dice
from toolcart.sim import operation_frames as frames
from toolcart.sim.operation_frames import data_field
from host_tests.support.frames import example_tightening, message

PORTABLE = True


def field(pid, value, unit=0, kind=4):
    return data_field(pid, kind, unit, value)


def read(*fields, **how):
    """Read these fields, some octets into a buffer; return (RESULT_, body)."""
    octets = ("%03d" % how.get("count", len(fields))).encode() + b"".join(fields)
    body = bytearray(b" " * (res.BODY_BYTES + res.LIMITS_BYTES))
    for index in range(res.TIME_BYTES):
        body[res.TIME + index] = 0
    result = read_fields(body, b"##" + octets + how.get("behind", b""), 2, 2 + len(octets) + how.get("more", 0))
    return result, bytes(body)


def piece(body, place, width):
    return body[place : place + width]


def torque(value, unit, kind=90):
    result, body = read(field(30237, value, unit, kind))
    return result, piece(body, res.TORQUE, 6)


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
        assert torque(value, unit) == (res.RESULT_READ, wanted), (unit, value)
    assert torque(b"42.379", 1, 3) == (res.RESULT_READ, b"004237")


def test_what_a_length_counts_behind_the_last_field_is_none_of_it():
    one = field(30237, b"12.05", 1, 90)
    for behind in (b"\0", b" ", b"\r\n", b"\n\0", b"\3"):
        assert read(one, behind=behind, more=len(behind)) == read(one), behind
    for behind in (b"x", b"\r\n0", b" \x7f"):
        assert read(one, behind=behind, more=len(behind))[0] == res.RESULT_UNREADABLE, behind


def test_torque_that_is_none_is_reported_and_left_out():
    for unit, value in (
        (0, b"00004.237e+1"),  # "None", which is not Nm
        (800, b"00004.237e+1"),
        (999, b"1"),
        (1, b"nan"),
        (5, b"00001.000e+9"),
        (1, b"1e999"),
        (1, b"1e9"),
    ):
        assert torque(value, unit) == (res.RESULT_UNREADABLE, b"      "), value
    assert torque(b"            ", 90) == (res.RESULT_READ, b"      ")
    assert torque(b"-0001.250e+2", 3) == (res.RESULT_ODD, b"-00125")
    assert torque(b"1e-999", 1) == (res.RESULT_READ, b"000000")


def test_angles_are_whole_degrees():
    for unit in (0, 50):
        result, body = read(field(30238, b"00001.239e+2", unit, 90))
        assert (result, piece(body, res.ANGLE, 5)) == (res.RESULT_READ, b"00123")
    assert read(field(30238, b"00001.239e+2", 51, 90))[0] == res.RESULT_ODD


def test_number_that_cannot_be_read_is_not_absent():
    for value, unit, wanted in (
        (b"9.5.7", 50, b"9.5.7"),
        (b"nan", 50, b"nan  "),
        (b"00001.205x+2", 50, b"000.."),
        (b"1e9", 50, b"1e9  "),
        (b"9999999", 50, b"999.."),
        (b"00095", 51, b"95.. "),  # of no unit of an angle
        (b"            ", 50, b"     "),
    ):
        result, body = read(field(30238, value, unit, 90))
        assert piece(body, res.ANGLE, 5) == wanted, value
        assert result == (res.RESULT_ODD if value.strip() else res.RESULT_READ), value
    limit = res.BODY_BYTES + res.TORQUE_MAX
    assert piece(read(field(2002, b"1.2.3", 1, 90))[1], limit, 6) == b"1.2.3 "


def test_number_or_status_that_comes_twice_with_two_values_is_neither():
    angle, status, maximum = (res.ANGLE, 5), (res.ANGLE_STATUS, 1), (LIMITS + res.TORQUE_MAX, 6)
    for fields, place, wanted in (
        ((field(2011, b"81", 50), field(2011, b"7", 50)), angle, b"81/7 "),
        ((field(2011, b"81", 50), field(2011, b"7", 50), field(2011, b"7", 50)), angle, b"81/.."),
        ((field(2011, b"12345", 50), field(2011, b"7", 50)), angle, b"123.."),
        ((field(2011, b"81", 50), field(2011, b"XX", 50)), angle, b"81/XX"),
        ((field(2011, b"XX", 50), field(2011, b"81", 50)), angle, b"XX/81"),
        ((field(1403, b"1"), field(1403, b"0")), status, b"?"),
        ((field(1403, b"1"), field(1403, b"0"), field(1403, b"0")), status, b"?"),
        ((field(1403, b"1"), field(1403, b"X")), status, b"?"),
        ((field(30242, b"1"), field(30242, b"0")), status, b"?"),
        ((field(2002, b"1.00", 1), field(2002, b"2.00", 1)), maximum, b"100/.."),
    ):
        code, body = read(*fields)
        assert (code, piece(body, *place)) == (res.RESULT_ODD, wanted), fields
    for fields, place, wanted in (
        ((field(2011, b"81", 50), field(2011, b"81.2", 50)), angle, b"00081"),
        ((field(2011, b"81", 50), field(2011, b"  ", 50)), angle, b"00081"),
        ((field(2011, b"81", 50), data_field(2011, 4, 50, b"7", 3)), angle, b"00081"),
        ((field(1403, b"1"), field(1403, b"1")), status, b"1"),
        ((field(2001, b"1.00", 1), field(2001, b"1.00", 1)), (res.TORQUE, 6), b"000100"),
    ):
        code, body = read(*fields)
        assert (code, piece(body, *place)) == (res.RESULT_READ, wanted), fields
    assert read(field(2001, b"1.00", 1), field(2001, b"2.00", 1))[0] == res.RESULT_UNREADABLE
    assert read(field(2001, b"1.00", 1), field(2001, b"X", 1))[0] == res.RESULT_UNREADABLE


def test_every_number_of_the_documents_has_its_place():
    for pid, value, unit, place, wanted in (
        (10, b"WVWZZZ1KZAW123456", 0, res.VIN, b"WVWZZZ1KZAW123456        "),
        (11, b"PALLET", 0, res.VIN, b"PALLET                   "),
        (30245, b" SN-1 ", 0, res.VIN, b"SN-1                     "),
        (100, b"0006", 0, res.BATCH_SIZE, b"0006"),
        (30228, b"006", 0, res.BATCH_SIZE, b"0006"),
        (101, b"04", 0, res.BATCH_COUNTER, b"0004"),
        (30229, b"004", 0, res.BATCH_COUNTER, b"0004"),
        (1000, b"00000000012", 0, res.PSET, b"0012"),
        (30216, b"12", 0, res.PSET, b"0012"),
        (1500, b"7", 0, res.JOB, b"0007"),
        (30221, b"00007", 0, res.JOB, b"0007"),
        (1202, b"C3412129", 0, res.SERIAL, b"C3412129      "),
        (30214, b"C3412129", 0, res.SERIAL, b"C3412129      "),
        (1003, b"2024-02-01:08:00:00", 0, res.PSET_CHANGE, b"2024-02-01:08:00:00"),
        (30220, b"2024-02-01:08:00:00", 0, res.PSET_CHANGE, b"2024-02-01:08:00:00"),
        (2001, b"42.37", 1, res.TORQUE, b"004237"),
        (2011, b"95", 50, res.ANGLE, b"00095"),
        (2000, b"45.00", 1, LIMITS + res.TORQUE_TARGET, b"004500"),
        (2002, b"50.00", 1, LIMITS + res.TORQUE_MAX, b"005000"),
        (2003, b"40.00", 1, LIMITS + res.TORQUE_MIN, b"004000"),
        (2010, b"75", 50, LIMITS + res.ANGLE_TARGET, b"00075"),
        (2012, b"90", 50, LIMITS + res.ANGLE_MAX, b"00090"),
        (2013, b"60", 50, LIMITS + res.ANGLE_MIN, b"00060"),
        (30255, b"00005.000e+4", 90, LIMITS + res.TORQUE_MAX, b"005000"),
        (30256, b"00004.000e+4", 90, LIMITS + res.TORQUE_MIN, b"004000"),
        (30257, b"00009.000e+1", 50, LIMITS + res.ANGLE_MAX, b"00090"),
        (30258, b"00006.000e+1", 50, LIMITS + res.ANGLE_MIN, b"00060"),
        (30201, b"2", 0, LIMITS + res.RESULT_TYPE, b"02"),
        (1039, b"3", 0, LIMITS + res.RESULT_TYPE, b"07"),
        (30201, b"3", 0, LIMITS + res.RESULT_TYPE, b"  "),
    ):
        result, body = read(field(pid, value, unit))
        assert (result, piece(body, place, len(wanted))) == (res.RESULT_READ, wanted), pid
    assert read(field(30203, b"2024-03-14:09:26:53"))[1][res.TIME] == 0x20


def test_no_octets_whatever_are_read_beyond_the_message_or_raise():
    dice = Dice(7)
    fields = (field(30216, b"12"), field(30237, b"00004.237e+4", 90, 90), field(30245, b"VIN"), field(30241, b"3"))
    octets = bytearray(b"004" + b"".join(fields))
    for place in range(len(octets)):
        for value in (0, 0x20, 0x2D, 0x30, 0x39, 0x41, 0xFF, dice.randrange(256)):
            spoiled = bytearray(octets)
            spoiled[place] = value
            body = bytearray(res.BODY_BYTES + res.LIMITS_BYTES)
            result = read_fields(body, spoiled, 0, len(spoiled))
            assert result in (res.RESULT_READ, res.RESULT_PADDED, res.RESULT_ODD, res.RESULT_UNREADABLE)
            assert len(body) == res.BODY_BYTES + res.LIMITS_BYTES


HEAP = "2m"

LIMITS = res.BODY_BYTES
TIME = b"\x20\x24\x03\x14\x09\x26\x53"


def overall(revision=1, total=2, **values):
    return message(1201, frames.overall_data(example_tightening(**values), revision, total), revision)


def part(revision=1, total=2, number=2, **values):
    result = example_tightening(**values)
    return message(1202, frames.object_data(result, revision, frames.own_fields(result), total, number), revision)


def give(operation, frame, now=START_TICKS):
    """Give one message that lies in the middle of a buffer."""
    return operation.take(b"#9" + frame + b"9#", 2, len(frame), int(frame[4:8]), int(frame[8:11]), now)


def test_part_that_came_before_is_reported_and_changes_nothing():
    operation = op.OperationResult()
    give(operation, overall())
    assert give(operation, part()) == op.PART_WHOLE
    body = bytes(operation.body)
    assert give(operation, part()) == op.PART_AGAIN
    assert give(operation, part(torque=1)) == op.PART_FOREIGN  # another one of its number
    assert bytes(operation.body) == body and not operation.lost
    give(operation, overall(total=3))
    assert give(operation, overall(total=3)) == op.PART_AGAIN and not operation.lost
    assert give(operation, part(total=3)) == op.PART_KEPT
    assert give(operation, part(total=3)) == op.PART_AGAIN
    for other in (part(total=3, torque=1), part(total=4, number=3), part(total=3, number=4)):
        assert give(operation, other) == op.PART_FOREIGN
    assert give(operation, part(total=3, number=3)) == op.PART_WHOLE


def test_another_result_gives_up_what_was_begun():
    operation = op.OperationResult()
    give(operation, overall())
    assert give(operation, overall(tightening_id=1234568)) == op.PART_KEPT and operation.lost
    assert operation.lost_id == b"0001234567"
    operation.lost = False
    assert give(operation, part(tightening_id=1234568)) == op.PART_WHOLE and not operation.lost
    assert operation.body[res.TIGHTENING_ID :][:10] == b"0001234568"


def orders_of(items):
    """Return these in every order."""
    if not items:
        return [[]]
    return [[one] + rest for index, one in enumerate(items) for rest in orders_of(items[:index] + items[index + 1 :])]


def test_parts_become_whole_in_any_order():
    first = several(revision=2)
    others = [of_object(2 + index, OBJECTS[index][0], torque=100 + index) for index in range(3)]
    wanted = op.OperationResult()
    for frame in [first] + others:
        state = give(wanted, frame)
    assert state == op.PART_WHOLE and wanted.result_code == res.RESULT_READ and len(rows_of(wanted)) == 3
    for order in orders_of([first] + others):
        operation = op.OperationResult()
        states = [give(operation, frame) for frame in order]
        assert states == [op.PART_KEPT] * 3 + [op.PART_WHOLE]
        assert bytes(operation.body) == bytes(wanted.body) and operation.result_code == res.RESULT_READ


def test_what_comes_in_front_of_its_overall_result_is_held_as_far_as_there_is_room():
    operation = op.OperationResult()
    operation.most = 300
    assert len(of_object(2, 1)) < 8 * 300 < 5 * len(of_object(2, 1))
    states = [give(operation, of_object(number, 100 + number, total=9)) for number in range(2, 10)]
    assert states[0] == op.PART_KEPT and states[-1] == op.PART_FOREIGN
    wide = of_object(2, 1, total=2)
    operation.most = len(wide) // 8 - 1
    assert give(op.OperationResult(), wide) == op.PART_KEPT and give(operation, wide) == op.PART_FOREIGN


def test_damaged_object_that_comes_first_is_told_then():
    operation = op.OperationResult()
    damaged = of_object(2, OBJECTS[0][0])
    damaged = b"%04d" % (len(damaged) - 1) + damaged[4:-1]
    assert give(operation, damaged) == op.PART_KEPT and operation.damaged
    for index in (1, 2):
        assert give(operation, of_object(2 + index, OBJECTS[index][0])) == op.PART_KEPT and not operation.damaged
    assert give(operation, several()) == op.PART_WHOLE and not operation.damaged
    assert operation.result_code == res.RESULT_ODD and len(rows_of(operation)) == 2


def test_object_without_a_row_that_comes_first_is_left_to_whoever_keeps_it():
    operation = op.OperationResult()
    foreign = of_object(2, 77)
    for frame in (foreign, of_object(3, 1), of_object(4, 9999)):
        assert give(operation, frame) == op.PART_KEPT and not operation.unplaced
    assert give(operation, several()) == op.PART_WHOLE and operation.spilled == [foreign]
    assert len(rows_of(operation)) == 2 and operation.result_code == res.RESULT_ODD


OBJECTS = ((100, 1, 4, 1), (1, 0, 2, 0), (9999, 1, 5, 100))


def several(revision=3, objects=OBJECTS, total=None):
    result = example_tightening()
    total = 1 + len(objects) if total is None else total
    return message(1201, frames.overall_data(result, revision, total, objects=objects), revision)


def of_object(number, ident, revision=1, total=4, **values):
    result = example_tightening(**values)
    fields = frames.standard_fields(result)
    return message(1202, frames.object_data(result, revision, fields, total, number, ident), revision)


def payload_of(operation):
    return bytearray(res.HEAD_BYTES) + operation.body


def rows_of(operation):
    return sp.rows_of(payload_of(operation), 0)


def test_result_of_one_object_after_one_of_several_has_no_rows():
    operation = op.OperationResult()
    give(operation, several())
    give(operation, overall())
    assert give(operation, part()) == op.PART_WHOLE
    assert len(operation.body) == LIMITS + res.LIMITS_BYTES and operation.result_code == res.RESULT_READ


def test_objects_without_room_are_left_out_and_reported():
    objects = [(number, 1, 2, 0) for number in range(1, 13)]
    operation = op.OperationResult()
    give(operation, several(objects=objects))
    for number in range(2, 14):
        state = give(operation, of_object(number, number - 1, total=13, torque=number))
    assert state == op.PART_WHOLE and operation.result_code == res.RESULT_ODD
    payload = payload_of(operation)
    assert len(payload) <= PAYLOAD_MAX and sp.announced_of(payload, 0) == 12
    assert [row.torque for row in rows_of(operation)] == ["0.%02d" % number for number in range(2, 10)]
    frame = several(objects=objects)
    for octets in range(68, len(frame)):  # the list ends early
        assert give(operation, frame[:octets]) == op.PART_KEPT and operation.result_code == res.RESULT_ODD


def test_time_comes_from_the_object_where_the_operation_has_none():
    operation = op.OperationResult()
    give(operation, overall(time=" " * 19))
    give(operation, part())
    assert operation.body[res.TIME : res.PSET_CHANGE] == TIME


def test_overall_status_that_is_none_is_taken_from_no_object():
    for revision in (1, 2, 3):
        for octet, words in ((b"9", "status 9"), (b"2", "status 2"), (b"X", "status X"), (b"-", "status -")):
            check_overall_status(revision, octet, words, octet)
        for octet in (b" ", b"\0"):
            check_overall_status(revision, octet, "", b" ")


def check_overall_status(revision, octet, words, kept):
    """Whatever the objects say, and in any order, the body has this as the status, and says these words of it."""
    for listed in (((1, 1, 2, 0),), OBJECTS):
        data = frames.overall_data(example_tightening(), revision, 1 + len(listed), objects=listed)
        first = message(1201, data[:35] + octet + data[36:], revision)
        parts = [of_object(2 + at, listed[at][0], total=1 + len(listed)) for at in range(len(listed))]
        for order in ([first] + parts, parts + [first]):
            operation = op.OperationResult()
            for one in order:
                state = give(operation, one)
            page = payload_of(operation)
            assert state == op.PART_WHOLE and operation.result_code == res.RESULT_ODD
            assert operation.body[res.TIGHTENING_STATUS : res.TORQUE_STATUS] == kept
            assert put_in_order(page, len(page))[1] == words


def test_a_status_of_an_object_that_is_none_stays_as_it_came():
    for value, kept in (
        (b"0", b"0"),
        (b"2", b"2"),
        (b"9", b"9"),
        (b"X", b"X"),
        (b"12", b"?"),
        (b"", b" "),
        (b"3", b"?"),
    ):
        assert piece(read(field(1402, value))[1], res.TORQUE_STATUS, 1) == kept or value == b"3"
        objects = [(1, 1, 2, 0), (2, 1, 2, 0)]
        operation = op.OperationResult()
        give(operation, several(objects=objects))
        give(operation, of_object(2, 1, total=3))
        result = example_tightening()
        fields = [one for one in frames.standard_fields(result) if one[0] not in (1402, 1403)]
        fields += [(1402, 1, 0, value), (1403, 1, 0, value)]
        give(operation, message(1202, frames.object_data(result, 1, fields, 3, 3, 2), 1))
        row = rows_of(operation)[1]
        assert bytes((row.torque_status, row.angle_status)) == kept * 2, value


def test_unknown_revisions_and_short_messages_are_unreadable():
    operation = op.OperationResult()
    assert give(operation, overall(1)[:8] + b"004" + overall(1)[11:]) == op.PART_UNREADABLE
    for octets in range(20, 61):
        assert give(operation, overall(1)[:octets]) == op.PART_UNREADABLE
    give(operation, overall())
    assert give(operation, part(1)[:8] + b"003" + part(1)[11:]) == op.PART_UNREADABLE
    for octets in range(20, 43):
        assert give(operation, part(1)[:octets]) == op.PART_UNREADABLE
    assert give(operation, part()) == op.PART_WHOLE


def test_result_whose_first_part_is_damaged_is_marked():
    whole, damaged = op.OperationResult(), op.OperationResult()
    give(whole, overall())
    assert give(whole, part()) == op.PART_WHOLE
    assert not whole.body[res.BODY_BYTES + res.ANGLE_DECIMALS] & INCOMPLETE
    first = overall()
    assert give(damaged, b"%04d" % (len(first) - 1) + first[4:-1]) == op.PART_KEPT and damaged.damaged
    assert give(damaged, part()) == op.PART_WHOLE
    page = bytearray(res.HEAD_BYTES) + damaged.body
    assert damaged.result_code == res.RESULT_ODD and put_in_order(page, len(page))[1] == "incomplete"


def test_every_spoiled_octet_is_reported_or_harmless_and_never_raises():
    dice = Dice(3)
    first, second = overall(2), part(2)
    for place in range(20, len(first) + len(second)):
        if len(first) <= place < len(first) + 20:
            continue
        for value in (0, 0x20, 0x39, 0x58, dice.randrange(256)):
            spoiled = bytearray(first + second)
            spoiled[place] = value
            operation = op.OperationResult()
            result = give(operation, bytes(spoiled[: len(first)]))
            assert result in (op.PART_KEPT, op.PART_WHOLE, op.PART_UNREADABLE)
            again = give(operation, bytes(spoiled[len(first) :]))
            if result == op.PART_KEPT and again == op.PART_WHOLE:
                assert operation.result_code != res.RESULT_UNREADABLE or operation.damaged
                several = sp.SYNC_HEAD_BYTES + sp.OBJECTS_ROW_BYTES
                assert len(operation.body) in (LIMITS + res.LIMITS_BYTES, LIMITS + res.LIMITS_BYTES + several)
