"""A tightening out of one MID 1201 and its 1202: whole or not at all, and never out of two."""

from toolcart.agent.base.ticks import ticks_add
from toolcart.agent.openprotocol import operation as op
from toolcart.agent.record import PAYLOAD_MAX
from toolcart.agent.record import result as r
from toolcart.agent.record import spindles as sp
from toolcart.base.clock import START_TICKS, Dice
from toolcart.sim import operation_frames as frames
from host_tests.support.frames import example_tightening, message

PORTABLE = True

LIMITS = r.BODY_BYTES
TIME = b"\x20\x24\x03\x14\x09\x26\x53"


def overall(revision=1, total=2, asked_with=8, fields=(), **values):
    return message(
        1201, frames.overall_data(example_tightening(**values), revision, total, asked_with, fields), revision
    )


def part(revision=1, total=2, number=2, fields=None, **values):
    result = example_tightening(**values)
    fields = frames.own_fields(result) if fields is None else fields
    return message(1202, frames.object_data(result, revision, fields, total, number), revision)


def give(operation, frame, now=START_TICKS):
    """Give one message that lies in the middle of a buffer."""
    return operation.take(b"#9" + frame + b"9#", 2, len(frame), int(frame[4:8]), int(frame[8:11]), now)


def test_worked_example_is_read_in_every_revision():
    for revision in (1, 2, 3):
        for object_revision in (1, 2):
            operation = op.Operation()
            assert give(operation, overall(revision)) == op.PART_KEPT
            assert give(operation, part(object_revision)) == op.PART_WHOLE
            body = bytes(operation.body)
            assert operation.found == r.RESULT_READ and not operation.lost and not operation.under_way
            assert operation.asked_with == (0 if revision == 1 else 8)
            assert body[:51] == b"WVWZZZ1KZAW123456        0007001200060004" + b" 012" + b"004237"
            assert body[r.ANGLE : r.TIME] == b"00095"
            assert body[r.TIME : r.PSET_CHANGE] == TIME
            assert body[r.PSET_CHANGE : LIMITS] == b"2024-02-01:08:00:00" + b"0001234567" + b"C3412129      "
            assert body[LIMITS:] == b"005000004000"[6:] + b"005000      " + b"0006000090     " + b"101 "


def test_standard_fields_give_the_same_body_and_more():
    own, standard = op.Operation(), op.Operation()
    result = example_tightening()
    for operation, fields in ((own, frames.own_fields(result)), (standard, frames.standard_fields(result))):
        give(operation, overall())
        assert give(operation, part(fields=fields)) == op.PART_WHOLE and operation.found == r.RESULT_READ
    for start, end in ((0, r.BATCH_STATUS), (r.TIGHTENING_STATUS, LIMITS + r.TORQUE_TARGET)):
        assert own.body[start:end] == standard.body[start:end]
    assert standard.body[r.BATCH_STATUS] == 0x30 and standard.body[LIMITS + r.TORQUE_TARGET :][:6] == b"004500"


def test_fields_of_first_message_count_too_and_one_without_objects_is_whole():
    operation = op.Operation()
    assert give(operation, overall(total=1, fields=((10, 4, 0, "BY THE FIRST"),))) == op.PART_WHOLE
    assert operation.body[:12] == b"BY THE FIRST" and operation.found == r.RESULT_READ


def test_part_that_came_before_is_told_and_changes_nothing():
    operation = op.Operation()
    give(operation, overall())
    assert give(operation, part()) == op.PART_WHOLE
    body = bytes(operation.body)
    assert give(operation, part(torque=1)) == op.PART_AGAIN
    assert bytes(operation.body) == body and not operation.lost
    give(operation, overall(total=3))
    assert give(operation, part(total=3)) == op.PART_KEPT
    assert give(operation, part(total=3)) == op.PART_AGAIN
    assert give(operation, part(total=3, number=3)) == op.PART_WHOLE


def test_foreign_part_is_told_and_what_waits_goes_on_waiting():
    operation = op.Operation()
    assert give(operation, part()) == op.PART_FOREIGN
    give(operation, overall())
    body = bytes(operation.body)
    assert give(operation, part(tightening_id=7)) == op.PART_FOREIGN
    assert give(operation, part(total=3)) == op.PART_FOREIGN
    assert bytes(operation.body) == body and not operation.lost
    assert give(operation, part()) == op.PART_WHOLE


