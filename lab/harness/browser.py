"""Debian's Chromium by Playwright, for pictures and tests of the pages; nothing is fetched for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolcart.base.installation import how_to_get_packages
from toolcart.base.sources import Unavailable
from lab.harness.processes import running_command

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
    words = ("archive", "web", "--listen", "127.0.0.1:0", "--database", place)
    with running_command(*words, begins="http://") as (_, line):
        yield line.split()[2]
