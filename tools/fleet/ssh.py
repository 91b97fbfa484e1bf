"""Commands on carts, over the system's own ssh: each has a deadline, and its output is bounded."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass

SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10"
SAID_MOST = 4 << 20
STATUS_S = 30
NO_CONNECTION = 255  # ssh's own exit code


class Unreachable(Exception):
    """The cart did not answer; str() says why."""


@dataclass(frozen=True)
class Reach:
    """How carts are reached: the ssh command line, the prefix that makes a command run as root, toolcart's command."""

    ssh: str = SSH
    become: str = "sudo -n"
    toolcart: str = "toolcart"

    def run(self, host: str, command: str, octets: bytes = b"", timeout_s: float = STATUS_S) -> tuple[int, str, str]:
        """Run a shell command there with these bytes as input; return exit code, output and the last line of stderr."""
        line = [*shlex.split(self.ssh), host, command]
        try:
            done = subprocess.run(line, input=octets, capture_output=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise Unreachable(f"no answer within {timeout_s:.0f} s") from None
        except OSError as error:
            raise Unreachable(f"{line[0]}: {error.strerror}") from None
        said = done.stdout[:SAID_MOST].decode("utf-8", "replace")
        complaints = done.stderr[:SAID_MOST].decode("utf-8", "replace").strip().splitlines()
        complaint = next((text for text in reversed(complaints) if text.strip()), "")
        if done.returncode == NO_CONNECTION:
            raise Unreachable(complaint or "ssh could not connect")
        return done.returncode, said, complaint

    def status(self, host: str) -> dict:
        """Return what `toolcart status --json` says there; Unreachable if it says nothing."""
        code, said, complaint = self.run(host, f"{self.as_root(self.toolcart)} status --json")
        try:
            told = json.loads(said)
        except ValueError:
            told = None
        if not isinstance(told, dict) or "running" not in told:
            raise Unreachable(complaint or f"`toolcart status --json` ended with {code} and told nothing")
        return told

    def as_root(self, command: str) -> str:
        """Return the command as it is run there as root."""
        return f"{self.become} {command}".strip()