def test_lost_part_gives_up_what_was_begun():
    operation = op.Operation()
    give(operation, overall())
    assert give(operation, overall(tightening_id=1234568)) == op.PART_KEPT and operation.lost
    operation.lost = False
    assert give(operation, part(tightening_id=1234568)) == op.PART_WHOLE and not operation.lost
    assert operation.body[r.TIGHTENING_ID :][:10] == b"0001234568"
    give(operation, overall(total=3))
    assert give(operation, part(total=3, number=3)) == op.PART_FOREIGN and operation.lost
    assert give(operation, part(total=3)) != op.PART_WHOLE


def test_part_that_does_not_come_is_late():
    operation = op.Operation()
    give(operation, overall())
    assert not operation.is_late(ticks_add(START_TICKS, op.WAIT_MS - 1))
    assert not operation.is_late(ticks_add(START_TICKS, op.WAIT_MS - 1))
    give(operation, part(tightening_id=7), ticks_add(START_TICKS, 9000))  # is none of it
    assert operation.is_late(ticks_add(START_TICKS, op.WAIT_MS))
    operation.give_up()
    assert operation.lost and not operation.is_late(ticks_add(START_TICKS, op.WAIT_MS + 1))
    give(operation, overall())
    give(operation, part())
    assert not operation.is_late(ticks_add(START_TICKS, 100000))


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
    return bytearray(r.HEAD_BYTES) + operation.body


def rows_of(operation):
    return sp.rows_of(payload_of(operation), 0)


def test_every_object_is_a_row_and_the_first_one_the_body():
    for revision in (1, 2, 3):
        operation = op.Operation()
        assert give(operation, several(revision)) == op.PART_KEPT
        assert give(operation, of_object(2, 100, torque=1250, angle=7, torque_status=0)) == op.PART_KEPT
        assert give(operation, of_object(3, 1, torque=4237, vin=b"NOT THE FIRST")) == op.PART_KEPT
        assert give(operation, of_object(4, 9999, 2, torque=99999, angle_max=360, angle_status=1)) == op.PART_WHOLE
        assert operation.found == r.RESULT_READ
        body = operation.body
        assert bytes(body[r.TORQUE : r.TIME]) == b"00125000007" and body[r.TIGHTENING_STATUS] == 0x30
        assert bytes(body[:17]) == b"WVWZZZ1KZAW123456" and bytes(body[LIMITS : LIMITS + 6]) == b"004000"
        rows = rows_of(operation)
        assert [row.number for row in rows] == [100, 1, 9999] and sp.told_of(payload_of(operation), 0) == 3
        assert [chr(row.status) for row in rows] == ["1", "0", "1"]
        assert [(row.torque, row.angle) for row in rows] == [("12.50", "7"), ("42.37", "95"), ("999.99", "95")]
        assert [chr(row.torque_status) + chr(row.angle_status) for row in rows] == ["02", "12", "11"]
        assert [row.angle_max for row in rows] == ["90", "90", "360"] and rows[2].torque_min == "40.00"


def test_objects_are_told_by_their_place_then_by_their_id():
    operation = op.Operation()
    give(operation, several(objects=((7, 1, 0, 0), (7, 1, 0, 0), (8, 0, 0, 0))))
    give(operation, of_object(2, 7, torque=100))
    give(operation, of_object(3, 7, torque=200))
    assert give(operation, of_object(4, 8, torque=300)) == op.PART_WHOLE and operation.found == r.RESULT_READ
    assert [row.torque for row in rows_of(operation)] == ["1.00", "2.00", "3.00"]
    give(operation, several(objects=((7, 1, 0, 0), (8, 1, 0, 0))))
    give(operation, of_object(2, 8, total=3, torque=200))
    assert give(operation, of_object(3, 7, total=3, torque=100)) == op.PART_WHOLE
    assert [row.torque for row in rows_of(operation)] == ["1.00", "2.00"] and operation.found == r.RESULT_READ
    assert bytes(operation.body[r.TORQUE : r.ANGLE]) == b"000100"
    give(operation, several(objects=((7, 1, 0, 0), (8, 1, 0, 0))))
    give(operation, of_object(2, 7, total=3))
    assert give(operation, of_object(3, 9, total=3)) == op.PART_WHOLE and operation.found == r.RESULT_ODD


def test_object_without_its_message_is_a_row_without_figures():
    operation = op.Operation()
    assert give(operation, several(total=1)) == op.PART_WHOLE and operation.found == r.RESULT_READ
    rows = rows_of(operation)
    assert [(row.number, chr(row.status), row.torque, row.angle_max) for row in rows] == [
        (100, "1", "", ""),
        (1, "0", "", ""),
        (9999, "1", "", ""),
    ]


