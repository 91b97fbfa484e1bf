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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from toolcart.archive.consume import counters, lines
from toolcart.archive.consume.batch import Batch, read, read_line
from toolcart.archive.consume.broker import Address, Broker, Delivery
from toolcart.archive.consume.line_fields import Unreadable
from toolcart.archive.consume.parcels import GAP, line_parcel, parcel_of
from toolcart.archive.consume.presence import OnlineStations
from toolcart.archive.consume.topics import ALARMS, ENDS, RECEIPT, RESULTS, STATE, filters_of
from toolcart.archive.storage.writer import FAILED, PARCEL, REPEATED, STORED, ArchiveEnding, Writer

WAITING_OCTETS_MOST = 8 * 2**20  # taken apart they need about ten times as much
MESSAGE_OCTETS = 500  # what a message costs beside its own bytes


class Consumer:
    """One broker's batches into one archive, in a thread of its own; `passes_gaps`: nothing is sent again."""

    def __init__(self, address: Address, writer: Writer, say: Callable[[str], None], passes_gaps: bool = False) -> None:
        self.counted = counters.ConsumerCounters(writer.note_breach, say)
        self.waiting_octets = 0  # taken and not committed
        self._writer = writer
        self._passes_gaps = passes_gaps
        self._lock = threading.Lock()
        self._pending: tuple[str, dict, Callable[[str], None]] | None = None  # what the writer had no room for
        self.broker = Broker(replace(address, filters=filters_of(address.filters)), say)
        self._online = OnlineStations(writer.mark_alive)
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take nothing more; what was taken belongs to the writer."""
        self.broker.close()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """What was counted, for other programs (toolcart.archive.web.metrics)."""
        values: dict[str, float] = {f"consumed_{name}_total": count for name, count in self.counted.of.items()}
        values["consumed_waiting_bytes"] = self.waiting_octets
        values["consumed_stations_online"] = self._online.count()
        values["consumed_connected"] = self.broker.is_connected
        values["consumed_connections_total"] = self.broker.connections
        return values

    # -- the broker's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(SQLAlchemyError, ArchiveEnding):  # what is not read here, batches will say
            self._writer.change(self._online.learn)
        self.broker.serve(self)

    def tick(self) -> None:
        """Note who is there, if that is due, and give the writer what it had no room for."""
        self._online.beat()
        if self._pending is not None and self._writer.put(*self._pending):
            self._pending = None

    def has_room(self) -> bool:
        """True if another message can be taken."""
        return self._pending is None and self.waiting_octets < WAITING_OCTETS_MOST

    def take(self, mark: Delivery, topic: str, payload: bytes, retained: bool) -> None:
        base, slash, last = topic.rpartition("/")
        try:
            if slash + last in (RECEIPT, STATE):
                if slash + last == STATE:
                    self._online.take(base, payload)
                self.broker.done(mark)
            elif slash + last not in ENDS:
                self._discard(mark, counters.OTHER_TOPIC, topic, repr(payload[: counters.SAMPLE_MOST]))
            elif retained:
                self._discard(mark, counters.RETAINED, topic, repr(payload[: counters.SAMPLE_MOST]))
            elif slash + last == RESULTS:
                batch = read(base, payload)
                batch = replace(batch, waits=False) if self._passes_gaps else batch
                self._online.belongs(base, batch.place)
                self._put(len(payload), (PARCEL, parcel_of(batch)), partial(self._batch_stored, mark, batch))
            else:
                self._take_line(mark, base, topic, payload)
        except Unreadable as why:
            self._discard(mark, counters.UNREADABLE, topic, f"{why}: {payload[:80]!r}")

    def _take_line(self, mark: Delivery, base: str, topic: str, payload: bytes) -> None:
        """Take an event or a curve; its system is that of the topic's batches."""
        if topic.endswith(ALARMS):
            line = read_line(payload, ("event",))
            parcel, name = line_parcel(base, "09", lines.event_of(line, (0, 0, line["station"]))), counters.EVENTS
        else:
            line = read_line(payload, ("graph", "plot parameters"))
            curve = lines.curve_of(line, (0, 0, line["station"]))
            if curve is None:  # ToolsNet gets none of these either
                self.counted.add(counters.CURVES_SKIPPED)
                self.broker.done(mark)
                return
            parcel, name = line_parcel(base, "13", curve, lines.ident_of(line)), counters.CURVES
        self._put(len(payload), (PARCEL, parcel), partial(self._line_stored, mark, base, name))

    def _put(self, octets: int, what: tuple[str, dict], on_stored: Callable[[str, dict], None]) -> None:
        cost = octets + MESSAGE_OCTETS
        with self._lock:
            self.waiting_octets += cost
        _, parcel = what

        def on_outcome(outcome: str) -> None:
            with self._lock:
                was_full = self.waiting_octets >= WAITING_OCTETS_MOST
                self.waiting_octets -= cost
            if outcome == FAILED:
                self.counted.add(counters.NOT_STORED)
                self.broker.drop("the database did not take a batch")
            else:
                on_stored(outcome, parcel)
            if was_full:
                self.broker.wake()

        entry = (*what, on_outcome)
        if not self._writer.put(*entry):
            self._pending = entry

    def _discard(self, mark: Delivery, name: str, topic: str, sample: str) -> None:
        self.counted.note(name, topic, sample)
        self.broker.done(mark)

    # -- the writer's thread ---------------------------------------------------------------------------------------

    def _batch_stored(self, mark: Delivery, batch: Batch, outcome: str, parcel: dict) -> None:
        """Go on after the commit: the receipt, then the acknowledgement."""
        counted = self.counted
        receipt = {"identity": batch.identity, "number": parcel["number"]}
        self.broker.publish(batch.topic + RECEIPT, json.dumps(receipt, separators=(",", ":")).encode())
        self.broker.done(mark)
        if outcome == GAP:
            counted.note(
                counters.GAPS, batch.topic, f"after {batch.after}, {parcel['number']} is stored of {batch.identity}"
            )
        elif outcome == REPEATED:
            counted.add(counters.REPEATED)
        elif outcome == STORED:
            counted.add(counters.STORED)
            counted.add(counters.RESULTS, parcel["new"])
            counted.add(counters.KNOWN, parcel["known"])
            counted.note_fields(batch.topic, parcel["unread"])
            if parcel["missing"]:
                counted.note(
                    counters.MISSING, batch.topic, f"{parcel['missing']} up to {batch.last}", parcel["missing"]
                )
        if parcel["other"] and outcome != GAP:
            stations = " and ".join("/".join(map(str, place)) for place in (batch.place, parcel["other"]))
            counted.note(counters.TWO_STATIONS, batch.topic, f"{stations}: each needs a topic of its own")

    def _line_stored(self, mark: Delivery, base: str, name: str, outcome: str, parcel: dict) -> None:
        self.counted.add(name if parcel["number"] else counters.CURVES_SKIPPED)
        if outcome == STORED:
            self.counted.note_fields(base, parcel["telegram"]["breaches"])
        self.broker.done(mark)
