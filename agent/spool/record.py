"""One record of the log: framed, checked, and found again after damage.

    octet  0      1      2        4          8             8+n         12+n
           | kind | flags| n  u16 | seq  u32 | payload n   | CRC-30 u32 | 0xFF up to the next boundary

Rules
1. Little endian. `seq` counts every record of the log from 1, without gaps; it and the CRC stay below 2**30.
2. The CRC goes over everything in front of it. `kind` is never 0xFF: that is how erased flash begins.
3. A record starts at a multiple of the program unit, of 8 octets at least; only the record behind a block's HEAD
   starts at the next multiple of 8, so that both fit one unit of 256 octets and are programmed together.
4. A number that is missing in the row of `seq` is a damaged record: the walk counts it and goes on.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.crc import crc30
from agent.base.words import get_u32

KIND_HEAD = const(0x48)  # first record of a block: geometry, cursors, memory
KIND_RESULT = const(0x52)
KIND_RAW = const(0x57)  # a frame that is a result and could not be read
KIND_EVENT = const(0x45)
KIND_GAP = const(0x47)  # tightening IDs that cannot be had any more
KIND_CURSOR = const(0x43)
KIND_MEMORY = const(0x4D)  # the owner's memory (recovery, revisions), when it changed otherwise than by a result

FRAME_BYTES = const(12)  # head and CRC
HEAD_BYTES = const(8)
ALIGN_BYTES = const(8)

RECORD_NONE = const(0)  # erased flash, or the end of the block
RECORD_BAD = const(-1)

_KINDS = b"\x48\x52\x57\x45\x47\x43\x4d"
_TOP = const(0x3F)


def seal(buf, start, kind, flags, length, seq):
    """Put head and CRC around the payload that lies at start + HEAD_BYTES; return the record's octets."""
    pack_into("<BBHI", buf, start, kind, flags, length, seq)
    end = start + HEAD_BYTES + length
    pack_into("<I", buf, end, crc30(buf, start, end))
    return FRAME_BYTES + length


def record_length(buf, start, room):
    """Return the octets of the record whose head lies at `start`, if a record can begin so and fits `room`.

    RECORD_NONE for erased flash, RECORD_BAD for anything else. The CRC is not looked at.
    """
    kind = buf[start]
    if kind == 0xFF:
        return RECORD_NONE
    if not _known(kind):
        return RECORD_BAD
    octets = FRAME_BYTES + (buf[start + 2] | buf[start + 3] << 8)
    if octets > room or buf[start + 7] > _TOP:
        return RECORD_BAD
    return octets


def _known(kind):
    for known in _KINDS:
        if known == kind:
            return True
    return False


def is_sound(buf, start, octets):
    """Tell whether the record of `octets` at `start` carries its right CRC."""
    end = start + octets - 4
    return get_u32(buf, end) == crc30(buf, start, end)
