"""Takes batches from a broker, has the archive's writer store them, and publishes the receipts after the commit.

    B/results -> batch -> writer: one commit for many -> B/receipt, retained -> PUBACK
    B/alarms, B/curves -> the telegram that ToolsNet would get -> writer -> PUBACK

Rules
1. A receipt goes out after the commit of what it says, and the PUBACK after the receipt. What is refused, or does not
   concern us, is acknowledged at once: else it would come again and again.
2. A batch that the database did not take ends the connection: after a pause the broker brings it again, with all that
   came after it.
3. What is taken and not committed yet is bounded (WAITING_OCTETS_MOST): beyond that nothing is read.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from toolcart.archive.consume import counters as c
from toolcart.archive.consume import lines
from toolcart.archive.consume.batch import (
    ALARMS,
    ENDS,
    GAP,
    RECEIPT,
    RESULTS,
    STATE,
    Batch,
    filters_of,
    line_parcel,
    parcel_of,
    read,
    read_line,
    read_state,
)
from toolcart.archive.consume.broker import Address, Broker, Mark
from toolcart.archive.consume.lines import Place, Unreadable
from toolcart.archive.database import tables as t
from toolcart.archive.server.writer import FAILED, PARCEL, REPEATED, STORED, Ended, Writer

WAITING_OCTETS_MOST = 8 * 2**20  # taken apart they need about ten times as much
MESSAGE_OCTETS = 500  # what a message costs beside its own bytes


class Consumer:
    """One broker's batches into one archive, in a thread of its own; `passes_gaps`: nothing is sent again."""

    def __init__(self, address: Address, writer: Writer, say: Callable[[str], None], passes_gaps: bool = False) -> None:
        self.counted = c.Counted(writer.note_breach, say)
        self.waiting_octets = 0  # taken and not committed
        self._writer = writer
        self._passes_gaps = passes_gaps
        self._lock = threading.Lock()
        self._left: tuple[str, dict, Callable[[str], None]] | None = None  # what the writer had no room for
        self.broker = Broker(replace(address, filters=filters_of(address.filters)), say)
        self._online = Online(writer.heard)
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take nothing more; what was taken belongs to the writer."""
        self.broker.close()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """What was counted, for other programs (toolcart.archive.web.metrics)."""
        told: dict[str, float] = {f"consumed_{name}_total": count for name, count in self.counted.of.items()}
        told["consumed_waiting_bytes"] = self.waiting_octets
        told["consumed_stations_online"] = self._online.count()
        told["consumed_connected"] = self.broker.is_connected
        told["consumed_connections_total"] = self.broker.connections
        return told

    # -- the broker's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(SQLAlchemyError, Ended):  # what is not read here, batches will say
            self._writer.change(self._online.learn)
        self.broker.serve(self)

    def has_room(self) -> bool:
        """True if another message can be taken."""
        self._online.beat()
        if self._left is not None and self._writer.put(*self._left):
            self._left = None
        return self._left is None and self.waiting_octets < WAITING_OCTETS_MOST

    def take(self, mark: Mark, topic: str, payload: bytes, retained: bool) -> None:
        base, slash, last = topic.rpartition("/")
        try:
            if slash + last in (RECEIPT, STATE):
                if slash + last == STATE:
                    self._online.take(base, payload)
                self.broker.done(mark)
            elif slash + last not in ENDS:
                self._leave(mark, c.OTHER_TOPIC, topic, repr(payload[: c.SAMPLE_MOST]))
            elif retained:
                self._leave(mark, c.RETAINED, topic, repr(payload[: c.SAMPLE_MOST]))
            elif slash + last == RESULTS:
                batch = read(base, payload)
                batch = replace(batch, waits=False) if self._passes_gaps else batch
                self._online.belongs(base, batch.place)
                self._put(len(payload), (PARCEL, parcel_of(batch)), partial(self._batch_told, mark, batch))
            else:
                self._take_line(mark, base, topic, payload)
        except Unreadable as why:
            self._leave(mark, c.UNREADABLE, topic, f"{why}: {payload[:80]!r}")

    def _take_line(self, mark: Mark, base: str, topic: str, payload: bytes) -> None:
        """Take an event or a curve; its system is that of the topic's batches."""
        if topic.endswith(ALARMS):
            line = read_line(payload, ("event",))
            parcel, name = line_parcel(base, "09", lines.event_of(line, (0, 0, line["station"]))), c.EVENTS
        else:
            line = read_line(payload, ("graph", "plot parameters"))
            found = lines.curve_of(line, (0, 0, line["station"]))
            if found is None:  # ToolsNet gets none of these either
                self.counted.add(c.CURVES_LEFT)
                self.broker.done(mark)
                return
            parcel, name = line_parcel(base, "13", found), c.CURVES
        self._put(len(payload), (PARCEL, parcel), partial(self._line_told, mark, name))

    def _put(self, octets: int, what: tuple[str, dict], told: Callable[[str, dict], None]) -> None:
        cost = octets + MESSAGE_OCTETS
        with self._lock:
            self.waiting_octets += cost
        _, parcel = what

        def tell(outcome: str) -> None:
            with self._lock:
                was_full = self.waiting_octets >= WAITING_OCTETS_MOST
                self.waiting_octets -= cost
            if outcome == FAILED:
                self.counted.add(c.NOT_STORED)
                self.broker.drop("the database did not take a batch")
            else:
                told(outcome, parcel)
            if was_full:
                self.broker.wake()

        entry = (*what, tell)
        if not self._writer.put(*entry):
            self._left = entry

    def _leave(self, mark: Mark, name: str, topic: str, found: str) -> None:
        self.counted.note(name, topic, found)
        self.broker.done(mark)

    # -- the writer's thread ---------------------------------------------------------------------------------------

    def _batch_told(self, mark: Mark, batch: Batch, outcome: str, parcel: dict) -> None:
        """Go on after the commit: the receipt, then the acknowledgement."""
        counted = self.counted
        receipt = {"identity": batch.identity, "number": parcel["number"]}
        self.broker.publish(batch.topic + RECEIPT, json.dumps(receipt, separators=(",", ":")).encode())
        self.broker.done(mark)
        if outcome == GAP:
            counted.note(c.GAPS, batch.topic, f"after {batch.after}, {parcel['number']} is stored of {batch.identity}")
        elif outcome == REPEATED:
            counted.add(c.REPEATED)
        elif outcome == STORED:
            counted.add(c.STORED)
            counted.add(c.RESULTS, parcel["new"])
            counted.add(c.KNOWN, parcel["known"])
            if parcel["missing"]:
                counted.note(c.MISSING, batch.topic, f"{parcel['missing']} up to {batch.last}", parcel["missing"])
        if parcel["other"] and outcome != GAP:
            stations = " and ".join("/".join(map(str, place)) for place in (batch.place, parcel["other"]))
            counted.note(c.TWO_STATIONS, batch.topic, f"{stations}: each needs a topic of its own")

    def _line_told(self, mark: Mark, name: str, outcome: str, parcel: dict) -> None:
        self.counted.add(name if parcel["number"] else c.CURVES_LEFT)
        self.broker.done(mark)


