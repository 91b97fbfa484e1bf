"""A configuration file as the agent wants it, or every mistake in it at once: place, found, allowed.

Rules:
1. Whatever is wrong with the file (missing, no JSON, wrong values) comes as `Wrong` with the same three columns.
2. `read` gives what agent.config.complete gives; what this machine cannot run is a mistake of `read_to_run` only.
"""

from __future__ import annotations

import json
from pathlib import Path

from agent import config
from board.linux import Board

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
    """Return the JSON tree of the file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Wrong(path, [("(file)", error.strerror or str(error), "a file that can be read")]) from None
    except UnicodeDecodeError as error:
        raise Wrong(path, [("(file)", f"octet {error.start} is no UTF-8", "text in UTF-8")]) from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Wrong(path, [(place, error.msg, "JSON; `toolcart config example` prints one")]) from None
    except (ValueError, RecursionError) as error:
        raise Wrong(path, [("(file)", str(error), "JSON of usual size and depth")]) from None


def read(path: str | Path) -> dict:
    """Return the completed configuration, or raise Wrong."""
    tree = parse(path)
    mistakes = config.check(tree)
    if mistakes:
        raise Wrong(path, mistakes)
    return config.complete(tree)


def read_to_run(path: str | Path) -> dict:
    """As `read`, and every station must be one that this machine can run."""
    configuration = read(path)
    mistakes = not_runnable(configuration)
    if mistakes:
        raise Wrong(path, mistakes)
    return configuration


def not_runnable(configuration: dict) -> list[Mistake]:
    """List what is right by the tables and cannot be had on this machine."""
    mistakes = []
    for index, station in enumerate(configuration["stations"]):
        link = station["controller"]["link"]
        if link != "tcp" and not hasattr(Board, "serial"):
            mistakes.append(
                (f"stations[{index}].controller.link", f'"{link}"', "tcp: there are no serial lines here yet")
            )
    return mistakes
