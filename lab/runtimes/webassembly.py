"""Fetches the WebAssembly build of MicroPython with npm and starts scripts on it through wasm.mjs."""

from pathlib import Path

from lab.cache import from_npm

PACKAGE = "@micropython/micropython-webassembly-pyscript"
LAUNCHER = Path(__file__).with_name("wasm.mjs")
LEAST_NODE = 18  # the first with stable WebAssembly and module loading as wasm.mjs uses it


def fetch_webassembly(version: str, folder: Path) -> None:
    """Fill `folder` with MicroPython `version`; Unavailable says why it cannot."""
    from_npm(f"{PACKAGE}@{version}", folder, "the WebAssembly build of MicroPython runs on it", LEAST_NODE)


def webassembly_program(folder: Path) -> list[str]:
    """Return the start of a command line: node, the launcher, MicroPython."""
    return ["node", str(LAUNCHER), str(folder / "node_modules" / PACKAGE / "micropython.mjs")]
