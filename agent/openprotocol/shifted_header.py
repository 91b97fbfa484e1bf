"""A header that is read one octet away from where it begins: the length of the message in front of it was wrong.

    2310 0610 01     of "0231 0061 001": the message in front of it ended one octet before its length says
    7023 1006 100    of "7 0231 0061 001": it went on for one octet behind its length, and no NUL ended it

Imported where a MID comes that was not asked for.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import number
from toolcart.agent.openprotocol.requests import KEEP_ALIVE

# In place of the MID in CONTROLLER_MALFORMED.
LACKS_FIRST = const(-1)
HAS_ONE_MORE = const(-2)

_MID = const(4)


def note_unknown(session, counters, now):
    """Count a message that was not asked for, or what shows that it is none."""
    link = session.link
    is_ended = not session.is_event_driven or (link.start and link.buf[link.start - 1] == 0)  # there is such a message
    for by, what in ((-1, LACKS_FIRST), (1, HAS_ONE_MORE)):
        mid = number(link.buf, link.at + _MID + by, 4)
        if not is_ended and (mid == KEEP_ALIVE or mid in session.pushes.by_mid):
            counters.note(counter.CONTROLLER_MALFORMED, what, now)
            return
    counters.note(counter.CONTROLLER_UNKNOWN, session.received.mid, now)
