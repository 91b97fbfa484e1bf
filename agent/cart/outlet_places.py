"""The kinds of outlets, and which place of a snapshot belongs to which outlet: to one kind and name, and nothing else.

A snapshot (toolcart.agent.log.snapshot) has four places: how far an outlet is in the log, and in the ring of curves.
For each it keeps who has it: six bits, and 24 bits of the CRC-30 of the name, 0 if the name is not known.

    bit    0      3       4     6
           | kind | moved | age |   kind: its place in KINDS and 1; 0: nobody had this place yet
           |      |       |     |   moved: past records that the outlet has not had (Snapshot.put_moved)
           |      |       |     |   age: 0: the outlet is there; 1 to 3: it is not, 3 for longer than 1

Rules
1. An outlet has the place of its kind and name. Where it is in the list, where it writes to, whether it is durable, and
   what other outlets there are, means nothing.
2. The first place is ToolsNet's, under whatever name: a snapshot keeps more about it
   (toolcart.agent.log.snapshot_fields).
3. The place of a name that is not there any more keeps no block. It stays until another needs it, and the outlet goes
   on there when it is configured again. The one that is unused for longest is given up first.
4. A new name takes a place that nobody had, else one that is unused.
5. Places of a version whose outlets had no names go to the outlets of their kind, in the order of that version: the
   first durable one, then the others. If they are not as many as then, nobody knows which is which: each of them goes
   on where the one that is furthest behind was.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.log.snapshot import NAME_BYTES
from toolcart.agent.log.snapshot_fields import PLACE_BITS, PLACE_KIND, PLACES
from toolcart.agent.log.snapshot_v4 import KIND_UNKNOWN

KINDS = ("toolsnet", "file", "webhook", "mqtt")  # numbers on flash: append only
TOOLSNET = const(1)

# How an outlet came to its place
STAYED = const(0)  # it was there in the last session
RETURNED = const(1)  # it was there in an earlier one
NEW = const(2)
GUESSED = const(3)  # rule 5; taken for one that was there

_AGE = const(4)
_LASTING = const(0x1208208)  # MOVED of each place, and HAD_MORE


def name_of(settings):
    """Return the name of the outlet with these settings: its kind if none is given."""
    return settings.get("name") or settings["kind"]


def hash_of(name):
    """Return what a snapshot keeps of a name: 1 to 0xFFFFFF."""
    octets = name.encode()
    return crc30(octets, 0, len(octets)) & 0xFFFFFF or 1


def kind_at(state, place):
    """Return the number of the kind that has this place, 0 if nobody had it yet."""
    return state.places >> PLACE_BITS * place & PLACE_KIND


def age_at(state, place):
    """Return 0 if the outlet of this place was there in the last session; else 1 to 3, the more the longer ago."""
    return state.places >> PLACE_BITS * place + _AGE & 3


def is_in_use(state, place):
    """True if the last session had an outlet at this place."""
    return kind_at(state, place) != 0 and age_at(state, place) == 0


def hash_at(state, place):
    """Return what is kept of the name of the outlet that has this place; 0 if it is not known."""
    at = NAME_BYTES * place
    return state.names[at] | state.names[at + 1] << 8 | state.names[at + 2] << 16


class OutletPlaces:
    """The places of a station's outlets: outlet `index` has `places[index]`, and came to it as `how[index]` says."""

    def __init__(self, state, outlets):
        """`state` is as the last session left it; `outlets` are the settings, in their order."""
        count = len(outlets)
        self._state = state
        self._kinds = [KINDS.index(one["kind"]) + 1 for one in outlets]
        self._hashes = [hash_of(name_of(one)) for one in outlets]
        self.places = [-1] * count
        self.how = [NEW] * count
        self.mixed = []  # places of which nobody knows which outlet had them (rule 5)
        self.given_up = []  # places of names that are not there any more, which another needs
        self._find_own()
        if self._nameless():
            self._guess([one.get("durable", True) for one in outlets])
        self.removed = []  # places that the last session used, and this one does not
        for place in range(PLACES):
            if place not in self.places and is_in_use(state, place) and kind_at(state, place) != KIND_UNKNOWN:
                self.removed.append(place)
        for index in range(count):
            if self.places[index] < 0:
                self._take(index)

    def _find_own(self):
        state = self._state
        for index in range(len(self.places)):
            for place in range(PLACES):
                if kind_at(state, place) == self._kinds[index] and hash_at(state, place) == self._hashes[index]:
                    self.places[index] = place
                    self.how[index] = RETURNED if age_at(state, place) else STAYED

    def _nameless(self):
        """Return the places whose names are not known."""
        state = self._state
        return [place for place in range(PLACES) if kind_at(state, place) and hash_at(state, place) == 0]

    def _guess(self, durable):
        """Rule 5."""
        state = self._state
        order = list(range(len(durable)))
        order.insert(0, order.pop(durable.index(True) if True in durable else 0))
        for kind in range(1, len(KINDS) + 1):
            places = [place for place in self._nameless() if kind_at(state, place) in (kind, KIND_UNKNOWN)]
            places = [place for place in places if place in self._places_for(kind) and place not in self.places]
            used = [place for place in places if is_in_use(state, place)]
            unused = [place for place in places if not is_in_use(state, place)]
            outlets = [index for index in order if self._kinds[index] == kind and self.places[index] < 0]
            is_old = KIND_UNKNOWN in [kind_at(state, place) for place in used]
            if used and outlets and len(used) != len(outlets) and not is_old:
                self.mixed += used
                continue
            for index in outlets:
                if used:
                    self.places[index] = used.pop(0)
                    self.how[index] = GUESSED
                elif unused and self._hashes[index] == hash_of(KINDS[kind - 1]):
                    self.places[index] = unused.pop(0)
                    self.how[index] = RETURNED

    def _places_for(self, kind):
        return range(1) if kind == TOOLSNET else range(1, PLACES)

    def _take(self, index):
        """Rule 4."""
        state = self._state
        best = rank = -1
        for place in self._places_for(self._kinds[index]):
            if place not in self.places:
                own = age_at(state, place) if kind_at(state, place) else PLACES
                if own > rank:
                    best, rank = place, own
        if rank < PLACES and best not in self.mixed:
            self.given_up.append(best)
        self.places[index] = best

    def put(self, state):
        """Let the next snapshots say whose the places are now."""
        unused = [place for place in range(PLACES) if kind_at(state, place) and place not in self.places]
        unused.sort(key=lambda place: age_at(state, place))
        ages = [0] * PLACES
        kinds = [0] * PLACES
        hashes = [0] * PLACES
        for index in range(len(self.places)):
            kinds[self.places[index]] = self._kinds[index]
            hashes[self.places[index]] = self._hashes[index]
        age = 0
        for place in unused:
            kind, own = kind_at(state, place), hash_at(state, place)
            if own == 0 and kind != KIND_UNKNOWN and place not in self.mixed:
                own = hash_of(KINDS[kind - 1])  # the kind becomes the name
            if own and (kind, own) not in [(kinds[at], hashes[at]) for at in range(PLACES)]:
                age += 1
                kinds[place], hashes[place], ages[place] = kind, own, min(age, PLACES - 1)
        state.places &= _LASTING
        for place in range(PLACES):
            state.places |= (kinds[place] | ages[place] << _AGE) << PLACE_BITS * place
            for at in range(NAME_BYTES):
                state.names[NAME_BYTES * place + at] = hashes[place] >> 8 * at & 0xFF
