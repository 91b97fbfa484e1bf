"""Controllers that reject what a session begins with and end the connection: the shape `ends`, and some other worlds.

Rules
1. What is drawn here comes from dice of its own, when all else is drawn: the rest of the world stays the same.
2. A controller ends connections with the MIDs in `ends_mids`, up to `ends_most_ms` after its 0004, or in place of it.
   Whether another client has the slot, it says as ever, and ends the connection too.
3. MID 0064 is among them only where no revision of it is known: what is asked in one that is known has to be
   answered.
"""

from __future__ import annotations

from lab.worlds.dice import dice, one_of

ENDS = "ends"
ENDS_ODDS = 0.1  # of a world of another shape, if none is asked for

_START_CODES = (97, 98, 79, 1, 20, 99)
_RESULT_CODES = (97, 74, 79, 15, 99, 73)
_STARTS = ([1], [2], [3], [4], [6], [1, 2, 3, 4])


def with_endings(script: dict) -> dict:
    """Let some controllers of this script reject more, and end connections with it; return the script."""
    for number, station in enumerate(script["stations"], 1):
        d = dice(script["seed"], ENDS, number)
        traits = station["controller"]
        if traits.get("system_type", 1) == 1:  # of others the type has to be told (docs/controllers.md)
            traits["start_revisions"] = d.choice(_STARTS)
        traits["start_code"] = d.choice(_START_CODES)
        traits["result_code"] = d.choice(_RESULT_CODES)
        mids = [1, 60, 8, 100, 105, 40, *([64] if not traits["old_revisions"] else [])]
        traits["ends_mids"] = one_of(d, [(3, mids), (1, [1]), (1, [60, 8]), (1, [40, 64 if 64 in mids else 1])])
        traits["ends_most_ms"] = d.choice((0, 50, 300, 1500))
        traits["ends_unsaid"] = d.random() < 0.25
    return script


def ends_is_due(seed: int) -> bool:
    """True if a world of this seed has such controllers though none are asked for."""
    return dice(seed, ENDS, "odds").random() < ENDS_ODDS
