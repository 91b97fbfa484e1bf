"""A board's firmware with the agent in it, built from MicroPython's own sources: the main way onto a chip.

    SOURCE/ports/PORT      MicroPython's build
    FOLDER/frozen          toolcart/agent/ and toolcart/board/ as in the checkout
    FOLDER/start           safe_mode, and _boot where the port has one of ours
    FOLDER/manifest.py     what is frozen

Rules
1. Plain sources are frozen, with their lines: code is in flash, where bytes are cheap, and a traceback has file
   and line of the source.
2. Nothing in SOURCE is changed except what its own build makes: `mpy-cross/build`.
3. Everything missing is reported at once, before anything is built, with what to type. SDKs are on no package registry.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolcart.base.cache import Unavailable, output_of
from toolcart.tools.flash.package import SAFE_MODE_SOURCE, core_digest, sources_for
from toolcart.tools.flash.plan import OLDEST

BUILD_TIMEOUT_S = 3600
CLONE = "https://github.com/micropython/micropython"
RELEASE = "v1.25.0"
IDF_RELEASE = "v5.2.2"  # ports/esp32/README.md of that MicroPython: v5.2, v5.2.2, v5.3, v5.4
BOOT = Path(__file__).with_name("rp2") / "modules/_boot.py"


@dataclass(frozen=True)
class Board:
    """`folder` below ports/PORT/boards; `parts` are the submodules that its build reads."""

    port: str
    folder: str
    parts: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """The file that the build makes, to be loaded onto the board."""
        return "firmware.uf2" if self.port == "rp2" else "firmware.bin"


# Sources: GIT_SUBMODULES of ports/rp2/CMakeLists.txt and ports/esp32/esp32_common.cmake, py/mkrules.cmake:211-217 for
# micropython-lib, extmod/extmod.cmake:110 and 348 for berkeley-db and lwip.
_RP2 = ("lib/micropython-lib", "lib/pico-sdk", "lib/tinyusb", "lib/mbedtls")
_WIFI = (*_RP2, "lib/lwip", "lib/cyw43-driver", "lib/btstack")
_ESP32 = ("lib/micropython-lib", "lib/tinyusb", "lib/berkeley-db-1.xx")
BOARDS = {
    "rpi_pico_w": Board("rp2", "RPI_PICO_W", _WIFI),
    "rpi_pico2_w": Board("rp2", "RPI_PICO2_W", _WIFI),
    "w5500_evb_pico": Board("rp2", "W5500_EVB_PICO", (*_RP2, "lib/lwip", "lib/wiznet5k")),
    "esp32": Board("esp32", "ESP32_GENERIC", _ESP32),
    "esp32s3": Board("esp32", "ESP32_GENERIC_S3", _ESP32),
}


def problems(board: Board, source: Path | None) -> list[str]:
    """Return everything that a build on this machine lacks, each with what to type; empty if it can begin."""
    submodules = f"make -C SOURCE/ports/{board.port} BOARD={board.folder} submodules"
    if source is None:
        said = f"no MicroPython sources are named (--source): git clone --branch {RELEASE} {CLONE} SOURCE; {submodules}"
        return [*_tools(board), said]
    submodules = submodules.replace("SOURCE", str(source))
    version = version_of(source)
    if version is None:
        return [*_tools(board), f"{source} has no py/mpconfig.h: it is no folder of MicroPython's sources"]
    found = _tools(board)  # first: `make submodules` runs cmake
    if version < OLDEST:
        have, least = (".".join(map(str, one)) for one in (version, OLDEST))
        found.append(f"{source} is MicroPython {have}, {least} or later is needed: git -C {source} checkout {RELEASE}")
    if not (source / "ports" / board.port / "boards" / board.folder).is_dir():
        found.append(f"{source} does not know the board {board.folder}: git -C {source} checkout {RELEASE}")
    missing = [part for part in board.parts if not _has(source / part)]
    if missing:
        found.append(f"{source} lacks {', '.join(missing)}: {submodules}")
    return found


def _has(submodule: Path) -> bool:
    """True if the submodule is checked out."""
    return submodule.is_dir() and any(one.name != ".git" for one in submodule.iterdir())


def version_of(source: Path) -> tuple[int, int, int] | None:
    """Return the version of these sources, None if they are not MicroPython's."""
    try:
        text = (source / "py/mpconfig.h").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    numbers = [re.search(rf"^#define MICROPY_VERSION_{part} (\d+)", text, re.MULTILINE) for part in ("MAJOR", "MINOR")]
    if not all(numbers):
        return None
    micro = re.search(r"^#define MICROPY_VERSION_MICRO (\d+)", text, re.MULTILINE)
    return int(numbers[0][1]), int(numbers[1][1]), int(micro[1]) if micro else 0  # type: ignore[index]


