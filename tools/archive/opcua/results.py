"""A row of the archive as a result of the companion specification: one row, that is one spindle, is a SINGLE_RESULT.

Rules
1. A ResultId is made of what identifies a row (004:301), so it stays the same in whatever database the row is moved to.
2. What the archive does not know is left out: a missing number is absent, not 0. Limits are given with their value; a
   value's verdict is its status.
3. A station's time has no zone (004:128): it is read in the zone that is passed in.
4. Numbers of the specification (classification, kind of entity, quantity) carry its clause.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from asyncua import ua
from asyncua.ua import ua_binary

from tools.archive import queries
from tools.archive.rows import real

Key = tuple[int, int, int, int, str, int]  # system type, system, station, sequence, time, spindle

OK, NOT_OK = 1, 2  # ResultEvaluationEnum (OPC 40001-101, 10.6)
COMPLETED = 1  # ResultState (OPC 40001-101, 10.4)
SINGLE_RESULT = 1  # Classification (OPC 40450-1, 10.1)
PROGRAM_LIMITS, REASON_UNDEFINED = 1, 0  # FailureReason (OPC 40450-1, 10.2)
FINAL = 1  # ValueTag (OPC 40450-1, 10.3)
OTHER_ENTITY, CONTROLLER, TOOL, RESULT, VEHICLE, PROGRAM, STATION = 1, 3, 4, 15, 20, 27, 36  # EntityType (10.10)
OTHER, TIME, TORQUE, ANGLE = range(4)  # PhysicalQuantity (9.1)
CURRENT, ANGULAR_SPEED = 11, 22
ERROR_UNDEFINED = 0  # ErrorType (10.5)
STATUSES = ("OK", "NOK", "low", "high")  # 004:147-153
TIGHTENING_ID_PARAMETER, JOB_ID_PARAMETER = 30, 1500
UNITS_URI = "http://www.opcfoundation.org/UA/units/un/cefact"
_UNITS = {  # as stations write them, in lower case: quantity, UNECE code (Recommendation 20), how it is shown
    "nm": (TORQUE, "NU", "N·m"),
    "deg": (ANGLE, "DD", "°"),
    "s": (TIME, "SEC", "s"),
    "ms": (TIME, "C26", "ms"),
    "a": (CURRENT, "AMP", "A"),
    "rpm": (ANGULAR_SPEED, "RPM", "r/min"),
}
_ID = re.compile(r"(\d{1,4})/(\d{1,4})/(\d{1,4})/(\d{14})/(\d{1,5})/(\d{1,4})")
_ENGLISH = "en"


@dataclass(frozen=True)
class Made:
    """A result as it is sent: its structures, and the whole encoded once for all clients."""

    number: int  # the row's
    id: str
    station: tuple[int, int, int]
    time: datetime
    meta: Any  # JoiningResultMetaDataType
    content: ua.ExtensionObject
    whole: ua.ExtensionObject
    has_trace: bool


def structure(name: str, **fields: Any) -> Any:
    """Make one of the structures that `nodesets.load` has defined."""
    return getattr(ua, name)(**fields)


def encoded(made: Any) -> ua.ExtensionObject:
    """Return a structure as the bytes that are sent: cheaper to keep and to send to many."""
    return ua.ExtensionObject(ua.typeid_by_extension_objects[type(made)], ua_binary.struct_to_binary(made))


def id_of(row: Mapping[str, Any]) -> str:
    """Return the ResultId of a row."""
    place = "/".join(str(row[name]) for name in ("SystemType", "System", "Station", "Time", "Sequence"))
    return f"{place}/{row['Spindle']}"


def key_of(text: str | None) -> Key | None:
    """Return what identifies the row of a ResultId; None if it is not one of ours."""
    found = _ID.fullmatch(text or "")
    if found is None:
        return None
    system_type, system, station, time, sequence, spindle = found.groups()
    return (int(system_type), int(system), int(station), int(sequence), time, int(spindle))


def moment(digits: str, zone: tzinfo | None) -> datetime:
    """Return 14 digits in a zone (None: this machine's) as UTC; if they are not a time, the beginning of 1970."""
    try:
        local = datetime.strptime(digits, "%Y%m%d%H%M%S")
        return (local.replace(tzinfo=zone) if zone else local).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1, tzinfo=UTC)


