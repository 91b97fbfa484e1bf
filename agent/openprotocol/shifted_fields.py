"""Finds the fields of a message by their parameter IDs where these are not in the places of its layout.

A name with one letter of two octets that was padded by characters makes its field an octet too long, and shifts all
after it. The result is a copy of the message with every text as wide as documented, which any reader can read.

Rules
1. Only a text is longer or shorter than its layout has it, by three octets a character at most. Every other field has
   its width, so after a text all IDs up to the next one are shifted alike.
2. An alignment counts if every ID is in its place, and the message ends where the last field does; blanks and NULs
   may follow.
3. A text can hold digits that look like an ID, so there may be several alignments. Those come first in which each text
   has as many characters as its layout has octets, in UTF-8 or an encoding of one or two octets. Of them, or else of
   all, there must be exactly one: nothing is guessed.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import is_blank
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, TEXT, WIDTH_BITS, has_id

OCTETS_A_CHARACTER = const(3)
_TRIED_MOST = const(5000)  # places of IDs that are looked at; a message of texts full of IDs has more, and is not read


def straightened(widths, count, buf, at, length, rest=None):
    """Return copies of the message buf[at:at+length] with its first `count` fields as wide as documented.

    None was found, or one; of more than one it cannot be known which is right. `rest(buf, place, end)` says whether
    what follows these fields fits; without it only blanks and NULs may follow.
    """
    end = at + length
    alignments = []
    tries = [_TRIED_MOST]
    _align(widths, count, buf, at + HEADER_BYTES, end, rest or _is_padding, [], alignments, tries)
    if tries[0] < 0:
        return [None, None]
    fitting = [starts for starts in alignments if _are_padded_by_characters(widths, buf, starts)]
    return [_copy(widths, buf, at, end, starts) for starts in fitting or alignments]


def _align(widths, count, buf, place, end, rest, starts, alignments, tries):
    """Add to `found` where each field begins, and what follows them, for each alignment that goes on like `starts`."""
    index = len(starts)
    starts = list(starts)
    tries[0] -= 1
    width = -1  # of a text
    while index < count and width < 0:
        if tries[0] < 0 or place + ID_BYTES > end or not has_id(buf, place, index + 1):
            return
        starts.append(place)
        place += ID_BYTES
        if widths[index] & TEXT:
            width = widths[index] & WIDTH_BITS
        else:
            place += widths[index]
            index += 1
    if width < 0:
        if place <= end and rest(buf, place, end):
            alignments.append(starts + [place])
        return
    last = min(end, place + OCTETS_A_CHARACTER * width)
    if index < count - 1:
        following = b"%02d" % (index + 2)
        place = buf.find(following, place, last + ID_BYTES)
        while place >= 0:
            _align(widths, count, buf, place, end, rest, starts, alignments, tries)
            place = buf.find(following, place + 1, last + ID_BYTES)
    elif rest is _is_padding:  # a text at the end: what is too long of it is cut off
        if last == end:
            _align(widths, count, buf, end, end, rest, starts, alignments, tries)
    else:
        for rest_at in range(place, last + 1):
            _align(widths, count, buf, rest_at, end, rest, starts, alignments, tries)


def _is_padding(buf, place, end):
    return is_blank(buf, place, end - place)


def _are_padded_by_characters(widths, buf, starts):
    """True if each text has the octets, or the characters, that its layout has octets (rule 3)."""
    for index in range(len(starts) - 1):
        if widths[index] & TEXT:
            text = bytes(buf[starts[index] + ID_BYTES : starts[index + 1]])
            if (widths[index] & WIDTH_BITS) not in (len(text), _characters(text), _pairs(text)):
                return False
    return True


def _characters(text):
    """Return how many characters the text has in UTF-8."""
    return len([octet for octet in text if octet & 0xC0 != 0x80])


def _pairs(text):
    """Return how many characters the text has where an octet above 0x80 begins one of two, as in GBK or Shift JIS."""
    at = characters = 0
    while at < len(text):
        at += 2 if text[at] > 0x80 else 1
        characters += 1
    return characters


def _copy(widths, buf, at, end, starts):
    """Return the header, the fields that begin at `starts`, each as wide as documented, and the rest."""
    copied = bytes(buf[at : at + HEADER_BYTES])
    for index in range(len(starts) - 1):
        width = ID_BYTES + (widths[index] & WIDTH_BITS)
        field = bytes(buf[starts[index] : starts[index + 1]])
        copied += field[:width] + b" " * (width - len(field))
    return copied + bytes(buf[starts[-1] : end])
