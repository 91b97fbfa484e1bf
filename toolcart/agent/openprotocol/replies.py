"""What an error code of MID 0004 means for us, as data (003:3267-3463; DIGEST C.2).

What is done about it is in the row of the request (toolcart.agent.openprotocol.requests).
"""

from toolcart.agent.base.compat import const

REFUSED_OTHER = const(0)  # without a rule: the request has failed, the session goes on or starts over
REFUSED_REVISION = const(1)  # 97, 74, 76: try the next revision
REFUSED_BUSY = const(2)  # 96, 16, 35: another client has the slot; stay away for a while
REFUSED_EXISTS = const(3)  # 06, 09, 11, 13, 18, 71: the subscription survived our reconnect
REFUSED_MISSING = const(4)  # 07, 10, 12, 14, 19, 72: nothing to unsubscribe
REFUSED_LATER = const(5)  # 98, 28, 27: try the same again later
REFUSED_NEVER = const(6)  # 99, 73, 75: this controller does not know the message
REFUSED_GONE = const(7)  # 15: the result is no longer there
REFUSED_NOTHING = const(8)  # 00: "no error", which is no rejection

# Pairs of a code and its class.
_CLASSES = (
    bytes((97, REFUSED_REVISION, 74, REFUSED_REVISION, 76, REFUSED_REVISION))
    + bytes((96, REFUSED_BUSY, 16, REFUSED_BUSY, 35, REFUSED_BUSY))
    + bytes((6, REFUSED_EXISTS, 9, REFUSED_EXISTS, 11, REFUSED_EXISTS))
    + bytes((13, REFUSED_EXISTS, 18, REFUSED_EXISTS, 71, REFUSED_EXISTS))
    + bytes((7, REFUSED_MISSING, 10, REFUSED_MISSING, 12, REFUSED_MISSING))
    + bytes((14, REFUSED_MISSING, 19, REFUSED_MISSING, 72, REFUSED_MISSING))
    + bytes((98, REFUSED_LATER, 28, REFUSED_LATER, 27, REFUSED_LATER))
    + bytes((99, REFUSED_NEVER, 73, REFUSED_NEVER, 75, REFUSED_NEVER, 15, REFUSED_GONE))
)


def refusal_class(code):
    """Return the REFUSED_ class of an error code; REFUSED_OTHER for one without a rule."""
    for at in range(0, len(_CLASSES), 2):
        if _CLASSES[at] == code:
            return _CLASSES[at + 1]
    return REFUSED_OTHER


def refusal_of(buf, start, code):
    """Return the REFUSED_ class of the code that stands at buf[start:]; it is 0 too where nothing can be read."""
    return REFUSED_NOTHING if code == 0 and buf[start] == 0x30 else refusal_class(code)


def code_of(buf, start, end):
    """Return the error code at the start of buf[start:end], two or three digits; 0 if there is none."""
    value = 0
    while start < end and 0x30 <= buf[start] <= 0x39 and value < 1000:
        value = value * 10 + buf[start] - 0x30
        start += 1
    return value
