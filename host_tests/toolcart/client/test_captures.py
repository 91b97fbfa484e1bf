"""A capture is read in the library, with direction and time; what `toolcart decode --json` prints goes back in."""

import json
import random

import pytest

import toolcart
from toolcart import catalogue
from toolcart.catalogue import data_field
from toolcart.client import OptionError
from toolcart.codec import capture as codec_capture
from toolcart.codec import inputs, rendering
from host_tests.support.captures import CONTROLLER, INTEGRATOR, capture, classic, next_generation
from host_tests.support.captures import packet as packet_of

FRAMES = [
    catalogue.encode(1, 3),
    catalogue.encode(2, 1, cell_id=1, channel_id=1, controller_name="A"),
    catalogue.encode(9999),
    catalogue.encode(5, mid_accepted=60),
    catalogue.encode(61, 999, torque=4237, tightening_status=1, time="2024-03-14:09:26:53"),
    catalogue.encode(62),
    catalogue.encode(9999),
]
FROM_CONTROLLER = (False, True, False, True, True, False, True)


def test_a_pcap_has_direction_and_time(tmp_path):
    file = tmp_path / "talk.pcap"
    file.write_bytes(capture(zip(FROM_CONTROLLER, FRAMES, strict=True)))
    telegrams = toolcart.captures.read(str(file))
    assert [one.message.frame for one in telegrams] == FRAMES and telegrams.problems == []
    names = {False: "integrator", True: "controller"}
    assert [one.sent_by for one in telegrams] == [names[one] for one in FROM_CONTROLLER]
    assert [one.time for one in telegrams] == sorted(one.time for one in telegrams) and telegrams[0].time.year >= 2020
    assert " > " in telegrams[0].way and telegrams[0].at_s == telegrams[0].time.timestamp()
    assert toolcart.captures.read(file, scaled=True)[4].message["tightening_status"] == "OK"


def test_octets_and_texts_are_read_and_what_is_none_is_a_problem():
    telegrams = toolcart.captures.read(b"log: 00230018001         002\nnothing here\n")
    assert [one.message.mid for one in telegrams] == [18] and telegrams[0].time is None and telegrams[0].way == "line 1"
    assert [one.why for one in telegrams.problems] == ["no message in this line"]
    assert toolcart.captures.read(b"") == []


def test_what_is_no_file_and_no_kind_is_refused(tmp_path):
    with pytest.raises(OSError):
        toolcart.captures.read(tmp_path / "missing.pcap")
    for given in ({"kind": "nix"}, {"header": "nix"}, {"source": 5}):
        with pytest.raises(OptionError, match=f"{next(iter(given))}: found"):
            toolcart.captures.read(**{"source": b"", **given})


def printed(packets):
    """What `tcpdump -X` prints of these packets."""
    text = ""
    for at_s, packet in packets:
        text += f"12:00:{at_s:09.6f} IP 10.0.0.2.4545 > 10.0.0.1.40000: Flags [P.], length {len(packet)}\n"
        for at in range(0, len(packet), 16):
            row = packet[at : at + 16]
            groups = " ".join(row[begin : begin + 2].hex() for begin in range(0, len(row), 2))
            shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
            text += f"\t0x{at:04x}:  {groups:<39}  {shown}\n"
    return text.encode()


@pytest.mark.parametrize("link", [0, 14])
def test_packets_that_tcpdump_printed_are_read_like_its_file(link):
    """-X has them from the IP header on, -XX with Ethernet's."""
    octets = capture(zip(FROM_CONTROLLER, FRAMES, strict=True))
    packets = [(second % 60, packet[14 - link :]) for second, _, packet in codec_capture.packets(octets)]
    found = list(inputs.messages(printed(packets)))
    assert [one.octets for one in found] == [one.octets for one in inputs.messages(octets)]
    assert not any(one.problem for one in found) and inputs.kind_of(printed(packets)) == "tcpdump"
    assert inputs.kind_of(b"12:00:00 0x0000 nothing\n") == "text"


HEX = (FRAMES[4] + b"\0").hex()
SPACED = (FRAMES[4] + b"\0").hex(" ").upper()


