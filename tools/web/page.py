"""The pages as HTML, of all stations and of one agent in the words of `toolcart status`, and the asking of the agents.

Rules
1. No script and nothing from elsewhere: a page reloads itself. It shares frame, style and the way foreign text is shown
   with the archive's pages (toolcart.pages).
2. A colour is never used alone: the word beside it says the same.
3. On a phone a station's cells are below each other, so that there is no sideways scrolling.
4. Agents' sockets are asked at most once in HOLD_S however many people look, each in a thread of its own with
   PATIENCE_S: one that hangs holds up neither the page nor the others. Restarts are counted.
5. A status is a copy from one moment; an agent that does not answer is shown as such, never with old figures. If its
   configuration is wrong, that is given as the reason; it is read again each time, since it may have been corrected.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from toolcart.pages import templates
from toolcart.tools.config import file as config_file
from toolcart.tools.config import socket_location
from toolcart.tools.messages import attention, connections, outlet_names, reasons, waiting_by_outlet
from toolcart.tools.messages import status as words
from toolcart.tools.status import client
from toolcart.tools.web.metrics import Agent

HOLD_S = 1.0
PATIENCE_S = 3.0
THREADS = 16


@dataclass
class AgentState(Agent):
    """One agent as it was when last asked."""

    path: str = ""
    trouble: str = ""
    hint: str = ""
    _started: float | None = field(default=None, repr=False)

    def refresh(self, ask: Callable[[str, float], dict]) -> None:
        try:
            self.status = ask(self.path, PATIENCE_S)
        except client.NoAgent as trouble:
            self.status, self.trouble, self.hint = None, str(trouble), trouble.hint
            return
        self.trouble = self.hint = ""
        started = self.status["agent"].get("started_s")
        if self._started is not None and started != self._started:
            self.restarts += 1
        self._started = started


class WatchedAgents:
    """All agents; `paths` are sockets. Without any it is every service of this machine, as they come and go."""

    def __init__(self, paths: list[str], ask: Callable[[str, float], dict] = client.ask) -> None:
        self._paths = paths
        self._ask = ask
        self._seen: dict[str, AgentState] = {}
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ask")

    def states(self) -> list[AgentState]:
        """Return every agent; this may wait for PATIENCE_S."""
        with self._lock:
            if time.monotonic() - self._looked_s >= HOLD_S:
                paths = (
                    list(dict.fromkeys(self._paths)) or socket_location.all_services() or [socket_location.default()]
                )
                names = names_of(paths)
                for path in paths:
                    self._seen.setdefault(path, AgentState(names[path], path=path))
                list(self._threads.map(lambda path: self._seen[path].refresh(self._ask), paths))
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
            return client.ask(path, patience_s)
        except client.NoAgent:
            error = mistakes_of(configs[path]) if path in configs else None
            if error is None:
                raise
            heading, first_mistake = str(error).splitlines()[:2]
            command = f"toolcart config check {shlex.quote(os.path.abspath(error.path))}"
            hint = f"{' '.join(first_mistake.split())}; `{command}` lists all"
            raise client.NoAgent(f"no agent can run here: {heading}", hint) from None

    return ask


def mistakes_of(config_path: str) -> config_file.ConfigurationError | None:
    try:
        config_file.read(config_path)
    except config_file.ConfigurationError as error:
        return error
    return None


def names_of(paths: list[str]) -> dict[str, str]:
    """Return a name for each, the label of its metrics: neither their order nor what else is watched changes it.

    Only those that would share one get as many folders more as tell them apart, all of them.
    """
    names = {path: name_of(path) for path in paths}
    for folders in range(2, max((path.count("/") for path in map(os.path.abspath, paths)), default=0) + 1):
        names |= {path: name_of(path, folders) for path in _alike(names)}
    alike = _alike(names)
    return {
        path: f"{name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}" if path in alike else name
        for path, name in names.items()
    }


def _alike(names: dict[str, str]) -> set[str]:
    """Return the paths that share their name with another one."""
    counts = Counter(names.values())
    return {path for path, name in names.items() if counts[name] > 1}


def name_of(path: str, folders: int = 1) -> str:
    """Return what people call the agent: its service, or its configuration with so many folders in front."""
    file = Path(os.path.abspath(path))
    parts = file.parent.parts[1:][-folders:]
    if file.name != socket_location.NAME:
        parts += (file.name.removesuffix(socket_location.SUFFIX),)
    return "-".join(parts)


REFRESH_S = 5
_NAMES = ("Station", "Controller", "Outlet", "Stored", "Delivered", "Waiting", "Set aside")


def overview(seen: list[AgentState]) -> str:
    """Return the page of all agents: every station, and below it what is wrong with it."""
    agents = [{**_heading(state), "rows": _rows(state)} for state in seen]
    return _rendered("stations.html", agents=agents, names=_NAMES)


def agent(state: AgentState) -> str:
    """Return one agent's page, in the words of the command line."""
    lines = words.agent_lines(state.status["agent"]) if state.status else []
    for station in state.status["stations"] if state.status else ():
        lines += ["", *words.station_lines(station)]
    return _rendered("agent.html", one=_heading(state), lines=lines)


def error_page(text: str) -> str:
    return _rendered("trouble.html", title="Not here", text=text)


def row(station: dict) -> str:
    values: dict[str, Any] = {
        "name": f"{station['number']} {station.get('name') or ''}".strip(),
        "not_up": "",
        "notes": [],
    }
    if not station["mounted"]:
        values["not_up"] = attention.spool_problem(station)
        return _templates().get_template("station.html").render(values)
    outlet = outlet_names.first_outlet(station)
    values["sides"] = [_side("Controller", station["controller"]), _side(outlet_names.name_of(outlet), outlet)]
    waiting = waiting_by_outlet.waiting_text([station])
    delivered = waiting_by_outlet.delivered_text([station]) if "delivered" in station else "-"
    stored = waiting_by_outlet.stored_text([station])
    figures = (stored, delivered, waiting, station.get("parked", "-"))
    values["figures"] = list(zip(_NAMES[3:], figures, strict=True))
    for connection in connections.main_connections(station).values():
        reason = connections.reason_of(connection)
        if reason:
            values["notes"].append((f"{reason.words}.", reason.hint))
    values["notes"] += [(" ".join(line.split()), "") for line in words.problem_lines(station)]
    return _templates().get_template("station.html").render(values)


def _rows(state: AgentState) -> list[Markup]:
    return [Markup(row(station)) for station in state.status["stations"]] if state.status else []


def _heading(state: AgentState) -> dict[str, Any]:
    first_line = words.agent_lines(state.status["agent"])[0] if state.status else ""
    trouble = "" if state.status else state.trouble or "it does not answer"
    notes = [(need.words, need.hint) for need in attention.of_agent(state.status["agent"])] if state.status else []
    return {"name": state.name, "about": first_line, "trouble": trouble, "hint": state.hint, "notes": notes}


def _side(name: str, connection: dict) -> dict[str, Any]:
    place = reasons.with_next_try(connections.place_of(connection), connection)
    return {"name": name, "state": connection["state"], "is_good": connections.is_working(connection), "place": place}


@functools.cache
def _templates() -> Environment:
    return templates(Path(__file__).parent / "templates")


def _rendered(name: str, **values: Any) -> str:
    return _templates().get_template(name).render(refresh_s=REFRESH_S, **values)
