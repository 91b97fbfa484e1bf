"""Compiles the program for chips: each file to one .mpy, with its lines, so that a traceback names file and line."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from toolcart.base.sources import COMPILE_TIMEOUT_S, Source, compiler

OPTIONS = ("-O2",)  # without asserts; -O3 would leave out the lines as well, a fourteenth of the bytes


def compiled(source: Source, machine: str = "") -> bytes:
    """Return the .mpy of one file; native code is for `machine`, mpy-cross's -march. ValueError: mpy-cross's words."""
    program, _ = compiler()
    native = [f"-march={machine}"] if source.is_native else []
    with tempfile.TemporaryDirectory(prefix="toolcart-mpy-") as folder:
        text, target = Path(folder, "source.py"), Path(folder, "source.mpy")
        text.write_text(source.text, encoding="utf-8")
        command = [program, *OPTIONS, *native, "-s", source.name, "-o", str(target), str(text)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
        if done.returncode != 0:
            raise ValueError(f"{source.name}: {done.stderr.strip()}")
        return target.read_bytes()


def compiled_files(sources: Iterable[Source], machine: str = "") -> dict[str, bytes]:
    """Return the .mpy of each file by its name; without a `machine` files of native code are left out."""
    return {mpy_name(one.name): compiled(one, machine) for one in sources if machine or not one.is_native}


def compile_into(folder: Path, sources: Iterable[Source], machine: str = "") -> None:
    """Write them below `folder`."""
    for name, content in compiled_files(sources, machine).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def mpy_name(name: str) -> str:
    """Return what the .mpy of this file is called."""
    return name.removesuffix(".py") + ".mpy"
