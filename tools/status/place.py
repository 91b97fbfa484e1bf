"""Where the status socket of an agent lies: the agent that makes it and who asks it go by the same rule.

Rules
1. As a service: `agent.sock` in the folder that systemd makes for it (RuntimeDirectory), /run/toolcart.
2. Otherwise beside the configuration: `cart.json.sock` for `cart.json`; for one in /etc/toolcart, where nothing is
   written, in /var/lib/toolcart (a container).
3. Its mode is 0600: whoever asks is the agent's user, or root.
"""

from __future__ import annotations

import os
from pathlib import Path

SERVICE_FOLDER = "/run/toolcart"
CONFIGURATIONS = "/etc/toolcart"
STATE = "/var/lib/toolcart"
NAME = "agent.sock"
SUFFIX = ".sock"


def socket_of(config_path: str | Path) -> str:
    """Return where the agent of this configuration makes its socket."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return str(Path(folder) / NAME) if folder else beside(config_path)


def beside(config_path: str | Path) -> str:
    """Return the name beside a configuration, or in the folder that its relative paths start from."""
    given = Path(config_path).resolve()
    folder = given.parent
    if str(folder) == CONFIGURATIONS:
        from tools.config.file import folder_of  # knows more than a quick look needs

        folder = folder_of(given)
    return str(folder / given.name) + SUFFIX


def to_ask(config_path: str | Path) -> str:
    """Return where to ask the agent of this configuration: the service's own are asked at the service's socket."""
    path = beside(config_path)
    if str(Path(config_path).resolve().parent) in (CONFIGURATIONS, STATE) and not Path(path).exists():
        return default()
    return path


def default() -> str:
    """Return the service's."""
    return f"{SERVICE_FOLDER}/{NAME}"


def all_services() -> list[str]:
    """Return the sockets of every agent that runs as a service: toolcart, toolcart-paint, ..."""
    folder = Path(SERVICE_FOLDER).parent
    found = folder.glob(f"{Path(SERVICE_FOLDER).name}*/*{SUFFIX}")
    return [str(path) for path in sorted(found, key=lambda path: path.parts)]