# Stations whose outlet is connected to its broker: they count as heard even if no result comes for hours.
#
# 1. B/state says so, retained; its last will says the opposite. While the consumer has no connection nothing is known.
# 2. A topic's station is the one that its batches have named; at the start the one in the database.

BEAT_S = 60.0
TOPICS_MOST = 10_000


class Online:
    """Which stations are online; for one thread."""

    def __init__(self, heard: Callable[[Place], None]) -> None:
        self._heard = heard
        self._is_online: dict[str, bool] = {}
        self._places: dict[str, Place] = {}
        self._beaten_s = 0.0

    def learn(self, connection: Connection) -> None:
        """Read which station each topic belongs to."""
        c = t.CONSUMED.c
        for row in connection.execute(select(c.Topic, c.SystemType, c.System, c.Station).order_by(c.Arrived)):
            self.belongs(row[0], tuple(row[1:]))

    def belongs(self, topic: str, place: Place) -> None:
        """Note that a batch of this station came on this topic."""
        if topic in self._places or len(self._places) < TOPICS_MOST:
            self._places[topic] = place

    def take(self, topic: str, payload: bytes) -> None:
        """Take what B/state says; Unreadable."""
        is_online = read_state(payload)
        if topic in self._is_online or len(self._is_online) < TOPICS_MOST:
            self._is_online[topic] = is_online
        if is_online and topic in self._places:
            self._heard(self._places[topic])

    def count(self) -> int:
        return sum(self._is_online.values())

    def beat(self) -> None:
        """Now and then, report all online stations as heard."""
        now = time.monotonic()
        if now - self._beaten_s < BEAT_S:
            return
        self._beaten_s = now
        for topic, is_online in self._is_online.items():
            if is_online and topic in self._places:
                self._heard(self._places[topic])
