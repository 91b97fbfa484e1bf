"""Whom a setting is for: anyone else leaves it at its default."""

from __future__ import annotations

EVERYONE, PLANT, CONTROLLER, SERIAL = "everyone", "plant", "controller", "serial"
TOOLSNET, EXTRAS, CHIP = "ToolsNet", "extras", "chip"

MEANINGS = {
    EVERYONE: "look at it on every cart",
    PLANT: "a choice of the plant",
    CONTROLLER: "some makes of controllers need it ([controllers.md](controllers.md))",
    SERIAL: "serial lines",
    TOOLSNET: "some ToolsNets need it, or networks in front of one",
    EXTRAS: "more than results: curves, events, names, files",
    CHIP: "boards",
}

# By section; `*` is for its other settings.
_OF = {
    "system": {"*": EVERYONE},
    "toolsnet": {
        EVERYONE: "pim_host pim_port",
        PLANT: "refused window clock rewind parameters",
        EXTRAS: "events extras",
        "*": TOOLSNET,
    },
    "stations[]": {"*": EVERYONE},
    "stations[].controller": {
        EVERYONE: "link host port",
        PLANT: "recover clock limits commands",
        SERIAL: "device baud parity stop_bits flow rs485 invert priority payload",
        EXTRAS: "events traces",
        "*": CONTROLLER,
    },
    "stations[].spool": {EVERYONE: "path", EXTRAS: "graphs_kib", "*": PLANT},
    "stations[].outlets[]": {"*": EXTRAS},
    "board": {"*": CHIP},
}


def audience(place: str) -> str:
    """Return whom the setting at this place is for, a key of MEANINGS."""
    section, key = place.rsplit(".", 1)
    groups = _OF[section]
    return next((who for who, keys in groups.items() if who != "*" and key in keys.split()), groups["*"])


def named() -> list[str]:
    """Return the places named above."""
    return [
        f"{section}.{key}"
        for section, groups in _OF.items()
        for who, keys in groups.items()
        if who != "*"
        for key in keys.split()
    ]
