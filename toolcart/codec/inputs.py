"""Messages out of whatever a person has: a capture, hexadecimal text, a log, a serial capture, raw bytes.

Rules
1. The kind of a file is seen from its bytes: pcap and pcapng by their magic, what `tcpdump -X` has printed by its rows,
   a serial capture by the lines of
   `toolcart line`, what `decode --json` or `Message.to_json` has made by its JSON objects, hexadecimal by having
   nothing else in it, then text; everything else is a stream of bytes.
2. A stream is Open Protocol or ToolsNet, whichever cuts it into whole messages.
3. Nothing stops the work: what is not a message is reported, with its place, and what follows is tried. In a text no
   telegram begins within digits, or within one of a known MID that is not whole, before a NUL or the line's end. Lines
   are joined where that makes such a one whole; it may lack blanks at its end, and nothing else: one that lacks some
   in its header, as copied from a web page, is not believed. With `_` for blanks in its header it has it for all.
4. Headers with the spindle in front of the revision (toolcart.agent.link.header_layouts has the layout) are turned:
   everything behind `usual` reads the usual header; `other` is what goes out. An answer to MID 0001 has a revision of 1
   to 7. Read as a usual header, one with the spindle first has a revision of 10 or more, or revision 000 with a station
   of two digits in front of octets that nobody fills in.
"""

from __future__ import annotations

import codecs
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from toolcart.agent.link.header_layouts import HEADERS, header_of
from toolcart.catalogue import FrameError, Frames, Linked, Message, decode, decode_parts, form, from_json
from toolcart.catalogue.errors import quoted
from toolcart.catalogue.forms import HEADER_BYTES
from toolcart.codec import capture
from toolcart.codec.capture import NoCapture, read
from toolcart.codec.stream import Messages

NAMES = ("standard", *HEADERS)
_SPINDLE = slice(14, 16)
_FIRST = re.compile(rb"\d\d00[1-7]")  # of spindle and revision
_UNUSED = re.compile(rb"0*| *|\0*")


def usual(frame: bytes, name: str) -> bytes:
    """Return a message that came as one with the usual header."""
    return _turned(frame, name, "read")


def other(frame: bytes, name: str, spindle: int = 0) -> bytes:
    """Return a message as it goes out; its spindle is this one unless it names its own."""
    if header_of(name) is not None and spindle and not frame[_SPINDLE].strip():
        frame = frame[: _SPINDLE.start] + b"%02d" % spindle + frame[_SPINDLE.stop :]
    return _turned(frame, name, "write")


def _turned(frame: bytes, name: str, how: str) -> bytes:
    header = header_of(name)
    if header is None:
        return frame
    turned = bytearray(frame)
    getattr(header, how)(turned, 0)
    return bytes(turned)


def is_laid_out_so(frame: bytes, name: str) -> bool:
    """True unless the header of this answer to MID 0001 shows that it is not the one of this name."""
    match = _FIRST.match(frame[8:20])
    if header_of(name) is not None:
        return bool(match)
    return not match or (frame[8:11] == b"000" and not _UNUSED.fullmatch(frame[13:20]))


OPEN_PROTOCOL = "open protocol"
TOOLSNET = "toolsnet"
KINDS = ("auto", "pcap", "tcpdump", "hex", "text", "serial", "json", "octets")

