"""What telegram 04 says beside the rest of a result with several spindles, on Linux: special values, references.

A special value is a parameter of its spindle, the station's of spindle 0, in pieces of 25 octets under one name; what
an object refers to is parameter 60020.
"""

from agent.base.fields import is_blank, number
from agent.record import specials
from agent.record import spindles as rec

CPYTHON_ONLY = True  # boards keep no special values

_VALUE_BYTES = 25
_TEXT, _INTEGER = 0, 1
_BOLT_VALUE, _REFERENCE = 60012, 60020


def parameters(page, length, rows):
    """Return what the payload page[:length] has of these: spindle, ID, name, value, type, step."""
    found = []
    for index, row in enumerate(rows):
        reference = specials.object_of(page, 0, index)[1]
        if reference > 0:
            found.append((row.number, _REFERENCE, "Reference object", str(reference), _INTEGER, 0))
    for row, place, octets in specials.specials_of(page, 0, length):
        name = place + specials.NAME
        named = "Value" if is_blank(page, name, rec.NAME_BYTES) else page[name : name + rec.NAME_BYTES]
        spindle = rows[row].number if 0 <= row < len(rows) else 0
        step = max(0, number(page, place + specials.STEP, 2))
        value = page[place + specials.VALUE : place + specials.VALUE + octets]
        for start in range(0, octets, _VALUE_BYTES):
            found.append((spindle, _BOLT_VALUE, named, value[start : start + _VALUE_BYTES], _TEXT, step))
    return found
