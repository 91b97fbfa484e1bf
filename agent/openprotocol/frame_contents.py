"""What tells an answer of which only the ID can be read from those of other results, under any ID.

Imported where an answer cannot be read.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.base.fields import all_digits
from toolcart.agent.record.result import ID_BYTES

_ID = const(2)  # where the ID is in a frame, behind its own number
_TIME = b"2026-01-31:23:59:59"
_TIME_BYTES = const(19)
_YEAR_BYTES = const(4)


def check_of(frame):
    """Return 30 bits that tell this frame from others: without its ID, if it has a time."""
    at = frame.find(b"-")
    while at >= 0 and not _is_time(frame, at - _YEAR_BYTES):
        at = frame.find(b"-", at + 1)
    end = _ID + ID_BYTES
    return crc30(frame, 0, len(frame)) if at < 0 else crc30(frame, end, len(frame), crc30(frame, 0, _ID))


def _is_time(frame, at):
    if at < 0 or at + _TIME_BYTES > len(frame) or not all_digits(frame, at, _YEAR_BYTES):
        return False
    for place in range(_YEAR_BYTES, _TIME_BYTES, 3):
        if frame[at + place] != _TIME[place] or not all_digits(frame, at + place + 1, 2):
            return False
    return True
