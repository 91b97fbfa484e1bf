"""The RP2040 image with the core frozen, and the simulated chip it runs on here (rp2040js with a boot ROM of ours).

Rules
1. Built from Debian's packages of MicroPython, the Pico SDK and TinyUSB and the files in `rp2/`; the same files give
   the same image, byte for byte. About 40 s on two cores, 10 s again after a change of agent/ or
   board/.
2. No C++ library is needed: nothing of ours is C++, so an empty one satisfies the linker. A real one is 313 MB.
3. TLS is left out: Debian's package of MicroPython comes without its sources.
4. `fw.bin` is the content of the flash from its start; `fw.uf2` is the file to drop on a Pico's drive.
"""

import functools
import hashlib
import json
import os
import shutil
import struct
from pathlib import Path

from toolcart.base.constants import chip_sources, written_out
from toolcart.base.mpy_files import compile_into
from toolcart.base.sources import Source, compiler
from toolcart.board import FILES_BYTES
from toolcart.tools.flash import frozen as frozen_files
from toolcart.tools.flash.frozen import SAFE_MODE_SOURCE, core_digest
from toolcart.tools.flash.package import completed
from lab.cache import CACHE, CHECKOUT, from_npm, locked, output_of, whole_folder
from lab.firmware import cortex, programs, sources
from lab.harness.allocation_free_peers import TREE

PARTS = Path(__file__).with_name("rp2")  # of the image
CHIP = Path(__file__).with_name("rp2040js")  # of the chip it runs on
JOBS = Path(__file__).with_name("jobs")  # scripts that run on a chip
SIMULATOR = "1.4.1"
SIMULATOR_FOLDER = CACHE / "firmware-simulator" / f"rp2040js-{SIMULATOR}"
BUILD_TIMEOUT_S = 400
# Files for boards that are for other boards, or for firmware with TLS.
NOT_FOR_RP2 = (
    "toolcart/board/unix/board.py",
    "toolcart/board/unix/main.py",
    "toolcart/board/esp32/board.py",
    "toolcart/board/boot.py",
    "toolcart/board/tls.py",
)
PEERS = ("lab/__init__.py", "lab/bench/__init__.py", "lab/harness/allocation_free_peers.py")
# The date in the image is a constant, so that it depends only on its sources: 2025-01-01.
BUILD_EPOCH_S = "1735689600"

# Debian's source package has no mbedtls; picotool, which would make the UF2, is not a package of bookworm.
EDITS: sources.Edits = {
    "CMakeLists.txt": (
        ("set(MICROPY_SSL_MBEDTLS ON)", "set(MICROPY_SSL_MBEDTLS OFF)"),
        ("target_link_libraries(${MICROPY_TARGET} micropy_lib_mbedtls)", ""),
        ("pico_add_extra_outputs(${MICROPY_TARGET})", ""),
    ),
    "mpconfigport.h": (
        ("#define MICROPY_PY_CRYPTOLIB                    (1)", "#define MICROPY_PY_CRYPTOLIB (0)"),
        ("#define MICROPY_SSL_MBEDTLS                     (1)", ""),
        ("#define MICROPY_PY_HASHLIB_SHA1                 (1)", ""),
    ),
}

_EDITED = hashlib.sha256(repr(EDITS).encode()).hexdigest()[:8]
WORK = CACHE / "firmware-build" / f"rp2040-{sources.MICROPYTHON}-{sources.PICO_SDK}-{_EDITED}"
FLASH_BYTES = 2 * 1024 * 1024
STORAGE_BYTES = 1280 * 1024  # as in rp2/mpconfigboard.h
UF2_FAMILY_RP2040 = 0xE48BFF56
FLASH_ADDRESS = 0x10000000


def frozen_sources() -> list[Source]:
    """Return the files that are frozen, with their constants written out."""
    return [source for source in chip_sources() if source.name not in NOT_FOR_RP2]


def peers_tree() -> Path:
    """Return a folder with lab/harness/allocation_free_peers.py's peers, compiled, and a configuration."""
    files = written_out(*(Source(name, (CHECKOUT / name).read_text(encoding="utf-8")) for name in PEERS))
    configured = json.dumps(completed(TREE))
    key = hashlib.sha256("".join([configured, *(file.text for file in files)]).encode()).hexdigest()[:16]

    def fill_tree(target: Path) -> None:
        compile_into(target, files)
        (target / "config.json").write_text(configured, encoding="utf-8")

    return whole_folder(CACHE / "firmware-jobs" / f"peers-{key}", fill_tree)


