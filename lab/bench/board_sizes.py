"""Measures what a version takes on a chip: each .mpy as `toolcart flash` copies it, and the heap after the import.

Rules
1. Sizes are those of `toolcart.tools.flash.package`: no asserts, native code for the chip.
2. Heap on the 32-bit unix port is the difference of `gc.mem_alloc()` around the imports, with the same files.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from toolcart.base.cache import Unavailable
from toolcart.base.mpy import compile_into
from toolcart.base.report import Report
from toolcart.base.sources import product_sources
from toolcart.tools.flash import package
from lab import runtimes
from lab.runtimes.build import BOARD_MACHINES

PLATFORMS = {"rp2": BOARD_MACHINES[0], "esp32": BOARD_MACHINES[2]}
HEAP = "512k"
RUN_TIMEOUT_S = 60
# An ESP32's board needs a chip's modules: this is what it uses of them during the import.
CHIP_MODULES = {
    "machine.py": "class Pin:\n    OUT = 1\n\n\nclass RTC:\n    pass\n\n\nWDT = Timer = UART = SPI = RTC\n",
    "network.py": "STA_IF = 0\n",
}
SCRIPT = """import gc
import machine, network
gc.collect()
before = gc.mem_alloc()
import toolcart.agent.cart.app
gc.collect()
agent = gc.mem_alloc()
from toolcart.board import folder_flash, loop, main, resolver, upkeep
from toolcart.board.esp32 import board as esp32
gc.collect()
print('heap', agent - before, gc.mem_alloc() - before)
"""


def add(report: Report) -> None:
    """Put the sizes and the heap after import into the report."""
    for platform, machine in PLATFORMS.items():
        name = f".mpy in all, {platform}"
        try:
            files = package.compiled(platform, machine)
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
    names = ("heap after import of toolcart.agent.cart.app, unix32", "heap after import of a whole ESP32, unix32")
    runtime = runtimes.named("unix32")
    words: list[str] = []
    reason = runtime.fetch()
    if not reason:
        with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
            script = Path(folder, "script.py")
            script.write_text(SCRIPT, encoding="utf-8")
            try:
                compile_into(Path(folder), product_sources(), runtime.native)
                for name, text in CHIP_MODULES.items():
                    Path(folder, name).write_text(text, encoding="utf-8")
                command = runtime.command(script, HEAP, (), folder)
                said = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S).stdout.split()
                words = said if said[:1] == ["heap"] else []
                reason = "" if words else "it said nothing"
            except (Unavailable, ValueError, subprocess.TimeoutExpired) as unavailable:
                reason = str(unavailable)
    how = ("one station over TCP; .mpy loaded into the heap", "with Wi-Fi, files, upkeep and what looks names up")
    for at, name in enumerate(names):
        report.add(name, int(words[at + 1]) if words else None, "bytes", "", reason or how[at])
