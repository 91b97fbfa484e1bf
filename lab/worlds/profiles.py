"""Controllers by name, which replace a world's drawn one; those that end connections, and those that mislead.

Rules
1. What a profile changes is drawn from dice of its own, and applied to the script after all else is drawn: the world of
   a seed without a profile stays the same.
2. A row says what differs from PLAIN_CONTROLLER of `script.py`; what is drawn within a profile is in `_drawn`.
"""

from __future__ import annotations

import random

from lab.worlds.timeline import dice, one_of

ALL, NO_PROFILE = "all", "none"
_NO_HISTORY: list[int] = []
_EVERY_START = [1, 2, 3, 4, 5, 6]
TRAITS: dict[str, dict] = {
    "power-focus-4000": {
        "window": 1,
        "start_revisions": _EVERY_START,
        "result_revisions": [999, 1, 2, 3],
        "old_revisions": [1, 2],
    },
    "power-focus-6000-2.8": {
        "window": 1,
        "system_type": 3,
        "start_revisions": _EVERY_START,
        "result_revisions": [1, 2, 3],
        "old_revisions": [1, 2, 7],
        "shares_ids": True,
    },
    "power-focus-6000-3.6": {
        "window": 1,
        "system_type": 3,
        "start_revisions": _EVERY_START,
        "result_revisions": [1, 2, 3],
        "old_revisions": [1, 2, 7],
    },
    "mt-focus-6000": {
        "system_type": 4,
        "operations": True,
        "start_revisions": [6],
        "result_revisions": [1, 2, 3],
        "replays": False,
        "tells_tool": False,
    },
    "desoutter": {"start_revisions": [1], "result_revisions": [1], "old_revisions": [1]},
    "desoutter-cvi3": {"start_revisions": [1, 2, 3], "result_revisions": [1, 2, 3], "old_revisions": [1, 2]},
    "nexo": {
        "result_revisions": [999, 1, 2],
        "old_revisions": [1, 2],
        "statuses": ["2", "3", "4", "5"],
        "ids_in_session_only": True,
    },
    "powermacs": {
        "system_type": 2,
        "cycles": "powermacs",
        "old_revisions": [4],  # what the controller holds can be fetched
        "shares_ids": True,
        "tells_tool": False,
        "replays": False,
    },
    "stepsync": {
        "system_type": 3,
        "cycles": "sync",
        "start_revisions": _EVERY_START,
        "result_revisions": [1],
        "old_revisions": _NO_HISTORY,
        "id_period": 65536,
        "replays": True,
        "window": 1,
    },
    "stepsync-1201": {
        "system_type": 3,
        "cycles": "operations",
        "start_revisions": _EVERY_START,
        "result_revisions": [1],
        "old_revisions": _NO_HISTORY,
        "old_refusal": 99,
        "replays": True,
        "tells_tool": False,
        "window": 1,
    },
    "header-spindles": {
        "window": 1,
        "start_revisions": _EVERY_START,
        "result_revisions": [999, 1, 2],
        "old_revisions": [1, 2],
        "header_spindles": 2,
    },
    "minimal": {
        "start_revisions": [1],
        "result_revisions": [1],
        "old_revisions": _NO_HISTORY,
        "old_refusal": 99,
        "tells_tool": False,
        "header_rest": "         ",
        "blank_revision": True,
    },
}


def names_of(text: str) -> tuple[str, ...]:
    """Return the profiles named on the command line; ValueError for an unknown one."""
    if text == NO_PROFILE:
        return (NO_PROFILE,)
    names = tuple(TRAITS) if text == ALL else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in TRAITS:
            raise ValueError(f"{name!r} is none of {ALL}, {NO_PROFILE}, {', '.join(TRAITS)}")
    return names


