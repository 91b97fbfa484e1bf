"""`toolcart archive consume` as a process: what it says, and its end."""

import signal
import subprocess
import sys
import time

from host_tests.support.running import ENVIRONMENT

DEADLINE_S = 30.0


def consume(place, url, *words):
    command = [
        sys.executable,
        "-m",
        "toolcart.tools.cli.main",
        "archive",
        "consume",
        "--database",
        str(place),
        url,
        *words,
    ]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def until_said(process, text):
    """The lines up to one with this text."""
    lines = []
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        lines.append(process.stdout.readline())
        if text in lines[-1]:
            return lines
    raise AssertionError(lines)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