_HEX = re.compile(rb"(?:0x)?[0-9a-fA-F]{2}(?:[\s:,;-]*(?:0x)?[0-9a-fA-F]{2})*,?")
# Offset, two halves of eight bytes or groups of one or two, text: as from hexdump -C, xxd and Wireshark.
_BYTES = rb"(?:X ){7}X  (?:X )*X|(?:X?X )*X?X".replace(b"X", rb"(?:[0-9a-fA-F]{2})")
_DUMP = re.compile(rb"[0-9a-fA-F]{4,8}:? {1,3}(" + _BYTES + rb")(?: *\|.*\|| {2,}.{0,16})?")
# A buffer as node.js prints it; of a long one it shows the beginning.
_NODE = re.compile(rb"<Buffer((?: [0-9a-fA-F]{2})+)(?: \.\.\. (\d+) more bytes?)?>")
_NODE_SHOWS = "node shows %d of %d bytes: set buffer.INSPECT_MAX_BYTES there"
_HEAD = re.compile(rb"\d{8}(?:[\d ]{3}|___)")
_BEGIN = re.compile(rb"(?<!\d)\d{8}(?:[\d ]{3}|___)")  # in the middle of digits none begins
_HEADER = re.compile(rb"\d{8}[\d ]{12}")
# What follows the MID in a header of which each field has all its digits or none; and a header with `_` for blanks.
_FILLED = re.compile(rb"(?:\d{3}|  [\d ]|\d  )[\d ](?:\d\d|  ){4}")
_UNDERSCORED = re.compile(rb"(?=[\d _]{8,19}_)\d{8}(?:\d{3}|[ _]{3})[\d _](?:\d\d|[ _]{2}){4}")
_OF_HEADER = re.compile(rb"[\d ]*")
_QUOTES = re.compile(rb"(?:[>|] ?)*")
# Twenty bytes and more in hexadecimal among other words: a telegram, or none; what its digits say as text is none.
_RUN = re.compile(rb"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{2}(?:[ :,;-]{0,2}(?:0x)?[0-9a-fA-F]{2}){19,}(?![0-9A-Za-z])")
_UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
CHUNK = 65536
_COUNTED_MOST = 9999  # that the four digits of a length hold
_OF_TEXT = (0, 9, 10, 13, *range(32, 127))
_WRAPPED_MOST = 200  # lines that a telegram goes on in
TRIMMED_MOST = 60  # blanks at a line's end that an editor or a mail may have cut off
STX, ETX, DLE = 2, 3, 16


@dataclass(frozen=True)
class CaptureItem:
    """One message of a protocol, or the reason why there is none."""

    octets: bytes
    protocol: str = OPEN_PROTOCOL
    at_s: float | None = None
    way: str = ""  # who sent it, as far as that is known
    problem: str = ""
    parts: tuple[bytes, ...] = ()  # of a linked message; `octets` is the last one

    def message(self, scaled: bool = False) -> Message:
        """Return it decoded; FrameError if it is none."""
        return message_of(self.parts or (self.octets,), scaled)

    def frame(self) -> bytes:
        """Return it as the agent reads it: one frame, whose length is what the headers say, not what is there."""
        if not self.parts:
            return self.octets
        counted = HEADER_BYTES + sum(int(part[:4]) - HEADER_BYTES for part in self.parts)
        head = b"%04d" % min(counted, _COUNTED_MOST) + self.parts[0][4:18] + b"00"
        return head + b"".join(part[HEADER_BYTES:] for part in self.parts)

    def wrong_length(self) -> tuple[int, int]:
        """Return the first length that is wrong, and the bytes that are there; (0, 0) if none is."""
        for frame in self.parts or (self.octets,):
            if int(frame[:4]) not in (len(frame), len(frame.removesuffix(b"\0"))):
                return int(frame[:4]), len(frame)
        return 0, 0


def message_of(frames: Sequence[bytes], scaled: bool = False) -> Message:
    """Return the message of a frame, or of its linked parts; FrameError if it is none.

    Where the stream shows that a message ends elsewhere than its length says, it ends there (protocol.md 2.3).
    """
    whole = [_as_long_as_it_is(frame) for frame in frames]
    return decode(whole[0], scaled) if len(whole) == 1 else decode_parts(whole, scaled)


def _as_long_as_it_is(frame: bytes) -> bytes:
    is_wrong = frame[:4].isdigit() and int(frame[:4]) >= HEADER_BYTES
    is_wrong = is_wrong and HEADER_BYTES <= len(frame) <= _COUNTED_MOST
    if not is_wrong or int(frame[:4]) in (len(frame), len(frame.removesuffix(b"\0"))):
        return frame
    return b"%04d" % len(frame) + frame[4:]


def plain(octets: bytes) -> bytes:
    """Return a text that Windows wrote, in UTF-16 or with a mark in front, as UTF-8; anything else as it is."""
    if octets.startswith(_UTF_16):
        return octets.decode("utf-16", "replace").encode("utf-8", "replace")
    return octets.removeprefix(codecs.BOM_UTF8)


