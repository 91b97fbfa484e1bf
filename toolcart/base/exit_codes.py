"""The exit codes of `toolcart run` and the agent's own process."""

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
