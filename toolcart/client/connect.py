"""The entry points of a client: over TCP or over a serial line."""

from toolcart.client.controller import BUFFER_BYTES, MESSAGE_BYTES, Controller
from toolcart.client.options import accepts_options, address, one_of, options_of, text, whole
from toolcart.client.tcp_line import open_tcp

__all__ = ["connect", "connect_serial"]


@accepts_options
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

    address("host", host)
    whole("port", port, 1, 65535)
    checked = options_of("connect", options)
    return Controller(
        lambda: Stream(BUFFER_BYTES, MESSAGE_BYTES), lambda one: open_tcp(one, host, port), f"{host}:{port}", checked
    )


@accepts_options
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
