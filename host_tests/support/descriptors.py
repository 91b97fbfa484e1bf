"""Descriptors to write to: a file that is text afterwards, a pipe without room."""

import os
import tempfile

from toolcart.base.line_writer import LineWriter


class WrittenText(LineWriter):
    """Writes into a file without a name; `getvalue` is what was written."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()
        super().__init__(self._file.fileno())

    def getvalue(self) -> str:
        return os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0).decode()


def fill(writer: int) -> None:
    """Leave no room in this pipe."""
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)


def emptied(reader: int) -> bytes:
    """Read what there is in this pipe."""
    os.set_blocking(reader, False)
    said = b""
    try:
        while piece := os.read(reader, 1 << 20):
            said += piece
    except BlockingIOError:
        pass
    return said
