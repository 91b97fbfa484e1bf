"""The Open Protocol messages that a controller sends, written from the tables of release 2.8.0.

Line numbers are those of the digest's parts A to D. A message is 20 bytes of header, its data, one uncounted NUL.
"""

from __future__ import annotations

from lab.worlds.history import READABLE, Result

HEADER = 20
# Bytes 12 to 20 (no-ack, station, spindle, sequence, parts) as controllers of different makers fill them.
HEADER_RESTS = ("         ", "00101    ", " 0101    ", "0000000  ", "0    00  ")
GARBLED = "#"
OURS, OTHERS = 10, 11  # stations, as 0002 and 0065 revision 7 name them


def message(mid: int, revision: int, content: str, rest: str = HEADER_RESTS[0], blank_revision: bool = False) -> bytes:
    """Return one message with its end."""
    shown = "   " if blank_revision and revision == 1 else f"{revision:03d}"
    text = f"{HEADER + len(content):04d}{mid:04d}{shown}{rest}{content}\0"
    return text.encode("latin-1")


def with_spindle_first(whole: bytes) -> bytes:
    """Return a message with the header of OP-Ford and OP-BMW (878 p. 338): spindle, revision, seven of no meaning."""
    revision = whole[8:11] if whole[8:11].strip() else b"001"
    spindle = whole[14:16] if whole[14:16].strip() else b"00"
    return whole[:8] + spindle + revision + b"*" * 7 + whole[HEADER:]


def with_usual_header(whole: bytes) -> bytes:
    """Return a message that has the spindle first in the usual form; spindle 00 is none."""
    spindle = b"  " if whole[8:10] == b"00" else whole[8:10]
    return whole[:8] + whole[10:13] + b"   " + spindle + b"    " + whole[HEADER:]


def numbered(*fields: tuple[int, str]) -> str:
    """Return parameters, each preceded by the two digits of its number."""
    return "".join(f"{number:02d}{value}" for number, value in fields)


def started(revision: int, serial: str, system_type: int = 1, software: str = "3.6.2") -> str:
    """Return the data of 0002 (003:3095-3232) up to this revision."""
    parts = [
        [(1, "0010"), (2, "01"), (3, f"{'World controller':<25}")],
        [(4, "ACT")],
        [(5, f"{'2.8.0':<19}"), (6, f"{software:<19}"), (7, f"{'1.4':<19}")],
        [(8, f"{'Gold':<24}"), (9, f"{serial:<10}")],
        [(10, f"{system_type:03d}"), (11, "001")],
        [(12, "0"), (13, "0"), (14, f"{OURS:010d}"), (15, f"{'Cell':<25}"), (16, "1")],
    ]
    return numbered(*[one for part in parts[:revision] for one in part])


def tool(revision: int, serial: str) -> str:
    """Return the data of 0041 (003:5303-5436), revision 1: tool serial, tightenings, calibration, controller serial."""
    return numbered((1, f"{'T' + serial:<14}"), (2, f"{1234:010d}"), (3, "2026-01-02:03:04:05"), (4, f"{serial:<10}"))


def _stamp(stamp: str) -> str:
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}:{stamp[8:10]}:{stamp[10:12]}:{stamp[12:]}"


class Values:
    """The fields of a result as Open Protocol writes them, made from its production number."""

    def __init__(self, result: Result) -> None:
        self.vin = f"{result.vin:<25}"
        self.job = "07"
        self.pset = f"{1 + result.tightening() % 9:03d}"
        self.ok = "1" if result.statuses[0] == "0" else "0"
        self.torque_status = {"0": "1", "2": "0", "3": "2"}[result.statuses[1]]
        self.angle_status = {"0": "1", "2": "0", "3": "2"}[result.statuses[2]]
        self.torque = result.torque.replace(".", "")[-6:].rjust(6, "0")
        self.angle = result.angle.split(".")[0][-5:].rjust(5, "0")
        self.stamp = _stamp(result.stamp)
        self.id = result.id_text
        if result.frame != READABLE:  # time and status are unreadable, the ID is readable only in a 0065
            self.ok = self.torque_status = self.angle_status = GARBLED
            self.torque, self.angle = GARBLED * 6, GARBLED * 5
            self.stamp, self.id = GARBLED * 19, GARBLED * 10


PSET_CHANGE = "2026-01-01:08:00:00"
_LIMITS = ("004000", "005000", "004500")
_ANGLES = ("00060", "00090", "00075")


def result_light(result: Result) -> str:
    """Return the data of 0061 revision 999 (003:6448-6519)."""
    v = Values(result)
    ok = result.shown_status if result.shown_status and v.ok == "0" else v.ok
    return (
        f"{v.vin}{v.job}{v.pset}000600040{ok}{v.torque_status}{v.angle_status}{v.torque}{v.angle}"
        f"{v.stamp}{PSET_CHANGE}{v.id}"
    )


