"""Asks the agents' sockets, at most once in HOLD_S however many people view the page, and counts restarts.

Rules
1. Each agent is asked in a thread of its own with PATIENCE_S: one that hangs holds up neither the page nor the others.
2. A status is a copy from one moment; an agent that does not answer is shown as such, never with old figures. If its
   configuration is wrong, that is given as the reason; it is read again each time, since it may have been corrected.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from toolcart.tools.config import file as config_file
from toolcart.tools.status import asking, place
from toolcart.tools.web.metrics import Agent

HOLD_S = 1.0
PATIENCE_S = 3.0
THREADS = 16


@dataclass
class Seen(Agent):
    """One agent as it was when last asked."""

    path: str = ""
    trouble: str = ""
    hint: str = ""
    _started: float | None = field(default=None, repr=False)

    def look(self, ask: Callable[[str, float], dict]) -> None:
        try:
            self.status = ask(self.path, PATIENCE_S)
        except asking.Trouble as trouble:
            self.status, self.trouble, self.hint = None, str(trouble), trouble.hint
            return
        self.trouble = self.hint = ""
        started = self.status["agent"].get("started_s")
        if self._started is not None and started != self._started:
            self.restarts += 1
        self._started = started


class Looking:
    """All agents; `paths` are sockets. Without any it is every service of this machine, as they come and go."""

    def __init__(self, paths: list[str], ask: Callable[[str, float], dict] = asking.ask) -> None:
        self._paths = paths
        self._ask = ask
        self._seen: dict[str, Seen] = {}
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ask")

    def look(self) -> list[Seen]:
        """Return every agent; this may wait for PATIENCE_S."""
        with self._lock:
            if time.monotonic() - self._looked_s >= HOLD_S:
                paths = list(dict.fromkeys(self._paths)) or place.all_services() or [place.default()]
                names = names_of(paths)
                for path in paths:
                    self._seen.setdefault(path, Seen(names[path], path=path))
                list(self._threads.map(lambda path: self._seen[path].look(self._ask), paths))
                self._seen = {path: self._seen[path] for path in paths}
                self._looked_s = time.monotonic()
            return list(self._seen.values())

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def ask_or_check(configs: dict[str, str]) -> Callable[[str, float], dict]:
    """Return a function that asks the agent at a socket and, if none answers, says what its configuration has wrong."""

    def ask(path: str, patience_s: float) -> dict:
        try:
            return asking.ask(path, patience_s)
        except asking.Trouble:
            wrong = mistakes_of(configs[path]) if path in configs else None
            if wrong is None:
                raise
            heading, first = str(wrong).splitlines()[:2]
            hint = f"{' '.join(first.split())}; `toolcart config check {shlex.quote(wrong.path)}` lists all"
            raise asking.Trouble(f"no agent can run here: {heading}", hint) from None

    return ask


def mistakes_of(config_path: str) -> config_file.Wrong | None:
    try:
        config_file.read(config_path)
    except config_file.Wrong as wrong:
        return wrong
    return None


def names_of(paths: list[str]) -> dict[str, str]:
    """Return a name for each; those that would share one get their folder in front, or a number at the end."""
    names = {path: name_of(path) for path in paths}
    for path in paths:
        if list(names.values()).count(names[path]) > 1:
            others = {name for other, name in names.items() if other != path}
            longer = f"{Path(path).parent.name}-{name_of(path)}"
            names[path] = longer if longer not in others else f"{longer}-{paths.index(path) + 1}"
    return names


def name_of(path: str) -> str:
    """Return what people call the agent: its service, or its configuration."""
    given = Path(path)
    return given.parent.name if given.name == place.NAME else given.name.removesuffix(place.SUFFIX)
