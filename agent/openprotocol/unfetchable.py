"""A controller that answers no question about its results: what it makes while it is not connected is counted, as
soon as a push shows it.

Rules
1. So is one that knows no such question (99, 73, 75), or rejects it in every revision; one that has never answered
   any, where UNANSWERED_MOST in a row get no answer or another rejection; and any, where IN_A_ROW_MOST in a row get no
   usable answer (toolcart.agent.openprotocol.unanswered_requests). Where ID 0 is answered so, `top` is asked for before
   that is believed. One that says "later" is believed for ever: what is missing stays so.
2. Then, in one snapshot: the last push is the highest result known, `top`; the IDs that were skipped since `top`, in
   the order of the log, and what was missing before are gone; from now on it counts as known at once
   (`is_unanswering`). Of what it has shown above `top` that waits until it was unasked before.
3. From then on a push moves `top` and opens a range in the fold, before a question or without one, also after a start
   or a cut. A range is reported and closed when it did not come behind that push in a moment, or when the questions of
   a new connection, or of the next hour, have brought nothing; without room for the event it stays until there is some.
   What the log has of it by then is not gone.
4. Another controller is believed when it names itself twice; what it skipped after the last one's IDs means nothing,
   what it skipped after the first of its own that was seen is gone (toolcart.agent.openprotocol.successor).
5. Any answer ends this: the recovery starts over.
6. Where several results have one ID, some of the ID that was pushed last may be missing: a push of another ID shows
   that no more of them come.

Imported where a controller is of this kind.
"""

from toolcart.agent.base.fields import all_digits, get_u32
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.gap_fill import WHY_RESET
from toolcart.agent.openprotocol.id_offset import OFFSET_MOST
from toolcart.agent.openprotocol.ids import (
    after,
    following,
    id_of,
    is_ahead,
    is_open,
    length_of,
    preceding,
    put_id,
    unpack_id,
)
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, put_digest, same
from toolcart.agent.openprotocol.seen_ids import below, first_above, last_of, note
from toolcart.agent.record.result import (
    FLAG_RECOVERED,
    FLAG_RETRIED,
    FLAG_UNPROVEN,
    HEAD_BYTES,
    ID_BYTES,
    ID_EPOCH,
    TIGHTENING_ID,
)


def cannot_ask_this(recovery, now):
    """What was asked is answered in no revision; return an OUTCOME_.

    Where that was ID 0, real IDs may be known all the same: the highest known is asked for once.
    """
    if recovery.phase == phases.PHASE_NEWEST and recovery.ledger.top() > 0 and not recovery.ownership.is_other:
        recovery.revisions.begin_round()
        recovery.observed.is_zero_absent = True
        return phases.STEP_WITHOUT_NEWEST
    return recovery.cannot_ask(now)


def cannot_ask(recovery, now):
    """Nothing can be asked for, as far as known: ask again in an hour, count what is missing. Return an OUTCOME_."""
    ownership = recovery.ownership
    recovery.switch_off(phases.PHASE_OFF)
    is_new = ownership.is_other and not ownership.is_believed
    if is_new and recovery.ledger.successor_id >= 0:
        return phases.OUTCOME_ASK_AGAIN
    recovery.retry.start(now, phases.OFF_MS)  # a controller in trouble says so, too
    # Where IDs are shared a push does not show what is missing: `top` stays, and may be asked for in an hour.
    if not (is_new or (ownership.shares and recovery.was_answered())):
        count_missing(recovery, now)
    return phases.OUTCOME_NONE


def take_new_count(recovery, number, record):
    """A push is not after the last one: what its count has made in front of it is missing."""
    ledger = recovery.ledger
    if not ledger.push_ids_differ() and not is_late(recovery.duplicates, number, record):
        ledger.since = record
        if number > 1:
            ledger.add(1, preceding(number))


def take_next_id(recovery, number, known, record):
    """A push has another ID than the last one, `known`: of that nothing comes any more, and some may be missing."""
    ledger = recovery.ledger
    digits = bytearray(ID_BYTES)
    put_id(digits, 0, known)
    missing = recovery.results_of_spindles().missing(bytes(digits), recovery.first_of_count())
    if not missing:
        return
    if not is_ahead(number, known):
        if is_late(recovery.duplicates, number, record):
            return
        if not recovery.gap_fill.report(known, known, missing, recovery.why):  # a new count has its own of this ID
            ledger.add(known, known)
    elif ledger.ranges and ledger.ranges[-1][0] == after(known):
        ledger.add(known, ledger.ranges.pop()[1])
    else:
        ledger.add(known, known)
    ledger.try_save()


