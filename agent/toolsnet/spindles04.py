"""Telegram 04 of a result of toolcart.agent.record.spindles: one telegram, a spindle part for each spindle.

Rules
1. General part and common parameters are those of a result of one spindle; the first spindle part is overwritten, the
   others follow it. Parameters that belong to all spindles carry spindle 0, "general" (TN 5.3).
2. Figures are cut to the decimals of the telegram, 2 and 1; what is absent is zero as everywhere, and a parameter of
   its spindle names it (`Odd fields`).
3. A judgement of torque or angle that says no more than NOK is 1 there; a blank one takes the spindle's status.
4. A number that cannot be read, 0, or one that a row before it has, is no spindle number: that row gets one that no
   other has (toolcart.agent.record.malformed), and `Odd fields` of its spindle has what came. All others keep theirs.
5. What a Wp. Id of 40 has beyond the 25 of the VIN is an additional VIN, identifier 1. Bolt data are parameters of
   their spindle; those that do not fit into a telegram of 9999 bytes are left out, and a parameter says how many.
6. A press says so in a parameter: its forces are kN and its strokes mm.

Imported when the first such record goes out. Written in place in the writer's buffer, which grows with the longest one.
What a writer lays out once for many results is moved after the spindle parts, and stays there while the number of
spindles, additional VIN and shape are the same. Then the shape is negative: a result of one spindle lays out its own.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits, compare, copy, fill, is_blank, number, put_number
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.agent.record.absent import absent_in
from toolcart.agent.record.spindles import NAME, PARAMETER_BYTES, PROGRAM, STEP, Parameters, put_figure, put_identifier
from toolcart.agent.toolsnet.telegram import LENGTH_BYTES, finish

_SPINDLE_COUNT = const(69)
_VIN_COUNT = const(75)
_PARAMETER_COUNT = const(79)
SPINDLES = const(84)
SPINDLE_BYTES = const(70)
_SERIAL = const(88)
_SERIAL_BYTES = const(10)
_BEHIND_FIRST = const(154)  # the parameters of a result of one spindle
_VIN_BYTES = const(29)
_VALUE_BYTES = const(25)
_TELEGRAM_MOST = const(9999)
_MOST = const(999)  # parameters
_MOVE_BYTES = const(5)  # of a writer's form (toolcart.agent.base.byte_moves); its bytes 1 and 2 are where the move goes

_JUDGED = b"2031"  # what ToolsNet says for 0 low, 1 OK, 2 high, 3 NOK
_BOLT_VALUE = const(60012)  # ID of all values that PowerMACS names by words

# Torque, angle, and the limits of both: where in the spindle part, and where in the row.
_FIGURES = bytes((27, 7, 52, 13, 19, 18, 36, 24, 44, 36, 61, 41))
_BOLT_FIGURES = bytes((27, 5, 52, 12, 36, 19, 19, 26, 61, 33, 44, 40))
_LIMITS = const(114)  # of the record, in the payload
_MEASURED = const(4)  # how many bytes of these come first
_ALL = const(12)
_FIRST_ANGLE = const(44)

# What MID 0107 says of the bolt itself: place, width, ID, name.
_OF_BOLT = (
    (sp.EXTRA_NUMBER, 4, 1301, b"Bolt number"),
    (sp.EXTRA_NAME, sp.NAME_BYTES, 60014, b"Bolt name"),
    (sp.EXTRA_PROGRAM, sp.NAME_BYTES, 60015, b"Program name"),
    (sp.EXTRA_PM_STATUS, 1, 60016, b"PM status"),
    (sp.EXTRA_ERRORS, _VALUE_BYTES, 60017, b"Errors"),
    (sp.EXTRA_ERRORS + _VALUE_BYTES, _VALUE_BYTES, 60018, b"Errors, more"),
    (sp.EXTRA_CODE, 4, 60019, b"Customer error code"),
)


_ODD = b"Odd fields"
_NO_STATUS = b"no status"
_count = bytearray(4)  # how many, as digits
_parameters = Parameters()


def add_parameters(parameters, buf, at, length, rows):
    """Add what the record has besides the spindle parts."""
    head = at + sp.PLACE
    parameters.spindle = 0
    if buf[at + res.HEAD_BYTES + res.TIGHTENING_STATUS] <= 0x20:
        parameters.add_text(60006, _ODD, _NO_STATUS, 0, len(_NO_STATUS))
    _add_absent(parameters, buf, at, rows)
    if sp.announced_of(buf, at) > rows:
        put_number(_count, 0, 4, sp.announced_of(buf, at))
        parameters.add_figure(60007, b"Spindles in all", _count, 0, 4)
    if sp.presses(buf, at):
        parameters.add_text(60008, b"Press", b"kN, mm", 0, 6)
    if sp.form_of(buf, at) == sp.BOLTS:
        if buf[head + sp.PM_STATUS] > 0x20:
            parameters.add_figure(60009, b"PM status", buf, head + sp.PM_STATUS, 1)
        parameters.add_text(60010, b"Station", buf, head + sp.STATION_NAME, sp.NAME_BYTES)
        parameters.add_text(60011, b"Mode", buf, head + sp.MODE_NAME, sp.NAME_BYTES)
        _add_bolts(parameters, buf, sp.rows_end(buf, at), at + length, rows)
    elif sp.form_of(buf, at) == sp.SYNC and number(buf, head + sp.JOB_SEQUENCE, sp.JOB_SEQUENCE_BYTES) > 0:
        parameters.add_figure(1501, b"Job sequence number", buf, head + sp.JOB_SEQUENCE, sp.JOB_SEQUENCE_BYTES)


def _add_absent(parameters, buf, at, rows):
    """Add, for each spindle, which of torque, angle and status is absent, and what is odd or has no room there."""
    stroke = 2 if sp.presses(buf, at) else 0
    is_bolt = sp.form_of(buf, at) == sp.BOLTS
    row = sp.first_row(buf, at)
    odd = sp.odd_row(buf, at)
    unjudged = sp.unjudged_row(buf, at)
    for index in range(rows):
        status = row + (2 if is_bolt else 4)
        torque = row + (5 if is_bolt else 7)
        angle = row + (12 if is_bolt else 13)
        torque_bytes = sp.FIGURE_BYTES if is_bolt else sp.TORQUE_BYTES
        angle_bytes = sp.FIGURE_BYTES if is_bolt else sp.ANGLE_BYTES
        text = absent_in(buf, torque, torque_bytes, angle, angle_bytes, status)
        parameters.spindle = SPINDLES + index * SPINDLE_BYTES
        if index == odd:
            from toolcart.agent.record.malformed import words_of_row  # hardly any result needs it

            words = words_of_row(buf, at, index).encode()
            parameters.add_text(60006, _ODD, words, 0, len(words))
            odd = sp.odd_row(buf, at, index + 1)
        if text:
            parameters.add_text(60006, _ODD, text, 0, len(text))
        if index == unjudged:
            from toolcart.agent.record.malformed import statuses_of_row  # likewise

            for words in statuses_of_row(buf, at, index):
                if words != "no status":  # which is in the text above
                    parameters.add_text(60006, _ODD, words.encode(), 0, len(words))
            unjudged = sp.unjudged_row(buf, at, index + 1)
        if not _is_short(buf, torque, torque_bytes, is_bolt):
            _add_long(parameters, b"torque ", buf, torque, torque_bytes, 0 if is_bolt else 2, 5)
        if not _is_short(buf, angle, angle_bytes, is_bolt):
            _add_long(parameters, b"angle ", buf, angle, angle_bytes, 0 if is_bolt else stroke, 6)
        row += sp.row_bytes(buf, at)
    parameters.spindle = 0


def _is_short(buf, place, width, is_bolt):
    """True if the figure is a usual one, which the telegram has room for; allocates nothing."""
    if is_bolt:
        return buf.find(b".", place + 1, place + 6) > 0
    return all_digits(buf, place, width)


def _add_long(parameters, name, buf, place, width, decimals, room):
    """Add the figure at buf[place:place+width] as it came if it is none, or has more than `room` digits."""
    text = sp.pointed(buf, place, width, decimals)
    if not is_blank(buf, place, width) and (not text or len(text.partition(".")[0]) > room):
        words = name + bytes(buf[place : place + width]).strip(b" \0")
        parameters.add_text(60006, _ODD, words, 0, len(words))


def write(writer, buf, at, length, flags, ident, sequence, add=add_parameters):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send.

    `add` adds what the record has besides the spindle parts; it is called twice, to count and to write.
    """
    rows = sp.count_of(buf, at)
    if rows == 0:
        return writer.write(buf, at, sp.PLACE, flags, ident, sequence)
    rest = at + sp.PLACE + sp.WORKPIECE
    vins = 1 if sp.form_of(buf, at) == sp.BOLTS and not is_blank(buf, rest, sp.WORKPIECE_BYTES) else 0
    octets = _write_common(writer, buf, at, flags, ident, sequence, rows, vins)
    count = (octets - _BEHIND_FIRST) // PARAMETER_BYTES if octets else writer.count
    first = SPINDLES + rows * SPINDLE_BYTES + vins * _VIN_BYTES
    parameters = _parameters
    parameters.begin(writer.tx, 0, 0)
    add(parameters, buf, at, length, rows)
    more = parameters.count
    room = min(_MOST, (_TELEGRAM_MOST + LENGTH_BYTES - first) // PARAMETER_BYTES) - count
    total = count + min(more, room)
    end = first + total * PARAMETER_BYTES
    tx = writer.grown(end)
    if octets:
        _spread(writer, octets, first - _BEHIND_FIRST)
    put_number(tx, _SPINDLE_COUNT, 4, rows)
    put_number(tx, _VIN_COUNT, 2, vins)
    put_number(tx, _PARAMETER_COUNT, 3, total)
    if count and (octets or compare(tx, first + 4, tx, PROGRAM, 4)):
        _give_to_all(tx, first, count)
    _put_spindles(tx, buf, at, rows)
    if vins:
        put_number(tx, first - _VIN_BYTES, 4, 1)
        put_identifier(tx, first - _VIN_BYTES + 4, buf, rest, sp.WORKPIECE_BYTES)
    parameters.begin(tx, first + count * PARAMETER_BYTES, more if more <= room else room - 1)
    add(parameters, buf, at, length, rows)
    if more > room:
        _add_left_out(parameters, more - room + 1)
    return finish(tx, end)


def _write_common(writer, buf, at, flags, ident, sequence, rows, vins):
    """Write what is the same for one spindle; return its length, 0 if it went into the telegram laid out before."""
    tx = writer.tx
    shape = writer.shape
    is_laid_out = shape < -1 and number(tx, _SPINDLE_COUNT, 4) == rows and number(tx, _VIN_COUNT, 2) == vins
    writer.shape = -2 - shape if is_laid_out else -1
    writer.octets = 0  # the writer looks up no parameter where those of one spindle would be
    writer.names_absent = True  # each row has its own
    octets = writer.write(buf, at, sp.PLACE, flags, ident, sequence)
    writer.names_absent = False
    if octets == 0:
        writer.shape = shape
    if not is_blank(writer.serial, 0, res.SERIAL_BYTES):
        writer.serial[0] = 0  # it does not stay in the telegram
    return octets


def _spread(writer, octets, shift):
    """Move the parameters of a telegram of one spindle on by `shift` bytes, with all that the writer knows of them."""
    tx = writer.tx
    writer.shape = -2 - writer.shape
    end = octets
    while end > _BEHIND_FIRST and shift:
        width = min(shift, end - _BEHIND_FIRST)
        end -= width
        copy(tx, end + shift, tx, end, width)
    form = writer.form
    for place in range(1, writer.moves * _MOVE_BYTES, _MOVE_BYTES):
        to = form[place] | form[place + 1] << 8
        if to >= _BEHIND_FIRST:
            to += shift
            form[place] = to & 0xFF
            form[place + 1] = to >> 8
    # A place that this telegram lacks may be from an earlier one, and is not used.
    if writer.change_at < octets:
        writer.change_at += shift
    if writer.odd_at < octets:
        writer.odd_at += shift


def _give_to_all(tx, at, count):
    """Give the writer's own parameters at tx[at:] to all spindles, with the program of the first."""
    while count > 0:
        fill(tx, at, 4, 0x30)
        copy(tx, at + 4, tx, PROGRAM, 4)
        at += PARAMETER_BYTES
        count -= 1


def _put_spindles(tx, buf, at, rows):
    """Write the spindle parts, each over a copy of the first, which has program and limits."""
    form = sp.form_of(buf, at)
    row = sp.first_row(buf, at)
    octets = sp.row_bytes(buf, at)
    width = sp.number_bytes(buf, at)
    stroke = 2 if sp.presses(buf, at) else 0
    fill(tx, _SERIAL, _SERIAL_BYTES)
    to = SPINDLES
    for index in range(rows):
        if index:
            copy(tx, to, tx, SPINDLES, SPINDLE_BYTES)
        put_number(tx, to, 4, max(0, number(buf, row, width)))
        _put_judgements(tx, to, buf, row + 2 if form == sp.BOLTS else row + 4)
        if form == sp.BOLTS:
            for place in range(0, _ALL, 2):
                to_in = _BOLT_FIGURES[place]
                decimals = 1 if to_in >= _FIRST_ANGLE else 2
                put_figure(tx, to + to_in, decimals, buf, row + _BOLT_FIGURES[place + 1], sp.FIGURE_BYTES, 0)
        else:
            _put_figures(tx, to, buf, row, 0, _ALL if form == sp.OBJECTS else _MEASURED, stroke)
            if index == 0 and form == sp.SYNC:
                _put_figures(tx, to, buf, at + _LIMITS - sp.OBJECT_LIMITS, _MEASURED, _ALL, stroke)
        row += octets
        to += SPINDLE_BYTES
    if sp.odd_row(buf, at) >= 0:
        from toolcart.agent.record.malformed import unique_numbers  # hardly any result needs it

        to = SPINDLES
        for value in unique_numbers(sp.numbers_of(buf, at)):
            put_number(tx, to, 4, value)
            to += SPINDLE_BYTES


def _put_judgements(tx, to, buf, at):
    """Write the status of a spindle at buf[at:], and those of torque and angle after it."""
    overall = 0x30 if buf[at] == 0x31 else 0x31
    tx[to + 18] = overall
    octet = buf[at + 1]
    tx[to + 35] = _JUDGED[octet - 0x30] if 0x30 <= octet <= 0x33 else overall
    octet = buf[at + 2]
    tx[to + 60] = _JUDGED[octet - 0x30] if 0x30 <= octet <= 0x33 else overall


def _put_figures(tx, to, buf, at, place, end, stroke):
    """Write figures of Open Protocol: torques are hundredths, angles have as many decimals as `stroke`."""
    while place < end:
        if _FIGURES[place] >= _FIRST_ANGLE:
            put_figure(tx, to + _FIGURES[place], 1, buf, at + _FIGURES[place + 1], sp.ANGLE_BYTES, stroke)
        else:
            put_figure(tx, to + _FIGURES[place], 2, buf, at + _FIGURES[place + 1], sp.TORQUE_BYTES, 2)
        place += 2


def _add_bolts(parameters, buf, place, end, rows):
    """Add what MID 0107 has of each bolt, from buf[place:] on."""
    place = sp.extra_at(buf, place, end)
    while place >= 0:
        row = number(buf, place, 2)
        parameters.spindle = SPINDLES + row * SPINDLE_BYTES if row < rows else 0
        for start, width, ident, name in _OF_BOLT:
            parameters.add_text(ident, name, buf, place + start, width)
        values = number(buf, place + sp.EXTRA_COUNT, 2)
        place += sp.EXTRA_BYTES
        while values > 0:
            value = parameters.add_figure(_BOLT_VALUE, b"Value", buf, place + 22, sp.FIGURE_BYTES)
            if value:
                if not is_blank(buf, place, sp.NAME_BYTES):
                    put_identifier(parameters.tx, value + NAME, buf, place, sp.NAME_BYTES)
                put_number(parameters.tx, value + STEP, 2, max(0, number(buf, place + 29, 2)))
            place += sp.VALUE_BYTES
            values -= 1
        place = sp.extra_at(buf, place, end)


def _add_left_out(parameters, count):
    """Add a parameter that says how many others have no room."""
    parameters.spindle = 0
    parameters.room += 1
    parameters.count = parameters.room - 1
    put_number(_count, 0, 4, count)
    parameters.add_figure(60013, b"Values left out", _count, 0, 4)


assert _LIMITS == res.HEAD_BYTES + res.BODY_BYTES
