"""How many records each outlet lacks that the log gave up before it had them; ToolsNet's are counted in OVERWRITTEN.

The events that ToolsNet lacks are that of the first place, whatever other places have an outlet, or had one.

In memory each is exact (`Snapshot.missed_counts`, by place), up to 22 bits where several outlets have one. A
snapshot has one number of 30 bits for all of them (MISSED):

    bit 29   the rest
      0      one number: of the only place that has an outlet; of each, where an older version counted the sum
      1      version 7: 9 bits of each place's, 13 more stand above a sequence (toolcart.agent.log.snapshot)
             version 6, where a break stands there: rounded up, so that each is a bound. 14 bits a place where two
             places have one, else 9: the last three are n, and 2n bits more belong below
             either, where ToolsNet lacks events: bit 28 is 1, and its place is the first of those that have one.
             In version 6 a place has a share of the 28 bits below, in version 7 of these and the 39 above sequences,
             as great for each; the last three bits are n. So four are exact in version 7 up to 8191

`numbers[MISSED]` is that of a version other than 7, `Snapshot.shared` what version 7 has. What is shown is what the
next start finds (`shown`): it would rise by an orderly end alone otherwise.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import MISSED, MISSED_SHARED, PLACE_BITS, PLACE_KIND, PLACES

_STEPS = const(7)
_LOW_BITS = const(9)
_LOW = const(0x1FF)
_TOP = const(0x3FFFFF)
_EVENTS = const(1 << 28)
_BELOW = const(28)  # bits of the number, where events have some
_ABOVE = const(13)  # bits above each of three sequences
_ABOVE_TOP = const(0x1FFF)
_ALL = const(67)


def load(state, above):
    """Take the numbers out of the snapshot that was read; `above` are the 13 bits of each in version 7, else None."""
    held = state.numbers[MISSED]
    if above is None:
        state.missed_counts[:] = _held(state)
        if not held & MISSED_SHARED:
            return
    elif held & _EVENTS:
        state.missed_counts[:] = _apart(held, above, [0] + _others(state))
    else:
        for place in range(1, PLACES):
            state.missed_counts[place] = held & _LOW | above[place - 1] << _LOW_BITS
            held >>= _LOW_BITS
    put(state)
    if above is None:
        state.numbers[MISSED] = held


def shown(state):
    """Return the numbers by place as the next start finds them."""
    if state.broke_at:
        return _held(state)
    if state.missed_counts[0]:
        return _apart(state.shared[0], state.shared[1:], _places(state))
    return state.missed_counts


def _held(state):
    """Return the numbers by place that MISSED says."""
    held = state.numbers[MISSED]
    places = _others(state)
    if not held & MISSED_SHARED:
        return [held if place in places else 0 for place in range(PLACES)]
    if held & _EVENTS:
        places.insert(0, 0)
    return _split(held, places, _BELOW)


def _apart(held, above, places):
    """Return the numbers by place that version 7 says, where ToolsNet lacks events."""
    held &= _EVENTS - 1
    for at in range(len(above)):
        held |= above[at] << _BELOW + _ABOVE * at
    return _split(held, places, _ALL)


def _split(held, places, room):
    bits = room // len(places)
    numbers = [0] * PLACES
    for place in places:
        own = held & (1 << bits) - 1
        numbers[place] = own >> 3 << 2 * (own & 7)
        held >>= bits
    return numbers


def _joined(state, places, room):
    """Return the numbers of these places, each in its share of so many bits: rounded up where that is too small."""
    bits = room // len(places)
    held = 0
    for at in range(len(places)):
        own, steps = state.missed_counts[places[at]], 0
        while own >= 1 << bits - 3:
            own, steps = own + 3 >> 2, steps + 1
        held |= (own << 3 | steps if steps <= _STEPS else (1 << bits) - 1) << bits * at
    return held


def put(state):
    """Let the next snapshots have the numbers, for the outlets that have the places now."""
    places = _places(state)
    missed = state.missed_counts
    state.shared = ()
    for place in range(PLACES):
        if state.places and place not in places:
            missed[place] = 0  # nobody has it
    if not any(missed):
        state.numbers[MISSED] = 0
        return
    if len(places) == 1:
        state.numbers[MISSED] = min(sum(missed), MISSED_SHARED - 1)
        return
    for place in places:
        missed[place] = min(missed[place], _TOP)
    state.numbers[MISSED] = MISSED_SHARED | _joined(state, places, _BELOW)
    if missed[0]:
        state.numbers[MISSED] |= _EVENTS
        held = _joined(state, places, _ALL)
        low, held = _EVENTS | held & _EVENTS - 1, held >> _BELOW
        state.shared = (low, held & _ABOVE_TOP, held >> _ABOVE & _ABOVE_TOP, held >> 2 * _ABOVE)
    else:
        low = missed[1] & _LOW | (missed[2] & _LOW) << _LOW_BITS | (missed[3] & _LOW) << 2 * _LOW_BITS
        state.shared = (low, missed[1] >> _LOW_BITS, missed[2] >> _LOW_BITS, missed[3] >> _LOW_BITS)


def _places(state):
    """Return the places that have a number: ToolsNet's where it lacks events."""
    return [0] + _others(state) if state.missed_counts[0] else _others(state)


def _others(state):
    """Return the places but ToolsNet's that have an outlet; the first one where nobody has one."""
    found = [place for place in range(1, PLACES) if state.places >> PLACE_BITS * place & PLACE_KIND]
    return found or [1]
