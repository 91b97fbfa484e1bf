"""MID 0061 revision 999, "light": named fields over the receive buffer, and the body the spool keeps.

    octet 20       45  47  50   54   58 59 60 61 62     68    73        92          111       121
          | VIN 25 |job|pset|size|cnt |bs|ts|qs|as|torque|angle| time 19 | change 19 | ID 10   |
                     2   3    4    4                6       5

Offsets count from 0 at the message's first octet; no parameter IDs; batch status comes before the tightening status
(003:6448-6519). From the batch size to the angle, and from the change on, the order is the body's own.
"""

from agent.base.compat import const
from agent.base.fields import ABSENT, BAD, all_digits, copy, fill, is_blank, number
from agent.base.result import (
    BATCH_SIZE,
    ID_BYTES,
    JOB,
    PSET,
    PSET_CHANGE,
    RESULT_READ,
    RESULT_UNREADABLE,
    SERIAL,
    SERIAL_BYTES,
    STAMP_BYTES,
    TIME,
    VIN_BYTES,
    put_time,
)

LIGHT_BYTES = const(121)

_VIN = const(20)
_JOB = const(45)
_PSET = const(47)
_BATCH_SIZE = const(50)
_TIME = const(73)
_CHANGE = const(92)
_ID = const(111)


class Light:
    """The fields of one light result; made once, refilled by `read`. A field that is absent is ABSENT (-1).

    job_id 0..99, parameter_set 0..999, batch_size and batch_counter 0..9999, batch_status 0 not completed, 1 OK, 2 not
    used; tightening_status 0 NOK, 1 OK; torque_status and angle_status 0 low, 1 OK, 2 high; torque_cnm in Nm x 100
    (truncated, 003:5792-5795); angle_deg in degrees; id_high and id_low the upper and lower five digits of the
    tightening ID.
    """

    __slots__ = (
        "angle_deg",
        "angle_status",
        "batch_counter",
        "batch_size",
        "batch_status",
        "id_high",
        "id_low",
        "job_id",
        "parameter_set",
        "tightening_status",
        "torque_cnm",
        "torque_status",
    )

    def __init__(self):
        self.job_id = ABSENT
        self.parameter_set = ABSENT
        self.batch_size = ABSENT
        self.batch_counter = ABSENT
        self.batch_status = ABSENT
        self.tightening_status = ABSENT
        self.torque_status = ABSENT
        self.angle_status = ABSENT
        self.torque_cnm = ABSENT
        self.angle_deg = ABSENT
        self.id_high = ABSENT
        self.id_low = ABSENT

    def read(self, buf, at, length):
        """Read the message buf[at:at+length]: RESULT_READ, or RESULT_UNREADABLE if a number is none or it is short."""
        if length < LIGHT_BYTES:
            return RESULT_UNREADABLE
        if not all_digits(buf, at + _ID, 10) and not is_blank(buf, at + _ID, 10):
            return RESULT_UNREADABLE
        self.job_id = number(buf, at + _JOB, 2)
        self.parameter_set = number(buf, at + _PSET, 3)
        self.batch_size = number(buf, at + _BATCH_SIZE, 4)
        self.batch_counter = number(buf, at + 54, 4)
        self.batch_status = number(buf, at + 58, 1)
        self.tightening_status = number(buf, at + 59, 1)
        self.torque_status = number(buf, at + 60, 1)
        self.angle_status = number(buf, at + 61, 1)
        self.torque_cnm = number(buf, at + 62, 6)
        self.angle_deg = number(buf, at + 68, 5)
        self.id_high = number(buf, at + _ID, 5)
        self.id_low = number(buf, at + _ID + 5, 5)
        if (
            self.job_id == BAD
            or self.parameter_set == BAD
            or self.batch_size == BAD
            or self.batch_counter == BAD
            or self.torque_cnm == BAD
            or self.angle_deg == BAD
        ):
            return RESULT_UNREADABLE
        if not (
            BAD < self.batch_status <= 2
            and BAD < self.tightening_status <= 1
            and BAD < self.torque_status <= 2
            and BAD < self.angle_status <= 2
        ):
            return RESULT_UNREADABLE
        return RESULT_READ


def put_body(body, start, buf, at):
    """Write the body of the light message at buf[at:] to body[start:start+BODY_BYTES]; `Light.read` has accepted it."""
    copy(body, start, buf, at + _VIN, VIN_BYTES)
    _widen(body, start + JOB, 4, buf, at + _JOB, 2)
    _widen(body, start + PSET, 4, buf, at + _PSET, 3)
    copy(body, start + BATCH_SIZE, buf, at + _BATCH_SIZE, TIME - BATCH_SIZE)
    put_time(body, start, buf, at + _TIME)
    copy(body, start + PSET_CHANGE, buf, at + _CHANGE, STAMP_BYTES + ID_BYTES)
    fill(body, start + SERIAL, SERIAL_BYTES)


def _widen(body, start, width, buf, at, digits):
    fill(body, start, width - digits, 0x20 if is_blank(buf, at, digits) else 0x30)
    copy(body, start + width - digits, buf, at, digits)
