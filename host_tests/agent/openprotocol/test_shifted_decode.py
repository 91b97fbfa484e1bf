"""What `toolcart decode`, the catalogue and a line show of a result whose fields are not where they must be."""

import json
import random

import pytest

from toolcart import captures
from toolcart.agent.linux.extended_store import ExtendedStore
from toolcart.agent.linux.json_line import line_of
from toolcart.agent.record import KIND_RESULT, identifiers
from toolcart.agent.record import result as res
from toolcart.catalogue import Odd, decode
from toolcart.codec.inputs import messages
from toolcart.codec.rendering import as_data, lines_of, message_as_data
from toolcart.codec.stream import Messages
from toolcart.sim import spindle_frames
from host_tests.agent.openprotocol.test_shifted_fields import CASES, frame_of, text_of, widths_of
from host_tests.portable import LONG
from host_tests.support.frames import example_tightening, light, message
from host_tests.support.station import Bench


@pytest.mark.parametrize("mid, revision", CASES)
def test_catalogue_believes_no_field_that_is_not_where_it_belongs(mid, revision):
    dice = random.Random(mid + revision)
    wanted = dict(decode(frame_of(mid, revision)))
    for _ in range(20):
        name = dice.choice(sorted(widths_of(mid, revision)))
        width = widths_of(mid, revision)[name]
        octets = dice.choice((-3, -2, -1, 1, 2, 3))
        frame = frame_of(mid, revision, {name: text_of(width, octets, b"A")})
        message, fields = decode(frame), decode(frame).fields()
        for one in wanted:
            value = message[one]
            assert value is None or isinstance(value, Odd) or value == wanted[one] or value == "A", one
            assert fields[one] == value or isinstance(value, Odd)


def test_decode_says_that_fields_were_found_by_their_ids():
    frame = frame_of(61, 3, {"pset_name": "P01 10.0±0.8N.m".ljust(25).encode()}, torque=1040, torque_unit=1)
    message = message_as_data(decode(frame))
    assert message["fields"]["torque"]["decimal"] == "10.40" and message["fields"]["torque_unit"]["meaning"] == "Nm"
    assert message["shifted"].startswith("its fields are not where revision 3 has them")
    assert "  shifted: " + message["shifted"] in lines_of(message)
    wrong = bytearray(frame_of(61, 4))
    wrong[413:415] = b"47"
    message = message_as_data(decode(bytes(wrong)))
    assert "unreadable" in message and any(line.startswith("  unreadable: ") for line in lines_of(message))
    assert not {"shifted", "unreadable"} & set(message_as_data(decode(frame_of(61, 4))))


def test_message_is_kept_beside_a_shifted_result_on_linux():
    bench = Bench()
    bench.store.__class__ = ExtendedStore
    frame = frame_of(61, 1, {"vin": "WVWZZZ1KÄ".ljust(25).encode()})
    bench.push(frame)
    (_, flags, payload) = bench.results()[0]
    assert flags == res.FLAG_ODD and identifiers.frame_of(payload, 0, len(payload)) == frame
    line = json.loads(line_of(payload, 0, KIND_RESULT, flags, len(payload)))
    assert line["frame"] == frame.hex() and line["odd"] == "shifted" and line["identifier_3"] is None
    bench.push(frame_of(61, 7, {"vin": "WVWZZZ1KÄ".ljust(25).encode()}, tightening_id=8))
    (_, _, payload) = bench.results()[1]
    assert identifiers.frame_of(payload, 0, len(payload)) == b"", "there is no room for it"


def lines_fields(frame):
    """What the agent makes of a pushed frame: the fields of its line, None if it keeps it as it came."""
    bench = Bench()
    bench.push(frame)
    records = bench.results()
    if not records:
        return None
    _, flags, payload = records[0]
    return json.loads(line_of(payload, 0, KIND_RESULT, flags, len(payload)))


