"""What a configuration must be for a board, whatever its chip: told by every command, and without a board.

What a board leaves out of its spools is judged as the board will have it: its defaults are not those of Linux.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

from toolcart.agent.cart import config
from toolcart.agent.cart.settings import SPOOL_OF_CHIPS
from toolcart.board.uart import parse_device
from toolcart.tools.config import board_network, raw_spools

STATIONS_MAX = 16  # a cart has one to four controllers, and a chip has no memory for more
UART_MOST, PIN_MOST = 2, 48  # of an ESP32, of an ESP32-S3: no chip has more (toolcart.tools.flash.hardware and pins)
A_LAMP = f"the number of a pin up to {PIN_MOST}, or the name that the board has for it"
A_DRIVER = f"the number of the pin that switches the transmitter on, a pin up to {PIN_MOST}"
A_UART = (
    f"the number of a UART, up to {UART_MOST}, with its pins, up to {PIN_MOST}, where others are wanted: "
    "1, 1:8,9 or 1:8,9,11,10; "
    "on Linux leave out board.network"
)

Mistake = tuple[str, str, str]  # place, found, allowed


def with_defaults(tree: dict) -> dict:
    """Return a copy of a good tree with the defaults that a board has in place of those of Linux."""
    tree = copy.deepcopy(tree)
    for station in tree["stations"]:
        station["spool"] = {**SPOOL_OF_CHIPS, **station["spool"]}
    return tree


def mistakes(tree: dict) -> list[Mistake]:
    """List what no board can have of a tree that is good in itself."""
    tree = with_defaults(tree)
    found = config.check(tree)
    if found:
        return found
    configuration = config.complete(tree)
    stations = configuration["stations"]
    if len(stations) > STATIONS_MAX:
        words = f"a list of 1 to {STATIONS_MAX} stations on a board"
        found.append(("stations", config.value_text(stations), words))
    return [
        *found,
        *raw_spools.mistakes(configuration),
        *_line_mistakes(stations),
        *_lamp_mistakes(configuration["board"]["lamp"]),
        *board_network.mistakes(configuration),
    ]


def _line_mistakes(stations: list[dict]) -> Iterator[Mistake]:
    """Give the serial lines that no UART can be, or that another station has in another spelling."""
    first: dict[int, int] = {}
    for index, station in enumerate(stations):
        place, controller = f"stations[{index}].controller", station["controller"]
        if controller["link"] == "tcp":
            continue
        device, rs485 = controller["device"], controller["rs485"]
        if rs485 and not (rs485.strip().isdigit() and int(rs485) <= PIN_MOST):
            yield f"{place}.rs485", json.dumps(rs485), A_DRIVER
        try:
            number, pins = parse_device(device)
            if number not in range(UART_MOST + 1) or not set(pins.values()) <= set(range(PIN_MOST + 1)):
                raise ValueError("no chip has it")
        except ValueError:
            yield f"{place}.device", json.dumps(device), A_UART
            continue
        other = first.setdefault(number, index)
        if other != index:
            words = f"another UART than {number}, which stations[{other}] has"
            yield f"{place}.device", json.dumps(device), words


def _lamp_mistakes(lamp: str) -> Iterator[Mistake]:
    """Give a lamp's pin that is neither a number that a chip can have nor a name; a blank around it is told already."""
    pin = lamp.strip()
    is_name = any(letter.isalpha() for letter in pin) and " " not in pin
    if pin and not is_name and not (pin.isdigit() and int(pin) <= PIN_MOST):
        yield "board.lamp", json.dumps(lamp), A_LAMP
