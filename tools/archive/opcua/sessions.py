"""Sessions and subscriptions within limits: the library's own, with limits on what it leaves open.

Rules
1. No session touches another's subscriptions; the library knows them only by number.
2. No client can write, add or remove anything.
3. What waits for a client is bounded for its whole subscription: the oldest goes, and is counted.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession, SessionState
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.subscription_service import SubscriptionService

from tools.archive.opcua import filters, limits
from tools.archive.opcua.access import Access
from tools.archive.opcua.limits import Counted

caller: ContextVar[Session | None] = ContextVar("caller", default=None)  # the session whose method is called


class Server(InternalServer):
    """The library's server, with these limits."""

    def __init__(self, access: Access, counted: Counted) -> None:
        super().__init__(user_manager=access)  # has all that is needed of one
        self.access = access
        self.counted = counted
        self.allow_remote_admin = False
        self.max_connections = limits.CONNECTIONS_MOST
        self.max_pending_messages_per_connection = limits.PENDING_MOST + limits.PIECE_BYTES  # at most one a byte
        self.max_pending_activation_seconds = limits.ACTIVATED_IN_S
        self.max_session_timeout_ms = limits.SESSION_MS
        self.max_unacked_messages_per_subscription = limits.UNACKNOWLEDGED_MOST
        self.max_monitored_item_queue_size = limits.WAITING_MOST
        self.max_lifetime_count = limits.LIFETIME_MOST
        self.max_keep_alive_count = limits.KEEP_ALIVES_MOST
        self.max_subscriptions = limits.SUBSCRIPTIONS_MOST
        self.subscription_service = Subscriptions(self)
        self.isession.subscription_service = self.subscription_service

    def create_session(self, name: Any, user: Any = None, external: bool = False) -> InternalSession:
        """Make a client's session if there is room; sessions that no user has activated make room."""
        if not external:
            return super().create_session(name)
        now = time.monotonic()
        for old in [each for each in self._external_sessions.values() if isinstance(each, Session)]:
            if old.state == SessionState.Created and now - old.made_s > limits.ACTIVATED_IN_S:
                self.unregister_external_session(old)
        if len(self._external_sessions) >= limits.SESSIONS_MOST:
            self.counted.refused_sessions += 1
            raise ServiceError(ua.StatusCodes.BadTooManySessions)
        return Session(self, self.aspace, self.subscription_service, name, external=True)

    def role_of(self, session_id: ua.NodeId) -> str | None:
        """Return the role of a session's user; None if there is no such session."""
        return next(
            (each.user.name for each in self._external_sessions.values() if each.session_id == session_id), None
        )

    @property
    def sessions(self) -> int:
        """How many clients have a session."""
        return len(self._external_sessions)


