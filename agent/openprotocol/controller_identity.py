"""What MID 0002 and 0041 say about a controller and its tool, copied out; their length tells which fields they have.

identity  0     4        6               31       41          51
          | cell| channel| name of 25    | serial | station  |   serial: blanks before revision 4, station before 6
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill, number

IDENTITY_BYTES = const(51)
STATION = const(41)  # where its ten digits are
STATION_BYTES = const(10)
TOOL_BYTES = const(14)
# That of an MT Focus 6000 (MT "Special MT Focus 6000 considerations, per mid"): what it pushes is sent once,
# acknowledged or not
REPEATS_NOTHING = const(4)
SEVERAL_SPINDLES = const(2)  # that of a PowerMACS (OP 5.2.2 p. 72): a station's results come as MID 0106
SHARED_SYSTEM = const(3)  # that of a Power Focus 6000: its stations may share the IDs


def read_identity(identity, buf, at, length):
    """Fill `identity` from the 0002 at buf[at:at+length] (OP 5.2.2 p. 71).

    A short one starts a session as well: what it lacks, or does not have behind its parameter IDs, stays blank.
    """
    fill(identity, 0, IDENTITY_BYTES)
    if length < 26 or buf[at + 20] != 0x30 or buf[at + 21] != 0x31:
        return
    copy(identity, 0, buf, at + 22, 4)
    if length >= 30 and buf[at + 26] == 0x30 and buf[at + 27] == 0x32:
        copy(identity, 4, buf, at + 28, 2)
        if length > 32 and buf[at + 30] == 0x30 and buf[at + 31] == 0x33:
            copy(identity, 6, buf, at + 32, min(25, length - 32))
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
    """Fill `serial` from the 0041 at buf[at:], of 36 bytes at least (OP 5.6.2 p. 122)."""
    copy(serial, 0, buf, at + 22, TOOL_BYTES)
