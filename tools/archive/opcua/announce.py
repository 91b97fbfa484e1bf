"""Tells clients what is new: events at the joining system and at the server, where most subscribe, and values."""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncua import ua

from tools.archive.opcua import events, nodesets
from tools.archive.opcua.results import Made
from tools.archive.opcua.space import Space, System

_READY, _REQUESTED, _EVENT = 1007, 1035, 1006  # OPC 40450-1, 8.1 to 8.3


class Announce:
    """`ready`, `requested`, `alarm`."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._service = space.server.iserver.subscription_service
        self._kinds = {number: space.node(nodesets.BASE, number) for number in (_READY, _REQUESTED, _EVENT)}

    async def ready(self, system: System, made: Made) -> None:
        """Announce a new result, or one whose curves have come."""
        await self._at_both(system, events.result_fields(made, self._kinds[_READY], system.management, system.name))

    async def requested(self, system: System, made: Made) -> None:
        """Announce a result that a client has asked for."""
        await self._space.put(system, "RequestedResult", made)
        kind = self._kinds[_REQUESTED]
        await self._at_both(system, events.result_fields(made, kind, system.management, system.name))

    async def alarm(self, system: System, row: Mapping[str, Any], when: datetime) -> None:
        """Announce an event that a station has reported."""
        await self._at_both(system, events.alarm_fields(row, when, self._kinds[_EVENT], system.node, system.name))

    async def _at_both(self, system: System, fields: Mapping[str, ua.Variant]) -> None:
        for node in (ua.NodeId(ua.ObjectIds.Server), system.node):
            await self._service.trigger_event(events.Event(fields, node))
