"""The content of an image as plain values: the account of an area, one line a record, rows for CSV and JSON."""

import csv
import json
import sys
from datetime import datetime
from typing import Any

from toolcart.agent.base.fields import get_u32
from toolcart.agent.cart.outlet_places import KINDS, kind_at
from toolcart.agent.log import block_head
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.outlets.toolsnet.data_loss import kept
from toolcart.agent.record import KIND_EVENT, KIND_GRAPH, KIND_RAW
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import QUARANTINE_BYTES
from toolcart.agent.record.text import describe
from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.base.terminal_safe import visible_in
from toolcart.board.linux.spool_header import Header
from toolcart.spool.image import NAMES, Area, Entry, Image
from toolcart.spool.offline_spool import OfflineSpool
from toolcart.tools.spool.waiting import needed

YEARS_LEAST_S = 7 * 86400  # a week has every shift of a plant
ENDURANCE = 100_000  # erases that a block of NOR flash is specified for
COLUMNS: tuple[str, ...] = (
    *("number", "area", "kind", "time", "time_source", "vin", "program", "torque", "unit", "angle", "status"),
    *("torque_status", "angle_status", "batch_status", "tightening_id", "source", "station", "spindle"),
    *("refused_number", "refused_code", "octets", "frame", "first_id", "last_id", "count", "reason"),
)
GAP_COLUMNS: tuple[str, ...] = ("time", "first_id", "last_id", "count", "reason", "why", "id_epoch", "total", "event")


def results(area: Area) -> list[Entry]:
    """Return the results and raw frames that count, in order."""
    return [entry for entry in area.entries if entry.number and not entry.void]


def row(entry: Entry) -> dict[str, object]:
    """Return one result or raw frame in words."""
    length = len(entry.payload)
    parked = entry.ring == field.QUARANTINE
    fields: dict[str, object] = {"area": NAMES[entry.ring], "kind": entry.kind_name}
    fields.update(describe(entry.payload, 0, entry.kind, entry.flags, length - QUARANTINE_BYTES if parked else length))
    if parked:
        fields["refused_number"] = get_u32(entry.payload, length - 8)
        fields["refused_code"] = int.from_bytes(entry.payload[length - 4 : length - 2], "little")
    if entry.kind == KIND_RAW:
        fields["frame"] = entry.payload[8 : length - QUARANTINE_BYTES if parked else length].decode("latin-1")
    return fields


def gaps(area: Area) -> list[dict[str, Any]]:
    """Return the ranges of tightening IDs that are gone, from the log's events, each event once, in order."""
    by_number: dict[int, dict[str, Any]] = {}
    for entry in area.entries:
        if entry.kind != KIND_EVENT or entry.void or entry.payload[ev.WHAT] != ev.GONE:
            continue
        fields = describe(entry.payload, 0, entry.kind, entry.flags, len(entry.payload))
        fields["reason"], fields["why"], fields["event"] = fields["code"], fields["text"], fields["number"]
        by_number.setdefault(fields["number"], {name: fields[name] for name in GAP_COLUMNS})
    return [by_number[number] for number in sorted(by_number)]


def write(rows: list[dict], columns: tuple[str, ...], as_json: bool = False) -> None:
    """Print rows as JSON or as CSV with these columns."""
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(visible_in(rows))


def gap_row(gap: dict[str, object]) -> dict[str, object]:
    """Return one of these as a row of an export."""
    fields = {name: gap[name] for name in ("time", "first_id", "last_id", "count", "reason")}
    return {"area": "main", "kind": "gone", "time_source": "agent", **fields}


def owner(header: Header | None) -> dict[str, object] | None:
    """Return whose spool the file is; None for an image without a header, such as a chip's."""
    if header is None:
        return None
    kind, system, station = header.owner
    return {"station": station, "system": system, "type": kind, "identity": bytes(header.identity).hex()}


def account(image: Image, area: Area) -> dict[str, Any]:
    entries = results(area)
    counted = [entry for entry in area.entries if not entry.void]
    kinds: dict[str, int] = {}
    for entry in counted:
        kinds[entry.kind_name] = kinds.get(entry.kind_name, 0) + 1
    device = image.opened.log.device
    fields: dict[str, object] = {
        "area": NAMES[area.ring],
        "blocks": area.block_count,
        "records": len(counted),
        "kinds": kinds,
        "results": len(entries),
        "oldest": entries[0].number if entries else None,
        "newest": entries[-1].number if entries else None,
        "damaged": area.damaged,
        "void": len(area.entries) - len(counted),
        "blocks_without_record": area.without_record,
        "format": block_head.VERSION,
        "unit_bytes": device.unit_bytes,
        "block_bytes": device.block_bytes,
    }
    if area.ring == field.LOG:  # the other areas' rounds are counted from this one's
        # At most so many (toolcart.agent.log.framing).
        erases = image.opened.state.numbers[field.COUNTS_TO] // max(1, area.block_count)
        fields["erases"] = erases
        fields["wear_per_block"] = round(erases / max(1, area.block_count), 1)
        fields["expected_years"] = _years(area, entries, erases)
    fields.update(remembered(image, area))
    return fields


