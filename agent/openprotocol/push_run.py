"""What a connection has pushed, as far as something follows from it for what may be missing.

1. A push goes on with the count, fills a gap, or makes the look start over: rules 2, 5, 6 and 8 of
   toolcart.agent.openprotocol.recovery. It never waits: it is in the log before it comes here.
2. A run is what came one ID after the other. It is asked for once: if the controller has its first one under that ID,
   it made the rest since.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.base.ticks import Timer
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.ids import after, is_ahead, preceding, unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES

NONE = const(-1)
_OFF = const(13)


class PushRun:
    """The run that came last."""

    def __init__(self):
        self.first = bytearray(FINGERPRINT_BYTES)  # of the run
        self.last = NONE  # ID of the run's last one; NONE: there is no run
        # a timer, where nothing can be asked for: then what pushes have skipped is gone, if it did not come behind them
        self.on_its_way = None

    def take(self, number, digest):
        """Take note of a push; True if a run begins with it."""
        is_first = self.last < 0 or number != after(self.last)
        if is_first:
            copy(self.first, 0, digest, 0, FINGERPRINT_BYTES)
        self.last = number
        return is_first

    def follows(self, number):
        """True if a push of this ID would not be after the last one."""
        return self.last < 0 or is_ahead(number, self.last)

    def close(self):
        """There is no run: it was asked for, or the connection is over."""
        self.last = NONE


def take_push(recovery, record, now):
    """Take note of a push, this record of the log, that the ledger has seen; False if its ID is out of order."""
    ledger = recovery.ledger
    observed = recovery.observed
    number = ledger.last_id
    if number < 0:
        if ledger.is_empty():
            recovery.start_over_later(now)  # under which ID the memory has it shows where its IDs begin
        return True
    if number in ledger.partly_acknowledged:
        ledger.partly_acknowledged.remove(number)
    if number == recovery.closed_top:
        recovery.closed_top = -1
    if ledger.end_contact():
        ledger.try_save()  # else a start would not know that it is the first one
        if not observed.is_nothing():
            from toolcart.agent.openprotocol import newest_check  # hardly any push comes just then

            newest_check.take_first_push(recovery)
    if not recovery.first_record:
        recovery.first_record = record
        recovery.first_records.pop(0)
        recovery.first_records.append(record)
        recovery.first_id = number
    if recovery.phase == _OFF and recovery.ownership.is_other:  # now the session may be ended
        recovery.retry.start(now, phases.ON_ITS_WAY_MS)
    if recovery.phase == _OFF and recovery.ownership.lacks_station():
        recovery.ownership.shared.has_asked_log = False  # else nothing is lacking
        recovery.start_over_after_pause(now)  # the answer with this push shows which station is ours
    follows = recovery.push_run.follows(number)
    if recovery.push_run.take(number, ledger.last_push):
        ledger.run = 0 if recovery.has_several() else record
    known, recovery.known_top = recovery.known_top, ledger.top()
    if recovery.answers_nothing():
        _take_unanswered(recovery, number, known, record, now)
        return follows
    if recovery.flags:
        return _take_unproven(recovery, number, known, follows, now)
    if ledger.misses(number):
        recovery.retry.start(now, phases.ON_ITS_WAY_MS)
        return True
    is_first_of_known = number == known and record == recovery.first_record
    if number != ledger.top() or (is_first_of_known and _is_another(recovery, record)):
        recovery.start_over_later(now)
        return follows
    if known >= 0 and number != after(known) and ledger.ranges:
        recovery.retry.start(now, phases.ON_ITS_WAY_MS)  # what it skipped may come behind it
    return True


def _take_unanswered(recovery, number, known, record, now):
    """Take a push of a controller that cannot be asked for anything: what is missing is counted."""
    if not recovery.flags and known >= 0 and number != known and recovery.has_several():
        from toolcart.agent.openprotocol.unfetchable import take_next_id  # hardly any controller needs it

        take_next_id(recovery, number, known, record)
    if not recovery.flags and known >= 0 and is_ahead(known, number) and recovery.ownership.has_plain_ids():
        from toolcart.agent.openprotocol.unfetchable import take_new_count  # hardly any controller needs it

        take_new_count(recovery, number, record)
    if recovery.phase >= _OFF and recovery.flags:  # else the answers may show more
        recovery.count_missing(now)
    elif recovery.phase >= _OFF and recovery.ledger.ranges:
        recovery.push_run.on_its_way = recovery.push_run.on_its_way or Timer()
        recovery.push_run.on_its_way.start(now, phases.ON_ITS_WAY_MS)


def _take_unproven(recovery, number, known, follows, now):
    """Take a push of a connection that has not proven yet what its IDs mean; False if its ID is out of order."""
    ledger = recovery.ledger
    observed = recovery.observed
    if number not in (ledger.unproven, ledger.top()):  # it is late, or its count has begun anew
        from toolcart.agent.openprotocol.unfetchable import count_skipped  # hardly any push is behind the last one

        count_skipped(recovery.duplicates, ledger)
    # ID 0 is no result's, or one's just past the wrap; one that comes again says nothing new.
    if recovery.phase == phases.PHASE_NO_ID and number > 0 and number != known:
        recovery.start_over_after_pause(now)
        return False
    if observed.is_nothing():
        is_of_count = not observed.is_zero_absent or recovery.ownership.shares or is_ahead(number, ledger.top())
        if not (is_of_count or number < 1 or ledger.is_top(ledger.last_push)):
            recovery.start_over_later(now)  # its count has begun anew, and ID 0 does not show it
        return True
    top = unpack_id(observed.top, 0)
    if is_ahead(number, top):
        if number != after(top) and not recovery.ownership.shares:
            observed.upto = preceding(number)  # else the IDs skipped would not be asked for
    elif number != top:
        # Else it was on its way; below the highest ID known it was not, where what has shown the newest is above that.
        is_of_new_count = is_ahead(top, ledger.top()) and not is_ahead(number, ledger.top())
        if not follows or is_of_new_count:
            recovery.start_over_later(now)
        return follows
    if not ledger.is_other_spindle_of(observed.top):
        copy(observed.top, 0, ledger.last_push, 0, FINGERPRINT_BYTES)
    return True


def _is_another(recovery, record):
    """True if the first push of this connection is another result than the highest known, under its ID."""
    if not recovery.is_id_unique():
        return False
    from toolcart.agent.openprotocol import nothing_above  # hardly any count begins anew

    return nothing_above.gives_back_top(recovery, record)