def count_missing(recovery, now):
    """What is missing is gone, since nothing can be asked for, and pushes prove themselves."""
    ledger = recovery.ledger
    if ledger.partly_acknowledged and not (recovery.grace.expired(now) or recovery.overdue.expired(now)):
        recovery.retry.start(now, recovery.overdue.least(now, recovery.grace.left(now)))
        return
    recovery.gap_fill.drop()
    ledger.take_written()
    recovery.spindle_results = None  # more may have come since
    recovery.learn_results_each()
    if settle(recovery, recovery.why):
        ledger.partly_acknowledged = []
        recovery.flags = 0
        recovery.saw_new_count = False
        recovery.known_top = ledger.top()
    else:
        recovery.wait_for_room(now)


def count_when_due(recovery, now, ms):
    """Count what pushes have skipped, and did not come behind them; return the ms until that is due, `ms` at most."""
    if not recovery.push_run.on_its_way.expired(now):
        return recovery.push_run.on_its_way.least(now, ms)
    recovery.push_run.on_its_way = None
    is_off = recovery.phase in (phases.PHASE_OFF, phases.PHASE_NO_ID)
    if is_off and recovery.ledger.is_unanswering() and recovery.ledger.ranges and not recovery.ownership.is_other:
        count_missing(recovery, now)
    return ms


def settle(recovery, why):
    """Rule 2, or 3 where that was done before: count what is missing; False if it cannot be written down now."""
    is_begun = recovery.ledger.is_unanswering() or bool(recovery.ledger.partly_acknowledged)
    ledger = recovery.ledger
    ownership = recovery.ownership
    is_other = ownership.is_other
    last = bytearray(FINGERPRINT_BYTES)
    skipped = []
    begun = []
    moves = find_skipped(recovery.duplicates, ledger, skipped, last, is_other, None if is_other else begun)
    if is_other and not moves:
        from toolcart.agent.openprotocol.successor import put_seen  # hardly any cart needs it

        moves = put_seen(recovery.duplicates, ledger, last)
    if ownership.shares or ledger.push_ids_differ():
        skipped = begun = []
    lost = [(first, end) for first, end in below(ledger) if not is_open(first, end)]
    seen = -1 if is_other or recovery.contradicts else last_of(ledger)
    if seen >= 0 and lost and ledger.is_unanswering() and lost[-1][1] == ledger.top():
        lost[-1] = lost[-1][0], preceding(ledger.top())  # that was pushed
    begins = ()  # what it has shown above the last push, and is counted
    top = unpack_id(last, 0) if moves else ledger.top()
    if seen >= 0 and is_begun and is_ahead(seen, top):
        begins = first_above(top, seen), seen
    elif top < 0 and lost and not is_other:
        begins = lost.pop()
    if moves and not is_other and recovery.has_several() and not (ownership.shares or ledger.push_ids_differ()):
        first = ledger.top()
        if first == recovery.closed_top or not _count(recovery, [(first, first)]):
            first = following(first)
        if is_ahead(top, ledger.top()) and not begun:
            lost.append((first, preceding(top)))  # with what is missing of those that were pushed
            skipped = []
        elif first == ledger.top():
            lost.append((first, first))
    ledger.begin()
    if is_other:  # what was missing was the other one's, and what was skipped is all of this one
        lost += skipped_before(recovery.duplicates, ledger)
        count = sum([length_of(first, end) for first, end in skipped]) * recovery.results_each()
        is_reported = _report(recovery, lost, _count(recovery, lost), WHY_RESET)
        is_reported = is_reported and _report(recovery, skipped, count, why)
    else:
        lost += skipped
        skipped = []
        if begins:
            lost.append(begins)
        count = sum([length_of(first, end) for first, end in begun]) * recovery.results_each()
        count += _count(recovery, lost[ledger.ended_ranges :])
        if ledger.ended_ranges:
            from toolcart.agent.openprotocol import ended_ranges  # hardly any count begins anew

            count += sum([ended_ranges.count_lacking(recovery, one[0], one[1]) for one in lost[: ledger.ended_ranges]])
        is_reported = _report(recovery, lost + begun, count, why)
    if not is_reported:
        ledger.undo()
        return False
    ledger.forget_ranges()
    if moves:
        ledger.put_top(last)
    elif is_other:
        ledger.put_nothing()
    if begins:
        recovery.gap_fill.note_reported(begins[0], begins[1])
    elif seen >= 0:
        note(ledger, seen)
    ledger.end_doubt()
    ledger.put_unanswering(True)
    ledger.put_controller(ownership.identity, ownership.shares, is_other)
    if not ledger.commit():
        return False
    ownership.is_other = False
    return True


