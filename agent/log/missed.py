"""How many records each outlet lacks that the log gave up before it had them; ToolsNet's are counted in OVERWRITTEN.

A snapshot has one number of 30 bits for all of them (MISSED). In memory each is exact (`Snapshot.missed`, by place); in
the snapshot they share it, rounded up, so that after a start each is still a bound:

    bit 29   the rest
      0      one number: of the only other place that has an outlet; of each, where an older version counted the sum
      1      14 bits a place where two places have one, else 9: the last three are n, and 2n bits more belong below
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import MISSED, PLACES

_PLACE_BITS = const(6)
_KIND = const(7)
_SHARED = const(1 << 29)
_STEPS = const(7)


def load(state):
    """Take the numbers out of the snapshot that was read."""
    held = state.numbers[MISSED]
    places = _places(state)
    for at in range(len(places)):
        own = held
        if held & _SHARED:
            bits = _bits(places)
            own = held >> bits * at & (1 << bits) - 1
            own = own >> 3 << 2 * (own & 7)
        state.missed[places[at]] = own


def put(state):
    """Let the next snapshots have the numbers, for the outlets that have the places now."""
    places = _places(state)
    for place in range(PLACES):
        if state.places and place not in places:
            state.missed[place] = 0  # nobody has it
    if not any(state.missed):
        state.numbers[MISSED] = 0
        return
    if len(places) == 1:
        state.numbers[MISSED] = min(sum(state.missed), _SHARED - 1)
        return
    bits = _bits(places)
    held = _SHARED
    for at in range(len(places)):
        own, steps = state.missed[places[at]], 0
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
