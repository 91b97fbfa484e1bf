"""Checks types: what a board runs against that board's own MicroPython stubs, the PC side against Python's.

Rules:
1. Each port has a folder of stubs and a pass of its own; stubs of two ports in one folder contradict each other.
2. toolcart/agent/, which touches no port, is checked with the unix port's stubs, in the long run with all of them. A
   board file is checked with the stubs of the port its name begins with, and with both chips' if it names none: the
   unix stubs have neither network nor pins.
3. What is for CPython alone, in toolcart/ and in lab/, is checked with the ordinary typeshed.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolcart.base.cache import CACHE, CHECKOUT, Unavailable, output_of, whole_folder
from toolcart.base.sources import product_sources, python_files
from toolcart.codec import types
from lab.runtimes.build import is_portable

STUBS_VERSION = "1.29.0.post1"
STDLIB_STUBS_VERSION = "1.29.0.post2"
PORTS = ("unix", "rp2", "esp32")
PIP_TIMEOUT_S = 180
PYRIGHT_TIMEOUT_S = 600  # on a busy machine too


# Scripts and manifests for the images: they use names that only those have.
FOR_CHIPS = ("lab/firmware/cortex/", "lab/firmware/rp2/", "lab/firmware/jobs/")


@dataclass(frozen=True)
class TypePass:
    """One run of pyright: a name, the files, and the port whose stubs it uses ("" for CPython's)."""

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
    found = [TypePass(port, [name for name in product if port in _ports_of(name)], port) for port in PORTS]
    # Portable simulators are written for MicroPython, without annotations; the tests check them.
    beside: dict[str, list[str]] = {"toolcart": sorted(core - set(product)), "lab": []}
    for room, files in beside.items():
        files += [
            source.name
            for source in python_files(room)
            if source.name not in core and not is_portable(source.text) and not source.name.startswith(FOR_CHIPS)
        ]
    # Two passes, each on a core of its own.
    return [one for one in [*found, *(TypePass(room, files, "") for room, files in beside.items())] if one.files]


def stubs(port: str) -> Path:
    """Return the folder of a port's stubs; Unavailable if they are not available."""

    def fill(folder: Path) -> None:
        wanted = [
            f"micropython-{port}-stubs=={STUBS_VERSION}",
            f"micropython-stdlib-stubs=={STDLIB_STUBS_VERSION}",
        ]
        options = ["--disable-pip-version-check", "--no-input", "-q", "--no-deps", "--target", str(folder)]
        output_of([sys.executable, "-m", "pip", "install", *options, *wanted], PIP_TIMEOUT_S)

    return whole_folder(CACHE / "typings" / f"{port}-{STUBS_VERSION}-{STDLIB_STUBS_VERSION}", fill)


def _configuration(one: TypePass) -> Path:
    folder = CACHE / "pyright"
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, object] = {
        # Only relative names count; an absolute one is silently ignored.
        "include": [os.path.relpath(CHECKOUT / name, folder) for name in one.files],
        "exclude": [],
        "extraPaths": [str(CHECKOUT)],
        "pythonVersion": "3.11",
        "pythonPlatform": "Linux",
        "typeCheckingMode": "standard",
    }
    if one.port:
        folder_of_stubs = str(stubs(one.port))
        settings.update(
            # 3.10 is what the stubs are written for.
            stubPath=folder_of_stubs,
            typeshedPath=folder_of_stubs,
            extraPaths=[str(CHECKOUT), folder_of_stubs],
            pythonVersion="3.10",
            # Contradictions within the stubs are not ours to report.
            reportMissingModuleSource="none",
        )
    file = folder / f"{one.name}-{os.getpid()}.json"
    file.write_text(json.dumps(settings, indent=1))
    return file


def _pyright(*arguments: str, timeout_s: int) -> subprocess.CompletedProcess[str]:
    """Run the environment's pyright of the pinned version, without a check for newer ones."""
    env = {
        **os.environ,
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        "PYRIGHT_PYTHON_CACHE_DIR": str(CACHE / "pyright-node"),
    }
    return subprocess.run(
        [sys.executable, "-m", "pyright", *arguments],
        cwd=CHECKOUT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def fetch() -> None:
    """Fetch what pyright needs at its first start, before two passes start it at once, and what a build makes."""
    types.write(types.FOLDER)
    with contextlib.suppress(subprocess.TimeoutExpired):  # the passes say what is missing
        _pyright("--version", timeout_s=PIP_TIMEOUT_S)


def check(one: TypePass) -> list[str]:
    """Run one pass; return a line for each error. Unavailable without pyright or the stubs."""
    configuration = _configuration(one)
    arguments = ["--outputjson", "--project", str(configuration)]
    if not one.port:
        arguments += ["--pythonpath", sys.executable]
    try:
        done = _pyright(*arguments, timeout_s=PYRIGHT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pyright was not done within {PYRIGHT_TIMEOUT_S} s") from None
    finally:
        configuration.unlink()
    try:
        report = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Unavailable(f"pyright did not run: {said[-1] if said else 'it said nothing'}") from None
    seen = report["summary"]["filesAnalyzed"]
    # A pass that looked at fewer files than it was given proves nothing.
    if seen < len(one.files):
        return [f"pyright looked at {seen} of {len(one.files)} files"]
    return [_one_line(finding) for finding in report["generalDiagnostics"] if finding["severity"] == "error"]


def _one_line(finding: dict) -> str:
    line = finding.get("range", {}).get("start", {}).get("line", -1) + 1
    text = " ".join(finding["message"].split())
    return f"{finding['file'].removeprefix(f'{CHECKOUT}/')}:{line}: {text} ({finding.get('rule', 'syntax')})"
