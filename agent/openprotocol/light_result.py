"""MID 0061 revision 999, "light": brought from the receive buffer into the body that the spool keeps.

    octet 20       45  47  50   54   58 59 60 61 62     68    73        92          111       121
          | VIN 25 |job|pset|size|cnt |bs|ts|qs|as|torque|angle| time 19 | change 19 | ID 10   |
                     2   3    4    4                6       5

Offsets count from 0 at the message's first byte; no parameter IDs; batch status comes before the tightening status
(OP 5.8.2 p. 144). Job is 0..99, parameter set 0..999, torque in Nm x 100 (truncated, OP 5.8.2 p. 134), angle in
degrees; statuses: batch 0 not completed, 1 OK, 2 not used, 3 running (since release 2.9); tightening 0 NOK, 1 OK;
torque and angle 0 low, 1 OK, 2 high.
"""

from toolcart.agent.base.byte_moves import COPY, DIGITS, PACK_TIME, STATUS, UPPER, carry_out
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, is_blank, number
from toolcart.agent.record.result import (
    ANGLE,
    ANGLE_STATUS,
    BATCH_COUNTER,
    BATCH_SIZE,
    BATCH_STATUS,
    JOB,
    PSET,
    PSET_CHANGE,
    RESULT_READ,
    RESULT_UNREADABLE,
    TIGHTENING_ID,
    TIGHTENING_STATUS,
    TIME,
    TORQUE,
    TORQUE_STATUS,
    VIN,
)

LIGHT_BYTES = const(121)
_TORQUE_AT = const(62)
_ANGLE_AT = const(68)
STAMP = const(73)  # place of the time
CHANGE = const(92)
STAMP_BYTES = const(19)

# Move, place in the body (two bytes), place in the message, width. Where nothing is blank, everything from the batch
# size to the angle is one run of digits.
# fmt: off
_WHOLE = bytes((
    COPY, VIN, 0, 20, 25,
    DIGITS + 2 * UPPER, JOB, 0, 45, 2,
    DIGITS + 1 * UPPER, PSET, 0, 47, 3,
    DIGITS, BATCH_SIZE, 0, 50, 23,
    PACK_TIME, TIME, 0, 73, 19,
    COPY, PSET_CHANGE, 0, 92, 19,
    DIGITS, TIGHTENING_ID, 0, 111, 10,
))
_WHOLE_MOVES = const(7)
_FORM = bytes((
    DIGITS, BATCH_SIZE, 0, 50, 4,
    DIGITS, BATCH_COUNTER, 0, 54, 4,
    STATUS + 3 * UPPER, BATCH_STATUS, 0, 58, 1,
    STATUS + 1 * UPPER, TIGHTENING_STATUS, 0, 59, 1,
    STATUS + 2 * UPPER, TORQUE_STATUS, 0, 60, 1,
    STATUS + 2 * UPPER, ANGLE_STATUS, 0, 61, 1,
    DIGITS, TORQUE, 0, 62, 6,
    DIGITS, ANGLE, 0, 68, 5,
    PACK_TIME, TIME, 0, 73, 19,
    COPY, PSET_CHANGE, 0, 92, 19,
    DIGITS, TIGHTENING_ID, 0, 111, 10,
    COPY, VIN, 0, 20, 25,
    DIGITS + 2 * UPPER, JOB, 0, 45, 2,
    DIGITS + 1 * UPPER, PSET, 0, 47, 3,
))
_MOVES = const(14)
# fmt: on


def read_light(body, start, buf, at):
    """Write the body of the message at buf[at:], LIGHT_BYTES or more, to body[start:], without the tool's serial.

    Return RESULT_READ, or RESULT_UNREADABLE if anything is not as drawn: toolcart.agent.openprotocol.layouts then takes
    care.
    """
    if carry_out(_WHOLE, _WHOLE_MOVES, body, start, buf, at):
        fits = (  # a run of digits says nothing of each
            body[start + BATCH_STATUS] <= 0x33
            and body[start + TIGHTENING_STATUS] <= 0x31
            and body[start + TORQUE_STATUS] <= 0x32
            and body[start + ANGLE_STATUS] <= 0x32
        )
        return RESULT_READ if fits else RESULT_UNREADABLE
    return RESULT_READ if carry_out(_FORM, _MOVES, body, start, buf, at) else RESULT_UNREADABLE


def is_stamp(buf, at):
    """True if the separators of a time stamp are where they belong, whatever is between them."""
    return buf[at + 4] == buf[at + 7] == 0x2D and buf[at + 10] == buf[at + 13] == buf[at + 16] == 0x3A


def is_change(buf, at):
    """True if the time of the parameter set's change is where it is drawn, or blank, or words without a digit."""
    return is_stamp(buf, at + CHANGE) or not _has_digit(buf, at + CHANGE)


def is_counted(buf, at, length):
    """True if the length in the header of the message buf[at:at+length] counts all of it, or its characters.

    CR, LF or ETX at its end need not be counted.
    """
    end = at + length
    more = length - number(buf, at, 4)
    while more > 0 and (buf[end - 1] == 0x0D or buf[end - 1] == 0x0A or buf[end - 1] == 0x03):
        end -= 1
        more -= 1
    while more > 0 and end > at:  # an octet above 0x7F is one of several
        end -= 1
        if buf[end] > 0x7F:
            more -= 1
    return more <= 0


def is_proven(buf, at, length):
    """True if a message of LIGHT_BYTES or more has its fields where they are drawn.

    It has no parameter IDs. The separators of its time say so, and what is behind it: the separators of the other time,
    or no digit there; then blanks, NULs or an end of line, else its ID may be wider. Where it has no time, that no
    digit is there, and that the number in front of it ends there.
    """
    for index in range(at + LIGHT_BYTES, at + length):
        if buf[index] > 0x20:
            return False
    if length > LIGHT_BYTES and not is_counted(buf, at, length):
        return False
    if not is_change(buf, at):
        return False
    if is_stamp(buf, at + STAMP):
        return True
    if is_stamp(buf, at + CHANGE):
        return not _has_digit(buf, at + STAMP) and _ends_in_front(buf, at)
    is_between = all_digits(buf, at + _TORQUE_AT, 11) and all_digits(buf, at + 111, 10)
    return length == LIGHT_BYTES and is_blank(buf, at + STAMP, STAMP_BYTES) and is_between


def _has_digit(buf, at):
    """True if a digit is in the time stamp at buf[at:]: then it is one, or in another place."""
    for index in range(at, at + STAMP_BYTES):
        if 0x30 <= buf[index] <= 0x39:
            return True
    return False


def _ends_in_front(buf, at):
    """True if the angle, or the torque if there is no angle, is there and ends where it must."""
    for place, width in ((_ANGLE_AT, STAMP - _ANGLE_AT), (_TORQUE_AT, _ANGLE_AT - _TORQUE_AT)):
        if not is_blank(buf, at + place, width):
            return 0x30 <= buf[at + place + width - 1] <= 0x39
    return False