def remembered(image: Image, area: Area) -> dict[str, Any]:
    """Return what the next start would know, found by the code of a start itself."""
    spool = image.opened
    numbers = spool.state.numbers
    if area.ring == field.QUARANTINE:
        return {"kept": spool.quarantine.count()}
    if area.ring == field.GRAPHS:
        return {"pieces": sum(entry.kind == KIND_GRAPH and not entry.void for entry in area.entries)}
    listed = gaps(area)
    waits = needed(spool)
    again = sent_again(spool) if spool.may_refuse else 0
    is_met = numbers[field.SENT] & field.SENT_MET
    delivered = {"delivered": numbers[field.DELIVERED], "dropped": numbers[field.DROPPED]} if spool.may_refuse else {}
    fields = {
        "stored": numbers[field.STORED],
        **delivered,
        "waiting": waits.highest(),
        "waiting_for": [one.as_dict() for one in waits.waiting],
        **({"sent_again": again} if spool.may_refuse else {}),
        **_given_up(spool),
        "jumped": numbers[field.JUMPED],
        "stored_again_at_most": numbers[field.STORED_AGAIN],
        "gone": spool.ledger.gone(),
        "gone_ranges": len(listed),
        "gone_not_listed": max(0, spool.ledger.gone() - sum(gap["count"] or 0 for gap in listed)),
        "missing": missing_most(
            spool.ledger, 1 if spool.ledger.shares() else spool.ledger.spindles(), DuplicateSearch(spool.log)
        ),
        "sequence": passed(spool) if is_met else None,
        "state_found": spool.state.found,
    }
    return {**fields, **dict.fromkeys(_REMEMBERED & fields.keys())} if spool.state.lost else fields


# What only the state knows, or counts together with what comes after it
_REMEMBERED = {"stored", "delivered", "dropped", "jumped", "stored_again_at_most"}
_REMEMBERED |= {"gone", "gone_not_listed", "missing"}


def passed(spool: OfflineSpool) -> int:
    """Return the sequence of what ToolsNet's cursor has passed last; 0: it has had nothing yet."""
    place = spool.state.numbers[field.TOOLSNET_CURSOR] - spool.state.numbers[field.SEQUENCE_LAG]
    return sequence_at(place) if place else 0


def sent_again(spool: OfflineSpool) -> int:
    """Return how many results at most are still to be sent to ToolsNet again; those that are set aside stay there."""
    number = spool.state.numbers[field.TOOLSNET_CURSOR]  # also while it is not configured
    end = min(field.again_to(spool.state.numbers), spool.log.number)
    return max(0, end - number - kept(spool.quarantine, number, end)) if number < end else 0


def _given_up(spool: OfflineSpool) -> dict[str, int]:
    """Return what outlets lack at most, by kind, as the log gave it up.

    A spool does not know which of them are durable, so this is not said to be overwritten, nor missed.
    """
    lost: dict[str, int] = {}
    if spool.may_refuse and not spool.state.lost and spool.state.numbers[field.OVERWRITTEN]:
        lost["given up for toolsnet"] = spool.state.numbers[field.OVERWRITTEN]
    for place_number in range(1, field.PLACES):
        kind, count = kind_at(spool.state, place_number), spool.state.missed_counts[place_number]
        if 0 < kind <= len(KINDS) and count:
            name = f"given up for {KINDS[kind - 1]}"
            lost[name] = lost.get(name, 0) + count
    return lost


def _years(area: Area, entries: list[Entry], erases: int) -> float | None:
    """Return how long the flash lasts if results keep coming as fast as those that are kept."""
    blocks = {entry.block for entry in area.entries if not entry.void}
    times = [stamp for stamp in (row(e).get("time") for e in entries) if stamp]
    if len(blocks) < 2 or len(times) < 2:
        return None
    try:
        first_time, last_time = (datetime.strptime(str(times[i]), "%Y-%m-%d %H:%M:%S") for i in (0, -1))
    except ValueError:
        return None
    seconds = (last_time - first_time).total_seconds()
    if seconds < YEARS_LEAST_S:  # how fast they came then says nothing of a year
        return None
    erases_left = max(0, ENDURANCE * area.block_count - erases)
    return round(erases_left * seconds / (len(blocks) - 1) / 31_556_952, 1)