@pytest.mark.parametrize(
    "line",
    [
        HEX,
        *[form.format(HEX) for form in ("RX: {}", '"{}"', "`{}`", "> {}", "- {}", "data={}")],
        *[form.format(SPACED) for form in ("RX: {}", '"{}"', "`{}`", "> {}", "- {}", "data={}")],
        f"2024-03-01 12:00:00 RX {HEX}",
        f"3/1/2024 12:00:00 PM  RX | {SPACED}",
        f"0x{HEX} was received",
        "RX " + (FRAMES[4] + b"\0").hex(":"),
        "RX " + ", ".join(f"0x{octet:02x}" for octet in FRAMES[4] + b"\0"),
        "RX " + (FRAMES[4] + b"\0").hex(" ", 2),
    ],
)
def test_hexadecimal_among_words_is_a_telegram_and_brings_no_others(line):
    log = f"12:00 <= {FRAMES[2].decode()}\nMID 0061 =\n{line}\n".encode()
    found = list(inputs.messages(log))
    assert [one.octets.rstrip(b"\0") for one in found if not one.problem] == [FRAMES[2], FRAMES[4]]
    assert [one.problem for one in found if one.problem] == ["no message in this line"]


def test_hexadecimal_that_is_no_telegram_is_told_and_invents_none():
    text = "".join(f"{10 + at % 80:02d}" for at in range(60)).encode().hex()  # digits of digits, of no length
    for line in (b"RX: " + b"this is only some text of a log".hex().encode(), b"RX " + text.encode()):
        [found] = inputs.messages(line + b"\n")
        assert found.problem, line


def lines_of(octets):
    return [json.dumps(rendering.as_data(one)) for one in inputs.messages(octets)]


def test_the_lines_of_decode_go_back_in(tmp_path):
    """As a file, and one by one through from_json."""
    octets = capture(zip(FROM_CONTROLLER, FRAMES, strict=True))
    lines = lines_of(octets)
    assert [toolcart.from_json(line).frame for line in lines] == FRAMES
    again = "\n".join(lines).encode()
    assert inputs.kind_of(again) == "json" and lines_of(again) == lines
    was, is_now = toolcart.captures.read(octets), toolcart.captures.read(again)
    assert [(one.sent_by, one.way, one.message) for one in was] == [
        (one.sent_by, one.way, one.message) for one in is_now
    ]
    assert all(abs(one.at_s - other.at_s) < 1e-5 for one, other in zip(was, is_now, strict=True))


def test_so_do_all_messages_of_the_tables_and_spoiled_ones():
    from toolcart.codec.examples import example

    dice = random.Random(53)
    for mid in catalogue.mids():
        for revision in catalogue.revisions(mid):
            frame, _ = example(catalogue.form(mid, revision))
            for index in range(4):
                octets = bytearray(frame)
                if index:
                    octets[dice.randrange(20, len(octets)) if len(octets) > 20 else 11] = dice.choice(b" 0X9")
                for line in lines_of(bytes(octets)):
                    data = json.loads(line)
                    if "frame" in data:
                        assert toolcart.from_json(line).frame.hex() == data["frame"], line


def test_parts_and_what_is_no_message_go_back_too():
    fields = [data_field(30000 + number, "text") for number in range(600)]
    parts = catalogue.encode_linked(1202, 1, result_id=7, data_fields=fields)
    lines = lines_of(b"".join(catalogue.wire(part) for part in parts))
    again = "\n".join(lines).encode()
    assert toolcart.from_json(lines[0])["data_field_count"] == 600
    assert toolcart.captures.read(again)[0].message["data_field_count"] == 600
    lines = lines_of(b"00230018001         002\nnothing here\n")
    assert lines_of("\n".join(lines).encode()) == lines


def test_a_value_that_was_changed_in_such_a_line_wins():
    [line] = lines_of(catalogue.encode(61, 999, torque=4237, time="2024-03-14:09:26:53"))
    data = json.loads(line)
    data["fields"]["torque"]["value"] = 5000
    assert toolcart.from_json(json.dumps(data))["torque"] == 5000
    [telegram] = toolcart.captures.read(json.dumps(data).encode())
    assert telegram.message["torque"] == 5000
    [problem] = toolcart.captures.read(b'{"mid": 61}').problems
    assert "no message in JSON" in problem.why


WRONG_LINES = (
    '{"octets": "%s", "at_s": "x"}',
    '{"octets": "%s", "at_s": NaN}',
    '{"octets": "%s", "at_s": []}',
    '{"mid": 62, "header": ["station"], "fields": {}}',
    '{"mid": 62, "fields": ' + "[" * 100000 + "]" * 100000 + "}",
)


