"""A 3964R block, read byte by byte as it comes and written in one go: doubling of 10, `10 03`, BCC.

Rules (OP 2.1.2.2 p. 22-23; check vector: payload 53 54 41 54 55 53 closes with 10 03 and BCC 07)
1. The BCC is the XOR of every byte on the wire from the first of the payload to the closing 03: a doubled 10 counts
   twice, the STX of the handshake does not count.
2. The byte after `10 03` is the BCC, whatever it is; it is never doubled.
3. `10` followed by anything but 10 or 03 spoils the block, which is still read to its end.
4. What does not fit the buffer is checked but not kept.
"""

from toolcart.agent.base.compat import const

PAYLOAD_MAX = const(10010)  # a message of four-digit length with tag and tail: more is not a block
BLOCK_END_BYTES = const(3)  # `10 03` and the BCC

_DLE = const(0x10)
_ETX = const(0x03)

_PLAIN = const(0)
_AFTER_DLE = const(1)
_AFTER_END = const(2)  # `10 03` came, the next byte is the BCC


class BlockReader:
    """Reads blocks: the payload so far is buf[0:fill], at most `size` bytes; made once, `begin` starts each block."""

    __slots__ = ("_count", "_last_bcc", "_last_fill", "_place", "bad", "bcc", "buf", "fill", "good", "size")

    def __init__(self, buffer_bytes):
        self.buf = bytearray(buffer_bytes)
        self.reset()
        self.begin(buffer_bytes)

    def reset(self):
        """A connection begins: no block came before."""
        self._last_fill = self._last_bcc = -1
        self.bad = 0  # blocks in a row

    def is_repeat(self):
        """Take the block just read, which is good, as the last one; return True if the one before was the same."""
        same = self.fill == self._last_fill and self.bcc == self._last_bcc
        self._last_fill = self.fill
        self._last_bcc = self.bcc
        self.bad = 0
        return same

    def begin(self, size):
        """Begin a block, of which up to `size` bytes are kept."""
        self.size = size
        self.fill = 0
        self.good = True
        self.bcc = 0
        self._count = 0
        self._place = _PLAIN

    def take(self, raw, at, end):
        """Take raw[at:end]; return how far it got, negated if the block ended there (then `good` is the verdict)."""
        buf = self.buf
        size = self.size
        fill = self.fill
        bcc = self.bcc
        place = self._place
        first = at
        while at < end:
            octet = raw[at]
            at += 1
            if place == _PLAIN:
                bcc ^= octet
                if octet == _DLE:
                    place = _AFTER_DLE
                    continue
            elif place == _AFTER_DLE:
                bcc ^= octet
                place = _PLAIN
                if octet == _ETX:
                    place = _AFTER_END
                    continue
                if octet != _DLE:
                    self.good = False
            else:
                self.fill = fill
                self.bcc = bcc
                self.good = self.good and bcc == octet and self._count + at - first <= PAYLOAD_MAX * 2
                return -at
            if fill < size:
                buf[fill] = octet
                fill += 1
        count = self._count + at - first
        self._count = count if count < PAYLOAD_MAX * 3 else PAYLOAD_MAX * 3  # bounded, whatever a peer sends
        self.fill = fill
        self.bcc = bcc
        self._place = place
        return at


def put_block(wire, to, text, at, end):
    """Write a block with the payload text[at:end] to wire[to:]; return where it ends."""
    bcc = _DLE ^ _ETX
    while at < end:
        octet = text[at]
        at += 1
        wire[to] = octet
        to += 1
        if octet == _DLE:  # the two cancel in the BCC
            wire[to] = _DLE
            to += 1
        else:
            bcc ^= octet
    wire[to] = _DLE
    wire[to + 1] = _ETX
    wire[to + 2] = bcc
    return to + 3
