"""Makes the logs of one station on its flash and mounts them; loaded for that and given back (agent.cart.app).

Separate from agent.cart.assembly, which is loaded after it: mounting and assembling are never in the heap together.
"""

from agent.base.compat import ON_CPYTHON, const
from agent.base.health import NOT_SAVED
from agent.log.areas import divide
from agent.log.cursor import WANTS_EVENTS, WANTS_FRAMES, WANTS_GRAPHS, WANTS_RESULTS
from agent.log.flash import Part
from agent.log.log import BLOCKS_LEAST, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Log
from agent.log.mount import MOUNT_DONE, mount
from agent.log.numbers import GRAPH_CURSOR, GRAPHS, KEPT, KEPT_CURSOR, LOG
from agent.log.state import STATE_BLOCKS, State
from agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from agent.quarantine.quarantine import Quarantine
from agent.record import PAYLOAD_MAX, PAYLOAD_WIDE

_GRAPHS_BLOCKS_LEAST = const(4)


def bring_up(station, device, toolsnet):
    """Mount the logs of this station on its device; False if they do not fit, or cannot be read (see `why`)."""
    spool = station.settings["spool"]
    kept = max(spool["parked_kib"] * 1024 // device.block_bytes, KEPT_BLOCKS_LEAST)
    graphs = 0
    if ON_CPYTHON:
        if spool["graphs_kib"]:
            graphs = max(spool["graphs_kib"] * 1024 // device.block_bytes, _GRAPHS_BLOCKS_LEAST)
    # The log is at the end, so that it can grow. An existing spool keeps the sizes of its quarantine and its graphs:
    # another setting of parked_kib or graphs_kib takes effect with a new spool.
    kept_blocks, graph_blocks = divide(device, kept, graphs)
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    if kept_blocks < KEPT_BLOCKS_LEAST or device.block_count < first + BLOCKS_LEAST:
        return False
    station.parked_blocks_differ = kept_blocks != kept
    station.graph_blocks_differ = graph_blocks != graphs
    station.state = State(Part(device, 0, STATE_BLOCKS))
    station.log = _log(station, Part(device, first, device.block_count - first))
    part = Part(device, STATE_BLOCKS, kept_blocks)
    parked = Log(part, station.state, KEPT, cursor_slot=KEPT_CURSOR, beside=station.log)
    logs = [station.log, parked]
    if ON_CPYTHON:
        if graph_blocks:
            part = Part(device, STATE_BLOCKS + kept_blocks, graph_blocks)
            station.graphs = _graphs(station, part, toolsnet["graphs"])
            logs.append(station.graphs)
    station.why = mount(station.state, logs, station.board.seed())
    if station.why != MOUNT_DONE:
        return False
    station.quarantine = Quarantine(parked, station.state, station.log)
    if not station.quarantine.start():
        station.health.count(NOT_SAVED)  # whoever needs it first settles what this start left open
    return True


def _log(station, part):
    """Make the log of results."""
    when_full = WHEN_FULL_OVERWRITE if station.settings["spool"]["when_full"] == "overwrite" else WHEN_FULL_REFUSE
    outlets = station.settings["outlets"]
    controller = station.settings["controller"]
    several = controller["results"] != "auto" or controller["bolt_data"]
    if ON_CPYTHON:
        several = True  # any controller may turn out to have several spindles
    most = PAYLOAD_WIDE if several else PAYLOAD_MAX
    log = Log(part, station.state, LOG, cursors=len(outlets), when_full=when_full, payload_most=most)
    for index in range(1, len(outlets)):
        cursor = log.cursors[index]
        cursor.durable = outlets[index].get("durable", True)
        if ON_CPYTHON:  # a board writes no lines of events
            cursor.wants = WANTS_RESULTS | WANTS_FRAMES | WANTS_EVENTS
    return log


def _graphs(station, part, to_toolsnet):
    """Make the log of curves, in which the oldest give way to the newest."""
    outlets = station.settings["outlets"]
    graphs = Log(
        part,
        station.state,
        GRAPHS,
        cursors=len(outlets),
        cursor_slot=GRAPH_CURSOR,
        when_full=WHEN_FULL_OVERWRITE,
        beside=station.log,
    )
    for index in range(len(outlets)):
        graphs.cursors[index].durable = False
        wanted = outlets[index].get("graphs") if index else to_toolsnet
        graphs.cursors[index].wants = WANTS_GRAPHS if wanted else 0
    return graphs
