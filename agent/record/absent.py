"""Which of torque, angle and status a result lacks, in words: where all have to be numbers, it stands beside them.

A blank figure is one that the controller does not have. Telegram 04 has no form for "none" and gets zero, a blank
status goes out as NOK (TN 5.3).
"""

from toolcart.agent.base.fields import is_blank
from toolcart.agent.record import result as res

# By what is absent: 1 torque, 2 angle, 4 status. Written out: nothing is put together for a telegram.
_WORDS = (b"", b"no torque", b"no angle", b"no torque, angle", b"no status", b"no torque, status", b"no angle, status")
_WORDS += (b"no torque, angle, status",)


def absent_in(page, torque, torque_bytes, angle, angle_bytes, status):
    """Return which of torque, angle and status, at these places of the page, are blank; b"" if none is.

    Hot: allocates nothing.
    """
    found = 1 if is_blank(page, torque, torque_bytes) else 0
    if is_blank(page, angle, angle_bytes):
        found += 2
    return _WORDS[found + 4 if is_blank(page, status, 1) else found]


def absent_of(page, at):
    """The same, as text, of the payload at page[at:]; of several spindles, as a whole."""
    body = at + res.HEAD_BYTES
    torque, angle = body + res.TORQUE, body + res.ANGLE
    words = absent_in(page, torque, res.TORQUE_BYTES, angle, res.ANGLE_BYTES, body + res.TIGHTENING_STATUS)
    return words.decode()
