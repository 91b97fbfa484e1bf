"""The methods of ResultManagement (OPC 40001-101, 7.1 and 7.2; OPC 40450-1, 7.5), for all systems.

Rules
1. Every answer has a deadline. If the database does not answer in time, that is an error of ours: negative, as the
   specification wants.
2. A handle holds nothing here, since a result stays in the database: it is only remembered until it is released.
3. Getting results takes `view`; having them sent to all clients again, and acknowledging them, takes `export`.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from typing import Any

from asyncua import ua

from tools.archive.opcua import filters, limits, rows
from tools.archive.opcua.access import CHANGES, READS, may
from tools.archive.opcua.announce import Announce
from tools.archive.opcua.limits import Counted
from tools.archive.opcua.requests import NUMBERS, Requests
from tools.archive.opcua.results import Key, Made, digits_of, id_of, key_of, made_of
from tools.archive.opcua.sessions import Session, caller
from tools.archive.opcua.space import Space, System
from tools.archive.opcua.taken import Taken
from tools.archive.web.reading import Away, Reading, TooLong

DONE, UNKNOWN, AWAY, WRONG_FILTER, BUSY, WRONG_RANGE = 0, -1, -2, -3, -4, -5
_TEXTS = {
    DONE: "",
    UNKNOWN: "there is no such result",
    AWAY: "the database does not answer",
    BUSY: "an earlier request is still being answered, or too many are",
    WRONG_RANGE: "from is above to, or neither sequence numbers nor times are given",
}
_KEYS_AT_ONCE = 500
_PAGES_MOST = 20  # pages by which one acknowledgement raises the floor; the next one goes on

_Variant = ua.VariantType


class Methods:
    """Answers calls; `register` links it to the types' methods."""

    def __init__(self, space: Space, reading: Reading, taken: Taken, counted: Counted, zone: tzinfo | None) -> None:
        self._space = space
        self._reading = reading
        self._taken = taken
        self._counted = counted
        self._zone = zone
        self._handles: OrderedDict[int, None] = OrderedDict()
        self._handle = 0
        self.requests = Requests(reading, taken, Announce(space), self.made)

    def made(self, row: dict[str, Any]) -> Made:
        """Return the result of a row."""
        return made_of(row, self._zone)

    def register(self) -> None:
        """Link the types' methods to those here."""
        kinds = {
            "GetLatestResult": (self._latest, READS, 1),
            "GetResultById": (self._by_id, READS, 2),
            "GetResultIdListFiltered": (self._filtered, READS, 4),
            "ReleaseResultHandle": (self._release, READS, 1),
            "AcknowledgeResults": (self._acknowledge, CHANGES, 1),
            "RequestResults": (self._request, CHANGES, 5),
            "RequestUnacknowledgedResults": (self._request_unacknowledged, CHANGES, 2),
        }
        for name, node in self._space.methods.items():
            self._space.server.iserver.isession.add_method_callback(node, self._answering(*kinds[name]))

    def _answering(self, does: Callable[..., Awaitable[Any]], role: str, arguments: int) -> Callable[..., Any]:
        async def answer(parent: ua.NodeId, *given: ua.Variant) -> Any:
            system = next((each for each in self._space.systems.values() if each.management == parent), None)
            session = caller.get()
            if system is None:
                return ua.StatusCode(ua.StatusCodes.BadMethodInvalid)
            if session is None or not may(session.user, role):
                self._counted.refused_requests += 1
                return ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
            if len(given) != arguments:
                few = len(given) < arguments
                codes = ua.StatusCodes
                return ua.StatusCode(codes.BadArgumentsMissing if few else codes.BadTooManyArguments)
            try:
                return await asyncio.wait_for(does(system, session, *(each.Value for each in given)), limits.ANSWER_S)
            except (TypeError, ValueError, AttributeError):
                return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
            except TimeoutError:
                return ua.StatusCode(ua.StatusCodes.BadTimeout)

        return answer

    # -- one result ------------------------------------------------------------------------------------------------

    async def _latest(self, system: System, session: Session, timeout: int) -> list[ua.Variant]:
        del session, timeout
        return await self._result(rows.latest, system.station)

    async def _by_id(self, system: System, session: Session, id_: str, timeout: int) -> list[ua.Variant]:
        del session, timeout
        key = key_of(id_) if isinstance(id_, str) else None
        if key is None or key[:3] != system.station:
            return _result_answer(0, None, UNKNOWN)
        return await self._result(rows.named, key)

    async def _result(self, question: Callable[..., dict | None], about: Any) -> list[ua.Variant]:
        try:
            row = await self._reading(question, about)
        except (Away, TooLong):
            return _result_answer(0, None, AWAY)
        return _result_answer(self._new_handle(), self.made(row), DONE) if row else _result_answer(0, None, UNKNOWN)

    async def _filtered(
        self, system: System, session: Session, content: Any, ordered: Any, most: int, timeout: int
    ) -> list[ua.Variant]:
        del session, timeout
        try:
            wanted = filters.condition(content, self._zone)
            wanted_order = filters.order(ordered)
            many = min(most or limits.IDS_MOST, limits.IDS_MOST)
            found = await self._reading(rows.filtered, system.station, wanted, wanted_order, many)
        except filters.Refused:
            return _ids_answer(0, [], WRONG_FILTER)
        except (Away, TooLong):
            return _ids_answer(0, [], AWAY)
        return _ids_answer(self._new_handle(), [id_of(row) for row in found], DONE)

    def _new_handle(self) -> int:
        self._handle = self._handle % (2**32 - 1) + 1
        self._handles[self._handle] = None
        if len(self._handles) > limits.HANDLES_MOST:
            self._handles.popitem(last=False)
        return self._handle

    async def _release(self, system: System, session: Session, handle: int) -> list[ua.Variant]:
        del system, session
        known = handle in self._handles
        self._handles.pop(handle, None)
        return [ua.Variant(DONE if known else UNKNOWN, _Variant.Int32)]

    # -- acknowledging ---------------------------------------------------------------------------------------------

    async def _acknowledge(self, system: System, session: Session, ids: list[str] | None) -> Any:
        del session
        wanted = list(ids or [])
        if len(wanted) > limits.IDS_MOST:
            return ua.StatusCode(ua.StatusCodes.BadTooManyOperations)
        keys = [key_of(each) if isinstance(each, str) else None for each in wanted]
        mine = [key for key in keys if key is not None and key[:3] == system.station]
        try:
            numbers = await self._numbers(mine)
            await asyncio.to_thread(self._taken.acknowledge, system.station, sorted(numbers.values()))
            await self._raise_floor(system)
        except (Away, TooLong):
            return _acknowledged([AWAY] * len(wanted))
        self._counted.acknowledged += len(numbers)
        return _acknowledged([DONE if key is not None and key in numbers else UNKNOWN for key in keys])

    async def _numbers(self, keys: list[Key]) -> dict[Key, int]:
        found: dict[Key, int] = {}
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            found.update(await self._reading(rows.numbers_of, keys[at : at + _KEYS_AT_ONCE]))
        return found

    async def _raise_floor(self, system: System) -> None:
        for _ in range(_PAGES_MOST):
            floor = await asyncio.to_thread(self._taken.floor, system.station)
            numbers = await self._reading(rows.numbers_behind, system.station, floor, NUMBERS)
            if not await asyncio.to_thread(self._taken.advance, system.station, numbers):
                return

    # -- sending again ---------------------------------------------------------------------------------------------

    async def _request(
        self, system: System, session: Session, first: int, last: int, since: Any, until: Any, between_ms: float
    ) -> list[ua.Variant]:
        between = _revised(between_ms)
        sequences = (first, last) if first or last else None
        times = self._times(since, until) if sequences is None else None
        if (sequences is not None and not 0 < first <= last) or (sequences is None and times is None):
            return _requested(between, None, WRONG_RANGE)
        if not self.requests.has_room(session, system):
            return _requested(between, None, BUSY)
        self.requests.send(session, system, self.requests.stored(system, sequences, times), between / 1000)
        return _requested(between, None, DONE)

    def _times(self, since: Any, until: Any) -> tuple[str, str] | None:
        if not isinstance(since, datetime) or not isinstance(until, datetime) or since > until:
            return None
        return digits_of(since, self._zone), digits_of(until, self._zone)

    async def _request_unacknowledged(
        self, system: System, session: Session, most: int, between_ms: float
    ) -> list[ua.Variant]:
        between = _revised(between_ms)
        if not self.requests.has_room(session, system):
            return _requested(between, 0, BUSY)
        try:
            count = await self.requests.count(system)
        except (Away, TooLong):
            return _requested(between, 0, AWAY)
        self.requests.send(session, system, self.requests.unacknowledged(system, most), between / 1000)
        return _requested(between, count, DONE)