def result_one(result: Result) -> str:
    """Return the data of 0061 revision 1 (003:5718-5877)."""
    v = Values(result)
    head = [(1, "0010"), (2, "01"), (3, f"{'World controller':<25}"), (4, v.vin), (5, v.job), (6, v.pset)]
    batch = [(7, "0006"), (8, "0004"), (9, v.ok), (10, v.torque_status), (11, v.angle_status)]
    torque = [(12, _LIMITS[0]), (13, _LIMITS[1]), (14, _LIMITS[2]), (15, v.torque)]
    angle = [(16, _ANGLES[0]), (17, _ANGLES[1]), (18, _ANGLES[2]), (19, v.angle)]
    return numbered(*head, *batch, *torque, *angle, (20, v.stamp), (21, PSET_CHANGE), (22, "0"), (23, v.id))


def result_two(result: Result) -> str:
    """Return the data of 0061 revision 2 (003:5880-6200)."""
    v = Values(result)
    head = [(1, "0010"), (2, "01"), (3, f"{'World controller':<25}"), (4, v.vin), (5, "00" + v.job), (6, v.pset)]
    batch = [(7, "01"), (8, "00003"), (9, "0006"), (10, "0004"), (11, v.ok), (12, "0"), (13, v.torque_status)]
    states = [(14, v.angle_status), *[(number, "1") for number in range(15, 20)], (20, "0000000000")]
    torque = [(21, _LIMITS[0]), (22, _LIMITS[1]), (23, _LIMITS[2]), (24, v.torque)]
    angle = [(25, _ANGLES[0]), (26, _ANGLES[1]), (27, _ANGLES[2]), (28, v.angle)]
    rundown = [(29, "00000"), (30, "00000"), (31, "00000"), (32, "000"), (33, "000"), (34, "000")]
    others = [(number, "000000") for number in range(35, 41)]
    tail = [(41, v.id), (42, "00001"), (43, "00001"), (44, f"{'T1':<14}"), (45, v.stamp), (46, PSET_CHANGE)]
    return numbered(*head, *batch, *states, *torque, *angle, *rundown, *others, *tail)


def result_three(result: Result) -> str:
    """Return the data of 0061 revision 3 (003:6283-6300): the unit of torque and the type of the result."""
    return result_two(result) + numbered((47, "1"), (48, "01"))


def _padded(id_text: str, pad: str) -> str:
    """Return ten characters: with zeros, or with blanks on the `left` or `right` of the digits (003:6566)."""
    shorter = id_text.lstrip("0") or "0"
    return shorter.rjust(10) if pad == "left" else shorter.ljust(10) if pad == "right" else id_text


def old_one(result: Result, pad: str = "") -> str:
    """Return the data of 0065 revision 1 (003:6556-6620)."""
    v = Values(result)
    head = [
        (1, _padded(result.id_text, pad)),
        (2, v.vin),
        (3, v.pset),
        (4, "0004"),
        (5, v.ok),
        (6, v.torque_status),
        (7, v.angle_status),
    ]
    return numbered(*head, (8, v.torque), (9, v.angle), (10, v.stamp), (11, "0"))


def old_two(result: Result, pad: str = "") -> str:
    """Return the data of 0065 revision 2 (003:6621-6870)."""
    v = Values(result)
    head = [
        (1, _padded(result.id_text, pad)),
        (2, v.vin),
        (3, "00" + v.job),
        (4, v.pset),
        (5, "01"),
        (6, "00003"),
        (7, "0006"),
        (8, "0004"),
    ]
    states = [(9, v.ok), (10, "0"), (11, v.torque_status), (12, v.angle_status)]
    checks = [*[(number, "1") for number in range(13, 18)], (18, "0000000000")]
    values = [(19, v.torque), (20, v.angle), (21, "00000"), (22, "000"), (23, "000000"), (24, "000000")]
    tail = [(25, "00001"), (26, "00001"), (27, f"{'T1':<14}"), (28, v.stamp)]
    return numbered(*head, *states, *checks, *values, *tail)


def old_seven(result: Result, pad: str = "") -> str:
    """Return the data of 0065 revision 7 (003:6917-7019): the station it belongs to is at its end."""
    parts = [(29, "1"), (30, "01"), *[(number, " " * 25) for number in (31, 32, 33)], (34, "0000")]
    station = OURS if result.station else OTHERS
    tail = [(35, "000000"), (36, "0000000000"), (37, f"{station:010d}"), (38, f"{'Cell':<25}")]
    return old_two(result, pad) + numbered(*parts, *tail)


RESULTS = {999: result_light, 1: result_one, 2: result_two, 3: result_three}  # 0061 by revision
OLD_RESULTS = {1: old_one, 2: old_two, 7: old_seven}  # 0065 by revision
