"""A serial line on asyncio: the agent's own port (pyserial), watched by the loop."""

import asyncio

from toolcart.agent.link.port import PORT_OPEN
from toolcart.board.linux.serial import SerialPort


class SerialLine:
    """One open line of a conversation; made by `open_serial`."""

    def __init__(self, conversation, port: SerialPort) -> None:
        self._conversation = conversation
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._descriptor = port.sock.fileno()  # type: ignore[union-attr] - it is open
        self._loop.add_reader(self._descriptor, self._read)

    def write(self, buf, start: int, octets: int) -> int:
        """Send `octets` bytes of buf[start:]; return how many were taken."""
        taken = self._port.write(buf, start, octets)
        if taken < 0:
            self._loop.call_soon(self._conversation.lost, self._port.last_error)
            return 0
        if taken < octets:
            self._loop.add_writer(self._descriptor, self._resume)
        return taken

    def close(self) -> None:
        """Close at once."""
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._port.close()

    def _read(self) -> None:
        link = self._conversation.link
        octets = self._port.readinto(link.inlet(), link.free)
        if octets > 0:
            self._conversation.received(octets)
        elif octets < 0:
            self._conversation.line_ended(self._port.last_error or "the line is gone")
        else:
            self._conversation.turn()  # the link has no room until it has looked at what came

    def _resume(self) -> None:
        self._loop.remove_writer(self._descriptor)
        self._conversation.turn()


async def open_serial(conversation, device: str, baud: int, parity: str, stop_bits: int) -> SerialLine:
    """Open the device; OSError if that fails."""
    port = SerialPort({"parity": parity, "stop_bits": stop_bits})
    port.open(device, baud)
    if port.state() != PORT_OPEN:
        raise OSError(port.why_code, f"{device}: {port.last_error}")
    return SerialLine(conversation, port)
