"""Makes the logs of one station on its flash and mounts them; loaded for that and given back (toolcart.agent.cart.app).

Separate from toolcart.agent.cart.assembly, which is loaded after it: mounting and assembling are never in the heap
together.
"""

from toolcart.agent.base.compat import ON_CPYTHON, const
from toolcart.agent.base.health import NOT_SAVED
from toolcart.agent.log.cursor import WANTS_GRAPHS, Cursor
from toolcart.agent.log.flash import Part
from toolcart.agent.log.log import BLOCKS_LEAST, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Log
from toolcart.agent.log.mount import MOUNT_DONE, divide, floor, mount
from toolcart.agent.log.numbers import AHEAD, CURSOR, GRAPH_CURSOR, GRAPHS, KEPT, KEPT_CURSOR, LOG
from toolcart.agent.log.state import STATE_BLOCKS, State
from toolcart.agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import PAYLOAD_MAX, PAYLOAD_WIDE

# Which cursor of a snapshot belongs to which outlet, also after outlets were added, removed or put in another order.
#
# A snapshot (toolcart.agent.log.state) keeps six bits for each of the four cursors: the kind of outlet that had it last
# (its place in KINDS and 1; 0: none yet), and IN_USE if that was in the session that wrote it. All 0: the area is new,
# or older than this; then every outlet counts as one that was there before.
#
# Rules
# 1. An outlet has the cursor of its kind; several of one kind have theirs in their order.
# 2. The first cursor is for the first kind alone: a snapshot keeps more about it (toolcart.agent.log.numbers).
# 3. An outlet whose kind has no cursor takes one that none had, else one of a kind that is not configured any more.
# 4. The cursor of a removed outlet keeps no block. It goes on there when it is configured again.
# 5. An added outlet gets what the log still holds, as far as a quarter of the room stays for new results. So does one
#    that was best effort, is durable now and so far behind that no block is free.
# 6. Which one of several of one kind was removed is not known: the others go back to where that cursor was. Most know
#    from the other side what they have brought already. Where no block is free nothing was kept for it, as it was best
#    effort: then they stay where they are, or no result would have room until they had brought all again.

KINDS = ("toolsnet", "file", "webhook", "mqtt")  # numbers on flash: append only
CURSORS = const(4)

_BITS = const(6)
_KIND = const(31)
_IN_USE = const(32)


def _owner(owners, slot):
    return owners >> _BITS * slot & (_KIND | _IN_USE)


def _number(kind):
    return KINDS.index(kind) + 1


def assign(owners, kinds):
    """Return the cursors of outlets of these kinds, in their order."""
    slots = [-1] * len(kinds)
    for turn in range(3):  # for cursors of the same kind, then for those that none had, then for any
        for index in range(len(kinds)):
            number = _number(kinds[index])
            for slot in range(1) if number == 1 else range(1, CURSORS):
                held = _owner(owners, slot) & _KIND
                if slots[index] < 0 and slot not in slots and held == (number, 0, held)[turn]:
                    slots[index] = slot
    return slots


def with_these(owners, kinds, slots):
    """Return what the next snapshot says: these outlets are there now, and no others."""
    found = 0
    for slot in range(CURSORS):
        number = _owner(owners, slot) & _KIND
        if slot in slots:
            number = _number(kinds[slots.index(slot)]) | _IN_USE
        found |= number << _BITS * slot
    return found


def is_in_use(owners, slot):
    """True if the last session had an outlet at this cursor; always, if that is not known."""
    return owners == 0 or _owner(owners, slot) & _IN_USE != 0


def had(owners, slot):
    """True if any session had an outlet at this cursor."""
    return _owner(owners, slot) != 0


def is_added(owners, kind, slot):
    """True if the last session had no outlet of this kind at this cursor."""
    return owners != 0 and _owner(owners, slot) != _number(kind) | _IN_USE


def removed(owners, kinds, slots, log):
    """Return (kind, how many records it has not taken) of each outlet that the last session had and this one lacks.

    Of several of one kind the others take them (rule 6).
    """
    found = []
    was_kept = min(log.firsts) == 0 or log.blocks.when_full == WHEN_FULL_OVERWRITE
    for slot in range(CURSORS):
        held = _owner(owners, slot)
        if held & _IN_USE and held & _KIND <= len(KINDS):
            kind, number = KINDS[(held & _KIND) - 1], log.state.numbers[CURSOR + slot]
            if slot in slots and kinds[slots.index(slot)] == kind:
                continue
            found.append((kind, 0 if kind in kinds else max(0, log.number - number)))
            for index in range(len(kinds)):
                cursor = log.cursors[index]
                if was_kept and kinds[index] == kind and number < cursor.number:
                    log.rewind(cursor, number, cursor.ahead)
    return found


def begin(log, cursor, owners, kind, others_low):
    """Place the cursor of an added outlet; return how many records that the log holds are left out.

    `others_low` is the number that all other durable cursors have passed.
    """
    oldest = log.first_above(0) - 1 if log.number else 0
    held = _owner(owners, cursor.slot - CURSOR) & _KIND
    number = max(cursor.number if held in (0, _number(kind)) else 0, oldest)
    log.rewind(cursor, max(number, min(floor(log), others_low)), cursor.ahead)
    return cursor.number - number


