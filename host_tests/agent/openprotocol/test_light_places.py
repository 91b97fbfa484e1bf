"""Revision 999 has no parameter IDs: with a field of another width every value is right, or the message is kept raw."""

from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.catalogue import decode
from toolcart.codec.rendering import lines_of, message_as_data
from toolcart.sim.controller_frames import LIGHT
from host_tests.portable import LONG
from host_tests.support.combinations import some
from host_tests.support.frames import EXAMPLE, light
from host_tests.support.station import Bench

WIDTHS = [width for _, width, _ in LIGHT]
VIN, JOB, PSET, STATUSES, TORQUE, ANGLE, TIME, CHANGE, ID = 0, 1, 2, (5, 6, 7, 8), 9, 10, 11, 12, 13
OTHER = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
VINS = (
    b" " * 25,
    b"WVWZZZ1KZAW123456".ljust(25),
    b"WVWZZZ1KZAW123456ABCDEFGH",
    b"WVWZZZ1KZAW12345678901234",
    b"123456".rjust(25),
    b"07".rjust(25),
    b"PART 4711".ljust(21) + b"0815",
    "WVWZZZ1KÄ".encode().ljust(25),
    "WVWZZZ1KÄ".ljust(25).encode(),
    "ÄÖ".encode().ljust(25),
    "拧紧程序 04".encode().ljust(25),
    "拧紧程序 04".ljust(25).encode(),
    "拧紧程序 04".ljust(25).encode("gbk"),
    "拧".encode("gbk").ljust(25),
)
BLANK = ((), (JOB,), (JOB, PSET), (CHANGE,), (TIME,), (TIME, CHANGE), (JOB, TORQUE, ANGLE))


def parts_of(vin, blank=()):
    """Return the fields of the example, with this VIN and these fields blank."""
    parts, place = [], 20
    for index, width in enumerate(WIDTHS):
        part = EXAMPLE[place : place + width]
        parts.append(b" " * width if index in blank else part)
        place += width
    parts[VIN] = vin
    return parts


def changed(part, octets):
    """Return the field in each way in which it may have so many octets more or fewer."""
    if octets < 0:
        return {part[-octets:], part[:octets]} if -octets < len(part) else {b""}
    middle = len(part) // 2
    more = {octet * octets for octet in (b"0", b" ", b"7")} | {b"12:-56"[:octets]}
    return {way for one in more for way in (one + part, part + one, part[:middle] + one + part[middle:])}


def frame_of(parts):
    data = b"".join(parts)
    return b"%04d" % (20 + len(data)) + EXAMPLE[4:20] + data


class Reader:
    def __init__(self):
        self.bench = Bench()

    def read(self, frame):
        """Return the body of a pushed result, None for what is kept raw."""
        store = self.bench.store
        taken = []
        store._put_raw = lambda *_: taken.append(None)
        store._put_read = store._put_next = lambda *_: taken.append(bytes(self.bench.log.stage[store.body :][:106]))
        store._complete = lambda flags: flags
        self.bench.push(frame)
        return taken[0]


def is_right(body, wanted, parts):
    """True if nothing was read, or each value is the one wanted, or missing, or what its own field says."""
    place = 0
    for index, width in enumerate((25, 4, 4, 4, 4, 1, 1, 1, 1, 6, 5, 7, 19, 10) if body else ()):
        value, made = body[place : place + width], wanted[place : place + width]
        said = parts[index].strip()
        said = said.zfill(width) if index not in (VIN, CHANGE) else said[:width].ljust(width)
        if value.strip(b" \0") and value not in (made, said) and value.strip() != said.strip():
            return False
        place += width
    return True


def wrong_of(reader, parts, index, octets, wanted):
    """Return the messages with another width of this field that are read with a value that was not made."""
    found = []
    for part in sorted(changed(parts[index], octets)):
        sent = parts[:index] + [part] + parts[index + 1 :]
        frame = frame_of(sent)
        if index and len(frame) == len(EXAMPLE):
            continue  # the widths of two fields cancel
        body = reader.read(frame)
        if not is_right(body, wanted, sent):
            found.append((index, octets, frame, body))
    return found