def test_decode_reads_a_number_however_it_is_written_as_the_agent_does():
    for revision in (1, 2, 3, 11, 999):
        names = {"torque": "torque", "angle": "angle", "tightening_id": "tightening_id"}
        if revision != 999:
            names.update({"torque_max": "torque_max", "angle_min": "angle_min"})
        for name, texts in (
            ("torque", (b"  6.95", b"-00695", b"+00695", b" 12.345"[:6], b"1.2.34", b"000-95", b"ABCDEF")),
            ("torque_max", (b" 46.00", b"-00695", b"99999.")),
            ("angle", (b"-0045", b"045.5", b"-45.5", b"9.5.7")),
            ("angle_min", (b"-0090", b"090.5")),
            ("tightening_id", (b"0000012.50", b"-000000012", b"+000000012", b"12 34     ")),
        ):
            if name not in names:
                continue
            for text in texts:
                frame = frame_of(61, revision, {name: text}) if revision != 999 else light(**{name: text.decode()})
                shown = message_as_data(decode(frame))
                value = shown["fields"][name]
                is_odd = isinstance(value, dict) and "why" in value
                value = value.get("decimal", value.get("value")) if isinstance(value, dict) else value
                delivered = lines_fields(frame)[names[name]]
                if delivered is None:
                    assert is_odd and name in shown["odd"], (revision, name, text)
                else:
                    assert str(value) == str(delivered) and name not in shown.get("odd", {}), (revision, name, text)


@pytest.mark.parametrize("revision", [1, 2, 3, 6, 999])
def test_decode_says_incomplete_of_what_the_agent_stores_and_unreadable_of_what_it_keeps_as_it_came(revision):
    whole = light() if revision == 999 else frame_of(61, revision)
    for length in range(20, len(whole)):
        frame = b"%04d" % length + whole[4:length]
        shown = message_as_data(decode(frame))
        assert ("unreadable" in shown) == (lines_fields(frame) is None), length
        assert "unreadable" in shown or "incomplete" in shown, length


def test_decode_reads_a_sync_result_as_the_agent_does():
    data = spindle_frames.sync_data(example_tightening(), 3, 2)
    for row in (0, 1):
        for start, text, name, wanted in (
            (6, b"8.09  ", "torque", 809),
            (6, b"-8.09 ", "torque", -809),
            (6, b"12.345", "torque", 1234),
            (13, b"095.5", "angle", 95),
            (6, b"1.2.34", "torque", None),
            (6, b"99999.", "torque", None),
        ):
            at = 174 - 20 + row * 18 + start
            frame = message(101, data[:at] + text + data[at + len(text) :], 3)
            shown = message_as_data(decode(frame))
            assert ("unreadable" in shown) == (wanted is None), text
            if wanted is not None:
                assert shown["fields"]["spindles"][row][name] == wanted and "odd" not in shown, text
    shown = message_as_data(decode(message(101, data[: 77 - 20] + b"6.80  " + data[83 - 20 :], 3)))
    assert shown["fields"]["torque_min"]["decimal"] == "6.80" and "odd" not in shown


def made_of(octets):
    """What the agent makes of these octets of a stream: a word for each result, message kept as it came, and the rest.

    Each message has a store of its own, since the same one that comes again is not stored twice.
    """
    found, made = Messages(), []
    for frame, is_message in (*found.feed(octets), *found.end()):
        if is_message and frame[4:8] == b"0061":  # digits may look like the header of something else
            bench = Bench()
            bench.push(frame)
            lines = [json.loads(line_of(one, 0, KIND_RESULT, flags, len(one))) for _, flags, one in bench.results()]
            torque = lines[0]["torque"] if lines else None
            odd = lines[0].get("odd") or "" if lines else "unreadable"
            word = next((one for one in ("shifted", "incomplete", "unreadable") if one in odd), "read")
            made.append((word, torque and float(torque)))
        else:
            made.append(("no message", None))
    return made


def shown_of(octets, kind="octets"):
    """The same, as `toolcart decode` shows it."""
    shown = []
    for one in messages(octets, kind):
        data = as_data(one)
        words = [word for word in ("shifted", "incomplete", "unreadable") if word in data]
        word = "no message" if data.get("mid") != 61 else words[0] if words else "read"
        torque = data.get("fields", {}).get("torque")
        is_read = word in ("read", "shifted", "incomplete") and torque is not None
        shown.append((word, float(torque["decimal"]) if is_read else None))
    return shown


def spoiled(dice, whole):
    """A frame whose header, end or inside is wrong in one way, and what way that is."""
    way = dice.choice(("length", "end", "counted end", "parts", "inside", "cut"))
    if way == "length":
        return b"%04d" % (len(whole) + dice.choice((-90, -50, -10, -2, -1, 1, 2, 10, 40, 120))) + whole[4:], way
    if way == "parts":
        parts = dice.choice((b"01", b"10", b"11", b"00", b"02", b"A ", b" 1", b"1 ", b"0A", b"\0\0", b"1\0"))
        return whole[:18] + parts + whole[20:], way
    if way == "inside":
        at = dice.randrange(20, len(whole))
        return whole[:at] + dice.choice((b"", b" ", b"\r\n", b"\xc3\x84", b"12")) + whole[at:], way
    if way == "cut":
        return whole[: dice.randrange(21, len(whole))], way
    end = dice.choice((b"\r\n", b"\n", b"\3", b"\r\n\3", b" ", b"  \r\n", b"7", b" 7\r\n", b"\xc3\x84"))
    return (b"%04d" % (len(whole) + len(end)) if way == "counted end" else whole[:4]) + whole[4:] + end, way