class Session(InternalSession):
    """A client's session."""

    iserver: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.made_s = time.monotonic()

    def activate_session(self, params: Any, peer_certificate: bytes | None) -> Any:
        """Let a user in, after telling the access check who asks."""
        self.iserver.access.visitor = str(self.name[0] if isinstance(self.name, tuple) else self.name)
        return super().activate_session(params, peer_certificate)

    # -- what asks ---------------------------------------------------------------------------------------------------

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        self._bound(params.NodesToRead, limits.NODES_MOST)
        return await super().read(params)

    async def browse(self, params: ua.BrowseParameters) -> list[ua.BrowseResult]:
        self._bound(params.NodesToBrowse, limits.NODES_MOST)
        return await super().browse(params)

    async def translate_browsepaths_to_nodeids(self, params: list[ua.BrowsePath]) -> list[ua.BrowsePathResult]:
        self._bound(params, limits.NODES_MOST)
        return await super().translate_browsepaths_to_nodeids(params)

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        self._bound(params, limits.CALLS_MOST)
        self.iserver.counted.calls += len(params)
        token = caller.set(self)
        try:
            return await super().call(params)
        finally:
            caller.reset(token)

    async def write(self, params: ua.WriteParameters) -> list[ua.StatusCode]:
        return self._refused(params.NodesToWrite, ua.StatusCodes.BadUserAccessDenied)

    async def history_read(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        raise self._none(ua.StatusCodes.BadServiceUnsupported)

    async def add_nodes(self, params: list[ua.AddNodesItem]) -> list[ua.AddNodesResult]:
        raise self._none(ua.StatusCodes.BadServiceUnsupported)

    async def delete_nodes(self, params: ua.DeleteNodesParameters) -> list[ua.StatusCode]:
        raise self._none(ua.StatusCodes.BadServiceUnsupported)

    async def add_references(self, params: list[ua.AddReferencesItem]) -> list[ua.StatusCode]:
        raise self._none(ua.StatusCodes.BadServiceUnsupported)

    async def delete_references(self, params: list[ua.DeleteReferencesItem]) -> list[ua.StatusCode]:
        raise self._none(ua.StatusCodes.BadServiceUnsupported)

    # -- subscriptions -----------------------------------------------------------------------------------------------

    async def create_subscription(
        self, params: Any, callback: Callable[..., Any], request_callback: Callable[..., Any] | None = None
    ) -> Any:
        mine = [each for each in self.subscription_service.subscriptions.values() if self._owns(each)]
        if len(mine) >= limits.SUBSCRIPTIONS_OF_ONE_MOST:
            raise self._none(ua.StatusCodes.BadTooManySubscriptions)
        wanted = params.RequestedPublishingInterval
        fast = limits.FASTEST_MS
        params.RequestedPublishingInterval = min(max(wanted, fast), limits.SLOWEST_MS) if wanted == wanted else fast
        return await super().create_subscription(params, callback, request_callback)

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> list[Any]:
        subscription = self._of(params.SubscriptionId)
        subscription.items += len(params.ItemsToCreate)
        if subscription.items > limits.ITEMS_MOST:
            subscription.items -= len(params.ItemsToCreate)
            raise self._none(ua.StatusCodes.BadTooManyMonitoredItems)
        for item in params.ItemsToCreate:
            self._check_item(item.RequestedParameters, item.ItemToMonitor.AttributeId)
        return await super().create_monitored_items(params)

    async def modify_monitored_items(self, params: ua.ModifyMonitoredItemsParameters) -> list[Any]:
        self._of(params.SubscriptionId)
        for item in params.ItemsToModify:
            is_event = isinstance(item.RequestedParameters.Filter, ua.EventFilter)
            attribute = ua.AttributeIds.EventNotifier if is_event else ua.AttributeIds.Value
            self._check_item(item.RequestedParameters, attribute)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(self, params: ua.DeleteMonitoredItemsParameters) -> list[ua.StatusCode]:
        subscription = self._of(params.SubscriptionId)
        done = await super().delete_monitored_items(params)
        subscription.items -= sum(each.is_good() for each in done)
        return done

    async def set_monitoring_mode(self, params: ua.SetMonitoringModeParameters) -> list[ua.StatusCode]:
        self._of(params.SubscriptionId)
        return await super().set_monitoring_mode(params)

    async def set_publishing_mode(self, params: ua.SetPublishingModeParameters) -> list[ua.StatusCode]:
        for number in params.SubscriptionIds:
            self._of(number)
        return await super().set_publishing_mode(params)

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        known = self.subscription_service.subscriptions
        mine = [each if each in known and self._owns(known[each]) else 0 for each in ids]
        return await super().delete_subscriptions(mine)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        self._of(params.SubscriptionId)
        return super().republish(params)

    async def transfer_subscriptions(self, params: Any, callback: Callable[..., Any]) -> list[ua.TransferResult]:
        """Take over the subscriptions of a session that has ended, if its user had the same rights."""
        known = self.subscription_service.subscriptions
        for number in params.SubscriptionIds:
            found = known.get(int(number))
            if isinstance(found, Subscription) and found.role != self.user.name:
                raise self._none(ua.StatusCodes.BadUserAccessDenied)
        return await super().transfer_subscriptions(params, callback)

    def publish(self, acks: Iterable[ua.SubscriptionAcknowledgement] | None = None) -> tuple[int, list[ua.StatusCode]]:
        known = self.subscription_service.subscriptions
        mine = [each for each in acks or [] if each.SubscriptionId in known and self._owns(known[each.SubscriptionId])]
        return super().publish(mine)

    # -- in words ------------------------------------------------------------------------------------------------------

    def _owns(self, subscription: InternalSubscription) -> bool:
        return subscription.session_id == self.session_id

    def _of(self, number: int) -> Subscription:
        found = self.subscription_service.subscriptions.get(number)
        if not isinstance(found, Subscription) or not self._owns(found):
            raise self._none(ua.StatusCodes.BadSubscriptionIdInvalid)
        return found

    def _check_item(self, wanted: Any, attribute: int) -> None:
        """Bound what waits, and have the library evaluate the filter as it is meant."""
        is_event = attribute == ua.AttributeIds.EventNotifier
        most = limits.WAITING_MOST if is_event else limits.VALUES_WAITING_MOST
        wanted.QueueSize = min(wanted.QueueSize or most, most)
        if not is_event:
            return
        if not isinstance(wanted.Filter, ua.EventFilter):
            raise self._none(ua.StatusCodes.BadMonitoredItemFilterInvalid)
        self._bound(wanted.Filter.SelectClauses or [], limits.SELECTED_MOST)
        try:
            filters.with_subtypes(wanted.Filter.WhereClause, self.subtypes)
        except filters.Refused:
            raise self._none(ua.StatusCodes.BadEventFilterInvalid) from None

    def subtypes(self, kind: ua.NodeId) -> list[ua.NodeId]:
        """Return a type and all its subtypes."""
        found, waiting = [], [kind]
        has = ua.NodeId(ua.ObjectIds.HasSubtype)
        while waiting:
            node = waiting.pop()
            found.append(node)
            data = self.aspace.get(node)
            references = data.references if data is not None else []
            waiting += [each.NodeId for each in references if each.IsForward and each.ReferenceTypeId == has]
        return found

    def _bound(self, wanted: Any, most: int) -> None:
        if len(wanted or []) > most:
            raise self._none(ua.StatusCodes.BadTooManyOperations)

    def _refused(self, wanted: Any, code: int) -> list[ua.StatusCode]:
        self.iserver.counted.refused_requests += 1
        return [ua.StatusCode(code) for _ in wanted or []]

    def _none(self, code: int) -> ServiceError:
        self.iserver.counted.refused_requests += 1
        return ServiceError(code)


class Subscription(InternalSubscription):
    """A subscription whose waiting events are bounded together."""

    def __init__(self, *arguments: Any, counted: Counted, role: str | None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.items = 0
        self.role = role
        self._counted = counted

    async def enqueue_event(self, mid: int, eventdata: ua.EventFieldList, maxsize: int) -> None:
        waiting = self._triggered_events
        if sum(len(each) for each in waiting.values()) >= limits.WAITING_MOST:
            longest = max(waiting.values(), key=len)
            longest.pop(0)
            self._counted.overflowed += 1
        elif maxsize and len(waiting.get(mid, ())) >= maxsize:
            self._counted.overflowed += 1
        await super().enqueue_event(mid, eventdata, maxsize)


class Subscriptions(SubscriptionService):
    """Makes bounded subscriptions."""

    def __init__(self, iserver: Server) -> None:
        super().__init__(iserver.aspace, iserver=iserver)
        self._server = iserver

    async def create_subscription(
        self,
        params: Any,
        callback: Callable[..., Any],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> Any:
        """Make one as the library does, of our own class."""
        if len(self.subscriptions) >= limits.SUBSCRIPTIONS_MOST:
            raise ServiceError(ua.StatusCodes.BadTooManySubscriptions)
        self._sub_id_counter += 1
        result = ua.CreateSubscriptionResult(
            SubscriptionId=self._sub_id_counter,
            RevisedPublishingInterval=params.RequestedPublishingInterval,
            RevisedLifetimeCount=self._clamp_lifetime_count(params.RequestedLifetimeCount),
            RevisedMaxKeepAliveCount=self._clamp_keep_alive_count(params.RequestedMaxKeepAliveCount),
        )
        made = Subscription(
            result,
            self.aspace,
            callback,
            session_id,
            request_callback=request_callback,
            delete_callback=lambda: self.subscriptions.pop(result.SubscriptionId, None),
            no_acks_limit=limits.UNACKNOWLEDGED_MOST,
            max_queue_size=limits.WAITING_MOST,
            publishing_enabled=params.PublishingEnabled,
            counted=self._server.counted,
            role=self._server.role_of(session_id),
        )
        await made.start()
        self.subscriptions[result.SubscriptionId] = made
        return result
