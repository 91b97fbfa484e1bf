"""No value of MID 0101, 0106 and 0107 is believed that is not where it must be."""

import random

from toolcart.agent.openprotocol import spindle_assembly
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import put_in_order
from toolcart.catalogue import decode
from toolcart.codec.rendering import message_as_data
from toolcart.sim import spindle_frames
from host_tests.agent.openprotocol.test_shifted_fields import text_of
from host_tests.portable import LONG
from host_tests.support.frames import example_tightening, message


def cycle_frames():
    """Return MID, revision, the message as documented, and where each of its texts begins and how wide it is."""
    result = example_tightening(status=1, tightening_id=77, vin=b"WVWZZZ1KZAW123456")
    return (
        (101, 5, message(101, spindle_frames.sync_data(result, 5, 3), 5), ((26, 25),)),
        (106, 4, message(106, spindle_frames.station_data(result, 4, 3), 4), ((46, 20), (93, 20), (121, 40))),
        (107, 4, message(107, spindle_frames.bolt_data(result, 4, 1, 3), 4), ((73, 20), (95, 20), (120, 50), (172, 4))),
    )


def taken(mid, revision, frame):
    """Return body and rows of a cycle, None for what cannot be read."""
    made = spindle_assembly.SpindleAssembly()
    made.most = 3600
    if mid == 107:
        station = cycle_frames()[1]
        assert made.take(bytearray(station[2]), 0, len(station[2]), 106, 4, True, 0) == spindle_assembly.ASSEMBLY_MORE
    if (
        made.take(bytearray(b"##" + frame + b"##"), 2, len(frame), mid, revision, True, 0)
        == spindle_assembly.ASSEMBLY_UNREADABLE
    ):
        return None
    page = bytearray(res.HEAD_BYTES) + made.body[: made.octets]
    notes = put_in_order(page, len(page))[1]
    assert made.result_code == res.RESULT_ODD or not notes
    return bytes(page), notes


def test_wide_texts_of_several_spindles_leave_every_value_right():
    for mid, revision, frame, texts in cycle_frames():
        wanted, notes = taken(mid, revision, frame)
        assert not notes
        for first, width in texts:
            for octets in range(-min(6, width), 7):
                text = frame[first : first + width].rstrip(b" ")
                if octets == 0 or len(text) > width + octets:
                    continue
                wide = frame[:first] + text_of(width, octets, text) + frame[first + width :]
                body = taken(mid, revision, wide)
                if octets == -2 and body is None:  # an ID that is missing looks the same
                    continue
                assert body == (wanted, "shifted"), (mid, first, octets)


def test_texts_of_several_spindles_that_look_like_ids_change_no_value():
    dice = random.Random(5)
    for mid, revision, frame, texts in cycle_frames():
        for _ in range(1500 if LONG else 500):
            wide, plain = frame, frame
            for first, width in reversed(texts):
                octets = max(0, width + dice.randrange(-6, 7))
                text = b"".join([b"%02d" % dice.randrange(1, 24) for _ in range(30)])[:octets]
                wide = wide[:first] + text + wide[first + width :]
                plain = plain[:first] + text_of(width, 0, text if octets <= width else b"") + plain[first + width :]
            body = taken(mid, revision, wide)
            assert body is None or body[0] == taken(mid, revision, plain)[0], wide


def test_other_numbers_or_counts_of_several_spindles_are_not_believed():
    for mid, revision, frame, _ in cycle_frames():
        places = {101: (24, 141, 172, 228), 106: (40, 91, 163, 165, 178), 107: (24, 71, 118, 178)}[mid]
        for place in places:
            wrong = frame[:place] + b"99" + frame[place + 2 :]
            assert taken(mid, revision, wrong) is None, (mid, place)
    mid, revision, frame, _ = cycle_frames()[0]
    assert taken(mid, revision, frame[:22] + b"02" + frame[24:]) is None, "three spindles, and two are told"


def frames_of_revision(revision):
    """Return MID and message for each kind of message that has several spindles."""
    result = example_tightening(status=1, tightening_id=77, vin=b"WVWZZZ1KZAW123456")
    yield 101, message(101, spindle_frames.sync_data(result, revision, 3), revision)
    yield 106, message(106, spindle_frames.station_data(result, revision, 3), revision)
    yield 107, message(107, spindle_frames.bolt_data(result, revision, 1, 3), revision)


def test_what_a_length_counts_behind_the_last_field_is_none_of_it():
    for revision in range(1, 8):
        for mid, frame in frames_of_revision(revision):
            wanted = taken(mid, revision, frame)
            assert wanted and not wanted[1]
            for end in (b"\0", b" ", b"\0\0", b"\r\n", b"\n", b"\r\n\0", b"\3", b" " * 9 + b"\r\n"):
                longer = b"%04d" % (len(frame) + len(end)) + frame[4:] + end
                assert taken(mid, revision, longer) == wanted, (mid, revision, end)
                if mid != 107:
                    shown = message_as_data(decode(longer))
                    assert "unreadable" not in shown, (mid, revision, end)
            for end in (b"0", b" 7", b"x\r\n", b"\0\x7f", b"\r\n4711"):
                longer = b"%04d" % (len(frame) + len(end)) + frame[4:] + end
                assert taken(mid, revision, longer) is None, (mid, revision, end)