@pytest.mark.parametrize("revision", [1, 2, 3, 7, 11, 999])
def test_decode_takes_a_frame_that_is_not_as_its_header_says_as_the_agent_takes_it(revision):
    dice = random.Random(revision)
    whole = light() if revision == 999 else frame_of(61, revision)
    for _ in range(1000 if LONG else 60):
        frame, way = spoiled(dice, whole)
        octets = frame + b"\0" + dice.choice((b"", whole + b"\0"))
        for kind, text in (("octets", octets), ("hex", octets.hex().encode())):
            assert shown_of(text, kind) == made_of(octets), (way, frame[:20], kind)


def test_decode_says_which_length_is_wrong_and_reads_its_own_lines_again():
    whole = frame_of(61, 3)
    for length, note in (
        (len(whole) - 2, "its length says 417, it has 419 bytes; the agent takes it as it ended"),
        (len(whole) + 40, "its length says 459, it has 419 bytes; the agent takes it as it ended"),
        (len(whole), None),
    ):
        [seen] = messages(b"%04d" % length + whole[4:] + b"\0")
        shown = as_data(seen)
        assert shown.get("wrong_length") == note and shown["frame"][:8] == (b"%04d" % length).hex()
        assert (f"  wrong length: {note}" in lines_of(shown)) == bool(note)
        [again] = messages(json.dumps(shown).encode(), "json")
        assert as_data(again) == {**shown, "way": "line 1"}
        [telegram] = captures.read(b"%04d" % length + whole[4:] + b"\0", kind="octets")
        assert telegram.message["torque"] == decode(whole)["torque"]


def test_decode_takes_a_line_of_a_log_that_a_nul_ends_in_front_of_its_length_as_it_ended():
    whole = frame_of(61, 3)
    log = b"12:00:01 got %04d" % (len(whole) + 40) + whole[4:] + b"<NUL>\n12:00:02 got 00209999001         <NUL>\n"
    first, second = (as_data(one) for one in messages(log))
    assert first["wrong_length"].startswith("its length says 459, it has 419 bytes") and second["mid"] == 9999


@pytest.mark.parametrize("less", [1, 2, 30, 99, 150])
@pytest.mark.parametrize("end", [b"", b"\0", b"<NUL>", b" ok", b"<NUL> ok"])
def test_decode_of_a_line_whose_length_is_too_small_says_what_decode_of_octets_says(less, end):
    whole = frame_of(61, 3)
    short = b"%04d" % (len(whole) - less) + whole[4:]
    line = b"12:00:01 got " + short + end + b"\n12:00:02 got 00209999001         <NUL>\n"
    end = end.replace(b"<NUL>", b"\0").removesuffix(b" ok") if b"\0" in end or b"<NUL>" in end else end
    of_octets = [as_data(one) for one in messages(short + end, "octets")]
    *of_line, last = [as_data(one) for one in messages(line, "text")]
    assert [{**one, "way": "line 1"} for one in of_octets] == of_line and last["mid"] == 9999
    if end == b"\0" and less < 100:
        assert of_line[0]["wrong_length"].startswith("its length says %d, it has 419 bytes" % (419 - less))
    else:
        assert "problem" in of_line[-1] and of_line[0]["frame"] == short[: len(short) - less].hex()


@pytest.mark.parametrize("words", [b"", b" sent", b"' sent", b'"', b"]", b"<NUL> sent", b" | 00200062001         "])
def test_words_behind_a_telegram_in_a_line_are_none_of_it(words):
    line = b"12:00:01 '00209999001         " + words + b"\n"
    assert {(as_data(one).get("problem"), as_data(one).get("wrong_length")) for one in messages(line)} == {(None, None)}


def test_decode_takes_parts_whose_lengths_are_wrong_as_the_agent_does():
    whole = frame_of(61, 3, {"vin": "WVWZZZ1KÄ".ljust(25).encode()})
    parts = [whole[4:18] + b"21" + whole[20:200], whole[4:18] + b"22" + whole[200:]]
    for more, word in ((0, "shifted"), (-2, "unreadable")):
        octets = b"".join(b"%04d" % (len(part) + 4 + more) + part + b"\0" for part in parts)
        assert [shown for shown, _ in shown_of(octets)] == [word]
