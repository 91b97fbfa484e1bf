"""The controller has nothing above the highest result known, `top`: that stays, or becomes the last push in the log.

What lies between the two may be missing, and so may what the controller has shown above `top` before: that it has
nothing says nothing about its IDs. Where what it has pushed has no IDs, or one for all, nothing says what is missing:
that can not be known, and is said so (NO_ID). Where a push since `top`, of whatever connection, is not above it, the
count has begun anew, or IDs are in no order: that push counts as the newest, and is no end of what is asked for. The
first push of a connection may have the ID of `top` and be another result: then that stays `top`, and all is looked at
again.

What an earlier connection has pushed above `top` is no less known for not being proven. Where the newest is not above
that, and not in the log, it becomes `top`, and what it skipped may be missing: the count has begun anew since. So it
does where nothing is under the ID of `top` any more, and nothing was skipped. Where the newest is above all that, but a
push since `top` is not, and was not late, the count has begun anew too, unless `top` is still under its ID.

Imported where a controller has nothing, or nothing new, though `top` is known and ID 0 is not answered, where a push
has the ID of `top`, or where earlier ones were not proven.
"""

from toolcart.agent.base.fields import all_digits, get_u32
from toolcart.agent.openprotocol import seen_ids
from toolcart.agent.openprotocol.differing_formats import digests
from toolcart.agent.openprotocol.ids import following, is_ahead, put_id, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, are_alike, are_of_one, put_digest
from toolcart.agent.openprotocol.unfetchable import find_skipped, is_late, last_pushed
from toolcart.agent.record.result import FLAG_RECOVERED, FLAG_RETRIED, HEAD_BYTES, ID_BYTES, TIGHTENING_ID


def shows_nothing(recovery):
    """True if a controller that has nothing has pushed results without an ID by which to ask, or to count."""
    if recovery.ledger.has_unnamed():
        return True
    if not recovery.is_id_unique():
        return False
    ids = [
        bytes(page[at + TIGHTENING_ID : at + TIGHTENING_ID + ID_BYTES])
        for page, at, flags in recovery.duplicates.results(1)
        if not flags & FLAG_RECOVERED
    ]
    return len(ids) > 1 and len(set(ids)) == 1


def takes_push(recovery):
    """True if the last push in the log since `top` is not above it: it counts as the newest, unless it was late."""
    ledger = recovery.ledger
    if not ledger.is_met() or recovery.ownership.is_other:
        return False
    pushes = _pushes_since(recovery)
    if not pushes:
        return False
    _, number, last = pushes[-1]
    if number < 1 or number == ledger.top() or is_ahead(number, ledger.top()) or _are_late(recovery, pushes):
        return False
    recovery.observed.take(number, last)
    recovery.observed.is_held = True
    return True


def has_pushed_newest(recovery):
    """True if this connection has pushed one: it counts as the newest, unless it was late."""
    ledger = recovery.ledger
    if ledger.last_id < 0 or ledger.top() <= 0 or not is_ahead(ledger.top(), ledger.last_id):
        return ledger.last_id >= 0
    pushes = _pushes_since(recovery) if ledger.doubted else []
    is_before = not pushes or ledger.is_top(pushes[-1][2])  # `top` came behind it, in its turn
    return not (is_before and (pushes or not ledger.doubted)) and not _are_late(recovery, pushes)


def take_pushes(recovery):
    """Take what pushes since `top` show, as the newest is not below it; return the highest ID known."""
    ledger = recovery.ledger
    observed = recovery.observed
    is_new = not observed.is_held and is_ahead(observed.newest, ledger.top()) and _is_below_push(recovery)
    if not (is_new and goes_on_from_push(recovery, True)):
        recovery.saw_new_count |= _has_pushed_new_count(recovery)
    return ledger.top()


def _has_pushed_new_count(recovery):
    """True if a push since `top` is not above it, and was not late: the count has begun anew."""
    ledger = recovery.ledger
    if not (ledger.is_met() and recovery.is_id_unique()) or recovery.ownership.is_other:
        return False
    if ledger.push_ids_differ() or ledger.has_unnamed():
        return False
    is_new = False
    for record, number, digest in _pushes_since(recovery):
        if ledger.is_top(digest):
            is_new = False  # what comes before it is known
        elif number > 0 and not is_ahead(number, ledger.top()):
            is_new = is_new or not is_late(recovery.duplicates, number, record)
    return is_new


