"""Compiles the board's part of the checkout, compacted, into a folder of .mpy files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.compact.source import compact
from tools.runtimes.build import COMPILE_TIMEOUT_S, Source, compiler, product_sources

OPTIONS = ("-O3",)  # no asserts, no line numbers: half a kilobyte of heap


def compacted_sources(without: frozenset[str] = frozenset()) -> list[Source]:
    """Every product file but those named `without`, rewritten; names as in the checkout."""
    sources = [source for source in product_sources() if source.name not in without]
    texts = compact({_dotted(source.name): source.text for source in sources})
    return [Source(source.name, texts[_dotted(source.name)]) for source in sources]


def compile_compacted(folder: Path, machine: str = "", without: frozenset[str] = frozenset()) -> dict[str, int]:
    """Write the compacted .mpy files below `folder`; returns the octets of each by its name in the checkout.

    `machine` is mpy-cross's -march for native code; without one files of native code are left out.
    """
    program, _ = compiler()
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="toolcart-compact-") as scratch:
        for source in compacted_sources(without):
            if source.is_native and not machine:
                continue
            text = Path(scratch, "source.py")
            text.write_text(source.text, encoding="utf-8")
            target = folder / source.name.replace(".py", ".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            options = [*OPTIONS, *([f"-march={machine}"] if source.is_native else [])]
            done = subprocess.run(
                [program, *options, "-s", Path(source.name).name, "-o", str(target), str(text)],
                capture_output=True,
                text=True,
                timeout=COMPILE_TIMEOUT_S,
            )
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                raise ValueError(f"{source.name}: {done.stderr.strip()}")
            sizes[source.name] = target.stat().st_size
    return sizes


def _dotted(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
