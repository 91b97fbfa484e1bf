"""Which of the missing IDs are ours, where all stations of a controller share them (Power Focus 6000 up to 2.8).

    asked      n        n-3     ..      first
    answered   n-2 (A)  n-7 (us)        below first: the stretch is known, and n-7 is ours

There one counter serves every station and tool, and MID 0064 with n is answered with the newest result at or below n,
whoever made it; MID 0065 says who did from revision 7 on (parameter 37, octets 343-352).

Rules
1. A stretch of missing IDs is walked down from its end. An answer m to n proves that nothing lies between the two; one
   below the stretch, or a refusal with 15, ends the way.
2. Ours are asked for once more by their own IDs, oldest first; what lies between them is closed as nobody's of ours.
3. Behind a stretch without any result the next one is twice as long: a gap of millions takes a few questions.
4. More of ours than OURS_MAX shorten the stretch. What a cut leaves undone is the stretch alone.
"""

from agent.base.compat import const
from agent.base.fields import all_digits, compare, is_blank
from agent.openprotocol.ids import ID_PERIOD

OWNER_NONE = const(0)  # the answer does not say whose it is
OWNER_OURS = const(1)
OWNER_OTHER = const(2)

STATION_BYTES = const(10)
STRETCH_IDS = const(500)
OURS_MAX = const(250)

_OWNER_REVISION = const(7)
_OWNER = const(342)  # parameter 37 of MID 0065, from the message's first octet


def owner_of(station, buf, at, length, revision):
    """Return the OWNER_ of the MID 0065 at buf[at:]; `station` is the ten digits that 0002 named as ours."""
    place = at + _OWNER
    if revision < _OWNER_REVISION or length < _OWNER + STATION_BYTES or not is_station(buf, place):
        return OWNER_NONE
    return OWNER_OURS if compare(buf, place, station, 0, STATION_BYTES) == 0 else OWNER_OTHER


def is_station(buf, at):
    """Tell whether the ten octets are the ID of a station: digits, not all of them zero."""
    if is_blank(buf, at, STATION_BYTES) or not all_digits(buf, at, STATION_BYTES):
        return False
    for index in range(STATION_BYTES):
        if buf[at + index] != 0x30:
            return True
    return False


class Stretch:
    """The stretch of missing IDs that is looked at."""

    def __init__(self):
        self.first = 0
        self.last = 0
        self.asked = 0
        self.ours = []  # of the stretch, descending
        self._ids = STRETCH_IDS
        self._found = True

    def begin(self, first, count):
        """Begin with a gap of `count` IDs from `first` on."""
        self._ids = STRETCH_IDS if self._found else self._ids * 2
        self._found = False
        self.first = first
        self.last = (first + min(count, self._ids) - 1) % ID_PERIOD
        self.asked = self.last
        self.ours = []
        return self._skip_zero()

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

    def _skip_zero(self):
        """0 cannot be asked for: it means the newest. True if nothing lies in front of it."""
        if self.asked:
            return False
        if self.first == 0:
            return True
        self.asked = ID_PERIOD - 1
        return False
