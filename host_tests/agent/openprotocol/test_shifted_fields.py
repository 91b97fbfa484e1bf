"""No value is believed that is not where it must be: shifted, cut and mislabelled results are right or unreadable."""

import json
import random

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import layouts
from toolcart.agent.openprotocol.header import revision_of
from toolcart.agent.openprotocol.parameter_ids import TEXT
from toolcart.agent.openprotocol.shifted_result import find
from toolcart.agent.record import FRAME_MOST, KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import INCOMPLETE, put_in_order
from toolcart.catalogue import decode
from toolcart.codec.inputs import CaptureItem, messages
from toolcart.codec.rendering import as_data, lines_of, message_as_data
from toolcart.sim.controller_frames import LIGHT, OLD, PUSHED, field, header
from host_tests.portable import LONG
from host_tests.support.combinations import some
from host_tests.support.frames import TIGHTENED, example_tightening, light
from host_tests.support.station import Bench

TIGHTENED_ID = TIGHTENED["tightening_id"]
NAMES = ("controller_name", "vin", "tool_serial", "pset_name", "identifier_2", "identifier_3", "identifier_4")
TEXTS = (*NAMES, "customer_code")
OTHER = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)  # octets that a text is too short or too long
TEXT_LIVES = 150 if LONG else 100
CASES = [(61, revision) for revision in (*range(1, 12), 998)] + [(65, revision) for revision in range(1, 12)]
GIVEN = {"torque_unit": 8, "result_type": 2, "controller_name": "Cell 12", "pset_name": "P01 10.0Nm", **TIGHTENED}


def layout_of(mid, revision):
    return PUSHED[revision] if mid == 61 else OLD[revision]


def frame_of(mid, revision, texts=(), layout=None, **fields):
    """Return a result whose texts are these octets, however many; by default in the layout of its revision."""
    source = example_tightening(**{**GIVEN, **fields})
    texts = dict(texts)
    data = b""
    for number, width, name in layout or layout_of(mid, revision):
        value = texts.get(name)
        if value is None and name == "stage_results":
            value = b"01"
        if value is None:
            value = field(fields.get(name, getattr(source, name)), width)
        data += b"%02d" % number + value
    return header(mid, revision, len(data)) + data


def text_of(width, octets, text):
    """Return the text padded or cut to its width and so many octets more, or fewer."""
    return (text + b" " * 99)[: width + octets]


class Reader:
    """A store that is only read with."""

    def __init__(self):
        self.bench = Bench()

    def read(self, mid, frame):
        """Return body, limits and whether it was shifted; None for what cannot be read."""
        bench = self.bench
        store = bench.store
        revision = int(frame[8:11])
        code = store.read_long(mid, b"##" + frame + b"\0", 2, len(frame), revision)
        if code == res.RESULT_UNREADABLE:
            return None
        at = bench.log.payload_at
        payload = bytearray(bench.log.stage[at : at + store.length])
        payload[: res.HEAD_BYTES] = bytes(res.HEAD_BYTES)  # nobody has put it in
        is_shifted = "shifted" in put_in_order(payload, len(payload))[1]
        assert code == res.RESULT_ODD or not is_shifted
        payload += b" " * (res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES - len(payload))
        return bytes(payload[res.HEAD_BYTES : res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES]), is_shifted


@pytest.fixture(scope="module")
def reader():
    return Reader()


def widths_of(mid, revision):
    return {name: width for _, width, name in layout_of(mid, revision) if name in TEXTS}


@pytest.mark.parametrize("mid, revision", some(CASES, 2))
def test_each_text_too_long_or_too_short_leaves_every_value_right(reader, mid, revision):
    wanted, is_shifted = reader.read(mid, frame_of(mid, revision))
    assert not is_shifted
    for name, width in widths_of(mid, revision).items():
        text = field(getattr(example_tightening(**GIVEN), name), width)
        for octets in OTHER if LONG else OTHER[revision % 2 :: 2]:  # in turns
            if width + octets < 0:
                continue
            frame = frame_of(mid, revision, {name: text_of(width, octets, text.rstrip())})
            read = reader.read(mid, frame)
            is_last = name == layout_of(mid, revision)[-1][2]
            if read is None and (octets == -2 or ends_in(mid, revision, name, len(frame))):
                continue  # it looks the same as one without its ID, or one that was cut
            assert read is not None, (name, octets)
            assert read[0] == wanted, (name, octets)
            assert read[1] or is_last, (name, octets)


