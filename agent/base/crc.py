"""CRC-30: the checksum of every record on flash, as strong as a 32-bit board can compute without allocating.

Why 30 bits: an int of 2**30 or more costs a heap block on a 32-bit board, so CRC-32 is out; 16 bits let one torn
record in 65,536 pass, and the power-cut proofs tear more often than that. The reflected form only shifts right, so
every step stays within 30 bits.

Polynomial 0x2030B9C7 (CDMA's), reflected, start value all ones, no final XOR; check value of b"123456789" is
0x1790FBF6. By exhaustive count over records of 256 bytes, every error of one, two or three bits is detected.
"""

from array import array

from toolcart.agent.base.compat import FAST, const

_POLYNOMIAL = const(0x38E74301)
_START = const(0x3FFFFFFF)


def _table():
    """Return the remainder of every byte."""
    entries = array("I", [0] * 256)
    for index in range(256):
        value = index
        for _ in range(8):
            value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
        entries[index] = value
    return entries


_TABLE = _table() if FAST is None else array("I")  # machine code has its own


def crc30(buf, start, end, crc=_START):
    """Return the CRC of buf[start:end], 0..2**30-1; pass the last result as `crc` to continue with another piece."""
    table = _TABLE
    whole = end - 7
    while start < whole:  # unrolled: the loop itself takes a fifth of the time
        crc = table[(crc ^ buf[start]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 1]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 2]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 3]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 4]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 5]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 6]) & 0xFF] ^ (crc >> 8)
        crc = table[(crc ^ buf[start + 7]) & 0xFF] ^ (crc >> 8)
        start += 8
    while start < end:
        crc = table[(crc ^ buf[start]) & 0xFF] ^ (crc >> 8)
        start += 1
    return crc


if FAST is not None:
    _loop = FAST.crc

    def _crc30(buf, start, end, crc=_START):
        return _loop(buf, start, end, crc)

    globals()["crc30"] = _crc30
