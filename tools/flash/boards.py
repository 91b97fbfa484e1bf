"""The boards that an image is built for: each with its folder in MicroPython, its flash and what its build reads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Board:
    """`folder` below ports/PORT/boards; `parts` are the submodules that its build reads.

    Of `flash_kib` the first `program_kib` are for the program, the rest is storage: files, then the spool.
    """

    port: str
    folder: str
    flash_kib: int
    program_kib: int
    parts: tuple[str, ...] = ()

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
    "esp32s3": Board("esp32", "ESP32_GENERIC_S3", 4096, 2048, _ESP32),
}
