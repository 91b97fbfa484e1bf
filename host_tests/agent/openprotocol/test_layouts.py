"""Headers in every form, all revisions of MID 0061 and 0065: the same body, and what only they have."""

from toolcart.agent.openprotocol.header import put_header, revision_of
from toolcart.agent.openprotocol.layouts import layout_of, read_limits, read_result, read_whole
from toolcart.agent.openprotocol.light_result import read_light
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import put_in_order
from host_tests.support.frames import EXAMPLE, fetched, light, pushed

PORTABLE = True


def with_octets(at, octets):
    head = bytearray(b"00200061999 0101    ")
    head[at : at + len(octets)] = octets
    return head


def test_written_header_is_the_one_of_the_documents():
    buf = bytearray(b"#" * 24)
    put_header(buf, 2, 20, 1, 5)
    assert bytes(buf) == b"##00200001005         ##"
    put_header(buf, 2, 31, 64, 2)
    assert bytes(buf) == b"##00310064002         ##"


def test_revision_is_a_number_in_blanks_the_first_if_none_and_negative_if_odd():
    for octets in (b"   ", b"000", b"001", b"  1", b"1  ", b"\0\0\0", b" 1 "):
        assert revision_of(with_octets(8, octets), 0) == 1
    for octets, revision in ((b"999", 999), (b"998", 998), (b"  7", 7), (b"7  ", 7), (b"007", 7), (b" 12", 12)):
        assert revision_of(with_octets(8, octets), 0) == revision
    for octets in (b"x01", b"-01", b"1.0", b"\xff\xff\xff"):
        assert revision_of(with_octets(8, octets), 0) < 0


# Total lengths of protocol.md 5.3, 5.4 and 5.5.
PUSHED_BYTES = {1: 231, 2: 385, 3: 419, 4: 500, 5: 506, 6: 526, 7: 544}
FETCHED_BYTES = {1: 118, 2: 226, 3: 233, 4: 314, 5: 320, 6: 340, 7: 379}
SERIAL = b"C3412129      "
LIMITS = b"004000005000004500000600009000075"


def body_of(mid, revision, frame, at=2):
    buf = b"#" * at + frame
    body = bytearray(b"#" * (res.BODY_BYTES + 3))
    code = read_result(layout_of(mid, revision), buf, at, len(frame), body, 3)
    assert body[:3] == b"###"
    return code, bytes(body[3:])


def limits_of(mid, revision, frame):
    limits = bytearray(res.LIMITS_BYTES)
    return read_limits(layout_of(mid, revision), frame, 0, len(frame), limits, 0), bytes(limits)


def light_body():
    body = bytearray(res.BODY_BYTES)
    body[92:106] = b" " * 14  # the tool's serial is not in the message
    read_light(body, 0, EXAMPLE, 0)
    return bytes(body)


def test_every_pushed_revision_gives_the_body_of_the_light_one():
    for revision in PUSHED_BYTES:
        frame = pushed(revision)
        assert len(frame) == PUSHED_BYTES[revision]
        code, body = body_of(61, revision, frame)
        assert code == res.RESULT_READ
        assert body[: res.SERIAL] == light_body()[: res.SERIAL], revision
        assert body[res.SERIAL :] == (b" " * 14 if revision == 1 else SERIAL)


def test_revision_998_is_read_like_6_whatever_its_stages():
    frame = b"0558" + pushed(6)[4:8] + b"998" + pushed(6)[11:] + b"560257020042370009500423700095"
    code, body = body_of(61, 998, frame)
    assert code == res.RESULT_READ and body[: res.SERIAL] == light_body()[: res.SERIAL]


