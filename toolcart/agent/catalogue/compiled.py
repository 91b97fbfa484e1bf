"""The head of a form as one function of CPython: made as source, once for each revision that is used.

    def read(frame):
        whole = int_from(frame, "big")                      all IDs and all digits are where they belong?
        if whole & exact != equal or whole + six & digits != zeros: return blanks(frame)
        a0, a1, a2, ... = unpack(frame)                     every field in one call, numbers of one digit as an int
        return {"cell_id": int(a0), "job_id": TWO[a1], "torque_status": a2 - 48, "vin": text, ...}

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
# Two digits as one number of 16 bits -> their value.
TWO = {(48 + tens) << 8 | 48 + ones: tens * 10 + ones for tens in range(10) for ones in range(10)}


def compile_head(fields, end, slowly):
    """Return read(frame) -> dict for these fields, which end at octet `end`; None if it cannot be made.

    `slowly` reads what has a wrong ID in it, or text that is none.
    """
    if not fields or any(field.kind not in _NUMBERS + _TEXTS or not field.name.isidentifier() for field in fields):
        return None
    given = {"TWO": TWO, "int_from": int.from_bytes, "slowly": slowly}
    for kind in _NUMBERS:
        given[kind] = READERS[kind]
    lines = ["def read(frame):", "    if len(frame) < %d: return slowly(frame)" % end]
    lines += _look_at_digits(fields, end, given) + _take_apart(fields, "sure", given)
    lines += ["def blanks(frame):"] + _look_at_ids(fields, end, given) + _take_apart(fields, "unsure", given)
    exec("\n".join(lines), given)
    return given["read"]


def _take_apart(fields, sure, given):
    """Return the lines that make the dict; `sure`: all that are numbers are known to be digits."""
    layout, variables, items = ">%dx" % HEADER_BYTES, [], []
    for index, field in enumerate(fields):
        variable = "a%d" % index
        variables.append(variable)
        code, expression = _one(field, variable, sure == "sure")
        layout += ("%dx" % len(field.id) if field.id else "") + code
        items.append("%r: %s" % (field.name, expression))
    given["unpack_" + sure] = struct.Struct(layout).unpack_from
    return [
        "    %s, = unpack_%s(frame)" % (", ".join(variables), sure),
        "    try: return {%s}" % ", ".join(items),
        "    except UnicodeError: return slowly(frame)",
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
        told = (variable, variable, variable, b" " * field.width, field.kind, variable)
        return width, "(int(%s) if %s.isdigit() else None if %s == %r else %s(%s))" % told
    if field.width == 1:
        return "B", "%s - 48" % variable
    if field.width == 2:
        return "H", "TWO[%s]" % variable
    return width, "int(%s)" % variable


def _look_at_digits(fields, end, given):
    """Return the lines that go another way unless IDs and digits stand where they belong."""
    runs = _runs(fields)
    if len(runs) <= 2 and not any(field.id for field in fields):
        return ["    if not frame[%d:%d].isdigit(): return blanks(frame)" % run for run in runs]
    exact, equal, six = bytearray(HEADER_BYTES), bytearray(HEADER_BYTES), bytearray(HEADER_BYTES)
    for field in fields:
        is_number = field.kind in _NUMBERS
        exact += b"\xff" * len(field.id) + (b"\xf0" if is_number else b"\0") * field.width
        equal += field.id + (b"0" if is_number else b"\0") * field.width
        six += bytes(len(field.id)) + (b"\x06" if is_number else b"\0") * field.width
    digits = bytes(0xF0 if octet else 0 for octet in six)
    for name, octets in (("exact", exact), ("equal", equal), ("six", six), ("digits", digits)):
        given[name] = int.from_bytes(octets, "big")
    given["zeros"] = given["equal"] & given["digits"]
    return [
        "    whole = int_from(frame if len(frame) == %d else frame[:%d], 'big')" % (end, end),
        "    if whole & exact != equal or whole + six & digits != zeros: return blanks(frame)",
    ]


def _look_at_ids(fields, end, given):
    """Return the lines that read slowly unless all IDs stand where they belong."""
    if not any(field.id for field in fields):
        return []
    mask, ids = bytearray(HEADER_BYTES), bytearray(HEADER_BYTES)
    for field in fields:
        mask += b"\xff" * len(field.id) + bytes(field.width)
        ids += field.id + bytes(field.width)
    given["id_mask"], given["ids"] = int.from_bytes(mask, "big"), int.from_bytes(ids, "big")
    return ["    if int_from(frame[:%d], 'big') & id_mask != ids: return slowly(frame)" % end]


def _runs(fields):
    """Return first octet and end of each stretch of numbers without an ID."""
    runs, at, begin = [], HEADER_BYTES, None
    for field in fields:
        if field.kind in _NUMBERS and begin is None:
            begin = at
        elif field.kind not in _NUMBERS and begin is not None:
            runs.append((begin, at))
            begin = None
        at += len(field.id) + field.width
    return runs if begin is None else runs + [(begin, at)]
