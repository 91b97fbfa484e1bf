"""Writes board/package.json for mip out of the tree: `python -m tools.firmware.packages` after a file came or went.

A board that has a network of its own can be given the agent without a computer:
`mip.install("github:OWNER/toolcart/board/package.json", target="/a")`. The files are sources then, and need more heap
than what `toolcart flash` installs.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tools.flash.package import sources_for
from tools.sources import ROOT

FILE = ROOT / "board" / "package.json"


def version() -> str:
    """The version of this checkout: pyproject.toml has it, and nothing else."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def content() -> str:
    """The text of package.json: every file that any chip may import, named from package.json's own folder."""
    names = sorted({source.name for platform in ("rp2", "esp32") for source in sources_for(platform)})
    urls = [[name, "../" + name if not name.startswith("board/") else name.removeprefix("board/")] for name in names]
    return json.dumps({"urls": urls, "deps": [], "version": version()}, indent=2) + "\n"


if __name__ == "__main__":
    Path(FILE).write_text(content(), encoding="utf-8")