def test_every_fetched_revision_gives_what_it_has_and_blanks_for_the_rest():
    for revision in FETCHED_BYTES:
        frame = fetched(revision)
        assert len(frame) == FETCHED_BYTES[revision]
        code, body = body_of(65, revision, frame)
        wanted = bytearray(light_body())
        wanted[res.PSET_CHANGE : res.PSET_CHANGE + 19] = b" " * 19
        if revision == 1:
            wanted[res.JOB : res.JOB + 4] = b"    "
            wanted[res.BATCH_SIZE : res.BATCH_SIZE + 4] = b"    "
        else:
            wanted[res.SERIAL :] = SERIAL
        assert code == res.RESULT_READ and body == bytes(wanted), revision


def test_limits_unit_and_type_are_kept_where_the_revision_has_them():
    assert limits_of(61, 1, pushed(1)) == (37, LIMITS + b"    ")
    assert limits_of(61, 2, pushed(2)) == (37, LIMITS + b"    ")
    for revision in (3, 4, 5, 6, 7):
        frame = pushed(revision, torque_unit=8, result_type=2)
        assert limits_of(61, revision, frame) == (37, LIMITS + b"802 ")
    assert limits_of(65, 1, fetched(1))[0] == 0
    assert limits_of(65, 2, fetched(2)) == (37, b" " * 37)
    assert limits_of(65, 3, fetched(3, result_type=2)) == (37, b" " * 33 + b"102 ")


def test_a_limit_that_is_no_number_stays_as_it_came_and_is_odd():
    for spoiled, kept in ((b"4o.oo ", b"4o.oo "), (b"-03-1 ", b"-03-1 "), (b"-31   ", b"-00031")):
        frame = bytearray(pushed(2))
        frame[160 - 1 : 166 - 1] = spoiled  # parameter 21, torque min
        count, limits = limits_of(61, 2, bytes(frame))
        assert count == -37 and limits[:6] == kept and limits[6:12] == b"005000"
        body = bytearray(res.BODY_BYTES + res.LIMITS_BYTES)
        code, octets = read_whole(layout_of(61, 2), frame, 0, len(frame), body, 0)
        assert octets == res.BODY_BYTES + 37 and code == res.RESULT_ODD
        record = bytes(res.HEAD_BYTES) + bytes(body)
        noted = put_in_order(bytearray(record), len(record))[1]
        assert noted == ("" if kept[1:].isdigit() else "torque min " + kept.decode().strip())


def test_a_result_type_that_is_no_number_is_odd():
    frame = bytearray(pushed(3))
    frame[418 - 1 : 420 - 1] = b"x1"
    body = bytearray(res.BODY_BYTES + res.LIMITS_BYTES)
    assert read_whole(layout_of(61, 3), frame, 0, len(frame), body, 0)[0] == res.RESULT_ODD
    page = bytearray(res.HEAD_BYTES) + body
    assert put_in_order(page, len(page))[1] == "result type x1"


def test_a_later_revision_is_read_as_far_as_it_is_known():
    for revision in (0, -2):
        assert layout_of(61, revision) is None and layout_of(65, revision) is None
    for revision in (8, 9, 10, 11, 12, 500, 997):
        code, body = body_of(61, revision, later(pushed(7), revision, 662))
        assert code == res.RESULT_READ and body[: res.SERIAL] == light_body()[: res.SERIAL], revision
        code, body = body_of(65, revision, later(fetched(7), revision, 497))
        assert code == res.RESULT_READ and body[res.TIGHTENING_ID : res.SERIAL] == b"0001234567", revision


def later(frame, revision, length):
    """Return a message of this revision and length (the later ones go on where 7 ends) with what 7 knows."""
    return b"%04d" % length + frame[4:8] + b"%03d" % revision + frame[11:] + b" " * (length - len(frame))


def scaled(mid, numerator, denominator, **fields):
    """Return a message of revision 10 whose angles are to be multiplied."""
    frame = bytearray(later((pushed if mid == 61 else fetched)(7, **fields), 10, 662 if mid == 61 else 497))
    first = 595 if mid == 61 else 430  # parameters 65 and 66 of 0061, 46 and 47 of 0065 (release 2.15)
    frame[first - 1 : first + 4] = b"%05d" % numerator
    frame[first + 6 : first + 11] = b"%05d" % denominator
    return bytes(frame)