def _count(recovery, lost):
    from toolcart.agent.openprotocol.stored_contents import count_lacking  # only once something is gone

    return sum([count_lacking(recovery, first, end) for first, end in lost])


def _report(recovery, lost, count, why):
    """Report so many results of these ranges as gone; False if that has to wait."""
    if count <= 0:
        return True
    first, last = lost[0]
    for begin, end in lost:  # of several counts, or of IDs that fall: in no order
        first = begin if is_ahead(first, begin) else first
        last = end if is_ahead(end, last) else last
    return recovery.gap_fill.report(first, last, count, why)


def skipped_before(duplicates, ledger):
    """Return the ranges that the pushes of the one before have skipped since `top`, also of a new count or downward."""
    skipped = []
    begun = []
    if ledger.doubted and ledger.is_met():
        pushes = _pushes(duplicates, ledger.doubted, ledger.since, ledger.octets)
        last = bytearray(FINGERPRINT_BYTES)
        _find(
            pushes, ledger.top(), skipped, last, lambda number, record: not is_late(duplicates, number, record), begun
        )
    return skipped + begun


def find_skipped(duplicates, ledger, skipped, last, is_other=False, begun=None):
    """Append the ranges that the pushes since `top` have skipped; True if there were some: the last is in `last` then.

    `is_other`: since another controller came; what was pushed in front of that is not looked at. `begun` takes what
    lies in front of a push with which a count has begun anew, which is not `top` otherwise.
    """
    if not ledger.doubted or not ledger.is_met() or (is_other and ledger.since == 1 and ledger.successor_id < 0):
        return False
    pushes = _pushes(duplicates, max(ledger.doubted, ledger.since), 0, ledger.octets)
    new = (lambda number, record: not is_late(duplicates, number, record)) if begun is not None else None
    return _find(pushes, ledger.successor_id if is_other else ledger.top(), skipped, last, new, begun)


def is_late(duplicates, number, record):
    """True if this push, which is not after the last one, goes on with the count that the log has.

    It does where the log has the ID above it, or one not far below, but not this one: it is late, or the last one's ID
    was spoiled.
    """
    near = [after(number)] + [one for one in range(number - OFFSET_MOST, number) if one > 0]
    return not _was_stored(duplicates, number, record) and any(_was_stored(duplicates, one, record) for one in near)


def _was_stored(duplicates, number, record):
    """True if the log has a result of this ID in front of this record."""
    digits = bytearray(ID_BYTES)
    put_id(digits, 0, number)
    return any(get_u32(page, at - HEAD_BYTES) < record for page, at, _ in duplicates.results_of(bytes(digits), 1))


def _goes_on(number, record):
    """False for any push: none begins a count."""
    return False


def _find(pushes, top, skipped, last, is_new=_goes_on, begun=None):
    """Find what these pushes have skipped, from ID `top` on: see `find_skipped`.

    One that is lower may begin a new count, with 1; where the next one is the ID below it IDs fall instead.
    """
    moves = False
    above = top  # the one in front of that
    falls = False
    for record, number, is_top, digest in sorted(pushes):
        if is_top:  # what comes before it is known
            skipped[:] = []
            if begun:
                begun[:] = []
            top = number
            moves = False
        elif begun is not None and top >= 0 and is_ahead(top, number):
            if begun and begun[-1] == (1, preceding(top)) and after(number) == top:
                begun.pop()  # no count has begun, but IDs fall
                begun.append((following(top, above), preceding(above)))
                falls = True
            if falls or is_new(number, record):
                if falls or number > 1:
                    first, end = (following(number, top), top) if falls else (1, number)
                    begun.append((first, preceding(end)))
                above = top
                top = number
                last[:] = digest
                moves = True
        elif top < 0 or is_ahead(number, top):
            falls = False
            part = following(top, number), preceding(number)
            if top >= 0 and length_of(part[0], part[1]):
                skipped.append(part)
            top = number
            last[:] = digest
            moves = True
    return moves


def last_pushed(duplicates, ledger, end, skipped=None, last=None):
    """Return the last ID above `top` that was pushed in front of this record of the log, 0: of any; -1: there is none.

    Its digest is in `last` then, and what pushes have skipped up to it in `skipped`, as in `find_skipped`.
    """
    last = bytearray(FINGERPRINT_BYTES) if last is None else last
    pushes = _pushes(duplicates, max(ledger.doubted, ledger.since), end, ledger.octets, ledger.epoch())
    return unpack_id(last, 0) if _find(pushes, ledger.top(), [] if skipped is None else skipped, last) else -1


