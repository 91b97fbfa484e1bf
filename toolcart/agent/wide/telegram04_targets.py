"""Telegram 04 with the target values of torque and angle, which the longer revisions of MID 0061 have.

Rules
1. They come after all other parameters, as real values: 02000 in Nm, like the torque, and 02010 in degrees. A value
   that the result does not have is left out; both are if the result is odd (FLAG_ODD).
2. All else is toolcart.agent.toolsnet.result04's. Its buffer is laid out once for many results, so count and length are
   written each time.
"""

from toolcart.agent.base.fields import number, put_number
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet.result04 import _UNITS, PERCENT, RESULT_BYTES_MAX, ResultWriter
from toolcart.agent.toolsnet.telegram import finish

CPYTHON_ONLY = True  # a board's buffer has no room for them

RESULT_BYTES_TARGETS = RESULT_BYTES_MAX + 144

_LENGTH = res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES
_PARAMETER_BYTES = 72
_COUNT = 79


class TargetWriter(ResultWriter):
    """Writes telegram 04 of one station, with targets; the buffer must have RESULT_BYTES_TARGETS."""

    is_odd = False  # what is being written is a corrected copy
    adds_parameters = True  # behind those that are laid out, each time (toolcart.agent.toolsnet.spindles04)

    def write(self, buf, at, length, flags, ident, sequence):
        """Write the result record whose payload of `length` bytes is at buf[at:]; return how many bytes to send."""
        if flags & res.FLAG_ODD:
            self.is_odd = True
            octets = ResultWriter.write(
                self, buf, at, length, flags, ident, sequence
            )  # calls this again with a corrected copy
            self.is_odd = False
            return octets
        octets = ResultWriter.write(self, buf, at, length, flags, ident, sequence)
        if length >= SEVERAL_LEAST:
            return octets  # several spindles: it is built from a plain one
        found = []
        if length >= _LENGTH and not self.is_odd:
            found = self._targets(buf, at + res.HEAD_BYTES + res.BODY_BYTES)
        tx = self.tx
        put_number(tx, _COUNT, 3, (octets - 154) // _PARAMETER_BYTES + len(found))
        for name, value, unit in found:
            tx[octets : octets + 8] = tx[154:162] if octets > 154 else tx[84:88] + tx[98:102]  # spindle and program
            tx[octets + 8 : octets + _PARAMETER_BYTES] = ("%-30s%-25s2%-6s00" % (name, value, unit)).encode()
            octets += _PARAMETER_BYTES
        return finish(tx, octets)

    def _targets(self, buf, limits):
        """Return name, value and unit of the targets that the result has."""
        found = []
        unit = buf[limits + res.TORQUE_UNIT]
        torque = number(buf, limits + res.TORQUE_TARGET, res.TORQUE_BYTES)
        if torque >= 0:
            more, less = _UNITS.get(unit, (1, 1))
            torque = torque * more // less
            shown = "%05d.%02d" % (torque // 100, torque % 100)
            found.append(("02000Torque, final target", shown, "%" if unit == PERCENT else "Nm"))
        angle = number(buf, limits + res.ANGLE_TARGET, res.ANGLE_BYTES)
        if angle >= 0:
            found.append(("02010Angle, target", "%06d.0" % angle, "deg"))
        return found
