"""The messages of one topic that a controller pushes, read inside `async with`.

    async with controller.results() as results:         subscribes
        async for result in results: ...                or: result = await results.next(timeout=30)
                                                         leaving it unsubscribes, whatever ended it

Rules
1. A topic is subscribed to exactly while it is read: a controller waits for the acknowledgement of all it pushes, and
   hangs up on who gives none.
2. A lost connection only makes a reader wait: the topic is subscribed to again. What was pushed and not acknowledged
   comes again, or is lost with the controller's memory.
3. `next` outside `async with` subscribes for one message; acknowledging it, or the end of the wait, unsubscribes.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Self, TypeVar

from toolcart.client.errors import ConnectionLost, NothingCame, StateError
from toolcart.client.options import seconds_of

Pushed = TypeVar("Pushed", covariant=True)
_LEFT, _ONE, _ENTERED = range(3)
_CLOSED = "the client is closed"


class Topic:
    """What a stream reads: one of a client, for all the streams that are made of it."""

    def __init__(self, check, subscribe, unsubscribe, name: str, most: int | None = None) -> None:
        self.name = name
        self.fill: Any = None  # a GapFill, for a topic of which what is missing can be fetched
        self.check = check  # StateError in another loop than that of the client
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._kept: deque = deque(maxlen=most)  # pushes are bounded by what a controller sends without acknowledgement
        self._came = asyncio.Event()
        self._ended = False
        self._was_lost = False  # the connection, since the reading began
        self._is_awaited = False  # someone waits for its next message
        self._state = _LEFT

    # -- for its stream ------------------------------------------------------------------------------------------

    @property
    def is_entered(self) -> bool:
        """True inside `with`."""
        return self._state == _ENTERED

    @property
    def is_read(self) -> bool:
        """True if someone reads it, if only one message."""
        return self._state != _LEFT

    def __repr__(self) -> str:
        return f"<Stream {self.name}, {('not read', 'read for one message', 'read')[self._state]}>"

    async def enter(self, begin: Callable[[deque], Awaitable[None]] | None) -> None:
        """Subscribe, for as long as it is read; `begin` looks for what is missing."""
        await self._enter(_ENTERED)
        if begin is not None:
            try:
                await begin(self._kept)
            except BaseException:
                await self.leave()
                raise

    async def leave(self) -> None:
        """Unsubscribe."""
        self._state = _LEFT
        self._kept.clear()
        if self.fill is not None:
            self.fill.reset()
        if not self._ended:  # else the client is another session's
            await self._unsubscribe(self)

    async def following(self, end: Exception) -> Any:
        """Return the next message when it comes; this error if the stream ends."""
        self._begin_to_wait()
        try:
            return await self._following(end)
        finally:
            self._is_awaited = False

    async def next(self, timeout: float | None) -> Any:
        """See Stream.next."""
        self._begin_to_wait()
        wait = asyncio.timeout(timeout)
        try:
            async with wait:
                if self._state == _LEFT:
                    await self._enter(_ONE)
                message = await self._following(ConnectionLost(_CLOSED))
        except BaseException as error:
            was_lost = self._was_lost
            if self._state == _ONE:
                await self.leave()
            if isinstance(error, TimeoutError) and wait.expired():
                raise NothingCame(self.name, timeout or 0.0, was_lost) from None
            raise
        finally:
            self._is_awaited = False
        if not hasattr(message, "acknowledge") and self._state == _ONE:
            await self.leave()
        return message

    # -- for the client and the conversation ---------------------------------------------------------------------

    async def acknowledged(self) -> None:
        """Take note that one of its messages was acknowledged: the only one that was wanted ends the subscription."""
        if self._state == _ONE:
            await self.leave()

    def check_order(self, pushed: Any) -> None:
        """OutOfOrder if one that was fetched is older and not acknowledged."""
        if self.fill is not None:
            self.fill.check(pushed)

    def settle(self, pushed: Any) -> None:
        """Take note that what is kept of this one is safe, whether or not its acknowledgement could be sent."""
        if self.fill is not None:
            self.fill.settle(pushed)

    def put(self, message) -> None:
        """Add a message that came."""
        self._kept.append(message)
        self._came.set()

    def lose(self) -> None:
        """The connection was lost."""
        self._was_lost = True

    def wake(self) -> None:
        """The connection stands again: a reader that waits may have something to fetch."""
        self._came.set()

    def end(self) -> None:
        """End the stream: nothing more will come."""
        self._ended = True
        self._came.set()

    # -- inside --------------------------------------------------------------------------------------------------

    def _begin_to_wait(self) -> None:
        """StateError if someone waits already: which of two gets a message would be chance."""
        self.check()
        if self._is_awaited:
            raise StateError(f"{self.name}: another reader waits for its next message")
        self._is_awaited = True

    async def _following(self, end: Exception) -> Any:
        while True:
            one = await self._there()
            if one is not None:
                return one.received() if hasattr(one, "received") else one
            if self._ended:
                raise end
            self._came.clear()
            await self._came.wait()

    async def _enter(self, state: int) -> None:
        if self._state != _LEFT:
            raise StateError(f"{self.name}: it is being read already")
        if self._ended:
            raise ConnectionLost(_CLOSED)
        self._state = state
        self._was_lost = False
        try:
            await self._subscribe(self)
        except BaseException:
            self._state = _LEFT
            raise
        self._was_lost = False  # a new connection for the subscription is none that was lost

    async def _there(self) -> Any:
        """Return the next message if there is one."""
        if self.fill is not None and self.fill.is_entered:
            return await self.fill.following(self._kept)
        return self._kept.popleft() if self._kept else None


class Stream(Generic[Pushed]):
    """What `Controller.results` and the like return: one reader at a time. It ends when the client is closed.

    >>> import asyncio, toolcart
    >>> async def selected(simulated):
    ...     async with toolcart.connect(simulated.host, simulated.port) as controller:
    ...         async with controller.parameter_sets() as parameter_sets:
    ...             simulated.select_pset(2)
    ...             async for message in parameter_sets:
    ...                 await message.acknowledge()
    ...                 if message["pset_id"] == 2:
    ...                     return "selected"
    >>> with toolcart.simulated.controller() as simulated:
    ...     asyncio.run(selected(simulated))
    'selected'
    """

    def __init__(self, topic: Topic, begin: Callable[[deque], Awaitable[None]] | None = None) -> None:
        self.name = topic.name
        self._topic = topic
        self._begin = begin

    def __repr__(self) -> str:
        return repr(self._topic)

    async def __aenter__(self) -> Self:
        """Subscribe. Refused if the controller has no such topic, Unanswered or ConnectionLost if it does not answer.

        StateError if the topic is being read already.
        """
        await self._topic.enter(self._begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unsubscribe; what is not acknowledged by now stays with the controller."""
        await self._topic.leave()

    def __aiter__(self) -> Self:
        if not self._topic.is_entered:
            raise StateError(f"{self.name}: read it inside `async with controller.{self.name}() as {self.name}`")
        return self

    async def __anext__(self) -> Pushed:
        self.__aiter__()
        return await self._topic.following(StopAsyncIteration())

    async def next(self, timeout: float | None = None) -> Pushed:
        """Return the next message; NothingCame after `timeout` seconds, None waits for as long as it takes.

        Outside `async with` it subscribes first, and unsubscribes when the message is acknowledged or none came.
        ConnectionLost if the client is closed.
        """
        if timeout is not None:
            seconds_of("timeout", timeout)
        return await self._topic.next(timeout)
