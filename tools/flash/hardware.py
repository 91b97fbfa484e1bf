"""What a chip's hardware allows of a configuration: UARTs and their pins, pins used twice, network, room for spools.

Rules
1. What every chip of a platform shares is a mistake of the configuration, and told without a board.
2. What the board at hand shows (its chip, firmware and flash) is one likewise: it is told while the board is held,
   before anything is changed.
3. What neither shows ends a version's trial (`lacks` of toolcart.board.chip).
4. Pins are compared as numbers, however they are spelled: GP8 and GPIO8 are an RP2's pin 8, and what its LED or any
   other name is the board at hand shows.

Sources: ports/rp2/machine_uart.c (IS_VALID_TX and its like) and machine_pin.c of MicroPython 1.28; the pins of flash
and those without an output are in chapter 2 of the data sheets of ESP32 and ESP32-S3; those of the ESP32's Ethernet in
its chapter on peripherals, and of its clock in emac_rmii_clock_gpio_t of ESP-IDF.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from toolcart.board.uart import parse_device
from toolcart.tools.config.raw_spools import part_of
from toolcart.tools.flash.link import About
from toolcart.tools.flash.pins import CLOCK_PIN, HIGHEST, NONE

Mistake = tuple[str, str, str]  # place, found, allowed

UARTS = {"rp2": (0, 1), "esp32": (1, 2)}  # UART 0 of an ESP32 is the console
RADIO_PINS = (23, 24, 25, 29)  # of a Pico W
LAN8720_PINS = (19, 21, 22, 25, 26, 27)  # of the data, on every ESP32
OWN_LAMP = {"rp2": "LED", "esp32": ""}  # where board.lamp names none
_SPELLED = {"rp2": re.compile(r"GP(?:IO)?(0|[1-9]\d*)", re.ASCII)}  # an ESP32 has names of its board alone
_SHOWN = re.compile(r"Pin\((?:GPIO)?(\d+)", re.ASCII)  # by an RP2, by an ESP32
_OWN_PINS = {0: (0, 1, 3, 2), 1: (4, 5, 7, 6)}  # of a Pico's UARTs, in the order of a device's text


@dataclass(frozen=True)
class Pins:
    """The pins of one kind of chip: of its own flash, without an output, and those of its console."""

    all: Collection[int]
    flash: Collection[int] = ()
    inputs: Collection[int] = ()
    console: Collection[int] = ()


CHIPS = {
    "RP2040": Pins(range(30)),
    "RP2350": Pins(range(48)),
    "ESP32": Pins([*range(24), *range(25, 28), *range(32, 40)], range(6, 12), range(34, 40), (1, 3)),
    "ESP32S3": Pins([*range(22), *range(26, 49)], range(26, 33)),
}
ANY = Pins(range(64))  # of a chip that is not listed


def mistakes(platform: str, configuration: dict) -> list[Mistake]:
    """List what no chip of this platform can do; all pins are compared, whatever they are for."""
    found = [
        mistake
        for index, station in enumerate(configuration["stations"])
        for mistake in _uart_mistakes(platform, f"stations[{index}].controller.device", station["controller"])
    ]
    found += _pins_used_twice(platform, configuration)
    found += [
        (place, f"pin {pin}", f"a pin up to {HIGHEST[platform]}")
        for place, pin, _ in _pins(platform, configuration)
        if pin > HIGHEST[platform]
    ]
    if _has_lan8720(platform, configuration):
        found += _pin_mistakes(platform, configuration, "ESP32")  # no other chip of the kind drives one
    return found


def _pins_used_twice(platform: str, configuration: dict) -> Iterator[Mistake]:
    users: dict[int, str] = {}
    for place, pin, _ in _pins(platform, configuration):
        if users.setdefault(pin, place) != place:
            yield place, f"pin {pin}", f"a pin of its own: {users[pin]} has this one"


def lamp_name(platform: str, configuration: dict) -> str:
    """Return the name of the lamp's pin if only the board knows its number, else ""."""
    name = configuration["board"]["lamp"]
    return "" if _number(platform, name) >= 0 else name or OWN_LAMP[platform]


