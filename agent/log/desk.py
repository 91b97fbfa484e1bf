"""The two buffers of a log, which several logs of a station share: one to write from, one to read into.

    | room for a block's head | record, its payload at PLACE | a unit more |
    0                         HEAD_OCTETS    PLACE

Both are laid out alike; a device gets them from either start, for which the views were made once. Behind a record the
stage holds whatever was there before.
"""

from agent.base.compat import const
from agent.log.head import HEAD_OCTETS
from agent.log.record import FRAME_BYTES, HEAD_BYTES

PLACE = const(60)  # HEAD_OCTETS + HEAD_BYTES
READ_BYTES = const(128)  # a light result with its frame in one read of the device


class Desk:
    """`stage` and `page` for payloads of so many octets; `record` and `read` are their views behind a head."""

    def __init__(self, payload_most, unit_bytes):
        octets = HEAD_OCTETS + FRAME_BYTES + payload_most + (unit_bytes if unit_bytes > READ_BYTES else READ_BYTES)
        self.most = FRAME_BYTES + payload_most  # octets of a record
        self.stage = bytearray(b"\xff" * octets)
        self.page = bytearray(octets)
        self.record = memoryview(self.stage)[HEAD_OCTETS:]
        self.read = memoryview(self.page)[HEAD_OCTETS:]
        self.probe = self.read[:READ_BYTES]
        self.fresh = None  # type: object  # the log whose result was appended last, and stands in the stage still


assert PLACE == HEAD_OCTETS + HEAD_BYTES
