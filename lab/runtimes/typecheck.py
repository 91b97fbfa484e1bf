"""Checks types: what a board runs against that board's own MicroPython stubs, the PC side against Python's.

Rules:
1. Each port has a folder of stubs and a pass of its own; stubs of two ports in one folder contradict each other.
2. agent/, which touches no port, is checked with the unix port's stubs, in the long run with all of them. A
   board file is checked with the stubs of the port its name begins with, and with both chips' if it names none: the
   unix stubs have neither network nor pins.
3. What is for CPython alone, in toolcart/ and in lab/, is checked with the ordinary typeshed.
4. What a program sees of the library is checked by the checkers that users have, in
   host_tests/toolcart/client/test_types.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolcart.base.sources import product_sources, python_files
from lab.cache import CACHE, CHECKOUT, Unavailable, output_of, whole_folder
from lab.packaging import message_types
from lab.runtimes.build import is_portable

STUBS_VERSION = "1.29.0.post1"
STDLIB_STUBS_VERSION = "1.29.0.post2"
PORTS = ("unix", "rp2", "esp32")
PIP_TIMEOUT_S = 180
CHECK_TIMEOUT_S = 600  # on a busy machine too


# Scripts and manifests for the images: they use names that only those have.
FOR_CHIPS = ("lab/firmware/cortex/", "lab/firmware/rp2/", "lab/firmware/jobs/")


@dataclass(frozen=True)
class TypePass:
    """One run of the checker: a name, the files, and the port whose stubs it uses ("" for CPython's)."""

    name: str
    files: list[str]
    port: str


def _ports_of(name: str) -> tuple[str, ...]:
    if not name.startswith("toolcart/board/"):
        return PORTS if os.environ.get("TOOLCART_LONG") == "1" else PORTS[:1]
    module = name.removeprefix("toolcart/board/").removesuffix(".py")
    first = re.split(r"[_/]", module)[0]
    return (first,) if first in PORTS else ("rp2", "esp32")


def passes() -> list[TypePass]:
    """Return the passes that have something to check."""
    product = [source.name for source in product_sources()]
    core = {source.name for source in python_files("toolcart/agent") + python_files("toolcart/board")}
    checks = [TypePass(port, [name for name in product if port in _ports_of(name)], port) for port in PORTS]
    # Portable simulators are written for MicroPython, without annotations; the tests check them.
    unported: dict[str, list[str]] = {"toolcart": sorted(core - set(product)), "lab": []}
    for room, files in unported.items():
        files += [
            source.name
            for source in python_files(room)
            if source.name not in core and not is_portable(source.text) and not source.name.startswith(FOR_CHIPS)
        ]
    return [one for one in [*checks, *(TypePass(room, files, "") for room, files in unported.items())] if one.files]


def stubs(port: str) -> Path:
    """Return the folder of a port's stubs; Unavailable if they are not available."""

    def fill(folder: Path) -> None:
        wanted = [f"micropython-{port}-stubs=={STUBS_VERSION}", f"micropython-stdlib-stubs=={STDLIB_STUBS_VERSION}"]
        options = ["--disable-pip-version-check", "--no-input", "-q", "--no-deps", "--target", str(folder)]
        output_of([sys.executable, "-m", "pip", "install", *options, *wanted], PIP_TIMEOUT_S)

    return whole_folder(CACHE / "typings" / f"{port}-{STUBS_VERSION}-{STDLIB_STUBS_VERSION}", fill)


def _configuration(one: TypePass) -> Path:
    folder = CACHE / "types"
    folder.mkdir(parents=True, exist_ok=True)
    # A module that the stubs have comes from them, any other from the checker's own typeshed.
    stubs_of_port = [str(stubs(one.port))] if one.port else []
    settings: dict[str, object] = {
        "project-includes": [str(CHECKOUT / name) for name in one.files],
        "project-excludes": [],
        "disable-project-excludes-heuristics": True,  # a checkout may lie below a folder that it would leave out
        "use-ignore-files": False,
        "search-path": [str(CHECKOUT), *stubs_of_port],
        "disable-search-path-heuristics": True,
        "python-version": "3.11",
        "python-platform": "linux",
        "infer-with-first-use": False,  # a list is of what it is said to be, not of what is first put into it
    }
    if one.port:
        settings["skip-interpreter-query"] = True
        settings["errors.unused-type-ignore"] = "error"  # it would hide what comes later
    else:
        settings["python-interpreter-path"] = sys.executable
    file = folder / f"{one.name}-{os.getpid()}.toml"
    # JSON's strings, numbers, booleans and lists are TOML's as well.
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return file


def prepare() -> None:
    """Make what a build makes, the types of the messages, before several passes read them at once."""
    message_types.write(message_types.FOLDER)


def check(one: TypePass) -> list[str]:
    """Run one pass; return a line for each error. Unavailable without pyrefly or the stubs."""
    program = shutil.which("pyrefly", path=str(Path(sys.executable).parent))
    if program is None:
        raise Unavailable("pyrefly is not installed (the extra `test`)")
    configuration = _configuration(one)
    command = [program, "check", "--config", str(configuration), "--output-format", "json", "--summary=full"]
    try:
        done = subprocess.run(
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CHECK_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pyrefly was not done within {CHECK_TIMEOUT_S} s") from None
    finally:
        configuration.unlink()
    try:
        errors = json.loads(done.stdout)["errors"]
    except ValueError:
        lines = done.stderr.strip().splitlines()
        raise Unavailable(f"pyrefly did not run: {lines[-1] if lines else 'it said nothing'}") from None
    seen = re.search(r"([\d,]+) modules? \(", done.stderr)
    # A pass that looked at fewer files than it was given proves nothing.
    if seen is None or int(seen[1].replace(",", "")) < len(one.files):
        return [f"pyrefly looked at {seen[1] if seen else 'none'} of {len(one.files)} files"]
    return [_one_line(finding) for finding in errors if finding["severity"] == "error"]


def _one_line(finding: dict) -> str:
    text = " ".join(finding["concise_description"].split())
    return f"{finding['path'].removeprefix(f'{CHECKOUT}/')}:{finding['line']}: {text} ({finding['name']})"