def digits_of(when: datetime, zone: tzinfo | None) -> str:
    """The reverse: return a moment as a station's clock shows it."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return aware.astimezone(zone).strftime("%Y%m%d%H%M%S")


def made_of(row: Mapping[str, Any], zone: tzinfo | None) -> Made:
    """Return the result of a whole row (tools.archive.opcua.rows.whole)."""
    id_ = id_of(row)
    trace = _trace(id_, row["Graphs"])
    numeric, others = _parameters(row["Parameters"], row["Spindle"])
    verdicts = [row["TorqueStatus"], row["AngleStatus"], row["TimeStatus"]]
    content = structure(
        "JoiningResultDataType",
        FailureReason=None if row["Overall"] == 0 else PROGRAM_LIMITS if any(verdicts) else REASON_UNDEFINED,
        OverallResultValues=[*_measured(row), *(_value(one) for one in numeric if not one["Step"])],
        StepResults=_steps(id_, row, numeric, trace) or None,
        Errors=_errors(row) or None,
        Trace=trace,
    )
    meta = _meta(id_, row, others, zone)
    raw = encoded(content)
    whole = structure("ResultDataType", ResultMetaData=meta, ResultContent=[ua.Variant(raw)])
    station = (row["SystemType"], row["System"], row["Station"])
    return Made(row["ResultId"], id_, station, meta.CreationTime, meta, raw, encoded(whole), trace is not None)


def unit(text: str) -> ua.EUInformation:
    """Return the unit that a station writes; an unknown one keeps its name."""
    _, code, shown = _UNITS.get(text.strip().lower(), (OTHER, "", text.strip()))
    number = int.from_bytes(code.encode(), "big") if code else -1  # OPC 10000-8, 5.6.4.3
    name = ua.LocalizedText(shown, _ENGLISH)
    return ua.EUInformation(NamespaceUri=UNITS_URI if code else "", UnitId=number, DisplayName=name, Description=name)


# -- what describes it ---------------------------------------------------------------------------------------------


def _meta(id_: str, row: Mapping[str, Any], others: Iterable[Mapping[str, Any]], zone: tzinfo | None) -> Any:
    named = {one["ParameterId"]: one["Value"].strip() for one in row["Parameters"]}
    more = [structure("KeyValueDataType", Key=one["Name"].strip(), Value=_plain(one)) for one in others]
    return structure(
        "JoiningResultMetaDataType",
        ResultId=id_,
        IsPartial=False,
        IsSimulated=False,
        ResultState=COMPLETED,
        PartId=row["VIN"] or None,
        InternalRecipeId=str(row["Program"]),
        JobId=named.get(JOB_ID_PARAMETER) or None,
        CreationTime=moment(row["Time"], zone),
        ResultEvaluation=_evaluation(row["Overall"]),
        JoiningTechnology=ua.LocalizedText("Tightening", _ENGLISH),
        SequenceNumber=row["Sequence"],
        Name=(row["ProgramName"] or "").strip() or None,
        Classification=SINGLE_RESULT,
        AssociatedEntities=_entities(row),
        ExtendedMetaData=more or None,
    )


def _entities(row: Mapping[str, Any]) -> list[Any]:
    station = "/".join(str(row[name]) for name in ("SystemType", "System", "Station"))
    entities = [("Station", (row["StationName"] or "").strip(), station, STATION, False)]
    if row["VIN"]:
        entities.append(("VIN", "", row["VIN"], VEHICLE, True))
    entities += [(f"Identifier {one['Identifier']}", "", one["VIN"], OTHER_ENTITY, True) for one in row["VINs"]]
    entities.append(("Program", (row["ProgramName"] or "").strip(), str(row["Program"]), PROGRAM, False))
    if row["SpindleSerial"]:
        entities.append(("Tool", "", row["SpindleSerial"], TOOL, False))
    if row["TighteningId"] is not None:
        entities.append(("Tightening ID", "", str(row["TighteningId"]), RESULT, True))
    return [
        structure(
            "EntityDataType", Name=name, Description=text or None, EntityId=id_, IsExternal=is_external, EntityType=kind
        )
        for name, text, id_, kind, is_external in entities
    ]


def _evaluation(overall: int) -> Any:
    return getattr(ua, "ResultEvaluationEnum")(OK if overall == 0 else NOT_OK)  # noqa: B009 - made while it runs


# -- values --------------------------------------------------------------------------------------------------------


def _measured(row: Mapping[str, Any]) -> list[Any]:
    """Return torque and angle with their limits, as far as they are known."""
    found = []
    for name, quantity, of in (("Torque", TORQUE, "Nm"), ("Angle", ANGLE, "deg")):
        if row[name] is not None:
            status = row[f"{name}Status"]
            found.append(
                structure(
                    "ResultValueDataType",
                    MeasuredValue=row[name],
                    Name=name,
                    ResultEvaluation=None if status is None else _evaluation(status),
                    ValueTag=FINAL,
                    LowLimit=row[f"{name}Low"],
                    HighLimit=row[f"{name}High"],
                    PhysicalQuantity=quantity,
                    EngineeringUnits=unit(of),
                )
            )
    return found


def _parameters(
    parameters: Iterable[Mapping[str, Any]], spindle: int
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the measured parameters, and those that describe. Another spindle's belong to that spindle's result."""
    mine = [one for one in parameters if one["Spindle"] in (spindle, 0) and one["ParameterId"] != JOB_ID_PARAMETER]
    mine = [one for one in mine if one["ParameterId"] != TIGHTENING_ID_PARAMETER]  # this one is an entity of its own
    is_measured = [one["Type"] != 0 and real(one["Value"]) is not None and bool(one["Unit"].strip()) for one in mine]
    pairs = list(zip(mine, is_measured, strict=True))
    return [one for one, yes in pairs if yes], [one for one, yes in pairs if not yes]


