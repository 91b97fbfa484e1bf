"""The state of the agent as one tree of plain values: everything that is counted, and the newest results.

Rules
1. Only reads: it moves no one's cursor. It uses the logs' page, like everything that reads between two steps.
2. Allocates freely: call it between two steps, and only when its result is wanted.
3. Names, not numbers: states, reasons and counters have the words of the modules they come from.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import ON_CPYTHON
from toolcart.agent.base.connection_fault import KEPT_AGAIN, NOT_WRITTEN
from toolcart.agent.base.fields import get_u32
from toolcart.agent.base.ticks import ticks_diff
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.log.cursor import WANTS_RESULTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.search import Search
from toolcart.agent.log.snapshot import STATE_LAST
from toolcart.agent.log.staging import PAYLOAD_AT
from toolcart.agent.openprotocol import session_states as controller_states
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.agent.openprotocol.recovery_phases import (
    PHASE_CLOSED,
    PHASE_COMMIT,
    PHASE_FILL,
    PHASE_NAMES,
    PHASE_NO_ID,
    PHASE_OFF,
)
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.text import describe, time_of

RESULTS_SHOWN = 12  # what fits on a screen of 24 lines beside the rest
BLOCKS_WALKED = 3  # 4 KiB hold 15 light results; after a start the newest block and the one before may hold only one

NOT_TRIED = "not tried yet"  # the state of an outlet that has tried nothing since the start
FOREIGN = "it is a spool of another version, of another size of blocks or units, or parts of several"

# Why a connection is down: from toolcart.agent.openprotocol.session_states, toolcart.agent.link.port and
# toolcart.agent.base.connection_fault. The sentences are in toolcart.tools.messages.reasons.
WHY_NAMES = (
    ",framing lost,silence,slot taken,no revision accepted,knows no MID 0060,refused by code,stopped,no address,"
    "name not found,DNS slow,refused,no route,no network,timed out,reset,ended,in use,no device,not a tty,"
    "no permission,unplugged,no driver,no socket,failed,no PIM,foreign PIM,no info,no answer,malformed,"
    "server not allowed,no TLS,not trusted,not settable,no TLS files,no RFC 2217,"
    "other header,flash refuses,no usable answer,TLS refused,TLS broken,TLS ended,no port,kept again"
)
# Why a flash or a disk refuses (toolcart.agent.log.flash); the sentences are in toolcart.board.linux.refusal.
REFUSED_NAMES = ",no room,quota,read-only,broken,not allowed,gone,supply,other,limit,memory"


def snapshot(app, results=RESULTS_SHOWN, of=None):
    """Return the state of the whole agent; every value is a dict, list, text, int, bool or None.

    The newest results take fifteen times as long to find as all the rest: only those of station number `of` are
    included, or of all stations if that is None.
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
    """Return the part of one station, with up to `results` of its newest results."""
    counters = station.counters
    report = {
        "number": station.number,
        "name": station.name,
        "mounted": station.mounted,
        "counters": counted(counters),
        "logged": counters.log.logged,
        "log": [log_entry(now, *entry) for entry in counters.log.entries()],
    }
    if not station.mounted:
        from toolcart.agent.log.mount import MOUNT_FOREIGN  # given back to the heap when the spool is up

        report["starting"] = not counters.counts[counter.FLASH_FAILED]  # it was not tried yet
        report["spool_refused"] = FOREIGN if station.why == MOUNT_FOREIGN else None
        return report
    log = station.log
    report["controller"] = _controller(station, now)
    report["outlets"] = [_outlet(log, station, outlet) for outlet in station.outlets]
    for name in ("removed", "given_up"):
        report[name] = [_gone(station, *one) for one in getattr(station.at_start, name)]
    report["places_guessed"] = station.at_start.guessed
    report["repeated_at_most"] = station.at_start.repeated
    report["stored"], report["stored_at_least"] = stored_of(station)
    _put_given_up(report, station.state)
    report["backlog"] = max([outlet["waiting"] for outlet in report["outlets"]])  # of the one that is furthest behind
    report["oldest_waiting"] = _oldest_waiting(log)
    report["results"] = newest_results(log, results)
    report["recovery"] = _recovery(station)
    whole = log.device.device
    report["spool"] = _spool(log, station.state)
    report["spool"]["kib"] = whole.block_bytes * whole.block_count // 1024  # like spool.size_kib
    report["spool"]["path"] = getattr(whole, "path", "")  # commands name it
    report["spool"]["refused"] = REFUSED_NAMES.split(",")[log.device.refusal()]
    report["spool"]["refused_words"] = getattr(whole, "last_error", "")
    if station.quarantine is not None:
        _put_refusals(report, station)
    if ON_CPYTHON:
        from toolcart.agent.linux.spool_room import percent_full

        report["spool"]["percent_full"] = percent_full(log)
        if station.graphs is not None or station.at_start.graph_blocks_differ:
            report["graphs"] = _graphs(station)
    return report


