"""What tells an answer of which only the ID can be read from those of other results, under any ID.

Imported where an answer cannot be read.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.record.result import ID_BYTES

_ID = const(2)  # where the ID is in a frame, behind its own number
_TIME_BYTES = const(19)  # 2026-01-31:23:59:59


def contents_of_frame(frame):
    """Return what tells this frame, without its ID, from those of other results; 0 if it has no time."""
    at = frame.find(b"-")
    while at >= 0 and not _is_time(frame[max(at - 4, 0) : at - 4 + _TIME_BYTES]):
        at = frame.find(b"-", at + 1)
    if at < 0:
        return 0
    end = _ID + ID_BYTES
    return crc30(frame, end, len(frame), crc30(frame, 0, _ID)) or 1


def _is_time(text):
    if len(text) != _TIME_BYTES or text[4] != 0x2D or text[7] != 0x2D or not text[10] == text[13] == text[16] == 0x3A:
        return False
    return (text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:]).isdigit()
