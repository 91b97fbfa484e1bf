"""What the log keeps for its outlets: the kinds of record, with their size limits and a module for each.

    kind  name    module                        payload
    0xD2  RESULT  toolcart.agent.record.result  head of 8 bytes, body of 106, limits of 37 or none; after these, with
                                                several spindles, a row for each (toolcart.agent.record.spindles), or
                                                the additional identifiers of one
                                                (toolcart.agent.record.extended_values)
    0xD7  RAW     toolcart.agent.record         head of 8 bytes, the frame as it came: a later version may read it
    0xC5  EVENT   toolcart.agent.record.event   head of 8 bytes, 14 of its own, its text
    0xC9  GRAPH   toolcart.agent.record.graph   head of 8 bytes, a piece of a curve; only in the ring of curves

Rules
1. The log (toolcart.agent.log) frames, orders and counts records; to it a kind is a number with a least length. Only
   this package knows the layout of a payload.
2. Every payload begins with its number (u32, little endian; each kind counts its own) and the station (u16). Results
   and frames share one count: they are what ToolsNet counts.
3. In the quarantine a payload ends with eight more bytes (toolcart.agent.record.result).
"""

from toolcart.agent.base.compat import const

KIND_RESULT = const(0xD2)
KIND_RAW = const(0xD7)  # a frame that is a result but could not be read
KIND_EVENT = const(0xC5)
KIND_GRAPH = const(0xC9)  # in a ring of its own, which has nothing else for outlets

# A row for each kind: its number, whose low four bits are unique (toolcart.agent.log.cursor), and its least payload:
# anything shorter is not one, whatever its checksum says.
KINDS = b"\xd2\xd7\xc5\xc9"
LEAST = b"\x72\x08\x16\x09"

PAYLOAD_MAX = const(648)  # one raw frame: the longest layout of MID 0061 is 544 bytes (protocol.md 5.4)
PAYLOAD_WIDE = const(3600)  # a result of several spindles (toolcart.agent.record.spindles), where such are possible
SEVERAL_LEAST = const(160)  # a result with a payload this long has several spindles, or identifiers

HEAD_BYTES = const(8)

# A RAW has a head as a result has, and its flags; FLAG_TRUNCATED (toolcart.agent.record.result) says that the frame was
# longer.
#     byte   0      4       6       7     8                8+n
#            |number|station|spindle|epoch| the frame, n   |
#            | u32  | u16   | u8    | u8  | 632 at most    |
FRAME = HEAD_BYTES
FRAME_MOST = const(632)  # PAYLOAD_MAX less the head and what the quarantine adds
