"""One record of the log: framed, checked, and found again after damage.

    octet  0      1      2        4          8             8+n         12+n
           | kind | flags| n  u16 | seq  u32 | payload n   | CRC-30 u32 | 0xFF up to the next boundary

Rules
1. Little endian. `seq` counts every record of the log from 1; it and the CRC stay below 2**30.
2. The CRC goes over everything in front of it. Erased flash is eight octets of 0xFF where a record would begin.
3. A record starts at a multiple of the program unit, of 8 octets at least; only the record behind a block's HEAD
   starts at HEAD_OCTETS, so that both fit one unit of 256 octets and are programmed together.
4. Every kind but HEAD has its top bit set: no ASCII text inside a record can be taken for one. A HEAD stands at the
   start of a block and nowhere else, and its frame, magic and version never change: docs/spool.md has the rule.
5. A number that is missing in the row of `seq` is a damaged record: the walk counts it and goes on.
"""

from struct import pack_into

from agent.base.compat import FAST_CRC, const
from agent.base.crc import crc30
from agent.base.words import get_u32
from agent.record import KIND_EVENT, KIND_GRAPH, KIND_RAW, KIND_RESULT, KINDS, LEAST, is_for_outlets  # noqa: F401

KIND_HEAD = const(0x48)  # first record of a block: geometry, cursors, memory
KIND_GAP = const(0xC7)  # tightening IDs that cannot be had any more
KIND_ASIDE = const(0xC1)  # records that an outlet passes without having delivered them
KIND_CURSOR = const(0xC3)  # how far every outlet is
KIND_MEMORY = const(0xCD)  # the owners' memory, when it changed otherwise than by another record
KIND_SEAL = const(0xD3)  # everything in front of it was durable when it was written

FRAME_BYTES = const(12)  # head and CRC
HEAD_BYTES = const(8)
ALIGN_BYTES = const(8)

# The payload of a HEAD
HEAD_PAYLOAD = const(116)
HEAD_OCTETS = const(128)  # with its frame
AT_VERSION = const(4)
AT_ROLE = const(5)
AT_UNIT_LOG = const(6)  # sizes are powers of two
AT_BLOCK_LOG = const(7)
AT_BLOCK_COUNT = const(8)  # u16
AT_FIRST_BLOCK = const(10)  # u16
AT_AFTER = const(12)
AT_BLOCK_NO = const(16)
AT_NUMBER = const(20)
AT_EVENT_NUMBER = const(24)
AT_OVERWRITTEN = const(28)
AT_CURSORS = const(32)  # how far every outlet is: CURSORS_BYTES, as agent.spool.cursors has them
AT_MEMORY = const(56)
OUTLETS = const(4)
CURSORS_BYTES = const(24)
MEMORY_BYTES = const(60)  # what a 256-octet unit leaves beside HEAD and one light result
MEMORY_PAYLOAD = const(64)  # the memory, overwritten u32
CURSOR_PAYLOAD = const(36)  # the cursors, overwritten u32, the first outlet's own 8 octets of the memory
ASIDE_PAYLOAD = const(48)  # first and last seq, reason u16, count u16, then as a CURSOR record
AT_ASIDE_REASON = const(8)
AT_ASIDE_CURSORS = const(12)
GAP_PAYLOAD = const(24)  # epoch, why, two zeros, first and last tightening ID (10 digits each)
FORMAT_VERSION = const(3)  # 1 and 2 were never released
SEQ_TOP = const(0x3FFFFFFF)

RECORD_NONE = const(0)  # erased flash, or the end of the block
RECORD_BAD = const(-1)
RECORD_LOST = const(-2)  # the device could not be read

# What outlets take (agent.record), and the log's own kinds.
_KINDS = KINDS + b"\x48\xc7\xc1\xc3\xcd\xd3"
# The least payload of each: a walk through damage must not take something short for a record.
_LEAST = LEAST + b"\x06\x18\x30\x24\x40\x00"
_MAGIC = b"TCSP"
_TOP = const(0x3F)


def seal(buf, start, kind, flags, length, seq):
    """Put head and CRC around the payload that lies at start + HEAD_BYTES; return the record's octets."""
    pack_into("<BBHI", buf, start, kind, flags, length, seq)
    end = start + HEAD_BYTES + length
    pack_into("<I", buf, end, crc30(buf, start, end))
    return FRAME_BYTES + length


if FAST_CRC is not None:
    globals()["seal"] = FAST_CRC.seal


def record_length(buf, start, room):
    """Return the octets of the record whose head lies at `start`, if a record can begin so and fits `room`.

    RECORD_NONE for erased flash, RECORD_BAD for anything else. The CRC is not looked at.
    """
    kind = buf[start]
    if kind == 0xFF:
        for index in range(start + 1, start + HEAD_BYTES):
            if buf[index] != 0xFF:
                return RECORD_BAD
        return RECORD_NONE
    length = buf[start + 2] | buf[start + 3] << 8
    if length < _least(kind) or FRAME_BYTES + length > room or buf[start + 7] > _TOP:
        return RECORD_BAD
    return FRAME_BYTES + length


def _least(kind):
    for index in range(10):
        if _KINDS[index] == kind:
            return _LEAST[index]
    return 0x10000  # no record


def is_sound(buf, start, octets):
    """Tell whether the record of `octets` at `start` carries its right CRC."""
    end = start + octets - 4
    return get_u32(buf, end) == crc30(buf, start, end)


def is_spool_head(page, at):
    """Tell whether the payload at `at` is a spool's HEAD, of whatever version."""
    for index in range(4):
        if page[at + index] != _MAGIC[index]:
            return False
    return True


def is_head(page, at):
    """Tell whether the payload at `at` is a HEAD of the version this code reads."""
    return is_spool_head(page, at) and page[at + AT_VERSION] == FORMAT_VERSION
