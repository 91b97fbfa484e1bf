"""Telegram 04 of a result with several spindles (agent.record.spindles): one telegram, a spindle part for each.

Rules
1. General part and common parameters are those of a result of one spindle; the first spindle part is written over, the
   others stand behind it. Parameters that belong to all spindles carry spindle 0, "general" (004:165).
2. Figures are cut to the decimals of the telegram, 2 and 1; what is absent is zero as everywhere.
3. A judgement of torque or angle that says no more than NOK is 1 there; a blank one takes the spindle's status.
4. What is left of a Wp. Id of 40 behind the 25 of the VIN is an additional VIN, identifier 1. Bolt data are parameters
   of their spindle, special values too (agent.toolsnet.specials04); those for which a telegram of 9999 octets has no
   room are left out, and a parameter says how many.
5. A press says so in a parameter: its forces are kN and its strokes mm.

Imported when the first such record goes out; it allocates, and the buffer grows with it.
"""

from agent.base.compat import ON_CPYTHON
from agent.base.fields import copy, fill, is_blank, number, put_number, put_text
from agent.record import spindles as rec
from agent.toolsnet.telegram import LENGTH_BYTES, finish

if ON_CPYTHON:
    from agent.record.identifiers import has_identifiers
    from agent.record.text import text_of
    from agent.toolsnet import identifiers04, specials04

_SPINDLES_AT = 84
_SPINDLE_BYTES = 70
_VIN_BYTES = 29
_PARAMETER_BYTES = 72
_VALUE_BYTES = 25
_TELEGRAM_MOST = 9999
_MOST = 999  # parameters
_TEXT, _INTEGER, _REAL = 0, 1, 2

_JUDGED = b"2031"  # what ToolsNet says for 0 low, 1 OK, 2 high, 3 NOK
_BOLT_VALUE = 60012  # ID of all values that PowerMACS names by words