def stored_of(station):
    """Return how many records were stored, with what a start has not counted yet, and whether there may be more.

    That is the last one which it found, as long as no snapshot can be written, and what cannot be read.
    """
    log, numbers = station.log, station.state.numbers
    counted_to = numbers[field.LOG + field.NEXT] - 1
    stored = numbers[field.STORED]
    if counted_to >= log.number:
        return stored, False
    visible = log.visible
    search = Search(log)
    log.visible = log.number
    search.begin_newest(log.device.block_count, counted_to)
    log.visible = visible
    kind = search.next()
    while kind > RECORD_NONE:
        is_counted = kind == KIND_RESULT or kind == KIND_RAW
        stored += is_counted and get_u32(log.page, PAYLOAD_AT) > counted_to
        kind = search.next()
    return stored, kind < RECORD_NONE or search.skipped


def _put_given_up(report, state):
    """Add what all durable outlets lack that the log gave up, and what all others do, also those that are gone."""
    report["overwritten"] = state.numbers[field.OVERWRITTEN]  # ToolsNet is durable, also while it is not configured
    missed = _missed(state)
    report["missed"] = sum(missed)
    for outlet in report["outlets"]:
        if outlet["kind"] == "toolsnet":
            if ON_CPYTHON and missed[0]:
                outlet["events_missed"] = missed[0]  # also where it gets none any more
        elif outlet["durable"]:
            report["overwritten"] += outlet["given_up"]
            report["missed"] -= outlet["given_up"]


def _put_refusals(report, station):
    """Add what only an outlet that may refuse a result has."""
    numbers = station.state.numbers
    report["delivered"], report["delivered_at_least"] = delivered_of(station)
    report["dropped"] = numbers[field.DROPPED]
    report["parked"] = station.quarantine.count()
    report["parked_unreadable"] = station.quarantine.unreadable
    for outlet in report["outlets"]:
        if outlet["kind"] == "toolsnet":  # nobody else may refuse a result
            report["needs_operator"] = _needs_operator(station, outlet)
    report["parked_kib_ignored"] = station.at_start.quarantine_blocks_differ


def counted(counters):
    """Return every counter that is not zero, by name."""
    counts = counters.counts
    return {counter.NAMES[index]: counts[index] for index in range(len(counts)) if counts[index]}


def log_entry(now, moment, code, value):
    """Return one entry of the log in words."""
    entry = {"age_ms": ticks_diff(now, moment), "name": counter.NAMES[code], "value": value}
    if code == counter.CONTROLLER_LOSSES or code == counter.CONTROLLER_AWAY or code == counter.SERVER_AWAY:
        entry["text"] = why_name(value)
    return entry


def _controller(station, now):
    intake, log = station.intake, station.log
    session = station.session
    line = {}
    if not station.intake.link.is_event_driven:
        from toolcart.agent.link.serial_framing import FORM_NAMES, TALLY_NAMES

        link = session.link
        line = {TALLY_NAMES[index]: link.tally[index] for index in range(len(TALLY_NAMES)) if link.tally[index]}
        line["payload"] = FORM_NAMES[link.form.form]
        line["overruns"] = station.controller_port.overruns()
    fault = intake.fault
    waits_for_room = not intake.flash_refused if intake.cannot_store else not log.has_room(log.room_bytes)
    is_waited = session.state == controller_states.CLOSED and intake.wait.armed
    is_waited = is_waited and not (intake.opening or waits_for_room)
    clock = None if intake.queries is None else intake.queries.clock
    why = fault.why
    if intake.cannot_store and (why == 0 or why == KEPT_AGAIN):
        why = NOT_WRITTEN if intake.flash_refused else 0
    return {
        "line": line,
        "clock_ahead_s": None if clock is None else clock.ahead_s,
        "host": intake.host,
        "port": intake.port_number,
        "state": controller_states.STATE_NAMES[session.state],
        "why": why_name(why),
        "why_in": controller_states.STATE_NAMES[fault.state] if fault.why else "",
        "why_code": fault.code,
        "why_mid": fault.mid,
        "refused_code": session.received.code,
        "waits_for_room": waits_for_room,
        "next_try_ms": intake.wait.left(now) if is_waited else 0,  # 0: now, or nothing waits
    }


