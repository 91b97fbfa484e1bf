"""Events as the library hands them to subscriptions: fields by path, encoded once, shared by all subscribers.

The library's own events copy every field for every subscriber, too much for results with curves.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from tools.archive.opcua.results import OTHER_ENTITY, STATION, Made, encoded, structure

RESULT_SEVERITY = 100  # information (OPC 10000-5, 6.4.2: 1 to 1000)
SEVERITIES = {0: 100, 1: 500, 2: 800}  # by the level of a telegram 09: information, alarm, alarm with tool not ready
_NOTHING = ua.Variant(None)
_META_TYPES = {
    "ResultState": ua.VariantType.Int32,
    "SequenceNumber": ua.VariantType.UInt64,
    "Classification": ua.VariantType.Byte,
    "ResultEvaluation": ua.VariantType.Int32,
}


class Event:
    """One event at one node (the library's protocol: `emitting_node`, `to_event_fields`, fields as attributes)."""

    def __init__(self, fields: Mapping[str, ua.Variant], emitting_node: ua.NodeId) -> None:
        self.fields = fields
        self.emitting_node = emitting_node

    def __getattr__(self, name: str) -> Any:
        """A where clause reads fields this way; one that the event does not have is null (OPC 10000-4, 7.7.3)."""
        if name.startswith("_") or name in ("Retain", "NodeId"):  # only a condition has these
            raise AttributeError(name)
        found = self.fields.get(name)
        return None if found is None else found.Value

    def to_event_fields(self, select_clauses: Sequence[Any]) -> list[ua.Variant]:
        """Return what a client has selected, in its order."""
        found = []
        for clause in select_clauses:
            path = "/".join(each.Name or "" for each in clause.BrowsePath or [])
            is_value = clause.AttributeId == ua.AttributeIds.Value
            found.append(self.fields.get(path, _NOTHING) if is_value else _NOTHING)
        return found


def result_fields(made: Made, kind: ua.NodeId, source: ua.NodeId, name: str) -> dict[str, ua.Variant]:
    """Return the fields of a result that is ready, or that was requested."""
    word = "OK" if made.meta.ResultEvaluation == 1 else "not OK"
    text = f"Result {made.id} is {word}" + (", with its curves" if made.has_trace else "")
    fields = _base(kind, source, name, made.time, text, RESULT_SEVERITY)
    fields["Result"] = ua.Variant(made.whole)
    fields["Result/ResultContent"] = ua.Variant([made.content], ua.VariantType.ExtensionObject)
    fields["Result/ResultMetaData"] = ua.Variant(encoded(made.meta))
    for field, value in fields_of(made.meta).items():
        fields[f"Result/ResultMetaData/{field}"] = value
    return fields


def fields_of(meta: Any) -> dict[str, ua.Variant]:
    """Return a result's metadata, field by field."""
    found = {}
    for name in type(meta).__dataclass_fields__:
        value = getattr(meta, name)
        if name == "Encoding" or value is None:
            continue
        if name in ("AssociatedEntities", "ExtendedMetaData"):
            value = [encoded(each) for each in value]
            found[name] = ua.Variant(value, ua.VariantType.ExtensionObject)
        elif name in _META_TYPES:
            found[name] = ua.Variant(int(value), _META_TYPES[name])
        else:
            found[name] = ua.Variant(value)
    return found


def alarm_fields(
    row: Mapping[str, Any], when: datetime, kind: ua.NodeId, source: ua.NodeId, name: str
) -> dict[str, ua.Variant]:
    """Return the fields of an event that a station has reported (telegram 09), with its code, level and text."""
    said = " ".join(one["Value"].strip() for one in row["Parameters"] if one["Value"].strip())
    fields = _base(kind, source, name, when, said or f"Event {row['Code']}", SEVERITIES.get(row["Level"], 800))
    place = "/".join(str(row[each]) for each in ("SystemType", "System", "Station"))
    entities = [structure("EntityDataType", Name="Station", EntityId=place, EntityType=STATION)]
    for one in row["Parameters"]:
        value = one["Value"].strip()
        if value:
            entity = structure(
                "EntityDataType", Name=f"Parameter {one['ParameterId']}", EntityId=value, EntityType=OTHER_ENTITY
            )
            entities.append(entity)
    content = "JoiningSystemEventContent"
    fields[f"{content}/EventCode"] = ua.Variant(row["Code"], ua.VariantType.Int64)
    fields[f"{content}/EventText"] = ua.Variant(ua.LocalizedText(said, "en"))
    fields[f"{content}/JoiningTechnology"] = ua.Variant(ua.LocalizedText("Tightening", "en"))
    fields[f"{content}/AssociatedEntities"] = ua.Variant(
        [encoded(each) for each in entities], ua.VariantType.ExtensionObject
    )
    return fields


def _base(
    kind: ua.NodeId, source: ua.NodeId, name: str, when: datetime, text: str, severity: int
) -> dict[str, ua.Variant]:
    """Return the fields that every event has (OPC 10000-5, 6.4.2)."""
    condition = ua.NodeId(ua.ObjectIds.BaseConditionClassType)
    return {
        "EventId": ua.Variant(uuid.uuid4().bytes, ua.VariantType.ByteString),
        "EventType": ua.Variant(kind),
        "SourceNode": ua.Variant(source),
        "SourceName": ua.Variant(name),
        "Time": ua.Variant(when),
        "ReceiveTime": ua.Variant(datetime.now(UTC)),
        "Message": ua.Variant(ua.LocalizedText(text, "en")),
        "Severity": ua.Variant(severity, ua.VariantType.UInt16),
        "ConditionClassId": ua.Variant(condition),
        "ConditionClassName": ua.Variant(ua.LocalizedText("BaseConditionClass", "en")),
    }
