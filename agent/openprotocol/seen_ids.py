"""What a controller has shown above the highest ID known, `top`, until a connection has settled what it is.

Rules
1. A newest above `top` means that all between the two, and itself, may be missing. It is a range at once, durably: the
   connection may end before that is settled, and the next one may find that the count began anew.
2. What settles it has its own range from `top` on, or counts it as gone: then what was seen is cut off again.
3. Where the count began anew, what was seen by earlier connections, or skipped by their pushes, is gone with the rest
   of the old count. What this connection has seen is of the new one.
4. So is a result of which a part is acknowledged before it is whole, whatever its ID: that may be missing at once, and
   no longer once the result is stored. Without `top` the last one that was shown before it is in its place.
5. What was seen above the newest that settles it is asked for all the same: the controller has shown it.

Imported where a newest is above the highest ID known, or a range may be.
"""

from toolcart.agent.base.fields import fill
from toolcart.agent.openprotocol.id_ledger import PARTLY_ACKNOWLEDGED_MOST
from toolcart.agent.openprotocol.ids import following, id_of, is_ahead, is_open
from toolcart.agent.openprotocol.recovery_phases import GRACE_MS, LOOK_AGAIN_MS
from toolcart.agent.record.result import ID_BYTES


def last_of(ledger):
    """Return the last ID of a range above `top`, or of one that goes on there; -1: there is none."""
    ranges = ledger.ranges
    top = ledger.top()
    if len(ranges) <= ledger.ended_ranges or top < 0 or not is_ahead(ranges[-1][1], top):
        return -1
    first = ranges[-1][0]
    return ranges[-1][1] if first == first_above(top, ranges[-1][1]) or not is_ahead(first, top) else -1


def note(ledger, newest):
    """Rule 1; return what `last_of` was before."""
    before = last_of(ledger)
    top = ledger.top()
    first = first_above(top, newest)
    if not is_ahead(newest, top) or is_open(first, newest) or (before >= 0 and not is_ahead(newest, before)):
        return before
    if before >= 0:
        ledger.add(before, newest)
    else:
        ledger.add(first, newest)
    ledger.try_save()
    return before


def begin(ledger, number, reported=-1):
    """Rule 4: the result of this ID may be missing; False if that cannot be made durable.

    `reported`: the last ID that has counted as gone, -1 if none has.
    """
    if ledger.misses(number):
        return True
    ledger.begin()
    fill(ledger.expected, 0, ID_BYTES, 0xFF)  # the push that completes it ends the range
    top = ledger.top()
    if top < 0:
        top = ledger.ranges[-1][1] if ledger.ranges else reported
    is_above = top >= 0 and is_ahead(number, top) and not (ledger.shares() or ledger.push_ids_differ())
    first = first_above(top, number) if is_above else number
    if len(ledger.ranges) > ledger.ended_ranges and not is_ahead(number, ledger.ranges[-1][1]):
        ledger.widen(number)
    else:
        ledger.add(number if is_open(first, number) else first, number)
    return ledger.commit()


def above(ledger, end):
    """Return the ranges of what was seen above `end`, the last ID that something settles; of all where that is -1."""
    if ledger.is_met():
        last = last_of(ledger)
        return [(first_above(end, last), last)] if last >= 0 and is_ahead(last, end) else []
    parts = []
    for first, last in ledger.ranges:
        if not is_open(first, last) and (end < 0 or is_ahead(last, end)):
            parts.append((first if end < 0 or is_ahead(first, end) else first_above(end, last), last))
    return parts


def cut(ledger):
    """Rule 2: end what was seen with `top`; return its last ID, -1 if there was none."""
    last = last_of(ledger)
    if last >= 0:
        parts, ended = below(ledger), ledger.ended_ranges
        ledger.forget_ranges()
        ledger.ended_ranges = ended
        for first, end in parts:
            ledger.add(first, end)
    return last


def restore(ledger, before):
    """Rule 3: what this connection has seen is of a new count; end what was seen with `before`."""
    cut(ledger)
    if before >= 0:
        ledger.add(first_above(ledger.top(), before), before)
    ledger.try_save()


def below(ledger):
    """Return the ranges without what is above `top`."""
    parts = [(first, last) for first, last in ledger.ranges]
    if last_of(ledger) >= 0:
        first, last = parts.pop()
        if first != first_above(ledger.top(), last):
            parts.append((first, ledger.top()))
    return parts


def first_above(top, end):
    return following(top, end) or 1


def note_newest(recovery, newest):
    """What lies between the highest ID known and the newest may be missing, whatever comes of this connection."""
    ledger = recovery.ledger
    if recovery.ownership.is_other or recovery.ownership.shares or ledger.push_ids_differ():
        return
    before = note(ledger, newest)
    recovery.seen_before = recovery.seen_before if recovery.has_noted_seen else before
    recovery.has_noted_seen = True


def seen_above(recovery):
    """Return the ranges of what this controller has shown above what is settled now."""
    observed = recovery.observed
    ledger = recovery.ledger
    if observed.is_reset or recovery.ended() is not None or recovery.offset.by or recovery.may_push_ids_differ():
        return ()
    if recovery.ownership.is_other or recovery.ownership.shares:
        return ()
    end = ledger.top()
    for number in (observed.newest, observed.upto):
        if not observed.is_nothing() and (end < 0 or is_ahead(number, end)):
            end = number
    return above(ledger, end)


def begins(recovery, digits, now):
    """A part of the push of this ID is to be acknowledged before it is whole; False if that has to wait (rule 4)."""
    ledger = recovery.ledger
    number = id_of(digits, 0)
    gap_fill = recovery.gap_fill
    if not ledger.recovers or number <= 0 or recovery.ownership.is_other or gap_fill.is_reported(number):
        return True
    if recovery.duplicates.has_id(digits, ledger.since):
        return True
    if not ledger.partly_acknowledged:
        recovery.overdue.start(now, LOOK_AGAIN_MS)
    recovery.grace.start(now, GRACE_MS)
    if not begin(ledger, number, gap_fill.reported[1]):
        return False
    if number not in ledger.partly_acknowledged:
        ledger.partly_acknowledged.append(number)
        del ledger.partly_acknowledged[:-PARTLY_ACKNOWLEDGED_MOST]
    return True
