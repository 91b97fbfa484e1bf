"""A client of one controller: `async with connect(host) as controller`, built on the agent's session machine.

Rules
1. It connects, starts the session in the first revision that the controller accepts, keeps it alive, ends it with MID
   0003, and connects again after a loss: after `pause_s`, twice as long each time up to `pause_most_s`, or after
   `busy_pause_s` if the controller's slots are taken. It subscribes again to everything that was subscribed to.
2. A request waits for the connection and for its answer, `deadline_s` in all; it is sent once. One is outstanding at a
   time, as the protocol wants it, so callers take turns.
3. Nothing is acknowledged automatically: a result that is not acknowledged explicitly may come again, and one that was
   acknowledged by leaving a loop's body would be lost with the exception that ended it.
"""

import asyncio
import contextlib
import random
from typing import Any

from toolcart.agent import catalogue
from toolcart.agent.link.headers import HEADERS, header_of
from toolcart.agent.openprotocol.session import Session
from toolcart.agent.openprotocol.states import WHY_BUSY, WHY_NOTHING, WHY_STOPPED
from toolcart.agent.openprotocol.subscriptions import Subscription
from toolcart.agent.wide.mid0900 import TraceSubscription
from toolcart.client.connection import Connection
from toolcart.client.conversation import Conversation
from toolcart.client.errors import ConnectionLost, Unanswered
from toolcart.client.stream import Stream
from toolcart.client.topics import TOPICS

BUFFER_BYTES = 65536  # a message has at most 9999 bytes; one in nine parts has more
MESSAGE_BYTES = 9999
CONNECT_TIMEOUT_S = 5.0
_STOP_WAIT_MS = 1000
_EVENTS_KEPT = 100
_CURVES = {"angle": 1, "torque": 2, "current": 3, "gradient": 4, "stroke": 5, "force": 6}


def _header(name: str):
    if name not in ("standard", *HEADERS):
        raise ValueError(f"header {name!r}: it is one of standard, {', '.join(HEADERS)}")
    return header_of(name)


def _session(link, subscriptions, start_revisions, link_level, keep_alive_s, response_s, silence_s) -> Session:
    session = Session(
        link,
        subscriptions,
        start_revisions=(6, *(one for one in start_revisions if one != 6)) if link_level else start_revisions,
        keepalive_ms=int(keep_alive_s * 1000),
        response_timeout_ms=int(response_s * 1000),
        silence_ms=int(silence_s * 1000),
        stop_wait_ms=_STOP_WAIT_MS,
    )
    session.wants_numbers = link_level
    return session


