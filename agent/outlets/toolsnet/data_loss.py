"""What ToolsNet lacks of the results it had, as its database was emptied, restored or exchanged. Imported when it was.

    what happens                     what one snapshot says then (toolcart.agent.log.snapshot_fields)
    the 08 names nothing             DOUBT_LACKS: all that was delivered; DOUBT_TO: the cursor; SENT_EMPTY, SENT_BACK
    it names one before TAKEN        DOUBT_LACKS: what it had behind that one, too; TAKEN is that one; SENT_BACK
    it names more, nothing was sent  DOUBT_LACKS: what it lacks behind that one, and what was in doubt before
    it names what was never sent     DOUBT_LACKS: all that was delivered; TAKEN is that one
    some are sent again              they are neither lacking nor delivered any more; SENT_AGAIN: where the cursor was;
                                     DOUBT_TO: below them, if any are left in doubt, else where the cursor was, too
    they are, by `rewind`            the same, but what was in doubt before stays as it was, with its DOUBT_TO
    the first 08 after that          DOUBT_LACKS: also what it has lost since the one before, and is not sent again
    an operator leaves them          DOUBT_LACKS: 0, and the width stays, for the gaps that a database has there; what
                                     it names now is no news any more; of what it names later only what took a sequence
                                     behind that, up to TAKEN, is lacking
    one of the quarantine is taken   SENT_EMPTY no more: the next 08 that names nothing is news again

Rules
1. DOUBT_LACKS is a bound: numbers on the wire that a database may lack, without those kept aside. An 08 tells no two
   databases apart, and one that was sent results may come back. So what was in doubt when something is sent stays in
   doubt, whatever is named later: until an order sends it again, or leaves it. What lies behind the one named is in
   doubt, too.
2. They need not lie in a row: a server set back twice has what was stored between. So the width is known, too: how many
   results there are, from the first in doubt up to DOUBT_TO. An order takes from the width what it sends again; what
   is left of that may all be lacking, and never counts as less. What cannot be read any more is left, wherever it lies.
   What leaves the quarantine, taken or dropped, lies among them from then on (toolcart.agent.log.doubt_range). One that
   was taken late lies elsewhere in the log than on the wire: so the width has one more for each that may have been, and
   an order leaves as many in doubt, as these may lie in front of it. What an operator left, or an order leaves, is a
   gap as long as the width tells of it, also where nothing is in doubt.
3. SENT_OLDER: some were in doubt before. How many only the memory knows (`doubted`); after a restart all stays.
4. The same 08 once more says nothing new, also after a restart.
5. SENT_BACK: the numbers on the wire of before DOUBT_TO still say which results they are. An order ends that.
6. What an operator has dropped cannot be told from what was delivered, and is sent again like that. It stays counted as
   dropped, unless more go out than were ever delivered: then it is certain that some of them were dropped.
7. So DELIVERED may have less than ToolsNet has had: dropped ones that were sent again; those that were left out as it
   was added (toolcart.agent.cart.storage), which the log still has, and that were sent again with the others; and those
   that it took right before a cut and that were overwritten, or damaged, before an 08 said so. HAD_MORE says that there
   may be some. Then any that is counted as dropped, overwritten or damaged may be one of them. That some were left out,
   the place of its cursor says (Snapshot.put_moved): these have not gone out until some are sent again. They lie up to
   number GRAPH_CURSOR, so none of them is among what is sent again behind that. A spool that has a ring of curves has
   another use for that number, and an earlier version did not note it (0): there any may be one of them.
8. An 08 that names nothing says nothing new where TAKEN is 0: nothing was acknowledged since the last one that named
   nothing. What the log left out or gave up meanwhile is no loss of a server's.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.log.doubt_range import put_width, width_of
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import (
    DAMAGED,
    DELIVERED,
    DOUBT_LACKS,
    DOUBT_TO,
    DROPPED,
    GRAPH_CURSOR,
    HAD_MORE,
    OVERWRITTEN,
    QUARANTINED,
    SENT,
    SENT_BACK,
    SENT_EMPTY,
    SENT_MET,
    SENT_OLDER,
    STORED,
    TAKEN,
    again_to,
)
from toolcart.agent.outlets.toolsnet.reoffer import REOFFERS_MOST
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

_HALF = const(50000)


def kept(quarantine, first, last):
    """Return how many results of the log behind `first`, up to `last`, the quarantine has, as far as it can be read."""
    count = 0
    kind = quarantine.next_listed(0)
    while kind > RECORD_NONE:
        count += first < quarantine.number <= last
        kind = quarantine.next_listed(quarantine.entry)
    return count


def aside(policy):
    """Return how many of the results that are still to be sent again are quarantined: they stay there."""
    end = min(again_to(policy.numbers), policy.log.number)
    return kept(policy.lookahead.quarantine, policy.cursor.number, end)


def left(policy):
    """Return how many results are still to be sent again, at most: records that are none may lie between."""
    number = policy.cursor.number
    end = min(again_to(policy.numbers), policy.log.number)
    return max(0, end - number - aside(policy)) if number < end else 0


def _had(policy):
    """Return how many results ToolsNet has had, at most (rule 7)."""
    numbers = policy.numbers
    if policy.in_flight.state.places & HAD_MORE:
        return numbers[DELIVERED] + numbers[DROPPED] + numbers[OVERWRITTEN] + numbers[DAMAGED]
    return numbers[DELIVERED]


def taken_unseen(policy):
    """Return how many results behind TAKEN, at most, ToolsNet may have taken that were overwritten before an 08.

    None behind an order: `send_again` has put TAKEN behind them, and the places of the sequences break there.
    """
    if not policy.numbers[SENT] & SENT_MET:
        return 0
    numbers, cursor, point, sent = policy.numbers, policy.cursor, policy.resume_point, policy.in_flight
    events = max(0, min(cursor.sequence_lag, policy.log.number - numbers[STORED]))
    unsent = max(0, cursor.number - sent.may_have - events)
    rows = _rows_to(policy, numbers[TAKEN])
    if numbers[SENT] & SENT_BACK:  # TAKEN is less than it has had then
        rows = min(rows, cursor.number - numbers[DOUBT_TO])
    rows = max(0, rows - unsent)
    return min(numbers[OVERWRITTEN], rows, 1 if point.start is None else sent.most)


def _left_out(policy):
    """Return how many results behind the cursor, at most, were left out as ToolsNet was added (rule 7)."""
    numbers, state, number = policy.numbers, policy.in_flight.state, policy.cursor.number
    is_behind = not state.graph_blocks() and 0 < numbers[GRAPH_CURSOR] <= number
    return 0 if is_behind or not state.is_moved(policy.cursor) else numbers[OVERWRITTEN]


def _sequences_back(policy, stored):
    """Return how many sequences lie behind `stored`, up to TAKEN; below 0: in front of it."""
    taken, is_old = policy.numbers[TAKEN], policy.resume_point.is_old
    count = (taken - stored) % SEQUENCES
    return count if count < _HALF or (is_old(stored) and not is_old(taken)) else count - SEQUENCES


def _lost_since(policy, stored, rows):
    """Return how many of the `rows` results behind `stored`, at most, ToolsNet has lost since it named TAKEN.

    Each took a sequence. Where these broke rows tell nothing: it has had some twice.
    """
    unseen = taken_unseen(policy)
    if unseen:
        _note_more(policy)
    return min(rows, _sequences_back(policy, stored) + unseen)


def _behind_taken(policy):
    """Return how many results, at least, lie behind the last one that ToolsNet may have had before this 08."""
    return max(0, _rows_to(policy, policy.numbers[TAKEN]) - taken_unseen(policy))


def taken_by_reoffer(policy):
    """Return how many results, at most, were quarantined and taken later: on the wire they lie behind later ones."""
    numbers = policy.numbers
    return max(0, numbers[QUARANTINED] - numbers[DROPPED] - policy.lookahead.quarantine.count())


def count_unreadable(numbers, rows):
    """ToolsNet has so many results more than the log: they were stored and delivered, as the sequences tell."""
    if rows < _HALF:
        numbers[DELIVERED] += rows
        numbers[STORED] = max(numbers[STORED], numbers[DELIVERED])  # what the last snapshot did not say


def _note_more(policy):
    """Let it be known that DELIVERED has less than all that ToolsNet has had (rule 7)."""
    policy.in_flight.state.places |= HAD_MORE


def begin(policy):
    """Return what was in doubt when something was sent last: how many, their width, up to which."""
    numbers, cursor, point = policy.numbers, policy.cursor, policy.resume_point
    quarantine = policy.lookahead.quarantine
    lacks, width, doubt_to = numbers[DOUBT_LACKS], width_of(numbers), numbers[DOUBT_TO]
    if doubt_to == cursor.number >= policy.in_flight.may_have and numbers[SENT] & SENT_BACK:
        known = point.doubted
        if known and known[3] == cursor.sequence_lag:  # else one went out late
            lacks, width, doubt_to, _, aside_then = known
            if width > 0:
                width += max(0, aside_then - kept(quarantine, 0, doubt_to))  # rule 2
            return lacks, width, doubt_to
        if not numbers[SENT] & SENT_OLDER:
            lacks = width = 0
    point.doubted = lacks, width, doubt_to, cursor.sequence_lag, kept(quarantine, 0, doubt_to)
    return lacks, width, doubt_to


def _joined(policy, back, before):
    """Return how many are in doubt with the last `back` numbers on the wire beside what was `before`, and the width."""
    lacks, width, doubt_to = before
    last, quarantine = policy.cursor.number, policy.lookahead.quarantine
    rows = max(0, back - kept(quarantine, last - back, last))
    most = _had(policy) + taken_unseen(policy)
    wide = rows + min(rows, taken_by_reoffer(policy))  # rule 2
    if not width:
        return min(rows, most), wide
    if width < 0:
        return min(lacks + rows, max(lacks, most)), -1
    width = max(wide, width + max(0, last - doubt_to - kept(quarantine, doubt_to, last)))
    return min(lacks + rows, width, max(lacks, most)), width


def _put(policy, lacks, width, before):
    """So many results up to the cursor are in doubt; `before` these. What is sent again stays so. To be saved."""
    numbers = policy.numbers
    end = again_to(numbers)
    numbers[DOUBT_LACKS] = lacks
    put_width(numbers, policy.cursor.number, end, width)
    older = SENT_OLDER if before[0] or before[1] else 0
    numbers[SENT] = numbers[SENT] & ~(SENT_EMPTY | SENT_OLDER) | SENT_BACK | older


def note_empty(policy, now):
    """The 08 names nothing; True if what that means is durable."""
    numbers, unseen = policy.numbers, taken_unseen(policy)
    lacks = _had(policy) + unseen
    if not numbers[TAKEN] or not lacks or (numbers[SENT] & SENT_EMPTY and numbers[DOUBT_TO] == policy.cursor.number):
        return True
    _put_all(policy, lacks, unseen)
    numbers[SENT] |= SENT_EMPTY
    policy.counters.note(counter.SERVER_EMPTY, lacks, now)
    return policy.in_flight.save()


def note_unknown(policy):
    """The 08 names what was never sent: nothing shows what it has of what was delivered. To be saved."""
    unseen = taken_unseen(policy)
    lacks = _had(policy) + unseen
    if lacks:
        _put_all(policy, lacks, unseen)


def _put_all(policy, lacks, unseen):
    """All that ToolsNet has had is in doubt, `unseen` of that beyond what is known to be delivered. To be saved."""
    numbers = policy.numbers
    if unseen:
        _note_more(policy)
    before = begin(policy)
    width = max(lacks, numbers[DELIVERED] + numbers[DROPPED])
    _put(policy, lacks, -1 if before[0] else width, before)


def note_behind(policy, stored, back, now):
    """The 08 names `stored`, before TAKEN, `back` results before the cursor. To be saved.

    Return what was in doubt before (`begin`); None if nothing is lacking now.
    """
    numbers = policy.numbers
    behind = max(1, _lost_since(policy, stored, back))
    if back <= 0:  # it has all; what an order sends again is still to go
        numbers[TAKEN] = stored
        numbers[SENT] &= ~SENT_EMPTY
        return None
    before = begin(policy)
    lacks, width = _joined(policy, back, before)
    # Among those on the wire may lie some that it never had; and an operator may have left others.
    lacks = min(lacks, numbers[DOUBT_LACKS] + behind)
    _put(policy, max(1, lacks), width, before)
    numbers[TAKEN] = stored
    behind = min(behind, numbers[DOUBT_LACKS])  # what it never had may lie there
    policy.counters.note(counter.SERVER_BEHIND, behind, now)
    return before


def note_lost_meanwhile(policy, stored):
    """The first 08 after an order names `stored`: what the server has lost since the one before. To be saved.

    What the order sends again is not lacking.
    """
    numbers, cursor = policy.numbers, policy.cursor
    rows = _rows_to(policy, stored)
    ahead = (stored - cursor.number + cursor.sequence_lag) % SEQUENCES  # of all that were used
    was_sent = ahead >= _HALF or again_to(numbers) + ahead <= policy.log.number
    lost = min(_lost_since(policy, stored, rows), _had(policy)) if was_sent else _had(policy)
    if numbers[TAKEN] and lost > 0:
        end = again_to(numbers)
        before = numbers[DOUBT_LACKS], width_of(numbers), numbers[DOUBT_TO]
        width = _joined(policy, rows, before)[1] if was_sent else -1
        numbers[DOUBT_LACKS] = max(numbers[DOUBT_LACKS], min(numbers[DOUBT_LACKS] + lost, _had(policy)))
        put_width(numbers, cursor.number, end, width)


def gaps(policy):
    """Return how many places there are, at most, from the first that ToolsNet may lack up to the last that it has.

    What is kept aside has one on the wire, too.
    """
    numbers, last = policy.numbers, policy.cursor.number
    width = width_of(numbers)
    if not width:
        return 0
    aside_there = kept(policy.lookahead.quarantine, 0, numbers[DOUBT_TO])
    first = min(last, width + aside_there + last - numbers[DOUBT_TO]) if width >= 0 else last
    return min(max(0, first - _behind_taken(policy)), _HALF // 2)


def _rows_to(policy, sequence):
    """Return how many results lie behind the one of this sequence, up to the cursor; below 0: in front of it."""
    rows = policy.resume_point.rows_back(sequence)
    return rows if rows < _HALF else rows - SEQUENCES


def is_back(policy, stored):
    """True if an 08 that names `stored`, TAKEN or more, shows a server that has more than was believed. To be saved."""
    numbers = policy.numbers
    taken, was_empty = numbers[TAKEN], numbers[SENT] & SENT_EMPTY
    numbers[SENT] &= ~SENT_EMPTY
    point = policy.resume_point
    back, since = point.rows_back(stored), policy.cursor.number - numbers[DOUBT_TO]
    is_of_before = numbers[SENT] & SENT_BACK and 0 <= since <= back and point.may_be_behind(stored)
    if not is_of_before or _sequences_back(policy, stored) > 0 or (stored == taken and not was_empty):
        return False
    before = begin(policy)
    lacks, width = _joined(policy, back, before)
    _put(policy, min(numbers[DOUBT_LACKS], lacks), width, before)
    numbers[TAKEN] = stored
    return True


def send_again(policy, was, count, doubted, unread=0, unseen=0):
    """An order moved the cursor back from number `was`: `count` results go out again, `doubted` of them up to DOUBT_TO.

    `unread` others cannot be read any more; `unseen` may have been taken before (`taken_unseen`). To be saved. Return
    what `undo` takes.
    """
    numbers, place = policy.numbers, policy.cursor.number
    before = [numbers[index] for index in _CHANGED]
    if unseen and numbers[TAKEN]:
        numbers[TAKEN] = sequence_at(numbers[TAKEN] + unseen)
        _note_more(policy)
    lacks, width = numbers[DOUBT_LACKS], width_of(numbers)
    most = place + unread  # what lies in front of the first or cannot be read
    if width >= 0:
        doubted = max(0, doubted - _left_out(policy))
        most = width = min(most, max(width - doubted, min(lacks, taken_by_reoffer(policy))))
    lacks = min(lacks, most)
    _put_again(policy, was, count, (lacks, width, min(place, numbers[DOUBT_TO])))
    return before


def send_rows_again(policy, was, back, rows, unread, before):
    """The same by itself, for the last `rows` numbers before number `was`: of the last `back` on the wire, all lacking.

    What was in doubt `before` (`begin`) stays so: another database may lack it.
    """
    numbers, place, quarantine = policy.numbers, policy.cursor.number, policy.lookahead.quarantine
    count = max(0, rows - kept(quarantine, place, was))
    back = max(0, back - kept(quarantine, was - back, was))
    # Behind what the server names it lacks all that it had: not what was dropped, or left out as it was added.
    never = numbers[DROPPED] + _left_out(policy)
    # Late ones of which nobody knows any more after which result they went out may have been among the last `rows`:
    # then others are not lacking.
    late, offer = taken_by_reoffer(policy), policy.reoffer
    never += max(0, late - offer.taken + max(0, offer.used - REOFFERS_MOST))
    more = min(back - max(0, count - never), back + min(back, late) - count, place + unread)
    more = max(0, more)
    lacks, width, doubt_to = before[:3]
    if not width:
        doubt_to = place
    lacks = min(lacks + more, numbers[DOUBT_LACKS])
    _put_again(policy, was, count, (lacks, width + more if width >= 0 else width, doubt_to))


def _put_again(policy, was, count, doubt):
    """`count` results up to number `was` go out again; `doubt` stays in doubt: how many, their width, up to which."""
    numbers = policy.numbers
    lacks, width, doubt_to = doubt
    end = max(was, again_to(numbers))
    dropped = min(max(0, count - numbers[DELIVERED]), numbers[DROPPED])
    if numbers[DROPPED] or _left_out(policy):
        _note_more(policy)
    numbers[DELIVERED] = max(0, numbers[DELIVERED] - count)
    numbers[DROPPED] -= dropped
    numbers[QUARANTINED] -= min(numbers[QUARANTINED], dropped)  # they have their own place on the wire again
    if numbers[SENT] & SENT_EMPTY:
        numbers[TAKEN] = 0  # so the next 08 that names nothing is no news
    numbers[DOUBT_LACKS] = lacks
    put_width(numbers, doubt_to if width else end, end, width)
    numbers[SENT] |= SENT_OLDER
    policy.resume_point.doubted = None


_CHANGED = (DELIVERED, DROPPED, QUARANTINED, DOUBT_LACKS, DOUBT_TO, SENT, TAKEN)


def undo(policy, before):
    """Take back what `send_again` has changed."""
    for index in range(len(_CHANGED)):
        policy.numbers[_CHANGED[index]] = before[index]


def leave(policy):
    """An operator leaves what is in doubt; True if that is durable."""
    numbers = policy.numbers
    before = numbers[DOUBT_LACKS], numbers[SENT]
    width = width_of(numbers)
    numbers[DOUBT_LACKS] = 0
    put_width(numbers, numbers[DOUBT_TO], again_to(numbers), width)  # they are gaps all the same
    policy.resume_point.doubted = None
    if policy.in_flight.state.save():
        return True
    numbers[DOUBT_LACKS], numbers[SENT] = before
    return False
