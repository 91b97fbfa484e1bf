"""The messages of one topic that a controller pushes, to be read with `async for`."""

import asyncio
from collections import deque


class Stream:
    """See Controller.results and others. Ends when the client is closed; a lost connection only makes it wait."""

    def __init__(self, controller, name: str, first: int, behind: int, most: int | None = None) -> None:
        self.name = name
        self.first = first  # places of its subscriptions
        self.behind = behind
        self.is_subscribed = False
        self._controller = controller
        self._kept: deque = deque(maxlen=most)  # pushes are bounded by what a controller sends without acknowledgement
        self._came = asyncio.Event()
        self._ended = False

    async def begin(self) -> None:
        """Subscribe now instead of with the first message read; Refused if the controller has no such topic."""
        await self._controller.subscribe(self)

    def __aiter__(self):
        return self

    async def __anext__(self):
        await self._controller.subscribe(self)
        while not self._kept:
            if self._ended:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        return self._kept.popleft()

    def put(self, message) -> None:
        """Add a message that came."""
        self._kept.append(message)
        self._came.set()

    def end(self) -> None:
        """End the stream: nothing more will come."""
        self._ended = True
        self._came.set()
