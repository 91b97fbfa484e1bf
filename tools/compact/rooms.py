"""Leaves out the folders that a chip need not have: there `agent.cart.app` is `agent.app`.

A folder takes two blocks of a chip's file system in each of its two versions, and a package a module of its heap.
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
    """Return the modules under their shorter names; two that share one are a mistake of whoever named them."""
    packages = {f"agent.{room}" for room in FLAT}
    found: dict[str, str] = {}
    for name, text in sources.items():
        if name in packages:
            continue  # nothing stands there
        if flat(name) in found:
            raise ValueError(f"{name} and another module are both {flat(name)} on a board")
        found[flat(name)] = same_statements(text, flat(text))
    return found
