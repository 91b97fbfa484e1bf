"""toolcart as a plant has it: the wheel in a venv of its own, a folder outside the checkout, another user, processes.

    install(built_wheel, venv, venv)
    with AsInstalled(venv) as site:
        cart = site.cart(plant, number=7)                 # cart.json in site.home, as its user would write it
        agent = site.begin(cart, "controller ready")      # once it has printed this, on stdout or stderr
        assert site.run("status", "--config", cart).returncode == 0
        agent.end()                                       # SIGTERM; the exit code
    site.hasty = True                                 # until `clean`: short waits (host_tests.plant.hasten)

Rules
1. Nothing of the checkout can be imported: the environment has no PYTHON*, the current folder is `home`.
2. As root, commands run as USER ("nobody"), who owns `home` and nothing else; `as_root=True` runs one as root.
   Elsewhere everything runs as the user of the tests, and `other_user` is False.
3. Every process that was started is ended by its own ID; every wait has a deadline.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from importlib.util import find_spec
from pathlib import Path

from toolcart.tools.config import socket_location
from toolcart.tools.status import client
from host_tests.support.running import cart_of, wait_for, written

USER = "nobody"
PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3", shutil.which("python3") or "")  # readable for every user
PACKAGES = ("click", "serial", "h11")  # what the package of Debian recommends; the tests fetch nothing
DEADLINE_S = 120


def python_for_all():
    """A Python of 3.11 or later that every user can start, or ""."""
    check = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
    for candidate in PYTHONS:
        with contextlib.suppress(OSError):
            words = [candidate, "-I", "-c", check]
            if candidate and subprocess.run(words, timeout=DEADLINE_S, **_who()).returncode == 0:
                return candidate
    return ""


def _who(as_root=False):
    """The options of a process that runs as USER, where that can be had."""
    if as_root or os.geteuid():
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Started:
    """A command that runs; what it says is collected as it comes."""

    def __init__(self, words, **options):
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
        self._lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line)

    @property
    def output(self):
        """Everything it has said."""
        return "".join(self._lines)

    def wait_for(self, text, deadline_s=DEADLINE_S):
        """Until it has said this."""
        until = time.monotonic() + deadline_s
        while text not in self.output:
            assert time.monotonic() < until, f"never said {text!r}:\n{self.output}"
            if self.process.poll() is not None:
                self._reader.join(DEADLINE_S)
                assert text in self.output, f"ended with {self.process.returncode} without {text!r}:\n{self.output}"
            time.sleep(0.02)

    def end(self, how=signal.SIGTERM):
        """End it if it runs; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise

    def wait(self):
        """Until it ends by itself; its exit code."""
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code


class InTerminal(Started):
    """A command whose terminal is a pseudo-terminal of its own; `close_terminal` hangs it up."""

    def __init__(self, words, **options):
        self._terminal, there = pty.openpty()
        self.process = subprocess.Popen(
            words,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **options,
        )
        os.close(there)
        self._lines = []
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                if select.select([self._terminal], [], [], 0.05)[0]:
                    self._lines.append(os.read(self._terminal, 65536).decode(errors="replace"))

    def close_terminal(self):
        """Hang up, as when a window is closed or a connection of ssh ends."""
        if not self._over.is_set():
            self._over.set()
            self._reader.join(DEADLINE_S)
            os.close(self._terminal)

    def wait(self):
        """Until it ends by itself; its exit code."""
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.close_terminal()


