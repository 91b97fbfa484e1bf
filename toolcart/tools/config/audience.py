"""Whom a setting is for: anyone else leaves it at its default."""

from __future__ import annotations

EVERYONE, PLANT, CONTROLLER, SERIAL = "everyone", "plant", "controller", "serial"
TOOLSNET, EXTRAS, CHIP, TIMING = "ToolsNet", "extras", "chip", "timing"

MEANINGS = {
    EVERYONE: "look at it on every cart",
    PLANT: "a choice of the plant",
    CONTROLLER: "some makes of controllers need it ([controllers.md](controllers.md))",
    SERIAL: "serial lines",
    TOOLSNET: "some ToolsNets need it, or networks in front of one",
    EXTRAS: "more than results: curves, events, names, files",
    CHIP: "boards",
    TIMING: "leave it, unless a measurement asks for another value",
}

# By section; `*` is for its other settings.
_OF = {
    "system": {"*": EVERYONE},
    "toolsnet": {
        EVERYONE: "pim_host pim_port",
        PLANT: "refused window clock rewind server_empty parameters targets program_for_zero",
        EXTRAS: "events graphs describe",
        TIMING: "verify_timeout_s ack_timeout_s retransmissions keepalive_s reconnect_s",
        "*": TOOLSNET,
    },
    "stations[]": {"*": EVERYONE},
    "stations[].controller": {
        EVERYONE: "link host port",
        PLANT: "recover store_newest clock limits commands",
        SERIAL: "device baud parity stop_bits flow rs485 invert priority payload qvz_ms zvz_ms attempts",
        EXTRAS: "events traces trace_bytes trace_order",
        TIMING: (
            "keepalive_s response_timeout_s silence_s tries backoff_s backoff_max_s busy_backoff_s busy_backoff_max_s "
            "recover_retry_s"
        ),
        "*": CONTROLLER,
    },
    "stations[].spool": {EVERYONE: "path", EXTRAS: "graphs_kib", TIMING: "cursor_batch", "*": PLANT},
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