def shown_number(pin: str) -> int:
    """Return the number of a pin as MicroPython shows it; -1 if it is none of the chip's own."""
    matched = _SHOWN.match(pin)
    return int(matched[1]) if matched else NONE


def _number(platform: str, name: str) -> int:
    """Return the number of the pin that is spelled so on every board of the platform, -1 of any other name."""
    if name.isdigit():
        return int(name)
    matched = _SPELLED[platform].fullmatch(name) if platform in _SPELLED else None
    return int(matched[1]) if matched else NONE


def pins_of(platform: str, configuration: dict) -> list[int]:
    """Return every pin that the configuration takes, once."""
    return sorted({pin for _, pin, _ in _pins(platform, configuration)})


def mistakes_of_board(
    configuration: dict,
    board: About,
    missing_pins: Collection[int] = (),
    lamp: int = NONE,
    has_adc: Callable[[int], bool] = lambda pin: True,
) -> list[Mistake]:
    """List what this board cannot do of a configuration that its platform allows.

    It said which pins it lacks, and the number of a `lamp` that has a name; `has_adc` asks it about a pin.
    """
    found: list[Mistake] = []
    supply = configuration["board"]["supply"]
    if supply and supply[0] not in missing_pins and not has_adc(supply[0]):
        found.append(("board.supply", f"pin {supply[0]}", "a pin with an ADC of this board's chip"))
    if lamp != NONE:
        configuration = {**configuration, "board": {**configuration["board"], "lamp": str(lamp)}}
        found += _pins_used_twice(board.platform, configuration)
    network = configuration["board"]["network"]
    if board.networks is not None and network != "none" and network not in board.networks:
        has = " or ".join(board.networks)
        words = f"{has or 'none'}: the firmware of this board ({board.machine}) has no {network}"
        found.append(("board.network", json.dumps(network), words))
    tls_ca = (configuration.get("toolsnet") or {}).get("tls_ca")
    if tls_ca and not board.has_tls:
        words = f"null: the firmware of this board ({board.machine}) has no module tls"
        found.append(("toolsnet.tls_ca", json.dumps(tls_ca), words))
    chip = board.machine.rpartition(" with ")[2]
    found += _pin_mistakes(board.platform, configuration, chip, missing_pins)
    for index, station in enumerate(configuration["stations"]):
        place = f"stations[{index}]"
        if station["controller"]["link"] != "tcp":
            found += _chip_uart_mistakes(f"{place}.controller.device", station["controller"]["device"], chip)
        part = part_of(station["spool"])
        if part and board.ring_kib and part[1] > board.ring_kib:
            first, end = part
            found.append(
                (
                    f"{place}.spool.size_kib",
                    str(end - first),
                    f"at most {max(0, board.ring_kib - first)} from {first} KiB on: "
                    f"this board has {board.ring_kib} KiB of raw flash",
                )
            )
    return found


def _pin_mistakes(
    platform: str, configuration: dict, chip: str, missing_pins: Collection[int] = ()
) -> Iterator[Mistake]:
    """Give the pins that this chip does not have, or needs itself, or that cannot do what they are to."""
    pins = CHIPS.get(chip, ANY)
    for place, pin, is_output in _pins(platform, configuration):
        if pin not in pins.all:
            yield place, f"pin {pin}", f"a pin that an {chip} has"
        elif pin in missing_pins:
            yield place, f"pin {pin}", "a pin that this board has"
        elif pin in pins.flash:
            yield place, f"pin {pin}", f"a pin that does not serve the flash of an {chip}"
        elif pin in pins.console:
            yield place, f"pin {pin}", f"a pin that does not serve the console of an {chip}"
        elif is_output and pin in pins.inputs:
            yield place, f"pin {pin}", f"a pin with an output: {pin} of an {chip} has none"


