"""What a configuration must be for a board, whatever its chip: told by every command, and without a board.

What a board leaves out of its spools is judged as the board will have it: its defaults are not those of Linux.
"""

from __future__ import annotations

import copy

from toolcart.agent.cart import config
from toolcart.agent.cart.settings import SPOOL_OF_CHIPS
from toolcart.tools.config import raw_spools

STATIONS_MAX = 16  # a cart has one to four controllers, and a chip has no memory for more

Mistake = tuple[str, str, str]  # place, found, allowed


def with_defaults(tree: dict) -> dict:
    """Return a copy of a good tree with the defaults that a board has in place of those of Linux."""
    tree = copy.deepcopy(tree)
    for station in tree["stations"]:
        station["spool"] = {**SPOOL_OF_CHIPS, **station["spool"]}
    return tree


def mistakes(configuration: dict) -> list[Mistake]:
    """List what no board can have of a completed configuration."""
    stations = configuration["stations"]
    found = []
    if len(stations) > STATIONS_MAX:
        words = f"a list of 1 to {STATIONS_MAX} stations on a board"
        found.append(("stations", config.value_text(stations), words))
    return found + raw_spools.mistakes(configuration)
