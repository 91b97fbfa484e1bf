"""Asks a running agent for its state: one request gives one tree, or NoAgent that says what to do."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time

from toolcart.base.privileges import try_sudo
from toolcart.board.linux.control import Unanswered, answer_to, connect, no_socket
from toolcart.tools.config import socket_location

PATIENCE_S = 5.0
STUCK = "is its process stopped, its disk stuck, or the machine so busy?"  # of an agent that does not answer


class NoAgent(Exception):
    """No agent answers; `hint` says what to check. `is_forbidden`: one may, but not to us.

    `was_read`: one is there, has read the request and did not answer it in time. `is_late`: one is there.
    """

    is_late = was_read = False

    def __init__(self, words: str, hint: str, is_forbidden: bool = False) -> None:
        super().__init__(words)
        self.hint = hint
        self.is_forbidden = is_forbidden


def ask(path: str, patience_s: float = PATIENCE_S) -> dict:
    """Return {"agent": ..., "stations": [...]} from the agent at this socket."""
    return _status_of(lines_of(path, "status", patience_s), path)


def lines_of(path: str, request: str, patience_s: float) -> list[dict]:
    """Return the lines of the agent's answer, up to its end."""
    until_s = time.monotonic() + patience_s
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(patience_s)
            connect(sock, path)
            return answer_to(sock, request, until_s)
    except OverflowError:
        raise NoAgent(f"{path} sends without end", "It is not an agent's socket.") from None
    except OSError as error:
        raise _no_agent(error, path, patience_s) from None


def _no_agent(error: OSError, path: str, patience_s: float) -> NoAgent:
    """Say why nobody could be asked."""
    if isinstance(error, PermissionError):
        return NoAgent(f"no permission to ask at {path}", try_sudo("Only the agent's user may ask it"), True)
    if isinstance(error, TimeoutError):
        late = NoAgent(
            f"the agent at {path} does not answer within {patience_s:g} s",
            f"{STUCK.capitalize()} `systemctl status toolcart` and `journalctl -u toolcart` show it; while it starts, "
            "ask again.",
        )
        late.is_late = True
        late.was_read = isinstance(error, Unanswered) and error.was_read
        return late
    if isinstance(error, BlockingIOError):
        late = NoAgent(
            f"the agent at {path} does not answer: as many as may ask at once wait for it",
            f"{STUCK.capitalize()} `systemctl status toolcart` and `journalctl -u toolcart` show it.",
        )
        late.is_late = True
        return late
    if error.errno not in (errno.EMFILE, errno.ENFILE):
        from toolcart.tools.status import without_socket  # only where nothing answers

        is_gone = isinstance(error, FileNotFoundError)
        found = without_socket.found(path, f"there is no {path}" if is_gone else f"nothing answers at {path}")
        if found is not None:
            return NoAgent(*found)
    if isinstance(error, FileNotFoundError):
        return NoAgent(f"no agent runs here: there is no {path}", _start_hint(path))
    if isinstance(error, ConnectionRefusedError):
        try:
            is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
        except OSError as gone:
            return _no_agent(gone, path, patience_s)
        if not is_socket:
            return NoAgent(f"{path} is not a socket", _start_hint(path))
        return NoAgent(
            f"no agent runs here, or it is only starting: one that was killed, or moved while it ran, has left {path}",
            "Ask again if it is being started; else `systemctl start toolcart`, or `toolcart run --config FILE`.",
        )
    words, cure = no_socket(path) if error.errno is None else ("", "")
    if words:  # its name is too long for a socket
        return NoAgent(f"no agent can be asked at {path}: {words}", f"{cure[:1].upper()}{cure[1:]}.")
    hint = "Is it an agent's socket?"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "Too many files are open: look at `ulimit -n`, and what else runs on this machine."
    return NoAgent(f"{path} cannot be asked: {error.strerror or error}", hint)


def _status_of(lines: list[dict], path: str) -> dict:
    status: dict = {"agent": {}, "stations": []}
    for line in lines:
        if not isinstance(line, dict) or "error" in line:
            raise NoAgent(f"{path} sent no status: {line}", "Is it an agent's socket, and of this version?")
        if "agent" in line:
            status["agent"] = line["agent"]
        elif "station" in line:
            status["stations"].append(line["station"])
    if not lines or not lines[-1].get("end") or not status["agent"]:
        raise NoAgent(f"the agent at {path} did not send its whole status", "Did it end meanwhile? Ask again.")
    return status


def _start_hint(path: str) -> str:
    if path == socket_location.default():
        return (
            "Is the service started (`systemctl status toolcart`)? An agent that was started by hand is asked with "
            "--config FILE, a board with --port DEVICE."
        )
    return "Start it with `toolcart run --config FILE`; as a service it is asked without --config."
