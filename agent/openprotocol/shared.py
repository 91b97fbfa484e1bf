"""A controller whose stations share its tightening IDs (Power Focus 6000 up to 2.8): which of the missing are ours.

    asked      n        n-3     ..      first
    answered   n-2 (A)  n-7 (us)        below first: the stretch is known, and n-7 is ours

There one counter serves every station and tool, and MID 0064 with n is answered with the newest result at or below n,
whoever made it; MID 0065 says who did from revision 7 on (parameter 37, octets 343-352).

Rules
1. Where the controller names our station (0002 revision 6) MID 0064 is asked in revision 7. An answer of another
   station, or one below the ID that was asked for, shows that the IDs are shared; when the next one shows it too, that
   is written down. Equality shows nothing.
2. From then on a jump of the pushed IDs leaves nothing open; what is missing since the last connection is looked
   through after each connect, and what is another station's is never stored.
3. A stretch of missing IDs is walked down from its end. An answer m to n proves that nothing lies between the two; one
   below the stretch, or a refusal with 15, ends the way.
4. Ours are asked for once more by their own IDs, oldest first; what lies between them is closed as nobody's of ours.
5. Behind a stretch without any result the next one is twice as long: a gap of millions takes a few questions. More of
   ours than OURS_MAX shorten the stretch. What a cut leaves undone is the stretch alone; the next connection begins
   with a quarter of it, or a controller that ends each connection soon would never let one be finished.
6. An answer that does not say whose it is cannot be told from another station's: then nothing is fetched.
7. What was written down is taken back by a controller that names no station and is no Power Focus 6000
   (agent.openprotocol.recovery).

Imported where a controller names its station; other carts have no room for it.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare
from agent.openprotocol import known as kn
from agent.openprotocol.identity import SHARED_SYSTEM, STATION, STATION_BYTES
from agent.openprotocol.ids import ID_PERIOD
from agent.openprotocol.questions import (
    NEWS_AGAIN,
    NEWS_GO_ON,
    NEWS_GONE,
    NEWS_NO_OWNER,
    NEWS_NONE,
    PHASE_NEWEST,
    PHASE_SEEK,
    PHASE_WITNESS,
    SHARING_ALL,
    SHARING_OWN,
)

OWNER_NONE = const(0)  # the answer does not say whose it is
OWNER_OURS = const(1)
OWNER_OTHER = const(2)

STRETCH_IDS = const(500)
OURS_MAX = const(250)

_OWNER_REVISION = const(7)  # of MID 0065, from which on it says whose it is
_OWNER = const(342)  # parameter 37 of MID 0065, from the message's first octet


def owner_of(station, buf, at, length, revision):
    """Return the OWNER_ of the MID 0065 at buf[at:]; `station` is the ten digits that 0002 named as ours."""
    place = at + _OWNER
    if revision < _OWNER_REVISION or length < _OWNER + STATION_BYTES or not is_station(buf, place):
        return OWNER_NONE
    return OWNER_OURS if compare(buf, place, station, 0, STATION_BYTES) == 0 else OWNER_OTHER


def is_station(buf, at):
    """Tell whether the ten octets are the ID of a station: digits, not all of them zero."""
    if not all_digits(buf, at, STATION_BYTES):
        return False
    for index in range(STATION_BYTES):
        if buf[at + index] != 0x30:
            return True
    return False


class Stretch:
    """The stretch of missing IDs that is looked at."""

    def __init__(self, most_ids=STRETCH_IDS):
        self.most_ids = most_ids
        self.first = 0
        self.last = 0
        self.asked = 0
        self.ours = []  # of the stretch, descending
        self._ids = most_ids
        self._found = True
        self._begun = False

    def begin(self, first, count):
        """Begin with a gap of `count` IDs from `first` on."""
        if self._begun and self.most_ids < STRETCH_IDS:
            self.most_ids *= 2
        self._begun = True
        self._ids = self.most_ids if self._found else self._ids * 2
        self._found = False
        self.first = first
        self.last = (first + min(count, self._ids) - 1) % ID_PERIOD
        self.asked = self.last
        self.ours = []
        return self._skip_zero()

    def break_off(self):
        """The connection ended before it was known."""
        self.most_ids = max(self.most_ids // 4, 1)

    def hear(self, number, is_ours):
        """The newest at or below `asked` is `number`; True when the stretch is known."""
        before = (self.asked - self.first) % ID_PERIOD
        if (self.asked - number) % ID_PERIOD > before:
            return True
        self._found = True
        if is_ours:
            self.ours.append(number)
            if len(self.ours) > OURS_MAX:
                self.last = (self.ours.pop(0) - 1) % ID_PERIOD
        self.asked = (number - 1) % ID_PERIOD
        return number == self.first or self._skip_zero()

    def next_of_ours(self, gaps):
        """Return the oldest of ours that is still missing, or the ID behind the stretch when there is none."""
        ours = self.ours
        while ours and gaps.holding(ours[-1]) != 0:
            ours.pop()
        return ours[-1] if ours else (self.last + 1) % ID_PERIOD

    def _skip_zero(self):
        """0 cannot be asked for: it means the newest. True if nothing lies in front of it."""
        if self.asked:
            return False
        if self.first == 0:
            return True
        self.asked = ID_PERIOD - 1
        return False


def meet(identity, system_type, sharing, known, ring, before):
    """Return what the station that `identity` names needs, None if it names none; `before`: of the last connection."""
    if not is_station(identity, STATION):
        return None
    stretch = Stretch(before.stretch.most_ids) if before is not None else Stretch()
    return Shared(bytes(identity[STATION : STATION + STATION_BYTES]), system_type, sharing, known, ring, stretch)


class Shared:
    """Our station at a controller that may share its IDs, for one connection."""

    def __init__(self, station, system_type, sharing, known, ring, stretch):
        self.station = station
        self.owner = OWNER_NONE  # of the answer that came last
        self.stretch = stretch
        self._known = known
        self._ring = ring
        self._suspects = False  # an answer has shown that the IDs are shared; it may be spoiled
        self._may = sharing != SHARING_OWN
        self._does = sharing == SHARING_ALL
        self._has_to_name = system_type == SHARED_SYSTEM  # an answer that names nobody may be another station's

    def ordered(self, revisions):
        """Return the revisions of MID 0064 with the one that names its station in front."""
        if _OWNER_REVISION not in revisions:
            return revisions
        return tuple([_OWNER_REVISION] + [revision for revision in revisions if revision != _OWNER_REVISION])

    def hear_owner(self, buf, at, length, revision):
        """Note whose the answer at buf[at:] is; `hear` is called next."""
        self.owner = owner_of(self.station, buf, at, length, revision)

    def is_decided(self):
        """Tell whether what the configuration says is written down; False if it could not be yet."""
        return not self._does or self._known.shares() or self._share()

    def hear(self, phase, number, order):
        """An answer with the ID `number`; `order` is negative if that is below the one asked for. Returns a NEWS_.

        NEWS_GO_ON: it is taken like any other; NEWS_GONE: there is nothing of ours under the ID that was asked for;
        NEWS_AGAIN: it is asked for again later; NEWS_NONE: at once.
        """
        shares = self._known.shares()
        if not shares and self._may and (self.owner == OWNER_OTHER or order < 0):
            self._suspects = not self._suspects
            return NEWS_NONE if self._suspects or self._share() else NEWS_AGAIN
        self._suspects = False
        if phase == PHASE_NEWEST or (order == 0 and phase == PHASE_WITNESS):
            return NEWS_GO_ON
        if self.owner == OWNER_NONE and self._may and (shares or self._has_to_name):
            return NEWS_NO_OWNER
        if not shares or (order == 0 and self.owner == OWNER_OURS and phase != PHASE_SEEK):
            return NEWS_GO_ON
        if order > 0:
            return NEWS_AGAIN  # an answer to an earlier question
        if phase != PHASE_SEEK:
            return NEWS_GONE
        return NEWS_GONE if self.stretch.hear(number, self.owner == OWNER_OURS) else NEWS_NONE

    def _share(self):
        at = self._ring.begin_memory() if self._ring.has_spare() else -1
        if at < 0:
            return False
        self._ring.stage[at + kn.FLAGS] |= kn.FLAG_SHARED
        return self._ring.commit_memory() == 0
