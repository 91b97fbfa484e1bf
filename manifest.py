# ruff: noqa: F821 - MicroPython's reader brings these names
"""Freezes the agent into a firmware of one's own: docs/boards.md has the lines for the manifest of a board.

MicroPython's build runs this (tools/manifestfile.py there). `port` is the platform: "rp2" or "esp32".
"""

import os
import sys

metadata(description="Tightening results from Open Protocol controllers to ToolsNet", license="MIT")
options.defaults(port="rp2")

sys.path.insert(0, os.getcwd())  # the folder of this file, while it is run
from toolcart.tools.flash import frozen  # noqa: E402

folder = str(frozen.written(options.port))
package("toolcart", base_path=folder + "/frozen", opt=2)  # without asserts, with the lines
module("toolcart_frozen.py", base_path=folder + "/frozen", opt=2)
module("safe_mode.py", base_path=folder + "/start", opt=0)
