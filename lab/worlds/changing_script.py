"""The script of a world that changes its configuration (changing_world.py): what is drawn before it runs.

Rules
1. One station with a usual controller, a small log, and up to four outlets of a pool that is drawn first. Every
   configuration in the events is whole, so that any event can be taken out and the rest keeps its meaning.
2. A change is ordered just before the agent goes down: by a reload (in half of the worlds), a stop, or a cut.
3. A name always has the same kind. A renamed outlet leads where it led before; what led there under another name is not
   configured beside it.
"""

from __future__ import annotations

import random

from lab.worlds.dice import dice, one_of
from lab.worlds.outlet_peers import FAULTS, FILE, KINDS, TOOLSNET, place_of, settings_of

CHANGES = "changes"
STATE_BLOCKS, KEPT_BLOCKS, BLOCK_KIB = 4, 3, 4
OUTLETS_MOST = 3  # beside ToolsNet


def draw_changes(seed: int) -> dict:
    """Return the script of the world of this seed."""
    d = dice(seed, CHANGES)
    blocks = one_of(d, [(4, 4), (2, 5), (1, 6), (2, 8)])
    recovers = d.random() < 0.2
    pool = _pool(d)
    outlets = _first(d, pool)
    spool = {
        "path": "spool1",
        "size_kib": BLOCK_KIB * (STATE_BLOCKS + KEPT_BLOCKS + int(blocks)),
        "parked_kib": BLOCK_KIB * KEPT_BLOCKS,
        "when_full": d.choice(("refuse", "overwrite")),
    }
    controller = {"host": "controller1", "recover": recovers, "events": []}
    station = {"number": 1, "name": "Cart 1", "controller": controller, "spool": spool, "outlets": outlets}
    toolsnet = {"pim_host": "pim", "pim_port": 6575, "reconnect_s": d.choice((0.3, 1, 5)), "rewind": d.random() < 0.1}
    script: dict = {
        "seed": seed,
        "shape": CHANGES,
        "settings": {"system": {"number": 1}, TOOLSNET: toolsnet, "stations": [station]},
        "stations": [_traits(d, int(blocks))],
        TOOLSNET: {"pim_wants_05": "any", "names": d.choice(("last", "highest"))},
        "network": {"latency_ms": one_of(d, [(3, 5), (2, 40)]), "split_odds": 0.0, "short_write_odds": 0.0},
    }
    script["events"], script["end_ms"] = _Course(d, pool, outlets, int(blocks)).draw()
    return script


def _traits(d: random.Random, blocks: int) -> dict:
    model = one_of(d, [(4, "nor"), (1, "file")])
    flash = {
        "model": model,
        "unit": 16 if model == "file" else d.choice((16, 64, 256, 256)),
        "blocks": blocks,
        "kept_blocks": KEPT_BLOCKS,
    }
    controller = {
        "memory": 5000,
        "replays": d.random() < 0.5,
        "window": d.choice((1, 1, 3)),
        "repeat_ms": d.choice((1000, 3000)),
        "row_most": 3,
        "old_revisions": [1, 2],
    }
    return {"flash": flash, "controller": controller, "agent": {"batch": d.choice((1, 3, 8, 48))}}


def _pool(d: random.Random) -> list[dict]:
    """Return the outlets that there may be, ToolsNet first."""
    one = d.choice(KINDS)  # several of one kind are what goes wrong first
    kinds = [one, one, *(one if d.random() < 0.4 else d.choice(KINDS) for _ in range(2))]
    pool: list[dict] = [{"name": TOOLSNET, "kind": TOOLSNET}]
    for letter, kind in zip("abcd", kinds, strict=True):
        place = f"{letter}.jsonl" if kind == FILE else f"host-{letter}"
        pool.append({"name": letter, "kind": kind, **settings_of(kind, place), "durable": d.random() < 0.6})
    return pool


def _first(d: random.Random, pool: list[dict]) -> list[dict]:
    count = d.choice((1, 2, 2, 3))
    chosen = [pool[0]] if d.random() < 0.7 else []
    return _with_a_durable([*chosen, *[dict(one) for one in d.sample(pool[1:], count)]])


def _with_a_durable(outlets: list[dict]) -> list[dict]:
    """Return these outlets; where none keeps anything, the first does."""
    if not any(one.get("durable", True) for one in outlets):
        outlets[0] = {**outlets[0], "durable": True}
    return outlets


