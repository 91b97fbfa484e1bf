"""Moves old rows into another archive while this one is served: some at a time, then a pause.

Rules
1. A row is on the disk there before the writer deletes it here, between two batches (toolcart.archive.changes).
2. A run that fails or is cut off loses nothing: the next one goes on.
3. Of several servers only one does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from toolcart.archive import changes, database
from toolcart.archive.writer import Ended, Writer

EVERY_S = 6 * 3600.0
FIRST_S = 60.0  # after a start stations come first
AT_ONCE = 100  # rows; deleting them takes a few ms
PAUSE_S = 0.1  # between two such steps


@dataclass(frozen=True)
class Keeping:
    """How long rows stay, and where they go then."""

    into: str
    days: int
    ok_days: int | None = None


class Retention:
    """A thread that moves old rows now and then."""

    def __init__(
        self, engine: Engine, place: str, writer: Writer, keeping: Keeping, say: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._place = place
        self._writer = writer
        self._keeping = keeping
        self._say = say
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the rows that are being moved."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        wait_s = FIRST_S
        while not self._ended.wait(wait_s):
            wait_s = EVERY_S
            keeping = self._keeping
            what = changes.old(keeping.days, keeping.ok_days)
            try:
                told = changes.move_some(
                    self._engine, self._place, keeping.into, what, self._write, lambda share: None, AT_ONCE
                )
            except Ended:
                return
            except Exception as wrong:  # whatever it is: nothing is lost, and it goes on later
                self._say(f"what is old stays for now: {database.first_line(wrong)}")
            else:
                if any(told.values()):
                    self._say(f"moved {told['taken']} results, {told['events']} events, {told['graphs']} curves")

    def _write(self, change: Callable[[Connection], None]) -> None:
        if self._ended.wait(PAUSE_S):
            raise Ended("the archive ends")
        self._writer.change(change)
