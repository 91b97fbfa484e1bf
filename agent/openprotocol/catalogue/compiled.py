"""The head of a form as one function of CPython: made as source, once for each revision that is used.

    def read(frame):
        whole = int_from(frame, "big")                      all IDs and all digits are where they belong?
        if whole & exact != equal or whole + six & digits != zeros: return slowly(frame)
        a0, a1, a2, ... = unpack(frame)                     every field in one call, numbers of one digit as an int
        return {"cell_id": int(a0), "job_id": TWO[a1], "torque_status": a2 - 48, "vin": text, ...}

Rules
1. Where anything is not as it should be each field is read by itself, with the same values.
2. Nothing of a message gets into the source: only widths, and names that are identifiers.
"""

import struct

CPYTHON_ONLY = True  # MicroPython has no struct.Struct, and no room for a function for each revision

HEADER_BYTES = 20
_NUMBERS = "NBI"
_TEXTS = "TDH"
# Two digits as one number of 16 bits -> their value.
TWO = {(48 + tens) << 8 | 48 + ones: tens * 10 + ones for tens in range(10) for ones in range(10)}


def compile_head(fields, end, slowly):
    """Return read(frame) -> dict for these fields, which end at octet `end`; None if it cannot be made.

    `slowly` reads what has something odd in it.
    """
    if not fields or any(field.kind not in _NUMBERS + _TEXTS for field in fields):
        return None
    given = {"TWO": TWO, "int_from": int.from_bytes, "slowly": slowly}
    layout, variables, items = ">%dx" % HEADER_BYTES, [], []
    for index, field in enumerate(fields):
        if not field.name.isidentifier():
            return None
        variable = "a%d" % index
        variables.append(variable)
        code, expression = _one(field, variable)
        layout += ("%dx" % len(field.id) if field.id else "") + code
        items.append("%r: %s" % (field.name, expression))
    given["unpack"] = struct.Struct(layout).unpack_from
    lines = ["def read(frame):"] + _check(fields, end, given)
    lines.append("    %s, = unpack(frame)" % ", ".join(variables))
    lines.append("    try: return {%s}" % ", ".join(items))
    lines.append("    except UnicodeError: return slowly(frame)")
    exec("\n".join(lines), given)
    return given["read"]


def _one(field, variable):
    """Return the letter of struct for a field, and the expression of its value."""
    if field.kind == "D":
        return "%ds" % field.width, "({0}.decode() if {0}[-1] > 32 else {0}.decode().rstrip(' \\0') or None)".format(
            variable
        )
    if field.kind in _TEXTS:
        return "%ds" % field.width, "%s.decode().rstrip(' \\0') or None" % variable
    if field.width == 1:
        return "B", "%s - 48" % variable
    if field.width == 2:
        return "H", "TWO[%s]" % variable
    return "%ds" % field.width, "int(%s)" % variable


def _check(fields, end, given):
    """Return the lines that read slowly unless IDs and digits stand where they belong."""
    runs = _runs(fields)
    if len(runs) <= 2 and not any(field.id for field in fields):
        short = ["    if len(frame) < %d: return slowly(frame)" % end]
        return short + ["    if not frame[%d:%d].isdigit(): return slowly(frame)" % run for run in runs]
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
        "    if len(frame) == %d: whole = int_from(frame, 'big')" % end,
        "    elif len(frame) < %d: return slowly(frame)" % end,
        "    else: whole = int_from(frame[:%d], 'big')" % end,
        "    if whole & exact != equal or whole + six & digits != zeros: return slowly(frame)",
    ]


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
