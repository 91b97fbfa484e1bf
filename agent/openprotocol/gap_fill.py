"""The range of what is missing that is being fetched: how far it is closed, and what of it was gone.

    event                                             what changes                 written down
    turn     another range is to be fetched           begin = at = its first       -
    close    the result at `at` is here, or gone      at, gone_run, gone             -
    jump     nothing before this ID is missing        at, gone                     -
    flush    CLOSED_MOST are closed, the range or     begin = at, held             an event of what is gone, then one
             the connection ends, an ID is put off                                 snapshot: range and count
    report   other IDs are gone                       -                            an event; the count with what follows

What is gone is held by the ledger until no written range has it (toolcart.agent.openprotocol.id_ledger, rule 4): only
then there is an event, and it counts. Without a flush some are asked for again after a start, and none is lost. What is
gone are IDs: results are so many at most, since an answer may name an ID too high, and a walk that begins anew asks for
what was gone before.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol.ids import COUNT_MOST, ahead_by, following, is_ahead, is_open, length_of, preceding

CLOSED_MOST = const(32)

# Why IDs are gone; below 0: the code, negative, of the rejection that came.
WHY_NONE = const(0)  # the controller has nothing under them
WHY_RESET = const(1)  # its IDs mean other results now
WHY_SILENT = const(2)  # no answer came, or none that is certainly its result
WHY_NEVER = const(3)  # it cannot be asked for any
WHY_MIXED = const(4)  # one reason for some, another one for others
WHY_SKIPPED = const(5)  # so many in a row are gone that not all are asked for


class GapFill:
    """Over the ranges of toolcart.agent.openprotocol.id_ledger."""

    def __init__(self, ledger, gone):
        self.ledger = ledger
        # writes an event of what is gone, False if there is no room: toolcart.agent.station.store's report_gone
        self.gone = gone
        self.differing_push_ids = (
            None  # toolcart.agent.openprotocol.differing_push_ids's, where pushes have no ID of the memory
        )
        self.reported = -1, -1  # the IDs counted last that `top` has not passed: a later push seems to skip them
        self.forget()

    def forget(self):
        """No range is being fetched."""
        self.begin = self.at = 0  # where the range begins: as saved, and in fact
        self.gone_run = 0  # gone in a row
        self._closed = 0  # since `begin` was saved
        self._gone_first = self._gone_last = self._gone_count = self._gone_why = 0

    def turn(self, first):
        """The oldest range begins with `first`; True if it is another one than before."""
        is_other = self.begin != first
        if is_other:
            self.forget()
            self.begin = self.at = first
        return is_other

    def close(self, count, why, last):
        """The one at `at`, of a range up to `last`, is no longer missing; so many of its results are gone: `why`."""
        if count:
            self._note_gone(self.at, count, why)
        self.at = following(self.at, last) or 1
        self._closed += 1

    def is_over_zero(self, last):
        """True if the one closed last was in front of 0, and that may be missing too."""
        return self.at == 1 and self.begin != 1 and length_of(0, last) > 0

    def lose_zero(self, count):
        """0, of which there are so many results, cannot be asked for."""
        self._note_gone(0, count, WHY_NEVER)

    def report_lost_zero(self, count):
        """Append an event for ID 0, one of whose so many results the ledger has counted; False if there is no room."""
        ledger = self.ledger
        total = min(ledger.gone() + count - 1, COUNT_MOST)
        if self.gone is not None and not self.gone(0, 0, count, total, ledger.epoch(), WHY_NEVER):
            return False
        ledger.count_gone(count - 1)
        ledger.has_lost_zero = False
        ledger.try_save()
        return True

    def jump(self, number, lacking=0, why=WHY_NONE):
        """Nothing in front of `number` is missing any more; so many results are gone, as far as they were ever made."""
        if lacking > 0 and not is_open(self.at, preceding(number)):
            self._note_gone(preceding(number), lacking, why)
        self._closed += min(ahead_by(number, self.at), CLOSED_MOST)
        self.at = number
        self.gone_run = 0

    def _note_gone(self, last, count, why):
        if self._gone_count == 0:
            self._gone_first = self.at if last else 0
            self._gone_why = why
        elif why != self._gone_why:
            is_skipped = sorted((why, self._gone_why)) == [WHY_NONE, WHY_SKIPPED]
            self._gone_why = WHY_SKIPPED if is_skipped else WHY_MIXED
        self._gone_last = last
        self._gone_count += count

    def is_due(self):
        """True if enough is closed to be written down."""
        return self._closed >= CLOSED_MOST and self.differing_push_ids is None

    def flush(self):
        """Write down how far the range is closed; False if some of what is gone cannot be reported now."""
        ledger = self.ledger
        place = ledger.place_of(self.begin)
        if place < 0:
            self.forget()
        is_changed = self.at != self.begin
        if is_changed:
            if self.differing_push_ids:
                self._gone_count -= self.differing_push_ids.take_from(self._gone_count, self)
            if self._gone_count:
                ledger.hold(self._gone_first, self._gone_last, self._gone_count, self._gone_why)
            ledger.close_up_to(place, self.at)
            self.begin = self.at  # the next range has its own
            self._closed = self._gone_count = 0
        one = ledger.leaving()
        while one is not None and self.report(one[0], one[1], one[2], one[3]):
            is_changed = True
            top = ledger.top()
            if top >= 0 and is_ahead(one[0], top) and one[2] == length_of(one[0], one[1]):
                self.note_reported(one[0], one[1])
            ledger.release()
            one = ledger.leaving()
        if is_changed:
            ledger.try_save()
        return one is None

    def drop(self):
        """The range is fetched no longer: write down how far it is closed, or doubt that nothing of it is here."""
        if not self.flush():
            self.ledger.doubt()

    def report(self, first, last, count, why):
        """Count IDs that are gone, and append an event; False, and nothing counted, if there is no room."""
        ledger = self.ledger
        count -= self._count_reported(first, last, count)
        if not count:
            return True
        count = min(count, COUNT_MOST)
        total = min(ledger.gone() + count, COUNT_MOST)
        if self.gone is not None and not self.gone(first, last, count, total, ledger.epoch(), why):
            return False
        ledger.count_gone(count)
        return True

    def _count_reported(self, first, last, count):
        """Return how many of these IDs, if they are all gone, were reported before."""
        begin, end = self.reported
        if begin < 0 or count != length_of(first, last):
            return 0
        if length_of(begin, first):
            begin = first
        if length_of(last, end):
            end = last
        return length_of(begin, end)

    def is_reported(self, number):
        """True if this ID was reported, and `top` has not passed it."""
        begin, end = self.reported
        return begin >= 0 and 0 < length_of(number, end) <= length_of(begin, end)

    def note_reported(self, first, last):
        """These IDs above `top` are reported as gone."""
        begin, end = self.reported
        self.reported = (begin if begin >= 0 and (following(end, first) or 1) == first else first), last

    def left_to(self, last):
        """Return how many may be missing yet, up to `last`."""
        return length_of(self.at, last)
