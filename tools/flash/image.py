"""A board's firmware with the agent in it, built from MicroPython's own sources: the main way onto a chip.

    SOURCE/ports/PORT      MicroPython's build
    FOLDER/frozen          agent/ and board/ as installed
    FOLDER/start           safe_mode, and _boot where the port has one of ours
    FOLDER/board           the port's folder of the board, with our division of the flash behind what it says
    FOLDER/manifest.py     what is frozen

Rules
1. What is frozen is told in toolcart.tools.flash.frozen.
2. Nothing in SOURCE is changed except what its own build makes: `mpy-cross/build`. Other sources, or another board,
   have another folder.
3. Everything missing is reported at once, before anything is built, with what to type. SDKs are on no package registry.
4. Where the storage begins is fixed for each board, with room for later programs: were it behind the linked program,
   the next image would find neither files nor spool. A program that does not end in front of it is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from toolcart.base.privileges import as_root
from toolcart.base.sources import Unavailable, locked, output_of
from toolcart.board import FILES_BYTES
from toolcart.tools.flash import frozen
from toolcart.tools.flash.boards import Board, is_checked_out
from toolcart.tools.flash.plan import OLDEST

BUILD_TIMEOUT_S = 3600
ASK_TIMEOUT_S = 60
CLONE = "https://github.com/micropython/micropython"
RELEASE = "v1.28.0"
IDF_RELEASE = "v5.5.1"  # ports/esp32/README.md of that MicroPython: v5.3 to v5.5.1
PICOTOOL = "https://github.com/raspberrypi/picotool"
NO_IDF = "ESP-IDF is not set up"
SPOOL_LABEL = "spool"  # toolcart.board.esp32.flash


def problems(board: Board, source: Path | None) -> list[str]:
    """Return everything that a build on this machine lacks, each with what to type; empty if it can begin."""
    lacking = _tools(board)  # first: `make submodules` runs cmake
    is_own = board.definition and (
        source is None or board.definition.parent != source / "ports" / board.port / "boards"
    )
    named = f"BOARD_DIR={shlex.quote(str(board.definition))}" if is_own else f"BOARD={board.folder}"
    submodules = f"make -C {source or 'SOURCE'}/ports/{board.port} {named} submodules"
    if source is None:
        none_named = (
            f"no MicroPython sources are named (--source): git clone --branch {RELEASE} {CLONE} SOURCE; {submodules}"
        )
        return [*lacking, none_named]
    version = version_of(source)
    if version is None:
        return [*lacking, f"{source} has no py/mpconfig.h: it is not a folder of MicroPython's sources"]
    if version < OLDEST:
        have, least = (".".join(map(str, number)) for number in (version, OLDEST))
        lacking.append(
            f"{source} is MicroPython {have}, {least} or later is needed: git -C {source} checkout {RELEASE}"
        )
    if not board.folder_in(source).is_dir():
        lacking.append(f"{source} does not know the board {board.folder}: git -C {source} checkout {RELEASE}")
    missing = [part for part in board.parts if not is_checked_out(source / part)]
    if missing:
        lacking.append(f"{source} lacks {', '.join(missing)}: {submodules}")
    if board.port == "rp2" and (lacks := _lacks_picotool(source)):
        lacking.append(lacks)
    return lacking


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
    """Return what is missing of programs, each with the package or the commands that bring it."""
    programs = {"make": "make", "gcc": "gcc", "python3": "python3"}
    if board.port == "rp2":
        programs |= {"cmake": "cmake", "arm-none-eabi-gcc": "gcc-arm-none-eabi"}
    packages = [package for program, package in programs.items() if shutil.which(program) is None]
    if board.port == "rp2":
        # Debian has the compiler in one package, and the headers of C and of C++ in one each.
        for language, header, package in (
            ("c", "stdint.h", "libnewlib-arm-none-eabi"),
            ("c++", "cstdint", "libstdc++-arm-none-eabi-newlib"),
        ):
            if "gcc-arm-none-eabi" in packages or not _has_header(language, header):
                packages.append(package)
    lacking = []
    if packages:
        lacking.append(f"programs are missing: {as_root('apt-get install ' + ' '.join(packages))}")
    if board.port == "esp32" and shutil.which("idf.py") is None:
        get = f"git clone --recursive --branch {IDF_RELEASE} https://github.com/espressif/esp-idf IDF"
        lacking.append(f"{NO_IDF} (no idf.py): {get}; IDF/install.sh; . IDF/export.sh")
    return lacking


def _has_header(language: str, header: str) -> bool:
    """True if the compiler for boards finds this header."""
    command = ["arm-none-eabi-gcc", "-x", language, "-E", "-"]
    process = subprocess.run(
        command, input=f"#include <{header}>\n", capture_output=True, text=True, timeout=ASK_TIMEOUT_S
    )
    return process.returncode == 0


def _lacks_picotool(source: Path) -> str:
    """Say what brings picotool, which the Pico SDK calls and would clone in the middle of the build; "" if it is there.

    It is found as the SDK finds it: by CMake, of the version that the SDK asks for.
    """
    tools = source / "lib/pico-sdk/tools/CMakeLists.txt"
    try:
        wanted = re.search(r"set\(picotool_VERSION_REQUIRED ([\d.]+)\)", tools.read_text(encoding="utf-8"))
    except OSError:  # the SDK is missing, which is said
        return ""
    if wanted is None or shutil.which("cmake") is None:  # an SDK before 2.0; or said already
        return ""
    with tempfile.TemporaryDirectory(prefix="toolcart-image-") as folder:
        script = "cmake_minimum_required(VERSION 3.13)\nproject(look NONE)\nfind_package(picotool %s CONFIG REQUIRED)\n"
        Path(folder, "CMakeLists.txt").write_text(script % wanted[1], encoding="utf-8")
        command = ["cmake", "-S", folder, "-B", f"{folder}/out"]
        if subprocess.run(command, capture_output=True, timeout=ASK_TIMEOUT_S).returncode == 0:
            return ""
    build = f"cmake -S picotool -B picotool/build -DPICO_SDK_PATH={source}/lib/pico-sdk -DPICOTOOL_NO_LIBUSB=1"
    installs = as_root("cmake --build picotool/build --target install")
    return (
        f"picotool {wanted[1]} is missing, which the Pico SDK calls: "
        f"git clone --branch {wanted[1]} {PICOTOOL}; {build}; {installs}"
    )


def lay_out(board: Board, source: Path, folder: Path) -> Path:
    """Write what is frozen, the board's folder and the manifest into `folder`; return the manifest."""
    wanted = frozen.files_of(board.port)
    modules = 'freeze("$(PORT_DIR)/modules")'
    if board.port == "rp2":
        modules = 'freeze("$(PORT_DIR)/modules", "rp2.py")'
    board_folder = f"board/{board.folder}"
    wanted |= {
        f"{board_folder}/{name}": octets for name, octets in _board_files(board, source, folder / board_folder).items()
    }
    lines = [modules, 'freeze("start", opt=0)', 'freeze("frozen", opt=2)']  # 2: without asserts, with the lines
    wanted["manifest.py"] = ("\n".join(lines) + "\n").encode()
    frozen.write_changed(folder, wanted)
    return folder / "manifest.py"


