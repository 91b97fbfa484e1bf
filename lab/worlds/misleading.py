"""Lays controllers that mislead their client, and stalls of the agent's process, over a script that is drawn.

Rules
1. It is drawn from dice of its own, when all else is drawn: a world is the same without it.
2. Subscriptions end at any moment, or after a result that was not acknowledged. The connection stays.
3. IDs are shared under any version of the software; the answers for old results say whose each is.
4. IDs of such answers are one too high, in one of two ways (toolcart.agent.openprotocol.recovery, rule 7). The one
   that keeps results under the wrong ID cannot be recognised when all that is known is gone: it keeps many, is never
   reset, skips no ID, and ends no subscription before its first push: before it is recognised it would give its
   result a second time under that.
5. The agent's process gets no turn for seconds, while time and all others go on.
6. Headers may have the spindle in front of the revision: the agent is told so, and which spindle to name.
"""

from __future__ import annotations

import random

from lab.worlds.dice import dice, one_of
from lab.worlds.profiles import others

MISLEADS = "misled"
MISLEAD_ODDS = 0.3  # of a world of another shape
SOFTWARE = ("2.8.1", "3.6.2", "PF6_R_3.13.2.30527_", "")
HIGHER = ("said", "kept")
OTHERWISE = ("cycles", "operations", "id_period", "header_spindles")  # how results are counted and asked for
FEW = 200  # may all be gone when the agent comes back
NEAR_THE_END = 4294000000  # nobody knows what such a controller answers at the wrap
STALLS_MS = (2500, 6000, 10000, 14000, 30000)


def mislead(script: dict, odds: float = MISLEAD_ODDS) -> None:
    """Lay them over this script, in place, with these odds."""
    d = dice(script["seed"], MISLEADS)
    if d.random() >= odds:
        return
    for number, (station, settings) in enumerate(
        zip(script["stations"], script["settings"]["stations"], strict=True), 1
    ):
        traits = station["controller"]
        if d.random() < 0.4:
            traits["unsubscribes"] = True
        for _ in range(int(one_of(d, [(2, 0), (3, 1), (1, 3)]))):  # type: ignore[call-overload]
            script["events"].append([d.randrange(max(script["end_ms"], 1)), "unsubscribe", number])
        if d.random() < 0.6:  # in front of the calm: no other connection will show it
            at = max(script["end_ms"] - d.choice((500, 3000)), 0)
            script["events"] += [[at, "unsubscribe", number], [at + 200, "make", number, d.randint(1, 4), 50]]
        _count_ids_so(d, script, number, traits, settings["controller"])
        if d.random() < 0.2:
            traits["spindle_first"] = True
            settings["controller"]["header"] = d.choice(("op-ford", "op-bmw"))
            settings["controller"]["spindle_id"] = None if traits["header_spindles"] else d.choice((None, 1, 7, 99))
    for _ in range(int(one_of(d, [(1, 0), (2, 1), (2, 4)]))):  # type: ignore[call-overload]
        script["events"].append([d.randrange(max(script["end_ms"], 1)), "stall", d.choice(STALLS_MS)])
    script["events"].sort(key=lambda event: event[0])


def _count_ids_so(d: random.Random, script: dict, number: int, traits: dict, settings: dict) -> None:
    """Share the IDs, or count them wrongly, where they are counted at all."""
    is_usual = traits["ids"] == "normal" and not any(traits[name] for name in OTHERWISE)
    what = one_of(d, [(3, ""), (1, "shared"), (1, "higher")])
    if traits["system_type"] == 3 or what == "shared":
        traits["software"] = d.choice(SOFTWARE)
    if not is_usual or traits["shares_ids"] or not traits["old_revisions"]:
        return
    if what == "higher" and traits["first_id"] < NEAR_THE_END:
        # What a gap leads to is asked for before anything shows how IDs are kept.
        gaps = [[what, number] for what in ("reset", "skip", "garble")]
        jumps = any(event[1:3] in gaps for event in script["events"])
        traits["ids_higher"] = d.choice(HIGHER) if traits["memory"] > FEW and not jumps else "said"
    elif what == "shared":
        traits.update(shares_ids=True, system_type=3, start_revisions=[1, 2, 3, 4, 5, 6])
        traits["old_revisions"] = [1, 2, 7]
        others(d, script, number)