def kind_of(octets: bytes) -> str:
    """Return the kind of a file."""
    if capture.is_capture(octets):
        return "pcap"
    if _whole_frames(octets) and not _UNDERSCORED.match(octets):
        return "octets"
    if all(_is_telegram(line, TRIMMED_MOST) for line in _filled(octets)) and not _has_early_nul(octets):
        return "text" if octets.strip() else "octets"
    if _toolsnet_fits(octets):
        return "octets"
    lines = [line.strip() for line in octets.splitlines() if line.strip()]
    if lines and all(re.match(rb"#|[0-9.]+ [<>] [0-9a-fA-F]{2}\b", line) for line in lines):
        return "serial"
    if lines and all(line.startswith(b"{") for line in lines):
        return "json"
    if capture.is_printed(octets):
        return "tcpdump"
    if lines and all(line.startswith(b"#") or _dumped(line) is not None for line in lines):
        return "hex"
    is_text = re.fullmatch(rb"[\t\r\n\x20-\x7e\x80-\xff\0]*", octets) and (b"\n" in octets or b"\0" not in octets)
    return "text" if is_text else "octets"


def _filled(octets: bytes) -> list[bytes]:
    """Return the lines that have something in them, as messages: without the NUL that ends them."""
    return [one for one in (line.removesuffix(b"\0") for line in octets.splitlines()) if one.strip()]


def _is_telegram(line: bytes, trimmed: int = 0) -> bool:
    """True if a line is one message and nothing else; so many blanks at its end may be cut off."""
    return bool(_HEAD.match(line)) and 0 <= max(int(line[:4]), 20) - len(line) <= trimmed


def _has_early_nul(octets: bytes) -> bool:
    """True if a NUL ends a line in front of its length: then nothing was cut off there, the length is wrong."""
    return any(line.endswith(b"\0") and not _is_telegram(line[:-1]) for line in octets.splitlines())


def _whole_frames(octets: bytes) -> bool:
    frames = Frames()
    try:
        return bool(frames.feed(octets)) and not frames.buffer
    except FrameError:
        return False


def messages(octets: bytes, kind: str = "auto", header: str = "standard") -> Iterator[CaptureItem]:
    """Yield every message in a file's bytes; those of Open Protocol as with the usual header."""
    yield from _joined(_items(plain(octets), kind), header)


def arriving(stream: BinaryIO, kind: str = "auto", header: str = "standard") -> Iterator[CaptureItem]:
    """Yield every message of a stream: lines of text as they come, anything else when it has ended.

    What it is, is seen from the lines that have come whole: one that was cut off may look like another kind.
    """
    first = _until_line(stream)
    begun = _kind_begun(first) if kind == "auto" else kind
    if begun == "text" and not first.startswith(_UTF_16):
        yield from _joined(_lines(itertools.chain([first], iter(lambda: stream.readline(), b""))), header)
    else:
        yield from messages(first + stream.read(), kind, header)


def _until_line(stream: BinaryIO) -> bytes:
    """Return what has come when a line has, or all of it."""
    if not hasattr(stream, "read1"):
        return stream.read()
    first = b""
    while b"\n" not in first:
        more = stream.read1(CHUNK)  # type: ignore[attr-defined]
        if not more:
            break
        first += more
    return first


def _kind_begun(first: bytes) -> str:
    """Return the kind of a stream that begins so; only "text" is sure, anything else is to be seen from all of it."""
    frames = Frames()
    try:
        is_framed = frames.feed(first) and (frames.buffer[:4].isdigit() or not frames.buffer)
        if is_framed and not _UNDERSCORED.match(first):
            return "octets"
    except FrameError:
        pass
    return kind_of(plain(first[: first.rfind(b"\n") + 1] or first))


def _lines(chunks: Iterable[bytes]) -> Iterator[CaptureItem]:
    """Yield the messages in lines, which may come in pieces."""
    number, rest = 0, b""
    held: list[bytes] = []  # lines with a telegram that may go on in the next one
    for chunk in itertools.chain(chunks, [b"\n"]):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            held.append(line.rstrip(b"\r"))
            missing, joined = _continued(held)
            if missing > 0 and len(held) < _WRAPPED_MOST and held[-1].strip():
                continue
            if not missing and _is_right(joined):
                yield from _line(joined, f"line {number - len(held) + 1}")
            else:
                yield from _each(held, number - len(held))
            held = []
    yield from _each(held, number - len(held))


def _each(lines: list[bytes], before: int) -> Iterator[CaptureItem]:
    for number, line in enumerate(lines, before + 1):
        yield from _line(line, f"line {number}")


