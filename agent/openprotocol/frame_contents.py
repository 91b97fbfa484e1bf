"""What tells an answer of which only the ID can be read from those of other results, under any ID.

Imported where an answer cannot be read.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol.light_result import STAMP_BYTES, is_stamp
from toolcart.agent.record.result import ID_BYTES

_ID = const(2)  # where the ID is in a frame, behind its own number
_YEAR_BYTES = const(4)


def check_of(frame):
    """Return 30 bits that tell this frame from others: without its ID, if it has a time."""
    at = frame.find(b"-")
    while at >= 0 and not _is_time(frame, at - _YEAR_BYTES):
        at = frame.find(b"-", at + 1)
    end = _ID + ID_BYTES
    return crc30(frame, 0, len(frame)) if at < 0 else crc30(frame, end, len(frame), crc30(frame, 0, _ID))


def _is_time(frame, at):
    if at < 0 or at + STAMP_BYTES > len(frame) or not is_stamp(frame, at) or not all_digits(frame, at, _YEAR_BYTES):
        return False
    for place in range(at + _YEAR_BYTES + 1, at + STAMP_BYTES, 3):
        if not all_digits(frame, place, 2):
            return False
    return True
