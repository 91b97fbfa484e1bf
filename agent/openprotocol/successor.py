"""Another controller in place of the one that is known: what it has made since it was first seen is ours.

Rules
1. It is noted when it names itself first, and believed on the next connection (toolcart.agent.openprotocol.id_ledger,
   rule 12). What is noted is the first of its IDs that was seen: its first push, or the newest it had. What comes after
   that may be missing, also what it made while the agent ended the session to have it name itself again. Where nothing
   was seen, or its IDs began again since, all that it has may be missing: what it made before cannot be told from that.
2. Where it answers no question the session is not ended before a push has shown an ID: behind that what is skipped can
   be counted.
3. Its results lie in the log behind its first push, or behind the highest result known of the one before.

Imported where another controller names itself.
"""

from toolcart.agent.base.fields import get_u32
from toolcart.agent.openprotocol.ids import following, id_of, is_ahead, is_within, put_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, put_digest, put_unread, same
from toolcart.agent.record.result import FLAG_RECOVERED, HEAD_BYTES, ID_BYTES, TIGHTENING_ID


def note_successor(recovery, is_first):
    """Another controller has named itself: note that, or what is known of it since it was first seen.

    `is_first`: the last connection was to another one than this.
    """
    ledger = recovery.ledger
    ownership = recovery.ownership
    if is_first:
        ledger.partly_acknowledged = []
        if ownership.is_believed:  # noted by an earlier start
            ledger.since = first_record(recovery.duplicates, ledger)
        else:
            ledger.since = recovery.first_record or recovery.duplicates.next_record()
    if not ownership.is_believed:
        ledger.put_successor(ownership.identity, recovery.first_id)
        ledger.try_save()


def first_record(duplicates, ledger):
    """Return from which record of the log on results may be of the successor, which an earlier start has noted."""
    first = 1
    digest = bytearray(FINGERPRINT_BYTES)
    for page, at, flags in duplicates.results(1):
        put_digest(digest, 0, page, at, flags)
        if same(digest, ledger.octets):
            first = max(first, get_u32(page, at - HEAD_BYTES) + 1)
    for record, _ in _pushes_of(duplicates, ledger.successor_id, first):
        first = max(first, record)
    return first


def put_seen(duplicates, ledger, digest):
    """Put what was seen of the successor first into `digest`, at least its ID; False if nothing was."""
    number = ledger.successor_id
    if number < 0:
        return False
    put_unread(digest, number)
    for _, pushed in sorted(_pushes_of(duplicates, number, ledger.since)):
        digest[:] = pushed
    return True


def _pushes_of(duplicates, number, record):
    """Return record and digest of each push of this ID."""
    pushes = []
    if number < 0:
        return pushes
    ident = bytearray(ID_BYTES)
    put_id(ident, 0, number)
    for page, at, flags in duplicates.results_of(bytes(ident), record):
        if not flags & FLAG_RECOVERED:
            digest = bytearray(FINGERPRINT_BYTES)
            put_digest(digest, 0, page, at, flags)
            pushes.append((get_u32(page, at - HEAD_BYTES), bytes(digest)))
    return pushes


def first_missing(ledger, observed):
    """Return the first ID that may be missing of the successor; -1 if that is all it has (rule 1)."""
    seen = ledger.successor_id
    if seen < 0:
        return -1
    return following(seen, observed.newest) if seen == observed.newest or is_ahead(observed.newest, seen) else -1


def count_before(duplicates, first, last, record):
    """Count the IDs first..last that were stored in front of this record, by the controller before."""
    ids = set()
    for page, at, _ in duplicates.results(1):
        if get_u32(page, at - HEAD_BYTES) < record and page[at + TIGHTENING_ID] != 0x20:
            number = id_of(page, at + TIGHTENING_ID)
            if is_within(number, first, last):
                ids.add(number)
    return len(ids)
