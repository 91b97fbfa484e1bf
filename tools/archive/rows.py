"""Rows of the tables out of telegrams that were taken apart (tools.sim.toolsnet_telegrams)."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.sim.toolsnet_memory import tightening_id_of

Key = tuple[int, int, int, int, str]  # system type, system, station, sequence, time
GraphKey = tuple[int, int, int, int, str, int, int]  # and spindle and type of the graph
_BIG_MOST = 2**63 - 1


def now_text() -> str:
    """This moment in UTC, 14 digits."""
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")


def key_of(found: dict) -> Key:
    """What names a result or an event of a station (004:301)."""
    return (found["system_type"], found["system"], found["station"], found["sequence"], found["time"])


def graph_key_of(found: dict) -> GraphKey:
    """A graph has its result's names, and which of its curves it is."""
    return (*key_of(found), found["spindle"], found["graph_type"])


def place_columns(found: dict) -> dict:
    """The columns that every row of a station has."""
    return {name: found[field] for name, field in _PLACE}


def result_rows(found: dict, first_id: int, arrived: str, behind: bool) -> tuple[list[dict], list[dict], list[dict]]:
    """Rows of Result, one a spindle with numbers from `first_id` on, of ResultVIN and of ResultParameter.

    VINs and parameters belong to the first row.
    """
    whole = {
        **place_columns(found),
        "Arrived": arrived,
        "VIN": found["vin"].strip(),
        "TighteningId": _bounded(tightening_id_of(found)),
        "Arrivals": 1,
        "Behind": int(behind),
    }
    rows = []
    unread = found.get("unread", ())  # what has no meaning is never stored as good: 0 would be OK
    for index, spindle in enumerate(found["spindles"]):
        field = f"spindles[{index}]."
        rows.append(
            {
                **whole,
                "ResultId": first_id + index,
                "Spindle": spindle["spindle"],
                "SpindleSerial": spindle["serial"].strip(),
                "Program": spindle["program"],
                "Overall": int(spindle["overall"] != 0 or field + "overall" in unread),
                "TorqueLow": _real(spindle["torque_low"]),
                "Torque": _real(spindle["torque"]),
                "TorqueHigh": _real(spindle["torque_high"]),
                "TorqueStatus": None if field + "torque_status" in unread else spindle["torque_status"],
                "AngleLow": _real(spindle["angle_low"]),
                "Angle": _real(spindle["angle"]),
                "AngleHigh": _real(spindle["angle_high"]),
                "AngleStatus": None if field + "angle_status" in unread else spindle["angle_status"],
                "TimeStatus": None if field + "time_status" in unread else spindle["time_status"],
            }
        )
    vins = {vin["identifier"]: vin["vin"].strip() for vin in found["vins"]}  # one under each identifier
    parameters = [
        {"ResultId": first_id, **{name: parameter[field] for name, field in _PARAMETER}}
        for parameter in found["parameters"]
    ]
    told = [{"ResultId": first_id, "Identifier": identifier, "VIN": vin} for identifier, vin in vins.items()]
    return rows, told, parameters


def event_rows(found: dict, event_id: int, arrived: str) -> tuple[dict, list[dict]]:
    """The row of Event, and those of EventParameter."""
    row = {
        "EventId": event_id,
        **place_columns(found),
        "Arrived": arrived,
        "Code": found["code"],
        "Level": found["level"],
        "Arrivals": 1,
    }
    parameters = [
        {
            "EventId": event_id,
            "ParameterId": parameter["parameter_id"],
            "Type": parameter["type"],
            "Value": parameter["value"],
        }
        for parameter in found["parameters"]
    ]
    return row, parameters


def graph_row(found: dict, graph_id: int, arrived: str) -> dict:
    """The row of Graph."""
    return {
        "GraphId": graph_id,
        **place_columns(found),
        "Arrived": arrived,
        "Spindle": found["spindle"],
        "Program": found["program"],
        "GraphType": found["graph_type"],
        "BitShift": found["bit_shift"],
        "FactorDom": found["factor_dom"],
        "FactorNom": found["factor_nom"],
        "LimitMin": _real(found["limit_min"]),
        "LimitMax": _real(found["limit_max"]),
        "AngleOffset": _real(found["angle_offset"]),
        "SampleMs": _real(found["sample_ms"]) or 0.0,
        "Samples": bytes(found["samples"]),
        "Arrivals": 1,
    }


def _real(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _bounded(number: int | None) -> int | None:
    return number if number is not None and number <= _BIG_MOST else None


_PLACE = (
    ("SystemType", "system_type"),
    ("System", "system"),
    ("Station", "station"),
    ("Sequence", "sequence"),
    ("Time", "time"),
)
_PARAMETER = (
    ("Spindle", "spindle"),
    ("Program", "program"),
    ("ParameterId", "parameter_id"),
    ("Name", "name"),
    ("Value", "value"),
    ("Type", "type"),
    ("Unit", "unit"),
    ("Step", "step"),
)
