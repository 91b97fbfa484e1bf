"""Additional identifiers of a result of one spindle: identifier result parts 2 to 4 (OP 5.8.2 p. 141, 5.8.6 p. 151).

    payload  0      8       114      151  152           177           202           227
             | head | body  | limits | 'I'| identifier 2| identifier 3| identifier 4|

Each is text of 25 bytes as it came, blank where there is none. A record has this only if one of them is not blank. It
is as long as one of several spindles (toolcart.agent.record.spindles) and is told from those by its form. Where the
fields were found by their parameter IDs the whole message follows (toolcart.agent.record.malformed).
"""

from toolcart.agent.base.fields import is_blank
from toolcart.agent.record.provenance import origin_bytes
from toolcart.agent.record.spindles import FORM, PLACE

CPYTHON_ONLY = True  # boards ask for revisions without identifiers, and keep none

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
    places = [(index + 1, first + index * WIDTH) for index in range(COUNT)]
    return [one for one in places if not is_blank(page, one[1], WIDTH)]


def frame_of(page, at, length):
    """Return the message that is kept behind the additional identifiers of the payload page[at:], empty if none is."""
    if not has_identifiers(page, at, length):
        return b""
    return bytes(page[at + PAYLOAD_BYTES : at + length - origin_bytes(page, at)])
