"""The buffer in which a record is put together; two rings of one process share one.

Rules
1. It is in use from `Ring.begin` to `Ring.commit`. Afterwards the record still lies there, until the next `begin` of
   either ring: `fresh` names the ring that it belongs to, so that a result may be sent on without reading it back.
2. Behind `used` every octet is 0xFF: what fills a program unit up need not be written for every record.
"""


class Stage:
    """`buf` of `octets`, as erased flash at first."""

    __slots__ = ("buf", "fresh", "used")

    def __init__(self, octets):
        self.buf = bytearray(b"\xff" * octets)
        self.used = 0
        self.fresh = None  # type: object

    def use(self, end):
        """Octets up to `end` are about to be written."""
        self.fresh = None
        if end > self.used:
            self.used = end
