"""The live view in a real terminal (tmux): three sizes, keys, ASCII; what is on the screen is what tmux shows of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("textual")

from toolcart.base.sources import ROOT
from lab.harness.fleet import Fleet

DEADLINE_S = 60
PULL_AGAIN_S = 10

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed (apt install tmux)")


class Terminal:
    """A tmux server of its own with one window, in which the live view runs."""

    def __init__(self, folder, columns, lines, locale):
        self._socket = str(folder / "tmux")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
        for name in ("TMUX", "COLUMNS", "LINES"):  # a size in the environment would hold for ever
            environment.pop(name, None)
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
        terminal.until("stored since the spool was made", "delivered to ToolsNet")
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
