"""Telegram 04 with what only Linux keeps of a result: spindles with special values, additional identifiers, targets.

A writer of results (toolcart.agent.toolsnet.result04) has `write` as its `several`; what is the same on every machine
is in toolcart.agent.toolsnet.spindles04. Telegram 02, where it goes out, gets number and name of each spindle: its
bolt's, if the record has it.

Targets of torque and angle, which the longer revisions of MID 0061 have, come after all other parameters, as real
values: 02000 in Nm, like the torque, and 02010 in degrees. A value that the result does not have is left out; both are
if the result is odd (FLAG_ODD). The buffer is laid out once for many results, so count and length are written each
time; it grows if it has no room for them.
"""

from toolcart.agent.base.fields import is_blank, number, put_number
from toolcart.agent.record import SEVERAL_LEAST, extended_values
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.extended_values import has_identifiers
from toolcart.agent.record.spindles import NAME, PARAMETER_BYTES, PLACE, STEP, VALUE_ROOM, put_identifier
from toolcart.agent.record.text import text_of
from toolcart.agent.toolsnet import spindles04
from toolcart.agent.toolsnet.result04 import _UNITS, PERCENT, ResultWriter
from toolcart.agent.toolsnet.spindles04 import SPINDLE_BYTES, SPINDLES
from toolcart.agent.toolsnet.telegram import finish

CPYTHON_ONLY = True  # boards keep neither


def write(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send."""
    if has_identifiers(buf, at, length):
        return _write_identifiers(writer, buf, at, length, flags, ident, sequence)
    if getattr(writer, "adds_parameters", False):
        writer.shape = -1  # what it adds each time may not be where the last telegram had its own
    octets = spindles04.write(writer, buf, at, length, flags, ident, sequence, _tell)
    names = getattr(writer.session, "names", None)
    if names is not None:
        names.learn_spindles(_named(writer.tx, buf, at, length))
    return octets


def _named(tx, buf, at, length):
    """Return number and name of each spindle of the telegram in tx; the name is empty if the record has none."""
    bolts = {row: place + rec.EXTRA_NAME for row, place, _ in rec.extras_of(buf, at, length)}
    return [
        (
            number(tx, SPINDLES + row * SPINDLE_BYTES, 4),
            text_of(buf, bolts[row], rec.NAME_BYTES) if row in bolts else "",
        )
        for row in range(rec.count_of(buf, at))
    ]


# Telegram 04 of a result with additional identifiers: they become additional VINs 1 to 3 (TN 5.3, DIGEST G.6).
#
# Otherwise the telegram is what the result would have without them; their parts go between spindle and parameters. The
# buffer grows if it has no room for them.

_VINS_AT = 154
_VIN_BYTES = 29
_VIN_COUNT = 75


def _write_identifiers(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send."""
    octets = writer.write(bytearray(buf[at : at + PLACE]), 0, PLACE, flags, ident, sequence)
    vins = bytearray()
    for index, place in extended_values.places_of(buf, at):
        part = bytearray(b" " * _VIN_BYTES)
        put_number(part, 0, 4, index)
        put_identifier(part, 4, buf, place, extended_values.WIDTH)
        vins += part
    whole = writer.tx[:_VINS_AT] + vins + writer.tx[_VINS_AT:octets]
    put_number(whole, _VIN_COUNT, 2, len(vins) // _VIN_BYTES)
    tx = writer.grown(len(whole))
    tx[: len(whole)] = whole
    writer.forget()
    return finish(tx, len(whole))


# What telegram 04 adds, on Linux, to a result with several spindles: special values and references.
#
# A special value is a parameter of its spindle (the station's: of spindle 0), in pieces of 25 bytes under one name; the
# object that a spindle refers to is parameter 60020.

_BOLT_VALUE, _REFERENCE = 60012, 60020


def _tell(parameters, page, at, length, rows):
    """Add what the record has besides the spindle parts (toolcart.agent.record.spindles.Parameters)."""
    spindles04.tell_beside(parameters, page, at, length, rows)
    for row in range(rows):
        reference = extended_values.object_of(page, at, row)[1]
        if reference > 0:
            parameters.spindle = SPINDLES + row * SPINDLE_BYTES
            digits = b"%d" % reference
            parameters.add_figure(_REFERENCE, b"Reference object", digits, 0, len(digits))
    for row, place, octets in extended_values.specials_of(page, at, length):
        parameters.spindle = SPINDLES + row * SPINDLE_BYTES if 0 <= row < rows else 0
        for start in range(0, octets, VALUE_ROOM):
            _add_piece(parameters, page, place, place + extended_values.VALUE + start, min(VALUE_ROOM, octets - start))


def _add_piece(parameters, page, place, piece, octets):
    """Add one piece of the special value at page[place:]."""
    value = parameters.add(_BOLT_VALUE, b"Value")
    if not value:
        return
    name = place + extended_values.NAME
    if not is_blank(page, name, rec.NAME_BYTES):
        put_identifier(parameters.tx, value + NAME, page, name, rec.NAME_BYTES)
    put_identifier(parameters.tx, value, page, piece, octets)
    put_number(parameters.tx, value + STEP, 2, max(0, number(page, place + extended_values.STEP, 2)))


_LENGTH = res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES
_COUNT = 79


class WideWriter(ResultWriter):
    """Writes telegram 04 of one station, with all that Linux keeps of a result."""

    def __init__(self, *numbers, **settings):
        ResultWriter.__init__(self, *numbers, **settings)
        self.several = write


class TargetWriter(WideWriter):
    """It adds the targets."""

    is_odd = False  # what is being written is a corrected copy
    adds_parameters = True  # behind those that are laid out, each time (toolcart.agent.toolsnet.spindles04)

    def write(self, buf, at, length, flags, ident, sequence):
        """Write the result record whose payload of `length` bytes is at buf[at:]; return how many bytes to send."""
        is_odd = flags & res.FLAG_ODD != 0
        if is_odd or (length < SEVERAL_LEAST and not self.tells_absent and res.lacks(buf, at + res.HEAD_BYTES)):
            self.is_odd = is_odd
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
        tx = self.grown(octets + len(found) * PARAMETER_BYTES)
        put_number(tx, _COUNT, 3, (octets - 154) // PARAMETER_BYTES + len(found))
        for name, value, unit in found:
            tx[octets : octets + 8] = tx[154:162] if octets > 154 else tx[84:88] + tx[98:102]  # spindle and program
            tx[octets + 8 : octets + PARAMETER_BYTES] = ("%-30s%-25s2%-6s00" % (name, value, unit)).encode()
            octets += PARAMETER_BYTES
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
