"""What a chip does beside the agent: it feeds, blinks, confirms itself once, keeps time, and answers the console."""

import io
import json

from toolcart.agent.base.compat import ON_CPYTHON
from toolcart.agent.base.counters import DROP_ORDERED
from toolcart.agent.cart.app import MOUNT_RETRY_MS, App
from toolcart.agent.cart.config import complete
from toolcart.agent.cart.watchdog import ASKED_MS
from toolcart.base.clock import Dice, SimClock
from toolcart.board import clock as board_clock
from toolcart.board.console import LINE_MAX
from toolcart.board.housekeeping import TELL_MS, Housekeeping
from toolcart.board.network import SILENCE_MS
from toolcart.board.ram_flash import RamFlash
from host_tests.board.test_clock import MOMENT, Rtc
from host_tests.board.test_safe_mode import own_name
from host_tests.portable import need_files
from lab.harness.line import Network

PORTABLE = True
HEAP = "2m"  # a flash device in RAM and a whole app, made again by each test

TREE = {
    "toolsnet": {"pim_host": "10.0.0.5", "pim_port": 6575},
    "stations": [
        {"number": 10, "controller": {"host": "10.0.0.1"}, "spool": {"path": "x", "size_kib": 64, "parked_kib": 12}}
    ],
    "board": {"network": "wifi", "ssid": "Plant", "password": "geheim-4711"},
}


