"""What `toolcart run` and the agent's own process exit with, and the end of a command that no one reads any more."""

import os
import sys
from typing import NoReturn

EXIT_FINE = 0
EXIT_OTHER = 1
EXIT_CONFIGURATION = 2
EXIT_SPOOL = 3


def reader_has_gone() -> NoReturn:
    """End on BrokenPipeError without a word: whoever read what is told has gone, and Python would write once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_OTHER)
