"""The Open Protocol messages that a controller of a world sends.

Rules
1. A message is 20 bytes of header, its data, one uncounted NUL.
2. Layouts are those of toolcart.sim.
3. Of several spindles the first has the result's own values, each other one its own, made from the production number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolcart.sim import controller_model
from toolcart.sim.controller_frames import old_result_data, parameters, result_data
from toolcart.sim.controller_model import Tightening
from toolcart.sim.result_frames import BOLT, STATION, STATION_BOLT, SYNC, object_data, overall_data
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
    shown = "   " if blank_revision and revision == 1 else f"{revision:03d}"
    return f"{HEADER + len(content):04d}{mid:04d}{shown}{rest}".encode() + content + b"\0"


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


def shown_of(result: Result, is_whole: bool = False) -> Any:
    """Return a result in the form that the simulator writes; `is_whole`: as if it were readable."""
    shown: Any = Tightening()
    vars(shown).update(_EVERY)
    shown.vin = result.vin
    shown.pset = 1 + result.tightening() % 9
    shown.status = "1" if result.statuses[0] == "0" else "0"
    shown.light_status = result.shown_status if shown.status == "0" and result.shown_status else None
    shown.torque_status, shown.angle_status = LEVELS[result.statuses[1]], LEVELS[result.statuses[2]]
    shown.torque = result.torque.replace(".", "")[-6:].rjust(6, "0")
    shown.angle = result.angle.split(".")[0][-5:].rjust(5, "0")
    shown.time = _stamp(result.stamp)
    shown.tightening_id = result.id_text
    shown.station_number = OURS if result.station else OTHERS
    if result.frame != READABLE and not is_whole:  # the ID can be read in a 0065 alone
        shown.status = shown.torque_status = shown.angle_status = GARBLED
        shown.light_status = None
        shown.torque, shown.angle = GARBLED * 6, GARBLED * 5
        shown.time, shown.tightening_id = GARBLED * 19, GARBLED * 10
    return shown


def pushed(result: Result, revision: int) -> bytes:
    """Return the data of 0061."""
    return result_data(shown_of(result), revision)


def fetched(result: Result, revision: int, pad: str = "") -> bytes:
    """Return the data of 0065; its ID is padded with zeros, or blanks on the `left` or `right` (OP 5.8.6 p. 146)."""
    shorter = result.id_text.lstrip("0") or "0"
    shown = shorter.rjust(10) if pad == "left" else shorter.ljust(10) if pad == "right" else result.id_text
    of_station = {"controller_name": Identity.station_name} if revision == 7 else {}
    return old_result_data(shown_of(result), revision, instead={"tightening_id": shown, **of_station})


# -- MID 1201 and 1202 of a MT Focus 6000 (MT notes on MID 1202) ---------------------------------------------------

_STATUS = {"0": "1", "2": "2", "3": "3"}  # ToolsNet's OK, low, high as MT notes on MID 1202 numbers them
_MNM, _DEGREES, _SECONDS = 90, 50, 200


def _exponential(value: float) -> str:
    """Return a figure as a MT Focus 6000 prints it, torque in mNm, unit 090 (MT "Communication")."""
    return f"{value:012.3e}"


def _linked(result: Result, is_push: bool) -> Any:
    """Return the fields; of a garbled push the ten digits that link its parts are unreadable, and no more."""
    shown = shown_of(result, is_whole=True)
    if is_push and result.frame != READABLE:
        shown.tightening_id = GARBLED * 10
    return shown


def overall(result: Result, revision: int, asked_with: int) -> bytes:
    """Return the data of 1201 in revision 1, 2 (says what it was asked with) or 3 (more of each object)."""
    return overall_data(_linked(result, asked_with == 8), revision, asked_with=asked_with)


def details(result: Result, revision: int, is_push: bool) -> bytes:
    """Return the data of 1202; from revision 2 on with a GUID. One follows each 1201, always (MT notes on MID 0008)."""
    v = _linked(result, is_push)
    torque, angle = _exponential(float(result.torque) * 1000), _exponential(float(result.angle))
    fields = (
        (30200, 2, 0, f"{int(result.id_text):011d}"),
        (30201, 2, 0, "1"),
        (30202, 2, 0, "1" if v.status == "1" else "3"),
        (30203, 5, 0, v.time),
        (30210, 4, 0, b"Cell \xe4"),
        (30214, 4, 0, "T0000001"),
        (30216, 2, 0, f"{v.pset:03d}"),
        (30220, 5, 0, PSET_CHANGE),
        (30221, 2, 0, "00007"),
        (30228, 2, 0, "006"),
        (30229, 2, 0, "004"),
        (30230, 90, _MNM, _exponential(float(result.torque) * 1100)),
        (30232, 90, _SECONDS, _exponential(1.234)),
        (30237, 90, _MNM, torque),
        (30238, 90, _DEGREES, angle),
        (30241, 2, 0, _STATUS[result.statuses[1]]),
        (30242, 2, 0, _STATUS[result.statuses[2]]),
        (30244, 4, 0, f"{'VIN':<48}"),
        (30245, 4, 0, result.vin),
        (30255, 90, _MNM, _exponential(50000)),
        (30256, 90, _MNM, _exponential(40000)),
        (30257, 90, _DEGREES, _exponential(90)),
        (30258, 90, _DEGREES, _exponential(60)),
        (30301, 2, 0, "003", 1),
        (30302, 90, _MNM, torque, 1),
    )
    return object_data(v, revision, fields)


# -- several spindles -----------------------------------------------------------------------------------------------


def spindles_of(result: Result) -> list[tuple[str, str, str, str]]:
    """Return what ToolsNet must have of each spindle: number, statuses, torque, angle."""
    found = [("0001", result.statuses, result.torque, result.angle)]
    for index in range(2, result.spindles + 1):
        hundredths = (result.number * 13 + index * 101) % 10000
        torque = f"{hundredths // 100:05d}.{hundredths % 100:02d}"
        ok = (result.number + index) % 5 != 0
        found.append((f"{index:04d}", "000" if ok else "120", torque, f"{(result.number + 7 * index) % 1000:06d}.0"))
    return found


def _figure(text: str) -> str:
    """Return a figure as a PowerMACS writes it: seven characters with a point (OP 5.13.2 p. 183)."""
    whole, _, fraction = text.partition(".")
    digits = f"{int(whole)}.{fraction:0<4}"
    return digits[:7].rjust(7, "0")


def _told(result: Result, shown: Any) -> Iterator[tuple[str, dict, str, str]]:
    """Yield of each spindle its number, its statuses, torque and angle; the first one's statuses are as shown."""
    statuses_of = {name: getattr(shown, name) for name in ("status", "torque_status", "angle_status")}
    for number, (overall, *levels), torque, angle in spindles_of(result):
        if number != "0001":
            values = ("1" if overall == "0" else "0", *map(LEVELS.get, levels))
            statuses_of = dict(zip(statuses_of, values, strict=True))
        yield number[-2:], statuses_of, torque, angle


