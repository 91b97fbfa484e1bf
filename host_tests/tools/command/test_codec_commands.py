"""`toolcart mid` shows every table, `toolcart decode` finds the messages in captures, dumps, logs and octets."""

import io
import json
import subprocess
import sys

import pytest

from toolcart import catalogue
from toolcart.codec import capture, inputs, rendering
from host_tests.portable import LONG
from host_tests.support.captures import classic, next_generation, packet
from host_tests.support.combinations import some
from host_tests.support.frames import EXAMPLE
from host_tests.support.running import command_of, running, toolcart
from host_tests.tools.command.test_line_commands import capture_of
from lab.cache import CHECKOUT

ASKED = catalogue.wire(catalogue.encode(60, 999))
ANSWERED = catalogue.wire(catalogue.encode(5, mid_accepted=60))
RESULT = catalogue.wire(EXAMPLE)
TAKEN = catalogue.wire(catalogue.encode(62))
TRACE = catalogue.encode(900, 1, result_id=7, samples=[0x0231, -1, 16, 2])
CONTROLLER, AGENT = ("192.0.2.10", 4545), ("192.0.2.20", 50000)


def lines(done):
    return [json.loads(line) for line in done.output.splitlines()]


def decoded(octets, *words, code=0):
    """What `toolcart decode` shows of standard input."""
    return toolcart("decode", "-", *words, text=octets, code=code).output


# -- mid -----------------------------------------------------------------------------------------------------------


def test_every_mid_has_a_table_that_can_be_shown():
    for number in catalogue.mids():
        assert f"MID {number:04d}" in toolcart("mid", number).output, number
        table = json.loads(toolcart("mid", number, "--json").output)
        revisions = [form["revision"] for form in table["revisions"] if not form["other"]]
        assert revisions == catalogue.revisions(number)


def test_the_table_of_a_revision_has_ids_octets_units_and_meanings():
    lines = toolcart("mid", "0061", "-r", 1).output.splitlines()
    assert [line for line in lines if line.split() == ["15", "141-146", "digits", "6", "torque", "Nm", "/", "100"]]
    assert "      0 low; 1 OK; 2 high" in lines
    noted = toolcart("mid", 15, "-r", 2).output
    assert "OP 5.3.6 p. 87 printed 111-112/113-117" in noted
    assert "since 2.15" in toolcart("mid", 61, "-r", 10).output
    assert "torque max shut off" in toolcart("mid", 61, "-r", 2).output
    codes = toolcart("mid", 4).output
    assert "18 job info subscription already exists" in codes and codes.count("97 MID revision unsupported") == 1
    assert "values, as above" in codes, "the codes of revision 2 are those of revision 1"
    modes = toolcart("mid", 2601).output
    assert "revision 1, other layout" in modes and "name_length" in modes and "text 100" in modes
    assert "as revision 1" in toolcart("mid", 64).output


@pytest.mark.parametrize(
    "code, arguments",
    [
        (1, ("mid", "nonsense")),
        (1, ("mid", "\u00b2")),
        (2, ("mid", 5555)),
        (2, ("mid", 99999)),
        (2, ("mid", 61, "-r", 500)),
    ],
)
def test_what_there_is_not_is_reported(code, arguments):
    output = toolcart(*arguments, code=code).output
    assert "toolcart: " in output and "should not happen" not in output


# -- captures ------------------------------------------------------------------------------------------------------


def a_talk(**how):
    """A start, a result in three segments that come in the wrong order and twice, and its acknowledgement."""
    down, up = (CONTROLLER, AGENT), (AGENT, CONTROLLER)
    first, second, third = RESULT[:30], RESULT[30:70], RESULT[70:]
    base = 0xFFFFFFF0  # the numbers run over
    at = [base + 1 + offset & 0xFFFFFFFF for offset in (0, len(ANSWERED), len(ANSWERED) + 30, len(ANSWERED) + 70)]
    return [
        packet(*up, 100, b"", syn=True, **how),
        packet(*down, base, b"", syn=True, **how),
        packet(*up, 101, ASKED, **how),
        packet(*down, at[0], ANSWERED, **how),
        packet(*down, at[2], second, **how),
        packet(*down, at[1], first, **how),
        packet(*down, at[1], first + second, **how),
        packet(*down, at[3], third, **how),
        packet(*up, 101 + len(ASKED), TAKEN, **how),
        bytes(12) + b"\x08\x06" + bytes(46),  # ARP
    ]


