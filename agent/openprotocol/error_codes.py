"""What an error code of MID 0004 means for us, as data (OP 5.2.4 p. 74-77; protocol.md 4.2).

What is done about it is in the row of the request (toolcart.agent.openprotocol.requests).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number

REJECTED_OTHER = const(0)  # without a rule: the request has failed, the session goes on or starts over
REJECTED_REVISION = const(1)  # 97, 74, 76: try the next revision
REJECTED_BUSY = const(2)  # 96, 16, 35: another client has the slot; stay away for a while
REJECTED_EXISTS = const(3)  # 06, 09, 11, 13, 18, 71: the subscription survived our reconnect
REJECTED_MISSING = const(4)  # 07, 10, 12, 14, 19, 72: nothing to unsubscribe
REJECTED_LATER = const(5)  # 98, 28, 27: try the same again later
REJECTED_NEVER = const(6)  # 99, 73, 75: this controller does not know the message
REJECTED_GONE = const(7)  # 15: the result is no longer there
REJECTED_NOTHING = const(8)  # 00: "no error", which is no rejection

NO_CODE = const(-1)  # of a rejection without one: blank, letters, or nothing at all
UNNAMED = const(-9999)  # by a MID 0004 or 0005 that has blanks or nothing in place of the MID it answers
_CODE_MOST = const(999)

# Pairs of a code and its class.
_CLASSES = (
    bytes((97, REJECTED_REVISION, 74, REJECTED_REVISION, 76, REJECTED_REVISION))
    + bytes((96, REJECTED_BUSY, 16, REJECTED_BUSY, 35, REJECTED_BUSY))
    + bytes((6, REJECTED_EXISTS, 9, REJECTED_EXISTS, 11, REJECTED_EXISTS))
    + bytes((13, REJECTED_EXISTS, 18, REJECTED_EXISTS, 71, REJECTED_EXISTS))
    + bytes((7, REJECTED_MISSING, 10, REJECTED_MISSING, 12, REJECTED_MISSING))
    + bytes((14, REJECTED_MISSING, 19, REJECTED_MISSING, 72, REJECTED_MISSING))
    + bytes((98, REJECTED_LATER, 28, REJECTED_LATER, 27, REJECTED_LATER))
    + bytes((99, REJECTED_NEVER, 73, REJECTED_NEVER, 75, REJECTED_NEVER, 15, REJECTED_GONE, 0, REJECTED_NOTHING))
)


def rejection_class(code):
    """Return the REJECTED_ class of an error code; REJECTED_OTHER for one without a rule, and for NO_CODE."""
    for at in range(0, len(_CLASSES), 2):
        if _CLASSES[at] == code:
            return _CLASSES[at + 1]
    return REJECTED_OTHER


def code_of(buf, start, end):
    """Return the error code at the start of buf[start:end], two or three digits or fewer; NO_CODE if there is none."""
    value = NO_CODE
    digits_end = start + 2  # what follows two digits may be anything
    while start < end:
        octet = buf[start]
        if 0x30 <= octet <= 0x39:
            value = max(value, 0) * 10 + octet - 0x30
            if value > _CODE_MOST:
                return NO_CODE
        elif octet > 0x20 and (value < 0 or start < digits_end):
            return NO_CODE
        elif value >= 0:
            return value
        start += 1
    return value


def named_in(buf, start, end):
    """Return the MID in the four bytes at buf[start:end], or in as many as there are; they may be padded with blanks.

    UNNAMED if there is none, another below 0 if it is not a number.
    """
    end = min(end, start + 4)
    while start < end and buf[start] <= 0x20:
        start += 1
    while start < end and buf[end - 1] <= 0x20:
        end -= 1
    return number(buf, start, end - start) if start < end else UNNAMED


def noted(mid, code):
    """Return a rejection as one number: 1000 * MID + code; below 0, -1 - MID, for one without a code."""
    return -1 - mid if code == NO_CODE else mid * 1000 + code
