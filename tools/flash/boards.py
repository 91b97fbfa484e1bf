"""The boards that an image is built for: each with its folder in MicroPython, its flash and what its build reads.

Any other board of the ports for RP2 and ESP32 is read from its definition, one's own included (`of_definition`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Board:
    """`folder` below ports/PORT/boards; `parts` are the submodules that its build reads.

    Of `flash_kib` the first `program_kib` are for the program, the rest is storage: files, then the spool.
    `definition` is the folder of a board whose definition is not looked for in the sources.
    """

    port: str
    folder: str
    flash_kib: int
    program_kib: int
    parts: tuple[str, ...] = ()
    chip: str = "esp32"  # of an ESP32: what esptool calls it
    definition: Path | None = None

    def folder_in(self, source: Path) -> Path:
        """Return the folder with its definition."""
        return self.definition or source / "ports" / self.port / "boards" / self.folder

    @property
    def product(self) -> str:
        """The file that the build makes, to be loaded onto the board."""
        return "firmware.uf2" if self.port == "rp2" else "firmware.bin"


# Sources: GIT_SUBMODULES of ports/rp2/CMakeLists.txt and ports/esp32/esp32_common.cmake, py/mkrules.cmake:211-217 for
# micropython-lib, extmod/extmod.cmake:110 and 348 for berkeley-db and lwip. A Pico W's program takes 1,100 KiB; the
# storage of a W5500-EVB-Pico began at 640, in the middle of a program of 811.
_RP2 = ("lib/micropython-lib", "lib/pico-sdk", "lib/tinyusb", "lib/mbedtls")
_WIFI = (*_RP2, "lib/lwip", "lib/cyw43-driver", "lib/btstack")
_WIZNET = (*_RP2, "lib/lwip", "lib/wiznet5k")
_ESP32 = ("lib/micropython-lib", "lib/tinyusb", "lib/berkeley-db-1.xx")
BOARDS = {
    "rpi_pico": Board("rp2", "RPI_PICO", 2048, 1024, _RP2),
    "rpi_pico_w": Board("rp2", "RPI_PICO_W", 2048, 1280, _WIFI),
    "rpi_pico2": Board("rp2", "RPI_PICO2", 4096, 1024, _RP2),
    "rpi_pico2_w": Board("rp2", "RPI_PICO2_W", 4096, 1536, _WIFI),
    "w5100s_evb_pico": Board("rp2", "W5100S_EVB_PICO", 2048, 1024, _WIZNET),
    "w5500_evb_pico": Board("rp2", "W5500_EVB_PICO", 2048, 1024, _WIZNET),
    "esp32": Board("esp32", "ESP32_GENERIC", 4096, 2048, _ESP32),
    "esp32s3": Board("esp32", "ESP32_GENERIC_S3", 4096, 2048, _ESP32, "esp32s3"),
}

SDK = "lib/pico-sdk"
LEAST_KIB = {"rp2": 2048, "esp32": 4096}  # of flash: a program, files and a spool


def of_definition(definition: Path, source: Path | None) -> Board:
    """Return the board that this folder defines, as MicroPython's `BOARD_DIR` has it; ValueError says why it is none.

    The size of its flash is read where its build has it: of an RP2 in the Pico SDK's header of the board (of `source`,
    or beside the definition), of an ESP32 in its sdkconfig. Sources without the SDK are no fault of the definition: the
    board then has the least flash, and what is missing is said before a build (toolcart.tools.flash.image).
    """
    try:
        cmake = (definition / "mpconfigboard.cmake").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise ValueError(f"{definition} has no mpconfigboard.cmake: it defines no board of MicroPython") from None
    is_esp32 = "SDKCONFIG_DEFAULTS" in cmake or "IDF_TARGET" in cmake
    flash_kib = _flash_of_esp32(definition) if is_esp32 else _flash_of_rp2(definition, source, cmake)
    port = "esp32" if is_esp32 else "rp2"
    if flash_kib < LEAST_KIB[port]:
        raise ValueError(f"{definition.name} has {flash_kib} KiB of flash, {LEAST_KIB[port]} are needed")
    if is_esp32:
        target = re.search(r"set\(IDF_TARGET\s+(\w+)\)", cmake)
        chip = target[1] if target else "esp32"
        return Board("esp32", definition.name, flash_kib, 2048, _ESP32, chip, definition)
    wireless = re.search("cyw43|_WIFI", cmake, re.IGNORECASE)
    parts = _WIFI if wireless else _WIZNET if "WIZNET" in cmake else _RP2
    program_kib = 1280 if flash_kib == LEAST_KIB["rp2"] else 1536
    return Board("rp2", definition.name, flash_kib, program_kib, parts, definition=definition)


def _flash_of_esp32(definition: Path) -> int:
    """Return the flash in KiB as its sdkconfig says (others are of variants); without a word it is 4 MB."""
    sizes = re.findall(r"^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB=y", _text([definition / "sdkconfig.board"]), re.M)
    return int(sizes[-1]) * 1024 if sizes else LEAST_KIB["esp32"]


def _flash_of_rp2(definition: Path, source: Path | None, cmake: str) -> int:
    """Return the flash in KiB that the header of the board in the Pico SDK says."""
    named = re.search(r"set\(PICO_BOARD\s+\"?([\w-]+)", cmake)
    header = f"{named[1] if named else definition.name.lower()}.h"
    headers = [definition / header, *sorted(definition.glob("*.h"))]
    if source is not None:
        headers.insert(1, source / SDK / "src/boards/include/boards" / header)
    size = re.search(r"#define\s+PICO_FLASH_SIZE_BYTES\s+\(?\s*(\d+)\s*\*\s*1024\s*\*\s*1024", _text(headers))
    if size is None:
        if not headers[0].is_file() and (source is None or not is_checked_out(source / SDK)):
            return LEAST_KIB["rp2"]
        raise ValueError(f"{header}, the Pico SDK's header of {definition.name}, does not say PICO_FLASH_SIZE_BYTES")
    return int(size[1]) * 1024


def is_checked_out(submodule: Path) -> bool:
    """True if the submodule has more than its place."""
    return submodule.is_dir() and any(entry.name != ".git" for entry in submodule.iterdir())


def _text(files: list[Path]) -> str:
    """Return what these files hold, one after another; nothing of those that are not there."""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file())