def dress(script: dict, names: tuple[str, ...]) -> None:
    """Turn each controller of this script into one of these profiles, in place."""
    d = dice(script["seed"], "profiles", *names)
    for number, (station, settings) in enumerate(
        zip(script["stations"], script["settings"]["stations"], strict=True), 1
    ):
        name = d.choice(names)
        traits = station["controller"]
        traits.update({"cycles": "", **TRAITS[name]}, profile=name)
        if name != "minimal":
            traits["ids"], traits["clock_stands"] = "normal", False
        settings["controller"].pop("result_revisions", None)  # it finds out itself
        if traits["cycles"]:
            traits["row_most"] = 1  # only a few of its results fit into a log
        _drawn(d, name, traits, settings["controller"])
        if traits.get("shares_ids"):
            others(d, script, number)
    script["events"].sort(key=lambda event: event[0])


def _drawn(d: random.Random, name: str, traits: dict, settings: dict) -> None:
    """Draw what differs between two controllers of one profile."""
    if name == "mt-focus-6000":
        traits["result_revisions"] = d.choice(([1, 2, 3], [2], [3], [2, 3]))
        traits["old_revisions"] = one_of(d, [(1, [1, 2, 3]), (1, _NO_HISTORY)])
        traits["old_refusal"] = d.choice((99, 75))
    elif name == "powermacs":
        traits["result_revisions"] = d.choice(([2, 3, 4], [4], [3]))
        traits["spindles"] = d.randint(1, 8)
        traits["window"], traits["pushes_newest"] = 1, False
        if d.random() < 0.5:
            settings["results"] = "powermacs-bolts"
    elif name == "header-spindles":
        traits["header_spindles"] = d.randint(2, 4)
    elif name == "stepsync":
        traits["spindles"] = d.randint(1, 8)
        settings["results"] = "sync"
    elif name == "power-focus-6000-2.8":
        settings["tightening_ids"] = one_of(d, [(3, "auto"), (1, "shared")])


def others(d: random.Random, script: dict, number: int) -> None:
    """Add other stations that work while ours does, or not; sometimes a whole shift of theirs falls into a moment."""
    more = []
    for at, what, *rest in script["events"]:
        if what == "make" and rest[0] == number and d.random() < 0.6:
            count = d.randint(1, 2 * rest[1])
            more.append([at + d.randrange(500), "elsewhere", number, count, max(20, rest[2] // d.randint(1, 3))])
    for _ in range(int(one_of(d, [(3, 0), (2, 1), (1, 3)]))):  # type: ignore[call-overload]
        count = one_of(d, [(4, d.randint(1, 60)), (1, d.randint(200, 1500))])
        more.append([d.randrange(max(script["end_ms"], 1)), "elsewhere", number, count, 0])
    script["events"] += more


# Controllers that reject what a session begins with and end the connection: the shape `ends`, and some other worlds.
#
# Rules
# 1. What is drawn here comes from dice of its own, when all else is drawn: the rest of the world stays the same.
# 2. A controller ends connections with the MIDs in `ends_mids`, up to `ends_most_ms` after its 0004, or in place of it.
#    Whether another client has the slot, it says as ever, and ends the connection too.
# 3. MID 0064 is among them only where no revision of it is known: what is asked in one that is known has to be
#    answered.

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


# Lays controllers that mislead their client, and stalls of the agent's process, over a script that is drawn.
#
# Rules
# 1. It is drawn from dice of its own, when all else is drawn: a world is the same without it.
# 2. Subscriptions end at any moment, or after a result that was not acknowledged. The connection stays.
# 3. IDs are shared under any version of the software; the answers for old results say whose each is.
# 4. IDs of such answers are one too high, in one of two ways (toolcart.agent.openprotocol.recovery, rule 7). The one
#    that keeps results under the wrong ID cannot be recognised when all that is known is gone: it keeps many, is never
#    reset, skips no ID, and ends no subscription before its first push: before it is recognised it would give its
#    result a second time under that.
# 5. The agent's process gets no turn for seconds, while time and all others go on.
# 6. Headers may have the spindle in front of the revision: the agent is told so, and which spindle to name.

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
