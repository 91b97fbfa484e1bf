"""Every other revision of MID 0061 and 0065 becomes the same body, with what only it has behind it."""

from agent.openprotocol.layouts import layout_of, read_limits, read_result
from agent.openprotocol.light import read_light
from agent.record import result as r
from host_tests.support_frames import EXAMPLE, fetched, pushed

PORTABLE = True

# Total lengths of DIGEST D.3, D.4 and D.5.
PUSHED_BYTES = {1: 231, 2: 385, 3: 419, 4: 500, 5: 506, 6: 526, 7: 544}
FETCHED_BYTES = {1: 118, 2: 226, 3: 233, 4: 314, 5: 320, 6: 340, 7: 379}
SERIAL = b"C3412129      "
LIMITS = b"004000005000004500000600009000075"


def body_of(mid, revision, frame, at=2):
    buf = b"#" * at + frame
    body = bytearray(b"#" * (r.BODY_BYTES + 3))
    code = read_result(layout_of(mid, revision), buf, at, len(frame), body, 3)
    assert body[:3] == b"###"
    return code, bytes(body[3:])


def limits_of(mid, revision, frame):
    limits = bytearray(r.LIMITS_BYTES)
    return read_limits(layout_of(mid, revision), frame, 0, len(frame), limits, 0), bytes(limits)


def light_body():
    body = bytearray(r.BODY_BYTES)
    body[92:106] = b" " * 14  # the tool's serial is not in the message
    read_light(body, 0, EXAMPLE, 0, len(EXAMPLE))
    return bytes(body)


def test_every_pushed_revision_gives_the_body_of_the_light_one():
    for revision in PUSHED_BYTES:
        frame = pushed(revision)
        assert len(frame) == PUSHED_BYTES[revision]
        code, body = body_of(61, revision, frame)
        assert code == r.RESULT_READ
        assert body[: r.SERIAL] == light_body()[: r.SERIAL], revision
        assert body[r.SERIAL :] == (b" " * 14 if revision == 1 else SERIAL)


def test_revision_998_is_read_like_6_whatever_its_stages():
    frame = b"0558" + pushed(6)[4:8] + b"998" + pushed(6)[11:] + b"560257020042370009500423700095"
    code, body = body_of(61, 998, frame)
    assert code == r.RESULT_READ and body[: r.SERIAL] == light_body()[: r.SERIAL]


def test_every_fetched_revision_gives_what_it_has_and_blanks_for_the_rest():
    for revision in FETCHED_BYTES:
        frame = fetched(revision)
        assert len(frame) == FETCHED_BYTES[revision]
        code, body = body_of(65, revision, frame)
        wanted = bytearray(light_body())
        wanted[r.PSET_CHANGE : r.PSET_CHANGE + 19] = b" " * 19
        if revision == 1:
            wanted[r.JOB : r.JOB + 4] = b"    "
            wanted[r.BATCH_SIZE : r.BATCH_SIZE + 4] = b"    "
        else:
            wanted[r.SERIAL :] = SERIAL
        assert code == r.RESULT_READ and body == bytes(wanted), revision


def test_limits_unit_and_type_are_kept_where_the_revision_has_them():
    assert limits_of(61, 1, pushed(1)) == (36, LIMITS + b"   ")
    assert limits_of(61, 2, pushed(2)) == (36, LIMITS + b"   ")
    for revision in (3, 4, 5, 6, 7):
        frame = pushed(revision, torque_unit=8, result_type=2)
        assert limits_of(61, revision, frame) == (36, LIMITS + b"802")
    assert limits_of(65, 1, fetched(1))[0] == 0
    assert limits_of(65, 2, fetched(2)) == (36, b" " * 36)
    assert limits_of(65, 3, fetched(3, result_type=2)) == (36, b" " * 33 + b"102")


