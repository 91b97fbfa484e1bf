"""The entry points of a client: over TCP or over a serial line."""

from toolcart.client.controller import BUFFER_BYTES, MESSAGE_BYTES, Controller
from toolcart.client.tcp_line import open_tcp

__all__ = ["connect", "connect_serial"]


def connect(host: str, port: int = 4545, **options) -> Controller:
    """Return the controller at this address, for `async with`; the options are those of Controller.

    Entering it connects; ConnectionLost if no session is open within `deadline_s`.
    """
    from toolcart.agent.link.stream import Stream

    return Controller(Stream(BUFFER_BYTES, MESSAGE_BYTES), lambda one: open_tcp(one, host, port), **options)


def connect_serial(
    device: str,
    baud: int = 9600,
    procedure: str = "3964r",
    parity: str = "none",
    stop_bits: int = 1,
    **options,
) -> Controller:
    """Return the controller at a serial line: `procedure` is "3964r" or "ascii". Needs pyserial, on Linux or macOS.

    ConfigError for a setting that a line cannot have (docs/configuration.md); the options are those of Controller.
    """
    from toolcart.agent.cart.assembly import link_of
    from toolcart.agent.cart.config import complete

    line = {"link": procedure, "device": "line", "baud": baud, "parity": parity, "stop_bits": stop_bits}
    station = {"number": 1, "controller": {**line, "buffer_bytes": MESSAGE_BYTES}, "spool": {"path": "none"}}
    cart = complete({"toolsnet": {"pim_host": "none", "pim_port": 1}, "stations": [station]})
    settings = cart["stations"][0]["controller"]
    return Controller(link_of(settings, MESSAGE_BYTES), lambda one: _open(one, device, settings), **options)


async def _open(conversation, device, settings):
    from toolcart.client.serial_line import open_serial  # it needs termios

    return await open_serial(conversation, device, settings["baud"], settings["parity"], settings["stop_bits"])