class AsInstalled:
    """The installed command and a home for it; a context manager that ends what it started."""

    def __init__(self, venv):
        self.other_user = os.geteuid() == 0
        self.folder = Path(tempfile.mkdtemp(prefix="toolcart-plant-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.python, self.command = venv / "bin/python", venv / "bin/toolcart"
        self._started = []
        self.inside = []  # words in front of each command, which then runs as the user itself (PrivateMounts)
        self.clean()

    def clean(self):
        """An empty home of the user; what was started is ended."""
        self.end_all()
        self.inside = []
        self.hasty = False
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self.give(self.home)

    def give(self, path):
        """Make the user the owner of this file or folder."""
        if self.other_user:
            shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_all(self, in_order=False):
        """End what runs: as a power cut does, or as systemd does, which it has to take."""
        for one in self._started:
            is_running = one.process.poll() is None
            code = one.end(signal.SIGTERM if in_order else signal.SIGKILL)
            assert not (is_running and in_order) or code == 0, one.output
        self._started = []

    def run(self, *words, as_root=False, **environment):
        """Run `toolcart` with these words to its end; its outputs are `stdout` and `stderr`."""
        return subprocess.run(
            self._words(words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            **self._around(as_root, environment),
        )

    def output(self, *words, code=None, **how):
        """What it says to its end, on both outputs; `code` is how it has to end."""
        done = self.run(*words, **how)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self, cart):
        """The state that the agent of this configuration tells machines; asked by a process where only that gets in."""
        if self.inside:
            return json.loads(self.run("status", "--json", "--config", cart).stdout)
        try:
            return {"running": True, **client.ask(socket_location.to_ask(cart))}
        except client.NoAgent as none:
            return {"running": False, "error": str(none), "hint": none.hint}

    def start(self, *words, as_root=False, kind=Started, **environment):
        """Start `toolcart` with these words."""
        one = kind(self._words(words), **self._around(as_root, environment))
        self._started.append(one)
        return one

    def begin(self, cart, *texts, **how):
        """Start the agent of this configuration, and wait until it has said these texts."""
        agent = self.start("run", "--plain", "--config", cart, **how)
        for text in texts:
            agent.wait_for(text)
        return agent

    def _words(self, words):
        return [str(word) for word in (*self.inside, self.command, *words)]

    def _around(self, as_root, environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TOOLCART"))}
        around = {**kept, "HOME": str(self.home), "TERM": "dumb", "PYTHONUNBUFFERED": "1", **environment}
        if self.hasty:
            around["HASTEN"] = "1"
        return {"cwd": self.home, "env": around, **_who(as_root or bool(self.inside))}

    def cart(self, plant=None, number=7, name="cart.json", station=None, **more):
        """Write a configuration of one station at this simulated plant, or of `stations`; `more` as for cart_of."""
        one = {"spool": {"path": f"{number}.spool"}, **(station or {})}
        return self.write(name, cart_of(plant, number, station=one, **more))

    def write(self, name, content):
        """Write a file of the user: JSON, or the text as it is."""
        path = written(self.home, content, name)
        self.give(path)
        return path


def delivered(plant, count, before=()):
    """Have so many results made, and wait until ToolsNet has them behind those `before`; all of their IDs."""
    made = [*before, *plant.produce(count)]
    wait_for(f"{made} at ToolsNet", lambda: plant.archive.tightening_ids() == made)
    return made


def stored(plant, count, before=()):
    """Have so many results made, and wait until the agent has taken them behind those `before`; all of their IDs."""
    made = [*before, *plant.produce(count)]
    wait_for(f"{made} taken", lambda: plant.controller.acknowledged == made)
    return made


def install(wheel, venv, place):
    """Make a venv of the wheel that will be used at `place`."""
    _done(python_for_all(), "-I", "-m", "venv", "--without-pip", venv)
    [site] = (venv / "lib").glob("python*/site-packages")
    for name in PACKAGES:
        shutil.copytree(Path(find_spec(name).origin).parent, site / name)
    shutil.copy(Path(__file__).with_name("hasten.py"), site)
    (site / "hasten.pth").write_text("import os; 'HASTEN' in os.environ and __import__('hasten')\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", venv / "bin/python"]
    _done(*pip, "install", "--no-index", "--no-deps", "--no-compile", wheel)
    command = venv / "bin/toolcart"
    command.write_text(command.read_text().replace(str(venv), str(place)))
    # Here, whatever the tests' own processes are told of bytecode: USER may not write it, so each start would compile.
    _done(venv / "bin/python", "-I", "-m", "compileall", "-q", site)


def _done(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr
