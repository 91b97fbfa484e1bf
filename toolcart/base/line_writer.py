"""Lines to a descriptor, written so that whoever writes them never waits for the disk or the reader, and never ends.

Rules
1. A line is taken whole or is lost: `lost` counts those, `why` says what kept the last one. Of a line that was begun
   the rest goes first, as soon as there is room: a FIFO has kept its beginning for the next reader.
2. Every line is tried, whatever became of those before: a disk gets room, a FIFO another reader.
3. The descriptor stays as it is: others may have the same pipe or terminal, and do not expect a non-blocking one. A
   piece of PIECE_BYTES does not wait where `poll` says that there is room (pipe(7), a whole page of a pipe is free).
   Of a terminal that is true for one byte only: it is opened once more, as a non-blocking one of our own.
4. What the encoding has not is written as an escape: no character is worth a line.
"""

import os
import select
import weakref
from collections.abc import Callable

from toolcart.board.linux.plurals import counted

PIECE_BYTES = getattr(select, "PIPE_BUF", 512)  # of POSIX, where there is no pipe(7)
LAST_WORDS_S = 1.0  # how long the last lines may wait for a reader
NOT_READ = "nobody reads them"


class LineWriter:
    """Writes lines to this descriptor; `closed` once the reader has gone."""

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self.descriptor = descriptor
        self.lost = 0
        self.why = ""
        self.closed = False
        self._encoding = encoding
        self._rest = b""
        self._descriptor = descriptor
        if os.isatty(descriptor):
            self._open_terminal()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)

    def send(self, line: str, patience_s: float = 0.0) -> bool:
        """Write a line, with its end; False if it is lost. A reader is waited for at every PIECE_BYTES, no longer."""
        is_taken = self.offer(line, patience_s)
        self.lost += not is_taken
        return is_taken

    def offer(self, line: str, patience_s: float = 0.0) -> bool:
        """Do the same; a line that is not taken is not lost yet."""
        self.push(patience_s)
        if self._rest:
            return False
        whole = line.encode(self._encoding, "backslashreplace") + b"\n"
        rest = self._left_of(whole, patience_s)
        if len(rest) == len(whole):
            return False
        self._rest = rest
        return True

    def catch_up(self, entry: Callable[[str], str], patience_s: float = 0.0) -> bool:
        """Write the rest of a line that was begun and, as `entry` makes it, how many are lost; False if it cannot."""
        self.push(patience_s)
        text = f"{counted(self.lost, 'line')} could not be written: {self.why}"
        if self.lost and self.offer(entry(text), patience_s):
            self.lost = 0
        return not self.lost

    def push(self, patience_s: float = 0.0) -> None:
        """Write the rest of a line that was begun, as far as there is room."""
        self._rest = self._left_of(self._rest, patience_s)

    def _open_terminal(self) -> None:
        try:
            self._descriptor = os.open(f"/proc/self/fd/{self.descriptor}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:  # of another user, as after su(1), or no Linux: then the shared one has to do
            return
        weakref.finalize(self, os.close, self._descriptor)

    def _left_of(self, octets: bytes, patience_s: float) -> bytes:
        """Write as much as there is room for; return what is left."""
        try:
            while octets:
                if not self._poll.poll(1000 * patience_s):
                    self.why = NOT_READ
                    break
                octets = octets[os.write(self._descriptor, octets[:PIECE_BYTES]) :]
                self.closed = False
        except BlockingIOError:  # a terminal, or somebody else has made it a non-blocking one
            self.why = NOT_READ
        except OSError as error:
            self.why = error.strerror or type(error).__name__
            self.closed = isinstance(error, ConnectionError)
        return octets