WIDER = (*OTHER[6:], *OTHER[:6]) if LONG else (1, 3, 4, 6, -1, -2)
NUMBERS = (
    {"tightening_id": 1022, "vin": b"47110815", "job": 51, "torque": 5054},
    {"tightening_id": 2147480203, "vin": b"WVWZZZ1KZAW12345678901234", "job": 5, "torque": 1515},
)


@pytest.mark.parametrize("mid, revision", CASES if LONG else [(61, 998), (61, 3), (65, 1), (65, 2)])
def test_number_of_another_width_makes_no_value_another(reader, mid, revision):
    for values in NUMBERS:
        wanted = reader.read(mid, frame_of(mid, revision, **values))[0]
        source = example_tightening(**{**GIVEN, **values})
        for number, width, name in layout_of(mid, revision):
            if name in TEXTS or name == "station_name":
                continue
            text = b"01" if name == "stage_results" else field(getattr(source, name), width)
            for octets in WIDER:
                ways = {text[-octets:], text[:octets]}
                if octets > 0:
                    ways = {b"0" * octets + text, b" " * octets + text, text + text[-octets:], text + b" " * octets}
                for way in ways:
                    read = reader.read(mid, frame_of(mid, revision, {name: way}, **values))
                    assert read is None or agrees(read[0], wanted), (number, name, way)


def from_zero(mid, revision, frame):
    """Return the frame with each of its parameter IDs one lower."""
    layout = [(number - 1, width, name) for number, width, name in layout_of(mid, revision)]
    lowered = frame_of(mid, revision, layout=layout)
    assert len(lowered) == len(frame) and lowered != frame
    return lowered


@pytest.mark.parametrize("mid, revision", some([case for case in CASES[1:] if case[1] != 998], 3))
def test_ids_that_begin_with_0_leave_every_value_right(reader, mid, revision):
    frame = frame_of(mid, revision)
    wanted = reader.read(mid, frame)
    lowered = from_zero(mid, revision, frame)
    assert reader.read(mid, lowered) == (wanted[0], True)
    for cut in range(
        1 if LONG else 1 + revision % 3, len(frame) - 30, 1 if LONG else 3
    ):  # what is cut off is read as far as it would be with right IDs
        short = b"%04d" % (len(frame) - cut)
        right, wrong = reader.read(mid, short + frame[4:-cut]), reader.read(mid, short + lowered[4:-cut])
        assert (right and right[0]) == (wrong and wrong[0]), cut
    place = 20
    for number, width, _ in layout_of(mid, revision)[:-1]:  # one that is wrong, or right, among these: none is believed
        place += 2 + width
        for printed in (b"%02d" % (number + 1), b"XX"):
            assert reader.read(mid, lowered[:place] + printed + lowered[place + 2 :]) is None, number


def ends_in(mid, revision, name, length):
    """True if a message of this length ends in front of the ID that the layout has behind this text."""
    rows = layout_of(mid, revision)
    number = next(one for one, _, field_name in rows if field_name == name)
    return number < len(rows) and length < 20 + sum([2 + width for _, width, _ in rows[:number]]) + 2


NAMES_MET = ("P01 10.0±0.8N.m", "Prüfstand 1", "Schraube 04 – M8 ä", "WVWZZZ1KZÄW040506", "拧紧程序 04")


@pytest.mark.parametrize("mid, revision", some(CASES[1:], 2))
def test_names_padded_by_characters_shift_nothing_that_is_believed(reader, mid, revision):
    for name, width in widths_of(mid, revision).items():
        for text in NAMES_MET:
            for encoding in ("utf-8", "gbk"):
                try:
                    octets = text.ljust(width)[:width].encode(encoding)
                except UnicodeEncodeError:
                    continue
                kept = whole_characters(octets[:width], encoding)
                read = reader.read(mid, frame_of(mid, revision, {name: octets}))
                wanted = reader.read(mid, frame_of(mid, revision, {name: kept.ljust(width)}))
                assert read is not None and read[0] == wanted[0], (name, text)
                is_last = name == layout_of(mid, revision)[-1][2]
                is_whole = len(octets.rstrip()) <= width
                assert is_last or read[1] == (is_whole and len(octets) > width), (name, text)


def whole_characters(octets, encoding):
    """Return what can be decoded of UTF-8 that may end within a character; other octets as they are."""
    return octets.decode(errors="ignore").encode() if encoding == "utf-8" else octets


