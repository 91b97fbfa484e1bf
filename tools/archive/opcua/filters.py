"""Clients' filters: a ContentFilter as an SQL condition, and an event filter that the library can evaluate.

Rules
1. A path names a field of a result's metadata (OPC 40001-101, 7.1.3). One that the archive has no column for, or an
   unknown operator or value, is refused, never ignored: fewer or more results than asked for would be wrong.
2. An element refers to later ones only (OPC 10000-4, 7.7.4), and there are at most ELEMENTS_MOST: no filter loops.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any

from asyncua import ua
from sqlalchemy import ColumnElement, and_, not_, or_, true

from tools.archive import tables as t
from tools.archive.opcua.results import NOT_OK, OK, digits_of, key_of

ELEMENTS_MOST = 50
_R = t.RESULT.c
_FIELDS = {
    "ResultId": "ResultId",
    "CreationTime": "Time",
    "SequenceNumber": "Sequence",
    "ResultEvaluation": "Overall",
    "PartId": "VIN",
    "InternalRecipeId": "Program",
}
_ORDERS: dict[Any, Callable[[Any, Any], Any]] = {
    ua.FilterOperator.Equals: lambda a, b: a == b,
    ua.FilterOperator.GreaterThan: lambda a, b: a > b,
    ua.FilterOperator.LessThan: lambda a, b: a < b,
    ua.FilterOperator.GreaterThanOrEqual: lambda a, b: a >= b,
    ua.FilterOperator.LessThanOrEqual: lambda a, b: a <= b,
}


class Refused(Exception):
    """The filter cannot be used; the text says why."""


def condition(content: ua.ContentFilter | None, zone: tzinfo | None) -> ColumnElement[bool]:
    """Return the condition that a filter is; Refused."""
    elements = list(content.Elements or []) if content is not None else []
    check(elements)
    return _Conditions(elements, zone).of(0) if elements else true()


def check(elements: Sequence[Any]) -> None:
    """Raise Refused if there are too many elements, or one refers to itself or an earlier one."""
    if len(elements) > ELEMENTS_MOST:
        raise Refused(f"a filter has {ELEMENTS_MOST} elements at most")
    for index, element in enumerate(elements):
        for operand in element.FilterOperands or []:
            if isinstance(operand, ua.ElementOperand) and not index < operand.Index < len(elements):
                raise Refused(f"element {index} refers to element {operand.Index}")


def order(paths: Iterable[Any] | None) -> list[Any]:
    """Return the columns to order results by; Refused."""
    return [_column([element.TargetName.Name for element in path.Elements or []]) for path in paths or []]


def _column(names: Sequence[str | None]) -> Any:
    name = _FIELDS.get(names[-1] or "") if names else None
    if name is None:
        raise Refused(f"no filter by {'/'.join(str(each) for each in names) or 'nothing'}")
    return _R[name]


class _Conditions:
    """The elements of one filter."""

    def __init__(self, elements: Sequence[Any], zone: tzinfo | None) -> None:
        self._elements = elements
        self._zone = zone

    def of(self, index: int) -> ColumnElement[bool]:
        """Return the condition of an element."""
        element = self._elements[index]
        operator, operands = element.FilterOperator, list(element.FilterOperands or [])
        try:
            if operator in (ua.FilterOperator.And, ua.FilterOperator.Or):
                both = (self.of(operands[0].Index), self.of(operands[1].Index))
                return and_(*both) if operator is ua.FilterOperator.And else or_(*both)
            if operator is ua.FilterOperator.Not:
                return not_(self.of(operands[0].Index))
            if operator in _ORDERS:
                return self._compared(_ORDERS[operator], operands[0], operands[1])
            if operator is ua.FilterOperator.Between:
                low = self._compared(_ORDERS[ua.FilterOperator.GreaterThanOrEqual], operands[0], operands[1])
                return and_(low, self._compared(_ORDERS[ua.FilterOperator.LessThanOrEqual], operands[0], operands[2]))
            if operator is ua.FilterOperator.InList:
                equals = _ORDERS[ua.FilterOperator.Equals]
                return or_(*[self._compared(equals, operands[0], each) for each in operands[1:]])
        except (IndexError, AttributeError):
            raise Refused(f"element {index} has other operands than its operator needs") from None
        raise Refused(f"no filter by {ua.FilterOperator(operator).name}")

    def _compared(self, compare: Callable[[Any, Any], Any], left: Any, right: Any) -> ColumnElement[bool]:
        column = _column(_path_of(left))
        value = right.Value.Value
        if column is _R.ResultId:
            return _is_result(value)
        return compare(column, self._as_stored(column, value))

    def _as_stored(self, column: Any, value: Any) -> Any:
        if column is _R.Time and isinstance(value, datetime):
            return digits_of(value, self._zone)
        if column is _R.Overall and value in (OK, NOT_OK):
            return 0 if value == OK else 1
        if column is _R.Program and isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        if column is _R.VIN and isinstance(value, str):
            return value
        if column is _R.Sequence and isinstance(value, int):
            return value
        raise Refused(f"no {column.name} is {str(value)[:40]!r}")


def _is_result(value: Any) -> ColumnElement[bool]:
    key = key_of(value if isinstance(value, str) else None)
    if key is None:
        raise Refused(f"no ResultId is {str(value)[:40]!r}")
    return t.is_row(t.RESULT, (*t.RESULT_KEY, "Spindle"), key)


def _path_of(operand: Any) -> list[str | None]:
    if isinstance(operand, ua.SimpleAttributeOperand):
        return [each.Name for each in operand.BrowsePath or []]
    if isinstance(operand, ua.AttributeOperand) and operand.BrowsePath:
        return [each.TargetName.Name for each in operand.BrowsePath.Elements or []]
    raise Refused("the first operand names no field")


def with_subtypes(where: Any, subtypes: Callable[[ua.NodeId], Iterable[ua.NodeId]]) -> None:
    """Have `OfType` include subtypes (OPC 10000-4, 7.7.3): the library compares only the type itself. Refused."""
    elements = list(where.Elements or []) if where is not None else []
    check(elements)
    for element in elements:
        operands = list(element.FilterOperands or [])
        if element.FilterOperator != ua.FilterOperator.OfType or not operands:
            continue
        wanted = getattr(getattr(operands[0], "Value", None), "Value", None)
        if not isinstance(wanted, ua.NodeId):
            raise Refused("OfType needs the NodeId of an event type")
        event_type = ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType),
            BrowsePath=[ua.QualifiedName("EventType", 0)],
            AttributeId=ua.AttributeIds.Value,
        )
        element.FilterOperator = ua.FilterOperator.InList
        element.FilterOperands = [event_type, *(ua.LiteralOperand(Value=ua.Variant(each)) for each in subtypes(wanted))]
