"""The head of a log's block: whose it is, its number, its first record, and words on the block before.

    byte   0    2         3      4          8          12         16      17    18     20      22
           | TL | version | ring | identity | number   | first    | flags | size | kept | graphs |
           |    | u8      | u8   | u32      | u32      | u32      | u8    | u8   | u16  | u16    |

          22      24       28         38          48       52
           | place | number | lowest   | highest   | CRC-30 |    words on the block before: which one it is, and the
           | u16   | u32    | ID 10    | ID 10     | u32    |    tightening IDs between which all of its results lie

Rules
1. The head and the first record are programmed together: a block without a sound record was never opened.
2. `first`: from this number on all earlier blocks are void. CARRIED: the block begins with copies from an earlier
   one. `size`: unit and block as powers of two. `kept`, `graphs`: how the device is divided
   (toolcart.agent.log.partitioning). `number`: blocks * round + place. Each opening is a round, and a session's first
   is above those of all earlier ones (toolcart.agent.log.snapshot): a torn head that no start has seen may read well
   later, and must be older then.
3. One flipped bit in a head is corrected by every reader: otherwise it would hide a whole block.
4. The words are valid only if that place still has a block of that number. IDs are compared as bytes, whatever they
   are.
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import compare, copy, fill, get_u32
from toolcart.agent.record.result import ID_BYTES

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
