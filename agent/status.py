"""What the agent is doing, as one tree of plain values: everything that is counted, and the newest results.

Rules
1. Reads only. It walks the log with a page of its own, so no cursor moves and no machine notices.
2. Allocates as it likes: call it between two steps, and only when somebody looks.
3. Names, not numbers: states, reasons and counters carry the words of the modules they come from.
"""

from agent import health as h
from agent.base.ticks import ticks_diff
from agent.base.words import get_u32
from agent.openprotocol import states as controller_states
from agent.openprotocol.known import EPOCH
from agent.openprotocol.questions import PHASE_NAMES
from agent.quarantine import PRESSURE_NONE
from agent.record import result as res
from agent.record.text import describe, time_of
from agent.spool import record as rec
from agent.spool.walk import Walk

RESULTS_SHOWN = 12  # what a screen of 24 lines has room for beside the rest
BLOCKS_WALKED = 3  # 4 KiB hold 15 light results; after a start the newest block is empty, the one before may hold one

# Why a connection does not stand: of agent.openprotocol.states, agent.link.port and agent.trouble. tools.reasons makes
# sentences of them.
WHY_NAMES = (
    ",framing lost,silence,slot taken,no revision accepted,knows no MID 0060,refused by code,stopped,no address,"
    "name not found,DNS slow,refused,no route,no network,timed out,reset,ended,in use,no device,not a tty,"
    "no permission,unplugged,no driver,no socket,failed,no PIM,foreign PIM,no info,no answer,malformed,"
    "server not allowed,no TLS,not trusted"
)


def snapshot(app, results=RESULTS_SHOWN, of=None):
    """Return the state of the whole agent; every value is a dict, list, text, int, bool or None.

    The newest results, which take fifteen times as long to find as all the rest, are those of station number `of`
    alone, unless that is None.
    """
    now = app.board.now()
    scheduler = app.scheduler
    fault = scheduler.last_fault
    return {
        "now_ms": now,
        "stations": [
            of_station(station, now, results if of is None or of == station.number else 0) for station in app.stations
        ],
        "scheduler": {
            "faults": scheduler.faults,
            "last_fault": None if fault is None else "%s: %s" % (type(fault).__name__, fault),
        },
    }


def of_station(station, now, results=RESULTS_SHOWN):
    """Return the part of one station, with up to so many of its newest results."""
    health = station.health
    shown = {
        "number": station.number,
        "name": station.name,
        "mounted": station.mounted,
        "counters": counted(health),
        "logged": health.logged,
        "log": [log_entry(now, *entry) for entry in health.entries()],
    }
    if not station.mounted:
        shown["spool_refused"] = _spool_refused(station)
        return shown
    ring = station.ring
    shown["controller"] = _controller(station)
    shown["outlets"] = [_outlet(ring, outlet) for outlet in station.outlets]
    shown["stored"] = ring.number
    shown["delivered"] = ring.cursors[0].delivered
    shown["overwritten"] = ring.overwritten
    shown["missed"] = ring.missed
    shown["backlog"] = ring.backlog(0)
    shown["oldest_waiting"] = _oldest_waiting(ring)
    shown["results"] = newest_results(ring, results)
    shown["recovery"] = _recovery(station)
    shown["spool"] = _spool(ring)
    shown["parked"] = station.quarantine.count()
    shown["parked_in_place"] = _parked_in_place(station) if ring.has_aside() else 0
    shown["needs_operator"] = None
    if station.quarantine.pressure() != PRESSURE_NONE:
        from agent.quarantine_list import needs_operator  # rare

        shown["needs_operator"] = needs_operator(station.quarantine, station.number)
    shown["parked_kib_ignored"] = station.parked_blocks_differ
    if station.graphs is not None or station.graph_blocks_differ:
        shown["graphs"] = _graphs(station)
    return shown


def counted(health):
    """Return every counter that is not zero, by name."""
    counters = health.counters
    return {h.NAMES[index]: counters[index] for index in range(len(counters)) if counters[index]}


def log_entry(now, moment, counter, value):
    """Return one entry of the log in words."""
    entry = {"age_ms": ticks_diff(now, moment), "name": h.NAMES[counter], "value": value}
    if counter == h.CONTROLLER_LOSSES or counter == h.CONTROLLER_AWAY or counter == h.SERVER_AWAY:
        entry["text"] = why_name(value)
    return entry


def _controller(station):
    intake = station.intake
    session = station.session
    line = {}
    if not station.intake.link.steady:
        from agent.link.payload import FORM_NAMES, TALLY_NAMES

        link = session.link
        line = {TALLY_NAMES[index]: link.tally[index] for index in range(len(TALLY_NAMES)) if link.tally[index]}
        line["payload"] = FORM_NAMES[link.form.form]
    trouble = intake.trouble
    clock = None if intake.errands is None else intake.errands.clock
    return {
        "line": line,
        "clock_ahead_s": None if clock is None else clock.ahead_s,
        "host": intake.host,
        "port": intake.number,
        "state": controller_states.STATE_NAMES[session.state],
        "why": why_name(trouble.why),
        "why_in": controller_states.STATE_NAMES[trouble.state] if trouble.why else "",
        "why_code": trouble.code,
        "why_mid": trouble.mid,
        "refused_code": session.code,
        "waits_for_room": intake.full,
    }


