"""Headers that are laid out otherwise: brought into the usual form when a message has come, and back when one goes out.

    octet      0    4    8      10     11         13        15      17       19
    usual      | len| MID| revision 3 |no-ack 1 |station 2|spindle 2|number 2|parts 2|    OP 2.2.2 p. 26-27
    op-ford    | len| MID|spindle 2|revision 3 | seven that are skipped              |    878 p. 338; op-bmw is the same

Rules
1. Both have 20 bytes, so it is done in place: a link calls `read` for a message that came, `write` for one that goes.
   Nothing above a link, and nothing that is stored, knows another header than the usual one.
2. What the other header has no room for is blank in the usual one, and left out in the other: no-ack flag, station,
   link-level number, parts.
3. A spindle that is not configured goes out as 00: the controller itself, not one of its channels (878 p. 348).

Imported where a setting asks for such a header.
"""

from toolcart.agent.base.fields import fill

_REVISION = 8
_BEHIND = 11  # the revision
_SPINDLE = 14
_OTHER_REVISION = 10
_OTHER_SPARE = 13
_HEADER_BYTES = 20


class SpindleFirst:
    """The spindle in front of the revision: Rexroth OP-Ford and OP-BMW."""

    def __init__(self):
        self.is_usual = (
            False  # the last message has a revision from 1 to 7, or a blank one, where the usual header has it
        )

    def read(self, buf, at):
        """Bring the header at buf[at:] into the usual form. Hot: allocates nothing."""
        tens = buf[at + _REVISION]
        ones = buf[at + _REVISION + 1]
        last = buf[at + _REVISION + 2]
        self.is_usual = (tens == ones == 0x30 and 0x31 <= last <= 0x37) or tens == ones == last == 0x20
        for index in range(_REVISION, _BEHIND):
            buf[at + index] = buf[at + index + _OTHER_REVISION - _REVISION]
        fill(buf, at + _BEHIND, _HEADER_BYTES - _BEHIND)
        buf[at + _SPINDLE] = tens
        buf[at + _SPINDLE + 1] = ones

    def write(self, buf, at):
        """Bring the usual header at buf[at:] into this form. Hot: allocates nothing."""
        tens = buf[at + _SPINDLE]
        ones = buf[at + _SPINDLE + 1]
        for index in range(_BEHIND - 1, _REVISION - 1, -1):
            buf[at + index + _OTHER_REVISION - _REVISION] = buf[at + index]
        buf[at + _REVISION] = 0x30 if tens == 0x20 else tens
        buf[at + _REVISION + 1] = 0x30 if ones == 0x20 else ones
        fill(buf, at + _OTHER_SPARE, _HEADER_BYTES - _OTHER_SPARE, 0x30)


HEADERS = {"op-ford": SpindleFirst, "op-bmw": SpindleFirst}


def header_of(name):
    """Return what reads and writes the header of this name; None for the usual one."""
    return HEADERS[name]() if name in HEADERS else None
