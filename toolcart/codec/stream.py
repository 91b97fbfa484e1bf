"""Open Protocol messages out of octets in pieces, found as the agent finds them (protocol.md 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from toolcart.agent.link import FRAME_TIMEOUT_MS, LINK_BROKEN, LINK_CUT_SHORT, LINK_MESSAGE, LINK_NEED_DATA
from toolcart.agent.link.stream import Stream

_LONGEST = 10000  # no message is longer, and none is cut short


class Messages:
    """Finds the messages, and what is none between them."""

    def __init__(self) -> None:
        self._stream = Stream(_LONGEST)
        self.junk = b""  # what came since the last message and is none

    def feed(self, octets: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield what these octets complete, each with whether it is a message."""
        stream = self._stream
        while octets:
            n = min(stream.room(), len(octets))
            stream.inlet()[:n] = octets[:n]
            stream.receive(n)
            octets = octets[n:]
            yield from self._found(0)

    def end(self) -> Iterator[tuple[bytes, bool]]:
        """Yield what is left when no more comes."""
        for now in (FRAME_TIMEOUT_MS, 2 * FRAME_TIMEOUT_MS):
            yield from self._found(now)
        left = self.drop()
        if left.strip(b"\0"):
            yield left, False

    def drop(self) -> bytes:
        """Return what is not whole yet, and begin anew: octets are missing behind it."""
        left, self.junk = self.junk + self.unread(), b""
        self._stream.reset()
        return left

    def unread(self) -> bytes:
        """Return what has come of a message that is not whole."""
        return bytes(self._stream.buf[self._stream.start : self._stream.end])

    def _found(self, now: int) -> Iterator[tuple[bytes, bool]]:
        stream = self._stream
        while True:
            before, unread = stream.start, self.unread()
            kind = stream.next_message(now)
            is_message = kind in (LINK_MESSAGE, LINK_CUT_SHORT)
            if kind == LINK_BROKEN:
                self.junk += unread
                stream.reset()
            else:
                self.junk += unread[: (stream.at if is_message else stream.start) - before]
            if is_message:
                if self.junk.strip(b"\0"):
                    yield self.junk.lstrip(b"\0"), False
                self.junk = b""
                yield bytes(stream.buf[stream.at : stream.at + stream.length]), True
            elif kind == LINK_NEED_DATA:
                return