def _outlet(ring, outlet):
    shown = {
        "kind": outlet.kind,
        "durable": ring.cursors[outlet.index].durable,
        "waiting": ring.backlog(outlet.index),
        "is_up": outlet.is_up(),
    }
    outlet.put_state(shown)
    if outlet.index == 0:
        shown["why"] = why_name(outlet.trouble.why)
    return shown


def _recovery(station):
    recovery = station.recovery
    known = station.known
    return {
        "phase": PHASE_NAMES[recovery.phase],
        "open_ids": known.gaps.missed(),
        "gone": known.gone(),
        "gone_latest": _gone_latest(station) if known.gone() else None,
        "epoch": known.memory[EPOCH],
    }


def _gone_latest(station):
    """Return which IDs are gone, as far as one of the newest blocks says so, and who lists them all."""
    from agent.gone import latest  # most controllers have all that is asked for

    device = getattr(station.ring.device, "device", None)
    shown = {"command": "toolcart spool gaps %s" % getattr(device, "path", "FILE")}
    event = latest(station.ring, Walk(station.ring.device, len(station.ring.walk.page), None), BLOCKS_WALKED)
    if event:
        for name in ("time", "first_id", "last_id", "count", "code", "text"):
            shown[name] = event[name]
    return shown


def _graphs(station):
    """Return what the ring of curves holds; pieces are what curves are cut into."""
    ring = station.graphs
    shown = {"mounted": ring is not None, "kib_ignored": station.graph_blocks_differ}
    if ring is not None:
        shown["pieces"] = ring.number
        shown["missed"] = ring.missed
        shown.update(_spool(ring))
        del shown["used_blocks"]  # all of it, once it has come round
    return shown


def _parked_in_place(station):
    """Return how many set-aside records found no room in the quarantine yet and lie in the main log."""
    from agent.quarantine_list import count_in_place  # rare: only while something waits for room there

    return count_in_place(station.ring, station.quarantine, station.health.counters[h.PARKED])


def _spool_refused(station):
    """Return in words why a spool that is there is left alone, None if that is not what is waited for."""
    from agent.spool.why import WHY_NAMES  # needed once in a station's life at most

    if station.quarantine is None:
        return None
    return WHY_NAMES[station.ring.why or station.quarantine.ring.why] or None


def _spool(ring):
    device = ring.device
    used = 0
    for cursor in ring.cursors:
        if ring.seq and cursor.durable:  # the slowest of those that keep blocks
            used = max(used, (ring.block - cursor.block) % device.block_count + 1)
    return {
        "kib": device.block_bytes * device.block_count // 1024,
        "blocks": device.block_count,
        "used_blocks": used,
        "unit_bytes": device.unit_bytes,
        "erases": ring.erases,
        "erases_ever": ring.block_no,
        "damaged": ring.damaged,
        "torn": ring.torn,
        "worn": ring.worn,
        "overwritten": ring.overwritten,
        "unreadable_blocks": ring.unreadable,
    }


def why_name(why):
    """Return the short word of a reason, "" for none."""
    return WHY_NAMES.split(",")[why]


# -- results -------------------------------------------------------------------------------------------------------


def newest_results(ring, count):
    """Return up to `count` results and raw frames of the newest blocks, the newest first."""
    if not ring.seq or not count:
        return []
    walk = Walk(ring.device, len(ring.walk.page), None)
    found = []
    block = ring.block
    for _ in range(min(BLOCKS_WALKED, ring.device.block_count)):
        older = []
        walk.begin(block, 0, 0)
        while True:
            kind = walk.next()
            if kind <= rec.RECORD_NONE:
                break
            if kind == rec.KIND_RESULT or kind == rec.KIND_RAW:
                _add(older, describe(walk.page, rec.HEAD_BYTES, kind, walk.flags, walk.length))
        for result in found:
            _add(older, result)
        found = older
        if len(found) >= count:
            break
        block = block - 1 if block else ring.device.block_count - 1
    found = found[-count:]
    found.reverse()
    return found


def _add(results, result):
    """Append, but a record that was written once more takes the place of its first copy."""
    if results and results[-1]["number"] == result["number"]:
        results.pop()
    results.append(result)


def _oldest_waiting(ring):
    """Return the time of the first result that the outlet has still to take, None if none waits or it has no time."""
    cursor = ring.cursors[0]
    if ring.number <= cursor.number:
        return None
    walk = Walk(ring.device, len(ring.walk.page), None)
    block, offset = cursor.block, cursor.offset
    for _ in range(BLOCKS_WALKED):
        walk.begin(block, offset, cursor.seq)
        while True:
            kind = walk.next()
            if kind <= rec.RECORD_NONE:
                break
            if kind == rec.KIND_RESULT and get_u32(walk.page, rec.HEAD_BYTES) > cursor.number:
                return time_of(walk.page, rec.HEAD_BYTES + res.HEAD_BYTES)
        block = (block + 1) % ring.device.block_count
        offset = 0
    return None
