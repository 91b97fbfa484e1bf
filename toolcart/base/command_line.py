"""The command line of a module that developers start themselves: `python -m lab.bench.board`.

Rules
1. `--help` says what the module's first paragraph says.
2. A wrong argument gives one line and exit code 2; something missing on this machine gives one line and exit code 1.
3. A build starts some of them (`lab/packaging/build.py`), so nothing here needs a library.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from toolcart.base.exit_codes import EXIT_CONFIGURATION
from toolcart.base.sources import Unavailable


class CommandLine(argparse.ArgumentParser):
    """`about` is the text at the beginning of the module."""

    def __init__(self, about: str | None = None, **more) -> None:
        started = getattr(sys.modules["__main__"].__spec__, "name", "").removesuffix(".__main__")
        first = (about or "").partition("\n\n")[0]
        words: dict[str, Any] = {"prog": f"python -m {started}", "description": first, **more}
        super().__init__(**words)

    def error(self, message: str) -> NoReturn:
        """Print the error without the usage, which is longer than the error."""
        self.exit(EXIT_CONFIGURATION, f"{self.prog}: {message}\n")


def start(main: Callable[[], int | None]) -> NoReturn:
    """Run a module's `main` and exit with what it returns."""
    try:
        sys.exit(main())
    except Unavailable as reason:
        sys.exit(f"toolcart: {reason}")
    except ModuleNotFoundError as missing:
        sys.exit(f"toolcart: {missing.name} is not installed; ./tools/test makes an environment that has it")
