"""A world's script: all that is drawn before it runs, as JSON, so that it can be shortened by hand or by `shrink.py`.

    seed        of the dice that roll while it runs (latency, tears)
    settings    the configuration, as a file would have it
    stations    the traits of each one's flash and controller
    toolsnet, network, step, operator    traits of the others
    events      [ms, what, ...] in order of time; `events.py` has what can happen
    end_ms      when the calm begins

Rules
1. A missing trait has its value in PLAIN or PLAIN_STATION: an event list alone is a world.
2. The odds are here and in the modules that lay something over the world.
"""

from __future__ import annotations

import random
from typing import Any

from lab.worlds.changing_script import CHANGES, draw_changes
from lab.worlds.closing_controllers import ENDS, ends_is_due, with_endings
from lab.worlds.dice import dice, one_of
from lab.worlds.frames import HEADER_RESTS
from lab.worlds.misleading import MISLEAD_ODDS, MISLEADS, mislead
from lab.worlds.mqtt_outlet import MQTT, with_mqtt
from lab.worlds.profiles import NO_PROFILE, TRAITS, dress
from lab.worlds.script_events import draw_events
from lab.worlds.webhook_outlet import WEBHOOK, with_webhook

STATE_BLOCKS = 4
PLAIN_FLASH = {
    "model": "nor",
    "unit": 64,
    "block_kib": 4,
    "blocks": 4,
    "kept_blocks": 3,
    "more_blocks": 0,
    "takes_time": False,
}
_FEW: list[tuple[float, object]] = [(1, 20), (1, 10), (1, 5), (1, 3), (1, 2), (1, 1)]
PLAIN_CONTROLLER = {
    "ids": "normal",
    "first_id": 1,
    "wraps_to": 1,
    "memory": 5000,
    "start_revisions": [1, 2, 3, 4, 5, 6],
    "result_revisions": [999, 1, 2],
    "old_revisions": [1, 2],
    "old_refusal": 97,
    "start_code": 97,
    "result_code": 97,
    "ends_mids": [],
    "ends_most_ms": 0,
    "ends_unsaid": False,
    "repeat_ms": 3000,
    "repeats": 3,
    "drops": True,
    "unsubscribes": False,
    "window": 1,
    "hasty": False,
    "replays": False,
    "pushes_newest": False,
    "single": False,
    "tells_tool": True,
    "clock_stands": False,
    "row_most": 20,
    "id_pad": "",
    "header_rest": "         ",
    "blank_revision": False,
    "serial": "C100000001",
    "profile": "",
    "system_type": 1,
    "operations": False,
    "cycles": "",
    "spindles": 1,
    "header_spindles": 0,  # that send a 0061 each; 0: there is one, and a header like the others
    "id_period": 0,
    "spindle_first": False,  # the spindle in front of the revision in each header
    "shares_ids": False,
    "software": "",
    "ids_higher": "",
    "ids_in_session_only": False,
    "statuses": [],
}
PLAIN: dict[str, dict] = {
    "toolsnet": {
        "sequence_at_first": 0,
        "content_refusal_code": 1,
        "pim_wants_05": "any",
        "keepalive_answered": True,
        "server_host": "plain",
        "names": "last",
    },
    "network": {"latency_ms": 10, "split_odds": 0.0, "short_write_odds": 0.0},
    "step": {"check_every": 50, "ticks_before_wrap_ms": 60000},
    "operator": {"then": "drop", "count": 0},  # what an operator does in the calm when needed
}
PLAIN_AGENT = {"batch": 48}  # results that go out on the word of one snapshot; 48 is its own
PLAIN_STATION = {"flash": PLAIN_FLASH, "controller": PLAIN_CONTROLLER, "agent": PLAIN_AGENT}
USUAL, SHORT, CALM, FULL, REFUSED, AWAY = "usual", "short", "calm", "full", "refused", "away"
LARGE, LARGE_BLOCK_KIB = "large", 16  # as a spool of 16 MiB on Linux has them
# The last of them, here and of the odds: where a shape was that is no more. Without it seeds would be other worlds.
MISLED_ARE = (USUAL, SHORT, CALM, FULL, REFUSED, AWAY, USUAL)
SHAPES = (*MISLED_ARE[:-1], MQTT, WEBHOOK, LARGE, ENDS, MISLEADS, CHANGES)
BESIDE = {MQTT: with_mqtt, WEBHOOK: with_webhook}
# What is drawn by default: every shape but the last six, every profile.
SHAPE_ODDS: list[tuple[float, object]] = [
    (6, USUAL),
    (4, SHORT),
    (1, CALM),
    (4, FULL),
    (4, REFUSED),
    (4, AWAY),
    (3, USUAL),
]
PROFILE_ODDS = 0.35


