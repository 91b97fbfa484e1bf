"""Pins for wired Ethernet and for the ADC that watches the supply: from the settings to the numbers that a chip gets.

Rules
1. A text is `NAME NUMBER, NAME NUMBER`; `-` instead of a number means no such pin. Names that are left out are as in
   OWN.
2. The order of OWN is the one in which the boards of toolcart.board.rp2 and toolcart.board.esp32 unpack them; NONE
   stands for no pin.
"""

from __future__ import annotations

from collections.abc import Iterator

NONE = -1
OWN = {
    # W5500-EVB-Pico; without the interrupt its driver looks for frames every 64 ms (ports/rp2/mpnetworkport.c).
    "rp2": {"sck": 18, "mosi": 19, "miso": 16, "cs": 17, "reset": 20, "interrupt": 21},
    # LAN8720 of a WT32-ETH01; `address` is the PHY's. If no clock pin is named its clock comes in on GPIO0.
    "esp32": {"mdc": 23, "mdio": 18, "power": 16, "reset": NONE, "address": 1, "clock_in": NONE, "clock_out": NONE},
}
CLOCK_PIN = 0  # of an ESP32, where a LAN8720's clock comes in; it goes out at the others as well
CLOCK_PINS = {"clock_in": (CLOCK_PIN,), "clock_out": (CLOCK_PIN, 16, 17)}
OPTIONAL = ("interrupt", "power", "reset", "clock_in", "clock_out")
HIGHEST = {"rp2": 47, "esp32": 48}  # of an RP2350B, of an ESP32-S3
ADDRESS_MOST = 31
_SPI = {"miso": 0, "sck": 2, "mosi": 3}  # an RP2's pin modulo four (ports/rp2/machine_spi.c)


def pins_of(platform: str, text: str) -> list[int]:
    """Return the numbers in the order of OWN; ValueError, saying what is allowed, for what cannot be."""
    numbers = dict(OWN[platform])
    for name, number in _named(text, numbers):
        if number == "-" and name in OPTIONAL and (platform, name) != ("rp2", "reset"):
            numbers[name] = NONE
        elif number.isascii() and number.isdigit() and int(number) <= _most(platform, name):
            numbers[name] = int(number)
        else:
            raise ValueError(f"a number up to {_most(platform, name)} for {name}")
    _check(platform, numbers)
    return list(numbers.values())


def _named(text: str, allowed: dict[str, int]) -> Iterator[tuple[str, str]]:
    seen = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition(" ")
        if name not in allowed or name in seen:
            raise ValueError(f"names out of {', '.join(allowed)}, each once and with a number")
        seen.add(name)
        yield name, number


def _most(platform: str, name: str) -> int:
    return ADDRESS_MOST if name == "address" else HIGHEST[platform]


def _check(platform: str, numbers: dict[str, int]) -> None:
    used = [number for name, number in numbers.items() if name != "address" and number != NONE]
    if len(used) != len(set(used)):
        raise ValueError("a pin of its own for each name")
    if platform == "rp2":
        for name, rest in _SPI.items():
            if numbers[name] % 4 != rest:
                raise ValueError(f"for {name} a pin that is {rest} modulo 4: others are no {name} of an RP2")
        if len({numbers[name] // 8 % 2 for name in _SPI}) > 1:
            raise ValueError("sck, mosi and miso of one SPI: 0-7 and 16-23 are SPI 0, 8-15 and 24-29 SPI 1")
        return
    if numbers["clock_in"] != NONE != numbers["clock_out"]:
        raise ValueError("clock_in or clock_out, not both")
    for name, allowed in CLOCK_PINS.items():
        if numbers[name] not in (NONE, *allowed):
            raise ValueError(f"for {name} {' or '.join(map(str, allowed))}: an ESP32 has the clock nowhere else")


# Of RP2040 and RP2350A, of RP2350B; ADC1 of ESP32, of ESP32-S3. Which it is the board at hand shows.
ADC_PINS = {"rp2": (*range(26, 30), *range(40, 48)), "esp32": (*range(32, 40), *range(1, 11))}
_ADC_WORDS = {"rp2": "26 to 29, of an RP2350B 40 to 47", "esp32": "32 to 39, of an ESP32-S3 1 to 10"}
RADIO_PIN = 29  # of a Pico W: it clocks the radio, and is VSYS / 3 only on boards without one
OWN_SUPPLY = {"min_mv": 0, "pin": 29, "ratio": 3}  # of a Pico
FULL_MV, FULL = 3300, 65536  # of an RP2's ADC


def supply_of(platform: str, board: dict) -> list[int]:
    """Return pin, and limit in ADC units and in mV, as toolcart.board.supplied_flash wants them; [] if not watched."""
    if not board["supply"]:
        return []
    numbers = dict(OWN_SUPPLY)
    for name, number in _named(board["supply"], numbers):
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise ValueError(f"a whole number for {name}")
        numbers[name] = int(number)
    least_mv, pin, ratio = numbers.values()
    if not least_mv:
        raise ValueError("min_mv, the voltage below which nothing is written, such as min_mv 4400")
    if pin not in ADC_PINS[platform]:
        raise ValueError(f"a pin with an ADC: {_ADC_WORDS[platform]}")
    if platform == "rp2" and pin == RADIO_PIN and board["network"] == "wifi":
        raise ValueError("26, 27 or 28 with a divider: on a board with Wi-Fi GPIO29 belongs to the radio")
    if not 0 < ratio <= least_mv:
        raise ValueError(f"a ratio from 1 to {least_mv}, by which the supply is divided at the pin")
    if least_mv >= FULL_MV * ratio:
        raise ValueError(f"a ratio with which {least_mv} mV are below {FULL_MV} mV at the pin, or a lower min_mv")
    return [pin, least_mv * FULL // (FULL_MV * ratio) if platform == "rp2" else least_mv * 1000 // ratio, least_mv]
