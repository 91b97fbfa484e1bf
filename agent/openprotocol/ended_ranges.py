"""What is missing of the count before the present one: it is asked for until the present count has the same IDs.

Rules
1. An ID that the present count has reached means its own result: whatever is answered for it, that of the count before
   is gone (WHY_RESET), unless the log has it.
2. The log has of the count before what it got in front of the present one, in the epoch before, or since the one in
   front of that was known to have ended.

Imported where a count has begun anew and something is missing of the one before.
"""

from toolcart.agent.base.fields import all_digits, get_u32
from toolcart.agent.openprotocol.gap_fill import WHY_RESET
from toolcart.agent.openprotocol.ids import following, id_of, is_ahead, is_open, is_within, length_of
from toolcart.agent.record.result import HEAD_BYTES, ID_BYTES, ID_EPOCH, TIGHTENING_ID


def pass_reached(recovery, last):
    """Close what the present count has reached of the range being fetched, up to `last`; True if that is any."""
    gap_fill = recovery.gap_fill
    top = recovery.ledger.top()
    if is_ahead(last if is_open(gap_fill.at, last) else gap_fill.at, top):
        return False
    end = top if is_ahead(last, top) else last
    gap_fill.jump(following(end, last) or 1, count_lacking(recovery, gap_fill.at, end), WHY_RESET)
    return True


def count_gone(recovery, is_gone, count):
    """Return how many results of the ID that is closed are gone; not `is_gone`: there was an answer.

    `count` is what its spindles lack, where there are several.
    """
    number = recovery.gap_fill.at
    if not is_ahead(number, recovery.ledger.top()):
        recovery.why = WHY_RESET
    elif recovery.has_several() or not is_gone:
        return count
    return count_lacking(recovery, number, number)


def count_lacking(recovery, first, last):
    """Return how many results of these IDs, of the count before, the log lacks."""
    ledger = recovery.ledger
    epoch = (ledger.epoch() - 1) & 0xFF
    since = recovery.first_of_count()
    since_before = recovery.walk.since_before if recovery.walk is not None else 1
    ids = set()
    for page, at, _ in recovery.duplicates.results(1):
        record = get_u32(page, at - HEAD_BYTES)
        is_before = page[at - HEAD_BYTES + ID_EPOCH] == epoch or 1 < since_before <= record
        if is_before and record < since and all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            number = id_of(page, at + TIGHTENING_ID)
            if is_within(number, first, last):
                ids.add(number)
    lacking = max(0, length_of(first, last) - len(ids)) * recovery.results_each()
    return lacking + (recovery.results_of_spindles().lacking(first, last, 1, since) if recovery.has_several() else 0)