def filled(script: dict) -> dict:
    """Return the script with every missing trait filled in."""

    def with_plain(given: dict, plain: dict[str, dict]) -> dict[str, dict]:
        return {part: {**values, **given.get(part, {})} for part, values in plain.items()}

    stations = [with_plain(given, PLAIN_STATION) for given in script["stations"]]
    return {**script, **with_plain(script, PLAIN), "stations": stations}


def draw(seed: int, shape: str = "", profiles: tuple[str, ...] = (), odds: float = MISLEAD_ODDS) -> dict:
    """Return the script of the world of this seed; `shape` is one of SHAPES, or empty for any of them.

    Each controller has one of `profiles` if any are given; the name NO_PROFILE means none. If neither shape nor
    profiles are given, controllers have any of the profiles in some worlds. `odds`: of controllers that mislead.
    """
    if shape == MISLEADS:
        return {**draw(seed, dice(seed, shape, "shape").choice(MISLED_ARE), profiles, 1.0), "shape": shape}
    if shape == CHANGES:
        return filled(draw_changes(seed))
    if shape in BESIDE:
        return BESIDE[shape](draw(seed, USUAL, profiles))
    if shape == LARGE:
        return _with_large_blocks(draw(seed, dice(seed, LARGE).choice((USUAL, FULL, REFUSED, AWAY)), profiles))
    if shape == ENDS:
        drawn = draw(seed, dice(seed, shape).choice((USUAL, SHORT, CALM, AWAY)), profiles)
        return {**with_endings(drawn), "shape": shape}
    d = dice(seed, "script", shape)
    ends = not shape and not profiles and ends_is_due(seed)
    if not profiles and not shape and d.random() < PROFILE_ODDS:
        profiles = tuple(TRAITS)
    shape = shape or str(one_of(d, SHAPE_ODDS))
    count = one_of(d, [(5, 1), (1, 2)])
    fast = d.random() < 0.75
    script = {
        "seed": seed,
        "shape": shape,
        "settings": {"system": {"number": d.randint(1, 9)}, "toolsnet": _toolsnet_settings(d, fast), "stations": []},
        "stations": [],
        "toolsnet": _toolsnet(d),
        "network": {
            "latency_ms": one_of(d, [(3, 5), (2, 40), (1, 300)]),
            "split_odds": one_of(d, [(3, 0.0), (1, 0.2)]),
            "short_write_odds": one_of(d, [(6, 0.0), (1, 0.1)]),
        },
        "step": {
            "check_every": one_of(d, [(1, 3), (4, 50)]),
            "ticks_before_wrap_ms": d.choice((1, 5000, 60000, 600000)),
        },
        "operator": {"then": one_of(d, [(3, "drop"), (1, "drop first")]), "count": d.choice((0, 0, 1, 5))},
    }
    for number in range(1, int(count) + 1):  # type: ignore[call-overload]
        flash = _flash(d, shape)
        traits = {"flash": flash, "controller": _controller(d, number, shape, flash["blocks"])}
        script["stations"].append(traits)
        script["settings"]["stations"].append(_station_settings(d, number, traits, fast, shape))
    script["events"], script["end_ms"] = draw_events(d, shape, script, fast)
    for event in script["events"]:
        if event[1] == "worn":  # then with one block less
            station = script["stations"][event[2] - 1]
            station["controller"]["row_most"] = max(8 * (station["flash"]["blocks"] - 3), 1)
    if profiles and profiles != (NO_PROFILE,):
        dress(script, profiles)
    script = with_endings(script) if ends else script
    script = filled(script)
    mislead(script, odds)
    return script


def _with_large_blocks(script: dict) -> dict:
    """Return the same world with as many blocks, each four times as large."""
    for station, settings in zip(script["stations"], script["settings"]["stations"], strict=True):
        flash, spool = station["flash"], settings["spool"]
        flash["block_kib"] = LARGE_BLOCK_KIB
        for key in ("size_kib", "parked_kib"):
            spool[key] *= LARGE_BLOCK_KIB // PLAIN_FLASH["block_kib"]
    return {**script, "shape": LARGE}


def _toolsnet_settings(d: random.Random, fast: bool) -> dict:
    d.random()  # here and below: of settings that are no more; without their numbers seeds would be other worlds
    settings: dict[str, Any] = {"pim_host": "pim", "pim_port": 6575, "rewind": d.random() < 0.1}
    d.random()
    if fast:
        settings["reconnect_s"] = d.choice((0.3, 1, 5))
        d.choice((1, 5))
        d.choice((1, 5))
    if d.random() < 0.2:
        settings["parameters"] = d.sample(["tightening_id", "job", "batch_size", "source"], d.randint(1, 4))
    return settings