def pushed_of_new_count(recovery, first_record=0):
    """Return record, ID and digest of what was pushed since `top` of a new count, in front of this record if not 0."""
    ledger = recovery.ledger
    if not (ledger.doubted and recovery.is_pushed(ledger.octets, True)) or recovery.may_push_ids_differ():
        return []
    pushes = []
    for one in _pushes_since(recovery):
        if ledger.is_top(one[2]):
            pushes = []  # what comes before it is known
        elif one[1] > 0 and not (is_ahead(one[1], ledger.top()) or is_late(recovery.duplicates, one[1], one[0])):
            pushes.append(one)
    return [one for one in pushes if not first_record or one[0] < first_record]


def _are_late(recovery, pushes):
    """True if those of these pushes that are not above `top` go on with its count, and there are some."""
    ledger = recovery.ledger
    below = [one for one in pushes if not (is_ahead(one[1], ledger.top()) or ledger.is_top(one[2]))]
    return len(below) > 0 and all(is_late(recovery.duplicates, one[1], one[0]) for one in below)


def _pushes_since(recovery):
    """Return record, ID and digest of each push since `top`, as far as is known, in the order of the log."""
    ledger = recovery.ledger
    pushes = []
    for page, at, flags in recovery.duplicates.results(max(ledger.doubted, ledger.since)):
        if not flags & (FLAG_RECOVERED | FLAG_RETRIED) and all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            digest = bytearray(FINGERPRINT_BYTES)
            put_digest(digest, 0, page, at, flags)
            pushes.append((get_u32(page, at - HEAD_BYTES), unpack_id(digest, 0), digest))
    pushes.sort()
    return pushes


def gives_back_top(recovery, record):
    """This record, a push, has become `top`, whose ID it has; if it is another result that is `top` again, and True."""
    ledger = recovery.ledger
    one, known = bytearray(FINGERPRINT_BYTES), bytearray(FINGERPRINT_BYTES)
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, ledger.top())
    newest = 0
    for page, at, flags in recovery.duplicates.results_of(bytes(ident), ledger.since):
        number = get_u32(page, at - HEAD_BYTES)
        put_digest(one, 0, page, at, flags)
        if newest < number < record:
            newest = number
            known[:] = one
    if not newest or are_of_one(known, ledger.octets):
        return False
    ledger.put_top(known)
    ledger.doubt(record)
    ledger.try_save()
    return True


def goes_on_from_push(recovery, is_new_count):
    """True if the last push of an earlier connection has become `top`: it is above that, and was not proven.

    What was skipped in front of it may be missing. Unless there `is_new_count` since, nothing must be: else it may be
    another controller's.
    """
    ledger = recovery.ledger
    last = bytearray(FINGERPRINT_BYTES)
    skipped = []
    if not _is_pushed_before(recovery):
        return False
    if last_pushed(recovery.duplicates, ledger, recovery.first_record, skipped, last) < 0:
        return False
    if skipped and not is_new_count:
        return False
    seen = seen_ids.cut(ledger)  # of that the pushes are in the log, but for what they skipped
    ledger.put_top(last)
    for first, end in skipped:
        ledger.add(first, end)
    if seen >= 0 and is_ahead(seen, ledger.top()):
        ledger.add(seen_ids.first_above(ledger.top(), seen), seen)
    ledger.try_save()
    return True


def _is_below_push(recovery):
    """True if the newest is not above the last push of an earlier connection, and the log does not have it."""
    newest = recovery.observed.top
    if not _is_pushed_before(recovery):
        return False
    last = last_pushed(recovery.duplicates, recovery.ledger, recovery.first_record)
    if last < 0 or is_ahead(recovery.observed.newest, last):
        return False
    return not any(are_alike(one[2], newest) for one in digests(recovery.duplicates.results(1)))


def _is_pushed_before(recovery):
    """True if what earlier connections have pushed above `top` may be of its count."""
    ledger = recovery.ledger
    if not (ledger.doubted and ledger.is_met() and recovery.is_id_unique()) or recovery.ownership.is_other:
        return False
    if ledger.push_ids_differ() or ledger.has_unnamed():
        return False
    return recovery.is_pushed(ledger.octets) or not recovery.may_be_offset()  # else `top` itself may be off


def stay_at_top(recovery):
    """The controller has nothing above the highest ID known; what lies between that and a push may be missing."""
    ledger = recovery.ledger
    observed = recovery.observed
    top = ledger.top()
    observed.take(top, ledger.octets)
    if ledger.doubted:
        find_skipped(recovery.duplicates, ledger, [], observed.top)
        observed.newest = unpack_id(observed.top, 0)
    observed.first = following(top)
    observed.miss_up_to_newest(True)
    if observed.newest == top:
        observed.first = top  # nothing
    if ledger.ranges:
        last = seen_ids.last_of(ledger)
        if last >= 0 and (observed.newest == top or is_ahead(last, observed.newest)):
            observed.first = following(top)
            observed.upto = last
