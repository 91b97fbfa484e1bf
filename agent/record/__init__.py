"""What the log keeps for its outlets: every kind of record with its least and most octets, and one module for each.

    kind  name    module               payload
    0xD2  RESULT  agent.record.result  8 octets in front, body of 106, limits of 37 or none; behind these, where there
                                       are several spindles, a row of each (agent.record.spindles), or the
                                       additional identifiers of one (agent.record.identifiers)
    0xD7  RAW     agent.record.raw     8 octets in front, the frame as it came
    0xC5  EVENT   agent.record.event   8 octets in front, 14 of its own, its text
    0xC9  GRAPH   agent.record.graph   8 octets in front, a piece of a curve; only in the ring of graphs

Rules
1. The log (agent.log) frames records, orders and counts them; to it a kind is a number with a least length. What lies
   at which octet of a payload is known here and nowhere else.
2. Every payload begins with a number of its kind's own row (u32, little endian) and the station (u16). Results and
   frames are one row: they are what ToolsNet counts.
3. In the quarantine a payload ends with eight octets more (agent.record.result).
"""

from agent.base.compat import const

KIND_RESULT = const(0xD2)
KIND_RAW = const(0xD7)  # a frame that is a result and could not be read
KIND_EVENT = const(0xC5)
KIND_GRAPH = const(0xC9)  # in a ring of its own, and nothing else is for outlets there

# A kind is a row: its number, whose low four bits no other has (agent.log.cursor), and its least payload: what is
# shorter cannot be one, whatever its checksum says.
KINDS = b"\xd2\xd7\xc5\xc9"
LEAST = b"\x72\x08\x16\x09"

PAYLOAD_MAX = const(648)  # one raw frame: the longest layout of MID 0061 is 544 octets (DIGEST D.4)
PAYLOAD_WIDE = const(3600)  # a result of several spindles (agent.record.spindles), where there may be some
SEVERAL_LEAST = const(160)  # a result with so long a payload has several spindles, or identifiers

HEAD_BYTES = const(8)
