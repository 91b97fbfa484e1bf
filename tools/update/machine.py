"""Installs a verified Debian package here, waits until the agent is healthy, and goes back if it does not become so.

Rules
1. Nothing is installed without a way back: the installed version's package must be there, kept by the previous update
   (KEPT), or given, in which case it must be signed too.
2. Healthy is what tools.words.healthy says. If no agent answered before, the new program must at least start.
3. A package that was installed and is healthy is kept as the next update's way back; older ones are deleted.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.words.healthy import connected, lacks, process_of

KEPT = "/var/cache/toolcart"
DPKG_S = 600  # for a worn SD card
ASK_S = 30
LOOK_EVERY_S = 2.0
PACKAGE = "toolcart"
INSTALLED = ("i", "U", "F", "H", "W", "t")  # dpkg's letters: whole, or on the way there
VERSION = re.compile(r"[0-9][A-Za-z0-9.+~-]{0,60}")


class Refused(Exception):
    """Nothing was changed; str() says why."""


class Unhealthy(Exception):
    """The new version did not become healthy, or could not be installed; str() says how things are now."""


@dataclass
class Machine:
    """One machine, with the commands that change and ask it."""

    dpkg: tuple[str, ...] = ("dpkg",)
    dpkg_query: tuple[str, ...] = ("dpkg-query",)
    program: tuple[str, ...] = ("/usr/bin/toolcart",)
    kept: Path = Path(KEPT)
    healthy_s: float = 120
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def installed(self) -> str:
        """Return the version that dpkg has installed, "" for none."""
        code, said = _run([*self.dpkg_query, "-W", "-f", "${db:Status-Abbrev}${Version}", PACKAGE], ASK_S)
        if code != 0 or said[1:2] not in INSTALLED:
            return ""
        if said[1] != "i":
            raise Refused("dpkg did not end its last work with toolcart: `sudo dpkg --configure -a`, then again")
        return said[3:].strip()

    def way_back(self, version: str) -> Path:
        """Return where the package of this version is kept."""
        return self.kept / f"{PACKAGE}_{version}.deb"

    def keep(self, version: str, octets: bytes) -> Path:
        """Keep a package, completely or not at all."""
        self.kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.way_back(version)
        beside = path.with_suffix(".new")
        beside.write_bytes(octets)
        beside.replace(path)
        return path

    def install(self, new: Path, old: Path, say: Callable[[str], None]) -> None:
        """Install `new`; Unhealthy, with `old` installed again, if it does not become healthy."""
        before = self._status()
        if not before.get("running"):
            say("no agent answers now: it is only seen that the new program starts")
        try:
            self._dpkg(new)
            self._until_healthy(before, connected(before))
        except Unhealthy as reason:
            why = str(reason)
        else:
            for path in self.kept.glob(f"{PACKAGE}_*.deb"):
                if path != new:
                    path.unlink()
            return
        say(f"{why}; going back")
        new.unlink()
        try:
            self._dpkg(old)
            self._until_healthy({"running": before.get("running")}, set())
        except Unhealthy as reason:
            raise Unhealthy(f"{why}; AND THE VERSION BEFORE IS NOT HEALTHY EITHER: {reason}") from None
        raise Unhealthy(f"{why}; the version before runs again")

    def _dpkg(self, package: Path) -> None:
        code, said = _run([*self.dpkg, "--force-confold", "--install", str(package)], DPKG_S)
        if code != 0:
            raise Unhealthy(f"dpkg could not install {package.name}: {(said.strip().splitlines() or [''])[-1]}")

    def _until_healthy(self, before: dict, wanted: set[tuple[int, str]]) -> None:
        if not before.get("running"):
            code, said = _run([*self.program, "--version"], ASK_S)
            if code != 0:
                raise Unhealthy(f"the program does not start: {(said.strip().splitlines() or [''])[-1]}")
            return
        old_process = process_of(before) if "agent" in before else None
        until = self.clock() + self.healthy_s
        while missing := lacks(self._status(), wanted, old_process):
            if self.clock() >= until:
                raise Unhealthy(f"not healthy within {self.healthy_s:.0f} s: {missing}")
            self.sleep(LOOK_EVERY_S)

    def _status(self) -> dict:
        _, said = _run([*self.program, "status", "--json"], ASK_S, only_stdout=True)
        try:
            told = json.loads(said)
        except ValueError:
            told = None
        return told if isinstance(told, dict) else {"running": False, "error": "the program tells no status"}


def version_of(package: Path) -> str:
    """Return the version of a package's file; Refused if it is not ours."""
    code, said = _run(["dpkg-deb", "--field", str(package), "Package", "Version"], ASK_S)
    fields = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    version = fields.get("Version", "")
    if code != 0 or fields.get("Package") != PACKAGE or not VERSION.fullmatch(version):
        raise Refused(f"{package.name} is no Debian package of toolcart")
    return version


def is_older(version: str, other: str) -> bool:
    """True if `version` came before `other`, as dpkg orders them."""
    return _run(["dpkg", "--compare-versions", version, "lt", other], ASK_S)[0] == 0


def _run(command: list[str], timeout_s: float, only_stdout: bool = False) -> tuple[int, str]:
    """Return exit code and output; it has a session of its own, so Ctrl-C does not stop dpkg half-way."""
    error = subprocess.DEVNULL if only_stdout else subprocess.STDOUT
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error,
            timeout=timeout_s,
            start_new_session=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        return 127, f"{command[0]} is not on this machine"
    except subprocess.TimeoutExpired:
        return 124, f"{command[0]} was not done within {timeout_s:.0f} s"
    return done.returncode, done.stdout