def folder() -> Path:
    """Return where the image of the present files is or will be."""
    frozen = "".join(f"{source.name}\0{source.text}\0" for source in frozen_sources())
    frozen += SAFE_MODE_SOURCE.read_text(encoding="utf-8") + frozen_files.BOOT.read_text(encoding="utf-8")
    versions = f"{sources.PICO_SDK} {sources.TINYUSB} {_EDITED}"
    key = cortex.key_of(PARTS, versions, hashlib.sha256(frozen.encode()).hexdigest())
    return cortex.IMAGES / f"rp2040-{key}"


@functools.cache
def build() -> Path:
    """Return the folder with fw.bin and fw.uf2, built if not there; Unavailable says what is missing."""
    programs.have(programs.ARM_COMPILER, programs.ARM_LIBRARY, programs.CMAKE, programs.MAKE, programs.HOST_COMPILER)
    if not folder().is_dir():
        sources.folder()  # before the lock of the images is taken
    return whole_folder(folder(), fill)


def fill(target: Path, work: Path = WORK) -> None:
    """Build into `target`; the objects of the port are kept in `work` and used again."""
    with locked("rp2040-build", CACHE):
        _prepare(work)
        _compile(work)
        output_of(["arm-none-eabi-objcopy", "-O", "binary", str(work / "out/firmware.elf"), str(target / "fw.bin")], 60)
    (target / "fw.uf2").write_bytes(uf2((target / "fw.bin").read_bytes()))


def _prepare(work: Path) -> None:
    """Lay out the sources once, and our own part each time."""
    tree = work / "micropython"
    if not (work / "whole").is_file():
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(sources.folder() / "micropython", tree, symlinks=True)
        for name in ("pico-sdk", "tinyusb"):
            shutil.rmtree(tree / "lib" / name, ignore_errors=True)
            shutil.copytree(sources.folder() / name, tree / "lib" / name, symlinks=True)
        (tree / "lib/pico-sdk/README.md").touch()
        sources.edit(tree / "ports/rp2", EDITS)
        (work / "lib").mkdir()
        output_of(["arm-none-eabi-ar", "rc", str(work / "lib/libstdc++.a")], 60)
        (work / "whole").touch()
    _lay_out(work / "parts")


