"""How a record stands in a log, framed and checked (heads of blocks: toolcart.agent.log.block_head).

    byte   0      1       2       4            8             8+n         12+n
           | kind | flags | n u16 | number u32 | payload n   | CRC-30 u32 | as it was, up to the next boundary

Rules
1. Little endian. Numbers and the CRC stay below 2**30. The CRC covers everything before it.
2. A record starts at a multiple of the program unit, or of 8 bytes if that is more; only the one after a block's
   head starts at HEAD_OCTETS, so that both are programmed together.
3. Every kind has its top bit set: ASCII text inside a record cannot be taken for one.
"""

from struct import pack_into

from toolcart.agent.base.compat import FAST, const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import get_u32
from toolcart.agent.record import KIND_EVENT, KIND_GRAPH, KIND_RAW, KIND_RESULT, KINDS, LEAST  # noqa: F401

# What an append returns, and what a log does when it is full.

LOG_DONE = const(0)
LOG_FULL = const(-3)
LOG_FAILED = const(-4)  # the device refused, or nothing may be written any more

WHEN_FULL_REFUSE = const(0)
WHEN_FULL_OVERWRITE = const(1)

BLOCKS_TRIED = const(3)  # how many may fail for one record
RETAINED_MAX = const(99990)  # ToolsNet's five digits must stay unique within the log (protocol.md 8.4)

TOP = const(0x3FFFFFFF)  # first number of a block that is not there
WORN = const(0x3FFFFFFE)  # of one in which nothing ever counts


HEAD_BYTES = const(8)
FRAME_BYTES = const(12)  # head and CRC
ALIGN_BYTES = const(8)
NUMBER = const(4)  # its place in a record
NUMBER_TOP = const(0x3FFFFFF0)  # 30 bits: ten records a second for three years and a half

RECORD_NONE = const(0)  # erased flash, or the end
RECORD_BAD = const(-1)
RECORD_LOST = const(-2)  # the device cannot be read now

_KINDS = KINDS
_LEAST = LEAST
_TOP = const(0x3F)


def seal(buf, start, kind, flags, length, number):
    """Put head and CRC around the payload at start + HEAD_BYTES; return the record's length."""
    pack_into("<BBHI", buf, start, kind, flags, length, number)
    end = start + HEAD_BYTES + length
    pack_into("<I", buf, end, crc30(buf, start, end))
    return FRAME_BYTES + length


if FAST is not None:
    globals()["seal"] = FAST.seal


def record_length(buf, start, room):
    """Return the length of the record whose head is at `start`, if it is a possible one and fits `room`.

    Return RECORD_NONE for erased flash, RECORD_BAD for anything else. The CRC is not checked.
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
    index = 0
    for known in _KINDS:
        if known == kind:
            return _LEAST[index]
        index += 1
    return 0x10000  # not a record


def is_sound(buf, start, octets):
    """True if the record of length `octets` at `start` has the right CRC."""
    end = start + octets - 4
    return get_u32(buf, end) == crc30(buf, start, end)
