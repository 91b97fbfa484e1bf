"""Compiles the board's part of the checkout, compacted, into a folder of .mpy files."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from tools.base.cache import CACHE, forget_old, whole_folder
from tools.base.sources import COMPILE_TIMEOUT_S, ROOT, Source, compiler, product_sources
from tools.compact import conventions
from tools.compact.line_info import Lines, rewritten
from tools.compact.lines import by_line
from tools.compact.program import Program, without_collection

REMEMBERED = CACHE / "compact"
PROGRAMS = CACHE / "programs"  # apart: what is remembered is often made from a program, under other locks
T = TypeVar("T")
OPTIONS = ("-O3",)  # no asserts, no line numbers: half a kilobyte of heap
WITH_LINES = ("-O2",)  # tools.compact.line_info turns them into numbers that take none
LINES_FILE = "lines.json"  # beside the .mpy files: the places in the sources for the numbers in them


def program_of(
    sources: list[Source],
    keep: frozenset[str] = frozenset(),
    own_image: bool = False,
    companions: tuple[str, ...] = (),
) -> Program:
    """Return the program made from these files; names in `keep` stay although unused. Broken names bad lines.

    `companions` are files of the checkout with classes that will run beside it. A board has none.
    """
    return _program_of(tuple(sources), keep, own_image, companions)


@functools.lru_cache(4)
def _program_of(sources: tuple[Source, ...], keep: frozenset[str], own_image: bool, beside: tuple[str, ...]) -> Program:
    companions = {dotted(name): (ROOT / name).read_text(encoding="utf-8") for name in beside}

    def make() -> Program:
        conventions.check({source.name: source.text for source in sources})
        return Program({dotted(source.name): source.text for source in sources}, keep, companions, own_image)

    return remembered(("program", sources, sorted(keep), companions, own_image), make, PROGRAMS, pickle)


def texts_of(sources: list[Source]) -> dict[str, str]:
    """Return the texts of the program made from these files, by module."""
    return remembered(sources, lambda: program_of(sources).texts, form=pickle)


def remembered(what: object, make: Callable[[], T], where: Path | None = None, form: ModuleType = json) -> T:
    """Return what `make` returns, from the checkout's cache if this compactor made it from the same `what` before.

    It goes through JSON, or another `form`. An installed toolcart has no cache and makes it again.
    """
    if not CACHE.is_dir():
        return make()
    own = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))]
    key = hashlib.sha256(repr((sys.version, own, what)).encode()).hexdigest()[:24]

    def fill(folder: Path) -> None:
        said = without_collection(form.dumps)(make())
        (folder / "made").write_bytes(said.encode() if isinstance(said, str) else said)

    where = where or REMEMBERED
    folder = whole_folder(where / key, fill)
    os.utime(folder)
    made = without_collection(form.loads)((folder / "made").read_bytes())  # 0.4 s in place of 2.5 for a program
    forget_old(where)
    return made


def beside(program: Program, names: tuple[str, ...]) -> list[Source]:
    """Return files of the checkout that are not part of the program, written against it."""
    texts = {dotted(name): (ROOT / name).read_text(encoding="utf-8") for name in names}
    return files_of(program.beside(texts))


def files_of(texts: dict[str, str]) -> list[Source]:
    """Return the modules as files, named as in the checkout."""
    packages = {name.rpartition(".")[0] for name in texts}
    return [Source(_file_of(name, name in packages), text) for name, text in texts.items()]


def compile_compacted(folder: Path, machine: str = "", without: frozenset[str] = frozenset()) -> dict[str, int]:
    """Write the compacted .mpy files below `folder`; return the size of each by its name in the checkout.

    `machine` is mpy-cross's -march for native code; without one, files of native code are left out.
    """
    wanted = [source for source in product_sources() if source.name not in without]
    return compile_sources(folder, files_of(texts_of([one for one in wanted if machine or not one.is_native])), machine)


def lines_in(folder: Path, sources: list[Source]) -> dict[str, Lines]:
    """Return the map that was written below `folder`, with the files of `sources` in place of their modules."""
    files = {dotted(source.name): source.name for source in sources}
    lines = json.loads((folder / LINES_FILE).read_text(encoding="utf-8"))
    for named in lines.values():
        for numbers in named.values():
            for span in (span for spans in numbers for span in spans):
                span[0] = files[span[0]]
    return lines


@without_collection
def compile_sources(folder: Path, sources: list[Source], machine: str = "") -> dict[str, int]:
    """Compile the files of a program into `folder`, with a map from a traceback's numbers to the sources."""
    sizes: dict[str, int] = {}
    lines: dict[str, Lines] = {}
    with tempfile.TemporaryDirectory(prefix="toolcart-compact-") as scratch:
        for source in sources:
            target = folder / source.name.replace(".py", ".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                octets, lines[source.name] = _compiled(source, machine, Path(scratch))
            except ValueError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            target.write_bytes(octets)
            sizes[source.name] = len(octets)
    (folder / LINES_FILE).write_text(json.dumps(lines, separators=(",", ":")), encoding="utf-8")
    return sizes


def _compiled(source: Source, machine: str, scratch: Path) -> tuple[bytes, Lines]:
    """Return the .mpy of one file and its map, which exists only for what was made from sources."""
    text, target = scratch / "source.py", scratch / "source.mpy"
    text.write_text(source.text, encoding="utf-8")
    has_map = bool(getattr(source.text, "origins", ())) and not source.is_native
    options = [*(WITH_LINES if has_map else OPTIONS), *([f"-march={machine}"] if source.is_native else [])]
    done = subprocess.run(
        [compiler()[0], *options, "-s", Path(source.name).name, "-o", str(target), str(text)],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
    )
    if done.returncode:
        raise ValueError(f"{source.name}: {done.stderr.strip()}")
    return rewritten(target.read_bytes(), *by_line(source.text)) if has_map else (target.read_bytes(), {})


def dotted(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _file_of(dotted: str, is_package: bool) -> str:
    return dotted.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def program_of_board() -> Program:
    """Return the program that this checkout gives to an RP2 or an ESP32."""
    return program_of(product_sources())
