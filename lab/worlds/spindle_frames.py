"""MID 0101, 0106 and 0107 of a controller with several spindles, as it sends them in a world.

The first spindle has the result's own values, each other one its own, made from the production number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolcart.sim.controller_frames import parameters
from toolcart.sim.spindle_frames import BOLT, STATION, STATION_BOLT, SYNC
from lab.worlds.frames import LEVELS, tightening_of
from lab.worlds.history import Result


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


def _spindle_rows(result: Result, fields: Any) -> Iterator[tuple[str, dict, str, str]]:
    """Yield of each spindle its number, its statuses, torque and angle; the first one's statuses are as shown."""
    statuses_of = {name: getattr(fields, name) for name in ("status", "torque_status", "angle_status")}
    for number, (overall, *levels), torque, angle in spindles_of(result):
        if number != "0001":
            values = ("1" if overall == "0" else "0", *map(LEVELS.get, levels))
            statuses_of = dict(zip(statuses_of, values, strict=True))
        yield number[-2:], statuses_of, torque, angle


def sync(result: Result) -> bytes:
    """Return the data of 0101 revision 1."""
    v = tightening_of(result)
    rows = ""
    for number, statuses, torque, angle in _spindle_rows(result, v):
        digits, degrees = torque.replace(".", "")[-6:].rjust(6, "0"), angle.split(".")[0][-5:]
        if not rows:  # unreadable in a garbled one
            digits, degrees = v.torque, v.angle
        rows += f"{number}{number}{statuses['status']}{statuses['torque_status']}{digits}1{degrees}"
    head = {"spindle_count": result.spindles, "sync_id": v.tightening_id[-5:]}
    return parameters(SYNC, v, instead=head) + b"18" + rows.encode()


def station(result: Result, revision: int) -> bytes:
    """Return the data of 0106."""
    v = tightening_of(result)
    head = {"messages": result.spindles + 1, "message": 1, "station_number": 1, "station_name": "Front axle"}
    head |= {"mode": v.pset, "mode_name": "Both sides", "pm_status": 0 if v.status == "1" else 2}
    octets = parameters(STATION, v, instead={**head, "bolts": result.spindles})
    limits = {"torque_max": "50.0000", "torque_min": "40.0000", "angle_max": "90.0000", "angle_min": "60.0000"}
    for number, fields, torque, angle in _spindle_rows(result, v):
        fields = {"number": number, **fields, "torque": _figure(torque), "angle": _figure(angle), **limits}
        octets += parameters(STATION_BOLT, v, instead=fields)
    return octets + b"2300" + (b"24001" if revision >= 4 else b"")


def bolt(result: Result, revision: int, part: int) -> bytes:
    """Return the data of 0107, message number `part`; its time has 19 bytes as the text says (OP 5.13.3 p. 188)."""
    bolt = part - 1
    fields = {"messages": result.spindles + 1, "message": part, "tightening_id": result.id_text, "station_number": 1}
    fields |= {"bolt": 20 + bolt, "bolt_name": f"Bolt {bolt}", "program": "Yield", "pm_status": 0}
    octets = parameters(BOLT, tightening_of(result), instead={**fields, "errors": "", "customer_error": ""})
    octets += f"1201{'Peak T':<20}F 12.345613001141{'Step T':<20}F 10.0000011500".encode()
    return octets + (b"16001" if revision >= 4 else b"")
