"""What a station's quarantine has set aside, put into the archive: the results that ToolsNet would not take.

Rules
1. The spool is only read, by the very code of a start; what an operator has sent again or dropped is in it no more.
2. Each result becomes the telegram 04 that the station would send, under the sequence that it would have, and a
   parameter says why it was set aside. It is stored once, whatever is imported again.
3. What an 08 says stays as it was: an old result that comes by hand must not tell the station where to go on.
4. A frame that nobody could read is counted and stays where it is; so does what waits in the log for room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.base.words import get_u32
from agent.outlets.toolsnet.outlet import SEQUENCES
from agent.quarantine import Quarantine
from agent.quarantine_list import reason_text
from agent.record.result import PARKED_BYTES
from agent.spool.fold import ROLE_MAIN, ROLE_QUARANTINE
from agent.spool.mount import mount
from agent.spool.record import HEAD_BYTES, KIND_RESULT
from agent.spool.ring import Ring
from agent.spool.walk import Walk
from agent.toolsnet.targets04 import RESULT_BYTES_TARGETS, TargetWriter
from tools.archive import database
from tools.archive.writer import REPEATED, STORED, Writer
from tools.sim.toolsnet_telegrams import take_apart
from tools.spool import image, report

WHY_SET_ASIDE = 60021  # ID of the parameter, one of ours (docs/outlets.md)
_VALUE_BYTES = 25
_UNREADABLE = "unreadable"

Station = tuple[int, int, int]


class NoQuarantine(Exception):
    """The file has none that can be read; the text says why."""


class _Importer(Writer):
    """Stores what comes by hand; the station's latest sequences stay as they are."""

    def _go_on(self, batch, station, latest) -> None:
        """Rule 3."""


class _Buffer:
    """What a writer of telegrams gives a longer buffer to."""

    result: bytearray | None = None


def take_quarantine(place: str, source: Path, station: Station | None, say: Callable[[str], None]) -> dict[str, int]:
    """Store the quarantine of a spool file, of `station` where the file does not say whose it is.

    Tells how many were taken, were there already, cannot be read, and could not be stored. NoQuarantine, Unusable.
    """
    try:
        areas = {area.role: area for area in image.read(image.load(source))}
    except image.ImageError as reason:
        raise NoQuarantine(f"{source}: {reason}") from None
    header = image.header(source)
    if station is None:
        station = tuple(header.owner) if header is not None else (0, 0, 0)
    if 0 in station:
        raise NoQuarantine(f"{source} does not say whose spool it is: name it, --station TYPE/SYSTEM/STATION")
    main, parked = areas[ROLE_MAIN], areas[ROLE_QUARANTINE]
    base = report.remembered(main, report.results(main)).get("base") or 0
    told: Counter[str] = Counter()
    with database.writing(place) as engine:
        writer = _Importer(engine, say)
        for found in _results(parked, station, int(str(base))):
            if found is None:
                told[_UNREADABLE] += 1
            else:
                writer.put("04", found, lambda outcome: told.update((outcome,)))
        writer.close()
    not_stored = told.total() - told[STORED] - told[REPEATED] - told[_UNREADABLE]
    return {"taken": told[STORED], "again": told[REPEATED], _UNREADABLE: told[_UNREADABLE], "failed": not_stored}


def _results(area: image.Area, station: Station, base: int) -> Iterator[dict | None]:
    """The fields of each result's telegram; None for what cannot be read."""
    if area.device is None or area.head is None:
        return
    ring = Ring(area.device, role=ROLE_QUARANTINE)
    kept = Quarantine(ring)
    if mount(ring) != 1:
        return
    for number in kept.numbers():
        yield _kept(ring.walk, kept.find(number), station, base)
    if ring.suspect:  # the last one: a start writes it once more, which is not for us to do
        yield _kept(ring.walk, ring.reread_last(), station, base)


def _kept(walk: Walk, kind: int, station: Station, base: int) -> dict | None:
    """The record in the page."""
    if kind != KIND_RESULT:
        return None
    length = walk.length - PARKED_BYTES
    tail = HEAD_BYTES + length
    sequence = (get_u32(walk.page, tail) + base - 1) % SEQUENCES + 1
    code = walk.page[tail + 4] | walk.page[tail + 5] << 8
    return _fields(bytes(walk.page[HEAD_BYTES:tail]), walk.flags, station, sequence, reason_text(code))


def _fields(payload: bytes, flags: int, station: Station, sequence: int, why: str) -> dict | None:
    system_type, system, number = station
    writer = TargetWriter(bytearray(RESULT_BYTES_TARGETS), system_type, system)
    writer.session = _Buffer()
    page = bytearray(payload)
    page[4], page[5] = number & 0xFF, number >> 8
    octets = writer.write(page, 0, len(page), flags, 1, sequence)
    found, breaches = take_apart(bytes(writer.tx[4:octets]))
    if breaches:
        return None
    program = found["spindles"][0]["program"]
    parameter = {"spindle": 0, "program": program, "parameter_id": WHY_SET_ASIDE, "name": "Set aside"}
    found["parameters"].append({**parameter, "value": why[:_VALUE_BYTES], "type": 0, "unit": "", "step": 0})
    return found
