"""Runs what a document shows: every command of its consoles, in the terminals that it names, and compares the output.

    cart$ toolcart run --config cart.json      a command in the terminal `cart`; it may go on running
    1. Name of the cart [Cart 1]: My cart      an answer, where the command asks
    cart$ ^C                                   Ctrl-C there
    cart:                                      what follows comes in that terminal by itself
    ...                                        any lines

Lines are compared without their numbers and in their order; lines between them may be more than the document shows.
"""

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
import time

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^([a-z]+)\$ (.*)$")
_TERMINAL = re.compile(r"^([a-z]+):$")
_QUESTION = re.compile(r"^(\d\. .*): (.*)$")
DEADLINE_S = 60


class Terminal:
    """One terminal: what runs in it, and what it has said."""

    def __init__(self, name, folder, environment):
        self.name = name
        self.folder = folder
        self.environment = environment
        self.process = None
        self.lines = []
        self.read = 0  # lines that the document has shown

    def start(self, command, answers):
        assert self.process is None or self.process.poll() is not None, f"{self.name} is busy: {command}"
        reader, terminal = pty.openpty()  # what a person reads is said in another form than what a pipe takes
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}" if command.startswith("toolcart") else command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=terminal,
            stderr=terminal,
            text=True,
        )
        os.close(terminal)
        self.process.stdin.write("".join(answer + "\n" for answer in answers))
        self.process.stdin.close()
        self.lines = []
        self.read = 0
        self.reader = threading.Thread(target=self._listen, args=(reader, self.lines), daemon=True)
        self.reader.start()

    @staticmethod
    def _listen(reader, lines):
        with open(reader, encoding="utf-8", errors="replace", newline="\n") as said:
            with contextlib.suppress(OSError):  # EIO: the last one has closed the terminal
                for line in said:
                    lines.append(line.rstrip("\r\n"))

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self):
        self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)

    def expect(self, wanted):
        """Wait until the line comes, behind the one before."""
        form = plain(wanted)
        end = time.monotonic() + DEADLINE_S
        while True:
            ended = self.process.poll() is not None and not self.reader.is_alive()
            for number in range(self.read, len(self.lines)):
                if form in plain(self.lines[number]):
                    self.read = number + 1
                    return
            assert not ended and time.monotonic() < end, f"{self.name} did not say {wanted!r}:\n" + "\n".join(
                self.lines
            )
            time.sleep(0.02)


def plain(text):
    """Words without numbers and folders: times, counts, ports and places are another run's."""
    text = re.sub(r"(?<![\w.])(/[\w.-]+)+/", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\b[0-9a-f]{32}\b|\d+(\.\d+)?", "#", text)).strip()


def consoles(text):
    """The lines of every console of a document."""
    return [block.splitlines() for block in _BLOCK.findall(text)]


def commands(text):
    """Every command of a document's consoles."""
    found = [_PROMPT.match(line) for block in consoles(text) for line in block]
    return [match[2] for match in found if match and match[2] != "^C"]


def play(text, folder, environment, replaced):
    """Run a document; `replaced` are texts of its commands and answers that are others here, such as ports."""

    def here(line):
        for old, new in replaced.items():
            line = line.replace(old, new)
        return line

    terminals = {}
    try:
        for block in consoles(text):
            _play_block([here(line) for line in block], terminals, folder, environment)
        return {name: terminal.lines for name, terminal in terminals.items()}
    finally:
        for terminal in terminals.values():
            if terminal.process is not None:
                terminal.process.kill()
                terminal.process.wait()


def _play_block(lines, terminals, folder, environment):
    current = None
    for number, line in enumerate(lines):
        prompt, named, question = _PROMPT.match(line), _TERMINAL.match(line), _QUESTION.match(line)
        if prompt:
            current = terminals.setdefault(prompt[1], Terminal(prompt[1], folder, environment))
            if prompt[2] == "^C":
                current.interrupt()
                continue
            if current.process is not None:
                current.wait()  # a person types when the prompt is there
            rest = lines[number + 1 :]
            end = next((at for at, one in enumerate(rest) if _PROMPT.match(one)), len(rest))
            answers = [match[2] for match in map(_QUESTION.match, rest[:end]) if match]
            current.start(prompt[2], answers)
        elif named:
            current = terminals[named[1]]
        elif line != "..." and not question:
            current.expect(line)