@pytest.mark.parametrize(
    "octets",
    [classic(a_talk()), classic(a_talk(vlan=True), ">"), classic(a_talk(version=6)), next_generation(a_talk())],
    ids=["pcap", "big endian, vlan", "ipv6", "pcapng"],
)
def test_a_capture_gives_both_directions_in_order(octets, tmp_path):
    file = tmp_path / "talk.pcap"
    file.write_bytes(octets)
    messages = lines(toolcart("decode", file, "--json"))
    assert [one["mid"] for one in messages] == [60, 5, 61, 62], messages
    assert messages[2]["fields"]["torque"] == {"value": 4237, "decimal": "42.37", "unit": "Nm"}
    assert messages[2]["answer"] == {"mid": 62, "revision": 1}
    assert messages[0]["way"].endswith(":4545") and messages[1]["way"].endswith(":50000")
    assert abs(messages[3]["at_s"] - 1700000000.008) < 0.0005
    assert "42.37 Nm" in toolcart("decode", file).output


def test_octets_that_are_not_in_the_capture_are_reported_and_what_follows_is_read():
    at = [100, 100 + len(ANSWERED) + 50]
    packets = [(at[0], ANSWERED + RESULT[:30]), (at[1], RESULT[50:]), (at[1] + len(RESULT) - 50, ANSWERED)]
    read = inputs.messages(classic([packet(CONTROLLER, AGENT, *one) for one in packets]))
    problems = [(one.octets, one.problem) for one in read]
    assert problems[:2] == [(ANSWERED[:-1], ""), (RESULT[:30], "20 bytes are missing in the capture")]
    assert [problem != "" for _, problem in problems[2:]] == [True, False] and problems[3][0] == ANSWERED[:-1]


def test_segments_that_come_thousands_too_early_are_put_in_their_place():
    frame = catalogue.wire(catalogue.encode(9999))
    late, *early = [packet(CONTROLLER, AGENT, 101 + index * len(frame), frame) for index in range(3000)]
    start = packet(CONTROLLER, AGENT, 100, b"", syn=True)
    assert len(list(inputs.messages(classic([start, *early, late])))) == 3000


def test_file_that_is_no_capture_or_ends_within_one_is_no_traceback():
    for whole, sizes in ((classic(a_talk()), range(24, 400, 7)), (next_generation(a_talk()), range(12, 400, 5))):
        for size in sizes:
            list(capture.streams(whole[:size]))
    for octets in (b"no capture", classic([])[:20]):
        assert "capture" in decoded(octets, "--as", "pcap", code=1)


# -- other inputs --------------------------------------------------------------------------------------------------


def mids(octets, kind="auto"):
    return [json.loads(json.dumps(rendering.as_data(one))).get("mid") for one in inputs.messages(octets, kind)]


def test_octets_hexadecimal_and_dumps_are_told_apart():
    stream = ASKED + RESULT + TRACE + TAKEN
    assert mids(stream) == [60, 61, 900, 62]
    text = stream.hex()
    spaced = "\n".join(stream[at : at + 16].hex(" ") for at in range(0, len(stream), 16))
    prefixed = ", ".join(f"0x{octet:02X}" for octet in stream)
    for form in (text, spaced, prefixed, prefixed + ","):
        assert inputs.kind_of(form.encode()) == "hex", form[:40]
        assert mids(form.encode()) == [60, 61, 900, 62]


def dump_of(octets, group, half, end=""):
    """As from xxd (groups of bytes, no halves) and hexdump -C (halves, the text in bars, the count at the end)."""
    bar = "|" if half else ""
    lines = []
    for at in range(0, len(octets), 16):
        line = octets[at : at + 16]
        printable = "".join(chr(one) if 32 <= one < 127 else "." for one in line)
        digits = "  ".join(part.hex(" ", -group) for part in (line[:half], line[half:]) if part)
        lines.append(
            f"{at:08x}{' ' if half else ':'} {digits:<{49 if half else 39 + (group == 1) * 8}}  {bar}{printable}{bar}"
        )
    return "\n".join([*lines, end]).encode()


@pytest.mark.parametrize("moved", range(16))
def test_a_dump_of_hexdump_or_xxd_is_read_wherever_its_text_stands(moved):
    """Text that stands beside the bytes may look like bytes; it counts no byte."""
    front = catalogue.wire(catalogue.encode(5555, data=b" " * (moved + 3), check=False))
    stream = front + ASKED + RESULT + TRACE + TAKEN
    dumps = [dump_of(stream, 2, 0), dump_of(stream, 1, 0), dump_of(stream, 1, 8, f"{len(stream):08x}")]
    for dump in dumps:
        assert [one.octets for one in inputs.messages(dump)] == [one.octets for one in inputs.messages(stream)]