def whole_of(mid, frame):
    body = bytearray(res.BODY_BYTES + res.LIMITS_BYTES)
    code, _ = read_whole(layout_of(mid, 10), frame, 0, len(frame), body, 0)
    return code, bytes(body[res.ANGLE : res.ANGLE + 5]), bytes(body[res.BODY_BYTES + res.ANGLE_MIN :][:15]), body[-1:]


def test_angles_of_revision_10_say_how_many_digits_are_decimals():
    for mid in (61, 65):
        limits = b"000600009000075" if mid == 61 else b" " * 15
        assert whole_of(mid, scaled(mid, 1, 1)) == (res.RESULT_READ, b"00095", limits, b" ")
        assert whole_of(mid, scaled(mid, 1, 10, angle=12345)) == (res.RESULT_ODD, b"12345", limits, b"1")
        assert whole_of(mid, scaled(mid, 1, 100, angle=123)) == (res.RESULT_ODD, b"00123", limits, b"2")


def test_angle_scale_that_is_no_power_of_ten_is_multiplied_out():
    assert whole_of(61, scaled(61, 3, 2)) == (res.RESULT_ODD, b"00142", b"000900013500112", b" ")
    assert whole_of(61, scaled(61, 3, 2, angle="-0095"))[1] == b"-0142"
    assert whole_of(61, scaled(61, 99, 1, angle=99999))[1] == b"989.."  # it does not fit, so it is no number


def test_an_angle_scale_that_was_cut_off_hides_the_angles():
    frame = later(pushed(7), 10, 662)
    assert whole_of(61, frame)[:2] == (res.RESULT_READ, b"00095")
    assert whole_of(61, scaled(61, 0, 0))[:2] == (res.RESULT_READ, b"00095")
    assert whole_of(61, scaled(61, 1, 100)[:600]) == (res.RESULT_ODD, b"95.. ", b"60.. 90.. 75.. ", b" ")


def test_light_message_that_ends_early_loses_what_is_behind():
    for length in range(20, 121):
        code, body = body_of(61, 999, EXAMPLE[:length])
        assert code == (res.RESULT_PADDED if length >= 92 else res.RESULT_UNREADABLE), length
    assert (
        body[: res.TIGHTENING_ID] == light_body()[: res.TIGHTENING_ID]
        and body[res.TIGHTENING_ID : res.SERIAL] == b" " * 10
    )


def test_an_angle_scale_that_is_no_number_hides_the_angles():
    for place in (595, 602):
        frame = bytearray(scaled(61, 1, 100))
        frame[place + 3] = 0
        assert whole_of(61, frame) == (res.RESULT_ODD, b"95.. ", b"60.. 90.. 75.. ", b" ")


