"""The client for scripts without asyncio: the same calls, but each waits until it is done.

    with connect_blocking("192.0.2.10") as controller:
        controller.select_pset(5)
        with controller.results() as results:
            for result in results:
                if isinstance(result, Missed):
                    print(result)
                else:
                    result.acknowledge()

An asyncio loop of its own runs in a thread, so the connection is kept alive while the script does other things.
"""

import asyncio
import contextlib
import functools
import inspect
import os
import threading
import warnings
import weakref
from types import GenericAlias
from typing import Any

from toolcart.catalogue.message import Message
from toolcart.client.connect import connect, connect_serial
from toolcart.client.controller import Controller
from toolcart.client.conversation import CLOSED
from toolcart.client.errors import ConnectionLost, StateError
from toolcart.client.options import accepts_options
from toolcart.client.received import Received
from toolcart.client.stream import Stream


class BlockingReceived(Message):
    """A message that was pushed, with a blocking `acknowledge`.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         with controller.results() as results:
    ...             number = simulated.produce(torque=4237)
    ...             result = results.next(timeout=5)
    ...             print(result["torque"], result.acknowledge())
    4237 True
    """

    __slots__ = ("_received", "_run")

    def __init__(self, received: Received, run) -> None:
        super().__init__(received.frame, received.form)
        self._received = received
        self._run = run

    def _with(self, form):
        return BlockingReceived(self._received._with(form), self._run)

    @property
    def fetched(self) -> bool:
        """See Received.fetched."""
        return self._received.fetched

    @property
    def acknowledged(self) -> bool:
        """True once its acknowledgement has gone out."""
        return self._received.acknowledged

    def acknowledge(self) -> bool:
        """See Received.acknowledge."""
        return self._run(self._received.acknowledge)


class BlockingStream:
    """The messages of one topic that a controller pushes, read inside `with`; see Stream.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         with controller.results() as results:
    ...             number = simulated.produce()
    ...             for result in results:
    ...                 print(result.acknowledge())
    ...                 break
    True
    """

    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, stream: Stream, run) -> None:
        self.name = stream.name
        self._stream = stream
        self._run = run

    def __enter__(self) -> "BlockingStream":
        """See Stream.__aenter__."""
        self._run(self._stream.__aenter__)
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(ConnectionLost):  # the client is closed
            self._run(self._stream.__aexit__)

    def __iter__(self) -> "BlockingStream":
        self._check_entered()
        return self

    def _check_entered(self) -> None:
        try:
            self._stream.__aiter__()
        except StateError as error:
            raise StateError(str(error).replace("async with", "with")) from None

    def __repr__(self) -> str:
        return repr(self._stream).replace("Stream", "BlockingStream", 1)

    def __next__(self):
        self._check_entered()
        try:
            return self._given(self._run(_following, self._stream))
        except StopAsyncIteration:
            raise StopIteration from None

    def next(self, timeout: float | None = None):
        """See Stream.next."""
        return self._given(self._run(self._stream.next, timeout))

    def _given(self, event):
        return BlockingReceived(event, self._run) if isinstance(event, Received) else event


async def _following(stream: Stream):
    return await stream.__anext__()


def _blocking(method):
    """Return the same method for a BlockingController: it waits until it is done, or gives what is read with `for`."""

    @functools.wraps(method)
    def call(self, *words, **named):
        if inspect.iscoroutinefunction(method):
            return self._run(method, self._controller, *words, **named)
        self._check_entered()
        return BlockingStream(method(self._controller, *words, **named), self._run)

    call.__module__, call.__qualname__ = __name__, "BlockingController." + method.__name__
    return call


