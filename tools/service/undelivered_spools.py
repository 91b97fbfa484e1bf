"""Spools that a new service would leave behind: its relative paths start from its state folder.

Rules
1. A spool counts if something in it is not delivered: results that wait, or that were set aside.
2. It is moved only if it was ordered, no agent holds it, and nothing lies at its new place. It is complete and synced
   there before the old one goes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolcart.agent.cart.outlet_places import name_of
from toolcart.base.path_access import obstacle
from toolcart.spool import image
from toolcart.tools.config.file import folder_of
from toolcart.tools.service import safe_install
from toolcart.tools.service.unit import STATE_FOLDER
from toolcart.tools.spool import waiting


@dataclass(frozen=True)
class UndeliveredSpool:
    """The spool of one station at `old`, named `name` in the state folder; `words` say what waits in it."""

    station: int
    old: Path
    name: str
    words: str


def left_behind(configuration: dict, config_path: str) -> list[UndeliveredSpool]:
    """Return the spools with undelivered results that the service would not find."""
    spools = []
    for station in configuration["stations"]:
        name = station["spool"]["path"]
        old = folder_of(config_path) / name
        if os.path.isabs(name) or os.path.realpath(old) == f"{STATE_FOLDER}/{name}":
            continue
        words = words_of(old, [name_of(outlet) for outlet in station["outlets"]])
        if words:
            spools.append(UndeliveredSpool(station["number"], old, name, words))
    return spools


def refusal(spools: list[UndeliveredSpool]) -> str:
    """Say what waits where, and what to do."""
    lines = [f"station {spool.station}: {spool.words}, in {spool.old}" for spool in spools]
    several = len(spools) > 1
    begin, those, files = ("empty spools", "them", "files") if several else ("an empty spool", "it", "file")
    return (
        f"{'; '.join(lines)}. The service would begin with {begin} in {STATE_FOLDER}. End the agent that uses "
        f"{those} and install with --take-spools, which moves {those} there; or let that agent deliver first; or move "
        f"the {files} away."
    )


def take(inside: int, spools: list[UndeliveredSpool]) -> list[str]:
    """Move them into the open state folder; return what was done."""
    for spool in spools:
        if image.is_held(spool.old):
            raise safe_install.UnsafePlace(f"{spool.old} is in use: end that agent first")
        if "/" in spool.name:
            raise safe_install.UnsafePlace(
                f"{spool.name}: only a spool in the configuration's own folder can be taken along"
            )
        if spool.name in os.listdir(inside):
            raise safe_install.UnsafePlace(f"{STATE_FOLDER}/{spool.name} already exists; {spool.old} is left as it is")
    return [_move(inside, spool) for spool in spools]


def _move(inside: int, spool: UndeliveredSpool) -> str:
    with spool.old.open("rb") as source, safe_install.written(inside, spool.name, 0o600) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    spool.old.unlink()
    return f"moved {spool.old} to {STATE_FOLDER}/{spool.name}: {spool.words}"


def words_of(path: Path, names: Sequence[str]) -> str:
    """Say what waits in this file; "" if nothing does, or none is there. `names` are those of the outlets."""
    hidden = obstacle(path)
    if hidden:
        return f"it cannot be told what waits ({hidden})"
    if not os.path.isfile(path):
        return ""
    try:
        return waiting.needed(image.read(path).opened, names).words()
    except image.ImageError as reason:
        return f"results that cannot be counted ({reason})"
