"""Records which results the controller no longer has: an event for each run of tightening IDs that are gone.

    code    none    the controller has nothing under these IDs
            reset   its IDs mean other results than before
            mute    no answer came for them, or none that is certainly theirs
            never   it cannot be asked for its results
            99      the code with which it rejected them, or all questions; of two or three digits
            skip    not all were asked for: so many in a row are gone
            ?       several of these
    text    first ID, last ID, how many of these IDs are gone, how many in total including these, epoch

Rules
1. It is appended first, then the recovery saves it: a power cut between the two reports it twice, but never not at all.
   The count in the state is exact.
2. Results have priority: with no room for both it is reported later, and what is gone stays open until then. The log
   counts as full for as long: what is fetched comes behind it.

Loaded when the first result is gone: most controllers have all that is asked for.
"""

from toolcart.agent.base.fields import copy, fill, put_number
from toolcart.agent.log.newest_event import append_event, newest_event
from toolcart.agent.openprotocol.ids import put_id
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import FLAG_EDGE_TIME, ID_BYTES, ROOM_BYTES, STAMP_BYTES

_OCTETS = ev.EVENT_LEAST + ev.GONE_BYTES
_REASONS = (b"none", b"reset", b"mute", b"never", b"?", b"skip")  # by the WHY_ of toolcart.agent.openprotocol.gap_fill


def put_gone(log, clock, station, first, last, count, total, epoch, why):
    """Report that `count` of the IDs first..last are gone, `total` including these; return False if it must wait.

    `why` is a WHY_ of toolcart.agent.openprotocol.gap_fill, or a code of MID 0004, negative.
    """
    if not log.has_room(ROOM_BYTES + _OCTETS, False):
        log.room_bytes = max(log.room_bytes, ROOM_BYTES + _OCTETS)  # what is fetched next waits for as much
        return False
    stage = log.stage
    at = log.payload_at
    ev.put_event(stage, at, log.next, station, ev.GONE)
    if why < 0:
        put_number(stage, at + ev.CODE, 2 if why > -100 else 3, -why)
    else:
        copy(stage, at + ev.CODE, _REASONS[why], 0, len(_REASONS[why]))
    stamp = bytearray(STAMP_BYTES)
    clock.stamp_into(stamp)
    ev.put_time(stage, at, stamp, 0)
    text = at + ev.TEXT
    fill(stage, text, ev.GONE_BYTES)
    digits = bytearray(ID_BYTES)
    for place, value in (
        (ev.GONE_FIRST, first),
        (ev.GONE_LAST, last),
        (ev.GONE_COUNT, count),
        (ev.GONE_TOTAL, total),
    ):
        put_id(digits, 0, value)
        copy(stage, text + place, digits, 0, ID_BYTES)
    put_id(digits, 0, epoch)
    copy(stage, text + ev.GONE_EPOCH, digits, ID_BYTES - 3, 3)
    ev.end_text(stage, at, ev.GONE_BYTES)
    return append_event(log, FLAG_EDGE_TIME, _OCTETS) == 0


def latest(search, blocks):
    """Return in words the newest of these events in the newest blocks, None if there is none."""
    return newest_event(search.log, ev.GONE, blocks, _in_words)


def _in_words(log):
    from toolcart.agent.record.text import describe  # only for display

    return describe(log.page, log.at, log.kind, log.flags, log.length)
