"""The head of a form as one function of CPython: made as source, once for each revision that is used.

    def read(frame):
        if int_from(frame, "big") & mask != wanted:         are all IDs there, and octets 3x where numbers belong?
            return blanks(frame)
        a0, a1, a2, ... = unpack(frame)                     every field in one call, numbers of one digit as an int
        return {"cell_id": int(a0), "job_id": TWO[a1], "torque_status": ONE[a2], "vin": text, ...}

Rules
1. `blanks` is the same for messages in which a number is blank or none: it looks at each. Where an ID is not in its
   place, or text is none, each field is read by itself. All three give the same values.
2. Nothing of a message gets into the source: only widths, and names that are identifiers.
"""

import struct

from .fields import READERS

CPYTHON_ONLY = True  # MicroPython has no struct.Struct, and no room for a function for each revision

HEADER_BYTES = 20
_NUMBERS = "NBI"
_TEXTS = "TDH"
# One digit as its octet, two digits as one number of 16 bits -> their value.
ONE = {48 + ones: ones for ones in range(10)}
TWO = {(48 + tens) << 8 | 48 + ones: tens * 10 + ones for tens in range(10) for ones in range(10)}


def compile_head(fields, end, slowly):
    """Return read(frame) -> dict for these fields, which end at octet `end`; None if it cannot be made.

    `slowly` reads what has a wrong ID in it, or text that is none.
    """
    if not fields or any(field.kind not in _NUMBERS + _TEXTS or not field.name.isidentifier() for field in fields):
        return None
    given = {"ONE": ONE, "TWO": TWO, "int_from": int.from_bytes, "slowly": slowly}
    for kind in _NUMBERS:
        given[kind] = READERS[kind]
    lines = ["def read(frame):", "    if len(frame) < %d: return slowly(frame)" % end]
    lines += _look(fields, end, True, "blanks", given) + _take_apart(fields, True, "blanks", given)
    lines += ["def blanks(frame):"]
    lines += _look(fields, end, False, "slowly", given) + _take_apart(fields, False, "slowly", given)
    exec("\n".join(lines), given)
    return given["read"]


def _take_apart(fields, sure, otherwise, given):
    """Return the lines that make the dict; `sure`: numbers have octets 3x, most of which are digits."""
    layout, variables, items = ">%dx" % HEADER_BYTES, [], []
    for index, field in enumerate(fields):
        variable = "a%d" % index
        variables.append(variable)
        code, expression = _one(field, variable, sure)
        layout += ("%dx" % len(field.id) if field.id else "") + code
        items.append("%r: %s" % (field.name, expression))
    given["unpack_" + otherwise] = struct.Struct(layout).unpack_from
    return [
        "    %s, = unpack_%s(frame)" % (", ".join(variables), otherwise),
        "    try: return {%s}" % ", ".join(items),
        "    except (KeyError, ValueError): return %s(frame)" % otherwise,  # text that is none, and :;<=>? as digits
    ]


def _one(field, variable, sure):
    """Return the letter of struct for a field, and the expression of its value."""
    width = "%ds" % field.width
    text = "%s.decode().rstrip(' \\0') or None" % variable
    if field.kind == "D":
        return width, "(%s.decode() if %s[-1] > 32 else %s)" % (variable, variable, text)
    if field.kind in _TEXTS:
        return width, text
    if not sure:
        parts = (variable, variable, variable, b" " * field.width, field.kind, variable)
        return width, "(int(%s) if %s.isdigit() else None if %s == %r else %s(%s))" % parts
    if field.width == 1:
        return "B", "ONE[%s]" % variable
    if field.width == 2:
        return "H", "TWO[%s]" % variable
    return width, "int(%s)" % variable


def _look(fields, end, digits, otherwise, given):
    """Return the line that goes another way unless the IDs stand where they belong, and what may be `digits` too."""
    mask, wanted = bytearray(HEADER_BYTES), bytearray(HEADER_BYTES)
    for field in fields:
        is_looked_at = digits and field.kind in _NUMBERS
        mask += b"\xff" * len(field.id) + (b"\xf0" if is_looked_at else b"\0") * field.width
        wanted += field.id + (b"0" if is_looked_at else b"\0") * field.width
    given["mask_" + otherwise], given["wanted_" + otherwise] = [int.from_bytes(one, "big") for one in (mask, wanted)]
    parts = (end, otherwise, otherwise, otherwise)
    return ["    if int_from(frame[:%d], 'big') & mask_%s != wanted_%s: return %s(frame)" % parts]
