"""What an error code of MID 0004 means for us, as data (003:3267-3463; DIGEST C.2).

What is done about it is in the row of the request (toolcart.agent.openprotocol.requests).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill, number

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


# What MID 0002 and 0041 say about a controller and its tool, copied out; their length tells which fields they have.
#
# identity  0     4        6               31       41          51
#           | cell| channel| name of 25    | serial | station  |   serial: blanks before revision 4, station before 6

IDENTITY_BYTES = const(51)
STATION = const(41)  # where its ten digits stand
STATION_BYTES = const(10)
TOOL_BYTES = const(14)
REPEATS_NOTHING = const(4)  # that of an MT Focus 6000 (002:130): what it pushes is sent once, acknowledged or not
SEVERAL_SPINDLES = const(2)  # that of a PowerMACS (003:3169-3182): a station's results come as MID 0106
SHARED_SYSTEM = const(3)  # that of a Power Focus 6000: its stations may share the IDs


def read_identity(identity, buf, at, length):
    """Fill `identity` from the 0002 at buf[at:], of 57 bytes at least (003:3095-3118)."""
    fill(identity, 0, IDENTITY_BYTES)
    copy(identity, 0, buf, at + 22, 4)
    copy(identity, 4, buf, at + 28, 2)
    copy(identity, 6, buf, at + 32, 25)
    if length >= 163:
        copy(identity, 31, buf, at + 153, 10)
    if length >= 191:
        copy(identity, STATION, buf, at + 181, STATION_BYTES)


def system_type_of(buf, at, length):
    """Return the system type that 0002 names, 0 if it names none."""
    return number(buf, at + 165, 3) if length >= 168 else 0


def numbers_messages(buf, at, length):
    """True if 0002 announces link-level numbers."""
    return length >= 176 and buf[at + 175] == 0x31


def read_tool(serial, buf, at):
    """Fill `serial` from the 0041 at buf[at:], of 36 bytes at least (003:5303-5330)."""
    copy(serial, 0, buf, at + 22, TOOL_BYTES)