@pytest.mark.parametrize("mid, revision", some(CASES[1:], 2))
def test_a_text_that_is_too_long_for_its_place_is_not_called_whole(mid, revision):
    """What was cut off is said: two parts may have become one VIN."""
    for name, width in list(widths_of(mid, revision).items())[:-1]:
        for text in (b"P" * (width + 3), b"P" * (width - 1) + "ß".encode()):
            frame = frame_of(mid, revision, {name: text})
            found = find(mid, revision, bytearray(frame), 0, len(frame))
            assert found is None or found[2] == INCOMPLETE, (name, text)
            assert found is None or (text[: width - 1] in found[1]) == (len(text) < width + 3), (name, text)


def test_digits_at_the_end_prove_no_field_in_front_of_them(reader):
    """An angle that is a digit too narrow, the batch status, and no time: these digits look like an ID at the end."""
    frame = b"00960065001         0100000748720260128302237722718        0300704000205106107108005857090991110"
    read = reader.read(65, frame)
    assert read is None or b"09911" not in read[0]
    found = find(65, 1, bytearray(frame), 0, len(frame))
    assert found[2] == INCOMPLETE and found[1].endswith(b"08005857")


@pytest.mark.parametrize(
    "behind", [b"02" + b"S041R00096".ljust(25), b"02" + b"S041R00096".ljust(24), b"99" + b"X" * 25]
)
@pytest.mark.parametrize("mid, revision", [(61, 1), (61, 3), (65, 1), (65, 2)])
def test_an_unknown_parameter_is_never_the_end_of_a_text(reader, mid, revision, behind):
    for width in (23, 24):
        frame = frame_of(mid, revision, {"vin": b"S041R00096".ljust(width) + behind})
        read = reader.read(mid, frame)
        assert read is None or read[0][:25].rstrip() in (b"", b"S041R00096"), (width, read)


@pytest.mark.parametrize("mid, revision", some(CASES[2:], 3))
def test_texts_that_look_like_ids_are_read_right_or_not_at_all(reader, mid, revision):
    dice = random.Random(mid * 1000 + revision)
    texts = widths_of(mid, revision)
    ids = [b"%02d" % number for number, _, _ in layout_of(mid, revision)]
    unread = 0
    for _ in range(TEXT_LIVES):
        chosen = {}
        for name in dice.sample(sorted(texts), dice.randrange(1, len(texts) + 1)):
            width = max(0, texts[name] + dice.randrange(-6, 7))
            text = b"".join([dice.choice((*ids, b"A", b"7", b" ")) for _ in range(width)])[:width]
            chosen[name] = text
        values = {"job": dice.randrange(99), "pset": dice.randrange(999), "torque": dice.randrange(99999)}
        frame = frame_of(mid, revision, chosen, **values)
        if layouts.in_place(mid, revision, frame, 0, len(frame)):
            continue  # then it is a message as documented
        read = reader.read(mid, frame)
        unread += read is None
        fits = {name: text if len(text.rstrip()) <= texts[name] else b"" for name, text in chosen.items()}
        cut = {name: text_of(texts[name], 0, fits[name]) for name in chosen}
        assert read is None or read[0] == reader.read(mid, frame_of(mid, revision, cut, **values))[0], frame
    assert unread < TEXT_LIVES


@pytest.mark.parametrize("mid, revision", some(CASES, 2))
def test_header_of_another_revision_makes_no_value_another(reader, mid, revision):
    frame = frame_of(mid, revision)
    wanted = reader.read(mid, frame)[0]
    for other in [one for _, one in CASES if one != revision] + [12, 500]:
        read = reader.read(mid, frame[:8] + b"%03d" % other + frame[11:])
        if other <= 11 or other > revision:
            lacks_scale = 2 <= revision < 10 <= other and (mid, other) != (61, 998)  # of the angles
            assert read is None or (agrees(read[0], wanted) and (read[0] != wanted) == lacks_scale), other
        if other <= 11 and revision <= 11:
            assert (read is None) == (revision == 2 and other > 2), other  # its unit would be missing


def agrees(read, wanted):
    """True if every field that was found is the one wanted: what is missing is blank, or zeros for the time."""
    at = 0
    for width in (25, 4, 4, 4, 4, 1, 1, 1, 1, 6, 5, 7, 19, 10, 14, 6, 6, 6, 5, 5, 5, 1, 2, 1):
        part = read[at : at + width]
        if part.strip(b" \0") and part != wanted[at : at + width]:
            return False
        at += width
    return True


