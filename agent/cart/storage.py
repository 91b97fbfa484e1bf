"""Makes the logs of one station on its flash and mounts them; loaded for that and given back (toolcart.agent.cart.app).

Separate from toolcart.agent.cart.assembly, which is loaded after it: mounting and assembling are never in the heap
together.

Rules
1. Which place of the snapshot an outlet has is decided by its name alone (toolcart.agent.cart.outlet_places).
2. An outlet that was there goes on where it was. One that returns does too, as far as the log still has that; what
   the log gave up meanwhile is counted, as for one that was there (toolcart.agent.log.missed_counts).
3. A new one gets what the log holds. A durable one leaves out the oldest, so that a quarter of the room is free for
   new results, but only what all durable ones that stay have had: what nobody has had is kept, whatever is free.
   Where none stays, that is what one of those that were there before has had. What is left out is counted likewise.
   ToolsNet's outlet leaves out only what can be read: its sequences are those of results alone.
4. Where no block is free a new one leaves out the oldest one in any case: all had passed that, or it would not be
   full, and the last record would stay in doubt until it has taken some. One that was there leaves out nothing: it has
   lost what it gets again, or was best effort until now. The log takes nothing until it has taken a block. But where
   the last record is in doubt and no snapshot has it, it was best effort: a durable one would have kept a block free.
   It gives up the oldest block, like a best-effort one, or all others would wait for it; not where ToolsNet has yet to
   take that, as it stays then.
5. Where the state was lost nobody knows what an outlet has had: of what the log holds it may have all, of what the log
   has no more it may lack all. The latter stays said, by what is said of each: of ToolsNet as results in doubt, of
   others as what the log gave up, until the other side tells more (Redelivery.put_first).
"""

from toolcart.agent.base.compat import ON_CPYTHON
from toolcart.agent.base.counters import NOT_SAVED
from toolcart.agent.cart.outlet_places import GUESSED, KINDS, NEW, RETURNED, STAYED, OutletPlaces, hash_at, kind_at
from toolcart.agent.log import missed_counts
from toolcart.agent.log.cursor import WANTS_EVENTS, WANTS_GRAPHS, Cursor
from toolcart.agent.log.flash import Partition
from toolcart.agent.log.framing import NUMBER_TOP
from toolcart.agent.log.log import BLOCKS_LEAST, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Log
from toolcart.agent.log.mount import MOUNT_DONE, mount, pass_gone
from toolcart.agent.log.partitioning import divide
from toolcart.agent.log.snapshot import NOBODY_KNOWS, STATE_BLOCKS, Snapshot
from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    DELIVERED,
    DOUBT_LACKS,
    DOUBT_TO,
    DROPPED,
    EVENT_CURSOR,
    EVENT_SEQUENCE_LAG,
    GRAPH_CURSOR,
    GRAPHS,
    HAD_MORE,
    LOG,
    OVERWRITTEN,
    PLACES,
    QUARANTINE,
    QUARANTINE_CURSOR,
    QUARANTINED,
    REOFFERED,
    SEND_LIMIT,
    SENT,
    SENT_OLDER,
    SEQUENCE_LAG,
    TAKEN,
    TOOLSNET_CURSOR,
)
from toolcart.agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import PAYLOAD_MAX, PAYLOAD_WIDE

# What of a server is known under one name of ToolsNet's outlet, and under no other
_OF_THE_SERVER = (
    SEND_LIMIT,
    SEQUENCE_LAG,
    SENT,
    REOFFERED,
    TAKEN,
    EVENT_SEQUENCE_LAG,
    DELIVERED,
    DROPPED,
    OVERWRITTEN,
    DOUBT_TO,
    DOUBT_LACKS,
)