def _board_files(board: Board, source: Path, board_folder: Path) -> dict[str, bytes]:
    """Return the port's folder of the board with our division of the flash behind what it says, for `board_folder`."""
    micropython_folder = board.folder_in(source)
    files = {
        file.relative_to(micropython_folder).as_posix(): file.read_bytes()
        for file in micropython_folder.rglob("*")
        if file.is_file()
    }
    if board.port == "rp2":
        storage = board.flash_kib - board.program_kib
        lines = f"\n#undef MICROPY_HW_FLASH_STORAGE_BYTES\n#define MICROPY_HW_FLASH_STORAGE_BYTES ({storage} * 1024)\n"
        files["mpconfigboard.h"] += lines.encode()
        return files
    files["partitions.csv"] = partitions(board).encode()
    # The last one of a setting counts; IDF reads its table's name here, and nowhere else.
    files["sdkconfig.toolcart"] = (
        "CONFIG_PARTITION_TABLE_CUSTOM=y\n"
        f'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{board_folder / "partitions.csv"}"\n'
        "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n\n"
        f"CONFIG_ESPTOOLPY_FLASHSIZE_{board.flash_kib // 1024}MB=y\n"
    ).encode()
    files["mpconfigboard.cmake"] += b"\nlist(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.toolcart)\n"
    return files


def partitions(board: Board) -> str:
    """Return the table of an ESP32's flash: the program, 1 MiB of files, and the rest for the spool."""
    app, files, end = 0x10000, board.program_kib * 1024, board.flash_kib * 1024
    spool = files + 1024 * 1024
    rows = (
        "# Name,   Type, SubType, Offset,   Size",
        "nvs,      data, nvs,     0x9000,   0x6000",
        "phy_init, data, phy,     0xf000,   0x1000",
        f"factory,  app,  factory, 0x{app:x},  0x{files - app:x}",
        f"vfs,      data, fat,     0x{files:x}, 0x{spool - files:x}",
        f"{SPOOL_LABEL},    data, 0x40,    0x{spool:x}, 0x{end - spool:x}",
    )
    return "\n".join(rows) + "\n"


