"""What telegram 04 adds, on Linux, to a result with several spindles: special values and references.

A special value is a parameter of its spindle (the station's: of spindle 0), in pieces of 25 bytes under one name; the
object that a spindle refers to is parameter 60020.
"""

from toolcart.agent.base.fields import is_blank, number, put_number
from toolcart.agent.record import extended_values
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.spindles import NAME, STEP, VALUE_ROOM, put_identifier
from toolcart.agent.toolsnet import spindles04
from toolcart.agent.toolsnet.spindles04 import SPINDLE_BYTES, SPINDLES

CPYTHON_ONLY = True  # boards keep none

_BOLT_VALUE, _REFERENCE = 60012, 60020


def add_specials(parameters, page, at, length, rows):
    """Add what the record has besides the spindle parts (toolcart.agent.record.spindles.Parameters)."""
    spindles04.add_parameters(parameters, page, at, length, rows)
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
    if not is_blank(page, name, sp.NAME_BYTES):
        put_identifier(parameters.tx, value + NAME, page, name, sp.NAME_BYTES)
    put_identifier(parameters.tx, value, page, piece, octets)
    put_number(parameters.tx, value + STEP, 2, max(0, number(page, place + extended_values.STEP, 2)))
