"""Whether the parameter IDs of a message, two digits in front of each field, are where its layout has them.

A layout is one octet for each field from ID 01 on: its width, and TEXT for a text. A text is padded to its width by
characters in some firmware, by octets in others: after one everything may be shifted
(toolcart.agent.openprotocol.shifted_fields).
"""

from toolcart.agent.base.compat import const

TEXT = const(0x80)
WIDTH_BITS = const(0x7F)
ID_BYTES = const(2)


def has_id(buf, place, number):
    """True if the two digits of this ID are at buf[place:]. Hot: allocates nothing."""
    return buf[place] == 0x30 + number // 10 and buf[place + 1] == 0x30 + number % 10


def end_of(widths, count, buf, place, end):
    """Return where the first `count` fields of the layout end, which begin at buf[place:]; 0 if an ID is not there.

    Also 0 if they do not end in front of buf[end]. Hot: allocates nothing.
    """
    for index in range(count):
        if place + ID_BYTES > end or not has_id(buf, place, index + 1):
            return 0
        place += ID_BYTES + (widths[index] & WIDTH_BITS)
    return place if place <= end else 0
