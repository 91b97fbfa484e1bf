"""Telegram 04: a result of the spool as ToolsNet wants it (DIGEST G.3, G.6; 004:120-185).

    octet 4           general 80    spindle 70     parameters 72 each
          |04|ident|80|...|spindles|...serial..limits..|spindle|program|id|name|value|type|unit|step|

Rules
1. Digits are copied and a point is put between them; nothing is computed but the unit of a torque that is not in Nm.
2. ToolsNet's overall status is the other way round; its statuses are 0 OK, 1 NOK, 2 low, 3 high.
3. What the source did not have is left out (a parameter) or zero (a limit, with the parameter `Limits` UNKNOWN).
4. Parameter IDs are Open Protocol's PIDs; those of 60001 and above are ours (ToolsNet defines none).
"""

from struct import pack_into

from agent.base import result as res
from agent.base.compat import const
from agent.base.fields import (
    copy,
    fill,
    is_blank,
    number,
    put_fixed,
    put_number,
    put_stripped,
    put_text,
)
from agent.base.words import unpack_digits
from agent.toolsnet.telegram import ID_RESULT, begin, finish

PARAM_TIGHTENING_ID = const(1)
PARAM_JOB = const(2)
PARAM_BATCH_SIZE = const(4)
PARAM_BATCH_COUNTER = const(8)
PARAM_BATCH_STATUS = const(16)
PARAM_PSET_CHANGE = const(32)
PARAM_SOURCE = const(64)
PARAM_ALL = const(127)
PARAM_NAMES = ("tightening_id", "job", "batch_size", "batch_counter", "batch_status", "pset_change", "source")

RESULT_BYTES_MAX = const(1090)  # 4 + 80 + 70 + 13 parameters of 72

_GENERAL = const(4)
_SPINDLE = const(84)
_PARAMETERS = const(154)
_PARAMETER_BYTES = const(72)
_NM = const(0x31)
_PERCENT = const(0x37)

# Nm of one unit as numerator and denominator, by parameter 48 of MID 0061 (DIGEST G.7, 003:12642-12664).
_UNITS = {
    0x32: (1355818, 1000000),
    0x33: (112985, 1000000),
    0x34: (980665, 100000),
    0x35: (980665, 10000000),
    0x36: (706155, 100000000),
    0x38: (1, 100),
}


