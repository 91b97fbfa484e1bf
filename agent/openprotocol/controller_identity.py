"""What MID 0002 and 0041 say about a controller and its tool, copied out.

identity  0     4        6               31       41         51           54
          | cell| channel| name of 25    | serial | station  | system type| sequence numbers|   blank: not known

A field of MID 0002 is known where every parameter ID up to the message's end is in its place, or in that to which
a longer or shorter text shifts it (toolcart.agent.openprotocol.shifted_identity). The message ends with the last
field of its revision, or of a later one, or of one from 5 on (6 had fewer fields at first): with a text at an end
that comes too early nobody knows whether it is one. What the revision in the header does not have is not known.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill, is_blank, number
from toolcart.agent.openprotocol.header import revision_of

IDENTITY_BYTES = const(55)
STATION = const(41)  # where its ten digits are
STATION_BYTES = const(10)
TOOL_BYTES = const(14)
# That of an MT Focus 6000 (MT "Special MT Focus 6000 considerations, per mid"): what it pushes is sent once,
# acknowledged or not
REPEATS_NOTHING = const(4)
SEVERAL_SPINDLES = const(2)  # that of a PowerMACS (OP 5.2.2 p. 72): a station's results come as MID 0106
SHARED_SYSTEM = const(3)  # that of a Power Focus 6000: its stations may share the IDs
_SYSTEM_TYPE = const(51)
_FIELDS = const(16)  # up to revision 6: their IDs prove all that is read, whatever is behind them
_NUMBERS = const(3)  # with fewer no text is among them


def read_identity(identity, buf, at, length):
    """Fill `identity` from the 0002 at buf[at:at+length] (OP 5.2.2 p. 71); return its system type, 0 if not known.

    A short one starts a session as well.
    """
    widths = b"\x04\x02\x99\x83\x93\x93\x93\x98\x8a\x03\x03\x01\x01\x0a\x99\x01\x01"  # as in parameter_ids
    places = b"\x00\x04\x06\xff\xff\xff\xff\xff\x1f\x33\xff\x36\xff\x29\xff\xff\xff"  # in `identity`; ff: not there
    count = b"\x03\x04\x07\x09\x0b\x10\x11"[min(max(revision_of(buf, at), 1), 7) - 1]
    fill(identity, 0, IDENTITY_BYTES)
    end = at + length
    place = at + 20
    index = 0
    while index < _FIELDS and place + 2 <= end:
        if buf[place] != 0x30 + (index + 1) // 10 or buf[place + 1] != 0x30 + (index + 1) % 10:
            break
        place += 2
        width = widths[index] & 0x7F
        if index < count and places[index] < IDENTITY_BYTES and place + width <= end:
            copy(identity, places[index], buf, place, width)
        place += width
        index += 1
    ends = index < _NUMBERS or index == count or index in b"\x0b\x0d"  # where a message may end
    if place > end or (index < _FIELDS and not (ends and is_blank(buf, place, end - place))):
        from toolcart.agent.openprotocol.shifted_identity import straight  # hardly any controller sends one

        straight_one = straight(widths, count, buf, at, length)
        return read_identity(identity, straight_one, 0, len(straight_one))
    return max(number(identity, _SYSTEM_TYPE, 3), 0)


def read_tool(serial, buf, at):
    """Fill `serial` from the 0041 at buf[at:], of 36 bytes at least (OP 5.6.2 p. 122)."""
    copy(serial, 0, buf, at + 22, TOOL_BYTES)
