"""Makes the logs of one station on its flash and mounts them; loaded for that and given back (toolcart.agent.cart.app).

Separate from toolcart.agent.cart.assembly, which is loaded after it: mounting and assembling are never in the heap
together.
"""

from toolcart.agent.base.compat import ON_CPYTHON, const
from toolcart.agent.base.health import NOT_SAVED
from toolcart.agent.cart import owners
from toolcart.agent.log.areas import divide
from toolcart.agent.log.cursor import WANTS_GRAPHS, Cursor
from toolcart.agent.log.flash import Part
from toolcart.agent.log.log import BLOCKS_LEAST, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Log
from toolcart.agent.log.mount import MOUNT_DONE, mount
from toolcart.agent.log.numbers import AHEAD, CURSOR, GRAPH_CURSOR, GRAPHS, KEPT, KEPT_CURSOR, LOG
from toolcart.agent.log.state import STATE_BLOCKS, State
from toolcart.agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import PAYLOAD_MAX, PAYLOAD_WIDE

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
    slots = owners.assign(held, kinds)
    logs = _logs(station, device, kept_blocks, graph_blocks, slots)
    added = [owners.is_added(held, kinds[index], slots[index]) for index in range(len(kinds))]
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


def _take_cursors(station, held, kinds, slots, added):
    """Place the cursors of outlets that the last session did not have; note them and those that are gone."""
    log, state = station.log, station.state
    if state.lost:
        added = [False] * len(kinds)  # then all begin at the oldest record
    lows = log.blocks.lowest()
    station.at_start.added = [None] * len(kinds)
    for index in range(len(kinds)):
        if added[index]:
            cursor = log.cursors[index]
            keeps = station.outlet_settings[index].get("durable", True)
            station.at_start.added[index] = owners.begin(log, cursor, held, kinds[index], lows if keeps else 0)
    station.at_start.removed = owners.removed(held, slots, log)
    _keep_blocks(station, [False] * len(kinds))
    state.owners = owners.with_these(held, kinds, slots)


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