def waits_for(station, outlet):
    """Return how many results wait for this outlet, and whether that is only a bound.

    It is where some are from before the start, which does not look for numbers that are in no record: whether a block
    or a record in the middle is gone shows only as they are read. And where events may be among them.
    """
    cursor = station.log.cursors[outlet.index]
    if not station.log.damage.counted_spans:
        count = station.log.backlog_of(cursor)
    else:
        from toolcart.agent.log.refound_damage import waits_at_most  # hardly any spool has lost something

        count = waits_at_most(station.log, cursor)
    return count, count > 0 and cursor.number < max(station.at_start.last, station.log.newest_event)


def delivered_of(station):
    """Return how many results ToolsNet has taken, and whether there may be more: it has not told since the start."""
    log = station.log
    cursor = log.cursor_at(field.TOOLSNET_CURSOR)
    is_least = log.backlog_of(cursor) > 0 and cursor.number < station.at_start.last
    return station.state.numbers[field.DELIVERED], is_least


def _outlet(log, station, outlet):
    cursor = log.cursors[outlet.index]
    count, is_bound = waits_for(station, outlet)
    given_up, left_out = _given_up(station.state, cursor), station.at_start.added[outlet.index]
    if left_out is not None:
        left_out = min(left_out, given_up)  # ToolsNet had some of them, as its 08 says
    report = {
        "kind": outlet.kind,
        "name": station.names[outlet.index],
        "durable": cursor.durable,
        "waiting": count,
        "waiting_at_most": is_bound,
        "waits_for_flash": _waits_for_flash(log, cursor),
        "given_up": given_up,
        "is_up": outlet.is_up(),
        "left_out": left_out,  # by one that was added with this start
        "is_back": station.at_start.back[outlet.index],  # its place was kept while it was not configured
        "lacks": station.at_start.returned[outlet.index],  # what the log gave up meanwhile
    }
    outlet.put_state(report)
    if not (outlet.attempts or report["waits_for_flash"]):
        report["state"] = NOT_TRIED
    if "why" not in report:
        report["why"] = why_name(outlet.fault.why)
    if report["waits_for_flash"] and not report["why"]:
        report["why"] = why_name(NOT_WRITTEN)
        report["is_up"] = False
    return report


def _waits_for_flash(log, cursor):
    """True if something waits that cannot go out: the flash takes no snapshot, or the next record cannot be read."""
    if not (log.backlog_of(cursor) and log.device.refusal()):
        return False
    state = log.state
    if not state.is_reliable and state.alarm != STATE_LAST:
        return True
    scout = Cursor()
    scout.wants = cursor.wants
    scout.stand_at(cursor)
    return log.peek(scout) < RECORD_NONE


def _given_up(state, cursor):
    """Return how many records at most the log gave up before this outlet had them."""
    if cursor.slot == field.TOOLSNET_CURSOR:
        return state.numbers[field.OVERWRITTEN]
    return _missed(state)[cursor.slot - field.CURSOR]


def _missed(state):
    if not state.broke_at and not state.missed_counts[0]:
        return state.missed_counts
    from toolcart.agent.log.missed_counts import shown  # rare

    return shown(state)


def _gone(station, kind, waiting, hashed, was_there, lost_there=0, overwritten=0):
    """Return what is known of an outlet that is gone: the spool has only a hash of its name, "" if nothing tells it."""
    from toolcart.agent.cart.outlet_places import hash_of  # given back to the heap when the spool is up

    names = [name for name in [kind] + station.known_names if hash_of(name) == hashed]
    gone = {"kind": kind, "name": names[0] if names else "", "waiting": waiting, "was_there": was_there}
    if kind == "toolsnet":
        gone["lost_there"], gone["overwritten"] = lost_there, overwritten
    return gone


def _recovery(station):
    recovery = station.recovery
    ledger = station.ledger
    return {
        "phase": PHASE_NAMES[recovery.phase],
        "needs": recovery.ownership.needs,
        "off": _why_off(station.log, recovery),
        "open_ids": missing_most(ledger, recovery.spindle_count(), recovery.duplicates),
        "gone": ledger.gone(),
        "stored_again_at_most": ledger.state.numbers[field.STORED_AGAIN],
        "gone_latest": _gone_latest(station) if ledger.gone() else None,
        "epoch": ledger.epoch(),
    }


