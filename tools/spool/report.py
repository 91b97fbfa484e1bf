"""What an image says, as plain values: the account of an area, one line a record, rows for CSV and JSON."""

from datetime import datetime

from agent.base.words import get_u32
from agent.openprotocol.known import Known
from agent.outlets.toolsnet.outlet import FLAG_MET
from agent.quarantine import Quarantine
from agent.record import event as ev
from agent.record.text import describe
from agent.spool import record as rec
from agent.spool.fold import ROLE_GRAPHS, ROLE_QUARANTINE
from agent.spool.memory import BASE, OUTLET_FLAGS
from agent.spool.mount import mount
from agent.spool.ring import BLOCKS_LEAST, Ring
from board.linux_header import Header
from tools.spool.image import Area, Entry

AREAS = ("main", "parked", "graphs")  # by role
ENDURANCE = 100_000  # erases a block of NOR flash is specified for
COLUMNS: tuple[str, ...] = (
    "number",
    "area",
    "kind",
    "time",
    "time_source",
    "vin",
    "program",
    "torque",
    "unit",
    "angle",
    "status",
    "torque_status",
    "angle_status",
    "batch_status",
    "tightening_id",
    "source",
    "station",
    "spindle",
    "refused_number",
    "refused_code",
    "octets",
    "frame",
    "first_id",
    "last_id",
    "count",
    "reason",
)
GAP_COLUMNS: tuple[str, ...] = ("time", "first_id", "last_id", "count", "reason", "why", "id_epoch", "total", "event")


def results(area: Area) -> list[Entry]:
    """The results and raw frames that count, each number once: a copy written at a start stands for both."""
    by_number: dict[int, Entry] = {}
    for entry in area.entries:
        if entry.number and not entry.void:
            by_number.setdefault(entry.number, entry)
    return [by_number[number] for number in sorted(by_number)]


def row(entry: Entry) -> dict[str, object]:
    """One result or raw frame in words."""
    length = len(entry.payload)
    parked = entry.role == ROLE_QUARANTINE
    page = bytes(8) + entry.payload
    shown: dict[str, object] = {"area": "parked" if parked else "main", "kind": entry.kind_name}
    shown.update(describe(page, 8, entry.kind, entry.flags, length - 8 if parked else length))
    if parked:
        shown["refused_number"] = get_u32(entry.payload, length - 8)
        shown["refused_code"] = int.from_bytes(entry.payload[length - 4 : length - 2], "little")
    if entry.kind == rec.KIND_RAW:
        shown["frame"] = entry.payload[8 : length - 8 if parked else length].decode("latin-1")
    return shown


def gaps(area: Area) -> list[dict[str, object]]:
    """The ranges of tightening IDs that are gone, as the events of the log say it, each event once, in their order."""
    told: dict[int, dict[str, object]] = {}
    for entry in area.entries:
        if entry.kind != rec.KIND_EVENT or entry.void or entry.payload[ev.WHAT] != ev.GONE:
            continue
        shown = describe(bytes(8) + entry.payload, 8, entry.kind, entry.flags, len(entry.payload))
        shown["reason"], shown["why"], shown["event"] = shown["code"], shown["text"], shown["number"]
        told.setdefault(shown["number"], {name: shown[name] for name in GAP_COLUMNS})
    return [told[number] for number in sorted(told)]


def gap_row(gap: dict[str, object]) -> dict[str, object]:
    """One of these among the rows of an export."""
    shown = {name: gap[name] for name in ("time", "first_id", "last_id", "count", "reason")}
    return {"area": "main", "kind": "gone", "time_source": "agent", **shown}


def owner(header: Header | None) -> dict[str, object] | None:
    """Whose spool the file is; None for an image without a header, as a chip's is."""
    if header is None:
        return None
    kind, system, station = header.owner
    return {"station": station, "system": system, "type": kind, "identity": bytes(header.identity).hex()}


