"""How many records each outlet lacks that the log gave up before it had them; ToolsNet's are counted in OVERWRITTEN.

The events that ToolsNet lacks are that of the first place. They have room where one other place at most has an outlet.

In memory each is exact (`Snapshot.missed`, by place), up to 22 bits where several outlets have one. A snapshot has one
number of 30 bits for all of them (MISSED):

    bit 29   the rest
      0      one number: of the only other place that has an outlet; of each, where an older version counted the sum
      1      version 7: 9 bits of each place's, 13 more stand above a sequence (toolcart.agent.log.snapshot)
             version 6, where a break stands there: rounded up, so that each is a bound. 14 bits a place where two
             places have one, else 9: the last three are n, and 2n bits more belong below
             either, where one place at most has an outlet: events have another one's, in version 6 the lowest 14 bits

`numbers[MISSED]` is that of a version other than 7. What is shown is what the next start finds (`shown`): it would rise
by an orderly end alone otherwise.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import MISSED, MISSED_SHARED, PLACES

_PLACE_BITS = const(6)
_KIND = const(7)
_STEPS = const(7)
_LOW_BITS = const(9)
_LOW = const(0x1FF)
_TOP = const(0x3FFFFF)


def load(state, above):
    """Take the numbers out of the snapshot that was read; `above` are the 13 bits of each in version 7, else None."""
    if above is None:
        state.missed[:] = _held(state)
        return
    held = state.numbers[MISSED]
    for place in range(1, PLACES):
        state.missed[place] = held & _LOW | above[place - 1] << _LOW_BITS
        held >>= _LOW_BITS
    places = _places(state)
    if len(places) == 1:
        lent = 2 if places[0] == 1 else 1
        state.missed[0], state.missed[lent] = state.missed[lent], 0
    put(state)


def shown(state):
    """Return the numbers by place as the next start finds them."""
    return _held(state) if state.broke_at else state.missed


def _held(state):
    """Return the numbers by place that MISSED says."""
    held = state.numbers[MISSED]
    places = _places(state)
    if held & MISSED_SHARED and len(places) == 1:
        places.insert(0, 0)
    numbers = [0] * PLACES
    for at in range(len(places)):
        own = held
        if held & MISSED_SHARED:
            bits = _bits(places)
            own = held >> bits * at & (1 << bits) - 1
            own = own >> 3 << 2 * (own & 7)
        numbers[places[at]] = own
    return numbers


def put(state):
    """Let the next snapshots have the numbers, for the outlets that have the places now."""
    places = _places(state)
    if state.missed[0] and len(places) == 1:
        places.insert(0, 0)
    for place in range(PLACES):
        if state.places and place not in places:
            state.missed[place] = 0  # nobody has it
    if not any(state.missed):
        state.numbers[MISSED] = 0
        return
    if len(places) == 1:
        state.numbers[MISSED] = min(sum(state.missed), MISSED_SHARED - 1)
        return
    bits = _bits(places)
    held = MISSED_SHARED
    for at in range(len(places)):
        own, steps = min(state.missed[places[at]], _TOP), 0
        state.missed[places[at]] = own
        while own >= 1 << bits - 3:
            own, steps = own + 3 >> 2, steps + 1
        held |= (own << 3 | steps if steps <= _STEPS else (1 << bits) - 1) << bits * at
    state.numbers[MISSED] = held


def _places(state):
    """Return the places but ToolsNet's that have an outlet; the first one where nobody has one."""
    found = [place for place in range(1, PLACES) if state.places >> _PLACE_BITS * place & _KIND]
    return found or [1]


def _bits(places):
    return 14 if len(places) == 2 else 9
