"""Telegram 04: a result of the spool as ToolsNet wants it (protocol.md 9.1, 9.2; TN 5.3).

    octet 4           general 80    spindle 70     parameters 72 each
          |04|ident|80|...|spindles|...serial..limits..|spindle|program|id|name|value|type|unit|step|

Rules
1. Digits are copied and a point is put between them; only torques that are not in Nm are computed, and rounded.
2. ToolsNet's overall status is the other way round; its statuses are 0 OK, 1 NOK, 2 low, 3 high.
3. What the source did not have is left out (a parameter) or zero (a limit, with the parameter `Limits` UNKNOWN).
4. Parameter IDs are Open Protocol's PIDs; those of 60001 and above are ours (ToolsNet defines none).
5. Batch status 3, running, goes out as 0, not completed, which it was before release 2.9 of Open Protocol.
6. A VIN that is not plain ASCII goes out in the form of toolcart.agent.record.escaping; if it does not fit that way,
   its bytes follow in two parameters, in hexadecimal digits.
7. A record with FLAG_ODD is put in order first (toolcart.agent.toolsnet.malformed04), and a parameter says what was
   odd. One without torque, angle or status has that parameter, too: the telegram cannot say "none", but 0.00, 0.0 and
   NOK.
8. The buffer is the writer's alone. What two results in a row have in common is there already: the telegram is laid out
   again only when the `shape` (which parameters there are) changes, else only its values are written.
"""

from binascii import hexlify
from struct import pack_into

from toolcart.agent.base.byte_moves import FIXED, MOVE_BYTES, STRIP, TEXT, UNPACK, UPPER, carry_out
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill, is_blank, is_plain, number, put_number, put_text
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import SPINDLE as SPINDLE_AT
from toolcart.agent.record.provenance import SPINDLE_BITS
from toolcart.agent.toolsnet.telegram import ID_RESULT, begin, finish

PARAM_TIGHTENING_ID = const(1)
PARAM_JOB = const(2)
PARAM_BATCH_SIZE = const(4)
PARAM_BATCH_COUNTER = const(8)
PARAM_BATCH_STATUS = const(16)
PARAM_PSET_CHANGE = const(32)
PARAM_SOURCE = const(64)
PARAM_ALL = const(127)
PARAM_NAMES = ("tightening_id", "job", "batch_size", "batch_counter", "batch_status", "pset_change", "source")

_EXTRAS = const(7)  # at most: all of `_lay_out_extras` but those of the source, which has a name, and of a long VIN
RESULT_BYTES_MAX = const(1162)  # 4 + 80 + 70 + 14 parameters of 72: seven have names

# The rest of a shape's bits, above those of the parameters; the unit's character is above them.
_PROGRAM_ZERO = const(128)
_LONG_SERIAL = const(256)
_HAS_LIMITS = const(512)
_NO_LIMITS = const(1024)  # none, or blank ones
_RESULT_TYPE = const(2048)
_RECOVERED = const(4096)  # FLAG_RECOVERED and FLAG_EDGE_TIME, shifted
_EDGE_TIME = const(8192)
_FLAGS_SHIFT = const(12)
_RUNNING = const(16384)  # the batch: 3, which the document of ToolsNet does not have
_ODD = const(32768)
_UNIT_SHIFT = const(16)
_LONG_VIN = const(1 << 24)  # its bytes are parameters
_CLOCK_UNSET = const(1 << 25)  # the agent's, when it dated the result

_SPINDLE = const(84)
_SERIAL = const(88)
_SERIAL_WIDTH = const(10)
_PROGRAM = const(98)
_PARAMETERS = const(154)
_PARAMETER_BYTES = const(72)
_VALUE_BYTES = const(25)
_MOVES_MAX = 14
_BATCH_RUNNING = const(0x33)
PROGRAM_FOR_ZERO = const(9999)  # sent for parameter set 000, which is no program of ToolsNet: the least likely other
_LIMITS = const(106)  # after the body
_LONGEST = const(1450)  # with four parameters more: bytes of a VIN, targets (toolcart.agent.linux.telegram04)
_NM = const(0x31)
PERCENT = const(0x37)

