"""Where ToolsNet's sequences broke: one of before that names another result than the numbers of today say.

    record          1 .. 54  55 .. 200                       201 ..
    its sequence    1 .. 54  55 .. 200, again 201 .. 346     347 ..       200: `broke_at`, 146: `broke_by`

An order has results sent again under new sequences; and an 08 that names what was never sent moves the sequences, too.
A server that is restored from a copy of before then names a result by a sequence that stands for another one now: by as
many places further on as `broke_by` says, which counts round the circle.

Rules
1. Both are in the snapshot of the order. What is sent again goes on behind all sequences that were used: else a copy of
   before could name the same one as a copy of today, and what it lacks would be taken for stored. Only where the 08
   names what lies right in front of the order's first result does each get the sequence that it had.
2. A snapshot has room for one break. Of two the later one is kept: what lies between them is known exactly, and what
   lies before the first as a bound, by the smaller of the two shifts. So nothing is taken for stored that is not; some
   may be sent twice. Where the later one begins at or below the first one, one break says all that they say.
3. Where ToolsNet had lost some when the order was given, and has got others since, a copy of the time between has gaps
   that the order has filled; one of before the loss has none. One shift cannot say both. Either the break is where the
   results were lost, and a copy of between is read by the numbers of today, so that it lacks what the order sent again;
   or the shift is smaller by as many as there are from the first lost one on, and older copies lack these, too. It is
   the first, unless the order sends again more than twice as many. After several losses nobody knows where the first
   was, and it is the second.
4. What would lie before the first result may be a bound, then all is lacking.
5. A break half a circle ago says nothing any more: no 08 is believed to be that far behind.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import DOUBT_TO, SENT, SENT_BACK, SENT_OLDER
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at

_HALF = const(50000)
_PAST = const(75000)  # from here on a cursor that went back stands before the break


def note(state, stored, by):
    """After `stored` the sequences go on for what they were `by` places ago. To be saved."""
    at, before = state.broke_at, state.broke_by
    if at and not by:
        return  # all that is to be said was noted with the order
    if at and ((at - stored) % SEQUENCES < _HALF or before >= _HALF):
        by = (by + before) % SEQUENCES  # it begins at or below the one before, or the shift is smaller so
    state.broke_at = stored  # also by 0 places: gaps may have made that of more
    state.broke_by = by


def note_order(policy, number, rows, gaps):
    """An order has the last `rows` results up to `number` sent again. To be saved.

    `gaps` places there are from the first on that ToolsNet may lack, up to the last that it has; 0: it lacks none.
    """
    numbers, cursor = policy.numbers, policy.cursor
    here = cursor.number - cursor.sequence_lag
    since = number - numbers[DOUBT_TO]
    is_one_loss = numbers[SENT] & (SENT_BACK | SENT_OLDER) == SENT_BACK  # and no order was given since
    if not gaps or not is_one_loss or rows > 2 * gaps or since < 0:
        note(policy.in_flight.state, sequence_at(here), (rows - gaps) % SEQUENCES)
        return
    from toolcart.agent.outlets.toolsnet.data_loss import taken_by_reoffer  # loaded: it has lost some

    # Rule 3: where they were lost. Those that were sent out of their order since then took sequences, too.
    note(policy.in_flight.state, sequence_at(here - since - taken_by_reoffer(policy)), rows)


def _rows(state, rows):
    if rows >= _PAST:  # the cursor went back
        rows -= SEQUENCES
    by = state.broke_by
    return rows - (by if by < _HALF else by - SEQUENCES)


def rows_of(state, cursor, stored, rows):
    """Return how many results lie behind what `stored` names, up to the cursor; `rows` is what it says by today's."""
    if (state.broke_at - stored) % SEQUENCES < _HALF:
        return min(_rows(state, rows), cursor.number)
    return rows if rows >= _HALF else min(rows, cursor.number)


def was_sent(state, cursor, stored, rows, last):
    """True if what `stored`, of before the break, names may have gone out; `last` is the last one that did."""
    rows = _rows(state, rows)
    return rows >= min(0, cursor.number - last) and (rows <= cursor.number or stored <= state.broke_at)


def is_past(state, cursor):
    """True if the break is too long ago to be named."""
    return _HALF <= (sequence_at(cursor.number - cursor.sequence_lag) - state.broke_at) % SEQUENCES < _PAST