def _continued(lines: list[bytes]) -> tuple[int, bytes]:
    """Return how many bytes are missing of a telegram that goes on in these lines, -1 if none does; and it, joined."""
    first = lines[0]
    begin = _begin_of(first)
    if begin < 0:
        return -1, first
    quotes = _QUOTES.match(first)
    marks = quotes[0] if quotes else b""
    joined = first
    for line in lines[1:]:
        same = next((count for count in range(len(marks), 0, -1) if line.startswith(marks[:count])), 0)
        joined += line[same:]
    missing = int(first[begin : begin + 4]) - len(joined[begin:].rstrip(b"\0"))
    return (missing if missing > 0 or len(lines) > 1 else -1), joined


def _begin_of(line: bytes, at: int = 0) -> int:
    """Return where a header of a known MID begins in this line, -1 if none does."""
    for one in _BEGIN.finditer(line, at):
        header = line[one.start() : one.start() + HEADER_BYTES]
        is_header = _HEADER.fullmatch(header) or _UNDERSCORED.fullmatch(header)
        if is_header and int(header[:4]) >= HEADER_BYTES and form(int(header[4:8])).known:
            return one.start()
    return -1


def _is_right(line: bytes) -> bool:
    """True if all fields of the telegram in this line can be read: no other line was joined to it."""
    begin = _begin_of(line)
    return _can_be_read(_with_blanks(line, begin)[begin:].rstrip(b"\0"))


def _can_be_read(frame: bytes) -> bool:
    try:
        return not decode(frame).odd()
    except FrameError:
        return False


def _with_blanks(line: bytes, at: int) -> bytes:
    """Return a line with blanks for `_` in the telegram that begins here, if its header is written so."""
    if not _UNDERSCORED.match(line, at):
        return line
    telegram, nul, behind = line[at:].partition(b"\0")
    return line[:at] + telegram.replace(b"_", b" ") + nul + behind


def _joined(items: Iterable[CaptureItem], header: str) -> Iterator[CaptureItem]:
    """Yield the same with the parts of linked messages joined."""
    waiting: dict[str, Linked] = {}
    for seen in items:
        if seen.problem or seen.protocol != OPEN_PROTOCOL:
            yield seen
            continue
        seen = replace(seen, octets=usual(seen.octets, header))
        # In a text each line is a place of its own, and does not say who sent it.
        linked = waiting.setdefault("" if seen.way.startswith("line ") else seen.way, Linked())
        try:
            parts = linked.add(seen.octets)
        except FrameError as error:
            yield replace(seen, problem=str(error))
            continue
        if parts:
            yield seen if len(parts) == 1 else replace(seen, parts=tuple(parts))
    for way, linked in waiting.items():
        for parts in linked.waiting.values():
            yield CaptureItem(parts[-1], OPEN_PROTOCOL, None, way, f"{len(parts)} parts came, not all")


def _items(octets: bytes, kind: str) -> Iterator[CaptureItem]:
    kind = kind_of(octets) if kind == "auto" else kind
    if kind == "pcap":
        yield from _captured(octets)
    elif kind == "tcpdump":
        yield from _captured(capture.printed_packets(octets.splitlines()))
    elif kind == "serial":
        yield from _serial_items(octets.decode("ascii", "replace").splitlines())
    elif kind == "text":
        yield from _lines([octets])
    elif kind == "json":
        yield from _json_items(octets.splitlines())
    else:
        if kind == "hex":
            parts = []
            for number, line in enumerate(map(bytes.strip, octets.splitlines()), 1):
                dumped = b"" if not line or line.startswith(b"#") else _dumped(line)
                if dumped is None:
                    yield CaptureItem(line, way=f"line {number}", problem="no hexadecimal in this line")
                parts += [dumped] if dumped else []
            octets = b"".join(parts)
            last = len(parts[-1]) if parts else 0
            if last > 2 and int.from_bytes(parts[-1]) == len(octets) - last:
                octets = octets[:-last]  # hexdump ends with the count of the bytes
        yield from cut([(None, octets)], "")


