"""The agent as a process: `python -m toolcart.tools.process.standalone CONFIG` tells its state as JSON lines on stdout.

Rules:
1. Lines are those of toolcart.tools.process.agent. Nothing else goes to stdout.
2. The agent never waits for its reader: a status that does not fit the pipe is left out completely
   (toolcart.base.line_writer).
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
import sys
import traceback

from toolcart.base.command_group import TRACEBACK
from toolcart.base.command_line import CommandLine
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.line_writer import LAST_WORDS_S, LineWriter
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.tools.config import file as config_file
from toolcart.tools.process.agent import ViewedStation
from toolcart.tools.process.supervisor import Supervisor


@nonblocking_output()
def main() -> int:
    arguments = CommandLine(__doc__)
    arguments.add_argument("config")
    arguments.add_argument("--status-every-ms", type=int, default=None)
    options = arguments.parse_args()
    pipe = LineWriter(sys.stdout.fileno())

    def send(line: dict, patience_s: float = 0.0) -> None:
        pipe.send(json.dumps(line, separators=(",", ":")), patience_s)

    every_ms = options.status_every_ms and max(20, options.status_every_ms)
    try:
        supervisor = Supervisor(options.config, every_ms, send, ViewedStation(sys.stdin))
    except config_file.ConfigurationError as error:
        send({"kind": "failed", "text": str(error)}, LAST_WORDS_S)
        print(error, file=sys.stderr)
        return error.exit_code
    try:
        exit_code = supervisor.run(lambda: not pipe.closed)
        send(supervisor.agent.last_line(), LAST_WORDS_S)
        supervisor.agent.board.close()
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        send({"kind": "failed", "text": f"{type(error).__name__}: {error}"}, LAST_WORDS_S)
        return EXIT_OTHER
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