def _value(one: Mapping[str, Any]) -> Any:
    return structure(
        "ResultValueDataType",
        MeasuredValue=real(one["Value"]),
        Name=one["Name"].strip(),
        ValueId=str(one["ParameterId"]),
        ResultStep=str(one["Step"]) if one["Step"] else None,
        PhysicalQuantity=_UNITS.get(one["Unit"].strip().lower(), (OTHER,))[0],
        EngineeringUnits=unit(one["Unit"]),
    )


def _plain(one: Mapping[str, Any]) -> ua.Variant:
    number = None if one["Type"] == 0 else real(one["Value"])
    return ua.Variant(one["Value"].strip()) if number is None else ua.Variant(number, ua.VariantType.Double)


def _errors(row: Mapping[str, Any]) -> list[Any]:
    """Return the time's verdict as an error: there is no value that it could be the status of."""
    if not row["TimeStatus"]:
        return []
    word = STATUSES[row["TimeStatus"]] if row["TimeStatus"] < len(STATUSES) else str(row["TimeStatus"])
    text = ua.LocalizedText(f"Time {word}", _ENGLISH)
    return [
        structure("ErrorInformationDataType", ErrorType=ERROR_UNDEFINED, LegacyError=f"time {word}", ErrorMessage=text)
    ]


# -- steps and curves ----------------------------------------------------------------------------------------------


def _steps(id_: str, row: Mapping[str, Any], numeric: Iterable[Mapping[str, Any]], trace: Any) -> list[Any]:
    """Return the whole tightening as a step if it has curves, and each step that has values."""
    found = []
    if trace is not None:
        whole = structure(
            "StepResultDataType",
            StepResultId=f"{id_}/0",
            ProgramStep="0",
            Name="Whole tightening",
            ResultEvaluation=_evaluation(row["Overall"]),
            StepTraceId=trace.StepTraces[0].StepTraceId,
        )
        found.append(whole)
    steps: dict[int, list[Any]] = {}
    for one in numeric:
        if one["Step"]:
            steps.setdefault(one["Step"], []).append(_value(one))
    for step, values in sorted(steps.items()):
        found.append(
            structure(
                "StepResultDataType", StepResultId=f"{id_}/{step}", ProgramStep=str(step), StepResultValues=values
            )
        )
    return found


def _trace(id_: str, graphs: Iterable[Mapping[str, Any]]) -> Any:
    """Return the curves; those with the same times are put together, as their arrays must have one length (10.8)."""
    together: dict[tuple[float, int], list[Any]] = {}
    for graph in graphs:
        _, values = queries.samples(dict(graph))
        name, quantity, of = ("Angle", ANGLE, "deg") if graph["GraphType"] else ("Torque", TORQUE, "Nm")
        content = structure(
            "TraceContentDataType", Values=values, Name=name, PhysicalQuantity=quantity, EngineeringUnits=unit(of)
        )
        together.setdefault((graph["SampleMs"], len(values)), []).append(content)
    traces = [
        structure(
            "StepTraceDataType",
            StepTraceId=f"{id_}/trace/{index}",
            StepResultId=f"{id_}/0",
            NumberOfTracePoints=count,
            SamplingInterval=interval_ms,
            StepTraceContent=contents,
        )
        for index, ((interval_ms, count), contents) in enumerate(together.items())
    ]
    if not traces:
        return None
    return structure("JoiningTraceDataType", TraceId=f"{id_}/trace", ResultId=id_, StepTraces=traces)
