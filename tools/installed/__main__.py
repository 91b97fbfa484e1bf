"""Where an installed toolcart starts: its own `agent`, `board` and `tools` come before anything else with those names.

Rules
1. The folder of the three comes first on the path. It is this package, or the checkout of an editable install.
2. `python -m` puts the current folder on the path; it is removed again, unless this package was installed there.
3. A child process gets the same folder (tools.process.child), and none of them looks into the current one; thanks to
   PYTHONSAFEPATH neither do those that multiprocessing starts.
"""

from __future__ import annotations

import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = HERE if os.path.isdir(os.path.join(HERE, "agent")) else os.path.dirname(os.path.dirname(HERE))


def main() -> None:
    """Run the command line."""
    sys.path.insert(0, HOME)
    os.environ["PYTHONSAFEPATH"] = "1"
    # By its name on the path, like all that the command loads later: an `import` here would load a second copy.
    importlib.import_module("tools.cli.main").main(prog_name="toolcart")


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != os.path.dirname(HERE):
        del sys.path[0]
    main()