class ResultWriter:
    """Writes telegram 04 of one station into one transmit buffer."""

    def __init__(self, tx, system_type, system, parameters=PARAM_ALL, program_for_zero=9999):
        if len(tx) < RESULT_BYTES_MAX:
            raise ValueError("a result takes up to %d octets, the buffer has %d" % (RESULT_BYTES_MAX, len(tx)))
        self.tx = tx
        self.system_type = system_type
        self.system = system
        self.parameters = parameters
        self.program_for_zero = program_for_zero
        self._count = 0
        self._unit = _NM
        self._limits = -1
        self._cut_serial = False

    def write(self, buf, at, length, flags, ident, sequence):
        """Write the result record whose payload of `length` octets lies at buf[at:]; return the octets to send.

        `sequence` is the rundown sequence 1..99999, `ident` the telegram's identifier.
        """
        tx = self.tx
        body = at + res.HEAD_BYTES
        self._limits = body + res.BODY_BYTES if length >= res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES else -1
        self._unit = buf[self._limits + res.TORQUE_UNIT] if self._limits >= 0 else _NM
        begin(tx, ID_RESULT, ident)
        put_number(tx, 11, 2, 80)
        put_number(tx, 13, 4, self.system_type)
        put_number(tx, 17, 4, self.system)
        put_number(tx, 21, 4, buf[at + 4] | buf[at + 5] << 8)
        unpack_digits(tx, 25, buf, body + res.TIME, 14)
        put_number(tx, 39, 5, sequence)
        put_text(tx, 44, buf, body + res.VIN, res.VIN_BYTES)
        pack_into("11s", tx, 69, b"00017000290")
        put_number(tx, 82, 2, _PARAMETER_BYTES)
        program = number(buf, body + res.PSET, 4)
        self._spindle(buf, body, buf[at + 6], program if program > 0 else self.program_for_zero)
        self._count = 0
        self._parameter_list(buf, body, flags, program)
        put_number(tx, 79, 3, self._count)
        return finish(tx, _PARAMETERS + self._count * _PARAMETER_BYTES)

    def _spindle(self, buf, body, spindle, program):
        tx = self.tx
        put_number(tx, _SPINDLE, 4, spindle)
        self._serial(buf, body + res.SERIAL)
        put_number(tx, _SPINDLE + 14, 4, program)
        overall = 0x30 if buf[body + res.TIGHTENING_STATUS] == 0x31 else 0x31
        tx[_SPINDLE + 18] = overall
        limits = self._limits
        self._torque(_SPINDLE + 19, buf, limits + res.TORQUE_MIN if limits >= 0 else -1)
        self._torque(_SPINDLE + 27, buf, body + res.TORQUE)
        tx[_SPINDLE + 35] = _status(buf[body + res.TORQUE_STATUS], overall)
        self._torque(_SPINDLE + 36, buf, limits + res.TORQUE_MAX if limits >= 0 else -1)
        self._angle(_SPINDLE + 44, buf, limits + res.ANGLE_MIN if limits >= 0 else -1)
        self._angle(_SPINDLE + 52, buf, body + res.ANGLE)
        tx[_SPINDLE + 60] = _status(buf[body + res.ANGLE_STATUS], overall)
        self._angle(_SPINDLE + 61, buf, limits + res.ANGLE_MAX if limits >= 0 else -1)
        tx[_SPINDLE + 69] = 0x30

    def _serial(self, buf, at):
        """The tool's serial number: stripped, its last ten characters if it has more (DIGEST G.6)."""
        first = at
        end = at + res.SERIAL_BYTES
        while end > first and buf[end - 1] <= 0x20:
            end -= 1
        while first < end and buf[first] <= 0x20:
            first += 1
        self._cut_serial = end - first > 10
        if self._cut_serial:
            first = end - 10
        fill(self.tx, _SPINDLE + 4, 10)
        put_text(self.tx, _SPINDLE + 4, buf, first, end - first)

    def _torque(self, at, buf, start):
        tx = self.tx
        if start < 0 or is_blank(buf, start, 6):
            put_fixed(tx, at, 8, b"0", 0, 0, 2)
            return
        factor = _UNITS.get(self._unit)
        if factor is None:  # Nm, percent (sent as it is), or a unit nobody documents
            put_fixed(tx, at, 8, buf, start, 6, 2)
            return
        value = number(buf, start, 6) * factor[0] // factor[1]
        put_number(tx, at, 5, value // 100)
        tx[at + 5] = 0x2E
        put_number(tx, at + 6, 2, value % 100)

    def _angle(self, at, buf, start):
        """Write degrees as xxxxxx.x: the source has no decimals."""
        tx = self.tx
        fill(tx, at, 8, 0x30)
        tx[at + 6] = 0x2E
        if start >= 0 and not is_blank(buf, start, 5):
            copy(tx, at + 1, buf, start, 5)

    def _parameter_list(self, buf, body, flags, program):
        wanted = self.parameters
        if wanted & PARAM_TIGHTENING_ID and not is_blank(buf, body + res.TIGHTENING_ID, res.ID_BYTES):
            self._text(b"00030Tightening ID            ", buf, body + res.TIGHTENING_ID, res.ID_BYTES)
        if wanted & PARAM_JOB:
            self._integer(b"01500Job ID                   ", buf, body + res.JOB, 4)
        if wanted & PARAM_BATCH_SIZE:
            self._integer(b"00100Batch size               ", buf, body + res.BATCH_SIZE, 4)
        if wanted & PARAM_BATCH_COUNTER:
            self._integer(b"00101Batch counter            ", buf, body + res.BATCH_COUNTER, 4)
        if wanted & PARAM_BATCH_STATUS:
            self._integer(b"00102Batch status             ", buf, body + res.BATCH_STATUS, 1)
        if wanted & PARAM_PSET_CHANGE and not is_blank(buf, body + res.PSET_CHANGE, res.STAMP_BYTES):
            self._text(b"01003Pset last change         ", buf, body + res.PSET_CHANGE, res.STAMP_BYTES)
        if program == 0:
            self._text(b"01000Program number           ", b"0", 0, 1)
        self._extras(buf, body, flags)

    def _extras(self, buf, body, flags):
        """What is only there when there is something to say, and where the result came from."""
        if self._cut_serial:
            self._text(b"01202Tool serial number       ", buf, body + res.SERIAL, res.SERIAL_BYTES)
        limits = self._limits
        if limits < 0 or is_blank(buf, limits, 12):
            self._text(b"60002Limits                   ", b"UNKNOWN", 0, 7)
        if flags & res.FLAG_EDGE_TIME:
            self._text(b"60003Time source              ", b"EDGE", 0, 4)
        if self._unit == _PERCENT:
            self._text(b"60004Torque unit              ", b"%", 0, 1)
        if limits >= 0 and not is_blank(buf, limits + res.RESULT_TYPE, 2):
            self._integer(b"60005Result type              ", buf, limits + res.RESULT_TYPE, 2)
        if self.parameters & PARAM_SOURCE:
            recovered = flags & res.FLAG_RECOVERED
            self._text(
                b"60001Edge source              ", b"RECOVERED" if recovered else b"LIVE", 0, 9 if recovered else 4
            )

    def _head(self, name):
        """Begin a parameter block: spindle and program of the spindle part, ID, name; return where its value goes."""
        tx = self.tx
        at = _PARAMETERS + self._count * _PARAMETER_BYTES
        copy(tx, at, tx, _SPINDLE, 4)
        copy(tx, at + 4, tx, _SPINDLE + 14, 4)
        pack_into("30s", tx, at + 8, name)
        self._count += 1
        return at + 38

    def _text(self, name, source, start, width):
        at = self._head(name)
        fill(self.tx, at, 25)
        put_text(self.tx, at, source, start, width)
        pack_into("9s", self.tx, at + 25, b"0      00")

    def _integer(self, name, buf, start, digits):
        if is_blank(buf, start, digits):
            return
        at = self._head(name)
        put_stripped(self.tx, at, 25, buf, start, digits)
        pack_into("9s", self.tx, at + 25, b"1      00")


def _status(octet, overall):
    """Open Protocol 0 low, 1 OK, 2 high as ToolsNet's 2, 0, 3; blank takes the overall status."""
    if octet == 0x31:
        return 0x30
    if octet == 0x30:
        return 0x32
    return 0x33 if octet == 0x32 else overall
