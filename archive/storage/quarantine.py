"""Imports what a station's quarantine has set aside into the archive: the results that ToolsNet would not take.

Rules
1. The spool is only read, by the same code as at a start; what ToolsNet took or an operator dropped is no longer in it.
2. Each result becomes the telegram 04 that the station would send, with the sequence that it would have; a parameter
   says why it was set aside. It is stored once, however often it is imported.
3. What an 08 says stays as it was: an old result imported by hand must not tell the station where to go on.
4. An unreadable frame is counted and stays where it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Semaphore
from typing import Any

from toolcart.agent.linux.telegram04 import TargetWriter
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.quarantine.entries import reason_text
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.toolsnet.result04 import RESULT_BYTES_MAX
from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.archive.database import audit, database, unescaping
from toolcart.archive.database.tables import Station
from toolcart.archive.storage import writer as writing
from toolcart.archive.storage.writer import REPEATED, STORED, Writer
from toolcart.spool import image
from toolcart.spool.offline_spool import OfflineSpool
from toolcart.toolsnet.telegrams import take_apart

WHY_SET_ASIDE = 60021  # the parameter's ID, one of ours (docs/outlets.md)
_VALUE_BYTES = 25
_UNREADABLE = "unreadable"


class NoQuarantine(Exception):
    """The file has no quarantine that can be read; the text says why."""


class _Importer(Writer):
    """Stores what is imported by hand; the station's latest sequences stay as they are."""

    def _go_on(self, batch, station, latest) -> None:
        """Change nothing (rule 3)."""


class _Buffer:
    """A writer of telegrams puts a longer buffer here."""

    result: bytearray | None = None


def take_quarantine(place: str, source: Path, station: Station | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Store the quarantine of a spool file; `station` is whose, if the file does not say.

    Return how many were taken, were there already, cannot be read, and could not be stored. Raises NoQuarantine and
    DatabaseUnusable.
    """
    try:
        spool = image.read(source).opened
    except image.ImageError as reason:
        raise NoQuarantine(f"{source}: {reason}") from None
    header = image.header(source)
    if station is None:
        station = tuple(header.owner) if header is not None else (0, 0, 0)
    if 0 in station:
        raise NoQuarantine(f"{source} does not say whose spool it is: name it, --station TYPE/SYSTEM/STATION")
    counts: Counter[str] = Counter()
    room = Semaphore(writing.WAITING_MOST)  # a slow database would get more than it takes

    def count_outcome(outcome: str) -> None:
        counts[outcome] += 1
        room.release()

    with database.writing(place) as engine:
        writer = _Importer(engine, say)
        for fields in _results(spool, station):
            if fields is None:
                counts[_UNREADABLE] += 1
            else:
                room.acquire()
                writer.put("04", fields, count_outcome)
        writer.close()
        with engine.begin() as connection:
            audit.note(connection, f"import of the quarantine {source}: {counts[STORED]} results")
    not_stored = counts.total() - counts[STORED] - counts[REPEATED] - counts[_UNREADABLE]
    return {"taken": counts[STORED], "again": counts[REPEATED], _UNREADABLE: counts[_UNREADABLE], "failed": not_stored}


def _results(spool: OfflineSpool, station: Station) -> Iterator[dict | None]:
    """Yield the fields of each result's telegram; None for what cannot be read."""
    quarantine = spool.quarantine
    spool.kept.visible = spool.kept.number  # the last one too, in doubt or not: nothing is delivered from here
    entry = 0
    while (kind := quarantine.next_entry(entry)) > RECORD_NONE:
        entry = quarantine.entry
        yield _kept(spool, station) if kind == KIND_RESULT else None


def _kept(spool: OfflineSpool, station: Station) -> dict | None:
    """Return the fields of the entry found last."""
    quarantine, log = spool.quarantine, spool.kept
    sequence = sequence_at(quarantine.number - spool.log.cursors[0].sequence_lag)
    payload = bytes(log.page[log.at : log.at + quarantine.length])
    return _fields(payload, log.flags, station, sequence, reason_text(quarantine.reason))


def _fields(payload: bytes, flags: int, station: Station, sequence: int, why: str) -> dict | None:
    system_type, system, number = station
    writer = TargetWriter(bytearray(RESULT_BYTES_MAX), system_type, system)
    writer.session = _Buffer()
    page = bytearray(payload)
    page[4], page[5] = number & 0xFF, number >> 8
    octets = writer.write(page, 0, len(page), flags, 1, sequence)
    telegram = bytes(writer.tx[4:octets])
    fields, breaches = take_apart(telegram)
    if breaches:
        return None
    unescaping.restore(fields, telegram)
    program = fields["spindles"][0]["program"]
    parameter = {"spindle": 0, "program": program, "parameter_id": WHY_SET_ASIDE, "name": "Set aside"}
    fields["parameters"].append({**parameter, "value": why[:_VALUE_BYTES], "type": 0, "unit": "", "step": 0})
    return fields
