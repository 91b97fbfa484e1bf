"""Reads a snapshot of version 4, whose outlets had no names; loaded for a start alone.

What it had otherwise:

    places      kind in five bits, and a bit that says whether the outlet was there in the session that wrote it
    number 44   records of the quarantine that were unreadable: counted with those of the log now
    46          blocks of the ring of curves: a part of AREA now
    SENT        how many results might be outstanding, at SENT_SEVERAL: eight at most
"""

from toolcart.agent.base.compat import const
from toolcart.agent.log.snapshot_fields import (
    AREA,
    AREA_GRAPHS,
    DAMAGED,
    DOUBT_LACKS,
    DOUBT_TO,
    PLACE_BITS,
    PLACES,
    SENT,
)

KIND_UNKNOWN = const(7)  # of a place in a snapshot so old that it does not say whose its places are

_KIND = const(31)
_IN_USE = const(32)
_SENT_KNOWN = const(15)  # SENT_MET, SENT_LOOKAHEAD, SENT_SEVERAL, SENT_EVENTS_MET


def convert(state):
    """Give the numbers and places of a state that was just read the meanings they have today."""
    numbers = state.numbers
    numbers[DAMAGED] += numbers[DOUBT_TO]
    numbers[AREA] |= numbers[DOUBT_LACKS] << AREA_GRAPHS
    numbers[DOUBT_TO] = numbers[DOUBT_LACKS] = 0
    numbers[SENT] &= _SENT_KNOWN
    for index in (DAMAGED, DOUBT_TO, DOUBT_LACKS, AREA, SENT):
        state.durable[index] = numbers[index]
    places = age = 0
    for place in range(PLACES):
        held = state.places >> PLACE_BITS * place
        kind = held & _KIND if state.places else KIND_UNKNOWN
        if kind and state.places and not held & _IN_USE:
            age += 1
            kind |= age << 4
        places |= (kind & 63) << PLACE_BITS * place
    state.places = places
