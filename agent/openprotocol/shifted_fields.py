"""Finds the fields of a message by their parameter IDs where these are not in the places of its layout.

A name with one letter of two octets that was padded by characters makes its field an octet too long, and shifts all
after it. The result is a copy of the message with every text as wide as documented, which any reader can read.

Rules
1. Only a text is longer or shorter than its layout has it, by three octets a character at most. Every other field has
   its width, so after a text all IDs up to the next one are shifted alike.
2. An alignment counts if every ID is in its place, and the message ends where the last field does; blanks and NULs
   may follow.
3. A text can hold digits that look like an ID, so there may be several alignments. What an alignment has to assume
   decides: texts padded by characters, all of them, are none (UTF-8, or an encoding of one or two octets); each text
   of another width is one fault. An alignment without one is believed if it is the only such, one with one fault if
   there is no other alignment at all, none with more.
4. One fault is not believed if one of another kind explains the message as well: a single ID that is printed
   wrong, twice or not at all, a single number that is wider or narrower, or the message's early end, and every text as
   wide as documented, in octets or in characters. So a VIN is never cut at its own digits because the ID in front of
   it is wrong, nor is a number cut at digits that look like the next ID.
5. A text at the end that is too short was cut off with the message: it is left out. So is a last field that begins with
   its own ID once more, if something is behind it.
6. A text with a NUL, CR or LF between its characters is none.
7. A text that has more octets than its place, and no more characters, loses what its place has no room for. One that
   has more characters is left out: a doubled or an unknown parameter may stand behind the true one.

Imported when the first such message comes; it allocates.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import is_blank
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.parameter_ids import ID_BYTES, TEXT, WIDTH_BITS, has_id

OCTETS_A_CHARACTER = const(3)
_OTHER_MOST = const(12)  # octets that a number may be wider or narrower
_TRIED_MOST = const(5000)  # places of IDs that are looked at; a message of texts full of IDs has more, and is not read


def straightened(widths, count, buf, at, length, rest=None, faults_most=1):
    """Return copies of the message buf[at:at+length] with its first `count` fields as wide as documented.

    None was found, or one; of more than one it cannot be known which is right, nor where it is None. `rest(buf, place,
    end)` says whether what follows these fields fits; without it only blanks and NULs may follow.
    """
    end = at + length
    alignments = []
    tries = [_TRIED_MOST]
    _align(widths, count, buf, at + HEADER_BYTES, end, rest or _is_padding, [], alignments, tries)
    if tries[0] < 0:
        return [None, None]
    faults = [_faults(widths, buf, starts, end, not rest) for starts in alignments]
    least = min(faults) if faults else faults_most + 1
    if least > faults_most:
        return []
    if faults.count(least) > 1 or (least and len(faults) > 1):
        return [None, None]
    starts = alignments[faults.index(least)]
    for index in range(count):
        if widths[index] & TEXT and not is_text(buf, starts[index] + ID_BYTES, starts[index + 1]):
            return [None, None]
    more = end - starts[-1]  # octets behind the last field
    if not rest and widths[count - 1] & TEXT:
        more = starts[-1] - starts[-2] - ID_BYTES - (widths[count - 1] & WIDTH_BITS)

    def fits(buf, place, end):
        return rest(buf, place, end) if rest else end - place <= max(0, more) and _is_padding(buf, place, end)

    tried = count if more >= 0 else count - 1
    if least and _is_explained(widths, count, tried, buf, at + HEADER_BYTES, end, fits):
        return [None, None]
    is_open = not rest and (more < 0 or (more > 0 and has_id(buf, starts[-2] + ID_BYTES, count)))
    return [_copy(widths, buf, at, end, starts, is_open)]


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


def is_cut(copied, buf, at, length):
    """True if this copy of the message buf[at:at+length] lacks some of its text (rule 7)."""
    return _count_octets(copied, 0, len(copied)) < _count_octets(buf, at, length)


def _count_octets(buf, at, length):
    """Return how many octets are there that are no padding."""
    count = 0
    for index in range(at, at + length):
        count += buf[index] != 0x20 and buf[index] != 0
    return count


def is_text(buf, place, end):
    """True if no NUL, CR or LF is among the characters at buf[place:end]; padding may hold any of them."""
    text = bytes(buf[place:end]).strip(b" \0\r\n")
    return b"\0" not in text and b"\r" not in text and b"\n" not in text


def _is_padding(buf, place, end):
    return is_blank(buf, place, end - place)


def _faults(widths, buf, starts, end, ends_there):
    """Return how many texts are not as wide as documented, by octets or by characters, whichever are fewer."""
    by_octets = by_characters = 0
    for index in range(len(starts) - 1):
        if widths[index] & TEXT:
            begin, stop = starts[index] + ID_BYTES, starts[index + 1]
            width = widths[index] & WIDTH_BITS
            is_last = ends_there and stop == end and index == len(starts) - 2
            by_octets += not _stops_at(buf, begin + width, stop, is_last)
            by_characters += not _stops_at(buf, text_end(buf, begin, stop, width), stop, is_last)
    return min(by_octets, by_characters)


def _stops_at(buf, place, stop, is_last):
    """True if the text ends there; the one at the message's end may have padding behind it."""
    return place == stop or (is_last and place < stop and _is_padding(buf, place, stop))