def count_skipped(duplicates, ledger):
    """Count what pushes that are not proven have skipped, from the log, also of a count that has begun anew.

    A start has read only the last of them, and whether a push is late, or begins a count, the log says alone.
    """
    skipped = []
    begun = []
    last = bytearray(FINGERPRINT_BYTES)
    moves = False
    if not ledger.push_ids_differ():
        # Else what is below `top` may have come before it.
        is_in_order = _record_of(duplicates, ledger.octets) > 0
        moves = find_skipped(duplicates, ledger, skipped, last, False, begun if is_in_order else None)
    ledger.skipped = sum([length_of(first, end) for first, end in skipped + begun])
    ledger.unproven = unpack_id(last, 0) if moves else -1


def first_of_new_count(recovery):
    """Return the first record of this connection's pushes that is of the count that begins anew, 0: there is none.

    What it pushed in front of that, in one go with it, is of the count before.
    """
    begins, last = recovery.first_record, -1
    pushes = _pushes(recovery.duplicates, begins, 0, recovery.ledger.octets) if begins else ()
    for record, number, is_top, _ in sorted(pushes):
        if is_top:
            begins = 0  # until one that is not proven either shows it
        elif last >= 0 and is_ahead(last, number) and not is_late(recovery.duplicates, number, record):
            begins = record
        last = number
    return begins


def lost(recovery, newest, is_reset, is_noted, before, begins):
    """Return the ranges that are lost where all begins anew: also what was seen and skipped, if that `is_reset`.

    `is_noted`: on this connection, when it was `before`; `begins`: of the new count (`first_of_new_count`).
    """
    ledger = recovery.ledger
    parts = below(ledger)[ledger.ended_ranges :]
    if not is_reset:
        return parts
    top = ledger.top()
    last = last_of(ledger)
    if is_noted and not (last >= 0 and newest >= 0 and is_ahead(last, newest)):
        last = before
    if recovery.ownership.is_other:
        for first, end in skipped_before(recovery.duplicates, ledger):
            if not is_ahead(end, top):  # of a new count, or of IDs that fall
                parts.append((first, end))
            elif last < 0 or is_ahead(end, last):
                parts.append((first if last < 0 or is_ahead(first, last) else following(last, end), end))
    elif ledger.doubted and top >= 0:
        pushed = last_pushed(recovery.duplicates, ledger, begins)
        if pushed >= 0 and (last < 0 or is_ahead(pushed, last)):
            last = pushed
    if last >= 0 and length_of(first_above(top, last), last):
        parts.append((first_above(top, last), last))
    return parts


def _pushes(duplicates, first, end, highest, epoch=-1):
    """Return record, ID, whether it is `top`, and digest, of `top` and each push that may have come since.

    One that was proven has come since if it is behind the push of `top`, or it would have moved that.
    Of the records from `first` on, in front of `end` if that is not 0, of this epoch of the IDs if one is given;
    `highest` is the digest of `top`: what lies in blocks in front of that one's is not read.
    """
    pushes = []
    top = 0
    behind = _record_of(duplicates, highest)
    for page, at, flags in duplicates.results(first):
        record = get_u32(page, at - HEAD_BYTES)
        if record < top:
            break
        if end and record >= end:
            continue
        if epoch >= 0 and page[at - HEAD_BYTES + ID_EPOCH] != epoch:
            continue
        if flags & (FLAG_RECOVERED | FLAG_RETRIED) or not all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            continue
        digest = bytearray(FINGERPRINT_BYTES)
        put_digest(digest, 0, page, at, flags)
        is_top = same(digest, highest)
        top = record if is_top else top
        if is_top or flags & FLAG_UNPROVEN or 0 < behind < record:
            pushes.append((record, id_of(page, at + TIGHTENING_ID), is_top, bytes(digest)))
    return pushes


def _record_of(duplicates, pushed):
    """Return as which record of the log the result with this digest was pushed, 0: as none."""
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, unpack_id(pushed, 0))
    one = bytearray(FINGERPRINT_BYTES)
    found = 0
    for page, at, flags in duplicates.results_of(bytes(ident), 1):
        put_digest(one, 0, page, at, flags)
        if not flags & FLAG_RECOVERED and same(one, pushed):
            found = max(found, get_u32(page, at - HEAD_BYTES))
    return found