class _Course:
    """The events of one world, as they are drawn."""

    def __init__(self, d: random.Random, pool: list[dict], outlets: list[dict], blocks: int) -> None:
        self.d = d
        self.pool = pool
        self.outlets = outlets
        self.blocks = blocks
        self.reloads = d.random() < 0.5
        self.events: list[list] = []
        self.renamed = 0
        self.at = 0

    def draw(self) -> tuple[list[list], int]:
        """Return the events in order of time, and the moment when the calm begins."""
        d = self.d
        for _ in range(d.choice((0, 0, 1, 1, 2))):
            self._event(d.randrange(3000), "worn_log", 1, d.randrange(8))
        if d.random() < 0.06:
            self._event(d.randrange(3000), "stale", 1, d.randrange(8), d.random() < 0.5)
        for _ in range(d.randint(3, 7)):
            length = d.randint(4000, 20000)
            self._work(length)
            for _ in range(d.choice((0, 1, 1, 2, 3))):
                self._fault(length)
            self.at += length
            for _ in range(d.choice((0, 1, 1, 1, 2))):
                self._change()
            self._stop()
        for _ in range(d.choice((0, 0, 3, 30))):  # events lie between results, and have no sequence at ToolsNet
            self.events.append([d.randrange(self.at), "alarm", 1])
        return sorted(self.events, key=lambda event: event[0]), self.at + 5000

    def _event(self, after_ms: int, *what) -> None:
        self.events.append([self.at + after_ms, *what])

    def _work(self, length: int) -> None:
        d = self.d
        count = d.choice((3, 10, 25, 40))
        self._event(
            d.randrange(1500, 3000), "make", 1, count, max(min((length - 3000) // count, d.choice((30, 100, 400))), 20)
        )

    def _fault(self, length: int) -> None:
        d = self.d
        at = d.randrange(length)
        what = d.choice(
            (
                "away",
                "away",
                "away",
                "toolsnet",
                "toolsnet",
                "lose_05",
                "flash",
                "search",
                "forgets",
                "server",
                "again",
                "refuse_content",
            )
        )
        lasts = d.choice((2000, 15000, 60000, 300000))
        if what == "away" and self._without_toolsnet():
            one = d.choice(self._without_toolsnet())
            self._event(at, "side", one["name"], d.choice(FAULTS[one["kind"]]), lasts)
        elif what == "toolsnet":
            self._event(
                at, "outage", d.choice(("toolsnet", "server")), d.choice(("refusing", "hole")), lasts, d.random() < 0.7
            )
        elif what == "lose_05":
            self._event(at, "lose_05", d.choice((1, 1, 2)))
        elif what == "flash":
            self._event(at, d.choice(("flash_operations", "flash_reads")), 1, d.randint(1, 4))
        elif what == "search":
            self._repeat(at)
        elif what == "forgets":
            one = d.choice(self.pool[1:])
            self._event(at, "forgets", one["name"], d.choice((0, 0.3, 0.6, 0.9)))
        elif what == "server":
            self._event(at, *d.choice((("empty",), ("restore", 5000), ("restore", 30000))))
        elif what == "again":
            self._event(at, "offer_again", round(d.random(), 2))
        elif what == "refuse_content":
            self._event(at, "refuse_content", 1, d.choice((1, 2)))
            if d.random() < 0.5:
                self._event(length, "drop_kept")

    def _repeat(self, at: int) -> None:
        """Have the agent given again what it has: the power goes as it acknowledges; its flash refuses reads then."""
        d = self.d
        self._event(0, "search_fails", 1, d.choice((1, 2, 2, 3, 6)), d.choice((0, 0, 1, 2, 5)))
        how = {"operations": d.randint(2, 30), "kinds": "send", "within_ms": 5000}
        self._event(at, "cut", {**how, "dark_ms": d.choice((500, 3000)), "again": []})

    # -- what changes ----------------------------------------------------------------------------------------------

    def _without_toolsnet(self) -> list[dict]:
        return [one for one in self.outlets if one["kind"] != TOOLSNET]

    def _change(self) -> None:
        d = self.d
        kinds = ("outlets",) * 8 + ("take_over", "rewind", "exchange")
        what = d.choice(kinds)
        if what == "take_over":
            self._event(-2, what, d.choice((0, 0, 1, 4)))
        elif what == "rewind":
            self._event(-2, what, d.random() < 0.7)
        elif what == "exchange":
            files = [one["name"] for one in self._without_toolsnet() if one["kind"] == FILE]
            if len(files) > 1:
                self._event(-2, what, *d.sample(files, 2))
        else:
            for _ in range(d.choice((1, 1, 2))):
                self._other_outlets()
            self.outlets = _with_a_durable(self.outlets)
            self._event(-2, what, [dict(one) for one in self.outlets])

    def _other_outlets(self) -> None:
        d = self.d
        what = d.choice(
            ("add", "add", "remove", "remove", "remove", "rename", "order", "durable", "toolsnet", "toolsnet")
        )
        others, has = self._without_toolsnet(), [one for one in self.outlets if one["kind"] == TOOLSNET]
        places = {place_of(one) for one in others}
        absent = [one for one in self.pool[1:] if place_of(one) not in places]
        if what == "toolsnet":
            has = [] if has and others else self.pool[:1]
        elif what == "add" and absent and len(others) < OUTLETS_MOST:
            others.insert(d.randrange(len(others) + 1), dict(d.choice(absent)))
        elif what == "remove" and len(self.outlets) > 1 and others:
            others.remove(d.choice(others))
        elif what == "rename" and others:
            self._rename(others)
        elif what == "order":
            d.shuffle(others)
        elif what == "durable" and others:
            index = d.randrange(len(others))
            others[index] = {**others[index], "durable": not others[index]["durable"]}
        self.outlets = has + others

    def _rename(self, others: list[dict]) -> None:
        index = self.d.randrange(len(others))
        self.renamed += 1
        others[index] = {**others[index], "name": f"{others[index]['name']}{self.renamed}"}

    # -- stops -----------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        d = self.d
        if self.reloads and d.random() < 0.6:
            self._event(0, "reload", d.choice((20, 20, 200)))
        elif d.random() < 0.25:
            self._event(0, "off", {"dark_ms": d.choice((500, 3000)), "orderly": True})
        else:
            operations = d.choice((0, 0, d.randint(1, 40)))
            again = [[d.randint(1, 20), "flash"] for _ in range(d.choice((0, 0, 1, 2)))]
            dark_ms = d.choice((500, 3000))
            self._event(
                0,
                "cut",
                {"operations": operations, "kinds": "flash", "within_ms": 2000, "dark_ms": dark_ms, "again": again},
            )
        self.at += 3500
