"""Machine code twins of the checksum and of what seals a record with it; rules as in toolcart.agent.base.fast.

Used by crc.py and toolcart.agent.log.record where `compat.FAST_CRC` says that this build runs it.
"""

from array import array

import micropython
from micropython import const

POLYNOMIAL = const(0x38E74301)

_len = len  # a builtin is looked up in the module first, which costs more than the loop


def _table():
    """Return the remainders of half a byte (agent.base.crc): two steps a byte, a kilobyte less than for whole ones."""
    entries = array("I", [0] * 16)
    for index in range(16):
        value = index
        for _ in range(4):
            value = (value >> 1) ^ POLYNOMIAL if value & 1 else value >> 1
        entries[index] = value
    return entries


_entries = _table()


@micropython.viper
def crc(buf, start: int, end: int, value: int) -> int:
    if start < 0 or end > int(_len(buf)):
        raise IndexError
    return int(_crc(value, start, end, buf))


@micropython.viper
def _crc(value: int, start: int, end: int, buf) -> int:  # the first three stay in registers
    entries = ptr32(_entries)
    octets = ptr8(buf)
    while start < end:
        value ^= octets[start]
        value = entries[value & 0x0F] ^ (value >> 4)
        value = entries[value & 0x0F] ^ (value >> 4)
        start += 1
    return value


@micropython.viper
def seal(buf, start: int, kind: int, flags: int, length: int, seq: int) -> int:
    end = start + length + 8
    if start < 0 or length < 0 or end + 4 > int(_len(buf)):
        raise IndexError
    octets = ptr8(buf)
    octets[start] = kind
    octets[start + 1] = flags
    octets[start + 2] = length
    octets[start + 3] = length >> 8
    octets[start + 4] = seq
    octets[start + 5] = seq >> 8
    octets[start + 6] = seq >> 16
    octets[start + 7] = seq >> 24
    value = 1
    value = (value << 30) - 1  # rule 4
    value = int(_crc(value, start, end, buf))
    octets[end] = value
    octets[end + 1] = value >> 8
    octets[end + 2] = value >> 16
    octets[end + 3] = value >> 24
    return length + 12
