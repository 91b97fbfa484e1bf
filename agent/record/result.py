"""The one form of a result between the controller and the archive: 106 bytes, whatever revision it came in.

Every revision of MID 0061 and 0065 is converted to this body; the spool keeps it, telegram 04 is made from it. Text is
copied, never formatted, so that no figure changes on its way (protocol.md 2.2); only the time is packed. A field
that the source does not have is blank. Each width is the widest of any source.

    byte   0        25  29  33   37   41 42 43 44 45     51    56       63          82        92         106
           | VIN 25 |job|pset|size|cnt|bs|ts|qs|as|torque |angle| time 7 | change 19 | ID 10   | serial 14 |
                      4    4    4   4  1  1  1  1    6       5

torque is Nm x 100, angle is degrees; bs, ts, qs, as are the batch, tightening, torque and angle status in Open
Protocol's own numbering (OP 5.8.2 p. 144; batch 3 is running, since release 2.9); time is yyyymmddhhmmss with two
digits a byte, all zero if it was not valid; serial is the tool's. After the body a record may have `LIMITS_BYTES` bytes
with what only the longer revisions have (blank where unknown):

    byte   0      6      12     18    23    28    33 34   36
           |tq min|tq max|tq tgt|amin |amax |atgt |u |type|d |

d is how many digits of each angle are decimals, blank for none; toolcart.agent.record.malformed may mark it. A numeric
field is digits or all blank; in a record with FLAG_ODD it may have a sign in front, or be something unreadable, as the
controller sent it.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import TIME_BYTES, is_blank, pack_time

VIN = const(0)
JOB = const(25)
PSET = const(29)
BATCH_SIZE = const(33)
BATCH_COUNTER = const(37)
BATCH_STATUS = const(41)
TIGHTENING_STATUS = const(42)
TORQUE_STATUS = const(43)
ANGLE_STATUS = const(44)
TORQUE = const(45)
ANGLE = const(51)
TIME = const(56)
PSET_CHANGE = const(63)
TIGHTENING_ID = const(82)
SERIAL = const(92)
BODY_BYTES = const(106)

VIN_BYTES = const(25)
STAMP_BYTES = const(19)  # the time as text, on the wire
ID_BYTES = const(10)
SERIAL_BYTES = const(14)
TORQUE_BYTES = const(6)
ANGLE_BYTES = const(5)
STATUSES_MOST = b"3122"  # batch, tightening, torque, angle

TORQUE_MIN = const(0)
TORQUE_MAX = const(6)
TORQUE_TARGET = const(12)
ANGLE_MIN = const(18)
ANGLE_MAX = const(23)
ANGLE_TARGET = const(28)
TORQUE_UNIT = const(33)
RESULT_TYPE = const(34)
ANGLE_DECIMALS = const(36)
LIMITS_BYTES = const(37)

# The flags of a result's record, one bit each.
FLAG_RECOVERED = const(1)  # fetched by MID 0064, not pushed
FLAG_EDGE_TIME = const(2)  # the controller's time was not valid; the agent's own stands in its place
FLAG_COPY = const(4)  # written again at a start, with the same number (spool.md, the log, rule 6)
FLAG_TRUNCATED = const(8)  # a raw frame that was longer than what is kept
# 32 is free
FLAG_ODD = const(64)  # something in it is not as it should be, and is kept as it came; a frame: only its torque's unit
FLAG_UNPROVEN = const(128)  # pushed before the controller had proven that its IDs still mean the same
FLAG_RETRIED = const(16)  # stored before under another number: sent again, or moved on in the log, so not a new result

# Before the body: number u32, station u16, spindle u8, epoch u8, little endian.
HEAD_BYTES = const(8)
ID_EPOCH = const(7)  # how often the controller's ID count has restarted, modulo 256
# After the payload in the quarantine: its number in the log u32, ToolsNet's code u16 (or a reason below), two zeros.
QUARANTINE_BYTES = const(8)
ROOM_BYTES = const(159)  # the longest payload of a result: with its limits, in the quarantine
TAKEN = const(1)  # into the quarantine; the other answers are in toolcart.agent.quarantine.quarantine
QUARANTINED_UNREADABLE = const(1001)
QUARANTINED_SILENT = const(1002)
QUARANTINED_MOVED = const(1003)  # refused by ToolsNet; the code is no longer known
QUARANTINED_IN_DOUBT = const(1004)  # ToolsNet has one that was sent after it; whether it has this one is not known
QUARANTINED_READ = const(1005)  # a frame that could not be read at first; a later version has read it


RESULT_UNREADABLE = const(0)
RESULT_READ = const(1)
RESULT_PADDED = const(2)  # not written as documented; the body is as usual
RESULT_ODD = const(3)  # the body keeps something as it came: its record has FLAG_ODD


_scratch = bytearray(TIME_BYTES)


def is_time(buf, at):
    """True if the 19 bytes are a possible date and time."""
    pack_time(_scratch, 0, buf, at)
    return _scratch[2] != 0


def has_odd_change(body, start):
    """True if the time of the parameter set's change is none, but something else than "never": has a digit from 1 on.

    Hot: allocates nothing.
    """
    start += PSET_CHANGE
    if is_time(body, start):
        return False
    for index in range(start, start + STAMP_BYTES):
        if 0x31 <= body[index] <= 0x39:
            return True
    return False


def put_time(body, start, buf, at):
    """Pack the time at buf[at:] into the body."""
    pack_time(body, start + TIME, buf, at)


def has_time(body, start):
    """True if the body has a time: there is no month 0."""
    return body[start + TIME + 2] != 0


def clock_was_unset(flags, buf, at):
    """True if the agent dated the record, while its own clock was not set: the packed time at buf[at:] is before 2024.

    Hot: allocates nothing.
    """
    if not flags & FLAG_EDGE_TIME or buf[at + 2] == 0:  # there is no month 0
        return False
    return buf[at] < 0x20 or (buf[at] == 0x20 and buf[at + 1] < 0x24)


def lacks(body, start):
    """True if the torque, the angle or the status of the body at body[start:] may be blank. Hot: allocates nothing."""
    return body[start + TORQUE] <= 0x20 or body[start + ANGLE] <= 0x20 or body[start + TIGHTENING_STATUS] <= 0x20


def looks_empty(body, start):
    """True if a result has no values at all: the controller's licence records none."""
    for index in range(start + JOB, start + TIME):
        octet = body[index]
        if octet != 0x30 and octet != 0x20:
            return False
    return is_blank(body, start, VIN_BYTES)


assert ROOM_BYTES == HEAD_BYTES + BODY_BYTES + LIMITS_BYTES + QUARANTINE_BYTES
