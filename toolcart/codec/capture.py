"""Captures: of a serial line as text, who said what and when; TCP streams out of pcap and pcapng files.

    # anything
    0.000000 > 02           seconds, who, bytes in hex; > is the agent (integrator), < is the controller
    0.001042 < 10
    0.002084 > 30 30 32 30

Rules:
1. Several octets in a line came at the same moment, or one after the other at the baud rate of a `# baud 9600` line.
2. Times do not run backwards within a direction.
3. Of a capture file come both directions of every connection, in order, each named by its two ends: Ethernet, Linux
   "any" (SLL and SLL2), loopback and raw IP; IPv4 and IPv6 without fragments. Others are skipped.
4. A segment that is repeated or early is put in its place by its number; where bytes are missing at the end of the
   capture, their count stands in their place. The time of a byte is that of the packet that completed it.
5. A capture that was cut off ends with a CUT: the bytes of the packet that is not whole.
"""

from __future__ import annotations

import heapq
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

BITS = 10  # an octet with start and stop bit


class CapturedOctet(NamedTuple):
    """One octet of a capture."""

    at_s: float
    from_agent: bool
    octet: int


class NoCapture(Exception):
    """It is not a capture; the message says why, and of a text which line."""


def read(lines: Iterable[str]) -> Iterator[CapturedOctet]:
    """Yield the octets of a capture in the order of the lines."""
    octet_s = 0.0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            if len(words) >= 3 and words[1] == "baud" and words[2].isdigit() and int(words[2]):
                octet_s = BITS / int(words[2])
            continue
        try:
            at_s = float(words[0])
            octets = [int(word, 16) for word in words[2:]]
        except ValueError:
            raise NoCapture(f"line {number}: expected seconds, > or <, bytes in hex") from None
        if len(words) < 3 or words[1] not in "<>" or any(not 0 <= octet <= 255 for octet in octets):
            raise NoCapture(f"line {number}: expected seconds, > or <, bytes in hex")
        for octet in octets:
            yield CapturedOctet(at_s, words[1] == ">", octet)
            at_s += octet_s


def line_of(captured: CapturedOctet) -> str:
    """Return the capture's line for one octet."""
    return f"{captured.at_s:.6f} {'>' if captured.from_agent else '<'} {captured.octet:02x}"


MAGICS = {b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6)}
MAGICS |= {b"\x4d\x3c\xb2\xa1": ("<", 1e-9), b"\xa1\xb2\x3c\x4d": (">", 1e-9)}
NEXT_GENERATION = b"\x0a\x0d\x0d\x0a"
SECTION, INTERFACE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 3, 6
ETHERNET, NULL, RAW, SLL, IPV4, IPV6, SLL2 = 1, 0, 101, 113, 228, 229, 276
CUT = -1  # in place of a kind of link
TCP = 6
WINDOW = 1 << 31


@dataclass
class Stream:
    """One direction of a connection."""

    source: tuple[str, int]
    target: tuple[str, int]
    next: int | None = None  # number of the byte that comes next
    taken: int = 0  # bytes so far
    waiting: list[tuple[int, float, bytes]] = field(default_factory=list)  # a heap: where in the stream
    chunks: list[tuple[float, bytes | int]] = field(default_factory=list)  # a number: so many bytes are missing

    def add(self, at_s: float, number: int, octets: bytes) -> None:
        """Put a segment in its place, and all that waited for it."""
        if self.next is None:
            self.next = number
        place = self.taken + (number - self.next + WINDOW) % (2 * WINDOW) - WINDOW
        heapq.heappush(self.waiting, (place, at_s, octets))
        while self.waiting and self.waiting[0][0] <= self.taken:
            self._take_first(at_s)

    def end(self) -> None:
        """Take what still waits: the bytes in front of it do not come any more."""
        while self.waiting:
            begin, at_s, _ = self.waiting[0]
            if begin > self.taken:
                self._append(at_s, begin - self.taken, begin - self.taken)
            self._take_first(at_s)

    def _take_first(self, at_s: float) -> None:
        begin, _, octets = heapq.heappop(self.waiting)
        new = octets[self.taken - begin :]
        if new:
            self._append(at_s, new, len(new))

    def _append(self, at_s: float, chunk: bytes | int, count: int) -> None:
        self.chunks.append((at_s, chunk))
        self.taken += count
        self.next = ((self.next or 0) + count) % (2 * WINDOW)


def is_printed(octets: bytes) -> bool:
    """True if `tcpdump` has printed packets in this text."""
    return any((row := _PRINTED.fullmatch(line.rstrip())) and row[1] == b"0000" for line in octets.splitlines())


def is_capture(octets: bytes) -> bool:
    """True if a file begins as a capture does."""
    return octets[:4] in MAGICS or octets[:4] == NEXT_GENERATION


def streams(octets: bytes) -> list[Stream]:
    """Return every direction of every connection that has bytes, in the order of their first packets."""
    open_streams: dict[tuple, Stream] = {}
    all_of_them: list[Stream] = []
    for at_s, kind, packet in packets(octets):
        segment = _segment(kind, packet)
        if segment is None:
            continue
        source, target, number, is_start, payload = segment
        stream = open_streams.get((source, target))
        if stream is None or (is_start and stream.chunks):  # another connection between the same ends
            stream = open_streams[source, target] = Stream(source, target)
            all_of_them.append(stream)
        if is_start:
            stream.next = (number + 1) & 0xFFFFFFFF
        elif payload:
            stream.add(at_s, number, payload)
    for stream in all_of_them:
        stream.end()
    return [stream for stream in all_of_them if stream.chunks]


# A row of `tcpdump -X`: offset, groups of two bytes, and behind two blanks their text.
_PRINTED = re.compile(rb"\s*0x([0-9a-fA-F]{4}):  ((?:[0-9a-fA-F]{2,4} ?)+?)(?:  .*)?")
_PRINTED_TIME = re.compile(rb"(?:\d{4}-\d\d-\d\d )?(\d\d):(\d\d):(\d\d\.\d+) ")


def printed_packets(lines: Iterable[bytes]) -> bytes:
    """Return the packets that `tcpdump -x`, `-X` or `-XX` has printed, as a capture; b"" if there are none."""
    packets: list[tuple[float, bytearray]] = []
    at_s = 0.0
    for line in lines:
        timed = _PRINTED_TIME.match(line)
        if timed:
            at_s = int(timed[1]) * 3600 + int(timed[2]) * 60 + float(timed[3])
        row = _PRINTED.fullmatch(line.rstrip())
        if row is None:
            continue
        offset, digits = int(row[1], 16), row[2].replace(b" ", b"").decode()
        if offset == 0:
            packets.append((at_s, bytearray()))
        if packets and len(packets[-1][1]) == offset and len(digits) % 2 == 0:
            packets[-1][1].extend(bytes.fromhex(digits))
    if not packets:
        return b""
    kind = next((kind for kind in (RAW, ETHERNET) if any(_segment(kind, bytes(one)) for _, one in packets)), RAW)
    whole = b"\xd4\xc3\xb2\xa1" + struct.pack("<HHiIII", 2, 4, 0, 0, 65535, kind)
    for at_s, packet in packets:
        whole += struct.pack("<IIII", int(at_s), int(at_s % 1 * 1e6), len(packet), len(packet)) + packet
    return whole


def packets(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    """Yield time, kind of link and bytes of every packet; CUT and the bytes of one that the capture ends within."""
    if octets[:4] in MAGICS:
        order, unit = MAGICS[octets[:4]]
        if len(octets) < 24:
            raise NoCapture("the capture ends in its own header")
        (kind,) = struct.unpack_from(order + "I", octets, 20)
        at = 24
        while at + 16 <= len(octets):
            seconds, parts, length, _ = struct.unpack_from(order + "IIII", octets, at)
            yield seconds + parts * unit, kind & 0xFFFF, octets[at + 16 : at + 16 + length]
            if at + 16 + length > len(octets):
                break
            at += 16 + length
        if at < len(octets):
            yield 0.0, CUT, octets[at:]
    elif octets[:4] == NEXT_GENERATION:
        yield from _blocks(octets)
    else:
        raise NoCapture("this is no capture: it begins with no magic number of pcap or pcapng")


def _blocks(octets: bytes) -> Iterator[tuple[float, int, bytes]]:
    order, at = "<", 0
    links: list[tuple[int, float]] = []
    while at + 12 <= len(octets):
        (kind,) = struct.unpack_from(order + "I", octets, at)
        if kind == SECTION:
            order = "<" if octets[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        (length,) = struct.unpack_from(order + "I", octets, at + 4)
        if length < 12 or at + length > len(octets):
            break
        body = octets[at + 8 : at + length - 4]
        if kind == INTERFACE:
            links.append((struct.unpack_from(order + "H", body)[0], _resolution(order, body)))
        elif kind == ENHANCED and len(body) >= 20:
            interface, high, low, taken, _ = struct.unpack_from(order + "IIIII", body)
            link, unit = links[interface] if interface < len(links) else (ETHERNET, 1e-6)
            yield ((high << 32) + low) * unit, link, body[20 : 20 + taken]
        elif kind == SIMPLE and links:
            yield 0.0, links[0][0], body[4:]
        at += length
    if at < len(octets):
        yield 0.0, CUT, octets[at:]


def _resolution(order: str, body: bytes) -> float:
    """Return the unit of an interface's time stamps: option 9, microseconds without it."""
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        if code == 9 and length:
            value = body[at + 4]
            return 2.0 ** -(value & 127) if value & 128 else 10.0**-value
        if not code:
            break
        at += 4 + (length + 3) // 4 * 4
    return 1e-6


def _segment(kind: int, packet: bytes) -> tuple | None:
    """Return source, target, number, whether it is a SYN, and payload of a TCP segment; None for another packet."""
    at = {ETHERNET: 14, NULL: 4, RAW: 0, IPV4: 0, IPV6: 0, SLL: 16, SLL2: 20}.get(kind)
    if at is None:
        return None
    if kind == ETHERNET:
        while packet[at - 2 : at] in (b"\x81\x00", b"\x88\xa8"):  # a VLAN tag
            at += 4
    version = packet[at] >> 4 if at < len(packet) else 0
    if version == 4 and len(packet) >= at + 20:
        total = struct.unpack_from(">H", packet, at + 2)[0]  # 0 where the network card cuts the segments
        end = min(len(packet), at + total) if total else len(packet)
        protocol, begin = packet[at + 9], at + (packet[at] & 15) * 4
        source, target = (".".join(map(str, packet[at + n : at + n + 4])) for n in (12, 16))
    elif version == 6 and len(packet) >= at + 40:
        end = min(len(packet), at + 40 + struct.unpack_from(">H", packet, at + 4)[0])
        protocol, begin = packet[at + 6], at + 40
        source, target = (packet[at + n : at + n + 16].hex(":", 2) for n in (8, 24))
    else:
        return None
    if protocol != TCP or begin + 20 > end:
        return None
    ports = struct.unpack_from(">HHI", packet, begin)
    payload = packet[begin + (packet[begin + 12] >> 4) * 4 : end]
    return (source, ports[0]), (target, ports[1]), ports[2], bool(packet[begin + 13] & 2), payload