class BlockingController:
    """A Controller with blocking calls. Made by `connect_blocking` or `connect_serial_blocking`, and used with `with`.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         print(controller.select_pset(2)["mid_accepted"])
    18
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._was_entered = False
        self._process = 0  # that it was entered in: a child of it has no thread that answers
        self._finalizer: weakref.finalize | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # a call is handed to the loop before the loop ends, or not at all

    def __enter__(self) -> "BlockingController":
        """See Controller.__aenter__."""
        if self._loop is not None:
            raise StateError("this client is connected already: make another one for a second connection")
        self._was_entered = True
        self._process = os.getpid()
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(loop,), name="toolcart client", daemon=True)
        self._thread.start()
        self._finalizer = weakref.finalize(self, _left_open, self._controller, loop, self._process)
        try:
            self._run(self._controller.__aenter__)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """See Controller.close."""
        if self._loop is not None and self._process != os.getpid():
            self._loop = None  # it is the parent's, and goes on there
        if self._loop is not None:
            try:
                self._run(self._controller.close)
            finally:
                self._end()

    @property
    def timeout(self) -> float:
        """The seconds that a request may take as a rule."""
        return self._controller.timeout

    @property
    def started(self) -> Message:
        """See Controller.started."""
        self._check_entered()
        return self._controller.started

    @property
    def unexpected(self) -> dict[int, int]:
        """How many messages came, by MID, that no one reads or asked for, or that cannot be read."""
        return self._controller.unexpected

    def _run(self, method, /, *words: Any, **named: Any) -> Any:
        """Wait for what an `async def` does; an interrupt (Ctrl-C) also cancels it."""
        self._check_entered()
        with self._lock:
            if self._loop is None:
                raise ConnectionLost(CLOSED)
            waiting = asyncio.run_coroutine_threadsafe(method(*words, **named), self._loop)
        try:
            return waiting.result()
        except KeyboardInterrupt:
            waiting.cancel()
            raise

    def __repr__(self) -> str:
        return repr(self._controller).replace("Controller", "BlockingController", 1)

    def _check_entered(self) -> None:
        """StateError before `with`, and in another process than that which entered it."""
        if not self._was_entered:
            raise StateError("this client is not connected yet: use it inside `with`")
        if self._process != os.getpid():
            raise StateError("this client was connected before os.fork(): connect another one in the child")

    def _end(self) -> None:
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:  # else another thread ends it
            self._finalizer.detach()  # type: ignore[union-attr] - it was entered
            asyncio.run_coroutine_threadsafe(_stop(loop), loop)
            self._thread.join()  # type: ignore[union-attr]


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """What the thread of a client does."""
    try:
        loop.run_forever()
    finally:
        loop.close()


def _left_open(controller: Controller, loop: asyncio.AbstractEventLoop, process: int) -> None:
    """Close a client that no one has any more, and end its thread."""
    if process != os.getpid() or loop.is_closed():
        return

    async def end() -> None:
        try:
            await controller.close()
        finally:
            await _stop(loop)

    warnings.warn(f"{controller!r} was not closed: use it inside `with`, or call close()", ResourceWarning, 2)
    asyncio.run_coroutine_threadsafe(end(), loop)


async def _stop(loop: asyncio.AbstractEventLoop) -> None:
    """Stop the loop when the calls of other threads have ended: their client is closed."""
    calls = asyncio.all_tasks() - {asyncio.current_task()}
    if calls:
        await asyncio.wait(calls)
    await asyncio.sleep(0)  # their threads are told
    loop.stop()


# All other methods are those of a Controller.
for _name, _method in vars(Controller).items():
    if inspect.isfunction(_method) and _name[0] != "_" and _name != "close":
        setattr(BlockingController, _name, _blocking(_method))


@accepts_options
def connect_blocking(host: str, port: int = 4545, **options) -> BlockingController:
    """Return the controller at this address, for `with`: see `connect`.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     with toolcart.connect_blocking(simulated.host, simulated.port) as controller:
    ...         controller.psets()
    [1, 2, 12]
    """
    return BlockingController(connect(host, port, **options))


@accepts_options
def connect_serial_blocking(
    device: str, baud: int = 9600, procedure: str = "3964r", parity: str = "none", stop_bits: int = 1, **options
) -> BlockingController:
    """Return the controller at a serial line, for `with`: see `connect_serial`.

    >>> import toolcart
    >>> try:
    ...     toolcart.connect_serial_blocking("/dev/ttyUSB0", procedure="modbus")
    ... except toolcart.OptionError as error:
    ...     print(error)
    procedure: found 'modbus', allowed one of ascii, 3964r
    """
    return BlockingController(connect_serial(device, baud, procedure, parity, stop_bits, **options))