def account(area: Area) -> dict[str, object]:
    """The account of one area."""
    kept = results(area)
    counted = [e for e in area.entries if not e.void]
    kinds = {}
    for entry in counted:
        kinds[entry.kind_name] = kinds.get(entry.kind_name, 0) + 1
    shown: dict[str, object] = {
        "area": AREAS[area.role],
        "blocks": area.block_count,
        "records": len(counted),
        "kinds": kinds,
        "results": len(kept),
        "oldest": row(kept[0])["number"] if kept else None,
        "newest": row(kept[-1])["number"] if kept else None,
        "damaged": area.damaged,
        "void": len(area.entries) - len(counted),
        "unreadable_blocks": area.unreadable,
    }
    if area.head is not None:
        payload = area.head.payload
        shown["format"] = payload[rec.AT_VERSION]
        shown["unit_bytes"] = 1 << payload[rec.AT_UNIT_LOG]
        shown["block_bytes"] = 1 << payload[rec.AT_BLOCK_LOG]
        shown["erases"] = get_u32(payload, rec.AT_BLOCK_NO)
        shown["wear_per_block"] = round(get_u32(payload, rec.AT_BLOCK_NO) / max(1, area.block_count), 1)
        shown["expected_years"] = _years(area, kept)
    shown.update(remembered(area, kept))
    return shown


def remembered(area: Area, kept: list[Entry]) -> dict[str, object]:
    """What the next start would know, by the very code of a start; nothing if it would find no log."""
    if area.device is None or area.head is None or area.device.block_count < (2 if area.role else BLOCKS_LEAST):
        return {}
    ring = Ring(area.device, role=area.role)
    if area.role == ROLE_QUARANTINE:
        quarantine = Quarantine(ring)
        return {"kept": quarantine.count() + ring.suspect} if mount(ring) == 1 else {}
    if area.role == ROLE_GRAPHS:
        pieces = {get_u32(e.payload, 0) for e in area.entries if e.kind == rec.KIND_GRAPH and not e.void}
        return {"pieces": len(pieces)}
    known = ring.owner = Known(ring.memory)
    if mount(ring) != 1:
        return {}
    cursor = ring.cursors[0]
    waiting = [e for e in kept if e.number > cursor.number]
    memory = ring.memory
    return {
        "stored": max([ring.number, *(e.number for e in waiting)]),
        "delivered": cursor.delivered,
        "waiting": len(waiting),
        "parked_in_place": _in_place(area, ring, kept),
        "overwritten": ring.overwritten,
        "gone": known.gone(),
        "gone_ranges": len(gaps(area)),
        "gone_not_listed": known.gone() - sum(int(str(gap["count"] or 0)) for gap in gaps(area)),
        "missing": known.gaps.missed(),
        "base": int.from_bytes(memory[BASE : BASE + 3], "little") if memory[OUTLET_FLAGS] & FLAG_MET else None,
    }


def _in_place(area: Area, ring: Ring, kept: list[Entry]) -> int:
    """How many records are set aside and still lie in the main log."""
    if not ring.has_aside():
        return 0
    oldest = ring.aside_first
    ranges = [(oldest, ring.aside_last)]
    for entry in area.entries:
        if entry.kind == rec.KIND_ASIDE and not entry.void and get_u32(entry.payload, 0) > oldest:
            ranges.append((get_u32(entry.payload, 0), get_u32(entry.payload, 4)))
    return sum(1 for e in kept if any(first <= e.seq <= last for first, last in ranges))


def _years(area: Area, kept: list[Entry]) -> float | None:
    """How long the flash lasts if results go on coming as fast as those that are kept."""
    heads = sorted((e for e in area.entries if e.kind == rec.KIND_HEAD and not e.void), key=lambda e: e.seq)
    times = [shown for shown in (row(e).get("time") for e in kept) if shown]
    if len(heads) < 2 or len(times) < 2:
        return None
    try:
        first, last = (datetime.strptime(str(times[i]), "%Y-%m-%d %H:%M:%S") for i in (0, -1))
    except ValueError:
        return None
    seconds = (last - first).total_seconds()
    used = get_u32(heads[-1].payload, rec.AT_BLOCK_NO)
    opened = used - get_u32(heads[0].payload, rec.AT_BLOCK_NO)
    if seconds <= 0 or opened <= 0:
        return None
    left = max(0, ENDURANCE * area.block_count - used)
    return round(left * seconds / opened / 31_556_952, 1)
