"""A controller in the test's own loop that answers as the test says, and pushes one result until it is acknowledged.

async with ScriptedController(answer) as scripted: ...
                           `answer(mid, data)` returns the frames to send, None for the usual ones
scripted.send(frame)       sends this over the newest connection
scripted.got               (connection, MID, data) of all that came
scripted.push(4)           pushes the results 1 to 4, each once the one before is acknowledged: any MID 0062
                           acknowledges what is pushed
"""

import asyncio
import contextlib

from toolcart import catalogue

STARTED = b"010001020103" + b"line 3".ljust(25)
USUAL = (3, 8, 9, 18, 42, 43, 60, 63)  # are accepted
HEADER_BYTES = 20


def frame(mid, data=b"", revision=1):
    return b"%04d%04d%03d         " % (HEADER_BYTES + len(data), mid, revision) + data


def accepted(mid):
    return frame(5, b"%04d" % mid)


def refused(mid, code):
    return frame(4, b"%04d%02d" % (mid, code))


def result(number, mid=61, **fields):
    return catalogue.encode(mid, 1, check=False, tightening_id=number, **fields)


class ScriptedController:
    """See the module."""

    def __init__(self, answer=lambda mid, data: None):
        self._answer = answer
        self._writers = []
        self.got = []
        self.acknowledged = []
        self._left = []  # results that are still to be pushed; the first one is open

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.host, self.port = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.close()

    def count(self, mid):
        return sum(one == mid for _, one, _ in self.got)

    def send(self, octets):
        self._writers[-1].write(octets + b"\0")

    def push(self, most):
        self._left = list(range(1, most + 1))
        self.push_again()

    def push_again(self):
        """Push what is not acknowledged yet."""
        if self._left:
            self.send(result(self._left[0]))

    def hang_up(self):
        """Nothing listens any more, and the newest connection is over."""
        self._server.close()
        self.cut()

    def cut(self):
        self._writers[-1].close()

    async def _serve(self, reader, writer):
        self._writers.append(writer)
        connection = len(self._writers)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await self._header(reader)
                mid, data = int(head[4:8]), await reader.readexactly(int(head[:4]) - HEADER_BYTES)
                self.got.append((connection, mid, data))
                for one in self._replies(mid, data):
                    writer.write(one + b"\0")
        writer.close()

    async def _header(self, reader):
        first = await reader.readexactly(1)
        while first == b"\0":
            first = await reader.readexactly(1)
        return first + await reader.readexactly(HEADER_BYTES - 1)

    def _replies(self, mid, data):
        own = self._answer(mid, data)
        if own is not None:
            return own
        if mid == 62:
            if self._left:
                self.acknowledged.append(self._left.pop(0))
                self.push_again()
            return []
        if mid == 1:
            return [frame(2, STARTED)]
        if mid == 64:
            return [refused(64, 15)]
        if mid == 9999:
            return [frame(9999)]
        return [accepted(mid)] if mid in USUAL else []
