"""A controller that answers no question about its results: what it makes while it is not connected is counted, as
soon as a push shows it.

Rules
1. So is one that knows no such question (99, 73, 75), or rejects it in every revision; one that has never answered
   any, where UNANSWERED_MOST in a row get no answer or another rejection; and any, where VAIN_MOST in a row get no
   usable answer (toolcart.agent.openprotocol.recovery). One that says "later" is believed until then.
2. Then, in one snapshot: the last push is the highest result known, `w`; the IDs that were skipped since `w`, in the
   order of the log, and what was missing before are gone; from now on it counts as known at once (`is_unasked`).
3. From then on a push moves `w` and opens a range in the fold, before a question or without one, also after a start or
   a cut. A range is reported and closed at once; without room for the event it stays until there is some.
4. Another controller is believed when it names itself twice; what it skipped after the last one's IDs means nothing.
5. Any answer ends this: the recovery starts over.

Imported where a controller is of this kind.
"""

from toolcart.agent.base.fields import all_digits, get_u32
from toolcart.agent.openprotocol.gap_fill import WHY_RESET
from toolcart.agent.openprotocol.ids import following, id_of, is_ahead, is_open, length_of, preceding
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, put_digest, same
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    FLAG_RETRIED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    TIGHTENING_ID,
)


def settle(recovery, why):
    """Rule 2, or 3 where that was done before: count what is missing; False if it cannot be written down now."""
    ledger = recovery.ledger
    ownership = recovery.ownership
    is_other = ownership.is_other
    last = bytearray(FINGERPRINT_BYTES)
    lost = []
    moves = find_skipped(recovery.duplicates, ledger, lost, last, is_other)
    lost = [(first, end) for first, end in ledger.ranges if not is_open(first, end)] + (
        [] if ownership.shares else lost
    )
    why = WHY_RESET if is_other else why
    ledger.begin()
    count = sum([length_of(first, end) - recovery.count_here(first, end) for first, end in lost])
    if count > 0:
        if not recovery.gap_fill.report(lost[0][0], lost[-1][1], count, why):
            return False
    ledger.forget_ranges()
    if moves:
        ledger.put_top(last)
    elif is_other:
        ledger.put_nothing()
    ledger.end_doubt()
    ledger.put_unasked(True)
    ledger.put_controller(ownership.identity, ownership.shares, is_other)
    if not ledger.commit():
        return False
    ownership.is_other = False
    return True


def find_skipped(duplicates, ledger, skipped, last, is_other=False):
    """Append the ranges that the pushes since `w` have skipped; True if there were some: the last is in `last` then.

    `is_other`: since another controller came; what was pushed in front of that is not looked at.
    """
    if not ledger.doubted or not ledger.is_met() or (is_other and ledger.since == 1):
        return False
    moves = False
    top = -1 if is_other else ledger.top()
    for _, number, is_top, digest in sorted(_pushes(duplicates, ledger)):
        if is_top:  # what comes before it is known
            skipped[:] = []
            top = number
            moves = False
        elif top < 0 or is_ahead(number, top):
            if top >= 0 and length_of(following(top), preceding(number)):
                skipped.append((following(top), preceding(number)))
            top = number
            last[:] = digest
            moves = True
    return moves


def _pushes(duplicates, ledger):
    """Return record, ID, whether it is `w`, and digest, of `w` and each unproven push that may have come since."""
    pushes = []
    for page, at, flags in duplicates.results(max(ledger.doubted, ledger.since)):
        if flags & (FLAG_RECOVERED | FLAG_RETRIED) or not all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            continue
        digest = bytearray(FINGERPRINT_BYTES)
        put_digest(digest, 0, page, at, flags)
        is_top = same(digest, ledger.octets)
        if is_top or flags & FLAG_UNPROVEN:
            pushes.append((get_u32(page, at - HEAD_BYTES), id_of(page, at + TIGHTENING_ID), is_top, bytes(digest)))
    return pushes
