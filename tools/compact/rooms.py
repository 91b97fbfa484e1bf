"""Leaves out folders that a chip does not need: there `agent.cart.app` is `agent.app`.

A folder takes two blocks of a chip's file system in each of its two versions, and a package takes a module of its heap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.compact.lines import same_statements

FLAT = ("cart", "outlets.toolsnet", "quarantine", "station")

_ROOM = re.compile(rf"\bagent\.(?:{'|'.join(map(re.escape, FLAT))})\b")


def flat(text: str) -> str:
    """Return a module's name, or a text that names modules, without these rooms."""
    return _ROOM.sub("agent", text)


def flattened(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the modules under their shorter names; ValueError if two share one."""
    packages = {f"agent.{room}" for room in FLAT}
    found: dict[str, str] = {}
    for name, text in sources.items():
        if name in packages:
            continue  # the package's own module is empty
        if flat(name) in found:
            raise ValueError(f"{name} and another module are both {flat(name)} on a board")
        found[flat(name)] = same_statements(text, flat(text))
    return found
