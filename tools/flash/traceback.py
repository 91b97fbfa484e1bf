"""Says what a board's traceback means in the sources: a board has few modules, short names and its own line numbers.

Rules
1. When a version is made for a board, its map is kept under its digest for good: a traceback may come from the field
   much later. Each takes about 40 KiB. A folder made by `toolcart mip` has it beside its package.json.
2. If no version is named, the newest one that has every frame of the traceback is taken.
3. A map that cannot be written does not stop flashing.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

from tools.compact.line_info import Lines, Span

FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
Map = dict[str, Lines]  # by the file on the board


class NoMap(ValueError):
    """The file is not a version's map."""


def folder() -> Path:
    """Return where the maps of all versions are kept."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "toolcart/versions"


def packed(lines: Map) -> bytes:
    """Return a map in the form in which it is kept; the same map gives the same bytes."""
    return gzip.compress(json.dumps(lines, separators=(",", ":")).encode(), mtime=0)


def unpacked(content: bytes) -> Map:
    """Return the map that `packed` made; NoMap if it is not one."""
    try:
        return json.loads(gzip.decompress(content))
    except (OSError, EOFError, ValueError) as reason:
        raise NoMap(str(reason)) from None


def keep(digest: str, lines: Map) -> str:
    """Keep a version's map; return why that failed, "" if it is kept or there is none."""
    target = folder() / f"{digest}.json.gz"
    if not lines or target.is_file():
        return ""
    part = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(packed(lines))
        part.replace(target)
    except OSError as reason:
        return f"the map for tracebacks was not kept: {reason}"
    return ""


def kept(digest: str = "") -> dict[str, Map]:
    """Return the maps by digest, newest first; only those whose digest begins with `digest`, if given."""
    found = {}
    for file in sorted(folder().glob(f"{digest}*.json.gz"), key=lambda one: -one.stat().st_mtime):
        try:
            found[file.name.partition(".")[0]] = unpacked(file.read_bytes())
        except (OSError, NoMap):
            continue
    return found


def in_sources(text: str, maps: dict[str, Map]) -> tuple[str, str]:
    """Return the traceback in terms of the sources, and the version that fits; unchanged, and "", if none does."""
    for digest, lines in maps.items():
        found = [_found(lines, *frame.groups()) for frame in FRAME.finditer(text)]
        if found and None not in found and any(found):
            parts = FRAME.split(text)  # text, file, number, name, text ...
            frames = [words or frame.group() for words, frame in zip(found, FRAME.finditer(text), strict=True)]
            return "".join(
                f"{between}{frame}" for between, frame in zip(parts[::4], [*frames, ""], strict=True)
            ), digest
    return text, ""


def show(text: str, digest: str = "") -> str:
    """Return the traceback for people: in terms of the sources if a kept version fits, else as it came."""
    return in_sources(text, kept(digest))[0]


def _found(lines: Map, file: str, number: str, name: str) -> str | None:
    """Return the frame in the sources, all if several fit; None if the map has the file but not the frame."""
    known = [one for one in lines if one == file or one.endswith("/" + file)]
    told = []
    for one in known:
        numbers = lines[one].get(name, [])
        if 0 < int(number) <= len(numbers):
            told += [_words(span) for span in numbers[int(number) - 1]]
    if not told and known:
        return None
    return " or ".join(told)  # a file that is on the board as it was written has no map


def _words(span: Span) -> str:
    file, function, first, last = span
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return f'File "{file}", {lines}, in {function or "<module>"}'