def _station_settings(d: random.Random, number: int, traits: dict, fast: bool, shape: str) -> dict:
    flash = traits["flash"]
    d.choice((5, 7, 14))
    controller: dict = {"host": f"controller{number}", "recover": d.random() < 0.92}
    _common(d, ([2, 1], [1], [2]), traits["controller"]["old_revisions"])
    supported = traits["controller"]["result_revisions"]
    controller["result_revisions"] = _common(d, ([999, 1], [1], [2, 1], [999]), supported)
    d.random()
    for _ in range(4 if fast else 0):
        d.choice((1, 5))
    spool = {
        "path": f"spool{number}",
        "size_kib": 4 * (STATE_BLOCKS + flash["kept_blocks"] + flash["blocks"]),
        "parked_kib": 4 * flash["kept_blocks"],
        "when_full": one_of(d, [(1 if shape == FULL else 3, "refuse"), (1, "overwrite")]),
    }
    traits["agent"] = {"batch": d.choice((1, 3, 8, 32, 100))}
    return {"number": number, "name": f"Cart {number}", "controller": controller, "spool": spool}


def _common(d: random.Random, choices: tuple[list[int], ...], supported: list[int]) -> list[int]:
    """Return a choice that contains a revision the controller supports; any choice if it supports none."""
    fitting = [choice for choice in choices if set(choice) & set(supported)]
    return d.choice(fitting or choices)


def _flash(d: random.Random, shape: str) -> dict:
    model = one_of(d, [(4, "nor"), (1, "file")])
    small = shape in (FULL, REFUSED)
    return {
        "model": model,
        "unit": 16 if model == "file" else d.choice((1, 4, 16, 64, 256, 256)),
        "blocks": one_of(d, [(6, 3), (4, 4), (1, 6)] if small else [(4, 3), (3, 4), (2, 7), (1, 20), (1, 60)]),
        "kept_blocks": one_of(d, [(4, 3), (3, 4), (1, 6)]),
        "more_blocks": one_of(d, [(6, 0), (1, 3)]),
        "takes_time": d.random() < 0.3,
    }


def _controller(d: random.Random, number: int, shape: str, blocks: int) -> dict:
    ids = one_of(d, [(16, "normal"), (1, "constant"), (2, "blank")])
    near_the_end = 4294967295 - d.randrange(40)
    traits = {
        "ids": ids,
        "first_id": one_of(d, [(4, 1), (3, d.randrange(2, 5000000)), (2, near_the_end)]),
        "wraps_to": one_of(d, [(3, 1), (1, 0)]),
        "memory": one_of(d, _FEW if shape == AWAY else [(5, 5000), (2, 200), *_FEW]),
        "result_revisions": d.choice(([999, 1, 2], [999], [1], [1, 2])),
        "start_revisions": d.choice(([1, 2, 3, 4, 5, 6], [1], [6], [1, 2, 3])),
        "old_revisions": one_of(d, [(6, [1, 2]), (3, [1]), (1, [2]), (1, [])]),
        "old_refusal": d.choice((97, 99, 75)),
        "repeat_ms": d.choice((1000, 3000, 8000)),
        "repeats": d.choice((0, 1, 3)),
        "drops": d.random() < 0.7,
        "window": one_of(d, [(9, 1), (1, 3)]),
        "hasty": d.random() < 0.2,
        "replays": d.random() < 0.2,
        "pushes_newest": d.random() < 0.1,
        "single": d.random() < 0.2,
        "tells_tool": d.random() < 0.5,
        "header_rest": d.choice(HEADER_RESTS),
        "blank_revision": d.random() < 0.3,
        "serial": f"C10000000{number}",
        "id_pad": d.choice(("", "", "left", "right")),
        "row_most": 8 * (blocks - 2),  # a full log always contains a good one
    }
    if ids != "normal":
        traits["first_id"] = d.choice((0, 1, 77))
        traits["clock_stands"] = d.random() < 0.4
    if ids == "blank" and d.random() < 0.3:
        traits["replays"] = True
    return traits


def _toolsnet(d: random.Random) -> dict:
    return {
        "sequence_at_first": one_of(
            d, [(4, 0), (2, d.randint(1, 40)), (1, 99999 - d.randrange(60)), (1, d.randint(1, 99999))]
        ),
        "content_refusal_code": d.choice((1, 2, 17, 999)),
        "pim_wants_05": one_of(d, [(5, "any"), (1, "never"), (1, "always")]),
        "keepalive_answered": d.random() < 0.85,
        "server_host": one_of(d, [(5, "plain"), (1, "padded"), (1, "blank"), (1, "zero")]),
        "names": d.choice(("last", "highest")),
    }
