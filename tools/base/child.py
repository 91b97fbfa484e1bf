"""A child process that runs this very program.

Nothing in the current folder or in site-packages can take its modules' place:
- -P: no current folder, which an empty name in PYTHONPATH would be too (and PYTHONSAFEPATH, which an installed
  `toolcart` sets, takes it away anyway: whoever counts on `cwd` finds nothing there).
- ROOT comes first: our `tools`, whoever else has one.
- Not -I: where toolcart is installed for one user, click is found by what -I leaves out.
"""

from __future__ import annotations

import os
import sys

from tools.base.sources import ROOT


def command(*words: str) -> list[str]:
    """The words that start this Python with these arguments."""
    return [sys.executable, "-P", *words]


def environment(**more: str) -> dict[str, str]:
    """What such a child is told: our environment, this program's folder first, and `more`."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path), **more}
