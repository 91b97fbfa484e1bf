"""Controllers by name, which replace a world's drawn one.

Rules
1. What a profile changes is drawn from dice of its own, and applied to the script after all else is drawn: the world of
   a seed without a profile stays the same.
2. A row says what differs from PLAIN_CONTROLLER of `script.py`; what is drawn within a profile is in `_drawn`.
"""

from __future__ import annotations

import random

from lab.worlds.dice import dice, one_of

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