def bring_up(station, device):
    """Mount the logs of this station on its device; False if they do not fit, or cannot be read (see `why`)."""
    spool = station.settings["spool"]
    kept = max(spool["parked_kib"] * 1024 // device.block_bytes, KEPT_BLOCKS_LEAST)
    graphs = 0
    if ON_CPYTHON:
        if spool["graphs_kib"]:
            from toolcart.agent.record.graph import ring_blocks  # few carts have curves

            station.at_start.curves_asked = bool(station.settings["controller"]["traces"])
            graphs = ring_blocks(spool["graphs_kib"] * 1024, device.block_bytes)
    # The log is at the end, so that it can grow. An existing spool keeps the sizes of its quarantine and its graphs:
    # another setting of parked_kib or graphs_kib takes effect with a new spool.
    kept_blocks, graph_blocks, held = divide(device, kept, graphs)
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    if kept_blocks < KEPT_BLOCKS_LEAST or device.block_count < first + BLOCKS_LEAST:
        return False
    station.at_start.quarantine_blocks_differ = kept_blocks != kept
    station.at_start.graph_blocks_differ = graph_blocks != graphs
    own = OutletPlaces(held, station.settings["outlets"])
    logs = _logs(station, device, kept_blocks, graph_blocks, own.places)
    _keep_blocks(station, own)
    for place in own.removed if not station.log.device.wears else ():
        station.log.damage.removed_at = min(station.log.damage.removed_at, held.numbers[CURSOR + place])
    station.why = mount(station.state, logs, station.board.seed())
    if station.why != MOUNT_DONE:
        return False
    _place_cursors(station, own)
    station.at_start.last = station.log.number
    station.at_start.holds_toolsnet = kind_at(station.state, 0) != 0
    if station.log.cursor_at(TOOLSNET_CURSOR) is not None:
        station.quarantine = Quarantine(logs[1], station.state, station.log)
        if not station.quarantine.start():
            station.counters.count(NOT_SAVED)  # whoever needs it first settles what this start left open
    return True


def _logs(station, device, kept_blocks, graph_blocks, places):
    """Make the station's state and logs; return the logs, that of results first, the quarantine's second."""
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    station.state = Snapshot(Partition(device, 0, STATE_BLOCKS))
    station.log = _log(station, Partition(device, first, device.block_count - first), places)
    # Without an outlet that refuses it stays as it is, for when there is one again.
    quarantine_log = Log(
        Partition(device, STATE_BLOCKS, kept_blocks),
        station.state,
        QUARANTINE,
        cursor_slot=QUARANTINE_CURSOR,
        staging_of=station.log,
    )
    logs = [station.log, quarantine_log]
    if ON_CPYTHON:
        if graph_blocks:
            part = Partition(device, STATE_BLOCKS + kept_blocks, graph_blocks)
            station.graphs = _graphs(station, part, places)
            logs.append(station.graphs)
    return logs


def _log(station, part, places):
    """Make the log of results."""
    when_full = WHEN_FULL_OVERWRITE if station.settings["spool"]["when_full"] == "overwrite" else WHEN_FULL_REFUSE
    controller = station.settings["controller"]
    several = controller["results"] != "auto"
    if ON_CPYTHON:
        several = True  # any controller may turn out to have several spindles
    most = PAYLOAD_WIDE if several else PAYLOAD_MAX
    log = Log(part, station.state, LOG, cursors=0, when_full=when_full, payload_most=most)
    for place in places:
        is_toolsnet = CURSOR + place == TOOLSNET_CURSOR
        cursor = Cursor()
        if ON_CPYTHON:
            if not is_toolsnet:  # it has events, or some, in a way of its own
                cursor.wants |= WANTS_EVENTS  # now, as the start may give up a block; a board writes no lines of events
        log.follow(cursor, CURSOR + place, SEQUENCE_LAG if is_toolsnet else -1)
    return log


def _is_durable(station, index):
    return station.outlet_settings[index].get("durable", True)


def _keep_blocks(station, own):
    """Let the cursor of each durable outlet keep what it has not taken; not yet of one that was not there."""
    cursors = station.log.cursors
    for index in range(len(cursors)):
        cursors[index].durable = _is_durable(station, index) and own.how[index] in (STAYED, GUESSED)


def _place_cursors(station, own):
    """Place the cursors of outlets that the last session did not have; note them, and those that are gone."""
    log, state, at_start = station.log, station.state, station.at_start
    count = len(log.cursors)
    numbers = [state.numbers[CURSOR + place] for place in range(PLACES)]
    moves = [False] * count  # in a new area, and where the state was lost, all are where they begin
    for index in range(count) if state.found else ():
        moves[index] = own.how[index] in (NEW, RETURNED)
        if moves[index]:
            log.cursors[index].durable = False
        else:
            pass_gone(log, log.cursors[index])
    lows = _had_by_others(log, own, numbers)
    log.blocks.reclaimable_up_to = lows if True in moves else 0
    log.blocks.added_cursors = [log.cursors[index] for index in range(count) if moves[index]]
    added: "list[int | None]" = [None] * count
    at_start.added = added
    at_start.returned = [0] * count
    gone = [place for place in own.removed if place not in own.given_up]
    at_start.removed = [_outlet_of(log, place) for place in gone]
    at_start.given_up = [
        _outlet_of(log, place, state.missed_counts[place], place in own.removed) for place in own.given_up
    ]
    own.put(state)
    if log.cursor_at(TOOLSNET_CURSOR) is None and state.numbers[SEND_LIMIT] >= log.next:
        from toolcart.agent.outlets.toolsnet.removed_batch import end_batch

        end_batch(log)
    for index in range(count):
        cursor = log.cursors[index]
        if moves[index]:
            if own.how[index] == NEW:
                _forget(station, index)
            low = lows if _is_durable(station, index) else 0
            left_out, lost = _begin(log, cursor, own.how[index], low)
            added[index], at_start.returned[index] = left_out, lost
            if cursor.slot == TOOLSNET_CURSOR:
                state.numbers[OVERWRITTEN] += left_out + lost
            else:
                state.missed_counts[own.places[index]] += left_out + lost
        elif not state.found and cursor.number:
            _doubt(state, cursor)
    if state.lost or state.older:
        at_start.repeated = log.backlog()
    missed_counts.put(state)
    at_start.back = [how == RETURNED for how in own.how]
    at_start.guessed = GUESSED in own.how or own.mixed != []
    for index in range(count):
        log.cursors[index].durable = _is_durable(station, index)
    if log.doubtful and not log.last_was_durable and log.blocks.when_full == WHEN_FULL_REFUSE:
        if state.found and log.blocks.count_free(log.lowest()) == 0:
            _give_up_oldest(log)
    low, last = log.damage.removed_at, log.backlog_cursor().number
    if state.finds_again and not log.device.wears:
        low, last = min([low] + [cursor.number for cursor in log.cursors]), log.number
    if low < last:
        from toolcart.agent.log.refound_damage import count_between  # hardly any log is damaged, or had another outlet

        count_between(log, low, last)


def _had_by_others(log, own, numbers):
    """Return up to which number a durable outlet that was not there may lack records (rules 3 and 4).

    `numbers` are those of the places as the last session left them.
    """
    low = log.lowest()
    if low == NUMBER_TOP:
        stayed = [own.places[index] for index in range(len(own.how)) if own.how[index] in (STAYED, GUESSED)]
        low = max([numbers[place] for place in own.removed or stayed] or [0])
    low = min([low, log.number] + [numbers[place] for place in own.mixed])
    if log.blocks.when_full == WHEN_FULL_REFUSE and log.blocks.count_free(low) == 0:
        low = max(low, min(log.first_above(log.first_above(0)) - 1, log.number))
    return low


def _give_up_oldest(log):
    """Let outlets that were best effort until now lack what the oldest block holds (rule 4)."""
    last = min(log.first_above(log.first_above(0)) - 1, log.number)
    toolsnet = log.cursor_at(TOOLSNET_CURSOR)
    if toolsnet is not None and toolsnet.number < last:
        return
    for cursor in log.cursors:
        if cursor.durable and cursor.number < last and cursor.slot != TOOLSNET_CURSOR:
            was = cursor.number
            log.seek(cursor, last)
            log.state.missed_counts[cursor.slot - CURSOR] += last - was
            log.state.put_moved(cursor, was)
    missed_counts.put(log.state)


def _outlet_of(log, place, missed=0, was_there=True):
    """Return the kind of the outlet that had this place, how many records it has not taken at most, its name's hash.

    And whether it `was_there` in the last session. `missed` of those records are gone: their count goes with the place.
    Of ToolsNet's also how many results it lacks of those it had, and how many were overwritten: another name begins
    anew with both.
    """
    state = log.state
    waiting = missed + max(0, log.number - state.numbers[CURSOR + place])  # some perhaps taken right before a power cut
    is_toolsnet = CURSOR + place == TOOLSNET_CURSOR
    server = (state.numbers[DOUBT_LACKS], state.numbers[OVERWRITTEN]) if is_toolsnet else ()
    return (KINDS[kind_at(state, place) - 1], waiting, hash_at(state, place), was_there) + server


def _forget(station, index):
    """Let a place know nothing of the outlet that had it before."""
    log, state, numbers = station.log, station.state, station.state.numbers
    cursor = log.cursors[index]
    log.seek(cursor, 0)
    if cursor.slot == TOOLSNET_CURSOR:
        numbers[QUARANTINED] -= min(numbers[QUARANTINED], numbers[DROPPED])
        for number in _OF_THE_SERVER:
            numbers[number] = 0
        state.broke_at = 0
        state.places &= ~HAD_MORE
        numbers[EVENT_CURSOR] = cursor.number
    state.missed_counts[cursor.slot - CURSOR] = 0
    if station.graphs is not None:
        station.graphs.seek(station.graphs.cursors[index], 0)


def _begin(log, cursor, how, others_low):
    """Place the cursor of an outlet that was not there.

    `others_low` is up to which number it may lack records. Return how many records that the log holds are left out,
    and how many it gave up before that one which was there has not had; of ToolsNet's without events.
    """
    oldest = log.first_above(0) - 1 if log.number else 0
    was = cursor.number
    start = max(was, oldest)
    lag = cursor.sequence_lag
    log.seek(cursor, max(start, min(log.blocks.floor(), others_low)), lag)
    state = log.state
    left_out, given_up = max(0, cursor.number - start), start - was
    if cursor.slot == TOOLSNET_CURSOR and cursor.number > was:
        from toolcart.agent.log.recount import lag_at, results_given_up  # hardly ever does one leave out something

        cursor.sequence_lag = lag_at(log, start, lag, cursor.number)
        if cursor.sequence_lag < 0:
            log.seek(cursor, start, lag)
        left_out = cursor.number - start - (cursor.sequence_lag - lag)
        given_up = results_given_up(log, was, start)
    if how == NEW:
        was = given_up = 0
        state.put_confirmed(cursor)
    if cursor.number > (start if cursor.slot == TOOLSNET_CURSOR else was):
        state.put_moved(cursor, was)
        if cursor.slot == TOOLSNET_CURSOR and not state.graph_blocks():
            state.numbers[GRAPH_CURSOR] = cursor.number  # outlets.toolsnet.data_loss, rule 7
    return left_out, given_up


def _doubt(state, cursor):
    """The state was lost: rule 5."""
    numbers = state.numbers
    state.put_moved(cursor, NOBODY_KNOWS)
    if cursor.slot == TOOLSNET_CURSOR:
        state.places |= HAD_MORE
        numbers[DOUBT_LACKS] = numbers[DOUBT_TO] = cursor.number
        numbers[SENT] |= SENT_OLDER
    else:
        state.missed_counts[cursor.slot - CURSOR] = cursor.number


def _graphs(station, part, places):
    """Make the log of curves, in which the oldest give way to the newest."""
    graphs = Log(part, station.state, GRAPHS, cursors=0, when_full=WHEN_FULL_OVERWRITE, staging_of=station.log)
    for index in range(len(places)):
        cursor = Cursor()
        graphs.follow(cursor, GRAPH_CURSOR + places[index])
        cursor.durable = False
        settings = station.outlet_settings[index]
        takes = settings.get("graphs") or "curves" in (settings.get("extras") or ())
        cursor.wants = WANTS_GRAPHS if takes else 0
    return graphs
