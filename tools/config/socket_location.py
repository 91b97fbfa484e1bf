"""Where an agent's status socket is: the agent that makes it and the command that asks it follow the same rules.

Rules
1. As a service: `agent.sock` in /run/toolcart, the folder that systemd makes for it (RuntimeDirectory).
2. Otherwise beside the configuration: `cart.json.sock` for `cart.json`; but in /var/lib/toolcart for one in
   /etc/toolcart, where nothing is written (a container).
3. Its mode is 0600: only the agent's user or root can ask.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from struct import unpack

from toolcart.board.linux.control import answer_to, connect

SERVICE_FOLDER = "/run/toolcart"
CONFIGURATIONS = "/etc/toolcart"
STATE = "/var/lib/toolcart"
NAME = "agent.sock"
SUFFIX = ".sock"
RELOAD_PATIENCE_S = 30.0  # the agent checks every file first; systemd waits for 90 s


def socket_of(config_path: str | Path) -> str:
    """Return where the agent of this configuration makes its socket."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return str(Path(folder) / NAME) if folder else config_socket(config_path)


def config_socket(config_path: str | Path) -> str:
    """Return the path beside a configuration, or in the folder that its relative paths start from."""
    config = Path(os.path.realpath(config_path))
    folder = config.parent
    if str(folder) == CONFIGURATIONS:
        folder = Path(STATE)
    return str(folder / config.name) + SUFFIX


def to_ask(config_path: str | Path) -> str:
    """Return where to ask the agent of this configuration: the service's socket for the service's own ones."""
    path = config_socket(config_path)
    if os.path.dirname(os.path.realpath(config_path)) in (CONFIGURATIONS, STATE) and not os.path.exists(path):
        return default()
    return path


def all_of(config_path: str | Path) -> list[str]:
    """Return every place where an agent of this configuration may make its socket, each once."""
    return list(dict.fromkeys((config_socket(config_path), socket_of(config_path), to_ask(config_path))))


def process_at(config_path: str | Path) -> int:
    """Return the process that listens where the agent of this configuration is asked; 0 if none does, or may."""
    for path in all_of(config_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asking, suppress(OSError):
            asking.connect(path)
            pid, _, _ = unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return pid
    return 0


def reload_faults(config_path: str | Path) -> list[tuple[str, str, str]] | None:
    """Return what the agent of this configuration would refuse to read it again for; None if none answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, suppress(OSError, OverflowError):
        asking.settimeout(RELOAD_PATIENCE_S)
        connect(asking, to_ask(config_path))
        for line in answer_to(asking, "reload-faults", time.monotonic() + RELOAD_PATIENCE_S):
            if "reload_faults" in line:
                return [(place, found, allowed) for place, found, allowed in line["reload_faults"]]
    return None


def default() -> str:
    """Return the service's socket."""
    return f"{SERVICE_FOLDER}/{NAME}"


def all_services() -> list[str]:
    """Return the sockets of all agents that run as services: toolcart, toolcart-paint, ..."""
    folder = Path(SERVICE_FOLDER).parent
    paths = folder.glob(f"{Path(SERVICE_FOLDER).name}*/*{SUFFIX}")
    return [str(path) for path in sorted(paths, key=lambda path: path.parts)]
