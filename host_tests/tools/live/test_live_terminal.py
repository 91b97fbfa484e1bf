"""The live view in a real terminal (tmux): three sizes, keys, ASCII; what is on the screen is what tmux shows of it.

And in one that nobody reads, as behind a connection of ssh that has stalled: it holds up nothing but the screen.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("textual")

from toolcart.base.sources import ROOT
from host_tests.support.running import ENVIRONMENT, command_of, wait_for
from lab.harness.fleet import Fleet

DEADLINE_S = 60
PULL_AGAIN_S = 10


class Terminal:
    """A tmux server of its own with one window, in which the live view runs."""

    def __init__(self, folder, columns, lines, locale):
        if shutil.which("tmux") is None:
            pytest.skip("tmux is not installed (apt install tmux)")
        self._socket = str(folder / "tmux")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
        environment.pop("TMUX", None)
        environment |= {"COLUMNS": "203", "LINES": "61"}  # somebody has exported them: the terminal has another size
        self._size = None
        self._environment = dict(environment, LANG=locale, PYTHONPATH=str(ROOT), TMUX_TMPDIR=str(folder))
        command = [sys.executable, "-P", "-m", "toolcart.tools.cli.main", "run", "--config", str(folder / "carts.json")]
        size = ["-x", str(columns), "-y", str(lines)]
        self._tmux("-f", os.devnull, "new-session", "-d", "-s", "view", *size, *command)
        self._tmux("set-option", "-g", "remain-on-exit", "on")

    def press(self, *keys):
        self._tmux("send-keys", "-t", "view", *keys)

    def resize(self, columns, lines):
        self._size = (columns, lines)
        self._tmux("resize-window", "-t", "view", "-x", str(columns), "-y", str(lines))

    def until(self, *words, lines=1):
        """Return the screen once all words are on it, the last one on as many `lines`."""
        start_s = time.monotonic()
        pulled = 0
        while True:
            screen = self._tmux("capture-pane", "-p", "-t", "view")
            enough = sum(words[-1] in line for line in screen.splitlines()) >= lines
            if enough and all(word in screen for word in words):
                return screen
            passed_s = time.monotonic() - start_s
            assert passed_s < DEADLINE_S, f"never all of {words}:\n{screen}"
            if self._size and passed_s > PULL_AGAIN_S * (pulled + 1):
                # Textual may miss the first resize while it starts: a person would pull the window again.
                pulled += 1
                columns, height = self._size
                self.resize(columns - 1, height)
                self.resize(columns, height)
            time.sleep(0.1)

    def processes(self):
        """Return the process of the window."""
        return [int(one) for one in self._tmux("list-panes", "-t", "view", "-F", "#{pane_pid}").split()]

    def close(self):
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments, check=True):
        command = ["tmux", "-S", self._socket, "-u" if "UTF-8" in self._environment["LANG"] else "-2", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=20, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout


class StalledTerminal:
    """A command whose terminal is read until `stall`, and again from `go_on`; a context manager that ends it."""

    def __init__(self, *words):
        self._ours, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self._name = os.ttyname(there)
        self.process = subprocess.Popen(
            command_of(*words),
            env=dict(ENVIRONMENT, TERM="xterm-256color", LANG="C.UTF-8"),
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(there)
        self._said = b""
        self._lock = threading.Lock()
        self._reads, self._over = threading.Event(), threading.Event()
        self._reads.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        family = [self.process.pid, *self.children()]
        self.close()
        for one in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait(DEADLINE_S)

    def _read(self):
        while not self._over.is_set():
            with self._lock, contextlib.suppress(OSError):
                if self._reads.is_set() and select.select([self._ours], [], [], 0.05)[0]:
                    self._said += os.read(self._ours, 65536)
            time.sleep(0.001)

    def until(self, *words):
        """Until it has said all of this since the last stall, whatever the colours."""
        said = ""

        def has_said():
            nonlocal said
            said = re.sub(r"\x1b\[[0-9;]*m", "", self._said.decode(errors="replace"))
            return all(word in said for word in words)

        wait_for(lambda: f"never all of {words}: {said!r}", has_said, DEADLINE_S)

    def stall(self):
        """Read no more, and leave no room."""
        self._reads.clear()
        with self._lock:
            self._said = b""
        here = os.open(self._name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(here, b".")
        os.close(here)

    def press(self, keys):
        os.write(self._ours, keys)

    def go_on(self):
        self._reads.set()

    def close(self):
        """Hang up, as when a window is closed or a connection of ssh ends."""
        if not self._over.is_set():
            self._over.set()
            self._reader.join(DEADLINE_S)
            os.close(self._ours)

    def children(self):
        """The processes below, those of children as well."""
        found, todo = [], [self.process.pid]
        while todo:
            for tasks in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    todo += (new := [int(one) for one in tasks.read_text().split()])
                    found += new
        return found


@pytest.fixture
def carts(tmp_path):
    """Three carts, the second without its network, and their configuration."""
    with Fleet(3, rate_per_s=2.0) as fleet:
        fleet.cut(1)
        tree = fleet.configuration()
        (tmp_path / "carts.json").write_text(json.dumps(tree), encoding="utf-8")
        yield fleet, tmp_path


def test_three_sizes_show_all_stations_then_one_with_its_results(carts):
    _, folder = carts
    terminal = Terminal(folder, 80, 24, "C.UTF-8")
    try:
        screen = terminal.until("controllers ready 2 of 3", "● streaming", "○ closed", "q quit")
        assert "out/s" not in screen
        terminal.resize(120, 40)
        screen = terminal.until("out/s", "oldest", "2 min ago", "controller ready")
        assert max(len(line) for line in screen.splitlines()) > 100
        terminal.resize(200, 50)
        screen = terminal.until("waiting, 2 min", "stored", "aside")
        assert max(len(line) for line in screen.splitlines()) > 180
        terminal.press("Enter")
        terminal.until("station 1  Door left 1  (1 of 3)", "date", "OK", " Nm", lines=2)
        terminal.press("Right")
        terminal.until("station 2  Door right 1  (2 of 3)", "never connected")
        terminal.resize(80, 24)
        terminal.until("newest results: 0", "? help")
        terminal.press("q")
        terminal.until("stored since the spool was made", "delivered to ToolsNet")
    finally:
        terminal.close()


def _has_results(terminal, rows):
    """True if so many results are on the screen, each to its end, and the footer is on the last line."""
    screen = terminal.until("station 1 ", "newest results: ", " Nm").splitlines()
    whole = r"\d+ +([-\d]+ +)?\d\d:\d\d:\d\d +\S{17} +\d+ +[\d.]+ Nm[▲▼]? +\d+°[▲▼]? +N?OK"
    results = [line for line in screen if " Nm" in line]
    return len(results) >= rows and all(re.search(whole, line) for line in results) and "q quit" in screen[-1]


@pytest.mark.parametrize("count", [1, 3])
def test_one_stations_newest_results_can_be_read_at_each_size(tmp_path, count):
    with Fleet(count, rate_per_s=2.0) as fleet:
        (tmp_path / "carts.json").write_text(json.dumps(fleet.configuration()), encoding="utf-8")
        terminal = Terminal(tmp_path, 80, 24, "C.UTF-8")
        try:
            if count > 1:
                terminal.until(f"controllers ready {count} of {count}", "● streaming")
                terminal.press("Enter")
            for columns, lines, rows in ((80, 24, 3), (100, 30, 6), (120, 40, 6), (200, 50, 6), (80, 24, 3)):
                terminal.resize(columns, lines)
                wait_for(f"results at {columns}x{lines}", lambda rows=rows: _has_results(terminal, rows), DEADLINE_S)
        finally:
            terminal.close()


def test_a_view_whose_terminal_is_closed_ends_its_agent_in_order(carts):
    fleet, folder = carts
    terminal = Terminal(folder, 80, 24, "C.UTF-8")
    closed = False
    try:
        terminal.until("controllers ready 2 of 3", "● streaming")
        [view] = terminal.processes()
        children = [int(one) for one in Path(f"/proc/{view}/task/{view}/children").read_text().split()]
        terminal.close()
        closed = True
        until_s = time.monotonic() + DEADLINE_S
        while any(Path(f"/proc/{one}/exe").exists() for one in (view, *children)):
            assert time.monotonic() < until_s, "the view or its agent stays"
            time.sleep(0.1)
        assert children and fleet.controllers[0].messages[3] == 1, "MID 0003"
    finally:
        if not closed:
            terminal.close()


def test_a_view_that_is_continued_reads_its_keys_once_and_ends(carts):
    """The system sends SIGCONT also to a view that was not stopped: when its terminal goes."""
    _, folder = carts
    terminal = Terminal(folder, 80, 24, "C.UTF-8")
    try:
        terminal.until("controllers ready 2 of 3", "● streaming")
        [view] = terminal.processes()
        threads = len(os.listdir(f"/proc/{view}/task"))
        for number in (signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT):
            os.kill(view, number)
        terminal.press("?")
        terminal.until("keys and signs")
        assert len(os.listdir(f"/proc/{view}/task")) == threads
        terminal.press("?")
        terminal.press("q")
        terminal.until("delivered to ToolsNet")
    finally:
        terminal.close()


@pytest.mark.parametrize(("locale", "sign"), [("C.UTF-8", "◐"), ("C", "~")])
def test_what_is_wrong_is_a_whole_sentence_at_every_size(carts, locale, sign):
    _, folder = carts
    terminal = Terminal(folder, 80, 24, locale)
    try:
        for columns, lines in ((80, 24), (120, 30), (200, 50)):
            terminal.resize(columns, lines)
            screen = terminal.until("refused", f"{sign} station 2: controller 127.0.0.1")
            sentence = " ".join(screen.split("what is wrong")[1].split("waiting for ToolsNet:")[0].split())
            assert "refused the connection: the host is there, but nothing listens on that port" in sentence, screen
    finally:
        terminal.close()


def test_a_terminal_without_utf8_gets_ascii_and_nothing_else(carts):
    _, folder = carts
    terminal = Terminal(folder, 80, 24, "C")
    try:
        screen = terminal.until("controllers ready 2 of 3", "* streaming", "o closed")
        lone = [word for word in screen.split() if not word.strip("_")]  # a path may have the letter, too
        assert not lone, "what tmux shows for a sign that it cannot"
        assert screen.isascii() and "\\u" not in screen and "-- " in screen
        terminal.press("?")
        assert terminal.until("keys and signs", "not connected").isascii()
        terminal.press("Escape")
        terminal.until("with trouble")
        terminal.press("/")
        terminal.until("filter: Enter keeps it")
        terminal.press(*"closed")
        terminal.until("stations: 1 of 3")
    finally:
        terminal.close()


# -- a terminal that nobody reads


def _stalled_for_long(terminal, fleet):
    """The screen has changed far more often than a terminal that is not read has room for."""
    terminal.stall()
    count = fleet.produced()
    fleet.produce_rate(10.0)
    wait_for("the controllers stand still", lambda: fleet.produced() > count + 150)


def _are_gone(processes):
    return not any(Path(f"/proc/{one}/exe").exists() for one in processes)


@pytest.fixture(params=[(), ("--plain",)], ids=["live", "plain"])
def stalled(request, carts):
    """A run whose terminal has not been read for long; its agent."""
    fleet, folder = carts
    with StalledTerminal("run", "--config", folder / "carts.json", *request.param) as terminal:
        terminal.until("stored")
        wait_for("never connected", lambda: fleet.controllers[0].sessions and fleet.controllers[0].sessions[0].started)
        [agent] = terminal.children()
        _stalled_for_long(terminal, fleet)
        yield fleet, terminal, agent


def test_a_terminal_that_is_not_read_and_then_closed_ends_the_run(stalled):
    fleet, terminal, agent = stalled
    terminal.close()
    assert terminal.process.wait(DEADLINE_S) == 0
    assert _are_gone([agent]) and fleet.controllers[0].messages[3] == 1, "MID 0003"


def test_an_agent_is_started_again_and_the_run_ends_though_nobody_reads_the_terminal(stalled):
    _, terminal, agent = stalled
    os.kill(agent, signal.SIGKILL)
    wait_for("not started again", lambda: terminal.children() not in ([agent], []), DEADLINE_S)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(DEADLINE_S) == 0
    assert terminal.children() == []


def test_the_whole_screen_is_drawn_anew_once_the_terminal_is_read_again(carts):
    fleet, folder = carts
    with StalledTerminal("run", "--config", folder / "carts.json") as terminal:
        terminal.until("controllers ready 2 of 3", "streaming", "Door right 1", "quit")
        _stalled_for_long(terminal, fleet)
        terminal.press(b"?")
        count = fleet.produced()
        wait_for("the controllers stand still", lambda: fleet.produced() > count + 50)
        terminal.go_on()
        terminal.until("keys and signs")  # drawn once, when there was no room
        terminal.process.send_signal(signal.SIGTERM)
        terminal.until("\x1b[?1049l", "stored since the spool was made")
        assert terminal.process.wait(DEADLINE_S) == 0


@pytest.mark.long("a demo, which first delivers everything")
def test_a_demo_whose_terminal_is_not_read_and_then_closed_ends_with_all_its_processes():
    with StalledTerminal("run", "--rate", 2) as terminal:
        terminal.until("streaming", "quit")
        family = terminal.children()
        terminal.stall()
        time.sleep(15)  # nothing says when a view that waits has come to wait
        terminal.close()
        assert terminal.process.wait(DEADLINE_S) == 0
        assert len(family) == 2 and _are_gone(family)
