"""The Open Protocol messages that a controller of a world sends.

Rules
1. A message is 20 bytes of header, its data, one uncounted NUL.
2. Layouts are those of toolcart.sim.
"""

from __future__ import annotations

from typing import Any

from toolcart.sim import controller_model
from toolcart.sim.controller_frames import old_result_data, result_data
from toolcart.sim.controller_model import Tightening
from lab.worlds.history import READABLE, Result

HEADER = 20
# Bytes 12 to 20 (no-ack, station, spindle, sequence, parts) as controllers of different makers fill them.
HEADER_RESTS = ["         ", "00101    ", " 0101    ", "0000000  ", "0    00  "]
GARBLED = "#"
PSET_CHANGE = "2026-01-01:08:00:00"
LEVELS = {"0": "1", "2": "0", "3": "2"}  # ToolsNet's OK, low, high as Open Protocol's
OURS, OTHERS = 10, 11  # stations, as 0002 and 0065 revision 7 name them


def message(
    mid: int, revision: int, content: bytes, rest: str = HEADER_RESTS[0], blank_revision: bool = False
) -> bytes:
    """Return one message with its end."""
    revision_text = "   " if blank_revision and revision == 1 else f"{revision:03d}"
    return f"{HEADER + len(content):04d}{mid:04d}{revision_text}{rest}".encode() + content + b"\0"


def with_spindle_first(whole: bytes) -> bytes:
    """Return a message with the header of OP-Ford and OP-BMW (878 p. 338): spindle, revision, seven of no meaning."""
    revision = whole[8:11] if whole[8:11].strip() else b"001"
    spindle = whole[14:16] if whole[14:16].strip() else b"00"
    return whole[:8] + spindle + revision + b"*" * 7 + whole[HEADER:]


class Identity(controller_model.Identity):
    """What 0002 and 0041 say of the controller."""

    cell = 10
    controller_name = "World controller"
    station_number, station_name = OURS, "Cell"
    tightenings = 1234
    calibrated = "2026-01-02:03:04:05"

    def __init__(self, serial: str, system_type: int = 1, software: str = "3.6.2") -> None:
        self.controller_serial = serial
        self.tool_serial = f"T{serial}"
        self.system_type = system_type
        self.software_version = software


def _stamp(stamp: str) -> str:
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}:{stamp[8:10]}:{stamp[10:12]}:{stamp[12:]}"


_EVERY = {  # of every result
    "cell": Identity.cell,
    "controller_name": Identity.controller_name,
    "job": 7,
    "batch_counter": 4,
    "torque_min": 4000,
    "torque_max": 5000,
    "torque_target": 4500,
    "angle_min": 60,
    "angle_max": 90,
    "angle_target": 75,
    "pset_change": PSET_CHANGE,
}


def tightening_of(result: Result, is_whole: bool = False) -> Any:
    """Return a result in the form that the simulator writes; `is_whole`: as if it were readable."""
    tightening: Any = Tightening()
    vars(tightening).update(_EVERY)
    tightening.vin = result.vin
    tightening.pset = 1 + result.tightening() % 9
    tightening.status = "1" if result.statuses[0] == "0" else "0"
    tightening.light_status = result.shown_status if tightening.status == "0" and result.shown_status else None
    tightening.torque_status, tightening.angle_status = LEVELS[result.statuses[1]], LEVELS[result.statuses[2]]
    tightening.torque = result.torque.replace(".", "")[-6:].rjust(6, "0")
    tightening.angle = result.angle.split(".")[0][-5:].rjust(5, "0")
    tightening.time = _stamp(result.stamp)
    tightening.tightening_id = result.id_text
    tightening.station_number = OURS if result.station else OTHERS
    if result.frame != READABLE and not is_whole:  # the ID can be read in a 0065 alone
        tightening.status = tightening.torque_status = tightening.angle_status = GARBLED
        tightening.light_status = None
        tightening.torque, tightening.angle = GARBLED * 6, GARBLED * 5
        tightening.time, tightening.tightening_id = GARBLED * 19, GARBLED * 10
    return tightening


def pushed(result: Result, revision: int) -> bytes:
    """Return the data of 0061."""
    return result_data(tightening_of(result), revision)


def fetched(result: Result, revision: int, pad: str = "") -> bytes:
    """Return the data of 0065; its ID is padded with zeros, or blanks on the `left` or `right` (OP 5.8.6 p. 146)."""
    shorter = result.id_text.lstrip("0") or "0"
    ident = shorter.rjust(10) if pad == "left" else shorter.ljust(10) if pad == "right" else result.id_text
    of_station = {"controller_name": Identity.station_name} if revision == 7 else {}
    return old_result_data(tightening_of(result), revision, instead={"tightening_id": ident, **of_station})
