"""The telegrams of ToolsNet Open Protocol 3.4 as its server reads them: strictly, by the layouts of toolcart.toolsnet.

`MalformedTelegram` says what differs from the document.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolcart.toolsnet.records import TIGHTENING_ID_PARAMETER
from toolcart.toolsnet.telegrams import frame, take_apart


class MalformedTelegram(Exception):
    """This telegram is not well formed."""


@dataclass
class ResultTelegram:
    """What a telegram 04 says (TN 5.3)."""

    identifier: str
    station: int
    stamp: str
    sequence: int
    vin: str
    spindles: list[tuple[str, str, str, str]]  # number; overall, torque and angle status; torque; angle
    tightening_id: str | None = None


def read(octets: bytes) -> dict:
    """Return the fields of a telegram; raise Refused at the first difference from the tables."""
    found, breaches = take_apart(octets)
    if breaches:
        raise MalformedTelegram(str(breaches[0]))
    if found.get("sequence") == 0:
        raise MalformedTelegram("sequence 00000")
    return found


def read_result(octets: bytes) -> ResultTelegram:
    """Read a telegram 04."""
    found = read(octets)
    judged = "{overall}{torque_status}{angle_status}".format
    spindles = [(f"{one['spindle']:04d}", judged(**one), one["torque"], one["angle"]) for one in found["spindles"]]
    if len({number for number, *_ in spindles}) < len(spindles):
        raise MalformedTelegram(f"spindles {[number for number, *_ in spindles]}")
    ids = [one["value"].strip() for one in found["parameters"] if one["parameter_id"] == TIGHTENING_ID_PARAMETER]
    head = identifier_of(octets), found["station"], found["time"], found["sequence"], found["vin"].strip()
    return ResultTelegram(*head, spindles, ids[0] if ids else None)


def identifier_of(octets: bytes) -> str:
    """Return the five digits by which a telegram is answered."""
    return octets[2:7].decode("ascii", "replace")


def acknowledgement(identifier: str, stamp: str, code: int) -> bytes:
    """Return telegram 05 (TN 5.6)."""
    return frame(f"05{identifier}{stamp}{code:03d}".encode())


def event_acknowledgement(identifier: str, station: int, stamp: str) -> bytes:
    """Return telegram 10 (TN 5.5), of system 1 of type 3."""
    return frame(f"10{identifier}00030001{station:04d}{stamp}00000".encode())


def information(identifier: str, result: str, host: str, port: int, event: int = 0) -> bytes:
    """Return telegram 08 (TN 5.9)."""
    return frame(f"08{identifier}{result}{event:05d}{host:<15}{port:05d}".encode())