def test_one_field_of_another_width_makes_no_value_another():
    reader = Reader()
    for number, vin in enumerate(some(VINS, 2)):
        for blank in BLANK if LONG or number == 1 else BLANK[:3]:
            parts = parts_of(vin, blank)
            wanted = reader.read(frame_of(parts_of(vin[:25], blank)))
            assert wanted
            for index in range(len(parts)):
                for octets in OTHER:
                    assert wrong_of(reader, parts, index, octets, wanted) == [], (vin, blank)


def test_two_widths_that_cancel_around_the_time_make_no_value_another():
    reader = Reader()
    for vin in VINS[:5] if LONG else VINS[1:3]:
        for blank in ((), (CHANGE,), (TIME,), (TIME, CHANGE), (ANGLE, TIME), (TORQUE, ANGLE, TIME)):
            parts = parts_of(vin, blank)
            wanted = reader.read(frame_of(parts))
            for index in range(TIME):
                for octets in (-2, -1, 1, 2):
                    for part in changed(parts[index], octets):
                        for other in (TIME, CHANGE):
                            for way in changed(parts[other], -octets):
                                if other == TIME and way[:4] != parts[TIME][:4]:
                                    continue  # that looks like an angle of another width
                                both = parts[:index] + [part] + parts[index + 1 :]
                                both[other] = way
                                body = reader.read(frame_of(both))
                                assert is_right(body, wanted, both), (both, blank, body)


def test_vin_that_blanks_behind_it_prove_to_be_wide_is_right():
    bench = Reader()
    wanted = bench.read(EXAMPLE)
    text = EXAMPLE[20:45]
    for more in range(1, 13):
        body = bench.read(frame_of([text + b" " * more] + parts_of(text)[1:]))
        # as wide as job, parameter set and batch size, which may be blank
        assert body == (None if more in (2, 5, 9) else wanted), more


def test_what_a_status_cannot_be_proves_that_nothing_was_found():
    parts = parts_of(b" " * 26)
    assert Reader().read(frame_of(parts)) is not None
    for index, most in zip(STATUSES, (3, 1, 2, 2), strict=True):
        parts = parts_of(b" " * 26)
        parts[index] = b"%d" % (most + 1)
        assert Reader().read(frame_of(parts)) is None


def test_field_that_is_left_out_makes_no_value_another():
    reader = Reader()
    for blank in BLANK:
        parts = parts_of(VINS[1], blank)
        wanted = reader.read(frame_of(parts))
        for index in range(len(parts)):
            sent = parts[:index] + [b""] + parts[index + 1 :]
            assert is_right(reader.read(frame_of(sent)), wanted, sent), (index, blank)


def test_message_that_ends_early_is_read_up_to_its_time():
    for length in range(60, 121):
        bench = Bench()
        bench.push(b"%04d" % length + EXAMPLE[4:length])
        (kind, flags, payload) = bench.records(KIND_RESULT, KIND_RAW)[0]
        assert (kind == KIND_RESULT) == (length >= 97), length
        if kind == KIND_RESULT:
            assert flags & res.FLAG_ODD and payload[8 : 8 + res.PSET_CHANGE].startswith(EXAMPLE[20:45])
            assert not payload[8 + res.PSET_CHANGE : 8 + res.SERIAL].strip()


def test_id_of_another_width_is_no_other_id():
    for ident in (b"00001234567", b"12345678901", b"0000123456 7", b"0001234567x"):
        assert Reader().read(frame_of([*parts_of(VINS[1])[:ID], ident])) is None
    for ident in (b"0001234567 ", b"0001234567\0\0", b"0001234567\r\n"):
        assert Reader().read(frame_of([*parts_of(VINS[1])[:ID], ident])) == Reader().read(EXAMPLE)


def test_decode_says_by_what_the_fields_were_found():
    message = message_as_data(decode(frame_of(parts_of(b"WVWZZZ1KZAW123456".ljust(26)))))
    assert "time" in message["shifted"] and "IDs" not in message["shifted"]
    assert "  shifted: " + message["shifted"] in lines_of(message)
    for frame in (light(torque=1234, vin=""), EXAMPLE):
        assert "shifted" not in message_as_data(decode(frame))
    wide = parts_of(VINS[1])
    wide[ANGLE] = b"0" + wide[ANGLE]
    assert "unreadable" in message_as_data(decode(frame_of(wide)))
    lines = lines_of(message_as_data(decode(frame_of(wide))))
    assert not any("torque" in line for line in lines)