def _revised(between_ms: float) -> float:
    wanted = float(between_ms)
    return min(max(wanted, limits.BETWEEN_MS), limits.BETWEEN_MOST_MS) if wanted == wanted else limits.BETWEEN_MS


def _result_answer(handle: int, made: Made | None, error: int) -> list[ua.Variant]:
    result = ua.Variant(made.whole if made else None, _Variant.ExtensionObject)
    return [ua.Variant(handle, _Variant.UInt32), result, ua.Variant(error, _Variant.Int32)]


def _ids_answer(handle: int, ids: list[str], error: int) -> list[ua.Variant]:
    listed = ua.Variant(ids, _Variant.String, is_array=True)
    return [ua.Variant(handle, _Variant.UInt32), listed, ua.Variant(error, _Variant.Int32)]


def _acknowledged(errors: list[int]) -> list[ua.Variant]:
    """Return an acknowledgement's answer; no list if all is well (OPC 40001-101, 7.2.1)."""
    worst = min(errors, default=DONE)
    listed = errors if worst else []
    return [ua.Variant(listed, _Variant.Int32, is_array=True), ua.Variant(worst, _Variant.Int32)]


def _requested(between: float, count: int | None, status: int) -> list[ua.Variant]:
    counted = [] if count is None else [ua.Variant(count, _Variant.UInt32)]
    text = ua.LocalizedText(_TEXTS[status], "en")
    return [ua.Variant(between, _Variant.Double), *counted, ua.Variant(status, _Variant.Int64), ua.Variant(text)]
