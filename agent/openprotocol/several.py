"""Which results of several spindles are known: their part of agent.openprotocol.known, and what a new one is told by.

Rules
1. They are pushed in order and cannot be asked for one by one; `top` is the one stored last, to which the next
   subscription rewinds. The data number of a PowerMACS is the whole system's: a jump says nothing. The sync ID counts
   up to 65535 by one (003:7925-7933): what a jump left out is gone, since nobody can ask for it.
2. An ID ahead of `top` is new. Any other is looked for in the log: if it lies there it is a repeat. If not it is
   stored, and is the new `top` only with a later time than all before, as the controller counts anew then: what is old
   and came late must not move the place to which the next subscription rewinds.
"""

from agent.base.compat import const
from agent.base.fields import all_digits
from agent.openprotocol.ids import ID_PERIOD, id_of
from agent.openprotocol.untold import FLAG_EMPTY, FLAG_KNOWN, WHY_NEVER
from agent.record.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID
from agent.record.spindles import OBJECTS, PLACE, SYNC
from agent.spool.memory import ID_FLAGS as FLAGS

SYNC_PERIOD = const(65536)


def ahead_by(known, body, start):
    """Return by how much the ID of body[start:] is ahead of the last one; 0 if it is not, or nobody can say."""
    flags = known.memory[FLAGS]
    if not flags & FLAG_KNOWN or flags & FLAG_EMPTY or not all_digits(body, start + TIGHTENING_ID, ID_BYTES):
        return 0
    period = SYNC_PERIOD if body[start - HEAD_BYTES + PLACE] == SYNC else ID_PERIOD
    ahead = (id_of(body, start + TIGHTENING_ID) - known.top()) % period
    return ahead if 2 * ahead < period else 0


def stored(known, flags, buf, at):
    """The result whose body lies at buf[at:] counts from now on, and has not the ID that was expected."""
    if buf[at - HEAD_BYTES + PLACE] == OBJECTS:  # these are fetched by ID, like results of one spindle
        known._stored_elsewhere(flags, buf, at)
        return
    memory = known.memory
    if memory[FLAGS] & FLAG_KNOWN and not memory[FLAGS] & FLAG_EMPTY:
        ahead = ahead_by(known, buf, at)
        if not ahead and not known.is_later(buf, at):
            return
        if ahead > 1 and known.enabled and buf[at - HEAD_BYTES + PLACE] == SYNC:
            _leave_out(known, ahead - 1)
    known.set_top(buf, at + TIGHTENING_ID)
    known.hold_top(flags, buf, at)


def _leave_out(known, count):
    """The next `count` sync IDs will not come."""
    first = (known.top() + 1) % SYNC_PERIOD
    up = min(count, SYNC_PERIOD - first)
    known.count_gone(first, up, WHY_NEVER)
    if count > up:
        known.count_gone(0, count - up, WHY_NEVER)
