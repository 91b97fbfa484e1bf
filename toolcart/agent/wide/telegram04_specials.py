"""What telegram 04 adds, on Linux, to a result with several spindles: special values and references.

A special value is a parameter of its spindle (the station's: of spindle 0), in pieces of 25 bytes under one name; the
object that a spindle refers to is parameter 60020.
"""

from toolcart.agent.base.fields import is_blank, number, put_number
from toolcart.agent.record import specials
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.spindles import NAME, STEP, put_identifier

CPYTHON_ONLY = True  # boards keep no special values

_SPINDLES = 84
_SPINDLE_BYTES = 70
_VALUE_BYTES = 25
_BOLT_VALUE, _REFERENCE = 60012, 60020


def tell(parameters, page, at, length, rows):
    """Add those that the payload of `length` bytes at page[at:] has (toolcart.agent.record.spindles.Parameters)."""
    for row in range(rows):
        reference = specials.object_of(page, at, row)[1]
        if reference > 0:
            parameters.spindle = _SPINDLES + row * _SPINDLE_BYTES
            digits = b"%d" % reference
            parameters.add_figure(_REFERENCE, b"Reference object", digits, 0, len(digits))
    for row, place, octets in specials.specials_of(page, at, length):
        parameters.spindle = _SPINDLES + row * _SPINDLE_BYTES if 0 <= row < rows else 0
        for start in range(0, octets, _VALUE_BYTES):
            _add_piece(parameters, page, place, place + specials.VALUE + start, min(_VALUE_BYTES, octets - start))


def _add_piece(parameters, page, place, piece, octets):
    """Add one piece of the special value at page[place:]."""
    value = parameters.add(_BOLT_VALUE, b"Value")
    if not value:
        return
    name = place + specials.NAME
    if not is_blank(page, name, rec.NAME_BYTES):
        put_identifier(parameters.tx, value + NAME, page, name, rec.NAME_BYTES)
    put_identifier(parameters.tx, value, page, piece, octets)
    put_number(parameters.tx, value + STEP, 2, max(0, number(page, place + specials.STEP, 2)))
