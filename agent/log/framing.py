"""What stands in a log: records, framed and checked, heads of blocks, and the two buffers that they go through.

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
from toolcart.agent.base.fields import compare, copy, fill, get_u32
from toolcart.agent.record import KIND_EVENT, KIND_GRAPH, KIND_RAW, KIND_RESULT, KINDS, LEAST  # noqa: F401
from toolcart.agent.record.result import ID_BYTES

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


# The head of a log's block: whose it is, its number, its first record, and words on the block before.
#
#     byte   0    2         3      4          8          12         16      17    18     20      22
#            | TL | version | ring | identity | number   | first    | flags | size | kept | graphs |
#            |    | u8      | u8   | u32      | u32      | u32      | u8    | u8   | u16  | u16    |
#
#           22      24       28         38          48       52
#            | place | number | lowest   | highest   | CRC-30 |    words on the block before: which one it is, and the
#            | u16   | u32    | ID 10    | ID 10     | u32    |    tightening IDs between which all of its results lie
#
# Rules
# 1. The head and the first record are programmed together: a block without a sound record was never opened.
# 2. `first`: from this number on all earlier blocks are void. CARRIED: the block begins with copies from an earlier
#    one. `size`: unit and block as powers of two. `kept`, `graphs`: how the device is divided
#    (toolcart.agent.log.mount). `number`: blocks * round + place. Each opening is a round, and a session's first is
# above those of all earlier ones (toolcart.agent.log.snapshot): a torn head that no start has seen may read well later,
#    and must be older then.
# 3. One flipped bit in a head is corrected by every reader: otherwise it would hide a whole block.
# 4. The words are valid only if that place still has a block of that number. IDs are compared as bytes, whatever they
#    are.

HEAD_OCTETS = const(52)
VERSION = const(4)  # 1 to 3 were spools with state between the results

AT_RING = const(3)
AT_IDENTITY = const(4)
AT_NUMBER = const(8)
AT_FIRST = const(12)
AT_FLAGS = const(16)
AT_SIZE = const(17)
AT_KEPT = const(18)
AT_GRAPHS = const(20)
AT_WORDS = const(22)
AT_CRC = const(48)

CARRIED = const(1)

WORDS_NUMBER = const(2)  # places in the words
WORDS_LOWEST = const(6)
WORDS_HIGHEST = const(16)
WORDS_BYTES = const(26)
IDS_LOWEST = const(0)  # of one block, in a buffer of their own
IDS_HIGHEST = const(10)

HEAD_BLANK = const(0)
HEAD_BAD = const(-1)
HEAD_FOREIGN = const(-2)
HEAD_SOUND = const(1)

_T = const(0x54)
_L = const(0x4C)
_OLD_KIND = const(0x48)


def size_of(device):
    """Return the sizes of the device's unit and block as one byte."""
    sizes = 0
    unit = device.unit_bytes
    while unit > 1:
        unit >>= 1
        sizes += 16
    block = device.block_bytes >> 8
    while block > 1:
        block >>= 1
        sizes += 1
    return sizes


def seal_head(buf, ring, identity, number, first, flags, size, kept, graphs):
    """Write a head to buf[0:], where its words already are."""
    pack_into("<BBBBIIIBBHH", buf, 0, _T, _L, VERSION, ring, identity, number, first, flags, size, kept, graphs)
    pack_into("<I", buf, AT_CRC, crc30(buf, 0, AT_CRC))


def check_head(buf, size):
    """Return a HEAD_ code for what is at buf[0:]. FOREIGN: whole, but of another version or another device's sizes."""
    if buf[0] == _OLD_KIND and buf.find(b"TCSP", 8, 12) == 8:
        return HEAD_FOREIGN
    if (buf[0] == _T) + (buf[1] == _L) + (buf[2] == VERSION) >= 2 and (_is_sound(buf) or _mend(buf)):
        return HEAD_SOUND if buf[2] == VERSION and buf[AT_SIZE] == size else HEAD_FOREIGN
    for index in range(HEAD_OCTETS):
        if buf[index] != 0xFF:
            return HEAD_BAD
    return HEAD_BLANK


def _is_sound(buf):
    return get_u32(buf, AT_CRC) == crc30(buf, 0, AT_CRC)


def _mend(buf):
    """Flip back the one bit that makes the head sound; return False if there is none."""
    for index in range(HEAD_OCTETS):
        bit = 1
        while bit < 0x100:
            buf[index] ^= bit
            if _is_sound(buf):
                return True
            buf[index] ^= bit
            bit <<= 1
    return False


def u16(buf, at):
    """Return the two-byte number at buf[at:]."""
    return buf[at] | buf[at + 1] << 8


def note_id(ids, buf, at):
    """Widen `ids`, the block's lowest and highest, by the result ID at buf[at:]."""
    if compare(buf, at, ids, IDS_HIGHEST, ID_BYTES) > 0:
        copy(ids, IDS_HIGHEST, buf, at, ID_BYTES)
        if ids[IDS_LOWEST] != 0xFF:
            return
    if compare(buf, at, ids, IDS_LOWEST, ID_BYTES) < 0:
        copy(ids, IDS_LOWEST, buf, at, ID_BYTES)


def forget_ids(ids):
    """Reset `ids` for a block without results."""
    fill(ids, IDS_LOWEST, ID_BYTES, 0xFF)
    fill(ids, IDS_HIGHEST, ID_BYTES, 0)


# The two buffers of a log, shared by a station's logs: one to write from, one to read into.
#
#     | room for a block's head | record, its payload at PLACE | a unit more |
#     0                         HEAD_OCTETS    PLACE
#
# Both have the same layout; a device gets them from 0 or from HEAD_OCTETS, and the views for that are made once. After
# a record the stage holds whatever was there before.

PLACE = const(60)  # HEAD_OCTETS + HEAD_BYTES
READ_BYTES = const(128)  # a light result with its frame in one read of the device


class Desk:
    """`stage` and `page` for payloads of `payload_most` bytes; `record` and `read` are views of them after a head."""

    def __init__(self, payload_most, unit_bytes):
        octets = HEAD_OCTETS + FRAME_BYTES + payload_most + (unit_bytes if unit_bytes > READ_BYTES else READ_BYTES)
        self.most = FRAME_BYTES + payload_most  # bytes of a record
        self.stage = bytearray(b"\xff" * octets)
        self.page = bytearray(octets)
        self.record = memoryview(self.stage)[HEAD_OCTETS:]
        self.read = memoryview(self.page)[HEAD_OCTETS:]
        self.probe = self.read[:READ_BYTES]
        self.fresh = None  # type: object  # the log whose result was appended last and is still in the stage
        self.fresh_at = 0  # offset of that in its block
        self.fresh_length = 0
        self.fresh_flags = 0


assert PLACE == HEAD_OCTETS + HEAD_BYTES
