"""What consumes batches, as processes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from host_tests.support.running import END_S, ENVIRONMENT, command_of, free_port, running, wait_for


def consuming(place: object, url: str, *words: object) -> AbstractContextManager[subprocess.Popen[str]]:
    """`toolcart archive consume` from this broker into this database."""
    return running(*command_of("archive", "consume", "--database", place, url, *words))


def until_printed(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to one with this text."""
    lines: list[str] = []
    wait_for(lambda: lines, lambda: lines.append(process.stdout.readline()) or text in lines[-1])
    return lines


class HookServer:
    """The server of host_tests/support/webhook.py; it can be killed and started again."""

    def __init__(self, folder: Path, token: str, *certificate: object) -> None:
        self.port, self.database, self.token = free_port(), folder / "hook.sqlite", token
        self.certificate = certificate
        self.start()

    def start(self) -> None:
        words = (self.port, self.database, self.token, *self.certificate)
        command = [sys.executable, "-m", "host_tests.support.webhook", *map(str, words)]
        self.process = subprocess.Popen(command, env=ENVIRONMENT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(END_S)