class CapturedConsole(io.IOBase):
    """A console: MicroPython's json writes octets into a stream, CPython's writes text."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text if isinstance(text, str) else bytes(text).decode()
        return len(text)

    def lines(self):
        return [json.loads(line[len("toolcart") :]) for line in self.text.split("\n") if line]


def answered(console, line, meanwhile=lambda: None):
    """What the console answers to a line, without the end; while it works on it, `meanwhile` happens."""
    out = console._out = CapturedConsole()
    console.take(line + "\n")
    while console.job is not None:
        console.go_on()
        meanwhile()
    *answers, end = out.lines()
    assert end == {"end": True}
    return answers


class Air:
    def __init__(self):
        self.up = True
        self.restarts = []

    def tick(self, now):
        return 60000

    def is_up(self):
        return self.up

    def restart(self, is_deep, now):
        self.restarts.append(is_deep)

    def about(self):
        return {"kind": "wifi"}


class Sockets:
    has_received = tried = False


class Dog:
    feeds = 0

    def feed(self):
        self.feeds += 1


class Board:
    """A chip whose time is simulated."""

    def __init__(self):
        self.time = SimClock()
        self.lines = Network(self.time, Dice(1))
        self.device = RamFlash(16)
        self.network = Air()
        self.sockets = Sockets()
        self.watchdog = Dog()
        self.clock = board_clock.Clock(Rtc(), self.time.now)
        self.ntp = None
        self.lamp = []
        self.typed = ""

    def now(self):
        return self.time.now

    def stamp_into(self, buf):
        self.clock.stamp_into(buf)

    def tcp(self):
        return self.lines.port()

    def flash(self, spool):
        return self.device

    def seed(self):
        return 1

    def watch(self, port, slot):
        port.slot = slot

    def show_lamp(self, on):
        self.lamp.append(on)

    def read_console(self):
        typed = self.typed
        self.typed = ""
        return typed

    def about(self):
        return {"chip": "fake"}


class Confirmation:
    count = 0
    is_up = False

    def came_up(self):
        self.is_up = True

    def healthy(self):
        self.count += 1


class Chip:
    def __init__(self, device=None):
        self.board = Board()
        self.board.device = device or self.board.device
        configuration = complete(TREE)
        self.app = App(configuration, self.board)
        self.confirmation = Confirmation()
        self.housekeeping = Housekeeping(
            self.app, self.board, configuration, "no_such_folder", self.confirmation, self.board.now()
        )
        self.out = CapturedConsole()
        self.housekeeping.console._out = self.out
        self.turns = 0

    def go(self, ms):
        end_ms = self.board.time.total_ms + ms
        while self.board.time.total_ms < end_ms:
            wait_ms = self.app.step(self.board.now())
            turn_ms = self.housekeeping.on_turn(self.board.now())
            if turn_ms < 0:
                return False
            self.turns += 1
            wait_ms = min(wait_ms, turn_ms, end_ms - self.board.time.total_ms)
            self.board.time.advance(wait_ms if wait_ms > 0 else 1)
        return True

    def ask(self, line):
        self.out.text = ""
        self.board.typed = line + "\r\n"
        self.go(1000)
        return self.out.lines()


def test_a_link_that_carries_nothing_is_restarted_with_growing_pauses():
    chip = Chip()
    chip.board.sockets.tried = True
    chip.go(SILENCE_MS - ASKED_MS)
    assert chip.board.network.restarts == []
    chip.go(3 * ASKED_MS)
    assert chip.board.network.restarts == [False]
    for times in range(2, 5):
        chip.board.sockets.tried = True
        chip.go((SILENCE_MS << times - 1) + 2 * ASKED_MS)
        assert len(chip.board.network.restarts) == times
    assert chip.board.network.restarts == [False, True, False, True]
    assert chip.housekeeping.about()["network"]["silences"] == 4


def test_a_link_that_carries_or_is_down_is_not_restarted():
    for has_received, up, tried in ((True, True, True), (False, False, True), (False, True, False)):
        chip = Chip()
        chip.board.network.up = up
        for _ in range(20):
            chip.board.sockets.has_received = has_received
            chip.board.sockets.tried = tried
            chip.go(SILENCE_MS // 5)
        assert chip.board.network.restarts == [], (has_received, up, tried)


def test_a_start_whose_spool_cannot_be_had_is_never_confirmed():
    chip = Chip()
    chip.board.device = None
    chip.go(120000)
    assert chip.confirmation.count == 0 and not chip.confirmation.is_up


def test_a_chip_brings_all_its_spools_up_before_anything_else_however_long_that_takes():
    tree = dict(TREE, stations=[dict(TREE["stations"][0], number=number) for number in (10, 11)])
    for station in tree["stations"]:
        station["controller"] = {"host": "10.0.0.%d" % station["number"]}
        station["spool"] = dict(station["spool"], path="x%d" % station["number"])
    board = Board()

    def flash(spool):
        board.time.advance(1000)
        return RamFlash(16)

    board.flash = flash
    app = App(complete(tree), board)
    app.step(board.now())
    assert [station.mounted for station in app.stations] == [True, not ON_CPYTHON], "Linux answers between two"


def test_a_start_has_not_failed_once_a_spool_that_was_late_is_up():
    chip = Chip()
    device, chip.board.device = chip.board.device, None
    chip.go(1000)
    chip.board.device = device
    chip.go(MOUNT_RETRY_MS + TELL_MS)
    assert chip.confirmation.is_up and chip.confirmation.count == 0, "healthy it is only later"


def test_the_lamp_blinks():
    chip = Chip()
    chip.go(20000)
    assert len(chip.board.lamp) > 10
    assert all(chip.board.lamp[at] is not chip.board.lamp[at + 1] for at in range(len(chip.board.lamp) - 1))


def test_status_names_board_and_stations():
    answers = Chip().ask("?status")
    assert answers[0]["board"]["chip"] == "fake" and answers[0]["stations"] == [10]
    assert answers[1]["station"]["number"] == 10
    assert answers[-1] == {"end": True}


def test_a_block_is_reported_in_hexadecimal_and_an_erased_part_as_nothing():
    chip = Chip()
    chip.go(1000)
    chip.board.device.cells[4096:4100] = b"\x01\x02\x03\x04"
    lines = chip.ask("?block 10 1")
    assert len(lines) == 17
    assert lines[0]["hex"].startswith("01020304ff") and lines[1]["hex"] == ""


def test_the_shape_of_a_spool_is_that_of_the_whole_device():
    shape = Chip().ask("?spool 10")[0]
    assert shape["block_count"] == 16 and shape["backlog"] == 0


def test_what_cannot_be_answered_is_an_error_and_an_end():
    for line in ("?nonsense", "?log 99", "?log", "?block 10 999", "?", "?version"):
        lines = Chip().ask(line)
        assert "error" in lines[0] and lines[-1] == {"end": True}


def test_other_lines_and_too_long_ones_are_let_pass():
    chip = Chip()
    chip.board.typed = "hello\r\n" + "?" + "x" * LINE_MAX + "\r\n"
    chip.go(2000)
    assert chip.out.text == ""


def test_restart_ends_the_loop():
    chip = Chip()
    chip.board.typed = "?restart\n"
    assert chip.go(5000) is False


def test_time_comes_from_toolsnet_and_from_results_until_something_better_speaks():
    chip = Chip()
    chip.go(1000)
    station = chip.app.stations[0]
    assert station.outlets[0].session.wants_stamp and station.intake.store.wants_time
    session = station.outlets[0].session
    session.stamp[:] = b"20240314092653"
    session.wants_stamp = False
    chip.go(1000)  # at once: a minute later it would be a minute slow
    assert chip.board.clock.source == board_clock.SOURCE_TOOLSNET
    assert chip.board.clock._rtc.moment == MOMENT and not session.wants_stamp
    chip.board.clock._rtc.moment = (2024, 3, 14, 9, 27, 54)
    chip.go(60000)
    assert chip.board.clock._rtc.moment == (2024, 3, 14, 9, 27, 54) and session.wants_stamp, "the next one, not the old"
    assert chip.ask("?status")[0]["board"]["clock"] == "toolsnet"


def test_each_order_at_the_console_is_in_the_log_and_a_look_is_not():
    chip = Chip()
    chip.go(1000)

    def answer_to(line):
        answered(chip.housekeeping.console, line)
        return [(entry["name"], entry["value"]) for entry in answered(chip.housekeeping.console, "?log 10")][-1:]

    before = answer_to("?quarantine 10 list")
    assert answer_to("?quarantine 10 show 3") == answer_to("?status 10") == before
    assert answer_to("?quarantine 10 drop all") == [("drop ordered", 0)], "there is nothing to drop"
    assert answer_to("?quarantine 10 drop 7") == [("drop ordered", 0)]
    counters = chip.app.stations[0].counters
    assert counters.counts[DROP_ORDERED] == 2
    assert answer_to("?quarantine 10 retry all") == [("retry ordered", 0)]
    ends = iter([{"dropped": 3}, {"count": 4, "parked": 1}])
    chip.housekeeping.console._begin_order(chip.app.stations[0], ["drop", "1-9"])
    chip.housekeeping.console.job = ends
    for _ in range(3):
        chip.housekeeping.console.go_on()
    assert list(counters.log.entries())[-1][1:] == (DROP_ORDERED, 4)
    assert answer_to("?command 10 select-pset 5") == [("drop ordered", 4)], "the setting allows none"


def test_console_never_shows_a_password():
    import os

    need_files()
    chip = Chip()
    folder = own_name("upkeep_test")
    try:
        os.mkdir(folder)
    except OSError:
        pass
    with open(folder + "/config.json", "w") as file:
        json.dump(TREE, file)
    chip.housekeeping.console._folder = folder
    chip.ask("?config")
    assert "geheim" not in chip.out.text and "***" in chip.out.text
    os.remove(folder + "/config.json")
    os.rmdir(folder)


def test_the_agent_is_told_each_time_the_network_comes_up():
    chip = Chip()
    calls = []
    chip.app.network_is_up = calls.append
    chip.board.network.is_up = lambda: False
    chip.go(30000)
    assert calls == []
    for count in (1, 2):
        chip.board.network.is_up = lambda: True
        chip.go(10000)
        assert len(calls) == count
        chip.board.network.is_up = lambda: False
        chip.go(10000)
        assert len(calls) == count


def test_version_that_cannot_be_confirmed_runs_on_and_tries_again_each_minute():
    chip = Chip()
    answers = [False, False, True]
    chip.confirmation.healthy = lambda: answers.pop(0)
    while len(answers) > 1 and chip.board.time.total_ms < 200000:
        chip.go(1000)
    assert not chip.housekeeping.is_confirmed and chip.housekeeping.about()["unconfirmed"] == 2
    assert not [line for line in chip.out.lines() if line.get("healthy")]
    chip.go(61000)
    assert chip.housekeeping.is_confirmed and answers == []
    assert [line for line in chip.out.lines() if line.get("healthy")]
