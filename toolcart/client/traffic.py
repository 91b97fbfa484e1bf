"""What goes over a connection, for `logging.getLogger("toolcart.traffic")` at the level DEBUG.

    192.0.2.10:4545 > 00200060001         out, to the controller
    192.0.2.10:4545 < 00240005001         0060

1. A line for each telegram: as it is if it is printable, else in hexadecimal, as one with the samples of a curve; also
   one with a backslash, which would be read back as the beginning of an escape. What cannot be cut into telegrams (a
   serial line's procedure, a log that is switched on in the middle of one) is a line for each piece, in quotes.
2. A record has `direction` ("out" or "in") and `octets` for programs; a handler of one's own needs no parsing.
"""

from __future__ import annotations

import logging
import re

from toolcart.catalogue import FrameError, Frames
from toolcart.client.log import Log

LOGGER = Log("toolcart.traffic")
_PLAIN = re.compile(rb"[ -\[\]-~]*")


class Traffic:
    """Both directions of one connection after another, to the controller at `where`."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.begin()

    def begin(self) -> None:
        """A connection begins."""
        self._out, self._in = Frames(), Frames()

    def is_wanted(self) -> bool:
        """True if someone reads the log."""
        return LOGGER.isEnabledFor(logging.DEBUG)

    def went(self, octets: bytes) -> None:
        """These bytes were sent."""
        self._out = self._log("out", ">", self._out, octets)

    def came(self, octets: bytes) -> None:
        """These bytes came."""
        self._in = self._log("in", "<", self._in, octets)

    def _log(self, direction: str, sign: str, frames: Frames, octets: bytes) -> Frames:
        try:
            for frame in frames.feed(octets):
                self._line(direction, sign, frame, frame.decode("ascii") if _PLAIN.fullmatch(frame) else frame.hex())
            frames.feed(b"")  # asks for what stopped the first call
        except FrameError:
            self._line(direction, sign, frames.buffer, repr(frames.buffer)[1:])
            return Frames()
        return frames

    def _line(self, direction: str, sign: str, octets: bytes, text: str) -> None:
        more = {"direction": direction, "octets": octets}
        LOGGER.debug("%s %s %s", self.where, sign, text, extra=more)
