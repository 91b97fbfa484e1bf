"""The Cortex-M3 image (MPS2 AN385 under QEMU): how to build it and start a script on it.

Rules
1. Built from MicroPython's sources and the files in `cortex/`; an image is named for all of them, so a change to any
   makes another one. About 10 s on two cores.
2. Nothing of the agent is in the image: the modules are a ROMFS in the machine's second memory, where bytecode runs in
   place. A run's heap is exactly what the test asks for, its stack that of an RP2040.
3. Without `exact` the machine runs as fast as it can; with it every instruction takes 32 ns of its own time, so that
   `time.ticks_cpu() * 1.25` counts instructions (25 MHz timer) and a run repeats itself to the tick.
"""

import functools
import hashlib
import os
import shutil
import time
from pathlib import Path

from toolcart.base.sources import compiler
from lab.cache import CACHE, CHECKOUT, output_of, whole_folder
from lab.firmware import programs, romfs, sources

PARTS = Path(__file__).with_name("cortex")
IMAGES = CACHE / "firmware-images"
ROMS = CACHE / "mpy" / "roms"
ROM_KEPT_S = 3 * 3600  # longer than any run that may still use it
TREE_ADDRESS = 0x21000000
HEAP_BYTES = 192 * 1024  # by default, and at the REPL
# PICO_STACK_SIZE of MicroPython's RP2 port.
STACK_BYTES = 8192
BUILD_TIMEOUT_S = 300
INSTRUCTIONS_PER_TICK = 1.25


def key_of(parts: Path, *more: str) -> str:
    digest = hashlib.sha256("\n".join([sources.MICROPYTHON, compiler()[1], *more]).encode())
    for file in sorted(parts.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.relative_to(parts).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def folder() -> Path:
    """Return where the image of the present files is or will be."""
    return IMAGES / f"cortex-{key_of(PARTS, str(STACK_BYTES))}"


@functools.cache
def build() -> Path:
    """Return the image, built if it is not there; Unavailable says what is missing."""
    programs.have(programs.QEMU_SYSTEM, programs.ARM_COMPILER, programs.ARM_LIBRARY, programs.MAKE)
    if not folder().is_dir():
        sources.folder()  # before the lock of the images is taken
    return whole_folder(folder(), _fill) / "firmware.elf"


def _fill(target: Path) -> None:
    tree, modules, out = target / "source", target / "modules", target / "build"
    shutil.copytree(sources.folder() / "micropython", tree, symlinks=True)
    shutil.copytree(PARTS, modules / "cortex")
    shutil.copyfile(PARTS / "main.c", tree / "ports/qemu/main.c")
    config = modules / "cortex/mpconfigport_cortex.h"
    flags = [f"-DMP_CONFIGFILE='\"{config}\"'", f"-DTOOLCART_STACK_BYTES={STACK_BYTES}", f"-I{config.parent}"]
    command = [
        *("make", "-C", str(tree / "ports/qemu"), f"-j{os.cpu_count() or 1}", f"BUILD={out}"),
        *(f"MICROPY_MPYCROSS={compiler()[0]}", "MICROPY_MPYCROSS_DEPENDENCY="),
        f"LDSCRIPT={PARTS / 'memory.ld'}",
        f"FROZEN_MANIFEST={PARTS / 'manifest.py'}",
        f"USER_C_MODULES={modules}",
        f"MICROPY_HEAP_SIZE={HEAP_BYTES}",
        f"CFLAGS_EXTRA={' '.join(flags)}",
    ]
    # MicroPython asks git for its version and would find this checkout's.
    output_of(command, BUILD_TIMEOUT_S, {**os.environ, "GIT_DIR": str(target / "no-repository")})
    shutil.copyfile(out / "firmware.elf", target / "firmware.elf")
    for thing in (tree, modules, out):
        shutil.rmtree(thing)


def tree_image(tree: Path) -> Path:
    """Return the ROMFS of a tree, named for its content."""
    octets = romfs.image(tree)
    file = ROMS / f"{hashlib.sha256(octets).hexdigest()[:24]}.romfs"
    if not file.is_file():
        ROMS.mkdir(parents=True, exist_ok=True)
        own = ROMS / f".{file.stem}-{os.getpid()}"
        own.write_bytes(octets)
        os.replace(own, file)
    os.utime(file)
    for old in ROMS.glob("*.romfs"):
        if time.time() - old.stat().st_mtime > ROM_KEPT_S:
            old.unlink(missing_ok=True)
    return file


def command(
    script: str | Path = "",
    heap_bytes: int = 0,
    args: tuple[str, ...] = (),
    tree: Path | None = None,
    exact: bool = False,
) -> list[str]:
    """Return the command line that starts the machine; without a script the REPL."""
    words = [f"heap={heap_bytes}"] if heap_bytes else []
    words += [f"script={Path(script).resolve()}", *args] if script else []
    hosting = ",".join(["enable=on", "target=native", *(f"arg={word}" for word in words if word)])
    line = ["qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none"]
    line += ["-semihosting-config", hosting, "-serial", "stdio"]
    if exact:
        line += ["-icount", "shift=5,sleep=off"]
    if tree is not None:
        line += ["-device", f"loader,file={tree_image(tree)},addr={TREE_ADDRESS:#x},force-raw=on"]
    return [*line, "-kernel", str(build())]


assert PARTS.is_relative_to(CHECKOUT)