def _json_items(lines: list[bytes]) -> Iterator[CaptureItem]:
    """Yield the messages in lines of JSON."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            data = json.loads(line)
            place = str(data.get("way", place))
            at_s = data.get("at_s")
            if at_s is not None and not math.isfinite(at_s):
                raise ValueError(f"{at_s} is no time")
            if "octets" in data:
                protocol = data.get("protocol", OPEN_PROTOCOL)
                yield CaptureItem(bytes.fromhex(data["octets"]), protocol, at_s, place, str(data.get("problem", "")))
                continue
            parts = [bytes.fromhex(part) for part in data.get("frames", ())]
            parts = parts or ([bytes.fromhex(data["frame"])] if "wrong_length" in data else [from_json(line).frame])
            for part in parts:
                yield CaptureItem(part, OPEN_PROTOCOL, at_s, place)
        except (AttributeError, TypeError, ValueError, RecursionError) as error:  # FrameError is a ValueError
            yield CaptureItem(line, way=place, problem=str(error))


def _dumped(line: bytes) -> bytes | None:
    """Return the bytes of a line of hexadecimal, plain or as from hexdump and xxd; None if it is not one."""
    dump = _DUMP.fullmatch(line)
    text = dump[1] if dump else line
    if dump is None and not _HEX.fullmatch(line):
        return None
    if dump is None and line.isdigit() and _is_telegram(line, TRIMMED_MOST):
        return None  # the digits themselves are a frame
    return _octets_of(text)


def _line(line: bytes, place: str) -> Iterator[CaptureItem]:
    """Yield the frames in one line of text; a log may have other words in front of them."""
    buffers = list(_NODE.finditer(line))
    for buffer in buffers:
        octets = bytes.fromhex(buffer[1].decode())
        if buffer[2]:
            yield CaptureItem(octets, way=place, problem=_NODE_SHOWS % (len(octets), len(octets) + int(buffer[2])))
        else:
            yield from cut([(None, octets)], place)
    if buffers:
        return
    line = re.sub(rb"<NUL>|\[NUL\]|\\0|\\x00|\bNUL$", b"\0", line)
    at = end = 0  # of the telegram in front
    is_found = False
    runs = [(run, octets) for run in _RUN.finditer(line) if _is_hexadecimal(octets := _octets_of(run[0]))]
    while True:
        head = (_HEAD.match(line, at) if at == end else None) or _BEGIN.search(line, at)
        if runs and (head is None or head.end() > runs[0][0].start()):
            run, octets = runs.pop(0)
            if run.start() >= at:
                begin = _HEAD.search(octets)
                if begin is None:
                    yield CaptureItem(octets, way=place, problem="no message in this hexadecimal")
                else:
                    yield from cut([(None, octets[begin.start() :])], place)
                is_found = True
                at = run.end()
            continue
        if head is None:
            break
        begin = head.start()
        line = _with_blanks(line, begin)
        length = int(line[begin : begin + 4])
        frame = line[begin : begin + length]
        missing = length - len(frame)
        if missing > 0 and frame.endswith(b"\0"):  # nothing was cut off: the length is wrong
            frame, missing = frame[:-1], 0
        if length < HEADER_BYTES or (missing > TRIMMED_MOST and _begin_of(line, begin) != begin):
            at = begin + 1
            continue
        why = _why_not_believed(frame, length, missing, line[begin + length : begin + length + 1])
        if why and not form(int(frame[4:8])).known:
            at = begin + 1
            continue
        if why:
            end = at = line.find(b"\0", begin) + 1 or len(line)
            yield CaptureItem(line[begin:at], way=place, problem=why)
            is_found = True
            continue
        is_found = True
        at = begin + len(frame)
        end = _longer_end(line, at)
        if end > at:
            yield from _apart(line[begin:end], place)
        else:
            yield CaptureItem(frame + b" " * missing, way=place)
        at = end
    if not is_found and line.strip(b" \0\t#"):
        yield CaptureItem(line, way=place, problem="no message in this line")


def _why_not_believed(frame: bytes, length: int, missing: int, follows: bytes) -> str:
    """Return why what is there of a telegram, in a text, is none to believe; empty if it is.

    So many blanks are `missing` at its end. Where blanks in a row were made one, its header has no two in a row; one
    that has none because it is filled is believed if the telegram is whole and ends where its length says.
    """
    there = f"its length says {length}, {len(frame)} bytes are there"
    header = frame[8:HEADER_BYTES].replace(b"\0", b" ")
    is_narrow = b" " in header and b"  " not in header
    is_filled = bool(_FILLED.fullmatch(header.ljust(12)))
    if is_narrow and len(frame) < length and (length > HEADER_BYTES or not is_filled):
        return "blanks are missing: " + there
    is_header = is_filled or (_OF_HEADER.fullmatch(header) and not is_narrow and missing <= 0)
    if is_narrow:
        is_header = is_header and not follows.isalnum() and _can_be_read(frame + b" " * missing)
    if not is_header:
        return "blanks are missing in its header, or it is none"
    if missing <= 0:
        return ""
    has_no_data = len(frame) <= HEADER_BYTES < length and bool(header[3:].strip())
    is_cut = missing > TRIMMED_MOST or has_no_data or _is_cut(frame, missing)
    return "incomplete: " + there if is_cut else ""


def _is_cut(frame: bytes, missing: int) -> bool:
    """True if something else than blanks was cut off this frame: it ends within a field that is no text."""
    try:
        message = decode(frame + b" " * missing)
    except FrameError:
        return False
    for field in message.form.fields:
        start, end = message.form.places.get(field.name, (0, 0))[:2]
        if start < len(frame) < end:
            return field.kind != "T" and bool(frame[start:].strip())
    return False


def _apart(octets: bytes, place: str) -> Iterator[CaptureItem]:
    """Yield the messages in these octets; behind one that cannot be read none begins before a NUL."""
    at = 0
    for one in _cut_messages([(None, octets)], place):
        if one.problem and not one.octets.endswith(b"\0"):
            yield replace(one, octets=octets[octets.find(one.octets, at) :])
            return
        at += len(one.octets)
        yield one


def _longer_end(line: bytes, at: int) -> int:
    """Return where a telegram ends whose length says that it does `at`; that, unless more of it follows.

    More follows up to a NUL, or where a letter or digit comes next that begins no other telegram.
    """
    nul = line.find(b"\0", at)
    head = _HEAD.search(line, at)
    is_next = _HEAD.match(line, at) and HEADER_BYTES <= int(line[at : at + 4]) <= len(line) - at + TRIMMED_MOST
    if line[at : at + 1].isalnum() and not is_next:
        return nul + 1 or len(line)
    return nul + 1 if at < nul and (head is None or nul < head.start()) else at


def _octets_of(text: bytes) -> bytes:
    """Return the bytes of a text of hexadecimal."""
    return bytes.fromhex(re.sub(rb"0x|[^0-9a-fA-F]", b"", text).decode())


def _is_hexadecimal(octets: bytes) -> bool:
    """True if these bytes are a text, as telegrams are: then their digits are none themselves."""
    return _HEAD.search(octets) is not None or all(octet in _OF_TEXT for octet in octets)


def cut(chunks: Sequence[tuple[float | None, bytes | int]], way: str) -> Iterator[CaptureItem]:
    """Yield the messages of one direction; a number in it says how many bytes are missing there."""
    begin = itertools.takewhile(lambda chunk: isinstance(chunk[1], bytes), chunks)
    whole = b"".join(octets for _, octets in begin if isinstance(octets, bytes))
    protocol = TOOLSNET if _toolsnet_fits(whole) else OPEN_PROTOCOL
    yield from (_cut_telegrams if protocol == TOOLSNET else _cut_messages)(chunks, way)


def _cut_messages(chunks: Sequence[tuple[float | None, bytes | int]], way: str) -> Iterator[CaptureItem]:
    found = Messages()
    at_s = None

    def items(pieces: Iterable[tuple[bytes, bool]]) -> Iterator[CaptureItem]:
        for octets, is_message in pieces:
            is_begun = octets[:4].isdigit()
            why = "this is no whole message" if is_begun else f"{quoted(octets[:4])} in place of a length"
            yield CaptureItem(octets, OPEN_PROTOCOL, at_s, way, "" if is_message else why)

    for at_s, octets in chunks:
        if isinstance(octets, int):
            yield CaptureItem(found.drop(), OPEN_PROTOCOL, at_s, way, f"{octets} bytes are missing in the capture")
        else:
            yield from items(found.feed(octets))
    yield from items(found.end())


def _cut_telegrams(chunks: Sequence[tuple[float | None, bytes | int]], way: str) -> Iterator[CaptureItem]:
    frames = Telegrams()
    for at_s, octets in chunks:
        if isinstance(octets, int):
            yield CaptureItem(frames.buffer, TOOLSNET, at_s, way, f"{octets} bytes are missing in the capture")
            frames.buffer = b""
            continue
        try:
            for more in (octets, b""):  # the second call asks for what stopped the first
                for frame in frames.feed(more):
                    yield CaptureItem(frame, TOOLSNET, at_s, way)
        except FrameError as error:
            yield CaptureItem(frames.buffer, TOOLSNET, at_s, way, str(error))
            frames.buffer = b""
    if frames.buffer:
        yield CaptureItem(frames.buffer, TOOLSNET, chunks[-1][0], way, "the rest is no whole message")


class Telegrams(Frames):
    """Frames for ToolsNet: four digits are the length of what follows them (TN 5.1)."""

    def _end(self, buffer: bytes, at: int) -> int:
        length = buffer[at : at + 4]
        return at + 4 + int(length) if length.isdigit() and length != b"0000" else 0


def _toolsnet_fits(whole: bytes) -> bool:
    """True if a stream is ToolsNet's: known telegrams come out of it, and Open Protocol does not cut it better."""
    try:
        telegrams = Telegrams()
        cut_telegrams = telegrams.feed(whole)
        telegrams.feed(b"")  # asks for what stopped the first call
    except FrameError:
        return False
    if any(_is_telegram(line) for line in _filled(whole)):
        return False  # text: a ToolsNet telegram begins with its number where these have the MID
    if not cut_telegrams or not all(re.match(rb"(0[1-9]|1[0-3])\d{5}", one[4:]) for one in cut_telegrams):
        return False
    try:
        frames = Frames()
        others = frames.feed(whole)
    except FrameError:
        return True
    return not others or bool(frames.buffer.strip(b"\0")) or len(others) < len(cut_telegrams)


