"""Fetches the WebAssembly build of MicroPython with npm and starts scripts on it through wasm.mjs."""

import shutil
from pathlib import Path

from toolcart.base.cache import Unavailable, output_of

PACKAGE = "@micropython/micropython-webassembly-pyscript"
LAUNCHER = Path(__file__).with_name("wasm.mjs")
NPM_TIMEOUT_S = 180
LEAST_NODE = 18  # the first with stable WebAssembly and module loading as wasm.mjs uses it


def fetch(version: str, folder: Path) -> None:
    """Fill `folder` with MicroPython `version`; Unavailable says why it cannot."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed (the WebAssembly build of MicroPython runs on it)")
    node = output_of(["node", "--version"], NPM_TIMEOUT_S).strip()
    major = node.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < LEAST_NODE:
        raise Unavailable(f"node is {node}; {LEAST_NODE} or later is needed")
    quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    output_of(["npm", "install", "--prefix", str(folder), *quiet, f"{PACKAGE}@{version}"], NPM_TIMEOUT_S)


def program(folder: Path) -> list[str]:
    """Return the start of a command line: node, the launcher, MicroPython."""
    return ["node", str(LAUNCHER), str(folder / "node_modules" / PACKAGE / "micropython.mjs")]
