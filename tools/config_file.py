"""A configuration file as the agent wants it, or every mistake in it at once: place, found, allowed.

Rules:
1. Whatever is wrong with the file (missing, no JSON, wrong values) comes as `Wrong` with the same three columns.
2. A key that stands twice in one object is a mistake: JSON readers take the last one, people see the first.
3. `read` gives what agent.config.complete gives; what this machine cannot run is a mistake of `read_to_run` only.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from agent import config
from tools import installation

Mistake = tuple[str, str, str]


class Wrong(Exception):
    """The file cannot be used; `mistakes` is a list of (place, found, allowed)."""

    def __init__(self, path: str | Path, mistakes: list[Mistake]) -> None:
        self.path = str(path)
        self.mistakes = mistakes
        super().__init__("\n".join(lines(self.path, mistakes)))


def lines(path: str, mistakes: list[Mistake]) -> list[str]:
    """Return one line for each mistake, and one in front that counts them."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    width = min(max(len(place) for place, _, _ in mistakes), 40)
    told = [f"  {place:<{width}}  found {found}; allowed: {allowed}" for place, found, allowed in mistakes]
    return [f"{path}: {count}", *told]


def parse(path: str | Path) -> object:
    """Return the JSON tree of the file; Wrong if a key in it stands twice."""
    tree, mistakes = _parse(path, _text(path))
    if mistakes:
        raise Wrong(path, mistakes)
    return tree


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Wrong(path, [("(file)", error.strerror or str(error), "a file that can be read")]) from None
    except UnicodeDecodeError as error:
        raise Wrong(path, [("(file)", f"octet {error.start} is no UTF-8", "text in UTF-8")]) from None


def _parse(path: str | Path, text: str) -> tuple[object, list[Mistake]]:
    """The tree of the file's text, and a mistake for every key that stands twice."""
    doubled: list[tuple[dict, list[str]]] = []  # objects with the keys that stand in them more than once

    def made(pairs: list[tuple[str, object]]) -> dict:
        counted = Counter(key for key, _ in pairs)
        tree = dict(pairs)
        if len(tree) < len(pairs):
            doubled.append((tree, [key for key, count in counted.items() if count > 1]))
        return tree

    try:
        tree = json.loads(text, object_pairs_hook=made)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Wrong(path, [(place, error.msg, "JSON; `toolcart config example` prints one")]) from None
    except (ValueError, RecursionError) as error:
        raise Wrong(path, [("(file)", str(error), "JSON of usual size and depth")]) from None
    return tree, _doubled(tree, doubled) if doubled else []


def _doubled(tree: object, doubled: list[tuple[dict, list[str]]]) -> list[Mistake]:
    """The places of these keys: objects know their content, not where they are. One inside a lost value has none."""
    keys_of = {id(part): keys for part, keys in doubled}
    mistakes = []
    work = [("", tree)]
    while work:
        place, part = work.pop()
        if isinstance(part, dict):
            for key in keys_of.get(id(part), ()):
                mistakes.append((f"{place}{_name(key)}", "more than one of it", "every key once"))
            work += [(f"{place}{_name(key)}.", value) for key, value in part.items()]
        elif isinstance(part, list):
            work += [(f"{place[:-1]}[{index}].", value) for index, value in enumerate(part)]
    return mistakes


def _name(key: str) -> str:
    return config.found(key).strip('"') or '""'


def read(path: str | Path) -> dict:
    """Return the completed configuration, or raise Wrong."""
    return _complete(path, *_parse(path, _text(path)))


def _complete(path: str | Path, tree: object, doubled: list[Mistake]) -> dict:
    mistakes = [*doubled, *config.check(tree)]
    if mistakes:
        raise Wrong(path, mistakes)
    return config.complete(tree)


def read_to_run(path: str | Path) -> dict:
    """As `read`, and every station must be one that this machine can run."""
    return read_to_install(path)[0]


def read_to_install(path: str | Path) -> tuple[dict, str]:
    """As `read_to_run`, with the text that was checked: what is read a second time may be another."""
    text = _text(path)
    configuration = _complete(path, *_parse(path, text))
    mistakes = not_runnable(configuration)
    if mistakes:
        raise Wrong(path, mistakes)
    return configuration, text


def not_runnable(configuration: dict) -> list[Mistake]:
    """List what is right by the tables and cannot be had on this machine."""
    mistakes = []
    for index, station in enumerate(configuration["stations"]):
        link = station["controller"]["link"]
        if link != "tcp" and not has_serial_lines():
            mistakes.append((f"stations[{index}].controller.link", f'"{link}"', f"tcp; {serial_missing()}"))
    return mistakes


def serial_missing() -> str:
    """Say what a serial line needs, and what brings it."""
    return f"serial lines need pyserial: {installation.how_to_get('serial')}"


def has_serial_lines() -> bool:
    """Tell whether this machine can speak to a controller over a serial line."""
    return find_spec("serial") is not None
