"""MID 1201 and 1202 of a MT Focus 6000, written from 003:7160-7305 and 002:698-852.

A variable data field is PID 5, length 3, type 2, unit 3, step 4 and its value (003:1331-1374). Figures are printed as
`%012.3e`, torque in mNm, unit 090 (002:39-77).
"""

from __future__ import annotations

from lab.worlds.controller_frames import GARBLED, PSET_CHANGE, Values
from lab.worlds.history import READABLE, Result

TOTAL = "002"  # one MID 1202 follows, always (002:314-315)
_GUID = "00112233-4455-6677-8899-aabbccddeeff"
_STATUS = {"0": "1", "2": "2", "3": "3"}  # ToolsNet's OK, low, high as 002:787-803 numbers them
_MNM, _DEGREES, _SECONDS = 90, 50, 200


def _field(pid: int, kind: int, value: str, unit: int = 0, step: int = 0) -> str:
    return f"{pid:05d}{len(value):03d}{kind:02d}{unit:03d}{step:04d}{value}"


def _figure(value: float) -> str:
    return f"{value:012.3e}"


def _identifier(result: Result, is_push: bool) -> str:
    """Return the ten digits that link the parts; unreadable in a garbled push."""
    return GARBLED * 10 if is_push and result.frame != READABLE else result.id_text


def _own(result: Result) -> Result:
    """Return the result as in the history: only a push is garbled."""
    return result if result.frame == READABLE else Result(**{**vars(result), "frame": READABLE})


def overall(result: Result, revision: int, asked_with: int) -> str:
    """Return the data of 1201 in revision 1, 2 (says what it was asked with) or 3 (more of each object)."""
    v = Values(_own(result))
    head = f"{TOTAL}001{_identifier(result, asked_with == 8)}{v.stamp}{v.ok}00"
    if revision > 1:
        head += f"{asked_with:04d}"
    one = f"0001{v.ok}" + ("20000" if revision > 2 else "")
    return f"{head}001{one}000"


def details(result: Result, revision: int, is_push: bool) -> str:
    """Return the data of 1202; from revision 2 on with a GUID."""
    v = Values(_own(result))
    torque = _figure(float(result.torque) * 1000)
    angle = _figure(float(result.angle))
    fields = [
        _field(30200, 2, f"{int(result.id_text):011d}"),
        _field(30201, 2, "1"),
        _field(30202, 2, "1" if v.ok == "1" else "3"),
        _field(30203, 5, v.stamp),
        _field(30210, 4, "Cell \u00e4"),
        _field(30214, 4, "T0000001"),
        _field(30216, 2, v.pset),
        _field(30220, 5, PSET_CHANGE),
        _field(30221, 2, "00007"),
        _field(30228, 2, "006"),
        _field(30229, 2, "004"),
        _field(30230, 90, _figure(float(result.torque) * 1100), _MNM),
        _field(30232, 90, _figure(1.234), _SECONDS),
        _field(30237, 90, torque, _MNM),
        _field(30238, 90, angle, _DEGREES),
        _field(30241, 2, _STATUS[result.statuses[1]]),
        _field(30242, 2, _STATUS[result.statuses[2]]),
        _field(30244, 4, f"{'VIN':<48}"),
        _field(30245, 4, result.vin),
        _field(30255, 90, _figure(50000), _MNM),
        _field(30256, 90, _figure(40000), _MNM),
        _field(30257, 90, _figure(90), _DEGREES),
        _field(30258, 90, _figure(60), _DEGREES),
        _field(30301, 2, "003", step=1),
        _field(30302, 90, torque, _MNM, 1),
    ]
    head = f"{TOTAL}002{_identifier(result, is_push)}0001" + (_GUID if revision > 1 else "")
    return f"{head}{len(fields):03d}{''.join(fields)}"