def test_limit_that_is_no_number_is_blank_and_spoils_nothing():
    frame = bytearray(pushed(2))
    frame[160 - 1 : 166 - 1] = b"4o.oo "  # parameter 21, torque min
    count, limits = limits_of(61, 2, bytes(frame))
    assert count == 36 and limits[:6] == b" " * 6 and limits[6:12] == b"005000"
    assert body_of(61, 2, bytes(frame))[0] == r.RESULT_READ


def test_revisions_that_nobody_documents_have_no_layout():
    for revision in (0, 8, 9, 100, 997, -2):
        assert layout_of(61, revision) is None
    for revision in (0, 8, 998, 999, -2):
        assert layout_of(65, revision) is None


def test_message_shorter_than_its_layout_is_unreadable():
    for mid, revision, frame in ((61, 1, pushed(1)), (61, 2, pushed(2)), (65, 1, fetched(1)), (65, 2, fetched(2))):
        for length in (20, 60, 100, len(frame) - 1):
            assert body_of(mid, revision, frame[:length])[0] == r.RESULT_UNREADABLE
        assert body_of(mid, revision, frame + b"29tail of another revision")[0] == r.RESULT_READ


def test_later_revision_that_ends_early_loses_its_extra_fields_only():
    frame = pushed(3)[:400]
    assert body_of(61, 3, frame)[0] == r.RESULT_READ
    assert limits_of(61, 3, frame) == (36, LIMITS + b"   ")


# Value positions counted from 1, written from DIGEST D.3, D.4 and D.5: parameter, first octet, width.
NUMBERS = {
    (61, 1): (
        (87, 2),
        (91, 3),
        (96, 4),
        (102, 4),
        (108, 1),
        (111, 1),
        (114, 1),
        (141, 6),
        (170, 5),
        (219, 1),
        (222, 10),
    ),
    (61, 2): (
        (87, 4),
        (93, 3),
        (109, 4),
        (115, 4),
        (121, 1),
        (124, 1),
        (127, 1),
        (130, 1),
        (184, 6),
        (213, 5),
        (304, 10),
    ),
    (65, 1): ((23, 10), (62, 3), (67, 4), (73, 1), (76, 1), (79, 1), (82, 6), (90, 5), (118, 1)),
    (65, 2): ((23, 10), (62, 4), (68, 3), (84, 4), (90, 4), (96, 1), (99, 1), (102, 1), (105, 1), (135, 6), (143, 5)),
}


def test_number_that_is_none_makes_the_message_unreadable_wherever_it_stands():
    for mid, revision in NUMBERS:
        frame = pushed(revision) if mid == 61 else fetched(revision)
        for first, width in NUMBERS[(mid, revision)]:
            for at in (0, width - 1):
                spoiled = bytearray(frame)
                spoiled[first - 1 + at] = 0x58
                assert body_of(mid, revision, bytes(spoiled))[0] == r.RESULT_UNREADABLE, (mid, revision, first)


def test_blank_numbers_are_absent_and_stay_blank():
    for mid, revision in NUMBERS:
        frame = bytearray(pushed(revision) if mid == 61 else fetched(revision))
        for first, width in NUMBERS[(mid, revision)]:
            frame[first - 1 : first - 1 + width] = b" " * width
        code, body = body_of(mid, revision, bytes(frame))
        assert code == r.RESULT_READ
        for place, width in ((r.JOB, 8), (r.BATCH_COUNTER, 4), (r.TORQUE, 11), (r.TIGHTENING_ID, 10)):
            assert body[place : place + width] == b" " * width, (mid, revision)


def test_status_that_does_not_exist_makes_it_unreadable():
    for mid, revision, first in ((61, 1, 108), (61, 2, 124), (65, 1, 118), (65, 2, 102)):
        frame = bytearray(pushed(revision) if mid == 61 else fetched(revision))
        frame[first - 1] = 0x37
        assert body_of(mid, revision, bytes(frame))[0] == r.RESULT_UNREADABLE


def test_time_that_is_none_leaves_the_body_without_one():
    _, body = body_of(61, 2, pushed(2, time="Last Change Unknown"))
    assert not r.has_time(body, 0)
