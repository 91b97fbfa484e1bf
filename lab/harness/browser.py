"""Debian's Chromium by Playwright, for pictures and tests of the pages; nothing is fetched for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolcart.base import subprocesses
from toolcart.base.installation import how_to_get_packages
from toolcart.base.sources import Unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser of Playwright's; Unavailable says what is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Unavailable(f"Playwright is not in this environment: {how_to_get_packages('playwright')}") from None
    program = next((path for path in map(shutil.which, NAMES) if path), None)
    if program is None:
        raise Unavailable("there is no Chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


@contextmanager
def pages_of(place: str) -> Iterator[str]:
    """The address of an archive's pages, served by a process of their own on a free port."""
    with told("archive", "web", "--listen", "127.0.0.1:0", "--database", place, begins="http://") as (_, line):
        yield line.split()[2]


# Processes beside a measurement: started and ended, and what each used of the machine (proc(5)).

STOP_LIMIT_S = 60
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], **more) -> Iterator[subprocess.Popen]:
    """A process, ended by SIGTERM, or killed if that is not enough; `more` is for Popen."""
    process = subprocess.Popen(command, **more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def told(*words: str, begins: str) -> Iterator[tuple[int, str]]:
    """`toolcart` with these words: its pid and its first line; Unavailable if `begins` is not in that."""
    with running(
        subprocesses.command("-m", "toolcart.tools.cli.main", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if begins not in line:
            raise Unavailable(f"{' '.join(words[:2])} did not begin: {line.strip() or 'it said nothing'}")
        yield process.pid, line


def worked_s(pid: int) -> float:
    """Return the processor time so far, user and system: on a shared machine it says more than the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Return its memory, the peak so far."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
