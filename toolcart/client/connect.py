"""The entry points of a client: over TCP or over a serial line."""

import asyncio
import socket
from typing import cast

from toolcart.client.controller import BUFFER_BYTES, MESSAGE_BYTES, Controller
from toolcart.client.options import one_of, options_of, takes_options, text, whole

__all__ = ["connect", "connect_serial"]


@takes_options
def connect(host: str, port: int = 4545, **options) -> Controller:
    """Return the controller at this address, for `async with`; the options are those of toolcart.client.options.

    Entering it connects; ConnectionLost if no session stands within `timeout` seconds. OptionError for an invalid
    option.

    >>> import asyncio, toolcart
    >>> async def selected(host, port):
    ...     async with toolcart.connect(host, port, timeout=5) as controller:
    ...         return (await controller.select_pset(2))["mid_accepted"]
    >>> with toolcart.simulated.controller() as simulated:
    ...     asyncio.run(selected(simulated.host, simulated.port))
    18
    """
    from toolcart.agent.link.stream import Stream

    text("host", host, "a name or an address")
    whole("port", port, 1, 65535)
    checked = options_of("connect", options)
    return Controller(
        lambda: Stream(BUFFER_BYTES, MESSAGE_BYTES), lambda one: open_tcp(one, host, port), f"{host}:{port}", checked
    )


@takes_options
def connect_serial(
    device: str, baud: int = 9600, procedure: str = "3964r", parity: str = "none", stop_bits: int = 1, **options
) -> Controller:
    """Return the controller at a serial line: `procedure` is "3964r" or "ascii". Needs pyserial, on Linux or macOS.

    The options and errors are those of `connect`.

    >>> import toolcart
    >>> controller = toolcart.connect_serial("/dev/ttyUSB0", baud=19200, procedure="ascii")
    """
    from toolcart.base.serial_settings import BAUDS, PARITIES, PROCEDURES

    text("device", device, "a serial device")
    for name, value, allowed in (
        ("baud", baud, BAUDS),
        ("procedure", procedure, PROCEDURES),
        ("parity", parity, PARITIES),
        ("stop_bits", stop_bits, (1, 2)),
    ):
        one_of(name, value, allowed)
    checked = options_of("connect_serial", options)
    from toolcart.client.serial_line import open_serial  # it needs termios, which Windows has not

    return Controller(
        lambda: _link(baud, procedure, parity, stop_bits),
        lambda one: open_serial(one, device, baud, parity, stop_bits),
        device,
        checked,
    )


def _link(baud: int, procedure: str, parity: str, stop_bits: int):
    """Return the agent's link of such a line, with its usual settings."""
    from toolcart.agent.cart.assembly import link_of
    from toolcart.agent.cart.config import complete

    line = {"link": procedure, "device": "line", "baud": baud, "parity": parity, "stop_bits": stop_bits}
    station = {"number": 1, "controller": {**line, "buffer_bytes": MESSAGE_BYTES}, "spool": {"path": "none"}}
    cart = complete({"toolsnet": {"pim_host": "none", "pim_port": 1}, "stations": [station]})
    return link_of(cart["stations"][0]["controller"], MESSAGE_BYTES)


# A TCP connection of asyncio that reads into the link's own buffer.


class TcpLine(asyncio.BufferedProtocol):
    """One connection of a conversation; made by `open_tcp`."""

    def __init__(self, conversation) -> None:
        self._conversation = conversation
        self._transport: asyncio.Transport | None = None
        self._takes = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        line = transport.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, sizehint: int):
        link = self._conversation.link
        inlet = link.inlet()
        return memoryview(inlet)[: link.free]

    def buffer_updated(self, nbytes: int) -> None:
        self._conversation.received(nbytes)

    def pause_writing(self) -> None:
        self._takes = False

    def resume_writing(self) -> None:
        self._takes = True
        self._conversation.turn()

    def connection_lost(self, exc) -> None:
        self._transport = None
        self._conversation.lost(str(exc) if exc else "the controller closed the connection")

    def write(self, buf, start: int, octets: int) -> int:
        """Send `octets` bytes of buf[start:]; return how many were taken."""
        if self._transport is None or not self._takes:
            return 0
        self._transport.write(bytes(memoryview(buf)[start : start + octets]))
        return octets

    def close(self) -> None:
        """Close at once; what was written still goes out."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


async def open_tcp(conversation, host: str, port: int) -> TcpLine:
    """Connect; OSError if that fails."""
    try:
        _, line = await asyncio.get_running_loop().create_connection(lambda: TcpLine(conversation), host, port)
    except ValueError as error:  # no name can be so
        raise OSError(f"{host!r}: {error}") from None
    return line