@pytest.mark.parametrize("mid, revision", some(CASES, 3))
def test_message_cut_at_any_octet_has_no_other_value(reader, mid, revision):
    wide = {"vin": "WVWZZZ1KÄ".ljust(25).encode()}
    for texts in ({}, wide):
        frame = frame_of(mid, revision, texts)
        cut = {name: text[:25] for name, text in texts.items()}
        wanted = reader.read(mid, frame_of(mid, revision, cut))[0]
        for length in range(20 if LONG else 20 + revision % 3, len(frame), 1 if LONG else 3):  # in turns
            read = reader.read(mid, b"%04d" % length + frame[4:length])
            if read is None:
                continue
            assert agrees(read[0], wanted), length
            assert revision < 3 or read[0][res.BODY_BYTES + res.TORQUE_UNIT] == 0x38, length


@pytest.mark.parametrize("mid, revision", [one for one in CASES if 2 < one[1] < 12])
def test_message_that_ends_where_a_lower_revision_ends_is_incomplete(mid, revision):
    whole = frame_of(mid, revision)
    for lower in range(2, revision):
        length = len(frame_of(mid, lower))
        frame = b"%04d" % length + whole[4:length]
        store = Bench().store
        code = store.read_long(mid, frame, 0, length, revision)
        shown = message_as_data(decode(frame))
        if lower == 2:  # the unit of its torque is not there
            assert code == res.RESULT_UNREADABLE and "unreadable" in shown
            continue
        at = store.log.payload_at
        payload = bytearray(store.log.stage[at : at + store.length])
        payload[: res.HEAD_BYTES] = bytes(res.HEAD_BYTES)
        notes = put_in_order(payload, len(payload))[1]
        assert code == res.RESULT_ODD and notes.endswith("incomplete") and "shifted" not in notes, lower
        assert "incomplete" in shown and "shifted" not in shown, lower
        has_angle = lower >= 10 or revision < 10  # in revision 10 it has a scale at the end
        assert bool(payload[res.HEAD_BYTES + res.ANGLE :][:5].strip()) == has_angle == ("angle" not in notes), lower


@pytest.mark.parametrize("mid, revision", CASES)
def test_trailing_octets_change_no_value(reader, mid, revision):
    frame = frame_of(mid, revision)
    wanted = reader.read(mid, frame)[0]
    part = b"0055" + frame[4:18] + b"22" + b"4711" * 9
    for more in (b"\0", b"\0\0\0", b"   ", b"x", b"47", b"04 12", part, frame):
        for texts in ({}, {"vin": "WVWZZZ1KÄ".ljust(25).encode()}):
            longer = frame_of(mid, revision, texts) + more
            read = reader.read(mid, b"%04d" % len(longer) + longer[4:])
            if texts:
                wanted_now = reader.read(mid, frame_of(mid, revision, {"vin": texts["vin"][:25]}))[0]
            else:
                wanted_now = wanted
            assert read is None or agrees(read[0], wanted_now), more
            if not more.strip(b" \0") and revision != 998:
                assert read is not None, more


def test_wrong_ids_in_front_of_unit_and_identifiers_make_no_unit():
    bench = Bench()
    frame = bytearray(frame_of(61, 4, torque=720, torque_unit=1))
    for place, wrong in ((413, b"47"), (416, b"51"), (420, b"63")):
        frame[place - 1 : place + 1] = wrong
    bench.push(bytes(frame))
    assert bench.results() == [] and [payload[8:] for _, _, payload in bench.records(KIND_RAW)] == [bytes(frame)]


def with_unit(mid, revision, octet):
    """Return a result whose unit of torque is this octet."""
    frame = bytearray(frame_of(mid, revision, torque=720))
    frame[(415 if mid == 61 else 229) - 1] = octet
    return bytes(frame)


def test_a_unit_that_is_not_defined_makes_no_result():
    for revision in (3, 4, 5, 6, 7, 8, 9, 10, 11, 998):
        for octet in b"\x0009Nx/:~\xff 12345678":
            bench = Bench()
            frame = with_unit(61, revision, octet)
            bench.push(frame)
            is_known = octet in b"\0 12345678"
            assert len(bench.results()) == is_known, (revision, octet)
            assert [payload[8:] for _, _, payload in bench.records(KIND_RAW)] == [frame[:FRAME_MOST]] * (not is_known)
            assert bench.counted(counter.RAW) == (not is_known)
            assert ("unreadable" in message_as_data(decode(frame))) == (not is_known)


