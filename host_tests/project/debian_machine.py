"""A Debian of its own with a running systemd, in a folder: what a Raspberry Pi has, but for its hardware.

Rules
1. debootstrap makes it of Debian's packages, once, kept in .cache; systemd-nspawn starts it. Both need root.
2. It shares this machine's network: simulators on the loopback are its plant.
3. `pull_the_plug` ends all of it at once, as a power cut does; its files stay, and `boot` starts it again.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

from toolcart.base.cache import CACHE

SUITE = "bookworm"
WANTED = ("systemd-sysv", "dbus", "sudo", "python3-click", "python3-serial")
NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb", "tar")
MAKE_S = 900
DEADLINE_S = 300
BOOT_S = 120
AROUND = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def missing():
    """What this machine lacks to start one, in words; "" if nothing."""
    lacks = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
    return f"to start a Debian there is no {', '.join(lacks)}" if lacks else ""


def _base():
    """Debian's files as an archive, made once."""
    kept = CACHE / "machine" / f"{SUITE}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        tree, part = kept.with_suffix(".tree"), kept.with_suffix(".part")
        shutil.rmtree(tree, ignore_errors=True)
        # In a namespace of its own: a debootstrap that is cut off leaves no /proc mounted.
        _make("unshare", "-m", "debootstrap", "--variant=minbase", SUITE, tree)
        _make("chroot", tree, "apt-get", "update")  # its resolver knows what debootstrap's does not
        _make("chroot", tree, "apt-get", "install", "-y", "--no-install-recommends", *WANTED)
        subprocess.run(["tar", "--exclude=./var/cache/apt", "-C", tree, "-cf", part, "."], check=True, timeout=MAKE_S)
        shutil.rmtree(tree)
        part.rename(kept)
    return kept


def _make(*words):
    around = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([*map(str, words)], env=around, text=True, timeout=MAKE_S, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}"


class Machine:
    """One machine; a context manager that boots it and ends it."""

    def __init__(self, folder):
        self.root = Path(folder, "root")
        self.root.mkdir()
        self._nspawn = self._leader = None
        subprocess.run(["tar", "-C", self.root, "-xf", _base()], check=True, timeout=MAKE_S)

    def __enter__(self):
        self.boot()
        return self

    def __exit__(self, *_):
        self.pull_the_plug()

    def boot(self):
        """Start it; returns when its systemd has started all it wants."""
        name = f"toolcart-{os.getpid()}-{id(self)}"
        options = ["-q", "-D", self.root, "-M", name, "-b", "--register=no", "--keep-unit", "--console=pipe"]
        options += ["--system-call-filter=@clock"]  # nspawn forbids what a machine allows: to ask who keeps the clock
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until_s = time.monotonic() + BOOT_S
        while "running" not in (said := self._state()):
            assert time.monotonic() < until_s and self._nspawn.poll() is None, said
            time.sleep(0.2)

    def _state(self):
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        self._leader = children[-1] if children else None
        if self._leader is None or not Path(f"/proc/{self._leader}/exe").resolve().name.startswith("systemd"):
            return "not there yet"
        return self.run("systemctl", "is-system-running", wants=None)

    def pull_the_plug(self):
        """End every process of it at once."""
        if self._leader is not None and self._nspawn.poll() is None:
            os.kill(int(self._leader), 9)  # the first of its namespace takes all others along
        self._nspawn.kill()
        self._nspawn.wait(DEADLINE_S)
        self._leader = None

    def run(self, *words, wants=0):
        """Run it as root; both its outputs, if it ends with the exit code `wants` (None: whatever)."""
        inside = ["nsenter", "-t", self._leader, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *map(str, words)]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(inside, env=AROUND, text=True, timeout=DEADLINE_S, **options)
        assert wants is None or done.returncode == wants, f"{words} exits {done.returncode}\n{done.stdout}"
        return done.stdout

    def put(self, name, content):
        """Write a file there."""
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
