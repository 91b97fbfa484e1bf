"""The records of an older spool's areas: those that count, in order, whatever is damaged around them.

    octet  0      1      2        4          8             8+n         12+n
           | kind | flags| n  u16 | seq  u32 | payload n   | CRC-30 u32 | 0xFF up to the next boundary

Rules
1. The HEADs give unit and block size. A HEAD is at the start of a block; the record after it is at byte 128.
2. Blocks are ordered by the number of their first record. Numbers above the `after` of the next block are void; a
   newest block with only a HEAD was never opened, and neither that HEAD nor its `after` counts.
3. After damage every multiple of 8 bytes is tried.
"""

from dataclasses import dataclass

from agent.base.crc import crc30
from agent.base.words import get_u32
from agent.record import PAYLOAD_WIDE

HEAD = 0x48
RESULT = 0xD2
RAW = 0xD7
EVENT = 0xC5
GAP = 0xC7
ASIDE = 0xC1
CURSOR = 0xC3
MEMORY = 0xCD
_KINDS = (HEAD, RESULT, RAW, EVENT, GAP, ASIDE, CURSOR, MEMORY, 0xC9, 0xD3)

FORMATS = (2, 3)
MAIN = 0
QUARANTINE = 1
GRAPHS = 2

_FRAME_BYTES = 12
_HEAD_BYTES = 8
_HEAD_OCTETS = 128
_STEP_BYTES = 256  # no block begins between multiples of this, so no HEAD does
_BLANK = b"\xff" * 8
SEQ_TOP = 0x3FFFFFFF


class NotOld(Exception):
    """The bytes are not a spool of an older format; the text says why."""


@dataclass(frozen=True)
class Record:
    """One sound record."""

    seq: int
    kind: int
    flags: int
    payload: bytes


@dataclass(frozen=True)
class Head:
    """What a HEAD says about its log and the area."""

    version: int
    role: int
    unit_bytes: int
    block_bytes: int
    first_block: int
    block_count: int
    after: int
    number: int
    event_number: int


@dataclass(frozen=True)
class Area:
    """The records of a log that count, in order; and whether something after the last one is torn."""

    records: list[Record]
    is_torn: bool


@dataclass(frozen=True)
class _Block:
    records: list[Record]
    is_torn: bool


def head_of(payload: bytes) -> Head:
    """Read a HEAD's payload, of format 2 or 3."""
    version = payload[4]
    if version == 2:
        sizes = _u16(payload, 6), get_u32(payload, 8), _u16(payload, 16), get_u32(payload, 12)
        return Head(2, payload[18], *sizes, get_u32(payload, 20), get_u32(payload, 28), get_u32(payload, 32))
    sizes = 1 << payload[6], 1 << payload[7], _u16(payload, 10), _u16(payload, 8)
    return Head(version, payload[5], *sizes, get_u32(payload, 12), get_u32(payload, 20), get_u32(payload, 24))


def first_head(octets: bytes) -> Head:
    """Return the first sound HEAD of an image; NotOld if there is none, or it has another format."""
    for at in range(0, len(octets), _STEP_BYTES):
        record = _sound(octets, at, len(octets), True)
        if record is not None and record.kind == HEAD and record.payload[:4] == b"TCSP":
            version = record.payload[4]
            if version not in FORMATS:
                raise NotOld(f"it has format {version}, which this program cannot take over")
            return head_of(record.payload)
    raise NotOld("no block begins as a spool's does")


def areas(octets: bytes) -> dict[int, Area]:
    """Return the main log, the quarantine and the ring of graphs, by role."""
    known = first_head(octets)
    size = known.block_bytes
    blocks = [_block(octets[at : at + size], known.unit_bytes) for at in range(0, len(octets) - size + 1, size)]
    roles: dict[int, list[_Block]] = {MAIN: [], QUARANTINE: [], GRAPHS: []}
    places = _divided(blocks)
    for place, block in enumerate(blocks):
        head = _head_in(block)
        role = head.role if head is not None else next((r for r, span in places.items() if place in span), MAIN)
        if block.records and role in roles:
            roles[role].append(block)
    return {role: _in_order(found) for role, found in roles.items()}


def _divided(blocks: list[_Block]) -> dict[int, range]:
    """Return which blocks are quarantine and graphs, as far as HEADs say: for blocks whose own HEAD is damaged."""
    places: dict[int, range] = {}
    for block in blocks:
        head = _head_in(block)
        if head is not None and head.role != MAIN:
            places[head.role] = range(head.first_block, head.first_block + head.block_count)
        elif head is not None and QUARANTINE not in places:
            places[QUARANTINE] = range(head.first_block)
    return places


def _head_in(block: _Block) -> Head | None:
    return head_of(block.records[0].payload) if block.records and block.records[0].kind == HEAD else None


def _block(octets: bytes, unit: int) -> _Block:
    """Apply rule 3; records whose number does not ascend are stale."""
    found: list[Record] = []
    at = end = 0
    while at + _FRAME_BYTES <= len(octets):
        record = None if octets[at : at + 8] == _BLANK else _sound(octets, at, len(octets), at == 0)
        if record is None:
            at += 8
            continue
        if not found or record.seq > found[-1].seq:
            found.append(record)
        step = max(unit, 8) if record.kind != HEAD else 8
        at = -(-(at + _FRAME_BYTES + len(record.payload)) // step) * step
        end = at
    return _Block(found, octets[end:].strip(b"\xff") != b"")


def _sound(octets: bytes, at: int, end: int, may_be_head: bool) -> Record | None:
    kind = octets[at]
    if kind not in _KINDS or (kind == HEAD and not may_be_head):
        return None
    length = _u16(octets, at + 2)
    tail = at + _HEAD_BYTES + length
    if length > PAYLOAD_WIDE or tail + 4 > end or octets[at + 7] > 0x3F:
        return None
    if get_u32(octets, tail) != crc30(octets, at, tail):
        return None
    return Record(get_u32(octets, at + 4), kind, octets[at + 1], octets[at + _HEAD_BYTES : tail])


def _in_order(blocks: list[_Block]) -> Area:
    """Apply rule 2."""
    order = sorted(blocks, key=lambda block: block.records[0].seq)
    while order and len(order[-1].records) == 1 and _head_in(order[-1]) is not None:
        order.pop()
    counted: list[Record] = []
    for place, block in enumerate(order):
        bound = SEQ_TOP
        if place + 1 < len(order):
            head = _head_in(order[place + 1])
            bound = head.after + 1 if head is not None else order[place + 1].records[0].seq - 1
        counted += [record for record in block.records if record.seq < bound]
    return Area(counted, bool(order) and order[-1].is_torn)


def _u16(octets: bytes, at: int) -> int:
    return octets[at] | octets[at + 1] << 8


assert _HEAD_OCTETS == _FRAME_BYTES + 116
