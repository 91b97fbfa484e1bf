"""The telegrams of ToolsNet Open Protocol 3.4 as its server reads them: strictly, by the tables of the document.

`Refused` says what differs from the document. Positions are counted from 1, as there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GENERAL, SPINDLE, EXTRA_VIN, PARAMETER = 80, 70, 29, 72
ID_PARAMETER = "00030"


class Refused(Exception):
    """This telegram is not well formed."""


@dataclass
class ResultTelegram:
    """What a telegram 04 says (004:120-185)."""

    identifier: str
    station: int
    stamp: str
    sequence: int
    vin: str
    overall: str
    torque: str
    torque_status: str
    angle: str
    angle_status: str
    spindle: int = 1
    others: list[tuple[str, str, str, str]] = field(default_factory=list)  # spindle, statuses, torque, angle of each
    parameters: dict[str, str] = field(default_factory=dict)


def _digits(text: str, first: int, last: int, what: str) -> str:
    part = text[first - 1 : last]
    if len(part) != last - first + 1 or not (part.isascii() and part.isdigit()):
        raise Refused(f"{what} {part!r} at {first}")
    return part


def _decimal(text: str, first: int, last: int, places: int, what: str) -> str:
    part = text[first - 1 : last]
    whole, point, fraction = part.partition(".")
    if not (point and whole.isdigit() and fraction.isdigit() and len(fraction) == places):
        raise Refused(f"{what} {part!r} at {first}")
    return part


def _one_of(text: str, place: int, allowed: str, what: str) -> str:
    part = text[place - 1 : place]
    if not part or part not in allowed:
        raise Refused(f"{what} {part!r} at {place}")
    return part


def printable(octets: bytes) -> str:
    """Return the telegram as text; all of it must be ASCII."""
    if not (octets.isascii() and octets.decode("ascii").isprintable()):
        raise Refused("an octet outside 0x20 to 0x7E")
    return octets.decode("ascii")


def read_result(octets: bytes) -> ResultTelegram:
    """Read a telegram 04; raise Refused at the first difference from the tables."""
    text = printable(octets)
    identifier = _digits(text, 3, 7, "identifier")
    if _digits(text, 8, 9, "length of the general part") != str(GENERAL):
        raise Refused("length of the general part")
    _digits(text, 10, 13, "system type")
    _digits(text, 14, 17, "system number")
    station = int(_digits(text, 18, 21, "station number"))
    stamp = _digits(text, 22, 35, "time")
    if not ("01" <= stamp[4:6] <= "12" and "01" <= stamp[6:8] <= "31" and stamp[8:10] <= "23" and stamp[10:12] <= "59"):
        raise Refused(f"time {stamp}")
    sequence = int(_digits(text, 36, 40, "sequence"))
    if not sequence:
        raise Refused("sequence 00000")
    vin = text[40:65]
    spindles = int(_digits(text, 66, 69, "number of spindles"))
    vins = int(_digits(text, 72, 73, "number of VINs"))
    count = int(_digits(text, 76, 78, "number of parameters"))
    if (text[69:71], text[73:75], text[78:80]) != (str(SPINDLE), str(EXTRA_VIN), str(PARAMETER)):
        raise Refused("length of spindle part, VIN or parameter")
    if len(text) != GENERAL + SPINDLE * spindles + EXTRA_VIN * vins + PARAMETER * count or spindles < 1:
        raise Refused(f"{len(text)} octets for {spindles} spindles, {vins} VINs, {count} parameters")
    parameters = {}
    for index in range(count):
        at = GENERAL + SPINDLE * spindles + EXTRA_VIN * vins + PARAMETER * index
        _digits(text, at + 1, at + 13, "spindle, program and parameter")
        _one_of(text, at + 64, "012", "type of a parameter")
        _digits(text, at + 71, at + 72, "step")
        parameters[text[at + 8 : at + 13]] = text[at + 38 : at + 63].strip()
    parts = [_spindle(text, GENERAL + SPINDLE * index) for index in range(spindles)]
    numbers = [part[0] for part in parts]
    if len(set(numbers)) < len(numbers):
        raise Refused(f"spindles {numbers}")
    spindle, statuses, torque, angle = parts[0]
    return ResultTelegram(
        identifier=identifier,
        station=station,
        stamp=stamp,
        sequence=sequence,
        vin=vin.strip(),
        overall=statuses[0],
        torque=torque,
        torque_status=statuses[1],
        angle=angle,
        angle_status=statuses[2],
        spindle=int(spindle),
        others=parts[1:],
        parameters=parameters,
    )


def _spindle(text: str, at: int) -> tuple[str, str, str, str]:
    """Return one spindle part: its number, overall, torque and angle status, torque, angle (004:141-155)."""
    number = _digits(text, at + 1, at + 4, "spindle")
    if not 1 <= int(_digits(text, at + 15, at + 18, "program")) <= 9999:
        raise Refused("program 0000")
    _decimal(text, at + 20, at + 27, 2, "lower torque limit")
    _decimal(text, at + 37, at + 44, 2, "upper torque limit")
    _decimal(text, at + 45, at + 52, 1, "lower angle limit")
    _decimal(text, at + 62, at + 69, 1, "upper angle limit")
    _one_of(text, at + 70, "0123456789", "time status")
    statuses = (
        _one_of(text, at + 19, "01", "overall status")
        + _one_of(text, at + 36, "0123", "torque status")
        + _one_of(text, at + 61, "0123", "angle status")
    )
    torque = _decimal(text, at + 28, at + 35, 2, "torque")
    return number, statuses, torque, _decimal(text, at + 53, at + 60, 1, "angle")


def read_event(octets: bytes) -> tuple[str, int, int, int]:
    """Read a telegram 09 (004:189-204): identifier, station, sequence and error code."""
    text = printable(octets)
    identifier = _digits(text, 3, 7, "identifier")
    _digits(text, 8, 15, "system type and number")
    station = int(_digits(text, 16, 19, "station"))
    stamp = _digits(text, 20, 33, "time")
    if not ("01" <= stamp[4:6] <= "12" and "01" <= stamp[6:8] <= "31" and stamp[8:10] <= "23" and stamp[10:12] <= "59"):
        raise Refused(f"time {stamp}")
    sequence = int(_digits(text, 34, 38, "event sequence"))
    code = int(_digits(text, 39, 43, "error code"))
    _digits(text, 44, 46, "level")
    count = int(_digits(text, 47, 48, "number of parameters"))
    if not sequence or len(text) != 48 + 24 * count:
        raise Refused(f"sequence {sequence}, {len(text)} octets for {count} parameters")
    for index in range(count):
        _digits(text, 49 + 24 * index, 52 + 24 * index, "parameter and its type")
    return identifier, station, sequence, code


def read_request(octets: bytes) -> tuple[str, int]:
    """Read a telegram 07 (004:231-238): identifier and station."""
    text = printable(octets)
    if len(text) != 19:
        raise Refused(f"07 of {len(text)} octets")
    _digits(text, 3, 15, "identifier, system type and number")
    return text[2:7], int(_digits(text, 16, 19, "station"))


def framed(text: str) -> bytes:
    """Return a telegram preceded by the four digits of its length."""
    return f"{len(text):04d}{text}".encode("ascii")


def acknowledgement(identifier: str, stamp: str, code: int) -> bytes:
    """Return telegram 05 (004:217-223)."""
    return framed(f"05{identifier}{stamp}{code:03d}")


def event_acknowledgement(identifier: str, station: int, stamp: str) -> bytes:
    """Return telegram 10 (004:206-215), of system 1 of type 3."""
    return framed(f"10{identifier}00030001{station:04d}{stamp}00000")


def information(identifier: str, result: str, host: str, port: int, event: int = 0) -> bytes:
    """Return telegram 08 (004:240-248)."""
    return framed(f"08{identifier}{result}{event:05d}{host:<15}{port:05d}")
