"""Measures what a version takes on a chip: each .mpy as `toolcart flash` copies it, and the heap after the import.

Rules
1. Sizes are those of `tools.flash.package`: compacted, no asserts, native code for the chip.
2. Heap on the 32-bit unix port is the difference of `gc.mem_alloc()` around the imports, with the same files.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tools import runtimes
from tools.base.cache import Unavailable
from tools.base.report import Report, table
from tools.compact.tree import compile_compacted
from tools.flash import package
from tools.runtimes.build import BOARD_MACHINES

PLATFORMS = {"rp2": BOARD_MACHINES[0], "esp32": BOARD_MACHINES[2]}
HEAP = "256k"
RUN_TIMEOUT_S = 60
# board.rp2 and board.upkeep need a chip's modules; agent.app is all that differs between one board and another.
SCRIPT = """import gc
gc.collect()
before = gc.mem_alloc()
from agent import config
gc.collect()
checked = gc.mem_alloc()
import sys
del sys.modules['agent.config'], sys.modules['agent.settings'], config
delattr(sys.modules['agent'], 'config')
delattr(sys.modules['agent'], 'settings')
gc.collect()
from agent import app
gc.collect()
print('heap', checked - before, gc.mem_alloc() - before)
"""


def add(report: Report) -> None:
    """Put the sizes and the heap after import into the report."""
    for platform, machine in PLATFORMS.items():
        name = f".mpy in all, {platform}"
        try:
            files, _ = package.compiled(platform, machine)
        except (Unavailable, ValueError) as reason:
            report.add(name, None, "bytes", "", str(reason))
            continue
        octets = sum(len(content) for content in files.values())
        report.add(name, octets, "bytes", "", f"{len(files)} files, both links, configuration, status")
        report.add(f".mpy files, {platform}", len(files), "files")
        if platform == "rp2":
            for module, content in sorted(files.items()):
                report.add(f"  {module}", len(content), "bytes")
    _heap(report)


def _heap(report: Report) -> None:
    names = ("heap after import of agent.config, unix32", "heap after import of agent.app, unix32")
    runtime = runtimes.named("unix32")
    words: list[str] = []
    reason = runtime.fetch()
    if not reason:
        with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
            script = Path(folder, "script.py")
            script.write_text(SCRIPT, encoding="utf-8")
            try:
                compile_compacted(Path(folder), runtime.native)
                command = runtime.command(script, HEAP, (), folder)
                said = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S).stdout.split()
                words = said if said[:1] == ["heap"] else []
                reason = "" if words else "it said nothing"
            except (Unavailable, ValueError, subprocess.TimeoutExpired) as unavailable:
                reason = str(unavailable)
    how = ("forgotten again before the rest is loaded", "one station over TCP; .mpy loaded into the heap")
    for at, name in enumerate(names):
        report.add(name, int(words[at + 1]) if words else None, "bytes", "", reason or how[at])


if __name__ == "__main__":
    found = Report()
    add(found)
    print(table(found.as_dict()))
