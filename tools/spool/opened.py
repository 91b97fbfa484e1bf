"""A station's area as the agent's own code finds it at a start, on any device; nothing is written.

Code that looks at a spool from outside learns here what counts, what is waiting and what is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.log import numbers as n
from agent.log.areas import divide
from agent.log.cursor import WANTS_ALL, Cursor
from agent.log.flash import Part
from agent.log.log import BLOCKS_LEAST, Log
from agent.log.mount import MOUNT_DONE, mount
from agent.log.state import STATE_BLOCKS, State
from agent.openprotocol.known import Known
from agent.quarantine.quarantine import Quarantine
from agent.record import KIND_RAW, KIND_RESULT, PAYLOAD_WIDE

OUTLETS = 4


class Opened:
    """State and logs of one station, mounted; `graphs` is None if there are none."""

    def __init__(self, device, kept_blocks: int, graph_blocks: int) -> None:
        first = STATE_BLOCKS + kept_blocks + graph_blocks
        self.state = State(Part(device, 0, STATE_BLOCKS))
        self.log = Log(
            Part(device, first, device.block_count - first), self.state, n.LOG, OUTLETS, payload_most=PAYLOAD_WIDE
        )
        self.state.follow(Cursor(), n.EVENT_CURSOR)
        part = Part(device, STATE_BLOCKS, kept_blocks)
        self.kept = Log(part, self.state, n.KEPT, cursor_slot=n.KEPT_CURSOR, beside=self.log)
        self.graphs = None
        if graph_blocks:
            part = Part(device, STATE_BLOCKS + kept_blocks, graph_blocks)
            self.graphs = Log(part, self.state, n.GRAPHS, OUTLETS, n.GRAPH_CURSOR, beside=self.log)
        self.answer = mount(self.state, [log for _, log in self.logs()], 0)
        self.quarantine = Quarantine(self.kept, self.state, self.log)
        self.known = Known(self.state)
        if self.answer == MOUNT_DONE:
            for _, log in self.logs():  # nothing is delivered from here: a last record in doubt counts too
                log.shown, log.doubtful = log.number, False
            self.quarantine.start()
            self._replay()

    def logs(self) -> Iterator[tuple[int, Log]]:
        """Each log with the number of its ring, the main one first."""
        yield n.LOG, self.log
        yield n.KEPT, self.kept
        if self.graphs is not None:
            yield n.GRAPHS, self.graphs

    def _replay(self) -> None:
        """Replay the results after the snapshot as a start does, but only in memory."""
        scout = Cursor()
        scout.wants = WANTS_ALL
        numbers = self.state.numbers
        self.log.rewind(scout, numbers[n.LOG + n.NEXT] - 1)
        while (kind := self.log.peek(scout)) > 0:
            log = self.log
            if kind in (KIND_RESULT, KIND_RAW):
                numbers[n.STORED] += 1
                self.known.stored(kind, log.flags, log.page, log.at, log.length)
            scout.advance()

    def counting(self, log: Log) -> dict[int, bytes]:
        """Return the payload of every record that counts, by number; the last one too, even if it is in doubt."""
        scout = Cursor()
        scout.wants = WANTS_ALL
        found = {}
        while log.peek(scout) > 0:
            found[scout.found] = bytes(log.page[log.at : log.at + log.length])
            scout.advance()
        return found


def opened(device) -> Opened | None:
    """Open the area on this device; None if it is not one of this version."""
    kept_blocks, graph_blocks = divide(device, 0, 0)
    if kept_blocks < BLOCKS_LEAST or STATE_BLOCKS + kept_blocks + graph_blocks + BLOCKS_LEAST > device.block_count:
        return None
    found = Opened(device, kept_blocks, graph_blocks)
    return found if found.answer == MOUNT_DONE else None