def test_result_of_one_object_behind_one_of_several_has_no_rows():
    operation = op.Operation()
    give(operation, several())
    give(operation, overall())
    assert give(operation, part()) == op.PART_WHOLE
    assert len(operation.body) == LIMITS + r.LIMITS_BYTES and operation.found == r.RESULT_READ


def test_more_messages_than_objects_are_told_and_the_first_one_kept():
    operation = op.Operation()
    give(operation, overall(total=3))
    give(operation, part(total=3))
    assert give(operation, part(total=3, number=3, torque=1)) == op.PART_WHOLE
    assert operation.found == r.RESULT_ODD and operation.body[r.TORQUE : r.ANGLE] == b"004237"


def test_objects_without_room_are_left_out_and_said():
    objects = [(number, 1, 2, 0) for number in range(1, 13)]
    operation = op.Operation()
    give(operation, several(objects=objects))
    for number in range(2, 14):
        found = give(operation, of_object(number, number - 1, total=13, torque=number))
    assert found == op.PART_WHOLE and operation.found == r.RESULT_ODD
    payload = payload_of(operation)
    assert len(payload) <= PAYLOAD_MAX and sp.told_of(payload, 0) == 12
    assert [row.torque for row in rows_of(operation)] == ["0.%02d" % number for number in range(2, 10)]
    frame = several(objects=objects)
    for octets in range(68, len(frame)):  # the list ends early
        assert give(operation, frame[:octets]) == op.PART_KEPT and operation.found == r.RESULT_ODD


def test_status_of_the_operation_is_that_of_the_result():
    operation = op.Operation()
    give(operation, overall(status=0))
    give(operation, part(fields=((1400, 1, 0, "1"),)))
    assert operation.body[r.TIGHTENING_STATUS] == 0x30 and operation.found == r.RESULT_READ
    spoiled = bytearray(overall())
    spoiled[55] = 0x20
    give(operation, bytes(spoiled))
    give(operation, part(fields=((1400, 1, 0, "1"),)))
    assert operation.body[r.TIGHTENING_STATUS] == 0x31 and operation.found == r.RESULT_ODD


def test_time_comes_from_the_object_where_the_operation_has_none():
    operation = op.Operation()
    give(operation, overall(time=" " * 19))
    give(operation, part())
    assert operation.body[r.TIME : r.PSET_CHANGE] == TIME


def test_unknown_revisions_and_short_messages_are_unreadable():
    operation = op.Operation()
    assert give(operation, overall(1)[:8] + b"004" + overall(1)[11:]) == op.PART_UNREADABLE
    for octets in range(20, 61):
        assert give(operation, overall(1)[:octets]) == op.PART_UNREADABLE
    give(operation, overall())
    assert give(operation, part(1)[:8] + b"003" + part(1)[11:]) == op.PART_UNREADABLE
    for octets in range(20, 43):
        assert give(operation, part(1)[:octets]) == op.PART_UNREADABLE
    assert give(operation, part()) == op.PART_WHOLE


def test_every_spoiled_octet_is_told_or_harmless_and_never_raises():
    dice = Dice(3)
    first, second = overall(2), part(2)
    for place in range(20, len(first) + len(second)):
        if len(first) <= place < len(first) + 20:
            continue
        for value in (0, 0x20, 0x39, 0x58, dice.randrange(256)):
            spoiled = bytearray(first + second)
            spoiled[place] = value
            operation = op.Operation()
            found = give(operation, bytes(spoiled[: len(first)]))
            assert found in (op.PART_KEPT, op.PART_WHOLE, op.PART_UNREADABLE)
            again = give(operation, bytes(spoiled[len(first) :]))
            if found == op.PART_KEPT and again == op.PART_WHOLE:
                assert operation.found in (r.RESULT_READ, r.RESULT_PADDED, r.RESULT_ODD)
                several = sp.SYNC_HEAD_BYTES + sp.OBJECTS_ROW_BYTES
                assert len(operation.body) in (LIMITS + r.LIMITS_BYTES, LIMITS + r.LIMITS_BYTES + several)


def test_cut_off_object_keeps_what_stands_in_front():
    frame = part()
    for octets in range(43, len(frame) - 40, 7):
        operation = op.Operation()
        give(operation, overall())
        assert give(operation, frame[:octets]) == op.PART_WHOLE and operation.found == r.RESULT_ODD
        assert operation.body[r.TIGHTENING_ID :][:10] == b"0001234567"
