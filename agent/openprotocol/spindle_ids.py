"""Which results of several spindles are known: their part of toolcart.agent.openprotocol.id_ledger.

Rules
1. They are pushed in order and cannot be asked for one by one; the highest known is the one stored last, to which the
   next subscription rewinds: what comes again then is in the log. Times are not compared: a result that is not in the
   log was made since, or is too old to matter.
2. The data number of a PowerMACS is the whole system's: a jump means nothing. The sync ID counts up to 65535 by one
   (OP 5.12.7 p. 175): what a jump skips is gone, since it cannot be asked for.
3. A MID 0101 that cannot be read is kept as it came, and its ID is not believed. It is one of those that the next
   result skips: as many of them as came since the last result are not gone.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of, pack_id, unpack_id
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES, TIGHTENING_ID
from toolcart.agent.record.spindles import PLACE, SYNC

SYNC_PERIOD = const(65536)
_UNREAD = const(31)  # of state.octets, the end of the second range, which these controllers do not have


def ahead_by(ledger, body, start):
    """Return by how much the ID of body[start:] is ahead of the last one; 0 if it is not, or that is not known."""
    if not ledger.is_met() or not all_digits(body, start + TIGHTENING_ID, ID_BYTES):
        return 0
    period = SYNC_PERIOD if body[start - HEAD_BYTES + PLACE] == SYNC else ID_PERIOD
    ahead = (id_of(body, start + TIGHTENING_ID) - ledger.top()) % period
    return ahead if 2 * ahead < period else 0


def skipped(ledger, body, start):
    """Return how many results before that of body[start:] are gone (rules 2 and 3)."""
    if body[start - HEAD_BYTES + PLACE] != SYNC:
        return 0
    return max(0, ahead_by(ledger, body, start) - 1 - unpack_id(ledger.octets, _UNREAD))


def stored(ledger, flags, buf, at):
    """Count the stored result whose body is at buf[at:] as known."""
    ledger.count_gone(skipped(ledger, buf, at))
    ledger.move_top(buf, at)


def stored_unread(ledger):
    """Count a MID 0101 that cannot be read, until the next result (rule 3)."""
    if ledger.is_met() and not ledger.ranges:
        pack_id(ledger.octets, _UNREAD, unpack_id(ledger.octets, _UNREAD) + 1)
