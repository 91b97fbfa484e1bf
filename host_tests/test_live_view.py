"""The live view on a screen of 80 x 24: everything is there, nothing breaks it, keys do what the footer says."""

import asyncio
import time

import pytest

pytest.importorskip("textual")

from tools.demo import Demo
from tools.live import panels
from tools.live.figures import Change
from tools.live.view import View
from tools.live.watch import ENDED, RUNNING, Watch

DEADLINE_S = 60


def _result(number, **changed):
    shown = {
        "number": number,
        "source": "LIVE",
        "vin": "WVWZZZ1KZAW123456",
        "program": "12",
        "torque": "42.37",
        "unit": "Nm",
        "angle": "95",
        "status": "OK",
        "torque_status": "OK",
        "angle_status": "OK",
        "batch_status": "not completed",
        "time": "2024-03-14 09:26:53",
    }
    shown.update(changed)
    return shown


def _station(number, **changed):
    shown = {
        "number": number,
        "name": "Cart",
        "mounted": True,
        "counters": {"stored": 7, "delivered": 5, "parked": 1},
        "logged": 0,
        "log": [],
        "controller": {"host": "10.0.0.1", "port": 4545, "state": "ready", "waits_for_room": False},
        "outlets": [{"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "streaming"}],
        "stored": 7,
        "delivered": 5,
        "backlog": 2,
        "oldest_waiting": "2024-03-14 09:26:53",
        "results": [_result(7, status="NOK", torque_status="high"), {"number": 6, "source": "RAW", "octets": 30}],
        "recovery": {"phase": "idle", "open_ids": 0, "gone": 0, "epoch": 0},
        "spool": {"kib": 64, "blocks": 12, "used_blocks": 3, "damaged": 0, "torn": 0, "worn": 0, "overwritten": 0},
        "parked": 1,
    }
    shown.update(changed)
    return shown


class _Still(Watch):
    """A watch that stands still: shows what it was given, runs nothing."""

    def __init__(self, stations):
        super().__init__("cart.json")
        self._stations = stations

    def start(self):
        self.phase = RUNNING
        scheduler = {"faults": 0, "last_fault": None}
        for change in self.figures.feed({"kind": "status", "stations": self._stations, "scheduler": scheduler}, 0.0):
            self._tell(change)

    def turn(self):
        pass

    def end(self):
        self.phase = ENDED


def _lines_of(view):
    return ["".join(segment.text for segment in line) for line in view.screen._compositor.render_strips()]


def _screen(stations, keys=(), size=(80, 24)):
    """Return the lines of the screen after these keys, and the watch."""
    watch = _Still(stations)

    async def look():
        view = View(watch)
        async with view.run_test(size=size) as pilot:
            await pilot.pause(0.3)
            for key in keys:
                await pilot.press(key)
            await pilot.pause(0.3)
            return _lines_of(view)

    return asyncio.run(look()), watch


def test_everything_is_on_the_smallest_screen():
    lines, _ = _screen([_station(1)])
    text = "\n".join(lines)
    for word in (
        "station 1  Cart",
        "● ready",
        "● streaming",
        "3 of 12 blocks",
        "1 parked",
        "waiting for ToolsNet: 2",
        "42.37 Nm",
        "NOK",
        "kept as it came (30 octets)",
        "parked 1   stored 7   delivered 5",
        "controller ready",
        "passed on 5",
        "q quit",
    ):
        assert word in text, word
    assert len(lines) == 24 and all(len(line) == 80 for line in lines)


def test_names_with_brackets_and_blanks_do_not_break_the_screen():
    odd = _station(1, name="[red]A[/nope] [", results=[_result(1, vin="[/b][[$", unit="kgf.cm", torque="1234.56")])
    lines, _ = _screen([odd])
    text = "\n".join(lines)
    assert "[red]A[/nope] [" in text
    assert "[/b][[$" in text


def test_keys_change_the_station_and_end_the_run():
    stations = [_station(1), _station(2, name="Right")]
    assert "station 2  Right  (2 of 2)" in "\n".join(_screen(stations, ["right"])[0])
    assert "station 1  Cart  (1 of 2)" in "\n".join(_screen(stations, ["right", "right"])[0])
    assert _screen(stations, ["ctrl+c"])[1].phase == ENDED


def test_the_keys_of_the_demo_cut_kill_and_change_the_rate():
    demo = Demo(rate_per_s=20)

    async def play():
        view = View(demo)
        async with view.run_test(size=(80, 24)) as pilot:
            await _until(pilot, lambda: demo.phase == RUNNING)
            for key in ("n", "c", "k", "plus"):
                await pilot.press(key)
            await _until(pilot, lambda: demo.kills == 1 and demo.rate_per_s == 50)
            cut = (demo.toolsnet_cut, demo.controller_cut)
            text = "\n".join(_lines_of(view))
            await pilot.press("c")
            await pilot.press("q")
            await _until(pilot, lambda: demo.phase == ENDED)
            return cut, text

    try:
        cut, text = asyncio.run(play())
    finally:
        demo.close()
    assert cut == (True, True)
    assert "network cut" in text and "in the archive" in text
    assert demo.exit_code == 0, demo.account()


async def _until(pilot, condition):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s
        await pilot.pause(0.05)


def test_a_station_without_its_spool_and_an_empty_agent_can_be_shown():
    bare = {"number": 1, "name": "", "mounted": False, "counters": {}, "logged": 0, "log": []}
    assert "the spool is not ready" in "\n".join(_screen([bare])[0])
    assert "toolcart" in _screen([])[0][0]


def test_a_controller_s_clock_is_told_where_it_is_apart():
    for ahead_s, words in ((4000, "clock ahead"), (-40, "clock behind"), (5, ""), (None, "")):
        controller = dict(_station(1)["controller"], clock_ahead_s=ahead_s)
        lines, _ = _screen([_station(1, controller=controller)])
        assert any("clock " in line for line in lines) == bool(words)
        assert not words or any(words in line for line in lines)


def test_counters_that_have_no_room_are_counted():
    counted = {f"counter {letter}": 1 for letter in "abcdefghij"}
    text = panels.counters({"counters": counted}, 2, 40).plain
    assert text.endswith("+ 5")
    assert all(len(line) <= 40 for line in text.splitlines())


def test_the_age_of_the_oldest_is_told_unless_the_clocks_differ():
    now_s = 1710408413.0  # whatever zone the machine is in, an hour before is an hour before
    stamp = panels.time.strftime("%Y-%m-%d %H:%M:%S", panels.time.localtime(now_s - 3700))
    assert panels.oldest_text(stamp, now_s) == "oldest 1 h 1 min"
    assert panels.oldest_text("1999-01-01 00:00:00", now_s) == "oldest of 1999-01-01 00:00:00"
    assert panels.oldest_text(None, now_s) == ""


def test_the_newest_events_stand_at_the_bottom():
    changes = [Change(float(index), "info", f"event {index}") for index in range(5)]
    assert panels.events(changes, 3).plain.splitlines() == [
        "00:00:02  event 2",
        "00:00:03  event 3",
        "00:00:04  event 4",
    ]


def test_control_characters_of_a_controller_s_texts_do_not_reach_the_screen():
    nasty = "\x1b[2J\x07\x9b31m\u202e"
    station = _station(1, name=nasty, results=[_result(1, vin=nasty, program=nasty)])
    station["controller"]["host"] = nasty
    text = "\n".join(_screen([station])[0])
    assert "\\x1b" in text
    assert not [c for c in text if c != "\n" and not c.isprintable()]
    assert "\x1b" not in panels.events([Change(1.0, "bad", nasty)], 3).plain
