"""MID 0101, 0106 and 0107 of a controller with several spindles, written from 003:7798-8145 and 003:8245-9058.

The first spindle has the result's own values, each other one its own, made from the production number. PowerMACS
writes figures as seven characters with a point (003:8338-8346).
"""

from __future__ import annotations

from lab.worlds.controller_frames import LEVELS, PSET_CHANGE, Values
from lab.worlds.history import Result


def numbered(*fields: tuple[int, str]) -> str:
    """Return parameters, each preceded by the two digits of its number."""
    return "".join(f"{number:02d}{value}" for number, value in fields)


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
    whole, _, fraction = text.partition(".")
    digits = f"{int(whole)}.{fraction:0<4}"
    return digits[:7].rjust(7, "0")


def sync(result: Result) -> bytes:
    """Return the data of 0101 revision 1."""
    v = Values(result)
    head = [
        (1, f"{result.spindles:02d}"),
        (2, f"{v.vin:<25}"),
        (3, f"{v.job:02d}"),
        (4, f"{v.pset:03d}"),
        (5, "0006"),
        (6, "0004"),
        (7, "0"),
    ]
    torque = [(8, "004000"), (9, "005000"), (10, "004500")]
    angle = [(11, "00060"), (12, "00090"), (13, "00075")]
    rows = []
    for index, (number, statuses, value, turned) in enumerate(spindles_of(result)):
        overall, level, turn = "1" if statuses[0] == "0" else "0", LEVELS[statuses[1]], "1"
        shown, degrees = value.replace(".", "")[-6:].rjust(6, "0"), turned.split(".")[0][-5:]
        if not index:  # unreadable in a garbled one
            overall, level, shown, degrees = v.status, v.torque_status, v.torque, v.angle
        rows.append(f"{number[-2:]}{number[-2:]}{overall}{level}{shown}{turn}{degrees}")
    tail = [(14, PSET_CHANGE), (15, v.time), (16, v.tightening_id[-5:]), (17, v.status), (18, "".join(rows))]
    return numbered(*head, *torque, *angle, *tail).encode()


def station(result: Result, revision: int) -> bytes:
    """Return the data of 0106."""
    v = Values(result)
    count = result.spindles
    head = [
        (1, f"{count + 1:02d}"),
        (2, "01"),
        (3, v.tightening_id),
        (4, "01"),
        (5, f"{'Front axle':<20}"),
        (6, v.time),
    ]
    mode = [(7, f"{v.pset:02d}"), (8, f"{'Both sides':<20}"), (9, v.status), (10, "0" if v.status == "1" else "2")]
    bolts = ""
    for index, (number, statuses, torque, angle) in enumerate(spindles_of(result)):
        overall, level, turn = "1" if statuses[0] == "0" else "0", LEVELS[statuses[1]], LEVELS[statuses[2]]
        if not index:
            overall, level, turn = v.status, v.torque_status, v.angle_status
        judged = [(13, number[-2:]), (14, overall), (15, level), (16, turn)]
        limits = [(19, "50.0000"), (20, "40.0000"), (21, "90.0000"), (22, "60.0000")]
        bolts += numbered(*judged, (17, _figure(torque)), (18, _figure(angle)), *limits)
    data = numbered(*head, *mode, (11, f"{result.vin:<40}"), (12, f"{count:02d}")) + bolts + numbered((23, "00"))
    return (data + (numbered((24, "001")) if revision >= 4 else "")).encode()


def bolt(result: Result, revision: int, part: int) -> bytes:
    """Return the data of 0107, message number `part`; its time has 19 bytes as the text says (003:8713-8718)."""
    v = Values(result)
    index = part - 1
    head = [(1, f"{result.spindles + 1:02d}"), (2, f"{part:02d}"), (3, result.id_text), (4, "01"), (5, v.time)]
    names = [(6, f"{20 + index:04d}"), (7, f"{'Bolt ' + str(index):<20}"), (8, f"{'Yield':<20}"), (9, "0")]
    values = f"01{'Peak T':<20}F 12.3456"
    steps = f"{'Step T':<20}F 10.000001"
    data = numbered(
        *head, *names, (10, " " * 50), (11, "    "), (12, values), (13, "001"), (14, "1" + steps), (15, "00")
    )
    return (data + (numbered((16, "001")) if revision >= 4 else "")).encode()
