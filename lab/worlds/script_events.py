"""The events of a world, drawn: what is produced when, when there is power, and what else goes wrong.

Rules
1. Events are independent: each can be taken out and the rest keeps its meaning.
2. A world alternates between phases with power and without; in both the controller may work.
3. What is slow to show (a reconnect after 60 s) makes phases long, otherwise they are short: a world costs time.
4. A shape has a subject: FULL a small log without ToolsNet, started again and again; REFUSED rows of results that
   are more than the quarantine holds, and orders; AWAY a controller that keeps few results and restarts its count.
"""

from __future__ import annotations

import random

from lab.worlds.dice import one_of

SILENCE = -1  # a server in trouble that does not answer
_SHORT_MS = {"short": (1500, 20000), "full": (1500, 15000)}


def draw_events(d: random.Random, shape: str, script: dict, fast: bool) -> tuple[list[list], int]:
    """Return the events in order of time, and the moment when the calm begins."""
    stations = len(script["stations"])
    least, most = {"short": (6, 20), "calm": (1, 1), "full": (4, 14), "refused": (2, 5), "away": (3, 7)}.get(
        shape, (2, 6)
    )
    phases = d.randint(least, most)
    results = int(d.choice((120, 240, 400) if shape == "full" else (20, 60, 120, 240)) * d.uniform(0.5, 1.2))
    events: list[list] = []
    at = 0
    faults = _kinds_of_faults(d, shape)
    for phase in range(phases):
        if shape in _SHORT_MS:
            length = d.randint(*_SHORT_MS[shape])
        elif shape == "calm":
            length = d.randint(120, 600) * 1000
        else:
            length = d.randint(10, 90) * 1000 if fast else d.randint(60, 240) * 1000
        share = max(1, results // phases)
        for station in range(1, stations + 1):
            _production(d, events, at, length, station, share)
            for kind in faults:
                for _ in range(_times(d, kind, shape)):
                    event = _FAULTS[kind][1](d, station, length)
                    events.append([at + d.randrange(length), *event])
        at += length
        if shape != "calm" and phase < phases - 1:
            at = _dark(d, events, at, shape, stations, share)
    if shape == "full":
        begins = d.randrange(max(at // 4, 1))
        events.append(
            [begins, "outage", "toolsnet", d.choice(("refusing", "hole")), int((at - begins) * d.uniform(0.6, 1)), True]
        )
    events.sort(key=lambda event: event[0])
    return events, at


def _production(d: random.Random, events: list[list], at: int, length: int, station: int, share: int) -> None:
    while share > 0:
        count = min(share, d.randint(1, 40))
        gap = int(d.choice((50, 200, 700, 2000)))
        events.append([at + d.randrange(length), "make", station, count, gap])
        share -= count


def _dark(d: random.Random, events: list[list], at: int, shape: str, stations: int, share: int) -> int:
    """Let the power fail at `at`, in one of several ways; return when the next phase begins."""
    dark = int(d.choice((500, 5000, 60000, 3600000)) * d.uniform(0.5, 1.5))
    if d.random() < (0.15 if shape == "short" else 0.25):
        events.append([at, "off", {"dark_ms": dark, "orderly": True}])
    else:
        again = []
        while d.random() < 0.35 and len(again) < 4:
            again.append([_operations(d), str(d.choice(("flash", "read", "any")))])
        operations = one_of(d, [(1, 0), (2, d.randint(1, 4)), (2, d.randint(1, 40))])
        kinds = one_of(d, [(3, "flash"), (2, "any"), (1, "send")])
        cut = {"operations": operations, "kinds": kinds, "within_ms": 3000, "dark_ms": dark, "again": again}
        events.append([at, "cut", cut])
    for station in range(1, stations + 1):
        if d.random() < (0.8 if shape == "away" else 0.4):
            count = d.randint(1, min(2 * share, 25))
            events.append([at + d.randrange(dark + 1), "make", station, count, int(d.choice((50, 1000)))])
        if d.random() < (0.2 if shape == "away" else 0.05):
            events.append([at + d.randrange(dark + 1), *_reset(d, station)])
    return at + dark + 3000


def _operations(d: random.Random) -> int:
    return int(d.choice((1, 2, 3, 5, 10, 30, 100)) * d.uniform(1, 1.9))


_ODDS_OF = {
    "calm": {"odd_cut": 0.0},
    "full": {"toolsnet_outage": 0.2, "flash": 0.4, "worn": 0.2, "odd_cut": 0.5, "refuse_content": 0.4, "garble": 0.25},
    "refused": {"refuse_content": 1.0, "silent": 0.2, "trouble": 0.4, "refuse_all": 0.4, "order": 0.6, "garble": 0.3},
    "away": {"controller_outage": 0.7, "reset": 0.4, "clock": 0.6, "skip": 0.4, "deaf": 0.3, "reject": 0.3},
}


def _kinds_of_faults(d: random.Random, shape: str) -> list[str]:
    """Return some kinds of faults, usually not all: what hides behind another fault shows as well."""
    of_shape = _ODDS_OF.get(shape, {})
    return [kind for kind, (odds, _) in _FAULTS.items() if d.random() < of_shape.get(kind, odds)]


def _times(d: random.Random, kind: str, shape: str) -> int:
    if shape == "calm":
        return d.randint(1, 4)
    if shape in _SHORT_MS:
        return int(d.random() < 0.4)
    if shape == "refused" and kind == "refuse_content":
        return d.randint(1, 3)
    return one_of(d, [(2, 0), (3, 1), (1, 2)])  # type: ignore[return-value]


def _outage(d: random.Random, station: int, length: int, names: tuple[str, ...]) -> list:
    state = one_of(d, [(2, "refusing"), (1, "hole")])
    lasts = int(length * d.choice((0.1, 0.3, 1.5)) * d.uniform(0.5, 1.5)) + 100
    return ["outage", d.choice(names), state, lasts, d.random() < 0.7]


def _flash_fault(d: random.Random, station: int) -> list:
    what = d.random()
    if what < 0.4:
        return ["flash_operations", station, d.randint(1, 6)]
    if what < 0.55:
        return ["flash_reads", station, d.randint(1, 20)]
    return ["flash", station, d.choice(("writes", "all", "absent")), d.randint(100, 30000)]


def _reset(d: random.Random, station: int) -> list:
    """Return an event that restarts a count, in any way a controller may."""
    begins = d.choice(("low", "low", "same", "below", "above"))
    return ["reset", station, {"begins": begins, "keeps": d.random() < 0.2, "breaks": d.random() < 0.6}]


def _odd_cut(d: random.Random) -> list:
    how = {"operations": d.randint(1, 60), "kinds": d.choice(("flash", "any")), "within_ms": 20000}
    return ["cut", {**how, "dark_ms": d.randint(100, 5000), "again": []}]


_ORDERS = ("drop", "drop first", "retry", "retry", "retry in-doubt")
_FAULTS = {  # kind: its odds, and its event from dice, a station and the length of the phase
    "toolsnet_outage": (0.6, lambda d, s, n: _outage(d, s, n, ("server", "pim", "toolsnet", "toolsnet"))),
    "controller_outage": (0.35, lambda d, s, n: _outage(d, s, n, (f"controller {s}",))),
    "drop": (0.3, lambda d, s, n: ["drop", d.choice(("server", "pim", f"controller {s}"))]),
    "lose_05": (0.35, lambda d, s, n: ["lose_05", d.choice((1, 1, 2, 3, 9))]),
    "late_05": (0.25, lambda d, s, n: ["late_05", d.randint(1, 5), d.choice((500, 4000, 8000, 17000))]),
    "refuse_content": (0.3, lambda d, s, n: ["refuse_content", s, d.choice((1, 1, 1, 2, 3, 10, 40, 90))]),
    "silent": (0.1, lambda d, s, n: ["refuse_content", s, d.choice((1, 1, 2)), "silent"]),
    "refuse_all": (0.2, lambda d, s, n: ["refuse_all", d.choice((2000, 15000, 120000)), d.choice((1, 99, SILENCE))]),
    "trouble": (
        0.1,
        lambda d, s, n: ["trouble", d.randint(2, 8), d.choice((500, 3000, 20000)), d.choice((50, 3000, 20000)), 1],
    ),
    "garble": (0.12, lambda d, s, n: ["garble", s, d.choice((1, 1, 2, 5, 30))]),
    "order": (0.15, lambda d, s, n: ["order", s, d.choice(_ORDERS), d.choice((0, 1, 3))]),
    "forget": (
        0.1,
        lambda d, s, n: ["empty"] if d.random() < 0.4 else ["restore", int(d.choice((5000, 60000, 600000)))],
    ),
    "false_08": (
        0.1,
        lambda d, s, n: ["false_08", d.choice(("nothing", "blank", "ahead", "foreign")), d.randint(1, 2)],
    ),
    "deaf": (0.12, lambda d, s, n: ["deaf", s, d.choice((1000, 10000, 60000))]),
    "reject": (0.12, lambda d, s, n: ["reject", s, d.choice((98, 79, 28)), d.choice((1000, 10000, 60000))]),
    "skip": (0.2, lambda d, s, n: ["skip", s, d.choice((1, 2, 5, 20))]),
    "reset": (0.06, lambda d, s, n: _reset(d, s)),
    "clock": (0.2, lambda d, s, n: ["clock", s, d.choice((-86400, -3600, -3600, -60, 60, 3600, 86400))]),
    "flash": (0.2, lambda d, s, n: _flash_fault(d, s)),
    "worn": (0.08, lambda d, s, n: ["worn", s, d.randrange(64)]),
    "net_up": (0.1, lambda d, s, n: ["net_up"]),
    "odd_cut": (0.25, lambda d, s, n: _odd_cut(d)),
}
