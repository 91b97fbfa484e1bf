"""Puts a result that is not as it should be (FLAG_ODD) in order for telegram 04, and adds what was malformed.

Rules
1. A minus sign takes the place of the first zero. An angle has one decimal there (TN 5.3), the rest is cut off.
2. Numbers that cannot be read and statuses that do not exist go out like absent ones; the parameter `Odd fields` has
   them as they came (toolcart.agent.record.malformed), the first 25 characters of that.
3. What is blank and goes out as zero or NOK, for lack of a form for "none", is named in that parameter, too.
4. Imported when the first such record goes out; it allocates.
"""

from toolcart.agent.base.fields import fill, put_number, put_text
from toolcart.agent.record import result as res
from toolcart.agent.record.absent import absent_of
from toolcart.agent.record.malformed import decimals_of, put_in_order

_TEXT_BYTES = 25
_SPINDLE = 84
_LIMITS = res.HEAD_BYTES + res.BODY_BYTES
# Where a number is in the payload, and in the spindle part of the telegram.
_PLACES = {
    res.HEAD_BYTES + res.TORQUE: 27,
    _LIMITS + res.TORQUE_MIN: 19,
    _LIMITS + res.TORQUE_MAX: 36,
    res.HEAD_BYTES + res.ANGLE: 52,
    _LIMITS + res.ANGLE_MIN: 44,
    _LIMITS + res.ANGLE_MAX: 61,
}
_ANGLES = (44, 52, 61)


def write(writer, parameter, buf, at, length, flags, ident, sequence):
    """Write a copy of the record put in order, and what was malformed in it; return the number of bytes to send.

    `parameter` is the bit that gives the telegram room for that (result04).
    """
    malformed = MalformedResult()
    page = malformed.ordered(buf, at, length, flags)
    is_whole = not writer.names_absent
    if is_whole:
        malformed.note(absent_of(buf, at))
    writer.names_absent = True
    writer.parameters |= parameter
    octets = writer.write(page, 0, length, flags & ~res.FLAG_ODD, ident, sequence)
    writer.parameters &= ~parameter
    writer.names_absent = not is_whole
    malformed.amend(writer.tx, _SPINDLE, writer.odd_at)
    return octets


class MalformedResult:
    """What is malformed in the record that goes out."""

    def __init__(self):
        self._negative = []
        self._text = ""
        self._decimals = 0

    def note(self, text):
        """Say this, too, unless it is empty."""
        self._text = ", ".join([one for one in (self._text, text) if one])

    def ordered(self, buf, at, length, flags):
        """Return a copy of the payload buf[at:at+length] that can be written like any other."""
        page = bytearray(buf[at : at + length])
        if not flags & res.FLAG_ODD:
            return page
        self._decimals = decimals_of(page, 0, length)
        self._negative, self._text = put_in_order(page, length)
        return page

    def amend(self, tx, spindle, parameter):
        """Complete the telegram in tx, whose spindle part begins at `spindle` and whose parameter's value is there."""
        if self._decimals:
            for place in _ANGLES:
                _put_decimal(tx, spindle + place, self._decimals)
        for place in self._negative:
            if place in _PLACES:  # targets are not sent
                tx[spindle + _PLACES[place]] = 0x2D
        text = self._text.encode()
        fill(tx, parameter, _TEXT_BYTES)
        put_text(tx, parameter, text, 0, min(len(text), _TEXT_BYTES))


def _put_decimal(tx, at, decimals):
    """Rewrite whole degrees that have decimals: `012345.0` with two of them becomes `000123.4`."""
    tenths = int(bytes(tx[at : at + 6])) * 10 // 10**decimals
    put_number(tx, at, 6, tenths // 10)
    tx[at + 7] = 0x30 + tenths % 10
