"""MID 1201 and 1202 of a MT Focus 6000 (MT notes on MID 1202), as it sends them in a world."""

from __future__ import annotations

from typing import Any

from toolcart.sim.operation_frames import object_data, overall_data
from lab.worlds.frames import GARBLED, PSET_CHANGE, tightening_of
from lab.worlds.history import READABLE, Result

_STATUS = {"0": "1", "2": "2", "3": "3"}  # ToolsNet's OK, low, high as MT notes on MID 1202 numbers them
_MNM, _DEGREES, _SECONDS = 90, 50, 200


def _exponential(value: float) -> str:
    """Return a figure as a MT Focus 6000 prints it, torque in mNm, unit 090 (MT "Communication")."""
    return f"{value:012.3e}"


def _linked(result: Result, is_push: bool) -> Any:
    """Return the fields; of a garbled push the ten digits that link its parts are unreadable, and no more."""
    tightening = tightening_of(result, is_whole=True)
    if is_push and result.frame != READABLE:
        tightening.tightening_id = GARBLED * 10
    return tightening


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