# How a torque may be written, and what it is.
WRITTEN = (
    (b"004237", b"004237", res.RESULT_READ),
    (b"  4237", b"004237", res.RESULT_PADDED),
    (b"4237  ", b"004237", res.RESULT_PADDED),
    (b"4237\0\0", b"4237\0\0", res.RESULT_ODD),
    (b"\0 423\0", b"\0 423\0", res.RESULT_ODD),
    (b"00423\0", b"00423\0", res.RESULT_ODD),
    (b"4237\0 ", b"4237\0 ", res.RESULT_ODD),
    (b"423\0 7", b"423\0 7", res.RESULT_ODD),
    (b"4237\r\n", b"4237\r\n", res.RESULT_ODD),
    (b"\t 4237", b"\t 4237", res.RESULT_ODD),
    (b"-423\0 ", b"-423\0 ", res.RESULT_ODD),
    (b"42.3\0 ", b"42.3\0 ", res.RESULT_ODD),
    (b"+04237", b"004237", res.RESULT_PADDED),
    (b"-04237", b"-04237", res.RESULT_ODD),
    (b" - 423", b"-00423", res.RESULT_ODD),
    (b"-00000", b"000000", res.RESULT_PADDED),
    (b"042.37", b"004237", res.RESULT_PADDED),
    (b" 42.3 ", b"004230", res.RESULT_PADDED),
    (b"42.   ", b"004200", res.RESULT_PADDED),
    (b"-42.37", b"-04237", res.RESULT_ODD),
    (b"0.0421", b"000004", res.RESULT_PADDED),
    (b"    .5", b"000050", res.RESULT_PADDED),
    (b"-.5   ", b"-00050", res.RESULT_ODD),
    (b"     .", b"     .", res.RESULT_ODD),
    (b"42 .37", b"42 .37", res.RESULT_ODD),
    (b"4.2.37", b"4.2.37", res.RESULT_ODD),
    (b"12x456", b"12x456", res.RESULT_ODD),
    (b"------", b"------", res.RESULT_ODD),
    (b"99999.", b"99999.", res.RESULT_ODD),
    (b"\xff" * 6, b"\xff" * 6, res.RESULT_ODD),
)


def test_torque_is_read_however_it_is_written():
    for text, wanted, code in WRITTEN:
        result, body = body_of(61, 999, light(torque=text))
        assert body[res.TORQUE : res.ANGLE] == wanted and result == code, text


def test_two_of_id_time_and_status_make_a_result():
    parts = {"tightening_id": "#" * 10, "time": "#" * 19, "status": "#"}
    for left in ((), ("tightening_id",), ("time",), ("status",)):
        assert body_of(61, 999, light(**{name: parts[name] for name in left}))[0] != res.RESULT_UNREADABLE, left
    for left in (("tightening_id", "time"), ("time", "status"), ("tightening_id", "status"), tuple(parts)):
        assert body_of(61, 999, light(**{name: parts[name] for name in left}))[0] == res.RESULT_UNREADABLE, left
    # A controller that fills in none of them writes blanks: nothing is odd about that.
    blank = light(tightening_id=" " * 10, time=" " * 19, status=" ")
    assert body_of(61, 999, blank)[0] == res.RESULT_READ


def test_a_number_that_ends_in_a_nul_is_none():
    for mid, revision, frame in ((61, 999, EXAMPLE), (61, 1, pushed(1)), (65, 1, fetched(1)), (65, 2, fetched(2))):
        places = layout_of(mid, revision)[1]
        for index, at, width in ((9, res.TORQUE, 6), (10, res.ANGLE, 5), (13, res.TIGHTENING_ID, 10)):
            text = frame[places[index] - 1 :][:width]
            for spoiled in (text[:-1] + b"\0", text.lstrip(b"0")[:-1] + b"\0" + b" " * 99):
                octets = bytearray(frame)
                octets[places[index] - 1 : places[index] - 1 + width] = spoiled[:width]
                code, body = body_of(mid, revision, octets)
                assert code == res.RESULT_ODD and body[at : at + width] == spoiled[:width], (mid, revision, index)


def test_only_a_torque_or_an_angle_may_have_a_point():
    for mid, revision, frame in ((61, 1, pushed(1)), (61, 2, pushed(2)), (65, 1, fetched(1)), (65, 2, fetched(2))):
        places = layout_of(mid, revision)[1]
        for index, at, text, wanted in (
            (10, res.ANGLE, b"095.5", b"00095"),
            (13, res.TIGHTENING_ID, b"0000012.50", b"0000012.50"),
            (2, res.PSET, b"1.5", b" 1.5"),
        ):
            octets = bytearray(frame)
            octets[places[index] - 1 : places[index] - 1 + len(text)] = text
            code, body = body_of(mid, revision, octets)
            assert code == (res.RESULT_PADDED if index == 10 else res.RESULT_ODD), (mid, revision, index)
            assert body[at : at + len(wanted)] == wanted, (mid, revision, index)