def division(board: Board, program_bytes: int) -> str:
    """Return two lines that show how the flash is divided, in KiB."""
    files = board.program_kib + (FILES_BYTES // 1024 if board.port == "rp2" else 1024)
    marks = (0, -(-program_bytes // 1024), board.program_kib, files, board.flash_kib)
    names = ("program", "free", "files", "spool")
    above, below = "", ""
    for mark, name in zip(marks, names, strict=False):
        width = max(len(name), len(str(mark))) + 5
        above += f"{mark:<{width}}"
        below += f"| {name}".ljust(width)
    return f"{above}{marks[-1]} KiB\n{below}|"


def folder_of(name: str, source: Path) -> Path:
    """Return the folder of this board and these sources; CMake would go on with those that it began with."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "toolcart"
    return base / f"image-{name}-{hashlib.sha256(str(source).encode()).hexdigest()[:8]}"


def command(board: Board, source: Path, folder: Path) -> list[str]:
    """Return the command that builds the image from what `lay_out` has written."""
    variables = [
        f"BOARD={board.folder}",
        f"BOARD_DIR={folder / 'board' / board.folder}",
        f"BUILD={folder / 'out'}",
        f"FROZEN_MANIFEST={folder / 'manifest.py'}",
    ]
    return ["make", "-C", str(source / "ports" / board.port), *variables]


def line_of(board: Board, source: Path, folder: Path) -> str:
    """Return what a person types instead: for an ESP32 the idf.py line, since that is what its makers document."""
    if board.port == "rp2":
        return shlex.join(command(board, source, folder))
    settings = {
        "MICROPY_BOARD": board.folder,
        "MICROPY_BOARD_DIR": folder / "board" / board.folder,
        "MICROPY_FROZEN_MANIFEST": folder / "manifest.py",
    }
    arguments = [argument for name, value in settings.items() for argument in ("-D", f"{name}={value}")]
    return shlex.join(["idf.py", "-C", str(source / "ports/esp32"), *arguments, "-B", str(folder / "out"), "build"])


def build(board: Board, source: Path, folder: Path, report: Callable[[str], None], at_once: int = 0) -> Path:
    """Build the image in `folder`; return the file. Unavailable says what failed, and where the build's output is.

    `at_once` compilers run beside each other; 0 is one for each processor. `report` is called with each step before it
    begins, and with the division of the flash at the end. A second build in the same folder waits.
    """
    with locked("build", folder):
        lay_out(board, source, folder)
        jobs = f"-j{at_once or os.cpu_count() or 1}"
        env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
        env["LC_ALL"] = "C"
        report(f"mpy-cross of {source}")
        _make(["make", "-C", str(source / "mpy-cross"), jobs], env, folder / "mpy-cross.log")
        report(f"{board.folder}: {len(frozen.sources_for(board.port))} files of the agent are frozen")
        report(line_of(board, source, folder))
        _make([*command(board, source, folder), jobs], {**env, "MAKEFLAGS": jobs}, folder / "build.log")
        image = folder / "out" / board.product
        if not image.is_file():
            raise Unavailable(f"the build left no {board.product}: {folder / 'build.log'}")
        program = folder / "out" / ("firmware.bin" if board.port == "rp2" else "micropython.bin")
        check_size(board, program.stat().st_size)
        report(division(board, program.stat().st_size))
        return image


def check_size(board: Board, program_bytes: int) -> None:
    """Raise Unavailable if the program does not end in front of the storage."""
    room = board.program_kib * 1024 - (0x10000 if board.port == "esp32" else 0)
    if program_bytes > room:
        needed = -(-program_bytes // 1024)
        raise Unavailable(
            f"the program takes {needed} KiB, and {board.folder} has {room // 1024} in front of its storage"
        )


def _make(command: list[str], env: dict[str, str], log: Path) -> None:
    try:
        output_of(["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", str(log), *command], BUILD_TIMEOUT_S, env)
    except Unavailable:
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        errors = [line.strip() for line in text.splitlines() if re.search(r"\berror\b|Error", line)]
        raise Unavailable(f"{errors[0] if errors else 'it did not end well'} (all of it: {log})") from None


def next_steps(board: Board, image: Path) -> list[str]:
    """Return what to do with the image, line by line."""
    if board.port == "rp2":
        load = f"hold BOOTSEL, plug the board in, and copy {image} onto the drive that appears"
    else:
        address = "0x1000" if board.chip in ("esp32", "esp32s2") else "0x0"
        load = f"pipx run esptool --chip {board.chip} --port PORT write-flash {address} {image}"
    return [load, f"toolcart flash --board {board.port} --port PORT --config cart.json"]