class Controller:
    """One controller. Made by `connect` or `connect_serial`, and used with `async with`."""

    def __init__(
        self,
        link,
        open_line,
        *,
        deadline_s: float = 10.0,
        start_revisions: tuple[int, ...] = (5, 6, 4, 3, 2, 1),
        link_level: bool = False,
        header: str = "standard",
        station: int = 0,
        spindle: int = 0,
        keep_alive_s: float = 7.0,
        silence_s: float = 15.0,
        response_s: float = 5.0,
        pause_s: float = 1.0,
        pause_most_s: float = 30.0,
        busy_pause_s: float = 10.0,
        revisions: dict[str, tuple[int, ...]] | None = None,
        curves: tuple[str, ...] = ("angle", "torque"),
        also: dict[str, tuple] | None = None,
    ) -> None:
        """`deadline_s`: for each request, and for the first connection. `link_level`: number what is sent (9997, 9998).

        `header`: "op-ford" or "op-bmw" where the spindle stands in front of the revision (Rexroth System 350).

        `revisions`: of a topic, most wanted first. `curves`: the kinds that `curves()` subscribes to. `also`: further
        topics, each {name: (MID that subscribes, MID that ends it, ((MID that is pushed, its acknowledgement), ...))}.
        """
        self.deadline_s = deadline_s
        self._link = link
        self._open_line = open_line
        self._pause_s = pause_s
        self._pause_most_s = pause_most_s
        self._busy_pause_s = busy_pause_s
        self._know_no_connection()
        link.header = _header(header)
        wanted = self._subscriptions(revisions or {}, curves, also or {})
        session = _session(link, wanted, start_revisions, link_level, keep_alive_s, response_s, silence_s)
        session.station_id, session.spindle_id = station, spindle
        self._conversation = Conversation(session, self._pushed, self._heard_start)

    def _know_no_connection(self) -> None:
        self.started: catalogue.Message | None = None  # the MID 0002 of the present connection
        self._streams: dict[str, Stream] = {}
        self._places: list[Stream] = []  # by the place of a subscription
        self._listeners: list[Stream] = []
        self._is_found = False
        self._leaving = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task | None = None
        self._first: asyncio.Future | None = None

    def _subscriptions(self, revisions, curves, also) -> tuple:
        found: list[Subscription] = []

        def add(name, subscriptions):
            stream = self._streams[name] = Stream(self, name, len(found), len(found) + len(subscriptions))
            self._places.extend([stream] * len(subscriptions))
            found.extend(subscriptions)

        for name, rows in TOPICS.items():
            add(name, [Subscription(row, revisions.get(name, usual)) for row, usual in rows])
        if curves:
            add("curves", [TraceSubscription([_CURVES[name] for name in curves])])
        for name, (subscribe, end, pushes) in also.items():
            add(name, [Subscription((subscribe, end, 0, b"", False, pushes), revisions.get(name, (1,)))])
        for subscription in found:
            subscription.wanted = False
        return tuple(found)

    # -- the connection ------------------------------------------------------------------------------------------

    async def __aenter__(self):
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._stay_connected())
        reason = "no answer"
        try:
            async with asyncio.timeout(self.deadline_s):
                while not self._is_found:
                    reason = await asyncio.shield(self._first) or reason
                    if not self._is_found:
                        self._first = asyncio.get_running_loop().create_future()
        except TimeoutError:
            await self.close()
            raise ConnectionLost(f"no session within {self.deadline_s:g} s: {reason}") from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self) -> None:
        """End the session in order, with MID 0003, and close the connection."""
        self._leaving.set()
        conversation = self._conversation
        conversation.stop()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * _STOP_WAIT_MS / 1000):
                    await asyncio.shield(conversation.over) if self._is_found else None
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        conversation.lost("the client was closed")
        for stream in [*self._streams.values(), *self._listeners]:
            stream.end()

    def connections(self):
        """Return the changes of the connection from now on, to be read with `async for`: one Connection each.

        The last hundred are kept until they are read.
        """
        stream = Stream(self, "connections", 0, 0, _EVENTS_KEPT)
        stream.is_subscribed = True
        self._listeners.append(stream)
        return stream

    async def _stay_connected(self) -> None:
        pause_s = self._pause_s
        conversation = self._conversation
        while not self._leaving.is_set():
            reason = await self._connect_once()
            if conversation.is_readied:
                pause_s = self._pause_s
            self._tell(Connection(False, reason, self.started))
            if conversation.why == WHY_STOPPED:
                continue  # our own doing: it begins again in the revision that suits this controller
            wait_s = self._busy_pause_s if conversation.why == WHY_BUSY else pause_s
            if not conversation.session.goes_on:
                pause_s = min(pause_s * 2, self._pause_most_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait_s * random.uniform(1, 1.25))

    async def _connect_once(self) -> str:
        """Connect; return why that failed or how it ended."""
        conversation = self._conversation
        conversation.is_readied = False
        conversation.why = WHY_NOTHING
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                line = await self._open_line(conversation)
        except (OSError, TimeoutError) as error:
            return str(error) or "no connection within %g s" % CONNECT_TIMEOUT_S
        conversation.begin(line)
        return await asyncio.shield(conversation.over)

    def _heard_start(self, started) -> None:
        if started is not None:
            self.started = started
        elif not self._is_found:
            self._tell(Connection(True, "", self.started))

    def _tell(self, event: Connection) -> None:
        was_found, self._is_found = self._is_found, event.is_found
        if self._first is not None and not self._first.done():
            self._first.set_result(event.reason)
        if was_found or event.is_found:
            for listener in self._listeners:
                listener.put(event)

    @property
    def unexpected(self) -> dict[int, int]:
        """Return how many messages came, by MID, that were not asked for or cannot be read."""
        return dict(self._conversation.unexpected)

    # -- requests ------------------------------------------------------------------------------------------------

    async def ask(self, mid: int, revision: int = 1, *, deadline_s: float | None = None, **fields: Any):
        """Send a message built from these fields (`toolcart.encode`) and return the Message that answers it.

        The answer is the one that the catalogue knows for this MID, else 0005. Raises Refused if a MID 0004 came,
        Unanswered at the deadline, ConnectionLost if the connection was lost meanwhile; FieldError for wrong fields.
        """
        return await self.ask_frame(catalogue.encode(mid, revision, **fields), deadline_s=deadline_s)

    async def ask_frame(self, frame: bytes, answer: int = 0, *, deadline_s: float | None = None):
        """Send this frame and return its answer: a message with MID `answer`; 0: the one in the catalogue."""
        request = catalogue.decode(frame)
        wanted = request.answer()
        answer = answer or (wanted[0] if wanted else 5)
        named = request.get("subscribed_mid") or request.get("requested_mid") or 0
        seconds = self.deadline_s if deadline_s is None else deadline_s
        async with self._when_free(request.mid, seconds) as deadline:
            return await self._conversation.ask(request.frame, answer, named, deadline)

    @contextlib.asynccontextmanager
    async def _when_free(self, mid: int, seconds: float):
        """Wait until a request may be sent, and limit the whole to `seconds`."""
        deadline = asyncio.get_running_loop().time() + seconds
        if self._leaving.is_set():
            raise ConnectionLost("the client is closed", mid)
        try:
            async with asyncio.timeout_at(deadline), self._turn:
                while not self._conversation.free.is_set():  # it may be cleared before this task runs again
                    await self._conversation.free.wait()
                yield deadline
        except TimeoutError:
            raise Unanswered(mid, seconds) from None

    async def select_pset(self, number: int):
        """Select a parameter set (MID 0018)."""
        return await self.ask(18, pset_id=number)

    async def set_batch_size(self, number: int, size: int):
        """Set the batch size of a parameter set (MID 0019)."""
        return await self.ask(19, pset_id=number, batch_size=size)

    async def select_job(self, number: int, revision: int = 1):
        """Select a job (MID 0038); numbers above 99 want revision 2."""
        return await self.ask(38, revision, job_id=number)

    async def send_vin(self, vin: str):
        """Announce the next vehicle (MID 0050)."""
        return await self.ask(50, vin=vin)

    async def send_identifier(self, identifier: str):
        """Send an identifier of up to 100 characters (MID 0150)."""
        return await self.ask(150, identifier=identifier)

    async def disable_tool(self):
        """Lock the tool (MID 0042)."""
        return await self.ask(42)

    async def enable_tool(self):
        """Unlock the tool (MID 0043)."""
        return await self.ask(43)

    async def abort_job(self):
        """Abort the running job (MID 0127)."""
        return await self.ask(127)

    async def old_result(self, tightening_id: int = 0, revision: int = 1):
        """Return a result that the controller still has (MID 0064, 0065); 0: the newest."""
        return await self.ask(64, revision, tightening_id=tightening_id)

    async def psets(self) -> list[int]:
        """Return the numbers of the parameter sets (MID 0010, 0011)."""
        return (await self.ask(10))["pset_ids"]

    async def time(self) -> str:
        """Return the controller's time (MID 0080, 0081), YYYY-MM-DD:HH:MM:SS."""
        return (await self.ask(80))["time"]

    async def acknowledge_alarm(self):
        """Acknowledge the alarm on the controller (MID 0078)."""
        return await self.ask(78)

    # -- what the controller pushes ------------------------------------------------------------------------------

    def results(self) -> Stream:
        """Return the results, to be read with `async for`; `await result.acknowledge()` when one is safe.

        MID 0061, or those used in its place: 1201 and 1202, 0106 and 0107, 0101.
        """
        return self.stream("results")

    def alarms(self) -> Stream:
        """Return alarms (MID 0071, 1000), their acknowledgements (0074) and states (0076)."""
        return self.stream("alarms")

    def parameter_sets(self) -> Stream:
        """Return each parameter set that is selected (MID 0015)."""
        return self.stream("parameter_sets")

    def jobs(self) -> Stream:
        """Return the changes of jobs (MID 0035)."""
        return self.stream("jobs")

    def vins(self) -> Stream:
        """Return each vehicle that is announced (MID 0052)."""
        return self.stream("vins")

    def curves(self) -> Stream:
        """Return the curves of tightenings (MID 0900)."""
        return self.stream("curves")

    def stream(self, name: str) -> Stream:
        """Return the messages of a topic by its name (client.topics, or one in `also`); KeyError if there is none."""
        return self._streams[name]

    async def subscribe(self, stream: Stream) -> None:
        """Subscribe to this topic, unless that is done; it is subscribed to again with each connection."""
        if stream.is_subscribed:
            return
        mid = self._conversation.session.subscriptions[stream.first].mid
        async with self._when_free(mid, self.deadline_s):
            if not stream.is_subscribed:
                await self._conversation.subscribe(stream.first, stream.behind)
                stream.is_subscribed = True

    def _pushed(self, place: int, message) -> None:
        self._places[place].put(message)