def _tools(board: Board) -> list[str]:
    found = []
    programs = {"make": "make", "gcc": "gcc"}
    if board.port == "rp2":
        programs |= {"cmake": "cmake", "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi"}
        programs |= {"arm-none-eabi-g++": "libstdc++-arm-none-eabi-newlib"}
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    if missing:
        found.append(f"programs are missing: sudo apt-get install {' '.join(missing)}")
    if board.port == "esp32" and shutil.which("idf.py") is None:
        get = f"git clone --recursive --branch {IDF_RELEASE} https://github.com/espressif/esp-idf IDF"
        found.append(f"ESP-IDF is not set up (no idf.py): {get}; IDF/install.sh; . IDF/export.sh")
    return found


def lay_out(board: Board, folder: Path) -> Path:
    """Write what is frozen, and the manifest, into `folder`; return the manifest. Old files there are removed."""
    for name in ("frozen", "start"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for one in sources_for(board.port):
        _write(folder / "frozen" / one.name, one.text)
    # From this `toolcart flash` knows that the core is in the firmware already, and which one.
    _write(folder / "frozen/toolcart_frozen.py", f'DIGEST = "{core_digest(board.port)}"\n')
    shutil.copy(SAFE_MODE_SOURCE, _made(folder / "start"))
    lines = ['include("$(MPY_DIR)/extmod/asyncio")']
    if board.port == "rp2":
        shutil.copy(BOOT, folder / "start")
        lines.append('freeze("$(PORT_DIR)/modules", "rp2.py")')
    else:
        lines.append('freeze("$(PORT_DIR)/modules")')
    lines += ['freeze("start", opt=0)', 'freeze("frozen", opt=2)']  # 2: without asserts, with the lines
    return _write(folder / "manifest.py", "\n".join(lines) + "\n")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(file: Path, text: str) -> Path:
    _made(file.parent)
    file.write_text(text, encoding="utf-8")
    return file


def build(board: Board, source: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Build the image in `folder`; return the file. Unavailable says what failed, and where the build's output is.

    `say` is called with each step before it begins.
    """
    manifest = lay_out(board, folder)
    jobs = f"-j{os.cpu_count() or 1}"
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    env["LC_ALL"] = "C"
    say(f"mpy-cross of {source}")
    _make(["make", "-C", str(source / "mpy-cross"), jobs], env, folder / "mpy-cross.log")
    say(f"{board.folder}: {len(sources_for(board.port))} files of the agent are frozen")
    out = folder / "out"
    variables = [f"BOARD={board.folder}", f"BUILD={out}", f"FROZEN_MANIFEST={manifest}"]
    port = ["make", "-C", str(source / "ports" / board.port), *variables, jobs]
    _make(port, {**env, "MAKEFLAGS": jobs}, folder / "build.log")
    made = out / board.product
    if not made.is_file():
        raise Unavailable(f"the build left no {board.product}: {folder / 'build.log'}")
    return made


def _make(command: list[str], env: dict[str, str], log: Path) -> None:
    try:
        output_of(["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", str(log), *command], BUILD_TIMEOUT_S, env)
    except Unavailable:
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        errors = [line.strip() for line in text.splitlines() if re.search(r"\berror\b|Error", line)]
        raise Unavailable(f"{errors[0] if errors else 'it did not end well'} (all of it: {log})") from None


def next_steps(name: str, board: Board, image: Path) -> list[str]:
    """Return what to do with the image, line by line."""
    if board.port == "rp2":
        load = f"hold BOOTSEL, plug the board in, and copy {image} onto the drive that appears"
    else:
        chip = "esp32s3" if name == "esp32s3" else "esp32"
        address = "0x0" if chip == "esp32s3" else "0x1000"
        load = f"pipx run esptool --chip {chip} --port PORT write_flash {address} {image}"
    return [load, f"toolcart flash --board {board.port} --port PORT --config cart.json"]
