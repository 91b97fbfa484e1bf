"""A child process that runs this same program.

Nothing in the current folder or in site-packages can replace its modules:
- -P: no current folder, which an empty name in PYTHONPATH would mean too. (PYTHONSAFEPATH, which an installed
  `toolcart` sets, removes it anyway: code that relies on `cwd` finds nothing there.)
- ROOT comes first: our `tools`, whatever else has that name.
- Not -I: if toolcart is installed for one user, click is found through what -I leaves out.
"""

from __future__ import annotations

import os
import sys

from tools.base.sources import ROOT


def command(*words: str) -> list[str]:
    """Return the command that starts this Python with these arguments."""
    return [sys.executable, "-P", *words]


def environment(**more: str) -> dict[str, str]:
    """Return such a child's environment: ours, with this program's folder first, and `more`."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path), **more}