def test_fetched_unit_that_is_not_defined_makes_no_result():
    for revision in (3, 4, 7, 11):
        for octet in b"09N 18":
            frame = with_unit(65, revision, octet)
            store = Bench().store
            assert store.read_fetched(frame, 0, len(frame), revision) == (octet in b" 18"), (revision, octet)
            assert ("unreadable" in message_as_data(decode(frame))) == (octet not in b" 18")


def test_decode_reads_what_the_agent_reads_whatever_the_header_says():
    for mid, revision in ((61, 1), (61, 3), (65, 2), (65, 3), (61, 11), (65, 11)):
        frame = frame_of(mid, revision)
        for octets in (
            b"   ",
            b"000",
            b"0\x00 ",
            b" 2 ",
            b"007",
            b"011",
            b"012",
            b"500",
            b"997",
            b"998",
            b"A12",
            b"01B",
        ):
            message = frame[:8] + octets + frame[11:]
            store = Bench().store
            stated = revision_of(message, 0)
            is_read = store.read_long(mid, message, 0, len(message), stated) > res.RESULT_UNREADABLE
            message_fields = as_data(CaptureItem(message))
            assert is_read == ("fields" in message_fields and "unreadable" not in message_fields), (
                mid,
                revision,
                octets,
            )
            if is_read:
                body = store.log.stage[store.body : store.body + res.BODY_BYTES]
                assert message_fields["fields"]["torque"]["value"] == int(body[res.TORQUE : res.TORQUE + 6]), (
                    mid,
                    revision,
                    octets,
                )
                assert message_fields["fields"]["tightening_id"] == int(
                    body[res.TIGHTENING_ID : res.TIGHTENING_ID + 10]
                )


def test_revision_that_is_not_described_is_decoded_as_far_as_it_is_known():
    for mid, more in ((61, b"7712345"), (65, b"5812345")):
        frame = frame_of(mid, 11) + more
        fields = message_as_data(decode(b"%04d" % len(frame) + frame[4:8] + b"013" + frame[11:]))
        assert fields["revision"] == 13 and "revision 11" in fields["later"] and bytes.fromhex(fields["rest"]) == more
        assert fields["fields"]["torque"]["unit"] == "Ncm" and "later: " in "".join(lines_of(fields))


def test_what_decode_reads_as_another_revision_is_read_again():
    frame = frame_of(61, 3)
    later = frame_of(65, 11) + b"5812345"
    for octets in (frame, frame[:8] + b"002" + frame[11:], b"%04d" % len(later) + later[4:8] + b"012" + later[11:]):
        line = json.dumps(as_data(CaptureItem(octets))).encode()
        assert [(one.octets, one.problem) for one in messages(line, "json")] == [(octets, "")]


def test_shifted_result_with_a_unit_that_is_not_defined_is_unreadable():
    for mid, revision in ((61, 4), (65, 4)):
        for unit, is_known in ((9, False), (8, True)):
            texts = {"vin": "WVWZZZ1KÄ".ljust(25).encode()}
            frame = frame_of(mid, revision, texts, torque_unit=unit)
            assert (Reader().read(mid, frame) is not None) == is_known
            assert ("unreadable" in message_as_data(decode(frame))) == (not is_known)


def light_of(vin, **fields):
    """Return a light result whose VIN is these octets, however many."""
    frame = light(**fields)
    frame = frame[:20] + vin + frame[45:]
    return b"%04d" % len(frame) + frame[4:]


def pushed_light(frame):
    """Return the body of a light result that was pushed, None if it is kept as it came."""
    bench = Bench()
    bench.push(frame)
    (kind, flags, payload) = bench.records(KIND_RESULT, KIND_RAW)[0]
    if kind == KIND_RAW:
        assert payload[8:] == frame
        return None
    assert bool(flags & res.FLAG_ODD) == bool(bench.counted(counter.SHIFTED))
    return payload[8 : 8 + res.BODY_BYTES]


def test_light_result_with_a_short_vin_is_kept_as_it_came():
    for text in (b"", b"WVWZZZ1KZAW123456", b"WVWZZZ1KZAW123456ABCDEFGH"):
        for octets in range(-6, 0):
            assert pushed_light(light_of(text_of(25, octets, text))) is None, octets


def test_light_result_that_is_not_proven_is_kept_as_it_came():
    blank = b" " * 19
    for octets in range(-6, 7):
        frame = light_of(text_of(25, octets, b"WVWZZZ1KZAW123456"), time=blank, pset_change=blank)
        assert (pushed_light(frame) is None) == (octets != 0), octets
        cut = light_of(text_of(25, octets, b"WVWZZZ1KZAW123456"))[4:121]
        body = pushed_light(b"0121" + (cut + b"1" * 99)[:117])
        assert (body is None) == (octets != 0), octets