def text_end(buf, place, end, width):
    """Return where a text of so many characters ends that begins at buf[place:], or `end` + 1 if behind that.

    In UTF-8 if that is what it is, else where an octet above 0x80 begins one of two, as in GBK or Shift JIS.
    """
    begin = place
    for _ in range(width):
        octets = _utf8_octets(buf, place, end) if place < end else 0
        if not octets:
            return _pairs_end(buf, begin, end, width)
        place += octets
    return place


def _utf8_octets(buf, place, end):
    """Return how many octets the character at buf[place:end] has in UTF-8, 0 if it is none."""
    first = buf[place]
    if first < 0x80:
        return 1
    octets = 2 if 0xC2 <= first <= 0xDF else 3 if first & 0xF0 == 0xE0 else 4 if 0xF0 <= first <= 0xF4 else 0
    if place + octets > end:
        return 0
    for index in range(place + 1, place + octets):
        if buf[index] & 0xC0 != 0x80:
            return 0
    return octets


def _pairs_end(buf, place, end, width):
    for _ in range(width):
        if place >= end:
            return end + 1
        place += 2 if buf[place] > 0x80 else 1
    return place


def _is_explained(widths, count, tried, buf, place, end, rest):
    """True if rule 4 explains it: an early end, a wrong ID of the first `tried`, or one of these of another width.

    No text has another width then.
    """
    for by_characters in (False, True):
        here = place
        for index in range(tried):
            for octets in (0, ID_BYTES, 2 * ID_BYTES):  # missing, another one, twice
                if octets <= ID_BYTES or _is_twice(buf, here, end, index + 1):
                    if _leads_to_end(widths, count, buf, here + octets, end, rest, index, by_characters):
                        return True
            if here + ID_BYTES > end:
                return True  # it ends early, and all was in its place
            if not has_id(buf, here, index + 1):
                break
            if not widths[index] & TEXT:
                for octets in range(max(-widths[index], -_OTHER_MOST), _OTHER_MOST + 1):
                    if octets and _leads_to_end(
                        widths, count, buf, here + ID_BYTES + octets, end, rest, index, by_characters
                    ):
                        return True
            here = _field_end(widths, index, buf, here + ID_BYTES, end, by_characters)
            if here > end:
                return True
    return False


def _is_twice(buf, place, end, number):
    return place + 2 * ID_BYTES <= end and has_id(buf, place, number) and has_id(buf, place + ID_BYTES, number)


def _leads_to_end(widths, count, buf, place, end, rest, index, by_characters):
    """True if the content of field `index` is at buf[place:], and all others are in their places behind it."""
    place = _field_end(widths, index, buf, place, end, by_characters)
    for following in range(index + 1, count):
        if place + ID_BYTES > end or not has_id(buf, place, following + 1):
            return False
        place = _field_end(widths, following, buf, place + ID_BYTES, end, by_characters)
    return place <= end and rest(buf, place, end)


def _field_end(widths, index, buf, place, end, by_characters):
    width = widths[index] & WIDTH_BITS
    return text_end(buf, place, end, width) if by_characters and widths[index] & TEXT else place + width


def _copy(widths, buf, at, end, starts, is_open):
    """Return the header, the fields that begin at `starts`, each as wide as documented, and the rest.

    With `is_open` the last one is blank (rule 5).
    """
    copied = bytes(buf[at : at + HEADER_BYTES])
    last = len(starts) - 2
    for index in range(len(starts) - 1):
        width = ID_BYTES + (widths[index] & WIDTH_BITS)
        field = bytes(buf[starts[index] : starts[index + 1]])
        if is_open and index == last:
            field = field[:ID_BYTES]
        field = _cut(field, width)
        copied += field + b" " * (width - len(field))
    return copied + bytes(buf[starts[-1] : end])


def _cut(field, width):
    """Return the first `width` octets of a field at most, without half a character of UTF-8.

    Without its text if that has more characters than its place: nobody knows where it ends (rule 7).
    """
    end = len(field.rstrip(b" \0"))
    if end <= width:
        return field[:width]
    if text_end(field, ID_BYTES, end, width - ID_BYTES) < end:
        return field[:ID_BYTES]
    place = ID_BYTES
    while place < len(field):
        octets = _utf8_octets(field, place, len(field))
        if not octets:
            break
        if place + octets > width:
            return field[:place]
        place += octets
    return field[:width]