def test_a_line_of_json_that_says_what_cannot_be_is_a_problem():
    frame = catalogue.encode(62).hex()
    for line in WRONG_LINES:
        one = line.replace("%s", frame).encode()
        telegrams = toolcart.captures.read(one, kind="json")
        assert telegrams == [] and len(telegrams.problems) == 1, line[:60]
        [data] = [rendering.as_data(seen) for seen in inputs.messages(one, "json")]
        assert rendering.lines_of(data)[0].startswith("no message: "), line[:60]
    odd = '{"octets": "%s", "at_s": 1e30, "way": 5, "problem": ""}' % frame
    [telegram] = toolcart.captures.read(odd.encode(), kind="json")
    assert (telegram.time, telegram.way) == (None, "5")
    [problem] = toolcart.captures.read(b'{"octets": "00", "problem": ["x"]}', kind="json").problems
    assert problem.why == "['x']"


def test_json_that_no_message_can_be_made_of_is_a_frame_error():
    for line in WRONG_LINES[3:]:
        with pytest.raises(catalogue.FrameError):
            toolcart.from_json(line)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0\n"])
def test_bare_telegrams_one_a_line_are_messages_of_open_protocol(end):
    """What begins with digits alone is no hexadecimal, and what has 07 or 09 to 13 in its MID none of ToolsNet's."""
    from toolcart.codec.examples import example

    for mid in filter(catalogue.revisions, catalogue.mids()):
        frame, _ = example(catalogue.form(mid, catalogue.revisions(mid)[-1]))
        if frame.isascii() and not set(frame) & set(b"\n\r\0"):
            for count in (1, 2, 5):
                capture_ = toolcart.captures.read((frame + end) * count)
                assert [one.message.frame for one in capture_] == [frame] * count and not capture_.problems, mid


def test_buffers_as_node_prints_them_are_read():
    def printed(octets):
        return "<Buffer " + octets.hex(" ") + ">"

    frames = [catalogue.encode(5, mid_accepted=18), catalogue.encode(61, 999, torque=4237)]
    log = "\n".join(
        [
            "2026-11-30T08:00:01.123Z open-protocol data " + printed(frames[0] + b"\0") + " +3ms",
            "{ payload: " + printed(frames[1] + b"\0") + ", and " + printed(frames[0]) + " }",
            "<Buffer 30 30 32 36 ... 12 more bytes>",
            printed(b"4237"),
        ]
    )
    telegrams = toolcart.captures.read(log.encode())
    assert [one.message.frame for one in telegrams] == [frames[0], frames[1], frames[0]]
    assert [one.way for one in telegrams] == ["line 1", "line 2", "line 2"]
    shown, other = telegrams.problems
    assert "4 of 16 bytes" in shown.why and "INSPECT_MAX_BYTES" in shown.why and other.way == "line 4"


@pytest.mark.parametrize("kind", [one for one in toolcart.captures.KINDS if one != "auto"])
@pytest.mark.parametrize("octets", [b"zz", b"nothing of that kind\n" * 3])
def test_what_is_not_of_its_kind_is_a_problem(octets, kind):
    capture = toolcart.captures.read(octets, kind=kind)
    assert not capture and capture.problems


@pytest.mark.parametrize("octets", [b"00200060001         ", b"zz", b"*\n"])
def test_a_line_that_is_no_hexadecimal_is_a_problem(octets):
    whole = b"0000  30 30 32 30 30 30 36 30  30 30 31 20 20 20 20 20\n" + octets + b"\n0010  20 20 20 20\n"
    capture = toolcart.captures.read(octets, kind="hex")
    assert not capture and [(one.octets, one.why) for one in capture.problems] == [
        (octets.strip(), "no hexadecimal in this line")
    ]
    capture = toolcart.captures.read(whole, kind="hex")
    assert [one.message.mid for one in capture] == [60] and [one.way for one in capture.problems] == ["line 2"]


@pytest.mark.parametrize("written", [classic, next_generation])
def test_a_capture_that_was_cut_off_anywhere_in_its_last_packet_has_a_problem(written):
    before, last = packet_of(CONTROLLER, INTEGRATOR, 1, FRAMES[3] + b"\0"), FRAMES[4] + b"\0" + FRAMES[6]
    whole = written([before, packet_of(CONTROLLER, INTEGRATOR, 1 + len(FRAMES[3]) + 1, last)])
    read = toolcart.captures.read(whole)
    assert [one.message.mid for one in read] == [5, 61, 9999] and read.problems == []
    begin = len(written([before]))
    for end in range(begin + 1, len(whole)):
        read = toolcart.captures.read(whole[:end])
        why = [one.why for one in read.problems]
        assert read[0].message.mid == 5 and "the capture ends within a packet" in why, end
    assert toolcart.captures.read(whole[:begin]).problems == []
