"""The exit codes of `toolcart run` and the agent's own process, and the end of a command whose reader has gone."""

import os
import sys
from typing import NoReturn

EXIT_FINE = 0
EXIT_OTHER = 1
EXIT_CONFIGURATION = 2
EXIT_SPOOL = 3


def fail(what: str, advice: str, code: int = EXIT_OTHER) -> NoReturn:
    """End the command; say what happened, and what to do."""
    print(f"toolcart: {what}\n  {advice}", file=sys.stderr)
    sys.exit(code)


def reader_has_gone() -> NoReturn:
    """End silently after BrokenPipeError: the reader has gone, and Python would try to write again on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_OTHER)
