"""What only Linux keeps or reads of a result of several spindles: special values, and which object an object refers to.

Special values come after the rows and the bolt data that they belong to (toolcart.agent.record.spindles), each as long
as it came; `row` is blank for those of the station (MID 0106):

    byte   0     1     3      5       25     27       29
           | 'S' | row 2 | step 2 | name 20 | type 2 | length 2 | value |
"""

from toolcart.agent.base.fields import is_blank, number
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.provenance import origin_bytes
from toolcart.agent.record.spindles import FORM, PLACE

CPYTHON_ONLY = True  # boards ask for revisions without identifiers, and keep none


# Additional identifiers of a result of one spindle: identifier result parts 2 to 4 (OP 5.8.2 p. 141, 5.8.6 p. 151-152).
#
#     payload  0      8       114      151  152           177           202           227
#              | head | body  | limits | 'I'| identifier 2| identifier 3| identifier 4|
#
# Each is text of 25 bytes as it came, blank where there is none. A record has this only if one of them is not blank. It
# is as long as one of several spindles (toolcart.agent.record.spindles) and is told from those by its form. Where the
# fields were found by their parameter IDs the whole message follows (toolcart.agent.record.malformed).

IDENTIFIERS = 0x49  # with toolcart.agent.record.spindles.BY_ID
COUNT = 3
WIDTH = 25
BYTES = 1 + COUNT * WIDTH
PAYLOAD_BYTES = PLACE + BYTES


def has_identifiers(page, at, length):
    """True if the payload of `length` bytes at page[at:] is of one spindle with additional identifiers."""
    return length >= PAYLOAD_BYTES and page[at + PLACE + FORM] == IDENTIFIERS


def places_of(page, at):
    """Return the number, 1 to 3, and the place of each identifier that is not blank."""
    first = at + PLACE + 1
    found = [(index + 1, first + index * WIDTH) for index in range(COUNT)]
    return [one for one in found if not is_blank(page, one[1], WIDTH)]


def frame_of(page, at, length):
    """Return the message that is kept behind the additional identifiers of the payload page[at:], empty if none is."""
    if not has_identifiers(page, at, length):
        return b""
    return bytes(page[at + PAYLOAD_BYTES : at + length - origin_bytes(page, at)])


ROW = 1
STEP = 3
NAME = 5
VALUE = rec.SPECIAL_BYTES


def specials_of(page, at, length):
    """Return for each special value: its row from 0 on (-1: the station), where it begins, and its value's length."""
    found = []
    extras = [
        (place, rec.EXTRA_BYTES + values * rec.VALUE_BYTES) for _, place, values in rec.extras_of(page, at, length)
    ]
    behind = dict(extras)
    place = rec.rows_end(page, at)
    end = at + length
    while place + rec.SPECIAL_BYTES <= end:
        if place in behind:
            place += behind[place]
            continue
        octets = number(page, place + rec.SPECIAL_LENGTH, 2)
        if page[place] != rec.SPECIAL or octets < 0 or place + rec.SPECIAL_BYTES + octets > end:
            break
        found.append((number(page, place + ROW, 2), place, octets))
        place += rec.SPECIAL_BYTES + octets
    return found


def object_of(page, at, index):
    """Return the type of the object in row `index`, and the ID of the one it refers to; -1 if not given."""
    if rec.form_of(page, at) != rec.OBJECTS:
        return -1, -1
    place = at + rec.PLACE + rec.SYNC_HEAD_BYTES + index * rec.OBJECTS_ROW_BYTES + rec.OBJECT_TYPE
    return number(page, place, 1), number(page, place + 1, rec.OBJECT_BYTES)