def test_what_is_shifted_is_odd_counted_and_named():
    bench = Bench()
    bench.push(frame_of(61, 3, {"pset_name": "P01 10.0±0.8N.m".ljust(25).encode()}, torque=1040, torque_unit=1))
    (_, flags, payload) = bench.results()[0]
    assert flags == res.FLAG_ODD and bench.counted(counter.SHIFTED) == bench.counted(counter.ODD_FIELDS) == 1
    assert payload[8 + res.TORQUE : 8 + res.ANGLE] == b"001040"
    assert payload[8 + res.BODY_BYTES + res.TORQUE_UNIT] == 0x31
    assert put_in_order(bytearray(payload), len(payload)) == ([], "shifted")
    for ident in range(2, 5):
        bench.push(frame_of(61, 3, {"vin": "WVWZZZ1KÄ".ljust(25).encode()}, tightening_id=TIGHTENED_ID + ident))
    assert bench.counted(counter.SHIFTED) == 4
    assert [code for _, code, _ in bench.counters.log.entries()].count(counter.SHIFTED) == 1, "once a day"


@pytest.mark.parametrize("mid, revision", CASES)
@pytest.mark.parametrize("octets", (1, 2, 5, -1, -3))
def test_nothing_is_shifted_where_only_padding_at_the_end_is_more_or_less(mid, revision, octets):
    whole = frame_of(mid, revision)
    for end in (b"\0", b" "):
        frame = (whole + end * max(0, octets))[: len(whole) + octets]
        frame = b"%04d" % len(frame) + frame[4:]
        found = find(mid, revision, frame, 0, len(frame))
        if found is not None:
            used, copied, how = found
            text_last = layout_of(mid, revision)[-1][2] in TEXTS
            assert used == revision and how in (0, INCOMPLETE), end
            assert (how == 0) == (octets > 0) or not text_last, end
            assert whole[20:].startswith(copied[20:].rstrip(b" \0")), end
        assert found or octets == -3


def test_padding_behind_a_text_at_the_end_is_not_counted_as_shifted():
    for revision in (4, 5):
        for end in (b"\0", b" "):
            whole = frame_of(61, revision, {"identifier_4": b"Part 4".ljust(25)})
            bench = Bench()
            bench.push(b"%04d" % (len(whole) + 1) + whole[4:] + end)
            (_, flags, _) = bench.results()[0]
            assert not flags & res.FLAG_ODD and not bench.counted(counter.SHIFTED), (revision, end)


def test_fields_of_the_simulator_are_those_of_the_agent():
    for mid, revision in CASES:
        fields, count = layouts.fields_of(mid, revision)
        rows = layout_of(mid, revision)
        rows = rows[:-3] if revision == 998 else rows
        assert [
            (width | 0x80 if name in TEXTS or name == "station_name" else width) for _, width, name in rows
        ] == list(fields[:count]), (mid, revision)
    assert sum(width for _, width, _ in LIGHT) == 101


def test_octets_after_a_message_shift_nothing_in_front_of_them():
    times = ["2024-03-28:09:26:53", "2028-01-30:21:28:29", "2024-12-13:14:15:16", "2029-10-11:12:29:30"]
    for index, (mid, revision) in enumerate(CASES):
        fields, count = layouts.fields_of(mid, revision)
        if revision == 998 or fields[count - 1] & TEXT:
            continue
        for time in times if LONG else times[index % 4 :: 4]:  # in turns
            frame = frame_of(mid, revision, time=time)
            for octets in range(1, 25):
                for tail in (b"x" * octets, b"7" * octets, b" " * octets, b" " * (octets - 1) + b"x"):
                    if not tail.startswith(b"%02d" % (count + 1)):
                        longer = b"%04d" % (len(frame) + octets) + frame[4:] + tail
                        revision_read, read, how = find(mid, revision, longer, 0, len(longer))
                        case = (mid, revision, time, tail)
                        # nothing proves a last number in front of that, nor a time in front of a digit
                        if tail.strip() and (count not in (28, 46) or tail[0] == 0x37):
                            last = 2 + (fields[count - 1] & 0x7F)
                            assert (revision_read, how, read[20:]) == (revision, INCOMPLETE, frame[20:-last]), case
                        else:
                            assert (revision_read, how, read[20:]) == (revision, 0, frame[20:]), case