# What ToolsNet says for Open Protocol's 0 low, 1 OK, 2 high.
_JUDGED = b"203"

# Nm of one unit as numerator and denominator, by parameter 48 of MID 0061 (protocol.md 9.5, OP 6.3 p. 267).
_UNITS = {
    0x32: (1355818, 1000000),
    0x33: (112985, 1000000),
    0x34: (980665, 100000),
    0x35: (980665, 10000000),
    0x36: (706155, 100000000),
    0x38: (1, 100),
}


class ResultWriter:
    """Writes telegram 04 of one station into a transmit buffer of its own."""

    def __init__(self, tx, system_type, system, parameters=PARAM_ALL):
        if len(tx) < RESULT_BYTES_MAX:
            raise ValueError("a result takes up to %d octets, the buffer has %d" % (RESULT_BYTES_MAX, len(tx)))
        self.tx = tx
        self.system_type = system_type
        self.system = system
        self.parameters = parameters
        self.shape = -1
        self.octets = 0
        self.count = 0  # of parameters
        self.form = bytearray(_MOVES_MAX * MOVE_BYTES)
        self.moves = 0
        self._factor = None
        self._station = self._spindle = self._program = -1  # as they are in the buffer
        # Texts that seldom change, as they were before they were made fit to send.
        self._vin = bytearray(b" " * res.VIN_BYTES)
        self.serial = bytearray(b" " * res.SERIAL_BYTES)
        self._change = bytearray(b" " * res.STAMP_BYTES)
        self.change_at = 0
        self.odd_at = 0
        self.names_absent = False  # who calls `write` says what is absent
        self._long = 0  # the bits of the shape for a VIN and a serial number that do not fit their fields
        self.write_spindles = None  # toolcart.agent.toolsnet.spindles04's, once there was a result of several spindles
        self.session = None  # type: object  # whose `result` the buffer is: it gets a longer one where that is needed
        fill(tx, 44, res.VIN_BYTES)
        fill(tx, _SERIAL, _SERIAL_WIDTH)

    def write(self, buf, at, length, flags, ident, sequence):
        """Write the record of `length` bytes at buf[at:] as telegram `ident`, rundown `sequence`; return its bytes."""
        tx = self.tx
        if length >= SEVERAL_LEAST:
            if self.write_spindles is None:
                from toolcart.agent.toolsnet.spindles04 import write  # only where a controller has several spindles

                self.write_spindles = write
            return self.write_spindles(self, buf, at, length, flags, ident, sequence)
        body = at + res.HEAD_BYTES
        if flags & res.FLAG_ODD or (res.lacks(buf, body) and not self.names_absent):
            from toolcart.agent.toolsnet.malformed04 import write  # hardly any record needs it

            return write(self, _ODD, buf, at, length, flags, ident, sequence)
        place = body + res.SERIAL
        if buf.find(self.serial, place, place + res.SERIAL_BYTES) < 0:  # fields.holds, without a call
            self._put_serial(buf, place)
        if buf.find(self._vin, body, body + res.VIN_BYTES) < 0:
            tx = self._put_vin(buf, body)
        program = number(buf, body + res.PSET, 4)
        shape = self._shape_of(buf, body, length >= _LIMITS + res.HEAD_BYTES + res.LIMITS_BYTES)
        shape |= (flags & 3) << _FLAGS_SHIFT | (0 if program else _PROGRAM_ZERO)
        if flags & res.FLAG_EDGE_TIME and res.clock_was_unset(flags, buf, body + res.TIME):
            shape |= _CLOCK_UNSET
        if shape != self.shape:
            self._lay_out(shape)
        place = body + res.PSET_CHANGE
        if shape & PARAM_PSET_CHANGE and buf.find(self._change, place, place + res.STAMP_BYTES) < 0:
            copy(self._change, 0, buf, place, res.STAMP_BYTES)
            put_text(tx, self.change_at, buf, place, res.STAMP_BYTES)
        if program <= 0:
            program = PROGRAM_FOR_ZERO
        station = buf[at + 4] | buf[at + 5] << 8
        spindle = buf[at + SPINDLE_AT] & SPINDLE_BITS or 1  # provenance.spindle_in, without a call
        if spindle != self._spindle or program != self._program or station != self._station:
            self._put_owner(station, spindle, program)
        put_number(tx, 6, 5, ident)
        put_number(tx, 39, 5, sequence)
        carry_out(self.form, self.moves, tx, 0, buf, body)
        self._judge(buf, body)
        if self._factor is not None:
            self._convert(buf, body)
        return self.octets

    def forget(self):
        """Lay out everything again next time: the telegram was changed elsewhere, or has another buffer."""
        self.shape = self._station = -1
        self.octets = 0
        self._vin[0] = self.serial[0] = self._change[0] = 0

    # -- what changes from result to result --------------------------------------------------------------------

    def _shape_of(self, buf, body, has_limits):
        """Return which parameters this result has. A numeric field is wholly blank or not at all."""
        shape = self.parameters | self._long
        if buf[body + res.TIGHTENING_ID] <= 0x20:
            shape &= ~PARAM_TIGHTENING_ID
        if buf[body + res.JOB] <= 0x20:
            shape &= ~PARAM_JOB
        if buf[body + res.BATCH_SIZE] <= 0x20:
            shape &= ~PARAM_BATCH_SIZE
        if buf[body + res.BATCH_COUNTER] <= 0x20:
            shape &= ~PARAM_BATCH_COUNTER
        if buf[body + res.BATCH_STATUS] <= 0x20:
            shape &= ~PARAM_BATCH_STATUS
        elif buf[body + res.BATCH_STATUS] == _BATCH_RUNNING:
            shape |= _RUNNING
        if buf[body + res.PSET_CHANGE] <= 0x20 and is_blank(buf, body + res.PSET_CHANGE, res.STAMP_BYTES):
            shape &= ~PARAM_PSET_CHANGE
        if not has_limits:
            return shape | _NO_LIMITS | _NM << _UNIT_SHIFT
        limits = body + _LIMITS
        shape |= _HAS_LIMITS | buf[limits + res.TORQUE_UNIT] << _UNIT_SHIFT
        if is_blank(buf, limits, 12):
            shape |= _NO_LIMITS
        return shape if is_blank(buf, limits + res.RESULT_TYPE, 2) else shape | _RESULT_TYPE

    def _put_vin(self, buf, at):
        """Write the VIN, and make room for its bytes if it does not fit its field; return the buffer."""
        copy(self._vin, 0, buf, at, res.VIN_BYTES)
        self._long &= _LONG_SERIAL
        if is_plain(buf, at, res.VIN_BYTES):
            put_text(self.tx, 44, buf, at, res.VIN_BYTES)
            return self.tx
        from toolcart.agent.record.escaping import put_ascii, stripped  # hardly any VIN needs it

        if not put_ascii(self.tx, 44, res.VIN_BYTES, stripped(self._vin, 0, res.VIN_BYTES)):
            self._long |= _LONG_VIN
            self.shape = -1
            self.grown(_LONGEST)
        return self.tx

    def grown(self, octets):
        """Return the buffer, from now on a longer one if it has fewer than so many bytes."""
        tx = self.tx
        if len(tx) < octets:
            self.tx = bytearray(octets)
            copy(self.tx, 0, tx, 0, len(tx))
            if self.session is not None:
                self.session.result = self.tx
        return self.tx

    def _put_serial(self, buf, at):
        """Write the tool's serial number: stripped, its last ten characters if it has more (protocol.md 9.2)."""
        first = at
        end = at + res.SERIAL_BYTES
        copy(self.serial, 0, buf, at, res.SERIAL_BYTES)
        while end > first and buf[end - 1] <= 0x20:
            end -= 1
        while first < end and buf[first] <= 0x20:
            first += 1
        self._long &= _LONG_VIN
        if end - first > _SERIAL_WIDTH:
            self._long |= _LONG_SERIAL
            first = end - _SERIAL_WIDTH
        fill(self.tx, _SERIAL, _SERIAL_WIDTH)
        put_text(self.tx, _SERIAL, buf, first, end - first)

    def _put_owner(self, station, spindle, program):
        """Write station, spindle and program; the last two are in every parameter as well."""
        tx = self.tx
        self._station = station
        self._spindle = spindle
        self._program = program
        put_number(tx, 21, 4, station)
        put_number(tx, _SPINDLE, 4, spindle)
        put_number(tx, _PROGRAM, 4, program)
        at = _PARAMETERS
        while at < self.octets:
            put_number(tx, at, 4, spindle)
            put_number(tx, at + 4, 4, program)
            at += _PARAMETER_BYTES

    def _judge(self, buf, body):
        """Write the overall status and those of torque and angle; a blank one takes the overall status."""
        tx = self.tx
        overall = 0x30 if buf[body + res.TIGHTENING_STATUS] == 0x31 else 0x31
        tx[_SPINDLE + 18] = overall
        octet = buf[body + res.TORQUE_STATUS]
        tx[_SPINDLE + 35] = _JUDGED[octet - 0x30] if 0x30 <= octet <= 0x32 else overall
        octet = buf[body + res.ANGLE_STATUS]
        tx[_SPINDLE + 60] = _JUDGED[octet - 0x30] if 0x30 <= octet <= 0x32 else overall

    def _convert(self, buf, body):
        """Write torques that are not in Nm."""
        self._torque(_SPINDLE + 27, buf, body + res.TORQUE)
        self._torque(_SPINDLE + 19, buf, body + _LIMITS + res.TORQUE_MIN)
        self._torque(_SPINDLE + 36, buf, body + _LIMITS + res.TORQUE_MAX)

    def _torque(self, at, buf, start):
        value = number(buf, start, 6)
        numerator, denominator = self._factor  # type: ignore - not None where this is called
        value = (value * numerator + denominator // 2) // denominator if value > 0 else 0
        put_number(self.tx, at, 5, value // 100)
        put_number(self.tx, at + 6, 2, value % 100)

    # -- what a shape has in common ----------------------------------------------------------------------------

    def _lay_out(self, shape):
        """Write everything that stays, and note where the values go."""
        tx = self.tx
        self.shape = shape
        self.count = 0
        self.moves = 0
        self._spindle = self._program = -1
        begin(tx, ID_RESULT, 0)
        put_number(tx, 11, 2, 80)
        put_number(tx, 13, 4, self.system_type)
        put_number(tx, 17, 4, self.system)
        self._move(UNPACK, 25, res.TIME, res.TIME_BYTES)
        pack_into("11s", tx, 69, b"00017000290")
        put_number(tx, 82, 2, _PARAMETER_BYTES)
        self._lay_out_values(shape)
        self._lay_out_parameters(shape)
        self._lay_out_extras(shape)
        put_number(tx, 79, 3, self.count)
        self.octets = finish(tx, _PARAMETERS + self.count * _PARAMETER_BYTES)

    def _lay_out_values(self, shape):
        """Lay out torque and angle, measured and limits."""
        unit = shape >> _UNIT_SHIFT & 0xFF
        self._factor = _UNITS.get(unit)  # None: Nm, percent (sent as it is), or an undocumented unit
        for at in (_SPINDLE + 19, _SPINDLE + 27, _SPINDLE + 36):
            pack_into("8s", self.tx, at, b"00000.00")
        for at in (_SPINDLE + 44, _SPINDLE + 52, _SPINDLE + 61):
            pack_into("8s", self.tx, at, b"000000.0")
        self.tx[_SPINDLE + 69] = 0x30
        if self._factor is None:
            self._move(FIXED + 2 * UPPER, _SPINDLE + 27, res.TORQUE, 6)
        self._move(FIXED, _SPINDLE + 52, res.ANGLE, 5)
        if shape & _HAS_LIMITS:
            if self._factor is None:
                self._move(FIXED + 2 * UPPER, _SPINDLE + 19, _LIMITS + res.TORQUE_MIN, 6)
                self._move(FIXED + 2 * UPPER, _SPINDLE + 36, _LIMITS + res.TORQUE_MAX, 6)
            self._move(FIXED, _SPINDLE + 44, _LIMITS + res.ANGLE_MIN, 5)
            self._move(FIXED, _SPINDLE + 61, _LIMITS + res.ANGLE_MAX, 5)

    def _lay_out_parameters(self, shape):
        if shape & PARAM_TIGHTENING_ID:
            self._move(TEXT, self._text(b"00030Tightening ID            ", b""), res.TIGHTENING_ID, res.ID_BYTES)
        if shape & PARAM_JOB:
            self._move(STRIP, self._integer(b"01500Job ID                   "), res.JOB, 4)
        if shape & PARAM_BATCH_SIZE:
            self._move(STRIP, self._integer(b"00100Batch size               "), res.BATCH_SIZE, 4)
        if shape & PARAM_BATCH_COUNTER:
            self._move(STRIP, self._integer(b"00101Batch counter            "), res.BATCH_COUNTER, 4)
        if shape & PARAM_BATCH_STATUS:
            at = self._integer(b"00102Batch status             ")
            if shape & _RUNNING:
                self.tx[at] = 0x30
            else:
                self._move(STRIP, at, res.BATCH_STATUS, 1)
        if shape & PARAM_PSET_CHANGE:
            self.change_at = self._text(b"01003Pset last change         ", b"")
            put_text(self.tx, self.change_at, self._change, 0, res.STAMP_BYTES)

    def _lay_out_extras(self, shape):
        """Lay out what is there only when it has something to say, and where the result came from."""
        if shape & _PROGRAM_ZERO:
            self._text(b"01000Program number           ", b"0")
        if shape & _LONG_SERIAL:
            self._move(TEXT, self._text(b"01202Tool serial number       ", b""), res.SERIAL, res.SERIAL_BYTES)
        if shape & _NO_LIMITS:
            self._text(b"60002Limits                   ", b"UNKNOWN")
        if shape & _EDGE_TIME:
            self._text(b"60003Time source              ", b"EDGE, CLOCK UNSET" if shape & _CLOCK_UNSET else b"EDGE")
        if shape >> _UNIT_SHIFT & 0xFF == PERCENT:
            self._text(b"60004Torque unit              ", b"%")
        if shape & _RESULT_TYPE:
            self._move(STRIP, self._integer(b"60005Result type              "), _LIMITS + res.RESULT_TYPE, 2)
        if shape & _LONG_VIN:
            from toolcart.agent.record.escaping import stripped

            digits = hexlify(stripped(self._vin, 0, res.VIN_BYTES)).upper()
            self._text(b"60022VIN, bytes                ", digits[:_VALUE_BYTES])
            if digits[_VALUE_BYTES:]:
                self._text(b"60023VIN, more bytes           ", digits[_VALUE_BYTES:])
        if shape & _ODD:
            self.odd_at = self._text(b"60006Odd fields               ", b"")
        if shape & PARAM_SOURCE:
            self._text(b"60001Edge source              ", b"RECOVERED" if shape & _RECOVERED else b"LIVE")

    def _move(self, move, to, start, width):
        pack_into("<BHBB", self.form, self.moves * MOVE_BYTES, move, to, start, width)
        self.moves += 1

    def _text(self, name, value):
        return self._parameter(name, value, b"0      00")

    def _integer(self, name):
        return self._parameter(name, b"", b"1      00")

    def _parameter(self, name, value, kind):
        """Lay out one more parameter; return where its value goes."""
        tx = self.tx
        at = _PARAMETERS + self.count * _PARAMETER_BYTES
        self.count += 1
        pack_into("30s", tx, at + 8, name)
        fill(tx, at + 38, 25)
        put_text(tx, at + 38, value, 0, len(value))
        pack_into("9s", tx, at + 63, kind)
        return at + 38


assert PARAM_ALL == (1 << len(PARAM_NAMES)) - 1 < _PROGRAM_ZERO
assert RESULT_BYTES_MAX == _PARAMETERS + (len(PARAM_NAMES) + _EXTRAS) * _PARAMETER_BYTES
assert _LONGEST == RESULT_BYTES_MAX + 4 * _PARAMETER_BYTES
assert _LIMITS == res.BODY_BYTES and res.FLAG_RECOVERED << _FLAGS_SHIFT == _RECOVERED
assert res.FLAG_EDGE_TIME << _FLAGS_SHIFT == _EDGE_TIME