def write(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` octets lies at buf[at:]; return the octets to send."""
    if ON_CPYTHON:
        if has_identifiers(buf, at, length):  # type: ignore
            return identifiers04.write(writer, buf, at, length, flags, ident, sequence)  # type: ignore
    page = bytearray(buf[at : at + length])  # an odd one is put in order, and that uses the page
    octets = writer.write(page, 0, rec.PLACE, flags, ident, sequence)
    tx = writer.tx
    count = (octets - _SPINDLES_AT - _SPINDLE_BYTES) // _PARAMETER_BYTES
    common = bytes(tx[_SPINDLES_AT + _SPINDLE_BYTES : octets])
    program = bytes(tx[_SPINDLES_AT + 14 : _SPINDLES_AT + 18])
    rows = rec.rows_of(page, 0)
    if not rows:
        return octets
    _number(rows)
    vin = _second_vin(page)
    more = _parameters(page, length, rows)
    if ON_CPYTHON:
        _tell_names(writer.session, page, length, rows)
        more += specials04.parameters(page, length, rows)  # type: ignore
    first = _SPINDLES_AT + len(rows) * _SPINDLE_BYTES + len(vin)
    room = min(_MOST, (_TELEGRAM_MOST + LENGTH_BYTES - first) // _PARAMETER_BYTES) - count
    if len(more) > room:
        left_out = len(more) - room + 1
        more = more[: room - 1] + [(0, 60013, "Values left out", str(left_out), _INTEGER, 0)]
    end = first + (count + len(more)) * _PARAMETER_BYTES
    if len(tx) < end:
        grown = bytearray(end)
        copy(grown, 0, tx, 0, _SPINDLES_AT)
        writer.tx = tx = grown
        writer.session.result = grown
    put_number(tx, 69, 4, len(rows))
    put_number(tx, 75, 2, 1 if vin else 0)
    put_number(tx, 79, 3, count + len(more))
    for index in range(len(rows)):
        _put_spindle(tx, _SPINDLES_AT + index * _SPINDLE_BYTES, rows[index], program)
    copy(tx, first - len(vin), vin, 0, len(vin))
    _put_parameters(tx, first, common, more, program)
    writer.forget()
    return finish(tx, end)


def _number(rows):
    """A spindle number is 1 to 9999 there, and one of a kind; where the controller's are not the order numbers them."""
    numbers = [row.number for row in rows]
    if min(numbers) < 1 or len(set(numbers)) < len(numbers):
        for index in range(len(rows)):
            rows[index].number = index + 1


if ON_CPYTHON:

    def _tell_names(session, page, length, rows):
        """Telegram 02, where it goes out, is told number and name of each spindle: its bolt's, if the record has it."""
        names = getattr(session, "names", None)
        if names is None:
            return
        named = {row: place + rec.EXTRA_NAME for row, place, _ in rec.extras_of(page, 0, length)}
        names.learn_spindles(
            (row.number, text_of(page, named[index], rec.NAME_BYTES) if index in named else "")  # type: ignore
            for index, row in enumerate(rows)
        )


def _second_vin(page):
    """Return what a Wp. Id has behind the first 25 characters as an additional VIN; empty if there is nothing."""
    place = rec.PLACE + rec.WORKPIECE
    if rec.form_of(page, 0) != rec.BOLTS or is_blank(page, place, rec.WORKPIECE_BYTES):
        return b""
    field = bytearray(b"0001" + b" " * (_VIN_BYTES - 4))
    put_text(field, 4, page, place, rec.WORKPIECE_BYTES)
    return field


def _put_spindle(tx, at, row, program):
    overall = 0x30 if row.status == 0x31 else 0x31
    put_number(tx, at, 4, row.number)
    fill(tx, at + 4, 10)
    copy(tx, at + 14, program, 0, 4)
    tx[at + 18] = overall
    for place, text, decimals in (
        (19, row.torque_min, 2),
        (27, row.torque, 2),
        (36, row.torque_max, 2),
        (44, row.angle_min, 1),
        (52, row.angle, 1),
        (61, row.angle_max, 1),
    ):
        put_text(tx, at + place, _decimal(text, decimals), 0, 8)
    tx[at + 35] = _judged(row.torque_status, overall)
    tx[at + 60] = _judged(row.angle_status, overall)
    tx[at + 69] = 0x30


def _judged(octet, overall):
    return _JUDGED[octet - 0x30] if 0x30 <= octet <= 0x33 else overall


def _decimal(text, decimals):
    """Return the figure as eight octets with so many digits behind the point; one that does not fit is zero."""
    sign = "-" if text[:1] == "-" else ""
    whole, _, fraction = text[len(sign) :].partition(".")
    shown = (whole or "0") + "." + (fraction + "00")[:decimals]
    if len(sign) + len(shown) > 8:
        sign, shown = "", "0." + "0" * decimals
    return (sign + "0" * (8 - len(sign) - len(shown)) + shown).encode()


def _parameters(page, length, rows):
    """Return what the record has beside the spindle parts: spindle, ID, name, value, type, step."""
    head = rec.PLACE
    found = []
    told = rec.told_of(page, 0)
    if told > len(rows):
        found.append((0, 60007, "Spindles in all", str(told), _INTEGER, 0))
    if rec.presses(page, 0):
        found.append((0, 60008, "Press", "kN, mm", _TEXT, 0))
    if rec.form_of(page, 0) != rec.BOLTS:
        sequence = number(page, head + rec.JOB_SEQUENCE, rec.JOB_SEQUENCE_BYTES)
        if sequence > 0:
            found.append((0, 1501, "Job sequence number", str(sequence), _INTEGER, 0))
        return found
    if page[head + rec.PM_STATUS] > 0x20:
        found.append((0, 60009, "PM status", chr(page[head + rec.PM_STATUS]), _INTEGER, 0))
    for place, ident, name in ((rec.STATION_NAME, 60010, "Station"), (rec.MODE_NAME, 60011, "Mode")):
        if not is_blank(page, head + place, rec.NAME_BYTES):
            found.append((0, ident, name, page[head + place : head + place + rec.NAME_BYTES], _TEXT, 0))
    for row, place, values in rec.extras_of(page, 0, length):
        spindle = rows[row].number if row < len(rows) else 0
        _bolt(found, page, place, spindle)
        for index in range(values):
            value = place + rec.EXTRA_BYTES + index * rec.VALUE_BYTES
            name = "Value" if is_blank(page, value, rec.NAME_BYTES) else page[value : value + rec.NAME_BYTES]
            text = rec.pointed(page, value + 22, rec.FIGURE_BYTES, 0)
            kind = _REAL if "." in text else _INTEGER
            if not text:
                text, kind = page[value + 22 : value + 29], _TEXT
            found.append((spindle, _BOLT_VALUE, name, text, kind, max(0, number(page, value + 29, 2))))
    return found


def _bolt(found, page, place, spindle):
    """What MID 0107 says of the bolt itself."""
    for start, width, ident, name in (
        (rec.EXTRA_NUMBER, 4, 1301, "Bolt number"),
        (rec.EXTRA_NAME, rec.NAME_BYTES, 60014, "Bolt name"),
        (rec.EXTRA_PROGRAM, rec.NAME_BYTES, 60015, "Program name"),
        (rec.EXTRA_PM_STATUS, 1, 60016, "PM status"),
        (rec.EXTRA_ERRORS, _VALUE_BYTES, 60017, "Errors"),
        (rec.EXTRA_ERRORS + _VALUE_BYTES, _VALUE_BYTES, 60018, "Errors, more"),
        (rec.EXTRA_CODE, 4, 60019, "Customer error code"),
    ):
        if not is_blank(page, place + start, width):
            found.append((spindle, ident, name, page[place + start : place + start + width], _TEXT, 0))


def _put_parameters(tx, at, common, more, program):
    copy(tx, at, common, 0, len(common))
    end = at + len(common)
    while at < end:
        fill(tx, at, 4, 0x30)
        at += _PARAMETER_BYTES
    for one in more:
        _put_parameter(tx, at, program, one)
        at += _PARAMETER_BYTES


def _put_parameter(tx, at, program, parameter):
    spindle, ident, name, value, kind, step = parameter
    put_number(tx, at, 4, spindle)
    copy(tx, at + 4, program, 0, 4)
    put_number(tx, at + 8, 5, ident)
    fill(tx, at + 13, 50)
    name = name.encode() if isinstance(name, str) else name
    value = value.encode() if isinstance(value, str) else value
    put_text(tx, at + 13, name, 0, len(name))
    put_text(tx, at + 38, value, 0, len(value))
    put_number(tx, at + 63, 1, kind)
    fill(tx, at + 64, 6)
    put_number(tx, at + 70, 2, step)
