"""The agent as a process: `python -m toolcart.tools.process.standalone CONFIG` tells its state as JSON lines on stdout.

Rules:
1. Lines are those of toolcart.tools.process.agent. Nothing else goes to stdout.
2. The agent never waits for its reader: a status that does not fit the pipe is left out completely.
3. A line on stdin says what is being looked at: {"look": 7} the newest results of station 7, {"look": -1} none, as at
   the start.
4. SIGTERM, SIGINT and a reader that has gone cause the orderly stop: MID 0003 to the controllers, at most 3 s, then
   the cursors are made durable. SIGHUP has the configuration read again (toolcart.tools.process.supervisor).
5. Exit codes: 0 stopped in order, 2 the configuration is wrong, 3 no spool can be used, 1 anything else, such as what
   this machine lacks.
"""

from __future__ import annotations

from toolcart.base import hangup

if __name__ == "__main__":
    hangup.hold()

# isort: split
import json
import os
import select
import sys
import traceback

from toolcart.base.command_group import TRACEBACK
from toolcart.base.command_line import CommandLine
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.tools.config import file as config_file
from toolcart.tools.process.agent import ViewedStation
from toolcart.tools.process.supervisor import Supervisor

LAST_WORDS_MS = 1000  # how long the last lines may wait for a reader


class Pipe:
    """Writes whole lines to a descriptor and never waits; the rest of a line that was taken in part goes first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self.left_out = 0
        self.closed = False
        os.set_blocking(descriptor, False)

    def send(self, line: dict) -> None:
        """Write the line if the reader keeps up."""
        self._push()
        if self._rest:
            self.left_out += 1
            return
        self._rest = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        self._push()

    def send_last(self, line: dict) -> None:
        """Write a line that must not be left out: wait for the reader, but not for ever."""
        while self._rest and not self.closed and select.select([], [self._descriptor], [], LAST_WORDS_MS / 1000)[1]:
            self._push()
        self.send(line)

    def _push(self) -> None:
        while self._rest and not self.closed:
            try:
                self._rest = self._rest[os.write(self._descriptor, self._rest) :]
            except BlockingIOError:
                return
            except OSError:  # the reader has gone
                self.closed = True
                self._rest = b""


def main() -> int:
    arguments = CommandLine(__doc__)
    arguments.add_argument("config")
    arguments.add_argument("--status-every-ms", type=int, default=None)
    options = arguments.parse_args()
    pipe = Pipe(sys.stdout.fileno())
    every_ms = options.status_every_ms and max(20, options.status_every_ms)
    try:
        supervisor = Supervisor(options.config, every_ms, pipe.send, ViewedStation(sys.stdin))
    except config_file.ConfigurationError as error:
        pipe.send_last({"kind": "failed", "text": str(error)})
        print(error, file=sys.stderr)
        return error.exit_code
    try:
        exit_code = supervisor.run(lambda: not pipe.closed)
        pipe.send_last(supervisor.agent.last_line())
        supervisor.agent.board.close()
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        pipe.send_last({"kind": "failed", "text": f"{type(error).__name__}: {error}"})
        return EXIT_OTHER
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
