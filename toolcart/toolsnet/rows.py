"""Makes rows of the archive's tables from parsed telegrams (toolcart.toolsnet.telegrams).

A row is a tuple in the order of its table's columns (toolcart.archive.database.tables); the writer of the archive adds
the last ones of some (toolcart.archive.storage.writer).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from toolcart.toolsnet.layouts import REAL_MOST
from toolcart.toolsnet.records import station_of, tightening_id_of

Key = tuple[int, int, int, int, str]  # system type, system, station, sequence, time
GraphKey = tuple[int, int, int, int, str, int, int]  # then spindle and type of the graph
_BIG_MOST = 2**63 - 1
_TORQUE_UNIT, _PRESS = 60004, 60008  # parameters of telegram 04 (docs/outlets.md)
NM, DEGREES = "Nm", "deg"  # the units of torque and angle, unless a telegram says otherwise


def now_text() -> str:
    """Return the time now in UTC, 14 digits."""
    return time_text(0)


def time_text(in_s: float) -> str:
    """Return the time in `in_s` seconds from now in UTC, 14 digits."""
    return (datetime.now(UTC) + timedelta(seconds=in_s)).strftime("%Y%m%d%H%M%S")


def moment(digits: str) -> datetime | None:
    """Return the time of 14 digits, without a zone; None if they are not a time."""
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError:
        return None


def key_of(fields: dict) -> Key:
    """Return what identifies a result or an event (TN 5.13)."""
    return (fields["system_type"], fields["system"], fields["station"], fields["sequence"], fields["time"])


def graph_key_of(fields: dict) -> GraphKey:
    """Return what identifies a graph: its result's key, and which of its curves it is."""
    return (*key_of(fields), fields["spindle"], fields["graph_type"])


def result_rows(
    fields: dict, first_id: int, arrived: str, behind: bool
) -> tuple[list[tuple], list[tuple], list[tuple]]:
    """Return rows of Result, one for each spindle, numbered from `first_id`, of ResultVIN and of ResultParameter.

    VINs and parameters belong to the first row.
    """
    whole = (*key_of(fields), arrived, fields["vin"].strip())
    last = (_bounded(tightening_id_of(fields)), 1, int(behind), *units_of(fields))
    unread = fields.get("unread", ())
    rows = []
    for index, spindle in enumerate(fields["spindles"]):
        overall, torque, angle, time = _verdicts(spindle, index, unread)
        rows.append(
            (
                first_id + index,
                *whole,
                spindle["spindle"],
                spindle["serial"].strip(),
                spindle["program"],
                overall,
                real(spindle["torque_low"]),
                real(spindle["torque"]),
                real(spindle["torque_high"]),
                torque,
                real(spindle["angle_low"]),
                real(spindle["angle"]),
                real(spindle["angle_high"]),
                angle,
                time,
                *last,
            )
        )
    vins = {vin["identifier"]: vin["vin"].strip() for vin in fields["vins"]}  # one for each identifier
    parameters = [
        (
            first_id,
            number,
            one["spindle"],
            one["program"],
            one["parameter_id"],
            one["name"].strip(),
            one["value"].strip(),
            one["type"],
            one["unit"].strip(),
            one["step"],
        )
        for number, one in enumerate(fields["parameters"], 1)
    ]
    return rows, [(first_id, identifier, vin) for identifier, vin in vins.items()], parameters


def units_of(fields: dict) -> tuple[str, str]:
    """Return the units of a result's torque and angle; those of a press are force and stroke."""
    told = {one["parameter_id"]: one["value"].strip() for one in fields["parameters"]}
    torque, angle = ("kN", "mm") if _PRESS in told else (NM, DEGREES)
    return told.get(_TORQUE_UNIT) or torque, angle


def tightening_of(fields: dict) -> tuple[int | None, float | None, float | None]:
    """Return tightening ID, torque and angle of the first spindle, as its row has them."""
    first = fields["spindles"][0]
    return _bounded(tightening_id_of(fields)), real(first["torque"]), real(first["angle"])


def event_rows(fields: dict, event_id: int, arrived: str) -> tuple[tuple, list[tuple]]:
    row = (event_id, *key_of(fields), arrived, fields["code"], fields["level"], 1)
    return row, [(event_id, one["parameter_id"], one["type"], one["value"].strip()) for one in fields["parameters"]]


def graph_row(fields: dict, graph_id: int, arrived: str) -> tuple:
    return (
        graph_id,
        *station_of(fields),
        fields["spindle"],
        fields["program"],
        fields["sequence"],
        fields["time"],
        arrived,
        fields["graph_type"],
        fields["bit_shift"],
        fields["factor_dom"],
        fields["factor_nom"],
        real(fields["limit_min"]),
        real(fields["limit_max"]),
        real(fields["angle_offset"]),
        real(fields["sample_ms"]) or 0.0,
        bytes(fields["samples"]),
        1,
    )


def _verdicts(spindle: dict, index: int, unread: Collection[str]) -> tuple:
    """Return the statuses overall, of torque, angle and time. An unreadable one is never stored as 0, which is OK."""
    overall = int(spindle["overall"] != 0)
    statuses = [spindle[name] for name in _STATUSES]
    if unread:
        overall = int(overall or f"spindles[{index}].overall" in unread)
        statuses = [None if f"spindles[{index}].{name}" in unread else spindle[name] for name in _STATUSES]
    return (overall, *statuses)


def real(text: str) -> float | None:
    """Return the number in a text; None if there is none that the database takes."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= REAL_MOST else None  # not a NaN either


def _bounded(number: int | None) -> int | None:
    return number if number is not None and number <= _BIG_MOST else None


_STATUSES = ("torque_status", "angle_status", "time_status")