def _lay_out(parts: Path) -> None:
    """Write our files and what is frozen."""
    wanted = {
        file.relative_to(PARTS).as_posix(): file.read_bytes()
        for file in PARTS.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    wanted |= {f"frozen/{source.name}": source.text.encode() for source in frozen_sources()}
    wanted["start/safe_mode.py"] = SAFE_MODE_SOURCE.read_bytes()
    wanted["start/_boot.py"] = frozen_files.BOOT.read_bytes()
    # From this `toolcart flash` knows that the core is in the firmware already, and which one.
    wanted["frozen/toolcart_frozen.py"] = f'CORE_HASH = "{core_digest("rp2")}"\n'.encode()
    frozen_files.write_changed(parts, wanted)


def _compile(work: Path) -> None:
    port, parts, out = work / "micropython/ports/rp2", work / "parts", work / "out"
    # Paths of this machine must not get into the image. In the environment, these flags join those of the tool chain.
    same = f"-ffile-prefix-map={work}=."
    env = {**os.environ, "SOURCE_DATE_EPOCH": BUILD_EPOCH_S, "LC_ALL": "C", "CFLAGS": same, "ASMFLAGS": same}
    # Nor may the state of the checkout around it: MicroPython asks git for its version, and must find none.
    env["GIT_DIR"] = str(work / "no-repository")
    env["CXXFLAGS"] = f"-DPICO_CXX_DISABLE_ALLOCATION_OVERRIDES=1 {same}"
    settings = [
        *("-DMICROPY_BOARD=TOOLCART_PICO", f"-DMICROPY_BOARD_DIR={parts}"),
        f"-DMICROPY_FROZEN_MANIFEST={parts / 'manifest.py'}",
        f"-DCMAKE_EXE_LINKER_FLAGS=-L{work / 'lib'}",
        "-DCMAKE_RULE_MESSAGES=OFF",
    ]
    output_of(["cmake", "-S", str(port), "-B", str(out), *settings], BUILD_TIMEOUT_S, env)
    make = ["make", "-C", str(out), f"-j{os.cpu_count() or 1}", f"MICROPY_MPYCROSS={compiler()[0]}"]
    output_of(make, BUILD_TIMEOUT_S, {**env, "MICROPY_MPYCROSS": compiler()[0]})


def boot_rom() -> Path:
    """Return the boot ROM of the simulated chip, built if not there; Unavailable says what is missing."""
    programs.have(programs.ARM_COMPILER)
    texts = b"".join((CHIP / name).read_bytes() for name in ("rom.c", "rom.ld"))
    name = f"rp2040-rom-{hashlib.sha256(texts).hexdigest()[:16]}"
    return whole_folder(cortex.IMAGES / name, _fill_boot_rom) / "rom.bin"


def _fill_boot_rom(target: Path) -> None:
    elf = target / "rom.elf"
    flags = ["-mcpu=cortex-m0plus", "-mthumb", "-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns"]
    link = ["-nostdlib", "-T", str(CHIP / "rom.ld"), "-o", str(elf), str(CHIP / "rom.c"), "-lgcc"]
    output_of(["arm-none-eabi-gcc", *flags, *link], 60)
    output_of(["arm-none-eabi-objcopy", "-O", "binary", str(elf), str(target / "rom.bin")], 60)
    elf.unlink()


def uf2(image: bytes) -> bytes:
    """Return the image as UF2 blocks of 256 bytes for the RP2040."""
    pages = [image[at : at + 256].ljust(256, b"\0") for at in range(0, len(image), 256)]
    blocks = []
    for number, page in enumerate(pages):
        address = FLASH_ADDRESS + 256 * number
        head = (0x0A324655, 0x9E5D5157, 0x2000, address, 256, number, len(pages), UF2_FAMILY_RP2040)
        blocks.append(struct.pack("<8I", *head) + page.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)


def simulator() -> Path:
    """Return the folder with rp2040js; fetched with npm if it is not there."""
    package = f"rp2040js@{SIMULATOR}"
    why = "the RP2040 is simulated by rp2040js"
    return whole_folder(SIMULATOR_FOLDER, lambda target: from_npm(package, target, why))


def command(
    script: str | Path = "",
    args: tuple[str, ...] = (),
    tree: Path | None = None,
    flash: str | Path = "",
    tree_first: bool = False,
    cuts: tuple[int, ...] = (),
    count_from: int = 0,
    uarts: tuple[int, ...] = (),
    plain: bool | None = None,
    firmware: Path | None = None,
    lan: bool = False,
    wired: bool = False,
    now: Path | None = None,
    trace: Path | None = None,
) -> list[str]:
    """Return the command line that starts the simulated chip; without a script, stdin and stdout are its USB port.

    If `plain` is given it prints at the end how many cycles a job took, with the simulator's own code or with ours.
    `firmware` is another image than ours, `lan` a W5500 with a network behind it, `wired` UARTs and flash as quick as
    real ones, `now` a file with what may change meanwhile, `trace` one for what went over the UARTs (rp2040js/rp.mjs).
    """
    line = ["node", str(CHIP / "rp.mjs"), "--simulator", str(simulator())]
    line += ["--rom", str(boot_rom()), "--firmware", str(firmware or build() / "fw.bin")]
    values = {
        "flash": flash,
        "job": script and Path(script).resolve(),
        "tree": tree and cortex.tree_image(tree),
        "cuts": ",".join(map(str, cuts)),
        "count-from": count_from,
        "uarts": ",".join(map(str, uarts)),
        "now": now,
        "trace": trace,
    }
    flags = {"tree-first": tree_first, "lan": lan, "wired": wired, "speed": plain is not None, "plain": plain}
    line += [word for name, value in values.items() if value for word in (f"--{name}", str(value))]
    return [*line, *(f"--{name}" for name, is_set in flags.items() if is_set), "--", *args]


def ring_start() -> int:
    """Return where in the flash the spool's ring begins: after the program and the file system."""
    return FLASH_BYTES - STORAGE_BYTES + FILES_BYTES