def _captured(octets: bytes) -> Iterator[CaptureItem]:
    items = []
    try:
        streams = capture.streams(octets)
    except NoCapture as error:
        yield CaptureItem(b"", problem=str(error))
        return
    for stream in streams:
        way = "{}:{} > {}:{}".format(*stream.source, *stream.target)
        items += list(cut(stream.chunks, way))
    yield from sorted(items, key=lambda seen: seen.at_s or 0.0)
    for _, kind, record in capture.packets(octets):
        if kind == capture.CUT:
            yield CaptureItem(record, problem="the capture ends within a packet")


def _serial_items(lines: list[str]) -> Iterator[CaptureItem]:
    """Yield the messages of a serial capture, plain or 3964R, in the order in which they ended."""
    items = []
    try:
        octets = list(read(lines))
    except NoCapture as error:
        yield CaptureItem(b"", problem=str(error))
        return
    for from_agent in (False, True):
        way = "agent > controller" if from_agent else "controller > agent"
        for at_s, payload in _payloads([(one.at_s, one.octet) for one in octets if one.from_agent == from_agent]):
            head = _HEAD.search(payload)
            length = int(payload[head.start() : head.start() + 4]) if head else 0
            frame = payload[head.start() : head.start() + length] if head else b""
            if head and len(frame) == length >= 20:
                items.append(CaptureItem(frame, OPEN_PROTOCOL, at_s, way))
            else:
                items.append(CaptureItem(payload, OPEN_PROTOCOL, at_s, way, "a block without a whole message"))
    yield from sorted(items, key=lambda seen: seen.at_s or 0.0)


def _payloads(octets: list[tuple[float, int]]) -> Iterator[tuple[float, bytes]]:
    """Yield what is between STX and DLE ETX and BCC, or the ETX after the length; doubled DLEs made one."""
    at = 0
    while at < len(octets):
        if octets[at][1] != STX:
            at += 1
            continue
        at += 1
        payload = bytearray()
        while at < len(octets):
            octet = octets[at][1]
            following = octets[at + 1][1] if at + 1 < len(octets) else -1
            if octet == DLE and following == ETX:
                at += 3
                break
            if octet == DLE and following == DLE:
                at += 1
            elif octet == ETX and _is_whole(payload):
                at += 1
                break
            payload.append(octet)
            at += 1
        yield octets[min(at, len(octets)) - 1][0], bytes(payload)


def _is_whole(payload: bytearray) -> bool:
    head = _HEAD.search(payload)
    if head is None:
        return False
    behind = len(payload) - head.start() - int(payload[head.start() : head.start() + 4])
    return behind >= 0
