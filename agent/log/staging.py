"""The two buffers of a log, shared by a station's logs: one to write from, one to read into.

    | room for a block's head | record, with its payload      | a unit more |
    0                         HEAD_OCTETS    PAYLOAD_AT

Both have the same layout; a device gets them from 0 or from HEAD_OCTETS, and the views for that are made once. After
a record the stage holds whatever was there before.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.block_head import HEAD_OCTETS
from toolcart.agent.log.framing import FRAME_BYTES, HEAD_BYTES

PAYLOAD_AT = const(60)  # HEAD_OCTETS + HEAD_BYTES
READ_BYTES = const(128)  # a light result with its frame in one read of the device


class Staging:
    """`stage` and `page` for payloads of `payload_most` bytes; `record` and `read` are views of them after a head."""

    def __init__(self, payload_most, unit_bytes):
        octets = HEAD_OCTETS + FRAME_BYTES + payload_most + (unit_bytes if unit_bytes > READ_BYTES else READ_BYTES)
        self.most = FRAME_BYTES + payload_most  # bytes of a record
        self.stage = bytearray(b"\xff" * octets)
        self.page = bytearray(octets)
        self.record = memoryview(self.stage)[HEAD_OCTETS:]
        self.read = memoryview(self.page)[HEAD_OCTETS:]
        self.probe = self.read[:READ_BYTES]
        self.staged_log = None  # type: object  # the log whose result was appended last and is still in the stage
        self.staged_at = 0  # offset of that in its block
        self.staged_length = 0
        self.staged_flags = 0


assert PAYLOAD_AT == HEAD_OCTETS + HEAD_BYTES