_GRAPHS_BLOCKS_LEAST = const(4)


def bring_up(station, device):
    """Mount the logs of this station on its device; False if they do not fit, or cannot be read (see `why`)."""
    spool = station.settings["spool"]
    kept = max(spool["parked_kib"] * 1024 // device.block_bytes, KEPT_BLOCKS_LEAST)
    graphs = 0
    if ON_CPYTHON:
        if spool["graphs_kib"]:
            graphs = max(spool["graphs_kib"] * 1024 // device.block_bytes, _GRAPHS_BLOCKS_LEAST)
    # The log is at the end, so that it can grow. An existing spool keeps the sizes of its quarantine and its graphs:
    # another setting of parked_kib or graphs_kib takes effect with a new spool.
    kept_blocks, graph_blocks, held = divide(device, kept, graphs)
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    if kept_blocks < KEPT_BLOCKS_LEAST or device.block_count < first + BLOCKS_LEAST:
        return False
    station.at_start.parked_blocks_differ = kept_blocks != kept
    station.at_start.graph_blocks_differ = graph_blocks != graphs
    kinds = [outlet["kind"] for outlet in station.settings["outlets"]]
    slots = assign(held, kinds)
    logs = _logs(station, device, kept_blocks, graph_blocks, slots)
    added = [is_added(held, kinds[index], slots[index]) for index in range(len(kinds))]
    _keep_blocks(station, added)
    station.why = mount(station.state, logs, station.board.seed())
    if station.why != MOUNT_DONE:
        return False
    _take_cursors(station, held, kinds, slots, added)
    if 0 in slots:  # a snapshot has what a quarantine needs for the first cursor alone
        station.quarantine = Quarantine(logs[1], station.state, station.log)
        if not station.quarantine.start():
            station.health.count(NOT_SAVED)  # whoever needs it first settles what this start left open
    return True


def _logs(station, device, kept_blocks, graph_blocks, slots):
    """Make the station's state and logs; return the logs, that of results first, the quarantine's second."""
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    station.state = State(Part(device, 0, STATE_BLOCKS))
    station.log = _log(station, Part(device, first, device.block_count - first), slots)
    # Without an outlet that refuses it stays as it is, for when there is one again.
    parked = Log(
        Part(device, STATE_BLOCKS, kept_blocks), station.state, KEPT, cursor_slot=KEPT_CURSOR, beside=station.log
    )
    logs = [station.log, parked]
    if ON_CPYTHON:
        if graph_blocks:
            part = Part(device, STATE_BLOCKS + kept_blocks, graph_blocks)
            station.graphs = _graphs(station, part, slots)
            logs.append(station.graphs)
    return logs


def _log(station, part, slots):
    """Make the log of results."""
    when_full = WHEN_FULL_OVERWRITE if station.settings["spool"]["when_full"] == "overwrite" else WHEN_FULL_REFUSE
    controller = station.settings["controller"]
    several = controller["results"] != "auto"
    if ON_CPYTHON:
        several = True  # any controller may turn out to have several spindles
    most = PAYLOAD_WIDE if several else PAYLOAD_MAX
    log = Log(part, station.state, LOG, cursors=0, when_full=when_full, payload_most=most)
    for slot in slots:
        log.follow(Cursor(), CURSOR + slot, AHEAD if slot == 0 else -1)
    return log


def _keep_blocks(station, added):
    """Let each outlet's cursor keep what it has not taken, apart from those whose place is not known yet."""
    cursors = station.log.cursors
    for index in range(len(cursors)):
        cursors[index].durable = station.outlet_settings[index].get("durable", True) and not added[index]


def _was_not_kept(log, number, settings):
    """True if no block is free where this outlet keeps what comes after `number`: it was best effort until now."""
    return settings.get("durable", False) and log.blocks.count_free(number) == 0


def _take_cursors(station, held, kinds, slots, added):
    """Place the cursors of outlets that the last session did not have; note them and those that are gone."""
    log, state = station.log, station.state
    for index in range(len(kinds)):
        if state.lost:
            added[index] = False  # then all begin at the oldest record
        elif _was_not_kept(log, log.cursors[index].number, station.outlet_settings[index]):
            added[index] = True
    _keep_blocks(station, added)
    lows = log.blocks.lowest()
    station.at_start.added = [None] * len(kinds)
    for index in range(len(kinds)):
        if added[index]:
            cursor = log.cursors[index]
            keeps = station.outlet_settings[index].get("durable", True)
            station.at_start.added[index] = begin(log, cursor, held, kinds[index], lows if keeps else 0)
    station.at_start.removed = removed(held, kinds, slots, log)
    _keep_blocks(station, [False] * len(kinds))
    state.owners = with_these(held, kinds, slots)


def _graphs(station, part, slots):
    """Make the log of curves, in which the oldest give way to the newest."""
    graphs = Log(part, station.state, GRAPHS, cursors=0, when_full=WHEN_FULL_OVERWRITE, beside=station.log)
    for index in range(len(slots)):
        cursor = Cursor()
        graphs.follow(cursor, GRAPH_CURSOR + slots[index])
        cursor.durable = False
        settings = station.outlet_settings[index]
        takes = settings.get("graphs") or "curves" in (settings.get("extras") or ())
        cursor.wants = WANTS_GRAPHS if takes else 0
    return graphs