def sync(result: Result) -> bytes:
    """Return the data of 0101 revision 1."""
    v = shown_of(result)
    rows = ""
    for number, told, torque, angle in _told(result, v):
        shown, degrees = torque.replace(".", "")[-6:].rjust(6, "0"), angle.split(".")[0][-5:]
        if not rows:  # unreadable in a garbled one
            shown, degrees = v.torque, v.angle
        rows += f"{number}{number}{told['status']}{told['torque_status']}{shown}1{degrees}"
    head = {"spindle_count": result.spindles, "sync_id": v.tightening_id[-5:]}
    return parameters(SYNC, v, instead=head) + b"18" + rows.encode()


def station(result: Result, revision: int) -> bytes:
    """Return the data of 0106."""
    v = shown_of(result)
    head = {"messages": result.spindles + 1, "message": 1, "station_number": 1, "station_name": "Front axle"}
    head |= {"mode": v.pset, "mode_name": "Both sides", "pm_status": 0 if v.status == "1" else 2}
    octets = parameters(STATION, v, instead={**head, "bolts": result.spindles})
    limits = {"torque_max": "50.0000", "torque_min": "40.0000", "angle_max": "90.0000", "angle_min": "60.0000"}
    for number, told, torque, angle in _told(result, v):
        told = {"number": number, **told, "torque": _figure(torque), "angle": _figure(angle), **limits}
        octets += parameters(STATION_BOLT, v, instead=told)
    return octets + b"2300" + (b"24001" if revision >= 4 else b"")


def bolt(result: Result, revision: int, part: int) -> bytes:
    """Return the data of 0107, message number `part`; its time has 19 bytes as the text says (OP 5.13.3 p. 188)."""
    bolt = part - 1
    told = {"messages": result.spindles + 1, "message": part, "tightening_id": result.id_text, "station_number": 1}
    told |= {"bolt": 20 + bolt, "bolt_name": f"Bolt {bolt}", "program": "Yield", "pm_status": 0}
    octets = parameters(BOLT, shown_of(result), instead={**told, "errors": "", "customer_error": ""})
    octets += f"1201{'Peak T':<20}F 12.345613001141{'Step T':<20}F 10.0000011500".encode()
    return octets + (b"16001" if revision >= 4 else b"")
