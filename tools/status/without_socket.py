"""An agent that runs and has no socket where it is asked: the locks of its configuration's spools show that it runs.

Rules
1. It is looked for only where nothing answers, and nothing is kept: a lock is tried, shared and for a moment.
2. An order to a stopped agent's spool and a take-over have the lock as well, until they are done; so may the agent of
   another configuration.
"""

from __future__ import annotations

import os
from pathlib import Path

from toolcart.board.linux.control import no_socket
from toolcart.board.linux.refusal import not_opened
from toolcart.spool.image import is_held
from toolcart.tools.config import file as config_file
from toolcart.tools.config import runner, socket_location

IN_USE = "the spool is in use, and no agent answers"
OF_ANOTHER = "If the agent of another configuration has the spool, `toolcart status --config FILE` with that asks it"
HELD = f"{OF_ANOTHER}. Else its own agent has no socket, and its log says why, or an order or a take-over is not done."


def found(path: str, why: str) -> tuple[str, str] | None:
    """Return words and what helps where an agent may run that nobody answers for at this socket, as `why` says.

    None if none runs, as far as the spools of its configuration show.
    """
    config_path = config_of(path)
    held = {spool: is_held(spool) for spool in spools_of(config_path)} if config_path else {}
    if any(held.values()):
        return in_use(path, config_path, why)
    unknown = [spool for spool, is_in_use in held.items() if is_in_use is None]
    if unknown:
        words, cure = unknown_at(unknown[0], config_path)
        return f"{why}; {words}", cure
    return None


def unknown_at(spool: Path, config_path: str) -> tuple[str, str]:
    """Say why it cannot be told whether an agent has this spool, and what helps."""
    user = runner.user_of(config_path).uid
    words, cure = not_opened(spool, user)
    cure = f"{cure[:1].upper()}{cure[1:]}"
    if user == os.geteuid():
        cure += "; until then root can tell whether one runs"
    return f"it cannot be told whether an agent runs: {words}", f"{cure}."


def in_use(path: str, config_path: str, why: str) -> tuple[str, str]:
    """Say that a spool is in use and why nobody answers at this socket, and what helps."""
    with runner.acting_as(runner.user_of(config_path)):
        words, cure = no_socket(path)
    if not words:
        return f"{IN_USE}: {why}", HELD
    return f"{IN_USE}: its agent cannot make {path}: {words}", f"It runs without that socket: {cure}."


def config_of(path: str) -> str:
    """Return the configuration whose agent makes this socket; "" if there is none."""
    if path == socket_location.default():
        return str(config_file.SERVICE_CONFIG) if os.path.isfile(config_file.SERVICE_CONFIG) else ""
    config_path = path.removesuffix(socket_location.SUFFIX)
    if os.path.dirname(path) == socket_location.STATE and not os.path.isfile(config_path):
        config_path = os.path.join(socket_location.CONFIGURATIONS, os.path.basename(config_path))
    return config_path if config_path != path and os.path.isfile(config_path) else ""


def spools_of(config_path: str) -> list[Path]:
    """Return the spools that the configuration names, as far as it can be read: it may have been changed since."""
    try:
        tree = config_file.parse(config_path)
    except (config_file.ConfigurationError, OSError):
        return []
    stations = tree.get("stations") if isinstance(tree, dict) else None
    sections = [station.get("spool") for station in stations or () if isinstance(station, dict)]
    named = [section.get("path") for section in sections if isinstance(section, dict)]
    folder = config_file.folder_of(config_path)
    return [Path(os.path.normpath(folder / name)) for name in named if isinstance(name, str) and "\0" not in name]