def _uart_mistakes(platform: str, place: str, controller: dict) -> Iterator[Mistake]:
    if controller["link"] == "tcp":
        return
    number, named = parse_device(controller["device"])
    text = json.dumps(controller["device"])
    if number not in UARTS[platform]:
        numbers = " or ".join(map(str, UARTS[platform]))
        yield place, text, f"UART {numbers}: " + ("there are no others" if platform == "rp2" else "0 is the console")
    if len(set(named.values())) < len(named):
        yield place, text, "each pin once"
    elif platform == "rp2" and number in UARTS[platform]:
        for name, pin in named.items():
            if not _can_be(name, number, pin, all_of_2350=True):
                yield place, text, f"for {name} a pin of UART {number}: {_listed(name, number, True)}"


def _chip_uart_mistakes(place: str, device: str, chip: str) -> Iterator[Mistake]:
    number, named = parse_device(device)
    for name, pin in named.items():
        if chip == "RP2040" and not _can_be(name, number, pin, all_of_2350=False):
            yield place, json.dumps(device), f"for {name} a pin of an RP2040's UART {number}: {_listed(name, number)}"


def _can_be(name: str, number: int, pin: int, all_of_2350: bool) -> bool:
    """True if a UART of an RP2 can have this pin; an RP2350's sends and receives at those of CTS and RTS as well."""
    if not 0 <= pin <= HIGHEST["rp2"] or (pin + 4 >> 3) & 1 != number:
        return False
    rest = {"tx": 0, "rx": 1, "cts": 2, "rts": 3}[name]
    return pin % 4 == rest or (all_of_2350 and rest < 2 and pin % 2 == rest)


def _listed(name: str, number: int, all_of_2350: bool = False) -> str:
    return ", ".join(str(pin) for pin in range(30) if _can_be(name, number, pin, all_of_2350))


def _has_lan8720(platform: str, configuration: dict) -> bool:
    return platform == "esp32" and configuration["board"]["network"] == "ethernet"


def _pins(platform: str, configuration: dict) -> Iterator[tuple[str, int, bool]]:
    """Give every pin that is named, or taken without a name, the setting that takes it, and if it is an output."""
    board = configuration["board"]
    if platform == "rp2" and board["network"] == "wifi":
        yield from (("the radio", pin, True) for pin in RADIO_PINS)
    if _has_lan8720(platform, configuration):
        yield from _pins_of_lan8720(board["ethernet_pins"])
    elif board["network"] == "ethernet":
        yield from (("board.ethernet_pins", pin, True) for pin in board["ethernet_pins"] if pin >= 0)
    if (lamp := _number(platform, board["lamp"])) != NONE:
        yield "board.lamp", lamp, True
    if board["supply"]:
        yield "board.supply", board["supply"][0], False
    for index, station in enumerate(configuration["stations"]):
        controller = station["controller"]
        if controller["link"] == "tcp":
            continue
        place = f"stations[{index}].controller"
        number, named = parse_device(controller["device"])
        taken = [(pin, name in ("tx", "rts")) for name, pin in named.items()]
        if not taken and platform == "rp2":
            own = _OWN_PINS.get(number, ())[: 4 if controller["flow"] == "rts_cts" else 2]
            taken = [(pin, False) for pin in own]
        yield from ((f"{place}.device", pin, is_output) for pin, is_output in taken)
        if controller["rs485"].isdigit():
            yield f"{place}.rs485", int(controller["rs485"]), True


def _pins_of_lan8720(numbers: list[int]) -> Iterator[tuple[str, int, bool]]:
    """Give the pins of a LAN8720: those that its data always has, its clock, and the named ones."""
    mdc, mdio, power, reset, _, clock_in, clock_out = numbers
    yield from (("the data of the LAN8720", pin, False) for pin in LAN8720_PINS)
    if clock_in == clock_out == NONE:
        yield "the clock of the LAN8720", CLOCK_PIN, False
    outputs = [(pin, True) for pin in (mdc, mdio, power, reset, clock_out)]
    yield from (("board.ethernet_pins", pin, is_output) for pin, is_output in [*outputs, (clock_in, False)] if pin >= 0)
