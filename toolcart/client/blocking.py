"""The client for scripts without asyncio: the same calls, but each waits until it is done.

    with connect_blocking("192.0.2.10") as controller:
        controller.select_pset(5)
        for result in controller.results():
            result.acknowledge()

An asyncio loop of its own runs in a thread, so the connection is kept alive while the script does other things.
"""

import asyncio
import inspect
import threading
from typing import Any

from toolcart.agent.catalogue.message import Message
from toolcart.client.connect import connect, connect_serial
from toolcart.client.controller import Controller
from toolcart.client.received import Received


class BlockingReceived(Message):
    """A message that was pushed, with an `acknowledge` that waits."""

    __slots__ = ("_run", "message")

    def __init__(self, message: Received, run) -> None:
        super().__init__(message.frame, message.form)
        self.message = message
        self._run = run

    @property
    def acknowledged(self) -> bool:
        """True once its acknowledgement has gone out."""
        return self.message.acknowledged

    def acknowledge(self) -> bool:
        """See Received.acknowledge."""
        return self._run(self.message.acknowledge())


class BlockingStream:
    """The messages of one topic that a controller pushes, to be read with `for`."""

    def __init__(self, stream, run) -> None:
        self._stream = stream
        self._run = run

    def begin(self) -> None:
        """See Stream.begin."""
        self._run(self._stream.begin())

    def __iter__(self):
        return self

    def __next__(self):
        try:
            found = self._run(self._next())
        except StopAsyncIteration:
            raise StopIteration from None
        return BlockingReceived(found, self._run) if hasattr(found, "acknowledge") else found

    async def _next(self):
        return await self._stream.__anext__()


class BlockingController:
    """A Controller whose calls wait: it has all its methods, under their own names."""

    def __init__(self, make) -> None:
        self._make = make
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._controller: Controller | None = None

    def __enter__(self) -> "BlockingController":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="toolcart client", daemon=True)
        self._thread.start()
        try:
            self._run(self._begin())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_) -> None:
        try:
            self._run(self._controller.close())  # type: ignore[union-attr] - it was entered
        finally:
            self._end()

    def __getattr__(self, name: str) -> Any:
        """Return a method of the Controller that waits until it is done, or another attribute of it."""
        if name.startswith("_") or self._controller is None:
            raise AttributeError(name)
        found = getattr(self._controller, name)
        if inspect.iscoroutinefunction(found):
            return lambda *words, **named: self._run(found(*words, **named))
        if callable(found):
            return lambda *words, **named: BlockingStream(found(*words, **named), self._run)
        return found

    async def _begin(self) -> None:
        controller = self._controller = self._make()
        await controller.__aenter__()

    def _run(self, work):
        """Wait for `work`; an interrupt (Ctrl-C) also cancels it."""
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)  # type: ignore[arg-type]
        try:
            return waiting.result()
        except KeyboardInterrupt:
            waiting.cancel()
            raise

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)  # type: ignore[union-attr]
        self._thread.join()  # type: ignore[union-attr]
        self._loop.close()  # type: ignore[union-attr]


def connect_blocking(host: str, port: int = 4545, **options) -> BlockingController:
    """Return the controller at this address, for `with`: see `connect`."""
    return BlockingController(lambda: connect(host, port, **options))


def connect_serial_blocking(device: str, baud: int = 9600, **options) -> BlockingController:
    """Return the controller at a serial line, for `with`: see `connect_serial`."""
    return BlockingController(lambda: connect_serial(device, baud, **options))
