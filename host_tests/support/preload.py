"""Libraries in front of libc (LD_PRELOAD), compiled when a test wants one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

COMPILE_S = 60


def library(source: Path, folder: Path) -> Path:
    """Compile a C file into a library in this folder that every user can read; skip where that cannot be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: calls of libc cannot be replaced")
    made = folder / f"{source.stem}.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=COMPILE_S)
    if told.returncode:
        pytest.skip(f"the C compiler cannot make a library: {told.stderr.strip()[-200:]}")
    made.chmod(0o755)
    return made
