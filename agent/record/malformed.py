"""What is odd about a result with FLAG_ODD: numbers that are none or have a sign, statuses that do not exist, and that
its fields did not stand where its revision has them, or not all of them were there.

Rules
1. It works on a copy of the payload: head, body and limits. What was odd is returned as text, as it was sent.
2. What should be there and is blank is told too, also of a result without FLAG_ODD: who reads `0.00` or `NOK` where a
   form has nothing else for "none" (telegram 04, the status of a line) can tell it from a figure.
3. It is imported when the first such record is shown or sent; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import BAD, copy, fill, is_blank, number, put_text
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.absent import absent_of
from toolcart.agent.record.provenance import origin_bytes

_LIMITS = res.HEAD_BYTES + res.BODY_BYTES
_PAYLOAD_BYTES = _LIMITS + res.LIMITS_BYTES
# Added to the decimals of the angles, or to the blank there.
SHIFTED = const(0x40)  # its fields were found where its revision does not have them
INCOMPLETE = const(0x80)  # some of its fields, or of its parts, were cut off or not proven
_MARKS = const(0xC0)

# Field, its place in the payload, its width, and whether it may have a sign.
_NUMBERS = (
    ("job", res.HEAD_BYTES + res.JOB, 4, False),
    ("program", res.HEAD_BYTES + res.PSET, 4, False),
    ("batch size", res.HEAD_BYTES + res.BATCH_SIZE, 4, False),
    ("batch counter", res.HEAD_BYTES + res.BATCH_COUNTER, 4, False),
    ("torque", res.HEAD_BYTES + res.TORQUE, 6, True),
    ("angle", res.HEAD_BYTES + res.ANGLE, 5, True),
    ("ID", res.HEAD_BYTES + res.TIGHTENING_ID, 10, False),
    ("torque min", _LIMITS + res.TORQUE_MIN, 6, True),
    ("torque max", _LIMITS + res.TORQUE_MAX, 6, True),
    ("torque target", _LIMITS + res.TORQUE_TARGET, 6, True),
    ("angle min", _LIMITS + res.ANGLE_MIN, 5, True),
    ("angle max", _LIMITS + res.ANGLE_MAX, 5, True),
    ("angle target", _LIMITS + res.ANGLE_TARGET, 5, True),
    ("result type", _LIMITS + res.RESULT_TYPE, 2, False),
)
_STATUSES = ("batch status", "status", "torque status", "angle status")


def mark(page, at, length, how):
    """Say in the payload page[at:at+length] that it is SHIFTED or INCOMPLETE; return its length, with limits."""
    if length < _PAYLOAD_BYTES:
        fill(page, at + _LIMITS, res.LIMITS_BYTES)
        length = _PAYLOAD_BYTES
    page[at + _LIMITS + res.ANGLE_DECIMALS] |= how
    return length


def keep_unread(page, place, width, text):
    """Write into a field of a number what is none, or none that it has room for: as it came, or its beginning and `..`.

    So it can be said, and is taken neither for a number nor for an absent one.
    """
    text = bytes(text).strip(b" \0")
    sign = text[:1] if text[:1] == b"-" else b""
    digits = text[len(sign) :]
    if digits.isdigit():
        digits = digits.lstrip(b"0") or b"0"
    if len(text) > width or digits.isdigit():
        text = (sign + digits)[: width - 2] + b".."
    fill(page, place, width)
    copy(page, place, text, 0, len(text))


def is_shifted(page, at, length):
    """True if the payload page[at:at+length] is marked so."""
    return length >= _PAYLOAD_BYTES and page[at + _LIMITS + res.ANGLE_DECIMALS] & SHIFTED != 0


def put_in_order(page, length):
    """Make all numbers of the payload page[:length] digits or blank, and all its statuses known ones or blank.

    Return the places of the numbers that had a minus, and what else was odd: `torque 12x456, status 5`.
    """
    negative = []
    notes = []
    end = length - origin_bytes(page, 0)
    for name, place, width, has_sign in _NUMBERS:
        if place + width > end:
            break
        text = bytes(page[place : place + width])
        if text.isdigit() or not text.replace(b"\0", b" ").strip():
            continue
        if has_sign and text[:1] == b"-" and text[1:].isdigit():
            page[place] = 0x30
            negative.append(place)
        else:
            notes.append("%s %s" % (name, _printed(page, place, width)))
            fill(page, place, width)
    for index in range(len(_STATUSES)):
        place = res.HEAD_BYTES + res.BATCH_STATUS + index
        if page[place] != 0x20 and not 0x30 <= page[place] <= res.STATUSES_MOST[index]:
            notes.append("%s %s" % (_STATUSES[index], _printed(page, place, 1)))
            page[place] = 0x20
    if length >= _PAYLOAD_BYTES:
        marks = page[_LIMITS + res.ANGLE_DECIMALS]
        if marks & SHIFTED:
            notes.append("shifted")
        if marks & INCOMPLETE:
            notes.append("incomplete")
        page[_LIMITS + res.ANGLE_DECIMALS] = marks & ~_MARKS
    return negative, ", ".join(notes)


def notes_of(page, at, flags, length):
    """Return all that is to be said about the record whose payload of `length` bytes is at page[at:]."""
    notes = []
    if flags & res.FLAG_ODD:
        notes.append(put_in_order(bytearray(page[at : at + length]), length)[1])
    if res.has_odd_change(page, at + res.HEAD_BYTES):
        place = at + res.HEAD_BYTES + res.PSET_CHANGE
        notes.append("program changed " + _printed(page, place, res.STAMP_BYTES))
    notes.append(absent_of(page, at))
    if length >= SEVERAL_LEAST:
        notes += _notes_of_rows(page, at)
    return ", ".join([note for note in notes if note])


def _notes_of_rows(page, at):
    """Return in words which rows their numbers do not tell from the others, and which lack a status that exists."""
    from toolcart.agent.record import spindles as rec  # only where results have several

    notes = []
    index = rec.odd_row(page, at)
    while index >= 0:
        notes.append(words_of_row(page, at, index))
        index = rec.odd_row(page, at, index + 1)
    found = {}
    index = rec.unjudged_row(page, at)
    while index >= 0:
        value = rec.numbers_of(page, at)[index]
        for words in statuses_of_row(page, at, index):
            found[words] = found.get(words, words + " of") + (" %d" % value if value >= 0 else " ?")
        index = rec.unjudged_row(page, at, index + 1)
    notes += [found[words] for words in sorted(found)]
    if rec.form_of(page, at) == rec.OBJECTS:
        numbers = rec.numbers_of(page, at)
        for index in range(1, len(numbers)):  # the body has those of the first
            notes += _figures_of_row(page, rec.first_row(page, at) + index * rec.OBJECTS_ROW_BYTES, numbers[index])
    return notes


def _figures_of_row(page, row, value):
    """Return in words each figure of the object at page[row:], with this number, that cannot be read."""
    from toolcart.agent.record import spindles as rec  # likewise

    words = []
    for name, place, width, _ in _NUMBERS:
        to = row + (7 if name == "torque" else 13 if name == "angle" else rec.OBJECT_LIMITS + place - _LIMITS)
        is_figure = name in ("torque", "angle") or _LIMITS <= place < _LIMITS + res.TORQUE_UNIT
        if is_figure and not is_blank(page, to, width) and not rec.pointed(page, to, width, 0):
            words.append("%s %s of %s" % (name, _printed(page, to, width), value if value >= 0 else "?"))
    return words


def words_of_row(page, at, index):
    """Return what is odd about number and channel of a row that toolcart.agent.record.spindles.odd_row names."""
    from toolcart.agent.record import spindles as rec  # likewise

    numbers = rec.numbers_of(page, at)
    place = rec.first_row(page, at) + index * rec.row_bytes(page, at)
    words = []
    if unique_numbers(numbers)[index] != numbers[index]:
        text = _printed(page, place, rec.number_bytes(page, at))
        words.append("spindle " + text if text else "no spindle")
    if rec.form_of(page, at) == rec.SYNC and number(page, place + rec.CHANNEL, 2) == BAD:
        words.append("channel " + _printed(page, place + rec.CHANNEL, 2))
    return ", ".join(words)


def statuses_of_row(page, at, index):
    """Return in words each status that a row named by toolcart.agent.record.spindles.unjudged_row lacks, or has odd."""
    from toolcart.agent.record import spindles as rec  # likewise

    place = rec.first_row(page, at) + index * rec.row_bytes(page, at) + (2 if rec.form_of(page, at) == rec.BOLTS else 4)
    words = [] if page[place] and page[place] != 0x20 else ["no status"]
    for step in range(3):
        octet = page[place + step]
        if octet and octet != 0x20 and not 0x30 <= octet <= (0x33 if step else 0x31):
            words.append("%s %s" % (_STATUSES[1 + step], _printed(page, place + step, 1)))
    return words


def unique_numbers(numbers):
    """Return the rows' numbers, all different: where one is below 1 or repeated, the row's place or the next free one.

    So a row has the same number wherever numbers have to be different: in telegram 04 and 13, and in an archive.
    """
    used = set()
    found = []
    for value in numbers:
        found.append(value if value > 0 and value not in used else 0)
        used.add(found[-1])
    for index in range(len(found)):
        if not found[index]:
            value = index + 1
            if value in used:
                value = 1
                while value in used:
                    value += 1
            used.add(value)
            found[index] = value
    return found


def decimals_of(page, at, length):
    """Return how many digits of each angle of the payload page[at:at+length] are decimals."""
    if length < _PAYLOAD_BYTES:
        return 0
    octet = page[at + _LIMITS + res.ANGLE_DECIMALS] & ~_MARKS
    return octet - 0x30 if 0x31 <= octet <= 0x34 else 0


def _printed(page, at, width):
    text = bytearray(width)
    put_text(text, 0, page, at, width)
    return bytes(text).decode().strip()
