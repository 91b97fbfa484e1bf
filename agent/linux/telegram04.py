"""Telegram 04 with what only Linux keeps of a result: spindles with special values, additional identifiers, targets.

A writer of results (toolcart.agent.toolsnet.result04) has `write` as its `several`; what is the same on every machine
is in toolcart.agent.toolsnet.spindles04. Telegram 02, where it goes out, gets number and name of each spindle: its
bolt's, if the record has it.

Targets of torque and angle, which the longer revisions of MID 0061 have, come after all other parameters, as real
values: 02000 in Nm, like the torque, and 02010 in degrees. A value that the result does not have is left out; both are
if the result is odd (FLAG_ODD). The buffer is laid out once for many results, so count and length are written each
time; it grows if it has no room for them.
"""

from toolcart.agent.base.fields import number, put_number
from toolcart.agent.linux import telegram04_identifiers
from toolcart.agent.linux.telegram04_specials import add_specials
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.identifiers import has_identifiers
from toolcart.agent.record.spindles import PARAMETER_BYTES
from toolcart.agent.record.text import text_of
from toolcart.agent.toolsnet import spindles04
from toolcart.agent.toolsnet.result04 import _UNITS, PERCENT, ResultWriter
from toolcart.agent.toolsnet.spindles04 import SPINDLE_BYTES, SPINDLES
from toolcart.agent.toolsnet.telegram import finish

CPYTHON_ONLY = True  # boards keep neither


def write(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send."""
    if has_identifiers(buf, at, length):
        return telegram04_identifiers.write(writer, buf, at, length, flags, ident, sequence)
    if getattr(writer, "adds_parameters", False):
        writer.shape = -1  # what it adds each time may not be where the last telegram had its own
    octets = spindles04.write(writer, buf, at, length, flags, ident, sequence, add_specials)
    names = getattr(writer.session, "names", None)
    if names is not None:
        names.learn_spindles(_named(writer.tx, buf, at, length))
    return octets


def _named(tx, buf, at, length):
    """Return number and name of each spindle of the telegram in tx; the name is empty if the record has none."""
    bolts = {row: place + sp.EXTRA_NAME for row, place, _ in sp.extras_of(buf, at, length)}
    return [
        (
            number(tx, SPINDLES + row * SPINDLE_BYTES, 4),
            text_of(buf, bolts[row], sp.NAME_BYTES) if row in bolts else "",
        )
        for row in range(sp.count_of(buf, at))
    ]


_LENGTH = res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES
_COUNT = 79


class ExtendedWriter(ResultWriter):
    """Writes telegram 04 of one station, with all that Linux keeps of a result."""

    def __init__(self, *numbers, **settings):
        ResultWriter.__init__(self, *numbers, **settings)
        self.write_spindles = write


class TargetWriter(ExtendedWriter):
    """It adds the targets."""

    is_odd = False  # what is being written is a corrected copy
    adds_parameters = True  # behind those that are laid out, each time (toolcart.agent.toolsnet.spindles04)

    def write(self, buf, at, length, flags, ident, sequence):
        """Write the result record whose payload of `length` bytes is at buf[at:]; return how many bytes to send."""
        is_odd = flags & res.FLAG_ODD != 0
        if is_odd or (length < SEVERAL_LEAST and not self.names_absent and res.lacks(buf, at + res.HEAD_BYTES)):
            self.is_odd = is_odd
            octets = ResultWriter.write(
                self, buf, at, length, flags, ident, sequence
            )  # calls this again with a corrected copy
            self.is_odd = False
            return octets
        octets = ResultWriter.write(self, buf, at, length, flags, ident, sequence)
        if length >= SEVERAL_LEAST:
            return octets  # several spindles: it is built from a plain one
        targets = []
        if length >= _LENGTH and not self.is_odd:
            targets = self._targets(buf, at + res.HEAD_BYTES + res.BODY_BYTES)
        tx = self.grown(octets + len(targets) * PARAMETER_BYTES)
        put_number(tx, _COUNT, 3, (octets - 154) // PARAMETER_BYTES + len(targets))
        for name, value, unit in targets:
            tx[octets : octets + 8] = tx[154:162] if octets > 154 else tx[84:88] + tx[98:102]  # spindle and program
            tx[octets + 8 : octets + PARAMETER_BYTES] = ("%-30s%-25s2%-6s00" % (name, value, unit)).encode()
            octets += PARAMETER_BYTES
        return finish(tx, octets)

    def _targets(self, buf, limits):
        """Return name, value and unit of the targets that the result has."""
        targets = []
        unit = buf[limits + res.TORQUE_UNIT]
        torque = number(buf, limits + res.TORQUE_TARGET, res.TORQUE_BYTES)
        if torque >= 0:
            more, less = _UNITS.get(unit, (1, 1))
            torque = (torque * more + less // 2) // less
            text = "%05d.%02d" % (torque // 100, torque % 100)
            targets.append(("02000Torque, final target", text, "%" if unit == PERCENT else "Nm"))
        angle = number(buf, limits + res.ANGLE_TARGET, res.ANGLE_BYTES)
        if angle >= 0:
            targets.append(("02010Angle, target", "%06d.0" % angle, "deg"))
        return targets