def test_a_log_or_a_mail_has_its_telegrams_read():
    log = (
        b"12:00:01 > "
        + ASKED.replace(b"\0", b"<NUL>")
        + b"\n12:00:01 < 00240005            0060\\0\nconnection is up\n"
        b"12:00:09 < " + EXAMPLE + b"\n12:00:09 > 00200062001\n"
    )
    assert inputs.kind_of(log) == "text"
    assert mids(log) == [60, 5, None, 61, 62]
    assert "no message in this line" in decoded(log, code=1)
    assert mids(b"00200001003") == [1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_text_of_windows_is_read(encoding):
    """PowerShell writes UTF-16 where it redirects, and editors put a mark in front of UTF-8."""
    messages = [rendering.as_data(one) for one in inputs.messages(ASKED + RESULT)]
    texts = ["> " + ASKED[:-1].decode() + "\r\n< " + EXAMPLE.decode(), ASKED.hex() + "\n" + RESULT.hex()]
    for text in [*texts, "\n".join(map(json.dumps, messages))]:
        assert mids(text.encode(encoding)) == [60, 61]
        assert decoded(text.encode(encoding)).count("MID 00") == 2


def test_a_serial_capture_is_read_with_both_directions(tmp_path):
    file = tmp_path / "line.txt"
    file.write_text("\n".join(capture_of("3964r")[0]))
    messages = lines(toolcart("decode", file, "--json"))
    assert messages[0]["mid"] == 1 and messages[0]["way"] == "agent > controller"
    assert messages[1]["mid"] == 2 and {60, 61, 62} <= {one.get("mid") for one in messages}
    assert not [one for one in messages if "problem" in one or "odd" in one or "rest" in one]


def test_telegrams_of_toolsnet_are_read_as_well():
    from toolcart.toolsnet.telegrams import frame

    stream = frame(b"1200001") + frame(b"0500001" + b"20240314092653" + b"000") + frame(b"0600002")
    messages = [rendering.as_data(one) for one in inputs.messages(stream)]
    assert [one["telegram"] for one in messages] == ["12", "05", "06"] and messages[0]["name"] == "PIM verification"
    assert not [one for one in messages if "odd" in one]
    assert "telegram 05  Acknowledge" in decoded(stream)
    assert [one.protocol for one in inputs.messages(RESULT + TAKEN)] == [inputs.OPEN_PROTOCOL] * 2


def test_what_is_no_message_is_shown_and_what_follows_is_decoded():
    shown = decoded(ASKED + b"\0XYZ\r\n" + ASKED + b"\0", "--as", "octets", code=1)
    assert shown.count("MID 0060") == 2 and 'no message: "XYZ?" in place of a length' in shown


def test_what_is_odd_is_shown_and_acts_on_no_terminal():
    spoiled = catalogue.encode(61, 999, torque=4237, time="2024-03-14:09:26:53").replace(b"004237", b"00\x1b237")
    output = decoded(spoiled, code=None)
    assert "odd, no digits: 00\\x1b237" in output and "\x1b" not in output
    assert "not described, kept raw: ABCD" in decoded(b"00245555001         ABCD", code=None)
    broken = decoded(ASKED + b"nonsense", "--as", "octets", code=1)
    assert 'no message: "nons" in place of a length' in broken


def test_variable_fields_lists_masks_and_extra_data_are_lines():
    fields = [catalogue.data_field(2001, 12.5, unit=1, step=3)]
    frame = catalogue.encode(1201, 3, result_id=7, objects=[{"object_id": 1, "status": 1}], data_fields=fields)
    output = decoded(frame)
    assert "02001 Torque, measured value: 12.5 Nm, step 3" in output and "object_id 1, status 1" in output
    extra = catalogue.extra_data(8, 900, trace_types=[1, 2])
    subscribed = catalogue.encode(8, subscribed_mid=900, subscribed_revision=1, extra=extra)
    assert "extra trace_types" in decoded(subscribed)
    resolved = catalogue.encode(900, resolutions=[catalogue.resolution(0, 2, 22.0)], samples=[1, 2, 3])
    for frame, odd in ((subscribed, (b"02001002", b"02001_02")), (resolved, (b"22.0", b"_2.0"))):
        assert "odd, " in decoded(frame.replace(*odd)) and json.loads(decoded(frame.replace(*odd), "--json"))
    assert "4: torque max shut off" in decoded(catalogue.encode(61, 2, error_status=4))
    assert "100 of them: 0 1 2" in decoded(catalogue.encode(900, samples=list(range(100))))


def test_lines_of_standard_input_are_read_as_they_come():
    assert inputs.kind_of(b"> " + ASKED[:-1] + b"\n") == "text"
    with running(*command_of("decode", "--json"), stdin=subprocess.PIPE) as process:
        for line, mid in ((b"> " + ASKED[:-1], 60), (b"< " + EXAMPLE, 61), (b"> 00200062001", 62)):
            process.stdin.write(line.decode() + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["mid"] == mid
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        process.stdin = None


def dumped(octets):
    lines = [octets[at : at + 16].hex(" ") for at in range(0, len(octets), 16)]
    return "".join(f"{16 * number:08x}  {line}\n" for number, line in enumerate(lines)).encode()


ON_WIRE = RESULT * 900
PIECES = (inputs.CHUNK, inputs.CHUNK - 1, inputs.CHUNK - 2, 4096, 4095, 1000, 7)
LONG_INPUTS = {
    "octets": ON_WIRE,
    "octets without NUL": bytes(EXAMPLE) * 900,
    "octets with samples": (RESULT + catalogue.wire(TRACE)) * 500,
    "telegrams": b"".join(b"000706%05d" % number for number in range(1, 7000)),
    "log": b"".join(b"2024-03-14 09:26 < " + EXAMPLE + b"\r\n" for _ in range(600)),
    "one line": b"log: " + bytes(EXAMPLE) * 700,
    "UTF-16": ("\n".join(["< " + EXAMPLE.decode()] * 500)).encode("utf-16"),
    "hexadecimal": "\n".join([RESULT.hex()] * 400).encode(),
    "hexadecimal in one line": ON_WIRE.hex().encode(),
    "hexadecimal with blanks": ON_WIRE.hex(" ").encode(),
    "dump": dumped(ON_WIRE),
    "JSON": "\n".join([json.dumps(rendering.as_data(inputs.CaptureItem(EXAMPLE)))] * 100).encode(),
    "serial": b"".join(b"%d.%03d > %02x\n" % (n // 1000, n % 1000, o) for n, o in enumerate(b"\2%b\3" % EXAMPLE * 60)),
}


class Pieces(io.BytesIO):
    """Standard input from a pipe: so many octets at a time, however many are asked for."""

    most = inputs.CHUNK

    def read1(self, size=-1):
        return super().read1(self.most)


@pytest.mark.parametrize("name", some([*LONG_INPUTS], 3))
def test_long_standard_input_is_read_like_a_file(name):
    octets = LONG_INPUTS[name]
    wanted = list(inputs.messages(octets))
    assert len(octets) > inputs.CHUNK and len(wanted) > 50 and not any(one.problem for one in wanted)
    for most in PIECES if LONG else PIECES[list(LONG_INPUTS).index(name) % 3 :: 3]:  # in turns
        stream = Pieces(octets)
        stream.most = most
        assert list(inputs.arriving(stream)) == wanted, most


def test_a_line_of_standard_input_does_not_wait_for_the_next():
    for line in (b"> " + ASKED[:-1] + b"\n", ASKED[:-1] + b"\n", ASKED + b"\r\n", b"2024 " + EXAMPLE + b"\n"):
        stream = Pieces(line)
        stream.read = None
        assert len(list(inputs.arriving(stream))) == 1, line


def test_only_some_mids_can_be_asked_for(tmp_path):
    file = tmp_path / "octets"
    file.write_bytes(ASKED + RESULT + TAKEN)
    assert [one["mid"] for one in lines(toolcart("decode", file, "--json", "--mid", 61))] == [61]
    assert "no message" in toolcart("decode", file, "--mid", 9999, code=1).output
    toolcart("decode", tmp_path / "absent", code=2)


def test_the_command_line_does_not_import_the_catalogue_for_other_commands():
    source = "import sys, toolcart.tools.cli.main; print(any('catalogue' in name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_linked_parts_are_put_together_and_missing_ones_reported():
    fields = [catalogue.data_field(30000 + number, "text") for number in range(50)]
    parts = catalogue.encode_linked(1202, 1, most=500, result_id=7, data_fields=fields)
    whole = b"".join(catalogue.wire(part) for part in parts)
    (message,) = [rendering.as_data(one) for one in inputs.messages(whole)]
    assert message["parts"] == len(parts) and len(message["fields"]["data_fields"]) == 50 and "odd" not in message
    assert f"{len(parts)} parts" in decoded(whole)
    lacking = [one.problem for one in inputs.messages(b"".join(catalogue.wire(part) for part in parts[:-1]))]
    assert lacking == [f"{len(parts) - 1} parts came, not all"]
    jumped = [one.problem for one in inputs.messages(catalogue.wire(parts[1]))]
    assert jumped == [f"part 2 of {len(parts)} came where part 1 belongs"]