def _why_off(log, recovery):
    """Return what keeps missed results from being asked for, "" if nothing does, or `needs` says it."""
    if not recovery.ledger.recovers:
        return "setting"
    if recovery.ownership.needs or recovery.ownership.is_other:  # another one is asked when it has named itself twice
        return ""
    if recovery.deferred is not None and recovery.deferred.pause.armed:
        return "pause"
    phase = recovery.phase if recovery.phase != PHASE_CLOSED else recovery.last_phase
    if phase == PHASE_NO_ID:
        return "no ID"
    if (recovery.phase == PHASE_FILL or recovery.phase == PHASE_COMMIT) and not log.has_room(log.room_bytes, False):
        return "no room"
    if phase != PHASE_OFF:
        if recovery.is_deferred() and recovery.flags and recovery.retry.armed:
            return "later"
        return "in vain" if recovery.is_in_vain() else ""
    if recovery.contradicts:
        return "answers"
    if recovery.is_deferred():
        return "later"
    return "controller" if recovery.ledger.is_unanswering() else "pause"


def _gone_latest(station):
    """Return which IDs are gone, if one of the newest blocks says so."""
    from toolcart.agent.station.missing_results import latest  # most controllers have everything that is asked for

    report = {}
    event = latest(Search(station.log), BLOCKS_WALKED)
    if event:
        for name in ("time", "first_id", "last_id", "count", "code", "text"):
            report[name] = event[name]
    return report


def _graphs(station):
    """Return what the log of curves holds; curves are cut into pieces."""
    log = station.graphs
    at_start = station.at_start
    report = {"mounted": log is not None, "kib_ignored": at_start.graph_blocks_differ, "asked": at_start.curves_asked}
    if log is not None:
        report["pieces"] = log.number
        report["missed"] = log.blocks.passed_over
        report.update(_spool(log, station.state))
        del report["used_blocks"]  # all of it, once it has come round
    return report


def _needs_operator(station, outlet):
    """Return why an operator has to decide; None while no decision is due."""
    holds = outlet.get("needs_operator", False)
    if not holds and not station.quarantine.pressure():
        return None
    from toolcart.agent.quarantine.entries import needs_operator  # rare

    refused = outlet.get("refused") or {}
    return needs_operator(station.quarantine, holds, outlet.get("keeps_order", False), refused.get("code", 0))


def _spool(log, state):
    device = log.device
    return {
        "blocks": device.block_count,
        "used_blocks": device.block_count - log.free_blocks(),
        "unit_bytes": device.unit_bytes,
        "erases": log.blocks.erases,
        "erases_ever": state.numbers[log.ring_id + field.COUNTS_TO]
        // device.block_count,  # at most (toolcart.agent.log.framing)
        "damaged": state.numbers[field.DAMAGED],
        "jumped": state.numbers[field.JUMPED],
        "torn": log.damage.torn,
        "worn": log.damage.worn,
        "overwritten": state.numbers[field.OVERWRITTEN],
        "unreadable_blocks": log.damage.unreadable,
        "state_alarm": state.alarm,
        "state_lost": state.lost,
        "state_older": state.older,
        "state_saves": state.saves,
        "state_erases": state.erases,
        "state_worn": state.worn,
        "state_corrected": state.corrected,
    }


def why_name(why):
    """Return the short word of a reason, "" for none."""
    return WHY_NAMES.split(",")[why]


# -- results -------------------------------------------------------------------------------------------------------


def newest_results(log, count):
    """Return up to `count` results and raw frames from the newest blocks, the newest first."""
    if not count:
        return []
    search = Search(log)
    search.begin_newest(BLOCKS_WALKED)
    results = []
    first = 0  # place in `results` of the first one of the block being read
    last = 0
    kind = search.next()
    while kind > 0:
        if kind == KIND_RESULT or kind == KIND_RAW:
            one = describe(log.page, log.at, kind, log.flags, log.length)
            if one["number"] < last:  # an older block begins
                if len(results) >= count:
                    break
                first = len(results)
            last = one["number"]
            results.append(one)
            if len(results) - first > count:
                results.pop(first)
        kind = search.next()
    results.sort(key=lambda one: one["number"], reverse=True)
    return results[:count]


def _oldest_waiting(log):
    """Return the time of the first result of the backlog; None if there is none, or it has no time."""
    scout = Cursor()
    scout.wants = WANTS_RESULTS
    scout.stand_at(log.backlog_cursor())
    if log.peek(scout) != KIND_RESULT:
        return None
    return time_of(log.page, log.at + res.HEAD_BYTES)
