"""Breaks the program in one place, in a private copy of the checkout: what lists of mutations and their runs share.

A mutation names a file, the text that is taken out and the text that is put in; a text that is not found any more is
an error, so that a list cannot grow stale unseen.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = ("agent", "board", "tools", "host_tests", "pyproject.toml")
TIMEOUT_S = 400


@dataclass(frozen=True)
class Mutation:
    """One break, and what it stands for."""

    name: str
    file: str
    old: str
    new: str
    why: str


def changed(mutation: Mutation, root: Path) -> str:
    """The file under `root` with the change; ValueError if the place is not there exactly once."""
    text = (root / mutation.file).read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.name}: its text is {text.count(mutation.old)} times in {mutation.file}, not once")
    return text.replace(mutation.old, mutation.new)


def check_places(root: Path, mutations: Iterable[Mutation]) -> None:
    """Every mutation has its place and makes a program; ValueError or SyntaxError names the first that does not."""
    for mutation in mutations:
        compile(changed(mutation, root), mutation.name, "exec")


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """A private copy of everything that tests and worlds need, for as long as it is used."""
    with tempfile.TemporaryDirectory(prefix="toolcart-") as folder:
        target = Path(folder)
        for name in COPIED:
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                shutil.copy(source, target / name)
        yield target


@contextlib.contextmanager
def broken(mutation: Mutation) -> Iterator[Path]:
    """The same with the mutation in it; ValueError if its place is not there exactly once."""
    with copied() as root:
        text = changed(mutation, root)
        (root / mutation.file).write_text(text, encoding="utf-8")
        yield root


def caught_by(root: Path, tests: Sequence[str]) -> str:
    """The first of these tests that fails in the copy, or empty text."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "(no end)"
    if done.returncode == 0:
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" ")[1].rpartition("/")[2] if failed else f"(exit code {done.returncode})"
